//! What can go wrong with a cluster, told by what a caller can do about it.
//!
//! Foreign error texts may hold tokens (a YAML error quotes the lines around it, a plugin's output is a credential), so
//! whatever is kept of them is masked here.

use std::time::Duration;

use kube::client::AuthError;
use kube::config::KubeconfigError;

use super::rule::Rule;
use crate::base::{Masked, Trouble, Untrusted, mask};

/// Why a call to the cluster failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig cannot be used: {}", why.as_str())]
    Config {
        /// File (and line) or `$KUBECONFIG`.
        place: String,
        /// Why, without the file's content.
        why: Masked,
    },
    /// The credential plugin (`aws eks get-token`) failed.
    #[error("the credential plugin failed: {}", hint.as_str())]
    Plugin {
        /// What it said, masked; often the command that helps.
        hint: Masked,
    },
    /// 401: the token is not valid, or not any more.
    #[error("the cluster does not accept the credentials any more")]
    Expired {
        /// What the plugin said when it was run again, if it did.
        hint: Masked,
    },
    /// 403: a right is missing.
    #[error("not allowed to {rule}")]
    Denied {
        /// The missing rule.
        rule: Rule,
        /// Namespace and name.
        place: String,
        /// The server's words; empty when it gave none.
        why: Masked,
    },
    /// 404.
    #[error("{what} was not found")]
    NotFound {
        /// The object or path.
        what: String,
    },
    /// 409, or a precondition that does not hold any more: it changed since it was looked at.
    #[error("{what} was changed by somebody else in the meantime")]
    Conflict {
        /// The object.
        what: String,
        /// The server's words.
        why: Masked,
    },
    /// 400 or 422: the server does not take the change.
    #[error("the server does not accept it: {}", why.as_str())]
    Invalid {
        /// The object.
        what: String,
        /// The server's words.
        why: Masked,
    },
    /// No connection to the server.
    #[error("the cluster cannot be reached: {}", why.as_str())]
    Unreachable {
        /// The API server.
        server: String,
        /// Why.
        why: Masked,
    },
    /// No answer in time.
    #[error("no answer within {} s", after.as_secs())]
    TimedOut {
        /// What was asked.
        what: String,
        /// The deadline.
        after: Duration,
    },
    /// 404 on the metrics API: no metrics-server is installed.
    #[error("the cluster has no metrics API")]
    MetricsAbsent,
    /// 503 on the metrics API: metrics-server is ill.
    #[error("the metrics API does not answer: {}", why.as_str())]
    MetricsIll {
        /// The server's words.
        why: Masked,
    },
    /// A stream ended before its end: what was read is a part.
    #[error("the connection broke: {}", why.as_str())]
    Broken {
        /// What was read.
        what: String,
        /// Why.
        why: Masked,
    },
    /// Refused here: read-only, or an act that would do harm.
    #[error("{}", why.as_str())]
    Refused {
        /// Why, as a sentence.
        why: Masked,
        /// What can be done instead.
        instead: &'static str,
    },
    /// Any other answer of the server.
    #[error("the server answered {code}: {}", why.as_str())]
    Server {
        /// HTTP code; 0 when there was none.
        code: u16,
        /// What was asked.
        what: String,
        /// Its words.
        why: Masked,
    },
}

/// The longest foreign text that is kept.
const LONGEST: usize = 400;

/// Masks and cuts a foreign text.
pub(super) fn foreign(text: impl AsRef<[u8]>) -> Masked {
    // Plain-text bodies of proxies end with a line break.
    let text = text.as_ref().trim_ascii();
    // Masked first: a cut could take the name from a secret's value.
    let masked = mask(&Untrusted::new(text));
    let shown = masked.as_str();
    match shown.char_indices().nth(LONGEST) {
        Some((end, _)) => mask(&Untrusted::new(format!("{}…", &shown[..end]))),
        None => masked,
    }
}

