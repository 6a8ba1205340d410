//! The decision and what becomes of the process: roomy and tight memory, writable, read-only and full directories.

use tokio_util::sync::CancellationToken;

use crate::base::Bytes;
use crate::capture::{Depth, Memory, survey, take};
use crate::incident::Outcome;
use crate::preflight::{Check, Risk};

use super::local::{LocalPod, programs};
use super::now::{captured, captured_by, is_snapshot};

/// Some 60 MB of ordinary objects.
const HEAP: &str = "const kept = []; for (let i = 0; i < 300000; i++) kept.push({ id: i, text: 'entry ' + i, list: [i, i + 1] });
console.error('ready'); setInterval(() => kept.length, 50);";

#[tokio::test]
async fn what_would_kill_is_refused_and_kills_when_it_is_accepted() {
    for program in programs() {
        let Some(mut pod) = LocalPod::start_limited(&program, "NODE --inspect-port=PORT app.js", HEAP, 220).await else { return };
        let (assessment, refused, bytes, _) = captured(&pod, "cdp", false, CancellationToken::new()).await;
        assert_eq!(assessment.risk, Risk::WouldKill, "{program}: {}", assessment.headline());
        assert!(refused.outcome == Outcome::Failed && bytes.is_empty() && pod.lives(), "{}", refused.done.state.line());
        let found = survey(&pod, None, (None, None), Depth::Probe).await.expect("a survey");
        let (mut landing, mut tell) = (Memory::default(), |_| {});
        let stop = CancellationToken::new();
        let less = take(&pod, &found, &assessment, Risk::Risky, &mut landing, &mut tell, stop).await;
        assert_eq!(less.outcome, Outcome::Failed, "a yes to RISKY is none to death");
        let (_, accepted, bytes, _) = captured(&pod, "cdp", true, CancellationToken::new()).await;
        // The prophecy is true: nothing comes, and the process is gone.
        assert_eq!(accepted.outcome, Outcome::KilledEmpty, "{program}: {}", accepted.done.state.line());
        assert!(bytes.is_empty() && accepted.process_lives == Some(false), "{:?}", accepted.restarts);
        // Process 1 is gone at once; whoever started its namespace hears of it a moment later.
        for _ in 0..40 {
            if !pod.lives() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
        assert!(!pod.lives(), "{:?}", accepted.restarts);
    }
}

#[tokio::test]
async fn what_fits_is_taken_and_costs_what_was_said() {
    for program in programs() {
        let Some(mut pod) = LocalPod::start_limited(&program, "NODE --inspect-port=PORT app.js", HEAP, 1500).await else { return };
        // V8 has to say what the heap is made of: from resident memory alone it would be RISKY.
        let guessed = survey(&pod, None, (None, None), Depth::Probe).await.expect("a survey").assess_by("cdp", None);
        assert_eq!(guessed.risk, Risk::Risky, "{program}: {}", guessed.headline());
        let found = survey(&pod, None, (None, None), Depth::Inspector).await.expect("a survey");
        let (assessment, captured, bytes, _) = captured_by(&pod, &found, "cdp", false, CancellationToken::new()).await;
        assert!(assessment.risk <= Risk::Unknown, "{program}: {}", assessment.headline());
        assert_eq!(captured.outcome, Outcome::Complete, "{program}: {}", captured.done.state.line());
        assert!(is_snapshot(&bytes) && pod.lives() && captured.process_lives == Some(true));
        for compared in &captured.compared {
            eprintln!("{program} {}: {}", compared.what, compared.text);
        }
        let memory = captured.compared.iter().find(|c| c.what.as_str() == "memory").expect("the kernel counted");
        assert!(captured.done.measured.memory <= assessment.predicted.memory.map(|m| m.high), "{program}: {}", memory.text);
    }
}

#[tokio::test]
async fn a_directory_that_cannot_take_the_file_would_end_the_app() {
    for program in programs() {
        for (mount, options, word) in [("ro", "ro", "read-only"), ("full", "size=1m", "ENOSPC")] {
            let command = format!(
                "sh -c 'mkdir {mount}; mount -t tmpfs -o {options} none {mount}; cd {mount}; exec NODE --heapsnapshot-signal=SIGUSR2 ../app.js'"
            );
            let mut pod = LocalPod::start(&program, &command, HEAP).await;
            let (assessment, captured, bytes, _) = captured(&pod, "signal", false, CancellationToken::new()).await;
            let disk = assessment.because.iter().find(|r| r.check == Check::Disk).expect("a directory");
            assert!(disk.risk == Risk::WouldKill && disk.text.as_str().contains(word), "{program} {mount}: {disk:?}");
            assert!(captured.outcome == Outcome::Failed && bytes.is_empty() && pod.lives(), "{program} {mount}");
        }
    }
}

#[tokio::test]
async fn a_probe_leaves_nothing_and_costs_little() {
    for program in programs() {
        let Some(pod) = LocalPod::start_limited(&program, "NODE --inspect-port=PORT app.js", HEAP, 400).await else { return };
        let look = || crate::capture::survey(&pod, None, (None, None), crate::capture::Depth::Probe);
        let before = look().await.expect("a survey").facts.cgroup.expect("memory");
        let after = look().await.expect("a survey").facts.cgroup.expect("memory");
        let grown = after.peak.expect("version 1 counts").saturating_sub(before.peak.expect("version 1 counts"));
        assert!(grown < Bytes::mib(16), "{program}: a probe takes {grown}");
        assert_eq!(std::fs::read_dir(pod.dir.path()).expect("a directory").count(), 1, "only the app's file");
    }
}
