//! What a recorded container answers to a command: files of `/proc` and `/sys/fs/cgroup`, signals, the read-only probe.
//! Nothing is run on this machine: what is not known is refused with exit code 126.

use super::played::Played;
use super::tape;

/// Signals that the recorded processes catch: SIGUSR1 among them.
const MASK: &str = "0000000100004602";

/// A command's outcome.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub code: i32,
}

fn said(text: impl Into<Vec<u8>>) -> Answer {
    Answer { stdout: text.into(), ..Answer::default() }
}

fn failed(code: i32, why: impl Into<String>) -> Answer {
    Answer { stderr: why.into() + "\n", code, ..Answer::default() }
}

/// Answers a command line; `None`: no such program.
pub(super) fn answer(pod: &mut Played, argv: &[String]) -> Option<Answer> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    Some(match words[..] {
        ["sh", "-c", script, ..] => shell(pod, script),
        ["node" | "/proc/1/exe", .., "-e", script] if pod.image != "log-shipper" && is_probe(script) => probe(pod, token(script)),
        ["node" | "sh" | "env" | "timeout" | "dd" | "gzip" | "sha256sum" | "stat", ..] => failed(126, refusal(&words.join(" "))),
        ["true"] => said(""),
        _ => return simple(pod, &words),
    })
}

fn refusal(command: &str) -> String {
    let short: String = command.chars().take(60).collect();
    format!("this pod is a recording: it cannot run `{short}`")
}

fn is_probe(script: &str) -> bool {
    script.contains("begin") && script.contains("@@") && script.contains("/proc")
}

/// The token that frames the probe's sections: `T=abc` or `T = 'abc'`.
fn token(script: &str) -> &str {
    let after = script.split("T=").nth(1).or_else(|| script.split("T = ").nth(1)).unwrap_or("");
    let after = after.trim_start_matches(['\'', '"', ' ']);
    &after[..after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len())]
}

fn shell(pod: &mut Played, script: &str) -> Answer {
    if is_probe(script) {
        return probe(pod, token(script));
    }
    if let Some((_, sending)) = script.split_once("&& kill -").filter(|_| script.contains("SigCgt:")) {
        // A signal that is sent only while the process still has the mask that was seen.
        let command = sending.split("&&").next().unwrap_or("");
        if !script.contains(MASK) {
            return Answer { code: 1, ..Answer::default() };
        }
        let words: Vec<String> = format!("-{command}").split_whitespace().map(String::from).collect();
        let mut sent = kill(pod, &words.iter().map(String::as_str).collect::<Vec<_>>());
        if sent.code == 0 {
            sent.stdout = b"sent\n".to_vec();
        }
        return sent;
    }
    // A list of simple commands, one after the other.
    let mut all = Answer::default();
    for command in script.split([';', '\n']).flat_map(|c| c.split("&&")).map(str::trim).filter(|c| !c.is_empty()) {
        let words: Vec<&str> = command.split_whitespace().map(|w| w.trim_matches(['"', '\''])).collect();
        if let ["exit", code] = words[..] {
            all.code = code.parse().unwrap_or(2);
            return all;
        }
        let one = if command.contains(['|', '$', '`', '<', '(']) { None } else { simple(pod, &words) };
        let one = one.unwrap_or_else(|| failed(126, refusal(command)));
        all.stdout.extend(one.stdout);
        all.stderr.push_str(&one.stderr);
        all.code = one.code;
    }
    all
}

fn simple(pod: &mut Played, words: &[&str]) -> Option<Answer> {
    Some(match words {
        ["echo", rest @ ..] => said(rest.join(" ") + "\n"),
        ["true" | ":", ..] => said(""),
        ["false", ..] => Answer { code: 1, ..Answer::default() },
        ["hostname"] => said("recorded\n"),
        ["cat", files @ ..] => {
            let mut all = Answer::default();
            for file in files.iter().filter(|f| **f != "--") {
                match read(pod, file) {
                    Some(bytes) => all.stdout.extend(bytes),
                    None => {
                        all.stderr.push_str(&format!("cat: {file}: No such file or directory\n"));
                        all.code = 1;
                    }
                }
            }
            all
        }
        ["readlink", "/proc/1/exe"] if pod.node_is_first() => said("/usr/bin/node\n"),
        ["kill", rest @ ..] => kill(pod, rest),
        _ => return None,
    })
}

