//! Starts and stops the demo.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::error::Error;
use super::faults::Faults;
use super::kubelet::Kubelet;
use super::machine::Machine;
use super::pods::{Host, Live};
use super::recording::Player;
use super::world::{Store, reconcile};
use super::{api, images, repository, scenario};
use crate::base::Trouble;

/// How the demo is to be.
#[derive(Clone)]
pub struct Options {
    /// Where its files go; a fresh directory below it is made and removed again. Default: the system's temporary directory.
    pub directory: Option<PathBuf>,
    /// How fast the service leaks: 1.0 lets the fastest replica die after about four minutes.
    pub pace: f64,
    /// Names and uids come from it, so that two runs look alike.
    pub seed: u64,
    /// Plays the recording back even where real pods are possible.
    pub recorded: bool,
    /// Uses unprivileged user namespaces even as root.
    pub user_namespace: bool,
    /// The world's time; default: the system's.
    pub clock: Option<Arc<dyn crate::base::Clock>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { directory: None, pace: 1.0, seed: 7, recorded: false, user_namespace: false, clock: None }
    }
}

/// What the pods are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Real local processes; the sentence says of what kind.
    Live(String),
    /// A recording is played back; the sentence says why.
    Recorded(String),
}

impl Mode {
    /// Whether the pods are real processes.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// What the pods are and why, as one sentence.
    pub fn sentence(&self) -> &str {
        match self {
            Self::Live(sentence) | Self::Recorded(sentence) => sentence,
        }
    }
}

/// A running demo. Dropping it ends every process and removes its files; so does the end of the program, however it ends.
pub struct Demo {
    directory: PathBuf,
    mode: Mode,
    faults: Faults,
    store: Arc<Store>,
    machine: Arc<Machine>,
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").field("directory", &self.directory).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Demo {
    /// Starts the API server, the kubelet and the pods; returns when the API answers (pods may still be starting).
    ///
    /// # Errors
    /// When no directory or port can be had, or git is missing. Missing node or namespaces are no error: see [`Mode`].
    pub async fn start(options: Options) -> Result<Self, Trouble> {
        if let Some(clock) = &options.clock {
            super::clock::set(clock.clone());
        }
        // A runtime of its own: the demo's load never delays the caller's tasks, and its end ends every task at once.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("demo").enable_all().build();
        let runtime = runtime.map_err(Error::Start)?;
        let handle = runtime.handle().clone();
        let started = handle.spawn(open(options)).await;
        match started {
            Ok(Ok(parts)) => Ok(Self {
                directory: parts.directory,
                mode: parts.mode,
                faults: parts.faults,
                store: parts.store,
                machine: parts.machine,
                runtime: Some(runtime),
            }),
            Ok(Err(error)) => {
                runtime.shutdown_background();
                Err(error.into())
            }
            Err(why) => {
                runtime.shutdown_background();
                Err(Error::Start(std::io::Error::other(why.to_string())).into())
            }
        }
    }

    /// The kubeconfig of the demo (0600), with its one context `demo` and the namespace `shop`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    /// The git repository of the leaking service; its files lie in the pods under `/usr/src/app`.
    pub fn repository(&self) -> PathBuf {
        self.directory.join("content-import")
    }

