//! First question of all: is it the JS heap that grows, memory outside of it, or something that is not this process's at
//! all? A snapshot shows only the first, and of `Buffer`s the owners.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Bytes, Masked, span};

use super::reading::Holdings;

/// What holds the memory, or what grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NatureKind {
    /// Objects of the JS heap: a snapshot shows them.
    JsHeap,
    /// `Buffer`s and other memory that JS objects hold: a snapshot shows the owners, not the bytes.
    OffHeap,
    /// Native: addons, threads, worker heaps, fragmentation. A snapshot of the main thread shows nothing of it.
    Native,
    /// Other processes of the container.
    Processes,
    /// Files in tmpfs or shared memory, which count as the container's memory.
    Files,
    /// Nothing grows.
    Steady,
    /// V8 was not asked.
    Unknown,
}

impl NatureKind {
    /// Whether a snapshot of the process is the right tool.
    pub const fn shows_in_snapshot(self) -> bool {
        !matches!(self, Self::Native | Self::Processes | Self::Files)
    }

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::JsHeap => "JS heap",
            Self::OffHeap => "off-heap (Buffers)",
            Self::Native => "native",
            Self::Processes => "other processes",
            Self::Files => "files in memory",
            Self::Steady => "steady",
            Self::Unknown => "unknown",
        }
    }
}

/// The answer with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nature {
    /// What it is.
    pub kind: NatureKind,
    /// Why, and what shows it.
    pub text: Masked,
}

/// Judges by the growth since an earlier reading of the same process, or by one reading alone. Measured: RSS ≈ heap used
/// plus some 100 MB is normal for Node.
pub fn nature(now: &Holdings, earlier: Option<&(Holdings, Duration)>) -> Nature {
    let (kind, text) = match earlier {
        Some((before, ago)) => growth(now, before, *ago),
        None => standing(now),
    };
    Nature { kind, text: Masked::from(text) }
}

fn growth(now: &Holdings, before: &Holdings, ago: Duration) -> (NatureKind, String) {
    let up = |now: Bytes, before: Bytes| now.saturating_sub(before);
    let asked = now.heap.is_some() && before.heap.is_some();
    let heap = up(now.used().unwrap_or_default(), before.used().unwrap_or_default());
    let external = up(now.external().unwrap_or_default(), before.external().unwrap_or_default());
    let resident = if asked { up(now.resident(), before.resident()) } else { up(now.process, before.process) };
    let native = resident.saturating_sub(heap).saturating_sub(external);
    let (others, files) = (up(now.others, before.others), up(now.files, before.files));
    // Noise of collections and arenas.
    let floor = Bytes((before.resident().0 / 50).max(4_000_000));
    let within = span(ago);
    let mut numbers = if asked {
        format!("in {within}: heap +{heap}, outside +{external}, resident +{resident}")
    } else {
        format!("in {within}: resident +{resident}")
    };
    for (what, grown) in [("other processes", others), ("tmpfs", files)] {
        if grown >= floor {
            numbers.push_str(&format!(", {what} +{grown}"));
        }
    }
    let inside = if asked { heap.max(external).max(native) } else { resident };
    if inside.max(others).max(files) < floor {
        (NatureKind::Steady, format!("nothing grows ({numbers})"))
    } else if others > inside && others >= files {
        (NatureKind::Processes, other_processes(now, "grow", &numbers))
    } else if files > inside {
        (NatureKind::Files, files_in_memory("grow", &numbers))
    } else if !asked {
        (NatureKind::Unknown, format!("this process grows ({numbers}); whether it is its JS heap, only V8 itself can tell (--heap)"))
    } else if heap >= external && heap.0 >= native.0 / 2 {
        (NatureKind::JsHeap, format!("the JS heap grows ({numbers}): a snapshot will show what"))
    } else if external >= native {
        let buffers = |held: &Holdings| held.heap.map_or(Bytes(0), |heap| heap.array_buffers);
        (NatureKind::OffHeap, off_heap(up(buffers(now), buffers(before)).0 >= external.0 / 2, "grow", &numbers))
    } else {
        (NatureKind::Native, native_memory(now, "grows", &numbers))
    }
}

fn standing(now: &Holdings) -> (NatureKind, String) {
    let Some((used, external)) = now.used().zip(now.external()) else {
        let numbers = format!("resident {}, other processes {}, tmpfs {}", now.process, now.others, now.files);
        return if now.others > now.process && now.others >= now.files {
            (NatureKind::Processes, other_processes(now, "are most of it", &numbers))
        } else if now.files > now.process {
            (NatureKind::Files, files_in_memory("are most of it", &numbers))
        } else {
            (NatureKind::Unknown, format!("JS heap, Buffers or native ({numbers})? Only V8 itself can tell (--heap)"))
        };
    };
    let resident = now.resident();
    let native = resident.saturating_sub(used).saturating_sub(external);
    let mut numbers = format!("heap {used}, outside {external}, resident {resident}");
    for (what, held) in [("other processes", now.others), ("tmpfs", now.files)] {
        if held > Bytes(32_000_000) {
            numbers.push_str(&format!(", {what} {held}"));
        }
    }
    if now.others > resident && now.others >= now.files {
        (NatureKind::Processes, other_processes(now, "are most of it", &numbers))
    } else if now.files > resident {
        (NatureKind::Files, files_in_memory("are most of it", &numbers))
    } else if external > used && external > native {
        (NatureKind::OffHeap, off_heap(now.heap.is_none_or(|heap| heap.array_buffers.0 >= external.0 / 2), "are most of it", &numbers))
    } else if native.0 > used.0.saturating_mul(2) && native > Bytes(250_000_000) {
        (NatureKind::Native, native_memory(now, "is most of it", &numbers))
    } else {
        (NatureKind::JsHeap, format!("most of it is the JS heap ({numbers}): a snapshot will show it"))
    }
}

