//! What every verb gets: global flags, and where data goes.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{ArgMatches, Args, FromArgMatches};

use crate::app::Setting;
use crate::app::model::ChannelInfo;
use crate::base::{Clock, Masked, ScaledClock, Trouble, TroubleKind};
use crate::cluster::{self, Session};
use crate::incident::{Audience, IncidentId, Plan};
use crate::notify::Channel;
use crate::playbook::Playbook;

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
pub struct Context {
    /// The global flags as given.
    pub global: GlobalArgs,
    clock: Arc<dyn Clock>,
}

/// Where things go on disk.
#[derive(Clone, Debug)]
pub struct Places {
    /// Incidents.
    pub data_dir: PathBuf,
    /// Cached analyses.
    pub cache_dir: PathBuf,
}

/// Settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub judge_by_s: u64,
    pub plan: Plan,
    pub pressure: crate::pressure::Options,
    pub metrics: crate::metrics::Options,
    pub cluster: cluster::Options,
    pub notify: crate::notify::Options,
    pub ui: crate::ui::Options,
}

impl Context {
    /// Reads the global flags.
    ///
    /// # Errors
    /// When the flags contradict each other.
    pub fn new(matches: &ArgMatches) -> Result<Self> {
        // Global flags given behind the verb are propagated to the root by clap only in the verb's matches.
        let deepest = matches.subcommand().map_or(matches, |(_, inner)| inner);
        Ok(Self { global: GlobalArgs::from_arg_matches(deepest)?, clock: Arc::new(ScaledClock::new(1.0)) })
    }

    /// Incident time of the user's own world.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// A runtime for what waits for the network.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn runtime(&self) -> Result<tokio::runtime::Runtime> {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("the system gives no threads")
    }

    /// Who sits here.
    pub fn who(&self) -> Masked {
        let name =
            ["CUTOFF_WHO", "USER", "LOGNAME"].into_iter().find_map(|key| std::env::var(key).ok()).unwrap_or_else(|| "somebody".to_owned());
        Masked::from(name)
    }

    /// The settings, from flags, environment and files.
    ///
    /// # Errors
    /// A key that is wrong: file, line and remedy.
    pub fn config(&self) -> Result<Settings> {
        Ok(Settings {
            judge_by_s: 900,
            plan: Plan::default(),
            pressure: crate::pressure::Options::default(),
            metrics: crate::metrics::Options::default(),
            cluster: cluster::Options::default(),
            notify: crate::notify::Options::default(),
            ui: crate::ui::Options::default(),
        })
    }

    /// Where things go on disk.
    ///
    /// # Errors
    /// When there is no home directory.
    pub fn paths(&self) -> Result<Places> {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        Ok(Places {
            data_dir: self.global.data_dir.clone().unwrap_or_else(|| home.join(".local/share/cutoff")),
            cache_dir: home.join(".cache/cutoff"),
        })
    }

    /// Where the desk of `id` can be reached.
    ///
    /// # Errors
    /// As [`Context::paths`].
    pub fn socket(&self, _: &IncidentId) -> Result<PathBuf> {
        let paths = self.paths()?;
        Ok(socket_at(&paths.data_dir))
    }

    /// How to reach the cluster.
    pub fn cluster(&self, settings: &Settings) -> cluster::Options {
        let mut options = settings.cluster.clone();
        let global = &self.global;
        options.kubeconfig = global.kubeconfig.clone().or(options.kubeconfig);
        options.context = global.context.clone().or(options.context);
        options.namespace = global.namespace.clone().or(options.namespace);
        options.read_only |= global.read_only;
        options
    }

    /// A connection to the cluster.
    ///
    /// # Errors
    /// A kubeconfig, credential or network problem.
    pub async fn connect(&self) -> Result<Session> {
        let settings = self.config()?;
        Ok(Session::connect(self.cluster(&settings), self.clock()).await.map_err(Trouble::from)?)
    }

    /// The channels of posts.
    ///
    /// # Errors
    /// A key that is wrong.
    pub fn channels(&self, settings: &Settings) -> Result<Vec<Arc<dyn Channel>>> {
        let made = crate::notify::channels(&settings.notify).map_err(|e| Trouble::new(TroubleKind::Config, e.to_string(), "notify", ""))?;
        Ok(made.into_iter().map(Arc::from).collect())
    }

    /// What the model needs to know of the settings.
    ///
    /// # Errors
    /// As [`Context::channels`].
    pub fn setting(&self, settings: &Settings, context: &str, namespace: &str) -> Result<Setting> {
        let channels = self.channels(settings)?;
        let both = [Audience::Users, Audience::Team];
        Ok(Setting {
            context: context.to_owned(),
            namespace: namespace.to_owned(),
            who: self.who(),
            tool: Masked::own(env!("CARGO_PKG_VERSION")),
            read_only: self.global.read_only,
            notice: String::new(),
            plan: settings.plan,
            judge_by_s: settings.judge_by_s,
            repository: None,
            source_maps: Vec::new(),
            taken: Vec::new(),
            channels: channels
                .iter()
                .map(|c| ChannelInfo { name: c.base().name.clone(), audiences: both.into_iter().filter(|a| c.carries(*a)).collect() })
                .collect(),
        })
    }

    /// The user's postmortem template, if the config names one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn template(&self) -> Result<Option<String>> {
        Ok(None)
    }

    /// The playbook to follow.
    ///
    /// # Errors
    /// When it has an error: file, line and remedy.
    pub fn playbook(&self, _: &Settings) -> Result<Playbook> {
        let (file, text) = crate::playbook::BUILT_IN[0];
        crate::playbook::parse(file, text).map_err(|problems| crate::playbook::trouble(&problems).into())
    }
}

/// One door for all incidents of a data directory: one dashboard writes at a time.
pub fn socket_at(data_dir: &std::path::Path) -> PathBuf {
    data_dir.join("desk.sock")
}
