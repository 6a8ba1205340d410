//! What every verb gets: global flags, and where data goes.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use clap::{ArgMatches, Args, FromArgMatches};

use crate::app::Setting;
use crate::app::model::ChannelInfo;
use crate::base::{Bytes, Clock, Masked, ScaledClock, Trouble, TroubleKind};
use crate::cluster::Session;
use crate::config::{self, Config, Env, Flag, Loaded, Paths, Request};
use crate::incident::Audience;
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
    paths: Paths,
    loaded: OnceLock<Loaded>,
    env: Env,
}

/// A playbook or template is a page of text.
const PAGE: Bytes = Bytes(1 << 20);

impl Context {
    /// Reads the global flags and the environment.
    ///
    /// # Errors
    /// When the flags contradict each other.
    pub fn new(matches: &ArgMatches) -> Result<Self> {
        // Global flags given behind the verb are propagated to the root by clap only in the verb's matches.
        let deepest = matches.subcommand().map_or(matches, |(_, inner)| inner);
        let global = GlobalArgs::from_arg_matches(deepest)?;
        let env: Env = std::env::vars_os().map(|(k, v)| (k.to_string_lossy().into_owned(), v.to_string_lossy().into_owned())).collect();
        let mut paths = Paths::of(&env);
        if let Some(dir) = &global.data_dir {
            paths.data_dir.clone_from(dir);
        }
        Ok(Self { global, clock: Arc::new(ScaledClock::new(1.0)), paths, loaded: OnceLock::new(), env })
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
        let configured = self.loaded.get().and_then(|l| l.config.person.name.clone());
        let login = ["CUTOFF_WHO", "USER", "LOGNAME"].into_iter().find_map(|key| self.env.get(key).cloned());
        Masked::from(configured.or(login).unwrap_or_else(|| "somebody".to_owned()))
    }

