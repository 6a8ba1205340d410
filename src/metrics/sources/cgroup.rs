//! The container's own cgroup files, read by `cat` in it: exact and fresh. Needs an image with `cat`; node itself would
//! take tens of megabytes of the memory that is being measured.
//!
//! Working set as the kubelet counts it (`cadvisor container/libcontainer/handler.go`): usage less inactive file pages.
//! Files: <https://docs.kernel.org/admin-guide/cgroup-v2.html#memory>, v1 in `cgroup-v1/memory.html`.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{StreamExt, iter};

use super::Source;
use crate::base::{Bytes, ContainerRef, Masked};
use crate::cluster::{Error, Rule, Session};
use crate::pressure::PodSample;

/// See the file's opening.
pub struct Cgroup;

const NEEDS: &[Rule] = &[Rule::new("", "pods/exec", "get"), Rule::new("", "pods/exec", "create")];
/// v2 first, then v1: the two that are not there only make `cat` grumble.
const COMMAND: [&str; 5] = [
    "cat",
    "/sys/fs/cgroup/memory.current",
    "/sys/fs/cgroup/memory.stat",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    "/sys/fs/cgroup/memory/memory.stat",
];
const DEADLINE: Duration = Duration::from_secs(5);
const MOST: usize = 64 << 10;
const AT_ONCE: usize = 4;

impl Source for Cgroup {
    fn name(&self) -> &'static str {
        "cgroup"
    }

    fn needs(&self) -> &'static [Rule] {
        NEEDS
    }

    fn poll<'a>(&'a self, session: &'a Session, of: &'a [ContainerRef]) -> BoxFuture<'a, Result<Vec<PodSample>, Error>> {
        Box::pin(async move {
            let readings: Vec<_> = of.iter().map(|container| self.read(session, container)).collect();
            let results: Vec<Result<PodSample, Error>> = iter(readings).buffer_unordered(AT_ONCE).collect().await;
            let mut samples = Vec::new();
            let mut first_error = None;
            for result in results {
                match result {
                    Ok(sample) => samples.push(sample),
                    Err(error) => first_error = first_error.or(Some(error)),
                }
            }
            match first_error {
                Some(error) if samples.is_empty() => Err(error),
                _ => Ok(samples),
            }
        })
    }
}

impl Cgroup {
    async fn read(&self, session: &Session, container: &ContainerRef) -> Result<PodSample, Error> {
        let command = COMMAND.map(str::to_owned);
        let before = session.now();
        let output = session.run(container, &command, DEADLINE, MOST).await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(working_set) = working_set(&text) else {
            let why = if output.end.no_such_command() { "the image has no cat" } else { "its cgroup files cannot be read" };
            return Err(Error::Server { code: 0, what: container.to_string(), why: Masked::own(why) });
        };
        // Some moment between question and answer; the middle errs least.
        let at = before + (session.now() - before) / 2;
        Ok(PodSample { pod: container.pod.clone(), container: container.name.clone(), at, working_set, source: self.name().to_owned() })
    }
}

/// Usage less inactive file pages, from the usage file followed by the stat file of either version.
fn working_set(text: &str) -> Option<Bytes> {
    let usage: u64 = text.lines().find_map(|line| line.trim().parse().ok())?;
    // In v1 the hierarchical counter is the one that belongs to the usage; the plain one leaves child cgroups out.
    let counter = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse::<u64>().ok()
    };
    let inactive = counter("total_inactive_file").or_else(|| counter("inactive_file"))?;
    Some(Bytes(usage.saturating_sub(inactive)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        // Recorded: `cat` of the four files in a container on cgroup v2 and on v1, shortened.
        let v2 = "431869952\nanon 401408000\nfile 20971520\ninactive_anon 0\ninactive_file 12582912\nactive_file 8388608\n";
        assert_eq!(working_set(v2), Some(Bytes(431_869_952 - 12_582_912)));
        let v1 = "604389376\ncache 14000128\nrss 590000000\ninactive_file 1000\ntotal_cache 14000128\ntotal_inactive_file 4096000\n";
        assert_eq!(working_set(v1), Some(Bytes(604_389_376 - 4_096_000)), "the hierarchical counter");
        for nothing in ["", "anon 5\n", "431869952\n", "cat: can't open\n"] {
            assert_eq!(working_set(nothing), None, "{nothing:?}");
        }
        assert_eq!(working_set("100\ninactive_file 200\n"), Some(Bytes(0)), "the files are not read at one moment");
    }
}