impl Error {
    /// Whether the credentials have to be renewed.
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Translates kube's error from a call for `rule` on `place`.
    pub(super) fn from_kube(error: kube::Error, rule: &Rule, place: &str, server: &str) -> Self {
        let what = if place.is_empty() { rule.resource.to_string() } else { format!("{} {place}", rule.resource) };
        match error {
            kube::Error::Api(status) => Self::from_status(status.code, &status.reason, &status.message, rule, place, what),
            kube::Error::Auth(auth) => Self::from_auth(auth),
            kube::Error::InferKubeconfig(config) => Self::from_kubeconfig(&config, String::new()),
            kube::Error::Service(source) => match source.downcast::<AuthError>() {
                Ok(auth) => Self::from_auth(*auth),
                Err(source) => Self::Unreachable { server: server.to_owned(), why: foreign(chain(source.as_ref())) },
            },
            kube::Error::HyperError(source) => Self::Unreachable { server: server.to_owned(), why: foreign(chain(&source)) },
            kube::Error::ReadEvents(source) => Self::Broken { what, why: foreign(chain(&source)) },
            kube::Error::UpgradeConnection(source) => Self::Server { code: 0, what, why: foreign(chain(&source)) },
            other => Self::Server { code: 0, what, why: foreign(chain(&other)) },
        }
    }

    fn from_status(code: u16, reason: &str, message: &str, rule: &Rule, place: &str, what: String) -> Self {
        let why = foreign(message);
        match code {
            401 => Self::Expired { hint: Masked::default() },
            403 => Self::Denied { rule: missing(rule, message), place: place.to_owned(), why },
            404 => Self::NotFound { what },
            409 => Self::Conflict { what, why },
            // A JSON patch whose `test` fails is answered with 422 and the patch library's words.
            422 if message.contains("test failed") || (message.contains("testing") && message.contains("failed")) => {
                Self::Conflict { what, why }
            }
            400 | 422 => Self::Invalid { what, why },
            _ => Self::Server { code, what: if reason.is_empty() { what } else { format!("{what} ({reason})") }, why },
        }
    }

    /// A plugin that failed or gave nonsense. Its standard output is a credential and is never looked at.
    pub(super) fn from_auth(error: AuthError) -> Self {
        let hint = match error {
            AuthError::AuthExecRun { cmd, out } => {
                let said = foreign(&out.stderr);
                if said.is_empty() { foreign(format!("{cmd} failed with {}", out.status)) } else { said }
            }
            AuthError::AuthExecParse(_) => Masked::own("its output is not an ExecCredential"),
            AuthError::AuthExecStart(source) => foreign(format!("it could not be started: {source}")),
            AuthError::ReadTokenFile(source, path) => foreign(format!("{}: {source}", path.display())),
            AuthError::ParseTokenKey(_) => Masked::own("its token could not be read"),
            other => foreign(other.to_string()),
        };
        Self::Plugin { hint }
    }

    /// A kubeconfig that cannot be used. Of a YAML error only the position is kept: its text quotes the file.
    pub(super) fn from_kubeconfig(error: &KubeconfigError, file: String) -> Self {
        let (place, why) = match error {
            KubeconfigError::Parse(yaml) => match yaml.location() {
                Some(at) => (format!("{file}:{}:{}", at.line(), at.column()), Masked::own("it is no valid YAML for a kubeconfig")),
                None => (file, Masked::own("it is no valid YAML for a kubeconfig")),
            },
            KubeconfigError::ReadConfig(source, path) => (path.display().to_string(), foreign(source.to_string())),
            KubeconfigError::LoadContext(name) => (file, foreign(format!("it has no context {name:?}"))),
            KubeconfigError::LoadClusterOfContext(name) => (file, foreign(format!("it has no cluster {name:?}"))),
            KubeconfigError::CurrentContextNotSet => (file, Masked::own("it has no current-context, and none was given")),
            KubeconfigError::LoadCertificateAuthority(source)
            | KubeconfigError::LoadClientCertificate(source)
            | KubeconfigError::LoadClientKey(source) => match source {
                kube::config::LoadDataError::ReadFile(source, path) => (path.display().to_string(), foreign(source.to_string())),
                kube::config::LoadDataError::DecodeBase64(_) => (file, Masked::own("a certificate or key in it is no valid base64")),
                kube::config::LoadDataError::NoBase64DataOrFile => (file, Masked::own("a certificate or key in it is missing")),
            },
            KubeconfigError::ParseCertificates(_) => (file, Masked::own("a certificate in it is no valid PEM")),
            other => (file, foreign(other.to_string())),
        };
        Self::Config { place, why }
    }
}

