//! The probe's output → [`ProcessFacts`]. Whatever is missing is left out; only what is no probe output at all is an
//! error.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Utc};

use crate::base::Untrusted;
use crate::base::{Bytes, Trouble};
use crate::node::facts::{Directory, FoundFile, Listener, Load, ProbeKind, ProcessFacts, Tools};
use crate::node::files::file_name;
use crate::node::limits::NodeVersion;

use super::cgroup::cgroup;
use super::process::{Moment, Seen, process};
use super::sections::{Section, plain, sections};
use super::target::assign_roles;

/// Why an output is none of the probe's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Not one frame with the token in it.
    #[error("the probe printed nothing that can be read")]
    NoFrames,
    /// It began but saw no process: `/proc` is hidden.
    #[error("the probe saw no process: /proc is not readable in this container")]
    NoProcesses,
}

impl From<ProbeError> for Trouble {
    fn from(error: ProbeError) -> Self {
        let remedy = match error {
            ProbeError::NoFrames => "try the other probe (shell or Node), or a debug container",
            ProbeError::NoProcesses => "use a debug container with the pod's process namespace",
        };
        Self::new(crate::base::TroubleKind::Failed, error.to_string(), "", remedy)
    }
}

/// Reads what the probe printed; `token` is the one it was given.
///
/// # Errors
/// [`ProbeError`] when `output` holds no probe's output or no process.
pub fn parse(output: &[u8], token: &str) -> Result<ProcessFacts, ProbeError> {
    let text = String::from_utf8_lossy(output);
    let all = sections(&text, token);
    let begin = all.iter().find(|s| s.name == "begin").ok_or(ProbeError::NoFrames)?;
    let mut begun = begin.argument.split(' ');
    let (_version, kind, own) = (begun.next(), begun.next(), begun.next().and_then(|pid| pid.trim().parse::<u32>().ok()));
    let named = |name: &'static str| all.iter().filter(move |section| section.name == name);
    let first = |name: &'static str, key: &str| named(name).next().and_then(|section| section.value(key));

    let seconds = |text: Option<&str>| text.and_then(|t| t.trim().parse::<i64>().ok()).and_then(|s| DateTime::from_timestamp(s, 0));
    let moment = Moment {
        now: seconds(first("sys", "now")).unwrap_or(DateTime::<Utc>::UNIX_EPOCH),
        uptime: first("sys", "uptime").and_then(|t| t.parse().ok()).unwrap_or(-1.0),
        ticks: first("sys", "ticks").and_then(|t| t.parse().ok()).filter(|t| *t > 0.0).unwrap_or(100.0),
    };
    let mut seen: Vec<Seen> = named("proc").filter_map(|section| process(section, &moment)).collect();
    let probe_cgroup = seen.iter().find(|s| Some(s.process.pid) == own).map(|s| s.cgroup.clone());
    drop_family(&mut seen, own);
    if seen.is_empty() {
        return Err(ProbeError::NoProcesses);
    }
    let target = assign_roles(&mut seen, probe_cgroup.as_deref());
    let mut processes: Vec<_> = seen.into_iter().map(|seen| seen.process).collect();
    processes.sort_by_key(|process| process.pid);
    for section in named("version") {
        let version = version(section);
        for process in processes.iter_mut().filter(|process| process.exe == section.argument) {
            process.version = version;
            process.workers = process.workers.filter(|_| version.is_some_and(|v| v.major >= 24));
        }
    }
    let mounts: Vec<Mount<'_>> = named("mounts").flat_map(|section| section.lines.iter().filter_map(|line| mount(line))).collect();
    Ok(ProcessFacts {
        by: if kind == Some("node") { ProbeKind::Node } else { ProbeKind::Shell },
        now: moment.now,
        machine: first("sys", "machine").map(|text| Untrusted::new(text).clean()).unwrap_or_default(),
        processes,
        target,
        cgroup: cgroup(&all),
        dirs: named("dir").filter_map(|section| directory(section, &mounts)).collect(),
        listeners: named("tcp").flat_map(|section| section.lines.iter().filter_map(|line| listener(line))).collect(),
        tools: tools(named("tools").next()),
        load: first("sys", "load")
            .and_then(|n| n.trim().parse().ok())
            .zip(first("sys", "cpus").and_then(|n| n.trim().parse().ok()).filter(|n| *n > 0))
            .map(|(running, cpus)| Load { running, cpus }),
        complete: named("end").next().is_some(),
    })
}

/// The probe and whatever it started are no part of the container.
fn drop_family(seen: &mut Vec<Seen>, own: Option<u32>) {
    let Some(own) = own else { return };
    let mut family = vec![own];
    let mut at = 0;
    while at < family.len() {
        let parent = family[at];
        family.extend(seen.iter().map(|s| &s.process).filter(|p| p.parent == parent).map(|p| p.pid).filter(|pid| *pid != own));
        at += 1;
        if family.len() > seen.len() + 1 {
            break;
        }
    }
    seen.retain(|s| !family.contains(&s.process.pid));
}

