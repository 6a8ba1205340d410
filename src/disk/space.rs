//! Free disk space.

use std::path::Path;

use crate::base::Bytes;

/// What an ordinary user may still write at `path` (or the nearest directory above it that exists); `None` where the
/// system does not say.
#[cfg(unix)]
pub fn free_space(path: &Path) -> Option<Bytes> {
    let here = path.ancestors().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    let stat = here.into_iter().find_map(|p| rustix::fs::statvfs(p).ok())?;
    Some(Bytes(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// What an ordinary user may still write at `path`; unknown on this system.
#[cfg(not(unix))]
pub fn free_space(_path: &Path) -> Option<Bytes> {
    None
}
