//! From kubeconfig to client. Runs credential plugins, so it belongs before raw mode and off the async threads.

use std::path::PathBuf;

use kube::Client;
use kube::config::{Config, ExecInteractiveMode, KubeConfigOptions, Kubeconfig};

use super::error::{Error, foreign};
use super::options::Options;
use crate::base::Masked;

/// A client and what it is connected to.
#[derive(Clone)]
pub(super) struct Connected {
    pub client: Client,
    /// URL of the API server without credentials.
    pub server: String,
    pub context: String,
    pub namespace: String,
    /// Counts renewals of the credentials.
    pub generation: u64,
}

/// Reads the kubeconfig and builds a client. A credential plugin is run (three times: authentication, TLS identity and
/// expiry each ask it), without a terminal: what it prints comes back in the error instead of over the screen.
pub(super) async fn connect(options: &Options) -> Result<Connected, Error> {
    let options = options.clone();
    let deadline = options.deadlines.connect();
    let runtime = tokio::runtime::Handle::current();
    // The plugin blocks its thread for as long as it likes.
    let built = tokio::task::spawn_blocking(move || runtime.block_on(build(&options)));
    match tokio::time::timeout(deadline, built).await {
        Ok(Ok(connected)) => connected,
        Ok(Err(_)) => Err(Error::Config { place: "kubeconfig".to_owned(), why: Masked::own("reading it failed unexpectedly") }),
        Err(_) => Err(Error::TimedOut { what: "credentials for the cluster".to_owned(), after: deadline }),
    }
}

async fn build(options: &Options) -> Result<Connected, Error> {
    let files = kubeconfig_files(options);
    let (mut config, context) = if files.is_empty() {
        let config = Config::incluster().map_err(|_| Error::Config {
            place: "~/.kube/config".to_owned(),
            why: Masked::own("there is none, $KUBECONFIG is not set, and this is no pod of a cluster"),
        })?;
        (config, "in-cluster".to_owned())
    } else {
        from_files(options, &files).await?
    };
    // kube would try a 503 fifteen times: an ill metrics-server would never answer, a change might come minutes late.
    config.default_retry = false;
    if let Some(exec) = &mut config.auth_info.exec {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    let namespace = options.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let server = server(&config.cluster_url);
    let client = Client::try_from(config).map_err(|error| match error {
        kube::Error::Auth(auth) => Error::from_auth(auth),
        other => Error::Config { place: files_text(&files), why: foreign(other.to_string()) },
    })?;
    Ok(Connected { client, server, context, namespace, generation: 0 })
}

async fn from_files(options: &Options, files: &[PathBuf]) -> Result<(Config, String), Error> {
    let place = files_text(files);
    let mut merged: Option<Kubeconfig> = None;
    for file in files {
        let next = Kubeconfig::read_from(file).map_err(|e| Error::from_kubeconfig(&e, file.display().to_string()))?;
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(|e| Error::from_kubeconfig(&e, file.display().to_string()))?,
        });
    }
    let kubeconfig = merged.unwrap_or_default();
    let context = options.context.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default();
    let chosen = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &chosen).await.map_err(|e| Error::from_kubeconfig(&e, place))?;
    Ok((config, context))
}

/// The files as kubectl looks for them; those of `$KUBECONFIG` that do not exist are passed over.
fn kubeconfig_files(options: &Options) -> Vec<PathBuf> {
    if let Some(file) = &options.kubeconfig {
        return vec![file.clone()];
    }
    if let Some(list) = std::env::var_os("KUBECONFIG").filter(|l| !l.is_empty()) {
        let all: Vec<PathBuf> = std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()).collect();
        let there: Vec<PathBuf> = all.iter().filter(|p| p.exists()).cloned().collect();
        return if there.is_empty() { all } else { there };
    }
    std::env::home_dir().map(|home| home.join(".kube").join("config")).filter(|file| file.exists()).into_iter().collect()
}

fn files_text(files: &[PathBuf]) -> String {
    files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(":")
}

/// Scheme, host and port of the server's URL.
fn server(url: &http::Uri) -> String {
    let host = url.host().unwrap_or("?");
    let port = url.port_u16().map(|p| format!(":{p}")).unwrap_or_default();
    format!("{}://{host}{port}", url.scheme_str().unwrap_or("https"))
}