/// `v20.11.1`, or the `#define`s of node_version.h.
fn version(section: &Section<'_>) -> Option<NodeVersion> {
    let define = |key| section.value(key).and_then(|n| n.trim().parse().ok());
    section.lines.iter().find_map(|line| NodeVersion::parse(line)).or_else(|| {
        Some(NodeVersion {
            major: define("NODE_MAJOR_VERSION")?,
            minor: define("NODE_MINOR_VERSION")?,
            patch: define("NODE_PATCH_VERSION")?,
        })
    })
}

struct Mount<'a> {
    point: String,
    read_only: bool,
    fs: &'a str,
}

/// `36 35 98:0 /root /point rw,noatime shared:1 - ext3 /dev/root rw,errors=continue` (proc_pid_mountinfo(5)).
fn mount(line: &str) -> Option<Mount<'_>> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(4);
    let (point, options) = (fields.next()?, fields.next()?);
    let mut source = after.split(' ');
    let (fs, super_options) = (source.next()?, source.nth(1).unwrap_or_default());
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount { point: unescape(point), read_only: read_only(options) || read_only(super_options), fs })
}

/// Space, tab, line break and backslash are written in octal there.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

fn directory(section: &Section<'_>, mounts: &[Mount<'_>]) -> Option<Directory> {
    let path = plain(section.argument)?;
    let path = if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path };
    let under = |point: &str| point == "/" || path == point || path.strip_prefix(point).is_some_and(|rest| rest.starts_with('/'));
    // The last of equal mount points lies on top.
    let mount = mounts.iter().enumerate().filter(|(_, m)| under(&m.point)).max_by_key(|(at, m)| (m.point.len(), *at)).map(|(_, m)| m);
    let stat: Vec<&str> = section.value("stat").map(|line| line.split(' ').collect()).unwrap_or_default();
    let mode = stat.first().and_then(|mode| u32::from_str_radix(mode, 8).ok());
    let id = |at: usize| stat.get(at).and_then(|n| n.parse().ok()).unwrap_or(u32::MAX);
    let free = section.value("free").and_then(|n| n.trim().parse().ok()).or_else(|| {
        // `df -kP`: file system, blocks, used, available, share, mounted on.
        let line = section.values("df").last()?;
        let percent = line.split_whitespace().position(|word| word.ends_with('%'))?;
        line.split_whitespace().nth(percent.checked_sub(1)?)?.parse::<u64>().ok()?.checked_mul(1024)
    });
    Some(Directory {
        exists: mode.is_some() || free.is_some(),
        mode,
        uid: id(1),
        gid: id(2),
        free: free.map(Bytes),
        fs: mount.map_or_else(String::new, |m| m.fs.to_owned()),
        read_only: mount.is_some_and(|m| m.read_only),
        mount_point: mount.map_or_else(|| "/".to_owned(), |m| m.point.clone()),
        files: section.values("file").filter_map(found_file).collect(),
        path,
    })
}

/// `size mtime inode path`.
fn found_file(line: &str) -> Option<FoundFile> {
    let mut parts = line.splitn(4, ' ');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (bytes, modified, inode) = (number()?, number()?, number()?);
    let path = plain(parts.next()?)?;
    let modified = i64::try_from(modified).ok().and_then(|s| DateTime::from_timestamp(s, 0));
    Some(FoundFile { name: file_name(&path)?, path, bytes: Bytes(bytes), modified, inode })
}

/// `0100007F:240D 12345`: address in the host's byte order by 32-bit words, as on every machine that runs Node.
fn listener(line: &str) -> Option<Listener> {
    let (address, inode) = line.split_once(' ')?;
    let (ip, port) = address.split_once(':')?;
    let word = |at: usize| ip.get(at..at + 8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).map(u32::to_le_bytes);
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for at in 0..4 {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at * 8)?);
            }
            let ip = Ipv6Addr::from(bytes);
            ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
        }
        _ => return None,
    };
    Some(Listener { ip, port: u16::from_str_radix(port, 16).ok()?, inode: inode.trim().parse().ok()? })
}

fn tools(section: Option<&Section<'_>>) -> Tools {
    let Some(section) = section else { return Tools::default() };
    let is = |line: &&&str| !line.is_empty() && line.bytes().all(|b| b.is_ascii_alphanumeric());
    Tools {
        found: section.lines.iter().filter(is).map(|line| (*line).to_owned()).collect(),
        busybox: section.value("sh is").is_some_and(|path| path.contains("busybox")),
    }
}
