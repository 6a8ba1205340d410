//! How fast the heap engine is, against what cannot be beaten and against its peers, on the same file in the same run.
//!
//! ```text
//! benches/make-snapshots.sh DIR                       # heap60, heap500, heap1900: real Node, no leak but the one that is meant
//! cargo bench --bench heap -- FILE.heapsnapshot [FILE…]
//! ```
//!
//! Prints wall time, processor time and peak memory of:
//! - the floor: every integer of nodes and edges, read on one thread with the plainest loop there is;
//! - the engine: the file as a stream of 4 MiB pieces, to the class table, and to the verdict (suspects, paths, names);
//! - from the last byte of such a stream to the verdict: of one as fast as the disk, and of one of 200 MB/s, where the dominators are
//!   begun before its end;
//! - the program `cutoff analyze FILE --json`: first time (it hashes the file too), again (from its cache), and a question to the graph
//!   from the cached index;
//! - each peer that is installed: `@heap-snapshot/tool` (`HEAP_SNAPSHOT_TOOL`, a program), Chrome DevTools' own engine (`HEAP_ORACLE`, a
//!   directory with `oracle.mjs`).
//!
//! Each runs three times (`RUNS`) in a process of its own, so that the peak is its own; the run with the median processor time counts,
//! since wall times mean little on a machine that others use.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and files and starts processes")]
#![allow(clippy::print_stdout, reason = "its output is its result")]

use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutoff::heap::{Analysis, Options, Pipeline, Unwatched, find_leaks};

/// Bytes a second of a fast `kubectl exec`.
const STREAM: f64 = 200e6;

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    match args.as_slice() {
        [task, file] if task == "--floor" => report(|| floor(Path::new(file))),
        [task, file] if task == "--engine" => report(|| analyse(Path::new(file)).class_rows().len() as u64),
        [task, file] if task == "--verdict" => report(|| verdict(&analyse(Path::new(file)))),
        [task, file] if task == "--tail" => tail(Path::new(file), f64::INFINITY),
        [task, file] if task == "--slow-tail" => tail(Path::new(file), STREAM),
        [] => println!("give one or more .heapsnapshot files: cargo bench --bench heap -- FILE"),
        files => files.iter().for_each(|f| compare(f)),
    }
}

fn analyse(file: &Path) -> Analysis {
    streamed(file, f64::INFINITY).finish().expect("a snapshot")
}

/// A pipeline that was given the whole file, at most so many bytes a second.
fn streamed(file: &Path, rate: f64) -> Pipeline {
    let mut file = File::open(file).expect("the snapshot");
    let mut pipeline = Pipeline::new(Arc::new(Unwatched));
    let mut piece = vec![0; 4 << 20];
    let (start, mut sent) = (Instant::now(), 0);
    loop {
        let n = file.read(&mut piece).expect("the snapshot");
        if n == 0 {
            return pipeline;
        }
        sent += n;
        std::thread::sleep(Duration::from_secs_f64(sent as f64 / rate).saturating_sub(start.elapsed()));
        pipeline.push(&piece[..n]).expect("a snapshot");
    }
}

fn verdict(analysis: &Analysis) -> u64 {
    find_leaks(&[analysis], &Options::default(), &Unwatched).expect("nobody cancels").suspects.len() as u64
}

/// As [`report`], of what comes after the last byte of a stream.
fn tail(file: &Path, rate: f64) {
    let pipeline = streamed(file, rate);
    let (start, before) = (Instant::now(), processor_seconds(11));
    let result = verdict(&pipeline.finish().expect("a snapshot"));
    println!("{} {} {} {result}", start.elapsed().as_secs_f64(), processor_seconds(11) - before, peak_kb("self"));
}

/// Reads every integer of nodes and edges with the plainest loop there is, on one thread, and keeps their sum.
fn floor(file: &Path) -> u64 {
    let mut file = File::open(file).expect("the snapshot");
    let mut piece = vec![0; 1 << 20];
    let (mut sum, mut value) = (0u64, 0u64);
    loop {
        let n = file.read(&mut piece).expect("the snapshot");
        // The strings are not numbers: they come last, after the only `"strings":[` of the file.
        let strings = memchr::memmem::find(&piece[..n], b"\"strings\":[");
        for &b in &piece[..strings.unwrap_or(n)] {
            let digit = b.wrapping_sub(b'0');
            if digit < 10 {
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            } else {
                sum = sum.wrapping_add(value);
                value = 0;
            }
        }
        if n == 0 || strings.is_some() {
            return sum;
        }
    }
}

