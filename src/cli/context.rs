//! What every verb gets: global flags, and where data goes.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, FromArgMatches};

/// Flags that every verb takes.
#[derive(Args, Clone, Debug, Default)]
pub struct GlobalArgs {
    /// Kubeconfig file (default: $KUBECONFIG, then ~/.kube/config)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// Kubeconfig context
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,
    /// Namespace
    #[arg(short, long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub namespace: Option<String>,
    /// Change nothing in any pod or cluster
    #[arg(long, global = true, env = "CUTOFF_READ_ONLY", value_parser = clap::builder::FalseyValueParser::new(), num_args = 0, default_missing_value = "true", default_value = "false", help_heading = "Cluster")]
    pub read_only: bool,
    /// Config file (default: ./cutoff.yaml, then ~/.config/cutoff/config.yaml)
    #[arg(long, global = true, env = "CUTOFF_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Set one key of the config (--set cluster.namespace=shop); may be given again
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", help_heading = "Settings")]
    pub set: Vec<String>,
    /// Directory of incidents, evidence and postmortems
    #[arg(long, global = true, env = "CUTOFF_DATA_DIR", value_name = "DIR", help_heading = "Settings")]
    pub data_dir: Option<PathBuf>,
    /// Incident to act on (default: the newest open one)
    #[arg(long, global = true, value_name = "ID", help_heading = "Settings")]
    pub incident: Option<String>,
    /// Print machine-readable JSON on stdout
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Only ASCII characters on the screen
    #[arg(long, global = true, env = "CUTOFF_ASCII", value_parser = clap::builder::FalseyValueParser::new(), num_args = 0, default_missing_value = "true", default_value = "false", help_heading = "Output")]
    pub ascii: bool,
    /// Colours: dark, light, high-contrast, mono
    #[arg(long, global = true, env = "CUTOFF_THEME", value_name = "NAME", help_heading = "Output")]
    pub theme: Option<String>,
    /// Say more in the log file; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
}

/// What every verb gets.
#[derive(Debug)]
pub struct Context {
    /// The global flags as given.
    pub global: GlobalArgs,
}

impl Context {
    /// Reads the global flags.
    ///
    /// # Errors
    /// When the flags contradict each other.
    pub fn new(matches: &ArgMatches) -> Result<Self> {
        // Global flags given behind the verb are propagated to the root by clap only in the verb's matches.
        let deepest = matches.subcommand().map_or(matches, |(_, inner)| inner);
        Ok(Self { global: GlobalArgs::from_arg_matches(deepest)? })
    }
}
