//! The cells: how the tool finds the process, what it decides, what comes of it.

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::super::local::{LocalPod, Start};
use super::super::now::is_snapshot;
use super::table::{self, Row};
use super::{major, programs, there};
use crate::base::Bytes;
use crate::capture::{Captured, Depth, Memory, Place, survey, take};
use crate::incident::Outcome;
use crate::node::Role;
use crate::preflight::{Assessment, CaptureState, Check, Risk};

/// How people start Node: name, process 1, what has to be there.
const LAUNCHERS: [(&str, &str, &str); 4] = [
    ("process 1", "NODE FLAGS app.js", ""),
    ("npm start", "npm start", "npm"),
    ("sh -c", "sh -c 'NODE FLAGS app.js; exit $?'", ""),
    ("tini", "tini -- NODE FLAGS app.js", "tini"),
];

const DUMPS: &str = "--heapsnapshot-signal=SIGUSR2 --heapsnapshot-near-heap-limit=1";

/// Name, flags of the command line, NODE_OPTIONS, and whether the app sets `process.title`.
const FLAGS: [(&str, &str, &str, bool); 5] = [
    ("none", "", "", false),
    ("command line", DUMPS, "", false),
    ("NODE_OPTIONS", "", DUMPS, false),
    ("command line + title", DUMPS, "", true),
    ("NODE_OPTIONS + title", "", DUMPS, true),
];

/// Name, and how the working directory becomes so.
const DIRS: [(&str, &str); 3] = [
    ("writable", ""),
    ("read-only", "mount --bind \"$PWD\" \"$PWD\"; mount -o remount,ro,bind \"$PWD\""),
    (
        "full",
        "t=$(mktemp -d); cp * $t; mount -t tmpfs -o size=128k none \"$PWD\"; cp $t/* \"$PWD\"; rm -r $t; dd if=/dev/zero of=\"$PWD/fill\" bs=4k",
    ),
];

/// Name, and how far above what is in use the limit lies.
const MEMORY: [(&str, u64); 2] = [("roomy", 900 << 20), ("tight", 24 << 20)];

/// Some 12 MB of ordinary objects; says its pid where the tool cannot hear it.
const APP: &str =
    "const kept = new Map(); for (let i = 0; i < 30000; i++) kept.set('key ' + i, { id: i, text: 'entry ' + i, list: [i, i + 1] });
console.error('pid ' + process.pid); console.error('ready'); setInterval(() => kept.size, 50);";

#[derive(Clone, Copy)]
struct Cell<'a> {
    program: &'a str,
    major: u16,
    launcher: usize,
    flags: usize,
    dir: usize,
    memory: usize,
}

impl Cell<'_> {
    fn name(&self) -> String {
        let (launcher, flags, dir, memory) = (LAUNCHERS[self.launcher].0, FLAGS[self.flags].0, DIRS[self.dir].0, MEMORY[self.memory].0);
        format!("Node {} · {launcher} · flags: {flags} · {dir} · {memory}", self.major)
    }

    async fn start(&self) -> Option<LocalPod> {
        let (_, flags, options, title) = FLAGS[self.flags];
        // A title hides the port as well: there the tool has to find it by its socket.
        let flags = format!("--inspect-port=PORT {flags}");
        let command = LAUNCHERS[self.launcher].1.replace("FLAGS", &flags);
        let package = format!("{{\"scripts\":{{\"start\":\"NODE {flags} app.js\"}}}}");
        let script = if title { format!("process.title = 'content-import worker'; {APP}") } else { APP.to_owned() };
        let options = format!("NODE_OPTIONS={options}");
        let env = ["HOME=/tmp", "npm_config_logs_max=0", "npm_config_update_notifier=false", options.as_str()];
        let env = if FLAGS[self.flags].2.is_empty() { &env[..3] } else { &env[..] };
        let files = [("package.json", package.as_str())];
        let start = Start { program: self.program, command: &command, script: &script, files: &files, setup: DIRS[self.dir].1, env };
        let pod = LocalPod::start_in_cgroup(start, None).await?;
        // Page cache is no part of the working set: it is given up when the limit comes down.
        let used = survey(&pod, None, (None, None), Depth::Probe).await.expect("a survey").facts.cgroup.expect("a cgroup").working_set();
        pod.limit((used.0 + MEMORY[self.memory].1).next_multiple_of(1 << 20));
        Some(pod)
    }
}

