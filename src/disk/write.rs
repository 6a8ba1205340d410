//! Writing whole files: a reader finds the old one or the new one, never a part.
#![expect(clippy::disallowed_methods, reason = "the room that owns files")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::dirs::sync_parent;
use super::error::Error;
use super::hash::Sha256;
use super::read::Reader;
use crate::base::Bytes;

/// Writes `bytes` to `path` for the owner alone (0600), replacing what was there in one step, and makes it last.
///
/// # Errors
/// [`Error::Full`] when the disk is full; what was there before is then still there.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, |file| file.write_all(bytes))
}

/// [`write_private`] of what comes in pieces.
///
/// # Errors
/// As [`write_private`].
pub fn write_private_pieces(path: &Path, pieces: impl Iterator<Item = Vec<u8>>) -> Result<(), Error> {
    replace(path, |file| pieces.into_iter().try_for_each(|piece| file.write_all(&piece)))
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes.
    pub bytes: Bytes,
    /// Their hash.
    pub sha256: String,
}

/// Copies `from` to `to` for the owner alone (0600), hashing it on the way. `progress` is told the bytes done after
/// each MiB and may stop it; then `None`, and `to` is as it was.
///
/// # Errors
/// [`Error::Full`] when the disk is full; else what the system says.
pub fn copy_private(from: &Path, to: &Path, mut progress: impl FnMut(Bytes) -> ControlFlow<()>) -> Result<Option<Copied>, Error> {
    let reader = Reader::open(from)?;
    let mut hash = Sha256::default();
    let mut done = 0;
    let mut stopped = false;
    let mut unreadable = None;
    let mut buffer = vec![0; 1 << 20];
    let written = replace(to, |file| {
        loop {
            let n = match reader.read_at(done, &mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(e) => {
                    unreadable = Some(e);
                    return Err(std::io::ErrorKind::Other.into());
                }
            };
            file.write_all(&buffer[..n])?;
            hash.update(&buffer[..n]);
            done += n as u64;
            if progress(Bytes(done)).is_break() {
                stopped = true;
                return Err(std::io::ErrorKind::Interrupted.into());
            }
        }
    });
    match (written, unreadable) {
        (Ok(()), _) => Ok(Some(Copied { bytes: Bytes(done), sha256: hash.hex() })),
        (Err(_), Some(e)) => Err(e),
        (Err(_), None) if stopped => Ok(None),
        (Err(e), None) => Err(e),
    }
}

/// Opens a file that is new or to be appended, for the owner alone.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn replace(path: &Path, fill: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<(), Error> {
    let failed = |e| Error::from_io(path, "writing", e);
    sweep(path);
    let (temporary, mut file) = temporary_beside(path)?;
    let result = fill(&mut file).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&temporary, path)).map_err(failed);
    if result.is_err() {
        // The first error is the one to tell; a leftover is swept by the next write to this path.
        let _ = fs::remove_file(&temporary);
    }
    result.and_then(|()| sync_parent(path))
}

/// A new file in the same directory (a rename does not cross file systems), locked as long as its writer lives.
fn temporary_beside(path: &Path) -> Result<(PathBuf, File), Error> {
    let prefix = temporary_prefix(path);
    for n in 0u32.. {
        let candidate = path.with_file_name(format!("{prefix}{n}{TEMPORARY}"));
        match private(OpenOptions::new().write(true).create_new(true)).open(&candidate) {
            Ok(file) => {
                // Where locks are not supported, a leftover is just never swept.
                let _ = file.try_lock();
                return Ok((candidate, file));
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && n < 64 => {}
            Err(e) => return Err(Error::from_io(path, "writing", e)),
        }
    }
    Err(Error::from_io(path, "writing", std::io::ErrorKind::AlreadyExists.into()))
}

/// Removes what killed writers of `path` left: temporary files that nobody holds locked.
fn sweep(path: &Path) {
    let prefix = temporary_prefix(path);
    let Some(dir) = path.parent() else { return };
    for leftover in super::dirs::list(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }).unwrap_or_default() {
        if leftover.name.starts_with(&prefix)
            && leftover.name.ends_with(TEMPORARY)
            && File::open(&leftover.path).is_ok_and(|file| file.try_lock().is_ok())
        {
            let _ = fs::remove_file(&leftover.path);
        }
    }
}

const TEMPORARY: &str = ".tmp";

fn temporary_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default())
}