/// SIGUSR1 to Node opens its inspector; other signals are not recorded.
fn kill(pod: &mut Played, arguments: &[&str]) -> Answer {
    let (signal, pids) = match arguments {
        ["-s", signal, pids @ ..] => (*signal, pids),
        [first, pids @ ..] if first.starts_with('-') => (&first[1..], pids),
        pids => ("TERM", pids),
    };
    let signal = signal.trim_start_matches("SIG");
    let node = node_pid(pod.image);
    let pids: Vec<&&str> = pids.iter().filter(|p| **p != "--").collect();
    match signal {
        "0" => said(""),
        "USR1" | "10" if pod.image == "log-shipper" => said(""),
        "USR1" | "10" => {
            if pids.iter().any(|pid| **pid == node) {
                pod.open_inspector();
            }
            said("")
        }
        other => failed(126, refusal(&format!("kill -{other}"))),
    }
}

/// The process that the recorded probe saw as Node.
pub(super) fn node_pid(image: &str) -> &'static str {
    let sections = tape::probe(image).split("@@{token} proc ").skip(1);
    let node = sections.filter_map(|s| s.split_once('\n')).find(|(_, text)| text.starts_with("exe /usr/bin/node"));
    node.map_or("", |(pid, _)| pid)
}

fn read(pod: &Played, path: &str) -> Option<Vec<u8>> {
    if let Some(file) = path.strip_prefix("/sys/fs/cgroup/") {
        return pod.cgroup.get(file).map(|text| text.clone().into_bytes());
    }
    if let Some(file) = path.strip_prefix("/usr/src/app/") {
        return crate::demo::images::files(pod.image).find(|f| f.0 == file).map(|f| f.1.as_bytes().to_vec());
    }
    match path {
        "/proc/1/cmdline" => Some(pod.argv.iter().flat_map(|word| word.bytes().chain([0])).collect()),
        "/proc/1/status" => {
            let usage = pod.usage();
            let (anon, file) = (usage.anon / 1024, usage.file / 1024);
            Some(
                format!(
                    "Name:\t{}\nState:\tS (sleeping)\nTgid:\t1\nPid:\t1\nPPid:\t0\nVmHWM:\t{} kB\nVmRSS:\t{} kB\nRssAnon:\t{anon} kB\n\
                     RssFile:\t{file} kB\nRssShmem:\t0 kB\nThreads:\t7\nSigBlk:\t0000000000000000\nSigIgn:\t0000000001001000\n\
                     SigCgt:\t{MASK}\nCapEff:\t0000000000000000\n",
                    pod.argv.first().map_or("sh", String::as_str),
                    anon + file,
                    anon + file
                )
                .into_bytes(),
            )
        }
        _ => None,
    }
}

/// The recorded output of the probe with the present numbers in it.
fn probe(pod: &Played, token: &str) -> Answer {
    let usage = pod.usage();
    let kib = |bytes: u64| (bytes / 1024).to_string();
    let mut text = tape::probe(pod.image).replace("{token}", token);
    for (mark, value) in [
        ("{now}", crate::demo::clock::now().timestamp().to_string()),
        ("{uptime}", format!("{:.2}", 100_000.0 + pod.up)),
        ("{rss}", kib(usage.working_set())),
        ("{anon}", kib(usage.anon)),
        ("{start}", "10000000".to_string()),
    ] {
        text = text.replace(mark, &value);
    }
    for (name, content) in &pod.cgroup {
        text = text.replace(&format!("{{{name}}}"), content.trim_end());
    }
    let listening = if pod.inspector { "0100007F:240D 424242\n" } else { "" };
    said(text.replace("{inspector}", listening))
}