fn cells(programs: &[(String, u16)]) -> Vec<Cell<'_>> {
    let launchers: Vec<usize> = (0..LAUNCHERS.len())
        .filter(|&at| {
            let (name, _, needs) = LAUNCHERS[at];
            let here = needs.is_empty() || there(needs);
            if !here {
                crate::skips::skipped(&format!("matrix: Node under {name}"), format!("no `{needs}` on PATH"));
            }
            here
        })
        .collect();
    let mut all = Vec::new();
    for (program, major) in programs {
        for &launcher in &launchers {
            for flags in 0..FLAGS.len() {
                for dir in 0..DIRS.len() {
                    for memory in 0..MEMORY.len() {
                        all.push(Cell { program, major: *major, launcher, flags, dir, memory });
                    }
                }
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_decision_in_every_cell_and_the_process_lives() {
    let programs: Vec<(String, u16)> = programs().into_iter().filter_map(|p| major(&p).map(|m| (p, m))).collect();
    let all = cells(&programs);
    let rows: Vec<Option<Row>> = futures::stream::iter(all).map(judge).buffered(2).collect().await;
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    table::decisions(&rows);
}

/// Looks, decides, captures; asserts what must be true of every cell.
async fn judge(cell: Cell<'_>) -> Option<Row> {
    let name = cell.name();
    let mut pod = cell.start().await?;
    let pid: u32 = pod.said.iter().find_map(|line| line.strip_prefix("pid ")?.parse().ok()).expect("it says its pid");

    // The right process, by the probe alone.
    let found = survey(&pod, None, (None, None), Depth::Inspector).await.expect("a survey");
    let process = found.facts.target().unwrap_or_else(|| panic!("{name}: no process found"));
    assert_eq!((process.pid, process.role), (pid, Role::App), "{name}");
    assert_eq!(process.version.map(|v| v.major), Some(cell.major), "{name}");
    assert_eq!(process.title_overwritten, FLAGS[cell.flags].3, "{name}");

    // The best method, and the capture by the tool's own code.
    let best = found.assess(Some(Bytes(1 << 40))).swap_remove(0);
    let (captured, bytes) = taken(&pod, &found, &best).await;
    let tight = MEMORY[cell.memory].0 == "tight";
    assert_eq!(best.method, if tight { "sampling" } else { "cdp" }, "{name}: {}", best.headline());
    assert_eq!(best.risk, Risk::Ok, "{name}: {}", best.headline());
    assert_eq!(captured.outcome, Outcome::Complete, "{name}: {}", captured.done.state.line());
    assert!(tight || is_snapshot(&bytes), "{name}: the file is not whole");
    assert!(pod.lives() && captured.process_lives == Some(true), "{name}: the process died");

    // A heap snapshot that is not safe in memory is refused, whoever asks.
    let cdp = found.assess_by("cdp", None);
    if tight {
        assert_eq!(cdp.risk, Risk::WouldKill, "{name}: {}", cdp.headline());
        let (refused, nothing) = taken(&pod, &found, &cdp).await;
        assert!(refused.outcome == Outcome::Failed && nothing.is_empty() && pod.lives(), "{name}");
    }

    // By signal: sent only where flags and masks prove the handler and the directory takes the file.
    let found = survey(&pod, None, (None, None), Depth::Inspector).await.expect("a survey");
    let signal = found.assess_by("signal", Some(Bytes(1 << 40)));
    let by_signal = taken(&pod, &found, &signal).await;
    assert!(pod.lives(), "{name}: the process died of a signal: {}", signal.headline());
    let flagged = FLAGS[cell.flags];
    // A title hides the flags of the command line, never those of the environment.
    let proved = !flagged.2.is_empty() || (!flagged.1.is_empty() && !flagged.3);
    let writable = DIRS[cell.dir].0 == "writable";
    if proved && writable && !tight {
        assert_eq!(signal.risk, Risk::Ok, "{name}: {}", signal.headline());
        assert_eq!(by_signal.0.outcome, Outcome::Complete, "{name}: {}", by_signal.0.done.state.line());
        assert!(is_snapshot(&by_signal.1), "{name}: the file is not whole");
    } else {
        assert!(!signal.risk.may_start(), "{name}: {}", signal.headline());
        assert!(by_signal.0.outcome == Outcome::Failed && by_signal.1.is_empty(), "{name}");
        let why = signal.because.iter().find(|r| r.risk == signal.risk).expect("a reason");
        let checks: Vec<Check> = signal.because.iter().filter(|r| !r.risk.may_start()).map(|r| r.check).collect();
        assert!(proved || checks.contains(&Check::Signal), "{name}: {}", why.text);
        assert!(writable || checks.contains(&Check::Disk), "{name}: {}", why.text);
    }
    let near_limit = found.assess_by("near-limit", Some(Bytes(1 << 40)));
    Some(Row {
        major: cell.major,
        launcher: LAUNCHERS[cell.launcher].0,
        flags: FLAGS[cell.flags].0,
        dir: DIRS[cell.dir].0,
        memory: MEMORY[cell.memory].0,
        best: format!("{} {}", best.method, best.risk.word()),
        fit: table::fits(&best.predicted, &captured.done.measured),
        signal: decided(&signal),
        near_limit: decided(&near_limit),
    })
}

/// The word and what decided it.
fn decided(assessment: &Assessment) -> String {
    let mut checks: Vec<String> = Vec::new();
    for reason in assessment.because.iter().filter(|r| r.risk > Risk::Unknown && (r.risk == assessment.risk || !r.risk.may_start())) {
        let check = format!("{:?}", reason.check).to_lowercase();
        if !checks.contains(&check) {
            checks.push(check);
        }
    }
    checks.sort();
    let because = if checks.is_empty() { String::new() } else { format!(" ({})", checks.join(", ")) };
    format!("{}{because}", assessment.risk.word())
}

/// Takes it as the tool does; a profile is stopped as soon as it samples.
async fn taken(pod: &dyn Place, found: &crate::capture::Survey, assessment: &Assessment) -> (Captured, Vec<u8>) {
    let mut landing = Memory::default();
    let (stop, samples) = (CancellationToken::new(), tokio::sync::Notify::new());
    let mut tell = |state: CaptureState| {
        if matches!(&state, CaptureState::Preparing { step } if step.as_str().starts_with("samples")) {
            samples.notify_one();
        }
    };
    let taking = take(pod, found, assessment, Risk::Ok, &mut landing, &mut tell, stop.clone());
    let stopping = async {
        samples.notified().await;
        stop.cancel();
        std::future::pending::<()>().await;
    };
    let captured = tokio::select! {
        captured = taking => captured,
        () = stopping => unreachable!("it waits for ever"),
    };
    (captured, landing.0)
}
