//! A snapshot file, plain or gzip, hashed while it is read; and what lies beside it.

use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use crate::base::{Bytes, Trouble};
use crate::disk::{Reader, Sha256};
use crate::heap::{Analysis, Pipeline, Progress, Stop, analyse};

/// Bytes given to the parser at once.
const PIECE: usize = 4 << 20;
/// Up to here a plain file is read whole, which is faster since all threads read it.
const WHOLE: u64 = 1 << 30;

/// A file and what was read from it.
pub struct SnapshotFile {
    /// Its name as given.
    pub name: String,
    /// Its size, as it lies on disk.
    pub size: Bytes,
    /// SHA-256 of it, as it lies on disk.
    pub sha256: String,
    /// What is in it.
    pub analysis: Analysis,
}

/// Reads by offset, and hashes what it reads.
struct Hashed<'a> {
    file: &'a Reader,
    at: u64,
    hash: Sha256,
    failed: Option<crate::disk::Error>,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.file.read_at(self.at, buffer) {
            Ok(n) => {
                self.at += n as u64;
                self.hash.update(&buffer[..n]);
                Ok(n)
            }
            Err(error) => {
                self.failed = Some(error);
                Err(std::io::Error::other("the file cannot be read"))
            }
        }
    }
}

/// Opens a file of a snapshot.
///
/// # Errors
/// What the disk says; a missing file is not found.
pub fn open(path: &Path) -> Result<(Reader, Bytes), Trouble> {
    let file = Reader::open(path).map_err(Trouble::from)?;
    let size = Bytes(file.size().map_err(Trouble::from)?);
    Ok((file, size))
}

/// Gives `take` the unpacked bytes of a file, piece by piece, and returns the file's hash. A gzip file that ends early gives what it has.
///
/// # Errors
/// What the disk says, or `take`.
pub fn pieces(file: &Reader, mut take: impl FnMut(&[u8]) -> Result<(), Trouble>) -> Result<String, Trouble> {
    let mut head = [0; 2];
    let packed = file.read_at(0, &mut head).map_err(Trouble::from)? == 2 && head == [0x1f, 0x8b];
    let hashed = Hashed { file, at: 0, hash: Sha256::default(), failed: None };
    let mut buffer = vec![0; PIECE];
    let mut fill = |from: &mut dyn Read| -> Result<(), Trouble> {
        loop {
            let mut got = 0;
            while got < buffer.len() {
                match from.read(&mut buffer[got..]) {
                    Ok(0) => break,
                    Ok(n) => got += n,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    // A gzip file that was cut: what came before is good, and the parser says what is missing.
                    Err(_) => {
                        take(&buffer[..got])?;
                        return Ok(());
                    }
                }
            }
            if got == 0 {
                return Ok(());
            }
            take(&buffer[..got])?;
        }
    };
    let mut hashed = if packed {
        let mut unpack = flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(PIECE, hashed));
        fill(&mut unpack)?;
        unpack.into_inner().into_inner()
    } else {
        let mut hashed = hashed;
        fill(&mut hashed)?;
        hashed
    };
    if let Some(error) = hashed.failed.take() {
        return Err(error.into());
    }
    // What the unpacker left (a cut or a tail behind the archive) belongs to the file's hash too.
    let mut rest = [0; 8192];
    while hashed.read(&mut rest).is_ok_and(|n| n > 0) {}
    Ok(hashed.hash.hex())
}

/// Reads and analyses a file.
///
/// # Errors
/// No such file, or no snapshot in it: both are not found.
pub fn read(path: &Path, progress: &Arc<dyn Progress>) -> Result<SnapshotFile, Trouble> {
    let name = path.display().to_string();
    let (file, size) = open(path)?;
    let stopped = |stop: Stop| Trouble { place: name.clone(), ..Trouble::from(stop) };
    let (analysis, sha256) = if size.0 <= WHOLE {
        let mut whole = Vec::with_capacity(usize::try_from(size.0).unwrap_or(0));
        let sha256 = pieces(&file, |piece| {
            whole.extend_from_slice(piece);
            Ok(())
        })?;
        (analyse(&whole, progress.clone()).map_err(stopped)?, sha256)
    } else {
        let mut pipeline = Pipeline::new(progress.clone());
        let sha256 = pieces(&file, |piece| pipeline.push(piece).map_err(stopped))?;
        (pipeline.finish().map_err(stopped)?, sha256)
    };
    Ok(SnapshotFile { name, size, sha256, analysis })
}

/// The version of Node that wrote the snapshot (`v22.23.3`), read from `process.version`.
pub fn node_version(analysis: &Analysis) -> Option<String> {
    use crate::heap::{EdgeKind, NodeKind};
    analysis.nodes().filter(|&n| analysis.kind(n) == NodeKind::Object && analysis.name(n) == "process").find_map(|process| {
        let edge = analysis.edges(process).find(|e| e.kind == EdgeKind::Property && analysis.edge_text(e) == "version")?;
        let version = analysis.name(edge.to).into_owned();
        let plain = version.len() <= 40
            && version.starts_with('v')
            && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
        (analysis.kind(edge.to).is_string() && plain).then_some(version)
    })
}
