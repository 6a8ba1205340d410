//! Command line and `NODE_OPTIONS` as Node merges them: the environment first, then the command line wins.
//!
//! Source: `ParseNodeOptionsEnvVar` and the option parser (src/node_options.cc); V8 treats `_` and `-` alike.

use serde::{Deserialize, Serialize};

use crate::base::Bytes;

/// The options that matter to a capture. `None` and `false`: not given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// `--max-old-space-size` in MiB.
    pub max_old_space_mib: Option<u64>,
    /// `--max-old-space-size-percentage` of the container's memory (24 and later).
    pub max_old_space_percent: Option<u64>,
    /// `--heapsnapshot-near-heap-limit`.
    pub near_limit: Option<u32>,
    /// `--heapsnapshot-signal`.
    pub snapshot_signal: Option<String>,
    /// `--heap-snapshot-on-oom` (V8, 22 and later).
    pub on_oom: bool,
    /// `--diagnostic-dir`.
    pub diagnostic_dir: Option<String>,
    /// `--report-on-signal`, with its signal (SIGUSR2 unless `--report-signal`).
    pub report_signal: Option<String>,
    /// `--report-on-fatalerror`.
    pub report_on_fatal_error: bool,
    /// `--report-uncaught-exception`.
    pub report_uncaught: bool,
    /// `--report-directory`.
    pub report_dir: Option<String>,
    /// `--heap-prof`: a profile at an orderly exit.
    pub heap_prof: bool,
    /// `--inspect`, `--inspect-brk` or `--inspect-wait`: where the inspector listens from the start.
    pub inspect: Option<Listen>,
    /// Port that SIGUSR1 opens: 9229 unless `--inspect-port` or `--inspect=…` moved it. 0 is "any".
    pub inspect_port: Option<u16>,
    /// `--disable-sigusr1` (22 and later).
    pub disable_sigusr1: bool,
    /// `--heap-snapshot-string-limit`.
    pub string_limit: Option<u64>,
    /// `--permission` or `--experimental-permission`: files and inspector may be forbidden.
    pub permission: bool,
}

/// An address given to `--inspect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// Host; 127.0.0.1 unless given.
    pub host: String,
    /// Port; 9229 unless given.
    pub port: u16,
}

impl Listen {
    /// Whether others than this pod can reach it: an inspector runs any code for whoever connects.
    pub fn is_exposed(&self) -> bool {
        !(self.host == "localhost" || self.host == "::1" || self.host == "[::1]" || self.host.starts_with("127."))
    }
}

impl Flags {
    /// Merges `NODE_OPTIONS` and the arguments after the program's name. Arguments of the script itself are ignored.
    pub fn merged(node_options: Option<&str>, args: &[String]) -> Self {
        let mut flags = Self::default();
        let words = node_options.map(split_options).unwrap_or_default();
        flags.take(&words, true);
        flags.take(args, false);
        flags
    }

    fn take(&mut self, words: &[String], environment: bool) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if !word.starts_with('-') || word == "--" || word == "-" {
                // The script: what follows is its own. In NODE_OPTIONS there is none.
                if environment {
                    continue;
                }
                return;
            }
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
            let name = name.replace('_', "-");
            let value = match value {
                None if takes_a_word(&name) => words.next().cloned(),
                value => value,
            };
            self.set(&name, value.as_deref());
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>) {
        let number = || value.and_then(|v| v.trim_end_matches('%').parse::<u64>().ok());
        let text = || value.filter(|v| !v.is_empty()).map(str::to_owned);
        match name {
            "--max-old-space-size" => self.max_old_space_mib = number(),
            "--max-old-space-size-percentage" => self.max_old_space_percent = number(),
            "--heapsnapshot-near-heap-limit" => self.near_limit = number().and_then(|n| u32::try_from(n).ok()),
            "--heapsnapshot-signal" => self.snapshot_signal = text(),
            "--heap-snapshot-on-oom" => self.on_oom = true,
            "--no-heap-snapshot-on-oom" => self.on_oom = false,
            "--diagnostic-dir" => self.diagnostic_dir = text(),
            "--report-on-signal" => {
                self.report_signal.get_or_insert_with(|| "SIGUSR2".to_owned());
            }
            "--report-signal" => self.report_signal = text(),
            "--report-on-fatalerror" => self.report_on_fatal_error = true,
            "--report-uncaught-exception" => self.report_uncaught = true,
            "--report-dir" | "--report-directory" => self.report_dir = text(),
            "--heap-prof" => self.heap_prof = true,
            "--no-heap-prof" => self.heap_prof = false,
            "--inspect" | "--inspect-brk" | "--inspect-wait" => self.inspect = Some(listen(value)),
            "--inspect-port" | "--debug-port" => self.inspect_port = Some(listen(value).port),
            "--disable-sigusr1" => self.disable_sigusr1 = true,
            "--heap-snapshot-string-limit" => self.string_limit = number(),
            "--permission" | "--experimental-permission" => self.permission = true,
            _ => {}
        }
    }

    /// The port that the inspector has or SIGUSR1 would open; `None` when it is left to chance (port 0).
    pub fn inspector_port(&self) -> Option<u16> {
        let port = self.inspect.as_ref().map(|at| at.port).or(self.inspect_port).unwrap_or(9229);
        (port != 0).then_some(port)
    }

    /// `--max-old-space-size` as bytes.
    pub fn max_old_space(&self) -> Option<Bytes> {
        self.max_old_space_mib.map(|mib| Bytes(mib.saturating_mul(1 << 20)))
    }

    /// Whether `SIGUSR2` writes a heap snapshot by a flag (and not a report, or whatever the app does).
    pub fn usr2_is_snapshot(&self) -> bool {
        self.snapshot_signal.as_deref() == Some("SIGUSR2")
    }
}

