//! A generic webhook: the letter's JSON with `Idempotency-Key`, optionally a bearer token and a signature of the body.

use secrecy::{ExposeSecret, SecretString};

use super::channel::{Base, Channel, Kind};
use crate::notify::failure::{Delivered, Failure};
use crate::notify::letter::Letter;
use crate::notify::secret::{ReadText, Secret};
use crate::notify::{hmac, http};

pub(super) static KIND: Kind = Kind {
    name: "webhook",
    help: "JSON to a URL, with Idempotency-Key",
    keys: &["url", "url_file", "url_command", "token_file", "token_command", "sign_file", "sign_command"],
    one_of: &["url", "url_file", "url_command"],
    build: |base, options| {
        let url = Secret::of(options.url.as_ref(), options.url_file.as_ref(), options.url_command.as_ref());
        Box::new(Webhook {
            base,
            url: url.unwrap_or(Secret::Plain(String::new())),
            token: Secret::of(None, options.token_file.as_ref(), options.token_command.as_ref()),
            sign: Secret::of(None, options.sign_file.as_ref(), options.sign_command.as_ref()),
        })
    },
};

struct Webhook {
    base: Base,
    url: Secret,
    token: Option<Secret>,
    sign: Option<Secret>,
}

impl Channel for Webhook {
    fn base(&self) -> &Base {
        &self.base
    }

    fn payload(&self, letter: &Letter) -> String {
        letter.json().to_string()
    }

    fn send(&self, letter: &Letter, read: &ReadText<'_>) -> Result<Delivered, Failure> {
        let body = self.payload(letter);
        let mut headers: http::Headers = vec![("Idempotency-Key", SecretString::from(letter.post.dedup.clone()))];
        if let Some(token) = &self.token {
            let token = token.read(read)?;
            headers.push(("Authorization", SecretString::from(format!("Bearer {}", token.expose_secret()))));
        }
        if let Some(sign) = &self.sign {
            let key = sign.read(read)?;
            let code = hmac::hex(key.expose_secret().as_bytes(), body.as_bytes());
            headers.push(("X-Cutoff-Signature", SecretString::from(format!("sha256={code}"))));
        }
        http::post(&self.url.read(read)?, &headers, body.as_bytes(), self.base.timeout)
    }
}