    /// The namespace with the outage.
    pub fn namespace(&self) -> &'static str {
        scenario::NAMESPACE
    }

    /// The workload that leaks.
    pub fn deployment(&self) -> &'static str {
        "content-import"
    }

    /// Whether the pods are real, and why.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Switches faults of the cluster on and off.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Compacts the log of changes: watches that are behind get 410 Gone.
    pub fn compact(&self) {
        self.store.compact();
    }

    /// Ends every process and removes the demo's files.
    pub async fn stop(self) {
        // Dropping does it; this waits for it where it may wait.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.machine.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        // Killed processes may still be closing files.
        for _ in 0..20 {
            if std::fs::remove_dir_all(&self.directory).is_ok() || !self.directory.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

struct Parts {
    directory: PathBuf,
    mode: Mode,
    faults: Faults,
    store: Arc<Store>,
    machine: Arc<Machine>,
}

async fn open(options: Options) -> Result<Parts, Error> {
    let below = options.directory.clone().unwrap_or_else(std::env::temp_dir);
    sweep(&below);
    let directory = make_directory(&below)?;
    let parts = fill(&directory, options).await;
    if parts.is_err() {
        let _ = std::fs::remove_dir_all(&directory);
    }
    parts
}

async fn fill(directory: &Path, options: Options) -> Result<Parts, Error> {
    let files = |what: &'static str| move |why| Error::Files { path: what.into(), why };
    images::unpack(&directory.join("images")).map_err(files("the images"))?;
    let repository = directory.join("content-import");
    std::fs::create_dir(&repository).map_err(files("the repository"))?;
    let (made, (machine, mode)) = tokio::join!(repository::make(&repository), machine(directory, &options));
    made?;
    let machine = Arc::new(machine);
    let store = Arc::new(Store::new(options.seed));
    scenario::populate(&store);
    let faults = Faults::default();
    let kubelet = Kubelet::new(store.clone(), machine.clone());

    let identity = api::identity().map_err(|why| Error::Start(std::io::Error::other(why)))?;
    let token = token()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::Listen)?;
    let port = listener.local_addr().map_err(Error::Listen)?.port();
    let path = directory.join("kubeconfig");
    write_private(&path, &kubeconfig(port, &identity.authority, &token)).map_err(files("the kubeconfig"))?;

    let context = api::Context { store: store.clone(), kubelet: kubelet.clone(), faults: faults.clone(), token };
    tokio::spawn(api::serve(listener, identity.acceptor, Arc::new(context)));
    tokio::spawn(feed(store.clone(), machine.clone(), options.pace));
    tokio::spawn(kubelet.run());
    tokio::spawn(control(store.clone()));
    Ok(Parts { directory: directory.to_path_buf(), mode, faults, store, machine })
}

/// Real pods where the machine allows them.
async fn machine(directory: &Path, options: &Options) -> (Machine, Mode) {
    if options.recorded {
        return (Machine::Recorded(Player::default()), Mode::Recorded("a recording is played back, as was asked for".into()));
    }
    let refused = match Host::look().await {
        Ok(mut host) => {
            host.user_namespace |= options.user_namespace;
            let mut kinds = vec![host.user_namespace];
            if !host.user_namespace {
                kinds.push(true);
            }
            let mut last = String::new();
            for user_namespace in kinds {
                let host = Host { user_namespace, ..host.clone() };
                let version = host.version.clone();
                match Live::new(directory, host) {
                    Ok(live) => match live.trial().await {
                        Ok(()) => {
                            let kind = if user_namespace { "unprivileged user namespaces" } else { "namespaces" };
                            let sentence = format!("pods are real node {version} processes in {kind} of this machine");
                            return (Machine::Live(live), Mode::Live(sentence));
                        }
                        Err(why) => last = why,
                    },
                    Err(why) => last = why.to_string(),
                }
            }
            format!("this machine does not allow pods of their own: {last}")
        }
        Err(why) => why,
    };
    (Machine::Recorded(Player::default()), Mode::Recorded(format!("a recording is played back: {refused}")))
}

/// Controllers run when something changed, and twice a second anyway.
async fn control(store: Arc<Store>) {
    let mut changed = store.subscribe();
    loop {
        reconcile(&store);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let _ = tokio::time::timeout(Duration::from_millis(500), changed.changed()).await;
    }
}

/// Hands out the partitions of the feed.
async fn feed(store: Arc<Store>, machine: Arc<Machine>, pace: f64) {
    let mut feed = scenario::Feed::default();
    loop {
        for (uid, assignment) in feed.assign(&store, pace) {
            machine.assign(&uid, &assignment);
        }
        tokio::time::sleep(Duration::from_millis(1000)).await;
    }
}

fn token() -> Result<String, Error> {
    let mut bytes = [0u8; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Start(std::io::Error::other("no randomness")))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

fn kubeconfig(port: u16, authority: &str, token: &str) -> String {
    let authority = STANDARD.encode(authority);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: demo\n\
         clusters:\n- name: demo\n  cluster:\n    server: https://127.0.0.1:{port}\n    certificate-authority-data: {authority}\n\
         users:\n- name: on-call\n  user:\n    token: {token}\n\
         contexts:\n- name: demo\n  context:\n    cluster: demo\n    user: on-call\n    namespace: {}\n",
        scenario::NAMESPACE
    )
}

const PREFIX: &str = "cutoff-demo-";

/// A fresh directory that nobody else may look into.
fn make_directory(below: &Path) -> Result<PathBuf, Error> {
    let mut last = None;
    for n in 0..100 {
        let directory = below.join(format!("{PREFIX}{}-{n}", std::process::id()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&directory) {
            Ok(()) => return Ok(directory),
            Err(why) => last = Some((directory, why)),
        }
    }
    let (directory, why) = last.unwrap_or_else(|| (below.to_path_buf(), std::io::Error::other("no name was free")));
    Err(Error::Files { path: directory.display().to_string(), why })
}

/// Removes what demos left behind whose program was killed.
fn sweep(below: &Path) {
    if !cfg!(target_os = "linux") {
        return;
    }
    for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|n| n.strip_prefix(PREFIX)).and_then(|n| n.split('-').next()).and_then(|p| p.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
