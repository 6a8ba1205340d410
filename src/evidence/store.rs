//! The evidence of one incident: what is there, whether it is what was sealed, copies of it, its end.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::error::Error;
use super::growing::{Growing, Sealed, check_space};
use super::names::{is_plain, numbered, safe_name};
use super::record::{Deleted, Record, SUFFIX};
use crate::base::{Bytes, EvidenceId, Masked};
use crate::disk::{self, copy_private, entry, free_space, list, private_dir, remove, sha256_of};
use crate::incident::{Kind, Provenance};

/// The directory of evidence of one incident.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
    keep_free: Bytes,
}

/// How a file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Sealed, and of the size it was sealed with.
    Sealed,
    /// Growing, or its capture was cut off by the end of the tool; so many bytes are there.
    Unsealed(Bytes),
    /// Of another size or hash than it was sealed with.
    Changed {
        /// What it was sealed with (bytes, or a hash).
        expected: String,
        /// What it is.
        found: String,
    },
    /// Deleted on purpose.
    Deleted,
    /// Gone.
    Missing,
}

/// A file in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its record.
    pub record: Record,
    /// Its path.
    pub path: PathBuf,
    /// How it stands, as far as its size tells.
    pub standing: Standing,
}

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The copy.
    pub file: PathBuf,
    /// The copy of its record.
    pub record: PathBuf,
    /// Bytes.
    pub bytes: Bytes,
    /// Hex sha256 of the copy, equal to the sealed one.
    pub sha256: String,
}

impl Store {
    /// Opens the directory, making it (0700) if it is missing. `keep_free` is never used up by evidence, so that the
    /// journal can go on.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(dir: &Path, keep_free: Bytes) -> Result<Self, Error> {
        private_dir(dir)?;
        Ok(Self { dir: dir.to_owned(), keep_free })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What evidence may still take.
    pub fn room(&self) -> Option<Bytes> {
        free_space(&self.dir).map(|free| free.saturating_sub(self.keep_free))
    }

    /// Begins the file `id`, called `name` (see [`file_name`](super::file_name)) or, if that is taken, `name-2` ….
    /// `expected`: how long it will be, as far as known.
    ///
    /// # Errors
    /// [`Error::Taken`] if there is a file `id`; [`Error::LowDisk`]; [`Error::BadName`]; else what the disk says.
    pub fn create(&self, id: EvidenceId, name: &str, expected: Option<Bytes>) -> Result<Growing, Error> {
        self.create_from(id, name, expected, None)
    }

    /// As [`Store::create`], with what is known already of where it comes from: a copy that is cut off is found by it
    /// and taken up again ([`Store::resume`]).
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn create_from(
        &self,
        id: EvidenceId,
        name: &str,
        expected: Option<Bytes>,
        provenance: Option<Provenance>,
    ) -> Result<Growing, Error> {
        if !is_plain(name) {
            return Err(Error::BadName { name: name.to_owned() });
        }
        if let Some(there) = self.find(id)? {
            return Err(Error::Taken { id, path: there.path });
        }
        check_space(&self.dir, expected.unwrap_or_default(), self.keep_free)?;
        let record =
            Record { evidence: id, file: self.free_name(name)?, bytes: Bytes(0), sha256: None, outcome: None, provenance, deleted: None };
        Growing::begin(&self.dir, record, self.keep_free)
    }

    /// Takes up the file `id` where the tool was cut off.
    ///
    /// # Errors
    /// [`Error::Taken`] if it is sealed; [`Error::Unknown`], [`Error::Gone`]; else what the disk says.
    pub fn resume(&self, id: EvidenceId) -> Result<Growing, Error> {
        let item = self.item(id)?;
        match item.standing {
            Standing::Unsealed(_) => Growing::resume(&self.dir, item.record, self.keep_free),
            Standing::Missing | Standing::Deleted => Err(Error::Gone { id, path: item.path }),
            Standing::Sealed | Standing::Changed { .. } => Err(Error::Taken { id, path: item.path }),
        }
    }

