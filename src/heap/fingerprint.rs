//! The same leak in another process, after a restart, on another Node, gives the same sixteen digits: a hash of what is written in the
//! code (holder, kind, class, file name), without ids, lines, sizes and internals that change from V8 to V8.

use sha2::{Digest, Sha256};

use super::verdict::Suspect;
use crate::base::Masked;

/// The fingerprint of a suspect.
pub(super) fn fingerprint(suspect: &Suspect) -> Masked {
    let mut hash = Sha256::new();
    let file =
        suspect.location.as_ref().map(|p| p.file.as_str().rsplit(['/', '\\']).take(2).collect::<Vec<_>>().join("/")).unwrap_or_default();
    // The growing class is left out where it is made of properties: near-limit files show numbers as properties, normal ones do not.
    let class = suspect.growing_class.as_str();
    let class = if class.starts_with('{') { "{}" } else { class };
    for part in [suspect.holder.as_str(), suspect.holder_kind.word(), class, &file] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    Masked::from(hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect::<String>())
}
