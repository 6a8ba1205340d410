//! Files that only grow: what was appended is whole or not there.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::dirs::sync_parent;
use super::error::Error;
use super::write::private;

/// A file for the owner alone (0600) that is appended to.
#[derive(Debug)]
pub struct Appender {
    file: File,
    path: PathBuf,
    len: u64,
    /// A failed append could not be taken back; it must be before the next one.
    dirty: bool,
}

impl Appender {
    /// Makes a new file.
    ///
    /// # Errors
    /// When there is one already, or what the system says.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let file = private(OpenOptions::new().append(true).create_new(true)).open(path).map_err(|e| Error::from_io(path, "creating", e))?;
        sync_parent(path)?;
        Ok(Self { file, path: path.to_owned(), len: 0, dirty: false })
    }

    /// Opens the file that is there, closing it to others.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |e| Error::from_io(path, "opening", e);
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
                file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
            }
        }
        Ok(Self { file, path: path.to_owned(), len: metadata.len(), dirty: false })
    }

    /// Keeps others from appending while this is open; `false` when somebody else does so now. File systems without
    /// locks let everybody.
    pub fn alone(&self) -> bool {
        !matches!(self.file.try_lock(), Err(std::fs::TryLockError::WouldBlock))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length: what was appended in whole.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `bytes`, in one write where the system takes them in one. If that fails, a part that was written is taken
    /// back, so that the same append can be tried again. Not on disk before [`Appender::sync`].
    ///
    /// # Errors
    /// [`Error::Full`] when the disk is full.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.take_back()?;
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                Ok(())
            }
            Err(e) => {
                self.dirty = true;
                // The first error is the one to tell; what cannot be taken back now is before the next append.
                let _ = self.take_back();
                Err(Error::from_io(&self.path, "appending", e))
            }
        }
    }

    /// Appends `bytes` and makes them last (`fdatasync`); on any failure the file is as long as before.
    ///
    /// # Errors
    /// [`Error::Full`] when the disk is full, [`Error::NotFound`] when somebody removed the file.
    pub fn append_synced(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.still_named()?;
        let before = self.len;
        self.append(bytes)?;
        if let Err(e) = self.sync() {
            self.len = before;
            self.dirty = true;
            let _ = self.take_back();
            return Err(e);
        }
        Ok(())
    }

    /// Makes what was appended last (`fdatasync`).
    ///
    /// # Errors
    /// [`Error::Full`] where the file system finds that out late (NFS, quotas).
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|e| Error::from_io(&self.path, "syncing", e))
    }

    /// Cuts the file to `len` bytes and makes that last. Longer than it is: nothing happens.
    ///
    /// # Errors
    /// What the system says.
    pub fn cut(&mut self, len: u64) -> Result<(), Error> {
        if len < self.len {
            self.file.set_len(len).map_err(|e| Error::from_io(&self.path, "cutting", e))?;
            self.len = len;
            self.sync()?;
        }
        Ok(())
    }

    /// A file that somebody removed takes writes without complaint, and they are lost when it is closed.
    fn still_named(&self) -> Result<(), Error> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let metadata = self.file.metadata().map_err(|e| Error::from_io(&self.path, "appending", e))?;
            if metadata.nlink() == 0 {
                return Err(Error::NotFound { path: self.path.clone() });
            }
        }
        Ok(())
    }

    fn take_back(&mut self) -> Result<(), Error> {
        if self.dirty {
            self.file.set_len(self.len).map_err(|e| Error::from_io(&self.path, "taking back a part", e))?;
            self.dirty = false;
        }
        Ok(())
    }
}