    /// The settings with their origins, from flags, environment and files.
    ///
    /// # Errors
    /// A key that is wrong: file, line and remedy.
    pub fn loaded(&self) -> Result<&Loaded> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let here = std::env::current_dir().unwrap_or_default();
        let flags = self.flags()?;
        let request = Request { paths: &self.paths, here: &here, file: self.global.config.as_deref(), env: &self.env, flags: &flags };
        let loaded = config::load(&request)?;
        Ok(self.loaded.get_or_init(|| loaded))
    }

    fn flags(&self) -> Result<Vec<Flag>> {
        let global = &self.global;
        let mut flags = Vec::new();
        let mut flag = |name: &str, key: &str, value: Option<String>| flags.extend(value.map(|value| Flag::new(name, key, quoted(&value))));
        flag("--kubeconfig", "cluster.kubeconfig", global.kubeconfig.as_ref().map(|p| p.display().to_string()));
        flag("--context", "cluster.context", global.context.clone());
        flag("--namespace", "cluster.namespace", global.namespace.clone());
        flag("--theme", "ui.theme", global.theme.clone());
        if global.read_only {
            flags.push(Flag::new("--read-only", "cluster.read_only", "true"));
        }
        if global.ascii {
            flags.push(Flag::new("--ascii", "ui.ascii", "true"));
        }
        for text in &global.set {
            flags.push(Flag::parse(text)?);
        }
        Ok(flags)
    }

    /// The settings.
    ///
    /// # Errors
    /// As [`Context::loaded`].
    pub fn config(&self) -> Result<Config> {
        Ok(self.loaded()?.config.clone())
    }

    /// Where things go on disk.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// A connection to the cluster.
    ///
    /// # Errors
    /// A kubeconfig, credential or network problem.
    pub async fn connect(&self) -> Result<Session> {
        let config = self.config()?;
        Ok(Session::connect(config.cluster, self.clock()).await.map_err(Trouble::from)?)
    }

    /// The channels of posts.
    ///
    /// # Errors
    /// A key that is wrong.
    pub fn channels(&self, config: &Config) -> Result<Vec<Arc<dyn Channel>>> {
        let made = crate::notify::channels(&config.notify)
            .map_err(|e| Trouble::new(TroubleKind::Config, e.what, format!("notify.channels[{}].{}", e.index, e.key), e.remedy))?;
        Ok(made.into_iter().map(Arc::from).collect())
    }

    /// What the model needs to know of the settings.
    ///
    /// # Errors
    /// As [`Context::channels`].
    pub fn setting(&self, config: &Config, context: &str, namespace: &str) -> Result<Setting> {
        let channels = self.channels(config)?;
        let both = [Audience::Users, Audience::Team];
        Ok(Setting {
            context: context.to_owned(),
            namespace: namespace.to_owned(),
            who: self.who(),
            tool: Masked::own(env!("CARGO_PKG_VERSION")),
            read_only: config.cluster.read_only,
            notice: String::new(),
            plan: config.plan,
            judge_by_s: config.changes.judge_by_s,
            repository: self.repository(config).map(|p| p.display().to_string()),
            source_maps: config.source.maps.iter().map(|p| p.display().to_string()).collect(),
            taken: Vec::new(),
            parallel: usize::from(config.capture.parallel),
            channels: channels
                .iter()
                .map(|c| ChannelInfo { name: c.base().name.clone(), audiences: both.into_iter().filter(|a| c.carries(*a)).collect() })
                .collect(),
        })
    }

    /// The repository of the service: the configured one, else the working directory if it is one.
    pub fn repository(&self, config: &Config) -> Option<PathBuf> {
        config.source.repository.clone().or_else(|| {
            let here = std::env::current_dir().ok()?;
            let found = here.ancestors().any(|dir| crate::disk::entry(&dir.join(".git")).is_ok_and(|e| e.is_some()));
            found.then_some(here)
        })
    }

    /// The user's postmortem template, if the config names one or there is one beside it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn template(&self) -> Result<Option<String>> {
        let own = self.paths.config_dir.join("postmortem.md.j2");
        let path = match &self.loaded()?.config.postmortem.template {
            Some(path) => path.clone(),
            None if crate::disk::entry(&own).is_ok_and(|e| e.is_some()) => own,
            None => return Ok(None),
        };
        Ok(Some(crate::disk::read_text(&path, PAGE).map_err(Trouble::from)?))
    }

    /// The playbook that a new incident follows: the first of its name in the config's directories, the user's own, the
    /// built-in ones.
    ///
    /// # Errors
    /// When there is none of that name, or it has an error: file, line and remedy.
    pub fn playbook(&self, config: &Config) -> Result<Playbook> {
        let name = config.playbooks.default.as_str();
        let file = if name.ends_with(".yaml") { name.to_owned() } else { format!("{name}.yaml") };
        let own = self.paths.playbooks();
        for dir in config.playbooks.dirs.iter().chain([&own]) {
            let path = dir.join(&file);
            if crate::disk::entry(&path).map_err(Trouble::from)?.is_some() {
                let text = crate::disk::read_text(&path, PAGE).map_err(Trouble::from)?;
                return read_playbook(&path.display().to_string(), &text);
            }
        }
        match crate::playbook::BUILT_IN.iter().find(|(built_in, _)| *built_in == file) {
            Some((file, text)) => read_playbook(file, text),
            None => {
                let known = crate::playbook::BUILT_IN.iter().map(|(file, _)| file.trim_end_matches(".yaml")).collect::<Vec<_>>().join(", ");
                let remedy = format!("built in are: {known}; own ones go to {}", own.display());
                Err(Trouble::new(TroubleKind::Config, format!("there is no playbook {name:?}"), "playbooks.default", remedy).into())
            }
        }
    }
}

fn read_playbook(file: &str, text: &str) -> Result<Playbook> {
    crate::playbook::parse(file, text).map_err(|problems| crate::playbook::trouble(&problems).into())
}

/// A value of the command line is text, whatever YAML would make of it.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// One door for all incidents of a data directory: one dashboard writes at a time.
pub fn socket_at(data_dir: &std::path::Path) -> PathBuf {
    data_dir.join("desk.sock")
}
