//! SHA-256 (FIPS 180-4) of bytes, of a stream and of a file, in lower-case hex.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use sha2::Digest as _;

use super::error::Error;
use super::read::Reader;
use crate::base::Bytes;

/// A hash that grows with the bytes it is given.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Takes the next `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all bytes so far, as 64 hex digits.
    pub fn hex(&self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0.clone().finalize() {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

/// The hash of `bytes`.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hash = Sha256::default();
    hash.update(bytes);
    hash.hex()
}

/// Hash and size of the file at `path`; `progress` is told the bytes done after each MiB and may stop it (then `None`).
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_of(path: &Path, mut progress: impl FnMut(Bytes) -> ControlFlow<()>) -> Result<Option<(String, Bytes)>, Error> {
    let reader = Reader::open(path)?;
    let mut hash = Sha256::default();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        let n = reader.read_at(done, &mut buffer)?;
        if n == 0 {
            return Ok(Some((hash.hex(), Bytes(done))));
        }
        hash.update(&buffer[..n]);
        done += n as u64;
        if progress(Bytes(done)).is_break() {
            return Ok(None);
        }
    }
}
