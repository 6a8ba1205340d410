//! Delivers one post: channels, retry rules. When and why is not its business.

mod channels;
mod failure;
mod hmac;
mod http;
mod letter;
mod options;
mod retry;
mod run;
mod secret;
#[cfg(test)]
mod tests;

pub use channels::{Base, Channel, channels, kinds};
pub use failure::{Delivered, Failure};
pub use letter::{Letter, VERSION, kind as post_kind};
pub use options::{ChannelOptions, Options, OptionsError};
pub use retry::{TRIES, may_retry, wait};
pub use secret::ReadText;