/// External memory is that of Buffers and ArrayBuffers, or what else objects say that they hold.
fn off_heap(buffers: bool, what: &str, numbers: &str) -> String {
    if buffers {
        format!("Buffers {what} ({numbers}): a snapshot shows who holds them, not their bytes")
    } else {
        format!("bytes outside the heap that JS objects hold {what} (WebAssembly, zlib, addons; {numbers}): a snapshot shows the holders")
    }
}

fn other_processes(now: &Holdings, what: &str, numbers: &str) -> String {
    let other = now.other.map_or_else(String::new, |pid| format!(", the largest is process {pid}"));
    format!("other processes of the container {what} ({numbers}{other}): a snapshot of this one will not show it")
}

fn files_in_memory(what: &str, numbers: &str) -> String {
    format!("files in tmpfs or shared memory {what} ({numbers}): no snapshot shows them; look at /dev/shm and emptyDirs of medium Memory")
}

fn native_memory(now: &Holdings, what: &str, numbers: &str) -> String {
    format!(
        "native memory {what}, not the heap ({numbers}): a snapshot will not show it; look at addons, threads{}, malloc",
        now.workers_said()
    )
}

#[cfg(test)]
mod tests {
    use super::super::reading::HeapReading;
    use super::*;

    fn mb(n: u64) -> Bytes {
        Bytes(n * 1_000_000)
    }

    fn reading(used: u64, external: u64, rss: u64) -> Holdings {
        let heap = HeapReading { used: mb(used), external: mb(external), rss: mb(rss), ..HeapReading::default() };
        Holdings { heap: Some(heap), process: mb(rss), ..Holdings::default() }
    }

    #[test]
    fn what_grows_decides() {
        let before = (reading(60, 5, 160), Duration::from_secs(60));
        let beside = |others, files| Holdings { others: mb(others), files: mb(files), other: Some(23), ..reading(61, 5, 161) };
        let cases = [
            (reading(260, 5, 365), NatureKind::JsHeap),
            (reading(62, 300, 460), NatureKind::OffHeap),
            (reading(61, 6, 700), NatureKind::Native),
            (reading(61, 5, 161), NatureKind::Steady),
            (reading(20, 2, 150), NatureKind::Steady),
            (beside(400, 0), NatureKind::Processes),
            (beside(0, 90), NatureKind::Files),
            // Both grow: the larger part is named.
            (Holdings { others: mb(50), ..reading(260, 5, 365) }, NatureKind::JsHeap),
        ];
        for (now, kind) in cases {
            let said = nature(&now, Some(&before));
            assert_eq!(said.kind, kind, "{}", said.text);
        }
        let said = nature(&beside(400, 0), Some(&before));
        assert_eq!(
            said.text.as_str(),
            "other processes of the container grow (in 1 min: heap +1.00 MB, outside +0 B, resident +1.00 MB, other processes +400 MB, \
             the largest is process 23): a snapshot of this one will not show it"
        );
    }

    #[test]
    fn one_reading_gives_the_benefit_of_the_doubt_to_the_heap() {
        let kind = |now: &Holdings| nature(now, None).kind;
        assert_eq!(kind(&reading(60, 5, 160)), NatureKind::JsHeap, "RSS ≈ heap + 100 MB is normal");
        assert_eq!(kind(&reading(60, 400, 600)), NatureKind::OffHeap);
        assert_eq!(kind(&reading(60, 5, 900)), NatureKind::Native);
        assert_eq!(kind(&Holdings { others: mb(500), ..reading(60, 5, 160) }), NatureKind::Processes);
        let workers = Holdings { workers: Some(3), ..reading(60, 5, 900) };
        assert!(nature(&workers, None).text.as_str().contains("3 worker threads"));
    }

    #[test]
    fn without_v8_only_what_is_beside_the_process_can_be_told() {
        let probed = |process, others| Holdings { process: mb(process), others: mb(others), ..Holdings::default() };
        assert_eq!(nature(&probed(160, 20), None).kind, NatureKind::Unknown);
        assert_eq!(nature(&probed(160, 500), None).kind, NatureKind::Processes);
        let before = (probed(160, 20), Duration::from_secs(30));
        assert_eq!(nature(&probed(260, 20), Some(&before)).kind, NatureKind::Unknown);
        assert_eq!(nature(&probed(160, 320), Some(&before)).kind, NatureKind::Processes);
        assert_eq!(nature(&probed(161, 20), Some(&before)).kind, NatureKind::Steady);
    }
}