/// The rule that a 403 is about: the server names verb and resource; an empty reason on exec and port-forward means that
/// `create` is missing (Kubernetes 1.35).
fn missing(asked: &Rule, message: &str) -> Rule {
    let mut rule = asked.clone();
    let quoted = |after: &str| {
        let rest = &message[message.find(after)? + after.len()..];
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    if let Some(verb) = message.split_once("cannot ").and_then(|(_, rest)| rest.split(' ').next())
        && !verb.is_empty()
        && verb.bytes().all(|b| b.is_ascii_lowercase())
    {
        rule.verb = verb.to_owned().into();
        if let Some(resource) = quoted("resource \"") {
            rule.resource = resource.into();
        }
        if let Some(group) = quoted("API group \"") {
            rule.group = group.into();
        }
    } else if matches!(&*rule.resource, "pods/exec" | "pods/portforward") {
        rule.verb = "create".into();
    }
    rule
}

/// An error with its causes, without saying twice what a cause repeats.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        use crate::base::TroubleKind as Kind;
        let what = error.to_string();
        let as_trouble = |kind, place: String, remedy: &str| Trouble::new(kind, what.clone(), place, remedy.to_owned());
        match &error {
            Error::Config { place, .. } => as_trouble(Kind::Config, place.clone(), "mend the file, or name another with --kubeconfig"),
            Error::Plugin { hint } => as_trouble(Kind::Denied, "kubeconfig".to_owned(), log_in(hint)),
            Error::Expired { hint } => {
                let what = if hint.is_empty() { what.clone() } else { format!("{what}: {}", hint.as_str()) };
                Trouble::new(Kind::Denied, what, "401", log_in(hint).to_owned())
            }
            Error::Denied { rule, place, .. } => {
                let group = if rule.group.is_empty() { String::new() } else { format!(" in API group {}", rule.group) };
                let remedy = format!(
                    "ask for the verb {} on {}{group}: the Role in playbooks/rbac/role.yaml has all that is needed",
                    rule.verb, rule.resource
                );
                Trouble::new(Kind::Denied, what.clone(), place.clone(), remedy)
            }
            Error::NotFound { what: object } => as_trouble(Kind::NotFound, object.clone(), "check namespace and name"),
            Error::Conflict { what: object, .. } => as_trouble(Kind::Failed, object.clone(), "look at it again and repeat"),
            Error::Invalid { what: object, .. } => as_trouble(Kind::Failed, object.clone(), ""),
            Error::Unreachable { server, .. } => as_trouble(Kind::Unreachable, server.clone(), "check VPN, proxy and the server's address"),
            Error::TimedOut { what: asked, .. } => as_trouble(Kind::TimedOut, asked.clone(), "it is tried again"),
            Error::MetricsAbsent => {
                as_trouble(Kind::Failed, "metrics.k8s.io".to_owned(), "install metrics-server; until then cgroup files are read by exec")
            }
            Error::MetricsIll { .. } => as_trouble(
                Kind::Unreachable,
                "metrics.k8s.io".to_owned(),
                "see kubectl -n kube-system get pods; cgroup files are read by exec",
            ),
            Error::Broken { what: read, .. } => {
                let mut trouble = as_trouble(Kind::Unreachable, read.clone(), "what was read is a part; it can be resumed");
                trouble.retry = true;
                trouble
            }
            Error::Refused { instead, .. } => as_trouble(Kind::Refused, String::new(), instead),
            Error::Server { what: asked, code, .. } => {
                let mut trouble = as_trouble(Kind::Failed, asked.clone(), "");
                trouble.retry = matches!(code, 429 | 500 | 502..=504);
                trouble
            }
        }
    }
}

fn log_in(hint: &Masked) -> &'static str {
    if hint.as_str().contains("sso") { "log in again (aws sso login), then reconnect" } else { "log in again, then reconnect" }
}
