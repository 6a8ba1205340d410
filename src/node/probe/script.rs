//! The commands of the probe. One script for images with a shell, one for those that have only Node.

const SHELL: &str = include_str!("probe.sh");
const NODE: &str = include_str!("probe.js");

/// Where Node is found in images without a shell, in the order to be tried: on PATH, as process 1, where distroless
/// images and the usual ones have it.
pub const NODE_PATHS: [&str; 4] = ["node", "/proc/1/exe", "/nodejs/bin/node", "/usr/local/bin/node"];

/// The command for images with a shell. `token` frames the sections: give a fresh one of letters and digits, so that
/// no process can fake a frame by its command line.
pub fn shell_probe(token: &str) -> Vec<String> {
    vec!["sh".to_owned(), "-c".to_owned(), with_token(SHELL, '#', token)]
}

/// Undoes what `NODE_OPTIONS` may force on a helper in the pod and cannot be unset without a shell: profiles and trace
/// files at exit, an inspector, another module system. All five majors take these flags, also where there is nothing to
/// undo. The heap stays small, for it lives in the memory of the pod.
pub const HELPER_FLAGS: [&str; 7] = [
    "--no-heap-prof",
    "--no-cpu-prof",
    "--no-inspect",
    "--trace-event-file-pattern=/dev/null",
    "--input-type=commonjs",
    "--max-old-space-size=32",
    "--max-semi-space-size=1",
];

/// The command for images with Node alone; `node` is one of [`NODE_PATHS`].
pub fn node_probe(node: &str, token: &str) -> Vec<String> {
    let flags = HELPER_FLAGS.into_iter().map(str::to_owned);
    [node.to_owned()].into_iter().chain(flags).chain(["-e".to_owned(), with_token(NODE, '/', token)]).collect()
}

/// Drops comments and indents, which only people need: the command travels in a URL.
fn with_token(script: &str, comment: char, token: &str) -> String {
    let token: String = token.chars().filter(char::is_ascii_alphanumeric).collect();
    let lines: Vec<&str> = script.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with(comment)).collect();
    lines.join("\n").replace("@TOKEN@", &token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_fit_into_a_request_line_and_leave_no_files() {
        for command in [shell_probe("abc"), node_probe("node", "abc")] {
            let script = command.last().expect("a script");
            // Proxies in front of an API server often stop at 8 KB of request line; escaping adds about a third.
            assert!(script.len() < 4600, "{} bytes", script.len());
            assert!(!script.contains("@TOKEN@"));
        }
        let shell = &shell_probe("abc")[2];
        // Only /dev/null may be written to.
        for (at, _) in shell.match_indices('>') {
            let rest = shell[at + 1..].trim_start();
            assert!(rest.starts_with("/dev/null"), "writes: {}", &shell[at..(at + 20).min(shell.len())]);
        }
        for word in ["writeFile", "mkdir", "unlink", "rm "] {
            assert!(!node_probe("node", "abc").concat().contains(word) && !shell.contains(word), "{word}");
        }
    }

    #[test]
    fn a_token_cannot_break_out() {
        assert!(shell_probe("a'; rm -rf / #")[2].starts_with("T=armrf\n"));
    }
}
