//! A pod in memory: whatever reader is started, it sends the file from the offset it was asked for, in frames as the real
//! one does, and each connection ends as a script says.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, ReadBuf};

use crate::base::{ContainerRef, PodRef, Trouble, TroubleKind, Untrusted};
use crate::capture::{Place, Running};
use crate::cluster::{ExecEnd, Output, Rule};
use crate::inspector::ByteStream;
use crate::node::ProcessFacts;
use crate::pressure::PodFacts;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Reset: a read fails.
    Reset,
    /// It closes, and no status comes.
    NoStatus,
    /// It closes with Status Success, as a kubelet's end looks (`kube-real.md` K4).
    Success,
    /// It cannot be made.
    Refused,
}

/// One connection: so many bytes pass, then it ends. Between two bytes of a slow one lies a while.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    pub bytes: usize,
    pub ends: Ends,
    pub each: Option<Duration>,
}

impl Connection {
    pub fn until(bytes: usize, ends: Ends) -> Self {
        Self { bytes, ends, each: None }
    }
}

pub struct Paper {
    container: ContainerRef,
    pub file: Vec<u8>,
    /// The connections to come; after them each holds.
    pub script: Mutex<VecDeque<Connection>>,
    /// Lines before the file's pieces, and after them.
    pub inode: Mutex<u64>,
    pub after: Mutex<String>,
    /// Commands that were run.
    pub commands: Mutex<Vec<String>>,
    wires: Mutex<HashMap<String, Arc<Vec<u8>>>>,
}

/// A snapshot of about `bytes` that compresses as snapshots do.
pub fn snapshot(bytes: usize) -> Vec<u8> {
    let mut file = b"{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\"]},\"node_count\":9,\"edge_count\":9},\n\"nodes\":[".to_vec();
    let mut n = 1u64;
    while file.len() < bytes {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        file.extend_from_slice(format!("{},", n >> 40).as_bytes());
    }
    file.extend_from_slice(b"0],\"edges\":[],\"trace_function_infos\":[],\"strings\":[\"a\"]}");
    file
}

/// What a probe found in a Debian image, with `tools` more.
pub fn facts(tools: &[&str]) -> ProcessFacts {
    let mut facts = crate::node::parse_probe(include_bytes!("../../node/probe/recorded/debian-exec-form.txt"), "T0").expect("facts");
    facts.tools.found.retain(|tool| tool != "zstd");
    facts.tools.found.extend(tools.iter().map(|tool| (*tool).to_owned()));
    facts
}

impl Paper {
    pub fn new(file: Vec<u8>) -> Self {
        Self {
            container: ContainerRef { pod: PodRef::new("test", "paper"), name: "app".to_owned() },
            file,
            script: Mutex::default(),
            inode: Mutex::new(7),
            after: Mutex::default(),
            commands: Mutex::default(),
            wires: Mutex::default(),
        }
    }

    pub fn with(self, connections: impl IntoIterator<Item = Connection>) -> Self {
        self.script.lock().expect("no panic").extend(connections);
        self
    }

    /// What the reader of `script` sends: packed as it says, from its offset.
    pub fn wire(&self, script: &str) -> Arc<Vec<u8>> {
        let number = |name: &str| -> usize {
            script
                .split(name)
                .nth(1)
                .and_then(|rest| rest.split(' ').next()?.parse().ok())
                .unwrap_or_else(|| panic!("no {name} in {script}"))
        };
        // No piece is as long as it might be: the file grows.
        let (offset, most, zstd) = (number(" o="), number(" m=").min(2), script.contains("zstd"));
        assert!(offset.is_multiple_of(65536), "readers begin at blocks");
        let (inode, after) = (*self.inode.lock().expect("no panic"), self.after.lock().expect("no panic").clone());
        let key = format!("{offset} {most} {zstd} {inode} {after}");
        let mut wires = self.wires.lock().expect("no panic");
        let made = wires.entry(key).or_insert_with(|| {
            let mut bytes = b"CTO1 H 9\nCTO1 N /data/x.heapsnapshot\n".to_vec();
            let rest = self.file.get(offset..).unwrap_or_default();
            for (i, piece) in rest.chunks(65536 * most).enumerate() {
                bytes.extend_from_slice(format!("CTO1 F {inode} {}\n", offset + i * 65536 * most).as_bytes());
                bytes.extend_from_slice(&packed(piece, zstd));
            }
            bytes.extend_from_slice(after.as_bytes());
            Arc::new(bytes)
        });
        made.clone()
    }
}

