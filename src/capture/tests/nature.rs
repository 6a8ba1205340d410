//! What grows, told by two looks at real processes that leak in the heap, in Buffers, in WebAssembly, in native memory, in a
//! worker's heap and in a child process.

use std::time::Duration;

use super::local::{LocalPod, programs};
use crate::base::Bytes;
use crate::capture::{Depth, survey};
use crate::preflight::{Assessment, Check, NatureKind};

/// Leaks by `each` as soon as the file `go` is there, until 150 MB are there.
fn leak(each: &str) -> String {
    format!(
        "const fs = require('fs'), kept = globalThis.kept = []; let n = 0;
        const go = setInterval(() => {{ if (!fs.existsSync('go')) return; clearInterval(go); start() }}, 50);
        function start() {{ const on = setInterval(() => {{ {each}; if (process.memoryUsage().rss > 250e6) clearInterval(on) }}, 10) }}
        console.error('ready');"
    )
}

/// The verdict on `cdp` at first, and as soon as the container has grown by 80 MB.
async fn judged(program: &str, script: &str) -> (Assessment, Assessment) {
    let pod = LocalPod::start(program, "NODE --inspect-port=PORT app.js", script).await;
    let look = || async { survey(&pod, None, (None, None), Depth::Inspector).await.expect("a survey") };
    let first = look().await;
    let resident = first.facts.rss_of_all();
    std::fs::write(pod.dir.path().join("go"), "").expect("written");
    let grown = async {
        loop {
            let now = look().await;
            if now.facts.rss_of_all() > Bytes(resident.0 + 80_000_000) {
                return now;
            }
        }
    };
    let mut now = tokio::time::timeout(Duration::from_secs(90), grown).await.expect("it leaks 80 MB within a minute and a half");
    assert_eq!(first.pid, now.pid, "the same process is meant");
    now.earlier = Some((first.holdings(), Duration::from_secs(60)));
    (first.assess_by("cdp", None), now.assess_by("cdp", None))
}

#[tokio::test]
async fn what_grows_is_named_before_a_snapshot_is_taken() {
    let leaks = [
        ("for (let i = 0; i < 5000; i++) kept.push({ id: n++, text: 'entry ' + n })", NatureKind::JsHeap, "a snapshot will show what"),
        ("kept.push(Buffer.alloc(1e6, 1))", NatureKind::OffHeap, "Buffers grow"),
        (
            "const w = new WebAssembly.Memory({ initial: 16 }); new Uint8Array(w.buffer).fill(1); kept.push(w)",
            NatureKind::OffHeap,
            "WebAssembly",
        ),
        (
            "for (let i = 0; i < 10; i++) kept.push(new Intl.DateTimeFormat('en-US', { dateStyle: 'full' }))",
            NatureKind::Native,
            "will not show it",
        ),
        (
            "if (n++ === 0) new (require('worker_threads').Worker)(`const k = []; const on = setInterval(() => { for (let i = 0; i < 5000; i++) \
             k.push({ i }); if (k.length > 2e6) clearInterval(on) }, 5)`, { eval: true })",
            NatureKind::Native,
            "threads",
        ),
        (
            "if (n++ === 0) kept.push(require('child_process').spawn('sh', ['-c', '(head -c 150000000 /dev/zero; sleep 100) | tail >/dev/null']))",
            NatureKind::Processes,
            "a snapshot of this one will not show it",
        ),
    ];
    for program in programs() {
        for (each, kind, words) in leaks {
            let (first, now) = judged(&program, &leak(each)).await;
            let nature = now.nature.expect("it is always told");
            assert_eq!(nature.kind, kind, "{program}, {each}: {}", nature.text);
            assert!(nature.text.as_str().contains(words), "{program}, {each}: {}", nature.text);
            // A reason says so where a snapshot would be for nothing, and only there.
            let warned = now.because.iter().any(|reason| reason.check == Check::Nature);
            assert_eq!(warned, !kind.shows_in_snapshot(), "{program}, {each}: {:?}", now.because);
            assert_eq!(first.nature.map(|nature| nature.kind), Some(NatureKind::JsHeap), "nothing was held at first");
        }
    }
}
