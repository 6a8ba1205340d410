//! Looks at one file in a container: its size, the sha256 that the container computes of it, and, when a person asked for
//! it by name, its removal.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::base::{Bytes, Masked, Trouble, TroubleKind};
use crate::node::ProcessFacts;

use super::error::Error;
use super::helper::{Tongue, shell_quoted};
use super::place::Place;

const SHORT: Duration = Duration::from_secs(15);
/// A busy pod hashes some ten MB a second at least.
const SLOWEST: u64 = 10_000_000;

/// What a copy is, beside the file in the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InPod {
    /// The same sha256.
    Same,
    /// Another.
    Other,
    /// Another size: it was not hashed.
    OtherSize,
    /// Nothing there computes a sha256, or it could not be asked.
    Unknown,
}

impl InPod {
    /// Whether it is the same, if that was found out.
    pub fn same(self) -> Option<bool> {
        match self {
            Self::Same => Some(true),
            Self::Other | Self::OtherSize => Some(false),
            Self::Unknown => None,
        }
    }
}

/// A file as the container shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its size.
    pub size: Bytes,
    /// Its inode.
    pub inode: u64,
    /// Last written, by the pod's clock, in whole seconds.
    pub modified: Option<DateTime<Utc>>,
}

fn quoted(path: &str) -> String {
    serde_json::Value::from(path).to_string()
}

async fn ask(place: &dyn Place, facts: &ProcessFacts, shell: &str, node: &str, deadline: Duration) -> Result<String, Trouble> {
    let output = place.run(&Tongue::of(facts).command(shell, node), deadline, 4096).await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The file at `path`; `None` when there is none.
///
/// # Errors
/// When the container cannot be asked, and when `path` is no plain file.
pub async fn look(place: &dyn Place, facts: &ProcessFacts, path: &str) -> Result<Option<Seen>, Error> {
    let shell = format!(
        "f={}\nif [ -f \"$f\" ]; then stat -L -c '%s %i %Y' \"$f\"; elif [ -e \"$f\" ]; then echo other; else echo none; fi",
        shell_quoted(path)
    );
    let node = format!(
        "try{{const s=require('fs').statSync({});console.log(s.isFile()?s.size+' '+s.ino+' '+Math.floor(s.mtimeMs/1000):'other')}}catch(e){{console.log(e.code==='ENOENT'?'none':e.code)}}",
        quoted(path)
    );
    let place_of = || format!("{}:{path}", place.container());
    let said = ask(place, facts, &shell, &node, SHORT).await?;
    if said == "none" {
        return Ok(None);
    }
    let mut numbers = said.split(' ').map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(size)), Some(Ok(inode)), modified) => {
            let modified = modified.and_then(|n: Result<u64, _>| DateTime::from_timestamp(i64::try_from(n.ok()?).ok()?, 0));
            Ok(Some(Seen { size: Bytes(size), inode, modified }))
        }
        _ if said == "other" => {
            Err(Trouble::new(TroubleKind::Usage, "this is no plain file", place_of(), "name one file; copy a directory file by file")
                .into())
        }
        _ => {
            let why = format!("the file cannot be looked at: {}", Masked::from(said.as_str()));
            Err(Trouble::new(TroubleKind::Denied, why, place_of(), "see the file's owner and mode in the container").into())
        }
    }
}

/// Hex sha256 of the first `bytes` of the file, computed in the container at the lowest priority; `None` where nothing
/// there computes it or the container cannot be asked.
pub async fn sha256_in_pod(place: &dyn Place, facts: &ProcessFacts, path: &str, bytes: Bytes) -> Option<String> {
    let deadline = Duration::from_secs(30 + bytes.0 / SLOWEST);
    // `head` writes in small pieces: only where a part is meant.
    let shell = format!(
        "f={} b={} n=\nnice -n 19 true 2>/dev/null && n='nice -n 19'\n\
         if [ \"$(stat -L -c %s \"$f\")\" = $b ]; then exec $n sha256sum <\"$f\"; fi\n$n head -c $b \"$f\" | $n sha256sum",
        shell_quoted(path),
        bytes.0
    );
    let node = format!(
        "const fs=require('fs'),o=require('os');try{{o.setPriority(19)}}catch{{}}\
         const h=require('crypto').createHash('sha256'),b=Buffer.alloc(1<<20),d=fs.openSync({},'r');let n={},r;\
         while(n>0&&(r=fs.readSync(d,b,0,Math.min(n,b.length),null))>0){{h.update(b.subarray(0,r));n-=r}}\
         if(!n)console.log(h.digest('hex'))",
        quoted(path),
        bytes.0
    );
    let said = ask(place, facts, &shell, &node, deadline).await.ok()?;
    let hash = said.split(' ').next().unwrap_or_default();
    (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then(|| hash.to_ascii_lowercase())
}

/// Compares the file in the container with a copy of `bytes` bytes whose hex sha256 is `sha256`. Stopped, it is unknown.
pub(super) async fn compare(
    place: &dyn Place,
    facts: &ProcessFacts,
    path: &str,
    bytes: Bytes,
    sha256: &str,
    stop: &CancellationToken,
) -> InPod {
    let asked = async {
        let Ok(Some(seen)) = look(place, facts, path).await else { return InPod::Unknown };
        if seen.size != bytes {
            return InPod::OtherSize;
        }
        match sha256_in_pod(place, facts, path, bytes).await {
            Some(there) if there == sha256 => InPod::Same,
            Some(_) => InPod::Other,
            None => InPod::Unknown,
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => InPod::Unknown,
        found = asked => found,
    }
}

/// Removes the file in the container, if it still is the one of `inode`. Only after a person has asked for it by name.
///
/// # Errors
/// When it is another file now, or the container refuses.
pub async fn remove(place: &dyn Place, facts: &ProcessFacts, path: &str, inode: u64) -> Result<(), Error> {
    let shell = format!(
        "f={}\n[ \"$(stat -L -c %i \"$f\")\" = {inode} ] || {{ echo another; exit; }}\nrm -- \"$f\" 2>&1 && echo removed",
        shell_quoted(path)
    );
    let node = format!(
        "const fs=require('fs'),f={};try{{if(fs.statSync(f).ino!=={inode})console.log('another');else{{fs.unlinkSync(f);console.log('removed')}}}}catch(e){{console.log(e.code)}}",
        quoted(path)
    );
    let said = ask(place, facts, &shell, &node, SHORT).await?;
    if said.ends_with("removed") {
        return Ok(());
    }
    let why = if said == "another" {
        "another file has this name now: nothing was removed".to_owned()
    } else {
        format!("the file was not removed: {}", Masked::from(said.as_str()))
    };
    Err(Trouble::new(TroubleKind::Failed, why, format!("{}:{path}", place.container()), "the copy here is whole").into())
}
