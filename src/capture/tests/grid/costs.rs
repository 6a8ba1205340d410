//! What heaps of every shape cost, against what was said; each capture is taken at the very limit where it is still
//! called OK. The claim of the whole: no capture that was OK killed its process.

use std::fmt::Write as _;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::super::local::{LocalPod, Start};
use super::super::now::is_snapshot;
use super::table::{self, fits, keep};
use super::{major, programs};
use crate::base::Bytes;
use crate::capture::{Depth, Memory, survey, take};
use crate::incident::Outcome;
use crate::preflight::{Assessment, CaptureState, Measured, Risk};

/// Name, what is done `n` times, and what comes before it.
const SHAPES: [(&str, &str, &str); 12] = [
    ("records in a Map", "m.set('key ' + n, { id: n, text: 'entry ' + n, list: [n, n + 1] })", "const m = globalThis.kept = new Map();"),
    ("objects in one array", "kept.push({ a: n, b: n })", ""),
    ("objects in arrays of 20", "if (n % 20 === 0) kept.push(globalThis.c = []); c.push({ a: n, b: n })", ""),
    ("linked list", "globalThis.head = { n: globalThis.head }", ""),
    ("short strings in one array", "kept.push('k' + n + 'x')", ""),
    ("long strings", "if (n % 50 === 0) kept.push(Buffer.alloc(50000, 'ab' + n).toString('latin1'))", ""),
    ("closures", "{ const v = n; kept.push(() => v) }", ""),
    ("arrays of one object", "if (n % 500 === 0) kept.push(new Array(20000).fill(o))", "const o = { x: 1 };"),
    ("arrays of numbers", "if (n % 500 === 0) kept.push(new Array(20000).fill(n + 0.5))", ""),
    ("numbers", "kept.push({ a: n + 0.5, b: n * 0.3 })", ""),
    ("small buffers", "kept.push(new Uint8Array(8))", ""),
    ("promises", "kept.push(new Promise(() => {}))", ""),
];

/// JS heap in MB. All shapes within a few minutes on two CPUs.
const HEAP: u64 = 25;

struct Cost {
    major: u16,
    shape: &'static str,
    verdict: Assessment,
    measured: Measured,
    data: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_capture_that_was_ok_killed_its_process() {
    let mut cells = Vec::new();
    for program in programs() {
        let Some(major) = major(&program) else { continue };
        for shape in SHAPES {
            if major == 18 && shape.0.starts_with("short strings") {
                crate::skips::skipped("matrix: short strings on Node 18", "its V8 takes minutes for them (fixed in 20)");
                continue;
            }
            cells.push((program.clone(), major, shape));
        }
    }
    let all = futures::stream::iter(&cells).map(|(program, major, shape)| cost(program, *major, *shape));
    let all: Vec<Option<Cost>> = all.buffered(2).collect().await;
    let all: Vec<Cost> = all.into_iter().flatten().collect();
    if !all.is_empty() {
        write(&all);
    }
}

async fn cost(program: &str, major: u16, (shape, each, first): (&'static str, &str, &str)) -> Option<Cost> {
    let script = format!(
        "const v8 = require('v8'), kept = globalThis.all = []; {first} let n = 0;
        const used = () => v8.getHeapStatistics().used_heap_size > {HEAP}e6;
        for (;;) {{ {each}; n++; if (n % 4096 === 0 && used()) {{ gc(); if (used()) break }} }}
        console.error('ready'); setInterval(() => kept.length, 50);"
    );
    let start = Start { program, command: "NODE --expose-gc --inspect-port=PORT app.js", script: &script, files: &[], setup: "", env: &[] };
    let mut pod = LocalPod::start_in_cgroup(start, None).await?;
    let name = format!("Node {major}, {shape}");
    // Once without a limit, to learn what it says that it needs; then with exactly that.
    let found = survey(&pod, None, (None, None), Depth::Inspector).await.expect("a survey");
    let need = found.assess_by("cdp", None).predicted.memory.unwrap_or_else(|| panic!("{name}: no prediction")).high;
    let working_set = found.facts.cgroup.as_ref().expect("a cgroup").working_set();
    pod.limit((working_set.0 + need.0 + (4 << 20)).next_multiple_of(4096));
    let found = survey(&pod, None, (None, None), Depth::Inspector).await.expect("a survey");
    let verdict = found.assess_by("cdp", None);
    let heap = found.heap.expect("V8's numbers");
    let census = heap.census.unwrap_or_else(|| panic!("{name}: no census"));
    // A few pages more than the first time, and it is RISKY already: then it proves nothing, but must not die either.
    assert!(verdict.risk <= Risk::Risky, "{name}: {}", verdict.headline());
    let mut landing = Memory::default();
    let mut tell = |_: CaptureState| {};
    let captured = take(&pod, &found, &verdict, verdict.risk, &mut landing, &mut tell, CancellationToken::new()).await;
    assert_eq!(captured.outcome, Outcome::Complete, "{name}: {} though {}", captured.done.state.line(), verdict.headline());
    assert!(is_snapshot(&landing.0) && pod.lives() && captured.process_lives == Some(true), "{name}");
    let measured = captured.done.measured;
    let number = |bytes: Option<Bytes>| bytes.map_or(0, |b| b.0);
    let data = format!(
        "{major},{shape},{},{},{},{},{},{},{},{},{},{},{}",
        heap.used.0,
        number(heap.large),
        census.objects,
        census.fields,
        census.elements,
        census.longest,
        census.strings,
        census.text.0,
        number(measured.memory),
        measured.cpu.map_or(0, |cpu| cpu.as_millis()),
        number(measured.file),
    );
    Some(Cost { major, shape, verdict, measured, data })
}

fn write(all: &[Cost]) {
    let mut text = String::from(
        "# What a snapshot costs, and what was said before\n\nEach heap was captured in a memory cgroup with just the room at which preflight still says OK; every process lived. \
         Memory: the peak of the process above what it had. Freeze: CPU seconds of the process (two captures share two CPUs here).\n\n\
         | Node | heap | memory | said | | CPU | said | | file | said | |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut data = String::from("major,shape,used,large,objects,fields,elements,longest,strings,text,memory,cpu_ms,file\n");
    for cost in all {
        let (said, got) = (&cost.verdict.predicted, &cost.measured);
        let [memory, freeze, file] = fits(said, got);
        let word = |fit: Option<table::Fit>| fit.map_or_else(|| "–".to_owned(), |fit| fit.to_string());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.1} s | {} | {} | {} | {} | {} |",
            cost.major,
            cost.shape,
            got.memory.unwrap_or_default(),
            said.memory.map_or_else(String::new, |b| b.to_string()),
            word(memory),
            got.cpu.unwrap_or_default().as_secs_f64(),
            said.freeze.map_or_else(String::new, |b| b.to_string()),
            word(freeze),
            got.file.unwrap_or_default(),
            said.file.map_or_else(String::new, |b| b.to_string()),
            word(file),
        );
        let _ = writeln!(data, "{}", cost.data);
    }
    keep("costs.md", &text);
    keep("costs.csv", &data);
}