/// Options of Node that take the next word when there is no `=`. V8's take none.
fn takes_a_word(name: &str) -> bool {
    matches!(
        name,
        "-r" | "--require"
            | "--import"
            | "--loader"
            | "--experimental-loader"
            | "-C"
            | "--conditions"
            | "--diagnostic-dir"
            | "--env-file"
            | "--env-file-if-exists"
            | "--heapsnapshot-signal"
            | "--heapsnapshot-near-heap-limit"
            | "--icu-data-dir"
            | "--input-type"
            | "--inspect-port"
            | "--debug-port"
            | "--openssl-config"
            | "--redirect-warnings"
            | "--report-dir"
            | "--report-directory"
            | "--report-filename"
            | "--report-signal"
            | "--title"
            | "--tls-keylog"
            | "--unhandled-rejections"
            | "--watch-path"
    )
}

/// `host:port`, `port`, `host`, `[::1]:port`.
fn listen(value: Option<&str>) -> Listen {
    let value = value.unwrap_or_default();
    let at = |host: &str, port: u16| Listen { host: host.to_owned(), port };
    if value.is_empty() {
        return at("127.0.0.1", 9229);
    }
    if let Ok(port) = value.parse() {
        return at("127.0.0.1", port);
    }
    match value.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => match port.parse() {
            Ok(port) => at(host, port),
            Err(_) => at(value, 9229),
        },
        _ => at(value, 9229),
    }
}

/// Splits `NODE_OPTIONS` at spaces; double quotes keep spaces, a backslash inside them keeps the next character.
pub(super) fn split_options(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => word.get_or_insert_default().extend(chars.next()),
            ' ' if !quoted => words.extend(word.take()),
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let flags = Flags::merged(
            Some(r#"--max-old-space-size=2048 --heapsnapshot-signal=SIGUSR2 --diagnostic-dir="/data/my dumps" --require dd-trace/init"#),
            &args("--max_old_space_size=400 --enable-source-maps -r ./a.js --inspect=0.0.0.0:9230 dist/main.js --max-old-space-size=1"),
        );
        assert_eq!(flags.max_old_space_mib, Some(400), "and what stands after the script is the script's");
        assert!(flags.usr2_is_snapshot());
        assert_eq!(flags.diagnostic_dir.as_deref(), Some("/data/my dumps"));
        assert_eq!(flags.inspector_port(), Some(9230));
        assert!(flags.inspect.is_some_and(|at| at.is_exposed()));
    }

    #[test]
    fn a_signal_may_also_mean_a_report() {
        let flags = Flags::merged(None, &args("--report-on-signal main.js"));
        assert_eq!(flags.report_signal.as_deref(), Some("SIGUSR2"));
        assert!(!flags.usr2_is_snapshot());
        let moved = Flags::merged(None, &args("--heapsnapshot-signal SIGUSR1 --diagnostic-dir out --report-on-signal main.js"));
        assert_eq!((moved.snapshot_signal.as_deref(), moved.diagnostic_dir.as_deref()), (Some("SIGUSR1"), Some("out")));
    }

    #[test]
    fn addresses_of_the_inspector() {
        for (value, host, port) in [
            (None, "127.0.0.1", 9229),
            (Some("9230"), "127.0.0.1", 9230),
            (Some("0.0.0.0"), "0.0.0.0", 9229),
            (Some("[::1]:9000"), "[::1]", 9000),
            (Some("::1"), "::1", 9229),
            (Some("localhost:0"), "localhost", 0),
        ] {
            assert_eq!(listen(value), Listen { host: host.to_owned(), port }, "{value:?}");
        }
        assert_eq!(Flags::merged(None, &args("--inspect-port=0 x.js")).inspector_port(), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".{0,80}") {
            let words = split_options(&text);
            Flags::merged(Some(&text), &words);
        }
    }
}
