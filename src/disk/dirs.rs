//! Directories and what lies in them.
#![expect(clippy::disallowed_methods, reason = "the room that owns files")]

use std::fs::{self, DirBuilder, File};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::error::Error;
use crate::base::Bytes;

/// A thing in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Size of a file.
    pub size: Bytes,
    /// When it was changed.
    pub modified: Option<DateTime<Utc>>,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// Makes `path` and what is missing above it, for the owner alone (0700). What is there already stays as it is: it may
/// be a directory that others need.
///
/// # Errors
/// What the system says.
pub fn private_dir(path: &Path) -> Result<(), Error> {
    if fs::metadata(path).is_ok_and(|m| m.is_dir()) {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| Error::from_io(path, "making the directory", e))?;
    sync_parent(path)
}

/// [`private_dir`] for a directory that is ours alone: if it is there and open to others, it is closed to them.
///
/// # Errors
/// What the system says.
pub fn closed_dir(path: &Path) -> Result<(), Error> {
    private_dir(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let failed = |e| Error::from_io(path, "closing the directory to others", e);
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
    }
    Ok(())
}

/// What `path` is, followed through links; `None` if there is nothing.
///
/// # Errors
/// What the system says.
pub fn entry(path: &Path) -> Result<Option<Entry>, Error> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(described(path, &metadata))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::from_io(path, "looking at it", e)),
    }
}

/// What lies in `dir`, by name; nothing if the directory is not there. Names that are not UTF-8 are left out.
///
/// # Errors
/// What the system says.
pub fn list(dir: &Path) -> Result<Vec<Entry>, Error> {
    let failed = |e| Error::from_io(dir, "listing", e);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut found = Vec::new();
    for item in entries {
        let path = item.map_err(failed)?.path();
        // What vanishes between listing and looking is not there.
        if let Ok(metadata) = fs::metadata(&path)
            && path.file_name().is_some_and(|n| n.to_str().is_some())
        {
            found.push(described(&path, &metadata));
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Removes the file at `path` and makes that last.
///
/// # Errors
/// What the system says.
pub fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(|e| Error::from_io(path, "removing", e))?;
    sync_parent(path)
}

/// Gives the file at `path` another name beside it: `wanted`, or `wanted-2` … if that is taken. Never replaces anything.
///
/// # Errors
/// What the system says.
pub fn set_aside(path: &Path, wanted: &str) -> Result<PathBuf, Error> {
    let failed = |e| Error::from_io(path, "setting aside", e);
    for n in 1u32.. {
        let name = if n == 1 { wanted.to_owned() } else { format!("{wanted}-{n}") };
        let to = path.with_file_name(name);
        // A hard link fails if the name is taken, where a rename would replace.
        match fs::hard_link(path, &to) {
            Ok(()) => {
                fs::remove_file(path).map_err(failed)?;
                sync_parent(path)?;
                return Ok(to);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(e)),
        }
    }
    Err(failed(std::io::ErrorKind::AlreadyExists.into()))
}

/// Marks the file at `path` as changed now.
///
/// # Errors
/// What the system says.
pub fn touch(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
        let failed = |e: rustix::io::Errno| Error::from_io(path, "touching", e.into());
        rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty()).map_err(failed)?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Makes the directory that holds `path` remember its names.
pub(super) fn sync_parent(path: &Path) -> Result<(), Error> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

fn sync_dir(dir: &Path) -> Result<(), Error> {
    let failed = |e| Error::from_io(dir, "syncing the directory", e);
    match File::open(dir).and_then(|d| d.sync_all()) {
        Ok(()) => Ok(()),
        // Some file systems cannot sync a directory (EINVAL), and one that others own need not be readable.
        Err(e) if matches!(e.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::PermissionDenied) => Ok(()),
        Err(e) => Err(failed(e)),
    }
}

fn described(path: &Path, metadata: &fs::Metadata) -> Entry {
    Entry {
        name: path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        path: path.to_owned(),
        size: Bytes(if metadata.is_dir() { 0 } else { metadata.len() }),
        modified: metadata.modified().ok().map(DateTime::<Utc>::from),
        is_dir: metadata.is_dir(),
    }
}
