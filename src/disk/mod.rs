//! Private files: 0600 and 0700, atomic replace, fsync, lock, free space. The only room that names `std::fs` (and demo/).

mod append;
mod dirs;
mod error;
mod hash;
mod holder;
mod lock;
mod read;
mod space;
mod write;

pub use append::Appender;
pub use dirs::{Entry, closed_dir, entry, list, private_dir, remove, set_aside, touch};
pub use error::Error;
pub use hash::{Sha256, sha256_hex, sha256_of};
pub use holder::Holder;
pub use lock::Lock;
pub use read::{Reader, read_bytes, read_head_and_tail, read_text};
pub use space::free_space;
pub use write::{Copied, copy_private, write_private, write_private_pieces};

#[cfg(test)]
pub(crate) mod small;
#[cfg(test)]
mod tests;
