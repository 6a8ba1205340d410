//! One line: an event as [`crate::incident::Event`] writes it, and `prev`, the hash of the line before it.

use serde::{Deserialize, Serialize};

use crate::disk::sha256_hex;
use crate::incident::Event;

/// What stands in `prev` of the first line.
pub(super) const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    event: &'a Event,
    prev: &'a str,
}

/// A line that was read.
#[derive(Deserialize)]
pub(super) struct Line {
    #[serde(flatten)]
    pub event: Event,
    pub prev: String,
}

/// The line of `event`, with its line break, and the line's hash.
pub(super) fn encode(event: &Event, prev: &str) -> Result<(Vec<u8>, String), serde_json::Error> {
    // JSON escapes line breaks, so a line holds no other than its own.
    let mut bytes = serde_json::to_vec(&Written { event, prev })?;
    let hash = sha256_hex(&bytes);
    bytes.push(b'\n');
    Ok((bytes, hash))
}

/// Reads a line without its line break.
pub(super) fn decode(line: &[u8]) -> Result<Line, serde_json::Error> {
    serde_json::from_slice(line)
}
