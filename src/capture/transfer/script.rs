//! The reader that runs in the container.

use crate::capture::helper::{Tongue, shell_quoted};

use super::frames::Packed;
use super::source::Source;

const SHELL: &str = include_str!("reader.sh");
const NODE: &str = include_str!("reader.js");

/// Pieces begin at multiples of this.
pub(super) const BLOCK: u64 = 65536;

/// What packs a piece in a shell.
pub(super) const fn packer(packed: Packed) -> &'static str {
    match packed {
        Packed::Gzip => "gzip -1 -c",
        Packed::Zstd => "zstd -1 -q -c",
    }
}

/// The command that reads `source` from the block of `offset` on, `most` blocks a piece. A container's Node packs with
/// what it has.
pub(super) fn reader(tongue: &Tongue, packed: Packed, source: &Source, offset: u64, most: u64) -> Vec<String> {
    let offset = offset / BLOCK * BLOCK;
    let file = source.path.as_deref().unwrap_or_default();
    let dir = source.dir.as_str();
    let set = format!(
        "f={} d={} k={} P={} o={offset} m={most} w={} z='{}'",
        shell_quoted(file),
        shell_quoted(dir),
        shell_quoted(&format!("|{}|", source.known.join("|"))),
        source.pid,
        if source.beyond_death && !source.one_life { "1" } else { "" },
        packer(packed),
    );
    let shell = format!("{set}\n{}", strip(SHELL, '#'));
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let node = strip(NODE, '/')
        .replace("@FILE@", &json(file))
        .replace("@DIR@", &json(dir))
        .replace("@KNOWN@", &serde_json::Value::from(source.known.clone()).to_string())
        .replace("@PID@", &source.pid.to_string())
        .replace("@WATCH@", if source.beyond_death && !source.one_life { "1" } else { "0" })
        .replace("@OFFSET@", &offset.to_string())
        .replace("@MOST@", &most.min(16).to_string());
    tongue.command(&shell, &node)
}

/// What [`dismiss`] prints when it has run: a kubelet that is away is an answer without it.
pub(super) const TOLD: &str = "told";

/// The command that tells a reader to go, if it still is one. A shell leaves only when its compressor has ended, and that
/// is blocked for ever on output that nobody reads (measured, after a kubelet's end): so its children are killed, and the
/// shell reaps them.
pub(super) fn dismiss(tongue: &Tongue, pid: u32) -> Vec<String> {
    let children = format!("for s in /proc/[0-9]*/stat; do read -r q c t p r <$s && [ \"$p\" = {pid} ] && kill -KILL $q; done");
    let shell = format!("case $(tr '\\000' ' ' </proc/{pid}/cmdline) in *CTO1*) kill -TERM {pid}; {children};; esac; echo {TOLD}");
    let node = format!(
        "try{{if(require('fs').readFileSync('/proc/{pid}/cmdline','latin1').includes('CTO1'))process.kill({pid},'SIGTERM')}}catch{{}}console.log('{TOLD}')"
    );
    tongue.command(&shell, &node)
}

/// Drops comments and indents: the command travels in a URL.
fn strip(script: &str, comment: char) -> String {
    let lines: Vec<&str> = script.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with(comment)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_script() {
        let source = Source { path: Some("/data/it's $(rm -rf /).heapsnapshot".to_owned()), ..Source::default() };
        let command = reader(&Tongue::Shell, Packed::Zstd, &source, 70_000, 64);
        assert!(command[2].starts_with("f='/data/it'\\''s $(rm -rf /).heapsnapshot' "), "{}", &command[2][..80]);
        assert!(command[2].contains(" o=65536 ") && command[2].contains(" z='zstd -1 -q -c'"));
        assert!(command[2].len() < 2500, "{}", command[2].len());
        let node = reader(&Tongue::Node("node".to_owned()), Packed::Gzip, &source, 0, 64);
        let script = node.last().expect("a script");
        assert!(!script.contains('@') && script.len() < 3000, "{script}");
    }
}