/// Runs `work` in this process and prints its wall time in seconds, processor time in seconds, and peak memory in kB.
fn report(work: impl Fn() -> u64) {
    let start = Instant::now();
    let result = work();
    println!("{} {} {} {result}", start.elapsed().as_secs_f64(), processor_seconds(11), peak_kb("self"));
}

/// Processor time of this process (fields from 11) or of its children that ended (from 13), see proc(5).
fn processor_seconds(from: usize) -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(from) + ticks(from + 1)) / 100.0
}

fn peak_kb(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

struct Measured {
    wall: f64,
    processor: f64,
    peak_kb: u64,
}

fn compare(file: &str) {
    let size = fs::metadata(file).expect("the snapshot").len();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{file}: {:.1} MB, {} threads, load {}", size as f64 / 1e6, rayon::current_num_threads(), load.trim());
    println!("{:<35} {:>8} {:>8} {:>8} {:>9} {:>7}", "", "wall s", "cpu s", "x floor", "peak MB", "x file");
    let floor = median(|| own("--floor", &[file]));
    let line = |name: &str, m: &Measured| {
        let (times, share) = (m.processor / floor.processor, m.peak_kb as f64 * 1024.0 / size as f64);
        println!("{name:<35} {:>8.2} {:>8.2} {times:>8.1} {:>9.0} {share:>7.2}", m.wall, m.processor, m.peak_kb as f64 * 1024.0 / 1e6);
    };
    line("floor: every integer, one thread", &floor);
    line("engine, to the class table", &median(|| own("--engine", &[file])));
    line("engine, to the verdict", &median(|| own("--verdict", &[file])));
    line("  from the last byte to it", &median(|| own("--tail", &[file])));
    line("  the same at 200 MB/s", &median(|| own("--slow-tail", &[file])));
    let cache = env::temp_dir().join(format!("cutoff-bench-{}", std::process::id()));
    let program = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutoff"));
        foreign(command.args(["analyze", file, "--json"]).args(args).env("CUTOFF_CACHE_DIR", &cache))
    };
    line("cutoff analyze --no-cache", &median(|| program(&["--no-cache"])));
    program(&[]);
    line("cutoff analyze, again", &median(|| program(&[])));
    program(&["--dominators"]);
    line("cutoff analyze --dominators, again", &median(|| program(&["--dominators"])));
    let _ = fs::remove_dir_all(&cache);
    if let Ok(tool) = env::var("HEAP_SNAPSHOT_TOOL") {
        line("@heap-snapshot/tool summary", &median(|| foreign(Command::new(&tool).args(["summary", file]))));
    }
    if let Ok(dir) = env::var("HEAP_ORACLE") {
        line("Chrome DevTools' engine", &median(|| foreign(Command::new("node").arg(Path::new(&dir).join("oracle.mjs")).arg(file))));
    }
}

fn own(task: &str, args: &[&str]) -> Measured {
    let output = Command::new(env::current_exe().expect("this program")).arg(task).args(args).output().expect("this program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let [wall, processor, peak, ..] = numbers[..] else { panic!("{task} said {text:?}") };
    Measured { wall, processor, peak_kb: peak as u64 }
}

/// A peer; its peak is asked for while it runs.
fn foreign(command: &mut Command) -> Measured {
    let before = processor_seconds(13);
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the peer");
    let mut peak = 0;
    while child.try_wait().expect("the peer").is_none() {
        peak = peak.max(peak_kb(&child.id().to_string()));
        std::thread::sleep(Duration::from_millis(2));
    }
    Measured { wall: start.elapsed().as_secs_f64(), processor: processor_seconds(13) - before, peak_kb: peak }
}

fn median(run: impl Fn() -> Measured) -> Measured {
    let count = env::var("RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(3).max(1);
    let mut runs: Vec<Measured> = (0..count).map(|_| run()).collect();
    runs.sort_by(|a, b| a.processor.total_cmp(&b.processor));
    runs.remove(count / 2)
}
