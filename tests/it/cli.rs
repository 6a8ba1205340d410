//! The command line as a user meets it: exit codes, messages, JSON.

use std::path::Path;
use std::process::{Command, Output};

struct Cli {
    home: tempfile::TempDir,
}

impl Cli {
    fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a temporary directory") }
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cutoff"))
            .args(args)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("CUTOFF_WHO", "ann")
            .output()
            .expect("the binary starts")
    }

    fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8")
    }

    fn fails(&self, args: &[&str], code: i32, words: &str) {
        let out = self.run(args);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?} says nothing of {words:?}: {said}");
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).expect("a temporary file");
        path.display().to_string()
    }
}

#[test]
fn an_incident_from_declaration_to_postmortem() {
    let cli = Cli::new();
    cli.fails(&["note", "too early"], 4, "declare");
    let id = cli.ok(&["declare", "import is down", "--service", "content-import"]);
    assert!(id.trim().starts_with("INC-") && id.trim().ends_with("content-import"), "{id}");
    cli.fails(&["declare", "again"], 9, "open already");
    cli.ok(&["note", "reverted 4812, token=hunter2"]);
    let status: serde_json::Value = serde_json::from_str(&cli.ok(&["status", "--json"])).expect("JSON");
    assert_eq!(status["schema"], "cutoff.status/1");
    assert_eq!(status["open"], true);
    let page = cli.ok(&["status"]);
    assert!(page.contains("import is down"), "{page}");
    cli.ok(&["resolve", "cache keyed by id"]);
    let path = cli.ok(&["export"]);
    let text = std::fs::read_to_string(path.trim()).expect("the postmortem is there");
    assert!(text.contains("reverted 4812") && !text.contains("hunter2"), "masked: {text}");
    assert_eq!(cli.ok(&["export", "--stdout"]), text, "the same state gives the same bytes");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |p: &Path| std::fs::metadata(p).expect("there").permissions().mode() & 0o777;
        let file = Path::new(path.trim());
        assert_eq!(mode(file), 0o600);
        assert_eq!(mode(file.parent().expect("in a directory")), 0o700);
    }
}

#[test]
fn bad_input_gets_its_code_and_a_remedy() {
    let cli = Cli::new();
    let broken = cli.write("broken.yaml", "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {token: SECRET-TOKEN-123}\n");
    let out = cli.run(&["pods", "--kubeconfig", &broken]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_ne!(out.status.code(), Some(0));
    assert!(!said.contains("SECRET-TOKEN-123"), "no secret in an error: {said}");
    let nobody = cli.write(
        "nobody.yaml",
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\nusers: [{name: u, user: {}}]\n",
    );
    cli.fails(&["pods", "--kubeconfig", &nobody], 6, "127.0.0.1:9");
    cli.fails(&["status"], 4, "no open incident");
    cli.fails(&["status", "--incident", "../../etc"], 2, "no incident id");
    cli.fails(&["no-such-verb"], 2, "no-such-verb");
}

#[test]
fn the_playbook_that_comes_with_it_is_good() {
    let cli = Cli::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/node-heap-oom.yaml");
    assert!(cli.ok(&["playbook", "lint", file]).contains("good"));
    let wrong = cli.write("wrong.yaml", "version: 1\nname: x\ntitel: y\n");
    let out = cli.run(&["playbook", "lint", &wrong]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stdout).contains("wrong.yaml:3:1"), "{}", String::from_utf8_lossy(&out.stdout));
}

#[test]
fn every_verb_has_help_with_an_example() {
    let cli = Cli::new();
    let help = cli.ok(&["--help"]);
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|l| !l.starts_with("Commands:"))
        .skip(1)
        .take_while(|l| !l.trim().is_empty())
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .filter(|v| *v != "help")
        .collect();
    assert!(verbs.len() > 8, "{verbs:?}");
    for verb in verbs {
        let help = cli.ok(&[verb, "--help"]);
        assert!(help.contains("Example"), "{verb} shows no example:\n{help}");
    }
    assert!(cli.ok(&["man"]).contains(".TH cutoff"));
    assert!(cli.ok(&["completions", "bash"]).contains("cutoff"));
}
