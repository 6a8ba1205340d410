//! Short commands in a container, by its shell where there is one, else by its own Node: nothing here needs `ps`,
//! `kill` or any other program, and nothing writes.

use std::time::Duration;

use crate::base::{Trouble, TroubleKind};
use crate::node::{HELPER_FLAGS, NODE_PATHS, ProbeKind, Process, ProcessFacts, Signal, node_probe, parse_probe, shell_probe};

use super::error::Error;
use super::place::Place;

/// A probe under half a CPU takes a second or two.
const PROBE: Duration = Duration::from_secs(30);
/// A probe prints some 4 KB, and 1 KB for each further process.
const PROBE_MOST: usize = 4 << 20;
/// Frames need a word that no command line holds by chance; nobody has an interest in faking one in this second.
const TOKEN: &str = "cutoff7Qx3";

/// Probes the container: by its shell, else by Node where it is found.
pub(super) async fn probe(place: &dyn Place) -> Result<ProcessFacts, Error> {
    let by_shell = place.run(&shell_probe(TOKEN), PROBE, PROBE_MOST).await?;
    if !by_shell.end.no_such_command() {
        match parse_probe(&by_shell.stdout, TOKEN) {
            Ok(facts) => return Ok(facts),
            Err(_) if by_shell.stdout.is_empty() => {}
            Err(error) => return Err(error.into()),
        }
    }
    // A container that is not running fails in the same words for every command.
    for node in NODE_PATHS {
        let output = place.run(&node_probe(node, TOKEN), PROBE, PROBE_MOST).await?;
        if let Ok(facts) = parse_probe(&output.stdout, TOKEN) {
            return Ok(facts);
        }
    }
    match by_shell.end.failure {
        Some(why) if !why.as_str().contains("executable file not found") => Err(Error::Cluster(Trouble::new(
            TroubleKind::Failed,
            why.as_str().to_owned(),
            place.container().to_string(),
            "see whether the container runs",
        ))),
        _ => Err(Error::NothingRuns),
    }
}

/// How to run a few lines in this container.
pub(super) enum Tongue {
    Shell,
    Node(String),
}

impl Tongue {
    pub fn of(facts: &ProcessFacts) -> Self {
        match (facts.by, facts.target().map(|target| target.exe.as_str())) {
            (ProbeKind::Shell, _) => Self::Shell,
            (ProbeKind::Node, Some(exe)) if !exe.is_empty() => Self::Node(exe.to_owned()),
            (ProbeKind::Node, _) => Self::Node("node".to_owned()),
        }
    }

    /// The command that runs `shell` or `node`.
    pub fn command(&self, shell: &str, node: &str) -> Vec<String> {
        match self {
            Self::Shell => vec!["sh".to_owned(), "-c".to_owned(), shell.to_owned()],
            Self::Node(program) => {
                let flags = HELPER_FLAGS.into_iter().map(str::to_owned);
                [program.clone()].into_iter().chain(flags).chain(["-e".to_owned(), node.to_owned()]).collect()
            }
        }
    }
}

/// Sends `signal` to `process`, if it still is the process that was looked at: same start, same signal mask. Looking and
/// sending happen in one command, so that no other process can have taken its number in between.
pub(super) async fn send_signal(place: &dyn Place, facts: &ProcessFacts, process: &Process, signal: Signal) -> Result<(), Error> {
    let pid = process.pid;
    let mask = format!("{:016x}", process.signals.caught);
    let name = signal.name();
    let shell = format!(
        "while read -r a b; do [ \"$a\" = SigCgt: ] && [ \"$b\" = {mask} ] && kill -{name} {pid} && echo sent; done </proc/{pid}/status"
    );
    let node = format!(
        "if(require('fs').readFileSync('/proc/{pid}/status','latin1').includes('SigCgt:\\t{mask}')){{process.kill({pid},'SIG{name}');console.log('sent')}}"
    );
    let output = place.run(&Tongue::of(facts).command(&shell, &node), Duration::from_secs(20), 4096).await?;
    if String::from_utf8_lossy(&output.stdout).contains("sent") { Ok(()) } else { Err(Error::Changed { pid }) }
}

/// `text` in single quotes for a shell.
pub(super) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
