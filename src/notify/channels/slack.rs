//! Slack's incoming webhook. It cannot edit or be read; `text` is what notifications and screen readers show
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).

use serde_json::json;

use super::channel::{Base, Channel, Kind};
use crate::notify::failure::{Delivered, Failure};
use crate::notify::http;
use crate::notify::letter::{Letter, cut};
use crate::notify::secret::{ReadText, Secret};

/// Characters of a section's text that Slack accepts.
const SECTION: usize = 3000;

pub(super) static KIND: Kind = Kind {
    name: "slack",
    help: "a Slack channel, by incoming webhook",
    keys: &["url_file", "url_command"],
    one_of: &["url_file", "url_command"],
    build: |base, options| {
        let url = Secret::of(None, options.url_file.as_ref(), options.url_command.as_ref());
        Box::new(Slack { base, url: url.unwrap_or(Secret::Plain(String::new())) })
    },
};

struct Slack {
    base: Base,
    url: Secret,
}

impl Channel for Slack {
    fn base(&self) -> &Base {
        &self.base
    }

    fn payload(&self, letter: &Letter) -> String {
        let text = cut(&escape(letter.post.text.as_str()), SECTION);
        let foot = escape(&format!("{} · {} · {}", letter.incident, letter.severity, letter.service));
        json!({
            "text": text,
            "blocks": [
                { "type": "section", "text": { "type": "mrkdwn", "text": text } },
                { "type": "context", "elements": [{ "type": "mrkdwn", "text": cut(&foot, SECTION) }] },
            ],
        })
        .to_string()
    }

    fn send(&self, letter: &Letter, read: &ReadText<'_>) -> Result<Delivered, Failure> {
        http::post(&self.url.read(read)?, &Vec::new(), self.payload(letter).as_bytes(), self.base.timeout)
    }
}

/// Slack's three control characters; so nothing in a post becomes a mention or a link.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
