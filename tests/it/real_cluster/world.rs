//! A cluster that `tests/cluster/up` started: whose turn it is, kubectl, outages, rooms (namespaces) and pods of their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

/// Longest wait for something to happen in the cluster.
const PATIENCE: Duration = Duration::from_secs(120);

/// Many tests share the cluster; an outage is for one alone.
static TURN: RwLock<()> = RwLock::new(());

/// The running cluster.
pub struct Cluster {
    scripts: PathBuf,
    dir: PathBuf,
    kube: PathBuf,
}

/// A test's time with the cluster.
pub struct Turn {
    pub cluster: &'static Cluster,
    _shared: Option<RwLockReadGuard<'static, ()>>,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

impl std::ops::Deref for Turn {
    type Target = Cluster;
    fn deref(&self) -> &Cluster {
        self.cluster
    }
}

/// The cluster, shared with other tests; `None` where there is none, which is said.
pub fn shared(test: &str) -> Option<Turn> {
    let cluster = found(test)?;
    Some(Turn { cluster, _shared: Some(TURN.read().unwrap_or_else(PoisonError::into_inner)), _alone: None })
}

/// The cluster for this test alone, which breaks it and mends it.
pub fn alone(test: &str) -> Option<Turn> {
    let cluster = found(test)?;
    Some(Turn { cluster, _shared: None, _alone: Some(TURN.write().unwrap_or_else(PoisonError::into_inner)) })
}

fn found(test: &str) -> Option<&'static Cluster> {
    static FOUND: OnceLock<Result<Cluster, String>> = OnceLock::new();
    match FOUND.get_or_init(Cluster::find) {
        Ok(cluster) => Some(cluster),
        Err(why) => {
            crate::skips::skipped(&format!("real_cluster::{test}"), why);
            None
        }
    }
}

impl Cluster {
    /// What is missing is a reason to skip; a cluster that is named and does not answer is a failure.
    fn find() -> Result<Self, String> {
        let dir = std::env::var_os("CUTOFF_CLUSTER_DIR").map(PathBuf::from);
        let dir = dir.ok_or("CUTOFF_CLUSTER_DIR names no cluster (tests/cluster/README.md: build, up)")?;
        if !rustix::process::geteuid().is_root() {
            return Err("no root, which outages need".to_owned());
        }
        let cache = || {
            let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            home.unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cache")).join("cutoff-cluster")
        };
        let kube = std::env::var_os("CUTOFF_CLUSTER_BIN").map_or_else(cache, PathBuf::from).join("kube");
        let cluster = Self { scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster"), dir, kube };
        assert!(cluster.kubeconfig().exists(), "CUTOFF_CLUSTER_DIR is set, but no cluster was started there: tests/cluster/up");
        cluster.kubectl(&["get", "--raw", "/readyz"]);
        Ok(cluster)
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// A file of the cluster's own state.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A manifest beside the scripts.
    pub fn manifest(&self, name: &str) -> PathBuf {
        self.scripts.join("manifests").join(name)
    }

    /// kubectl as administrator; must succeed.
    pub fn kubectl(&self, args: &[&str]) -> String {
        let out = self.try_kubectl(args, None);
        assert!(out.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// `kubectl apply` of objects or of a manifest's text.
    pub fn apply(&self, namespace: &str, text: &str) {
        let out = self.try_kubectl(&["-n", namespace, "apply", "-f", "-"], Some(text));
        assert!(out.status.success(), "kubectl apply: {}\n{text}", String::from_utf8_lossy(&out.stderr));
    }

    /// kubectl as administrator.
    pub fn try_kubectl(&self, args: &[&str], input: Option<&str>) -> Output {
        let mut command = Command::new(&self.kube);
        command.arg("kubectl").arg("--kubeconfig").arg(self.kubeconfig()).args(args);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl starts");
        if let Some(input) = input {
            std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), input.as_bytes()).expect("kubectl reads");
        }
        child.wait_with_output().expect("kubectl ends")
    }

    /// `kill -9` of one of the cluster's programs, which starts again a second later.
    pub fn outage(&self, program: &str) {
        self.script("outage", &[program]);
    }

    /// As [`Cluster::outage`], but the program stays away until the [`Hold`] is dropped.
    pub fn hold<'a>(&'a self, program: &'a str) -> Hold<'a> {
        self.script("outage", &[program, "hold"]);
        Hold { cluster: self, program }
    }

    fn script(&self, name: &str, args: &[&str]) {
        let out =
            Command::new(self.scripts.join(name)).args(args).env("CUTOFF_CLUSTER_DIR", &self.dir).output().expect("the script starts");
        assert!(out.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// A namespace of the test's own, with the service that its pods run. It goes when it is dropped.
    pub fn room(&self, name: &str) -> Room<'_> {
        let name = format!("t-{name}-{}", std::process::id());
        self.kubectl(&["create", "namespace", &name]);
        let room = Room { cluster: self, name, home: tempfile::tempdir().expect("a temporary directory") };
        until("the namespace's service account", || {
            room.cluster.try_kubectl(&["-n", &room.name, "get", "serviceaccount", "default"], None).status.success().then_some(())
        });
        let service = std::fs::read_to_string(self.manifest("service.yaml")).expect("a manifest");
        self.apply(&room.name, &service);
        room
    }
}

/// A program that is kept away.
pub struct Hold<'a> {
    cluster: &'a Cluster,
    program: &'a str,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.cluster.script("outage", &[self.program, "end"]);
    }
}

/// A namespace.
pub struct Room<'a> {
    pub cluster: &'a Cluster,
    pub name: String,
    home: tempfile::TempDir,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        let _ = self.cluster.try_kubectl(&["delete", "namespace", &self.name, "--wait=false"], None);
    }
}

