//! Where the bytes of a capture go here: a growing file of evidence, or memory in tests.

use crate::base::Bytes;
use crate::evidence::{Growing, sha256_hex};

use super::error::Error;

/// Takes bytes in order.
pub trait Landing: Send {
    /// Appends; on failure what was there stays.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error>;
    /// Bytes there so far: the offset from which a copy goes on.
    fn bytes(&self) -> Bytes;
    /// Hex sha256 of the bytes there so far.
    fn sha256(&self) -> String;
}

impl Landing for Growing {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(Growing::append(self, bytes)?)
    }

    fn bytes(&self) -> Bytes {
        Growing::bytes(self)
    }

    fn sha256(&self) -> String {
        Growing::sha256(self)
    }
}

/// Keeps the bytes in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub Vec<u8>);

impl Landing for Memory {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn bytes(&self) -> Bytes {
        Bytes(self.0.len() as u64)
    }

    fn sha256(&self) -> String {
        sha256_hex(&self.0)
    }
}
