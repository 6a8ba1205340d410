//! The kinds of channels. To add one: a file with its `KIND`, a line here; a key of its own is a field of the options.

mod channel;
mod command;
mod slack;
mod webhook;

pub use channel::{Base, Channel};

use std::collections::HashSet;
use std::time::Duration;

use channel::Kind;

use super::options::{ChannelOptions, Options, OptionsError};
use crate::base::nearest;

/// All kinds.
static KINDS: &[&Kind] = &[&webhook::KIND, &slack::KIND, &command::KIND];

/// Name and help of every kind, for docs.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().map(|kind| (kind.name, kind.help))
}

/// The channels of the config, in its order.
///
/// # Errors
/// The first key that cannot work.
pub fn channels(options: &Options) -> Result<Vec<Box<dyn Channel>>, OptionsError> {
    let mut names = HashSet::new();
    let one = |(index, channel): (usize, &ChannelOptions)| {
        let (base, kind) = checked(index, channel)?;
        if !names.insert(base.name.clone()) {
            return Err(wrong(index, "name", format!("`{}` is there twice", base.name), "give each channel a name of its own"));
        }
        Ok((kind.build)(base, channel))
    };
    options.channels.iter().enumerate().map(one).collect()
}

fn wrong(index: usize, key: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> OptionsError {
    OptionsError { index, key, what: what.into(), remedy: remedy.into() }
}

fn checked(index: usize, channel: &ChannelOptions) -> Result<(Base, &'static Kind), OptionsError> {
    let name = &channel.name;
    let fits = !name.is_empty() && name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !fits {
        return Err(wrong(index, "name", format!("`{name}` cannot be a channel's name"), "use up to 40 letters, digits, `-` and `_`"));
    }
    let Some(kind) = KINDS.iter().copied().find(|kind| kind.name == channel.kind) else {
        let names = KINDS.iter().map(|kind| kind.name);
        let remedy = match nearest(&channel.kind, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", names.collect::<Vec<_>>().join(", ")),
        };
        return Err(wrong(index, "kind", format!("unknown kind `{}`", channel.kind), remedy));
    };
    let given = channel.given();
    if let Some(key) = given.iter().find(|key| !kind.keys.contains(key)) {
        return Err(wrong(index, key, format!("it does not belong to kind `{}`", kind.name), format!("it takes {}", kind.keys.join(", "))));
    }
    let chosen: Vec<&&str> = given.iter().filter(|key| kind.one_of.contains(key)).collect();
    if chosen.len() != 1 {
        let what = if chosen.is_empty() { "the destination is missing" } else { "there are several destinations" };
        return Err(wrong(index, kind.one_of[0], what, format!("give one of {}", kind.one_of.join(", "))));
    }
    if let Some(url) = channel.url.as_ref().filter(|url| super::http::origin(url).is_none()) {
        return Err(wrong(index, "url", format!("`{}` is no URL", super::letter::cut(url, 20)), "begin it with https:// or http://"));
    }
    let empty = |argv: &Option<Vec<String>>| argv.as_ref().is_some_and(|argv| argv.first().is_none_or(String::is_empty));
    for (key, argv) in [
        ("argv", &channel.argv),
        ("url_command", &channel.url_command),
        ("token_command", &channel.token_command),
        ("sign_command", &channel.sign_command),
    ] {
        if empty(argv) {
            return Err(wrong(index, key, "the command is empty", "write [program, argument]"));
        }
    }
    let seconds = channel.timeout_s.unwrap_or(10);
    if !(1..=120).contains(&seconds) {
        return Err(wrong(index, "timeout_s", format!("{seconds} s is not from 1 to 120"), "10 is the default"));
    }
    let base = Base { name: name.clone(), kind: kind.name, audience: channel.audience.clone(), timeout: Duration::from_secs(seconds) };
    Ok((base, kind))
}