/// How `cutoff` ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(out: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: out.status.code().unwrap_or(-1), out: text(&out.stdout), err: text(&out.stderr) }
    }
}

/// A `cutoff capture` that runs.
pub struct Capturing(Option<Child>);

impl Capturing {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.0.as_ref().map(Pid::from_child).expect("it runs");
        rustix::process::kill_process(pid, signal).expect("a process of ours");
    }

    /// Waits for its end.
    pub fn ends(mut self) -> Said {
        Said::from(self.0.take().expect("it runs").wait_with_output().expect("cutoff ends"))
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Said {
    /// Its one JSON object.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}), exit {}: {}\n{}", self.code, self.out, self.err))
    }
}

impl Room<'_> {
    /// The binary as a user calls it, with the administrator's rights.
    pub fn cutoff(&self, args: &[&str]) -> Said {
        self.cutoff_as(&self.cluster.kubeconfig(), args)
    }

    /// The binary with another kubeconfig.
    pub fn cutoff_as(&self, kubeconfig: &Path, args: &[&str]) -> Said {
        Said::from(self.command(kubeconfig, args).output().expect("cutoff starts"))
    }

    /// `cutoff capture`, with its file in a directory of the test's own.
    pub fn capture(&self, pod: &str, args: &[&str]) -> Said {
        self.capturing(pod, args).ends()
    }

    /// As [`Room::capture`], in the background.
    pub fn capturing(&self, pod: &str, args: &[&str]) -> Capturing {
        let directory = self.path("evidence").to_string_lossy().into_owned();
        let mut command = self.command(&self.cluster.kubeconfig(), &[&["capture", pod, "--json", "-o", &directory], args].concat());
        Capturing(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cutoff starts")))
    }

    fn command(&self, kubeconfig: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutoff"));
        command.args(args).arg("--kubeconfig").arg(kubeconfig).args(["--namespace", &self.name]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home.path()).stdin(Stdio::null());
        command
    }

    /// A file of the test's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// kubectl in this namespace; must succeed.
    pub fn kubectl(&self, args: &[&str]) -> String {
        self.cluster.kubectl(&[&["-n", &self.name], args].concat())
    }

    /// What a shell line in a pod prints, when it succeeds.
    pub fn try_exec(&self, pod: &str, line: &str) -> Option<String> {
        let out = self.cluster.try_kubectl(&["-n", &self.name, "exec", pod, "--", "sh", "-c", line], None);
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }

    /// A value of a pod by JSON pointer; null while it is not there.
    pub fn of_pod(&self, pod: &str, pointer: &str) -> Value {
        let out = self.cluster.try_kubectl(&["-n", &self.name, "get", "pod", pod, "-o", "json"], None);
        serde_json::from_slice::<Value>(&out.stdout).ok().and_then(|pod| pod.pointer(pointer).cloned()).unwrap_or_default()
    }

    /// How often the pod's container was restarted.
    pub fn restarts(&self, pod: &str) -> u64 {
        self.of_pod(pod, "/status/containerStatuses/0/restartCount").as_u64().unwrap_or(0)
    }

    /// Starts `pod` and waits until its service has said that it runs.
    pub fn start(&self, pod: &Pod) {
        self.cluster.apply(&self.name, &pod.object().to_string());
        until(&format!("{} runs", pod.name), || {
            let log = self.cluster.try_kubectl(&["-n", &self.name, "logs", &pod.name], None);
            String::from_utf8_lossy(&log.stdout).contains("heapUsed").then_some(())
        });
    }
}

