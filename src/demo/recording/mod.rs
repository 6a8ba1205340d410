//! Pods played back from a recording, where real ones are not possible.

mod answers;
mod inspector;
mod played;
mod player;
mod tape;

pub(crate) use player::Player;
