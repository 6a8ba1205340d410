//! Reading: small files whole and bounded, growing files by offset.
#![expect(clippy::disallowed_methods, reason = "the room that owns files")]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::base::Bytes;

/// The whole file at `path`, if it has at most `limit` bytes.
///
/// # Errors
/// [`Error::TooLarge`] beyond `limit`; else what the system says.
pub fn read_bytes(path: &Path, limit: Bytes) -> Result<Vec<u8>, Error> {
    let failed = |e| Error::from_io(path, "reading", e);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let too_large = |size| Error::TooLarge { path: path.to_owned(), size: Bytes(size), limit };
    if size > limit.0 {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // Pipes and /proc say 0 and give more: the limit holds for what really comes.
    file.take(limit.0.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit.0 { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}

/// The whole text at `path`, if it has at most `limit` bytes. A byte order mark is left out.
///
/// # Errors
/// [`Error::TooLarge`] beyond `limit`, [`Error::NotText`] if it is not UTF-8; else what the system says.
pub fn read_text(path: &Path, limit: Bytes) -> Result<String, Error> {
    let text = String::from_utf8(read_bytes(path, limit)?)
        .map_err(|e| Error::NotText { path: path.to_owned(), at: e.utf8_error().valid_up_to() })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The first and the last `n` bytes of the file (they overlap in a short one).
///
/// # Errors
/// What the system says.
pub fn read_head_and_tail(path: &Path, n: usize) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let reader = Reader::open(path)?;
    let size = reader.size()?;
    Ok((reader.read_upto(0, n)?, reader.read_upto(size.saturating_sub(n as u64), n)?))
}

/// A file that is read by offset, also while another handle appends to it.
#[derive(Debug)]
pub struct Reader {
    file: File,
    path: PathBuf,
}

impl Reader {
    /// Opens `path` for reading.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|e| Error::from_io(path, "opening", e))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size now.
    ///
    /// # Errors
    /// What the system says.
    pub fn size(&self) -> Result<u64, Error> {
        Ok(self.file.metadata().map_err(|e| Error::from_io(&self.path, "reading", e))?.len())
    }

    /// Fills `buffer` from `offset` on, as far as the file goes; the number of bytes read, 0 at the end.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while done < buffer.len() {
            match position_read(&self.file, &mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::from_io(&self.path, "reading", e)),
            }
        }
        Ok(done)
    }

    fn read_upto(&self, offset: u64, n: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; n];
        let got = self.read_at(offset, &mut bytes)?;
        bytes.truncate(got);
        Ok(bytes)
    }
}

#[cfg(unix)]
fn position_read(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn position_read(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    use std::io::{Seek, SeekFrom};
    let mut file = file;
    file.seek(SeekFrom::Start(offset))?;
    file.read(buffer)
}