/// Waits until `look` finds something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A pod that is to be started: one container `node` with the service, a directory /dumps on the node's disk.
pub struct Pod {
    pub name: String,
    image: String,
    flags: Vec<String>,
    env: Value,
    resources: Value,
    hardened: bool,
}

impl Pod {
    /// A pod with Node 20 and a shell, without limits.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            image: "cutoff.local/node:20".to_owned(),
            flags: Vec::new(),
            env: json!([]),
            resources: json!({}),
            hardened: false,
        }
    }

    /// Another image of `tests/cluster/build`: `node:24`, `distroless:18`.
    pub fn image(self, image: &str) -> Self {
        Self { image: format!("cutoff.local/{image}"), ..self }
    }

    /// Flags of Node.
    pub fn flags(self, flags: &[&str]) -> Self {
        Self { flags: flags.iter().map(|f| (*f).to_owned()).collect(), ..self }
    }

    /// What the service holds at its start, and what grows by how much each second.
    pub fn holds(self, start_mib: u32, leak: &str, mib: u32) -> Self {
        let env = [("START", start_mib.to_string()), ("LEAK", leak.to_owned()), ("MIB", mib.to_string())];
        Self { env: env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect(), ..self }
    }

    /// Memory limit.
    pub fn limit(self, memory: &str) -> Self {
        Self { resources: json!({"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": memory}}), ..self }
    }

    /// Memory limit and request, which are one and have to be there on the node.
    pub fn exactly(self, memory: &str) -> Self {
        Self { resources: json!({"requests": {"cpu": "10m", "memory": memory}, "limits": {"memory": memory}}), ..self }
    }

    /// As the policy `restricted` asks for, with a read-only root and nowhere to write.
    pub fn hardened(self) -> Self {
        Self { hardened: true, ..self }
    }

    /// The template's spec.
    pub fn spec(&self) -> Value {
        let flags = self.flags.iter().map(String::as_str).chain(["/app/service.js"]).collect::<Vec<_>>();
        let mut container = json!({
            "name": "node", "image": self.image, "args": flags, "env": self.env, "resources": self.resources,
            "volumeMounts": [{"name": "app", "mountPath": "/app"}],
        });
        let mut spec = json!({
            "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
            "volumes": [{"name": "app", "configMap": {"name": "service"}}],
        });
        if self.hardened {
            spec["securityContext"] = json!({"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}});
            container["securityContext"] =
                json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
        } else {
            spec["volumes"].as_array_mut().expect("a list").push(json!({"name": "dumps", "emptyDir": {}}));
            container["volumeMounts"].as_array_mut().expect("a list").push(json!({"name": "dumps", "mountPath": "/dumps"}));
        }
        spec["containers"] = json!([container]);
        spec
    }

    fn object(&self) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name, "labels": {"app": self.name}}, "spec": self.spec()})
    }

    /// A Deployment of this pod.
    pub fn deployment(&self) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": self.name},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": self.name}},
                "template": {"metadata": {"labels": {"app": self.name}}, "spec": self.spec()},
            },
        })
    }
}
