//! One POST with a deadline, no redirects, and an answer whose words hold no secret.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error};

use super::failure::{Delivered, Failure, said};
use super::retry::{may_retry, retry_after};

/// Headers whose values may be secret.
pub(super) type Headers = Vec<(&'static str, SecretString)>;

/// Posts JSON to `url`. A redirect is a failure: a post must not wander to where nobody sent it.
pub(super) fn post(url: &SecretString, headers: &Headers, body: &[u8], deadline: Duration) -> Result<Delivered, Failure> {
    let url = url.expose_secret();
    let place = origin(url).ok_or_else(|| Failure::lasting("the URL does not begin with http:// or https://"))?;
    let mut request = agent(deadline).post(url).header("Content-Type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value.expose_secret());
    }
    let mut answer = request.send(body).map_err(|error| failed(&error, &place))?;
    let status = answer.status().as_u16();
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (asked, date) = (header("retry-after"), header("date"));
    if (200..=299).contains(&status) {
        return Ok(Delivered { answer: format!("HTTP {status}").into() });
    }
    // What cannot be read of the answer's body is only missing from the words.
    let words = answer.body_mut().with_config().limit(4096).read_to_vec().unwrap_or_default();
    let failure = Failure::passing(format!("{place} answered HTTP {status}{}", said(&words)));
    let retry_after = asked.and_then(|asked| retry_after(&asked, date.as_deref()));
    Err(Failure { last: !may_retry(Some(status)), retry_after, ..failure })
}

fn agent(deadline: Duration) -> Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .timeout_global(Some(deadline))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("cutoff/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build()
        .new_agent()
}

/// The error in words without the URL.
fn failed(error: &Error, place: &str) -> Failure {
    let why = match error {
        Error::Timeout(_) => "took too long".to_owned(),
        Error::HostNotFound => "has no address (DNS)".to_owned(),
        Error::ConnectionFailed => "refused the connection".to_owned(),
        Error::Io(io) => format!("broke the connection ({})", io.kind()),
        Error::Tls(_) | Error::Rustls(_) => "has a certificate that is not trusted, or speaks no TLS".to_owned(),
        Error::BadUri(_) | Error::Http(_) => return Failure::lasting(format!("{place} is no valid URL, or a header is not valid")),
        Error::Protocol(_) => "did not speak HTTP".to_owned(),
        Error::InvalidProxyUrl => return Failure::lasting("the proxy's URL in the environment is not valid"),
        _ => "was not reached".to_owned(),
    };
    Failure::passing(format!("{place} {why}"))
}

/// Scheme and host of a URL; the path of a webhook is its secret.
pub(super) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    (!host.is_empty() && !host.contains(char::is_whitespace)).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_only_its_host_is_shown() {
        let cases = [
            ("https://hooks.example.com/services/T0/B0/SECRET", Some("https://hooks.example.com")),
            ("https://user:pw@h.example:8443/x?token=1", Some("https://h.example:8443")),
            ("http://127.0.0.1:9/", Some("http://127.0.0.1:9")),
            ("ftp://x/y", None),
            ("hooks.example.com/x", None),
            ("https://", None),
        ];
        for (url, shown) in cases {
            assert_eq!(origin(url).as_deref(), shown, "{url}");
        }
    }
}
