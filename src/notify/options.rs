//! What the config says of channels. Secrets are named by file or command, never written down.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::Audience;

/// Where posts go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Channels; every post goes to all that carry its audience.
    pub channels: Vec<ChannelOptions>,
}

/// One channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelOptions {
    /// Its name in the timeline: letters, digits, `-` and `_`.
    pub name: String,
    /// `webhook`, `slack` or `command`.
    pub kind: String,
    /// Who reads it: `users`, `team`. Empty: both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Audience>,
    /// Longest time that one try may take, in seconds of real time: 1 to 120. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
    /// webhook: its URL, if that is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// webhook, slack: file whose first line is the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// webhook, slack: command whose first line of output is the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_command: Option<Vec<String>>,
    /// webhook: file whose first line is the token for `Authorization: Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// webhook: command whose first line of output is that token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_command: Option<Vec<String>>,
    /// webhook: file whose first line is the key that signs the body (`X-Cutoff-Signature: sha256=…`, HMAC-SHA256).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_file: Option<PathBuf>,
    /// webhook: command whose first line of output is that key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_command: Option<Vec<String>>,
    /// command: program and arguments; the post comes as JSON on its standard input. No shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
}

impl ChannelOptions {
    /// The keys that belong to certain kinds only and are given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let keys = [
            ("url", self.url.is_some()),
            ("url_file", self.url_file.is_some()),
            ("url_command", self.url_command.is_some()),
            ("token_file", self.token_file.is_some()),
            ("token_command", self.token_command.is_some()),
            ("sign_file", self.sign_file.is_some()),
            ("sign_command", self.sign_command.is_some()),
            ("argv", self.argv.is_some()),
        ];
        keys.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }
}

/// A channel's options that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("channel {index}: `{key}`: {what}: {remedy}")]
pub struct OptionsError {
    /// Position in `notify.channels`, from 0.
    pub index: usize,
    /// The key.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub remedy: String,
}