fn packed(piece: &[u8], zstd: bool) -> Vec<u8> {
    if zstd {
        return ruzstd::encoding::compress_to_vec(piece, ruzstd::encoding::CompressionLevel::Fastest);
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, piece).expect("memory");
    gzip.finish().expect("memory")
}

struct Sheet {
    bytes: Arc<Vec<u8>>,
    at: usize,
    connection: Connection,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl AsyncRead for Sheet {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let end = self.connection.bytes.min(self.bytes.len());
        if self.at == end {
            return match self.connection.ends {
                // All was sent and nobody cut it: the reader waits to be dismissed.
                _ if self.connection.bytes > self.bytes.len() => Poll::Pending,
                Ends::Reset => Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into())),
                Ends::NoStatus | Ends::Success | Ends::Refused => Poll::Ready(Ok(())),
            };
        }
        let mut n = buffer.remaining().min(end - self.at).min(5000);
        if let Some(each) = self.connection.each {
            n = 1;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(each)));
            std::task::ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
        }
        let at = self.at;
        buffer.put_slice(&self.bytes[at..at + n]);
        self.at += n;
        Poll::Ready(Ok(()))
    }
}

impl Running for Sheet {
    fn finish(self: Box<Self>) -> BoxFuture<'static, ExecEnd> {
        let code = (self.connection.ends == Ends::Success).then_some(0);
        async move { ExecEnd { code, failure: None, broken: None, stderr: Untrusted::new("") } }.boxed()
    }
}

fn unreachable() -> Trouble {
    Trouble::new(TroubleKind::Unreachable, "paper", "", "")
}

impl Place for Paper {
    fn container(&self) -> &ContainerRef {
        &self.container
    }
    fn run<'a>(&'a self, command: &'a [String], _: Duration, _: usize) -> BoxFuture<'a, Result<Output, Trouble>> {
        self.commands.lock().expect("no panic").push(command.join(" "));
        async {
            let end = ExecEnd { code: Some(0), failure: None, broken: None, stderr: Untrusted::new("") };
            Ok(Output { stdout: b"told\n".to_vec(), cut: false, end })
        }
        .boxed()
    }
    fn start<'a>(&'a self, command: &'a [String], _: Duration) -> BoxFuture<'a, Result<Box<dyn Running>, Trouble>> {
        let next = self.script.lock().expect("no panic").pop_front();
        let connection = next.unwrap_or(Connection { bytes: usize::MAX, ends: Ends::NoStatus, each: None });
        let bytes = self.wire(&command[2]);
        async move {
            if connection.ends == Ends::Refused {
                return Err(unreachable());
            }
            Ok(Box::new(Sheet { bytes, at: 0, connection, sleep: None }) as Box<dyn Running>)
        }
        .boxed()
    }
    fn connect(&self, _: u16) -> BoxFuture<'_, Result<Box<dyn ByteStream>, Trouble>> {
        async { Err(unreachable()) }.boxed()
    }
    fn pod(&self) -> BoxFuture<'_, Result<PodFacts, Trouble>> {
        async { Err(unreachable()) }.boxed()
    }
    fn refused<'a>(&'a self, _: &'a [Rule]) -> BoxFuture<'a, Result<Vec<Rule>, Trouble>> {
        async { Ok(Vec::new()) }.boxed()
    }
}