    /// Copies the file at `from`, which was not captured here, into the evidence as `id`. `progress` is told the bytes
    /// done and may stop it; then `None`.
    ///
    /// # Errors
    /// As [`Store::create`], and when `from` cannot be read.
    pub fn add(&self, id: EvidenceId, from: &Path, progress: impl FnMut(Bytes) -> ControlFlow<()>) -> Result<Option<Sealed>, Error> {
        let size = entry(from)?.ok_or_else(|| disk::Error::NotFound { path: from.to_owned() })?.size;
        if let Some(there) = self.find(id)? {
            return Err(Error::Taken { id, path: there.path });
        }
        check_space(&self.dir, size, self.keep_free)?;
        let file = self.free_name(&safe_name(&from.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()))?;
        let Some(copied) = copy_private(from, &self.dir.join(&file), progress)? else { return Ok(None) };
        let sha256 = Some(copied.sha256);
        let record = Record { evidence: id, file, bytes: copied.bytes, sha256, outcome: None, provenance: None, deleted: None };
        record.write(&self.dir)?;
        Ok(Some(Sealed { evidence: id, file: Some(record.file), bytes: record.bytes, sha256: record.sha256 }))
    }

    /// All files, by their names in the journal, and the records that cannot be read.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn list(&self) -> Result<(Vec<Item>, Vec<Error>), Error> {
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        for found in list(&self.dir)? {
            if found.is_dir || found.name.starts_with('.') || !found.name.ends_with(SUFFIX) {
                continue;
            }
            match Record::read(&found.path) {
                // Another JSON file (a diagnostic report) is no record: a record is named after its file.
                Ok(record) if record.path_in(&self.dir) == found.path => items.push(self.described(record)?),
                Ok(_) => {}
                Err(e) if self.is_record_of_a_file(&found.name)? => unreadable.push(e),
                Err(_) => {}
            }
        }
        items.sort_by(|a, b| (a.record.evidence, &a.record.file).cmp(&(b.record.evidence, &b.record.file)));
        Ok((items, unreadable))
    }

    /// The file `id`.
    ///
    /// # Errors
    /// [`Error::Unknown`]; else what the disk says.
    pub fn item(&self, id: EvidenceId) -> Result<Item, Error> {
        self.find(id)?.ok_or_else(|| Error::Unknown { id, path: self.dir.clone() })
    }

    /// Where the file `id` is.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Gone`] if it was deleted or is missing.
    pub fn path_of(&self, id: EvidenceId) -> Result<PathBuf, Error> {
        let item = self.item(id)?;
        match item.standing {
            Standing::Deleted | Standing::Missing => Err(Error::Gone { id, path: item.path }),
            Standing::Sealed | Standing::Unsealed(_) | Standing::Changed { .. } => Ok(item.path),
        }
    }

    /// Reads the file `id` and compares it with `sha256` (the journal's), or else with its record. `progress` is told
    /// the bytes done and may stop it; then `None`.
    ///
    /// # Errors
    /// [`Error::Unknown`]; else what the disk says. That it changed is an answer, not an error.
    pub fn verify(
        &self,
        id: EvidenceId,
        sha256: Option<&str>,
        progress: impl FnMut(Bytes) -> ControlFlow<()>,
    ) -> Result<Option<Standing>, Error> {
        let item = self.item(id)?;
        let Some(expected) = sha256.or(item.record.sha256.as_deref()) else { return Ok(Some(item.standing)) };
        if matches!(item.standing, Standing::Deleted | Standing::Missing) {
            return Ok(Some(item.standing));
        }
        let Some((found, _)) = sha256_of(&item.path, progress)? else { return Ok(None) };
        Ok(Some(if found == expected { Standing::Sealed } else { Standing::Changed { expected: expected.to_owned(), found } }))
    }

    /// Copies the file `id` and its record into the directory `to`. `progress` is told the bytes done and may stop it;
    /// then `None`, and nothing was exported.
    ///
    /// # Errors
    /// [`Error::Changed`] if the file is not what was sealed (the copy is removed then); [`Error::Gone`]; else what the
    /// disk says.
    pub fn export(&self, id: EvidenceId, to: &Path, progress: impl FnMut(Bytes) -> ControlFlow<()>) -> Result<Option<Exported>, Error> {
        let path = self.path_of(id)?;
        let record = self.item(id)?.record;
        check_space(to, entry(&path)?.map(|e| e.size).unwrap_or_default(), Bytes(0))?;
        let file = to.join(&record.file);
        if entry(&file)?.is_some() {
            return Err(Error::Taken { id, path: file });
        }
        let Some(copied) = copy_private(&path, &file, progress)? else { return Ok(None) };
        if let Some(expected) = record.sha256.clone().filter(|sealed| *sealed != copied.sha256) {
            remove(&file)?;
            return Err(Error::Changed { id, path, expected, found: copied.sha256 });
        }
        record.write(to)?;
        Ok(Some(Exported { record: record.path_in(to), file, bytes: copied.bytes, sha256: copied.sha256 }))
    }

    /// The event that has to be in the journal before [`Store::delete`].
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Gone`].
    pub fn deletion(&self, id: EvidenceId, why: Masked) -> Result<Kind, Error> {
        self.path_of(id)?;
        Ok(Kind::EvidenceDeleted { evidence: id, why })
    }

    /// Deletes the file `id`; its record stays and says when and why.
    ///
    /// # Errors
    /// [`Error::Unknown`]; else what the disk says. A file that is gone already is no error.
    pub fn delete(&self, id: EvidenceId, at: DateTime<Utc>, why: Masked) -> Result<(), Error> {
        let mut item = self.item(id)?;
        if item.record.deleted.is_none() {
            item.record.deleted = Some(Deleted { at, why });
            item.record.write(&self.dir)?;
        }
        match remove(&item.path) {
            Ok(()) | Err(disk::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Gives files the names that they have in the journal now: a merge moves them. `names`: file name and name.
    ///
    /// # Errors
    /// What the disk says. It can be repeated.
    pub fn rename(&self, names: &[(&str, EvidenceId)]) -> Result<(), Error> {
        for mut item in self.list()?.0 {
            if let Some((_, id)) = names.iter().find(|(file, id)| *file == item.record.file && *id != item.record.evidence) {
                item.record.evidence = *id;
                item.record.write(&self.dir)?;
            }
        }
        Ok(())
    }

    fn find(&self, id: EvidenceId) -> Result<Option<Item>, Error> {
        Ok(self.list()?.0.into_iter().find(|i| i.record.evidence == id))
    }

    fn described(&self, record: Record) -> Result<Item, Error> {
        let path = self.dir.join(&record.file);
        let standing = match (entry(&path)?, &record.sha256) {
            _ if record.deleted.is_some() => Standing::Deleted,
            (None, _) => Standing::Missing,
            (Some(file), None) => Standing::Unsealed(file.size),
            (Some(file), Some(_)) if file.size == record.bytes => Standing::Sealed,
            (Some(file), Some(_)) => Standing::Changed { expected: record.bytes.to_string(), found: file.size.to_string() },
        };
        Ok(Item { record, path, standing })
    }

    fn is_record_of_a_file(&self, name: &str) -> Result<bool, Error> {
        Ok(match name.strip_suffix(SUFFIX) {
            Some(file) => entry(&self.dir.join(file))?.is_some(),
            None => false,
        })
    }

    fn free_name(&self, name: &str) -> Result<String, Error> {
        for n in 1u32..10_000 {
            let candidate = numbered(name, n);
            let record = format!("{candidate}{SUFFIX}");
            if entry(&self.dir.join(&candidate))?.is_none() && entry(&self.dir.join(record))?.is_none() {
                return Ok(candidate);
            }
        }
        Err(Error::BadName { name: name.to_owned() })
    }
}
