//! `cutoff analyze` and `cutoff redact` as a person calls them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::oracle::fixture;

fn cutoff(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cutoff")).args(args).env_remove("CUTOFF_CONFIG").output().expect("the binary starts")
}

fn snapshot(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshots").join(name).display().to_string()
}

fn json(args: &[&str]) -> Value {
    let out = cutoff(args);
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))
}

#[test]
fn two_snapshots_name_the_leak_in_the_first_line_and_in_json() {
    let (before, after) = (snapshot("node22-0.heapsnapshot.gz"), snapshot("node22-1.heapsnapshot.gz"));
    let out = cutoff(&["analyze", &before, &after]);
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && text.starts_with("parsedContentCache (a Map) at src/nest-content-import.js:20 grows"), "{text}");
    let said = json(&["analyze", &before, &after, "--json"]);
    assert_eq!(said["schema"], "cutoff.analysis/1");
    assert_eq!(said["snapshot"]["kind"], "normal");
    assert_eq!(said["snapshot"]["node_version"], "v22.23.3");
    let first = &said["suspects"][0];
    assert_eq!(said["verdict"], first["headline"]);
    for (key, value) in
        [("holder", "parsedContentCache"), ("holder_kind", "map"), ("growing_class", "ImportedContent"), ("confidence", "high")]
    {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(first["location"]["line"], 20);
    assert!(first["path"].as_array().is_some_and(|p| !p.is_empty()));
    assert!(said["classes"].as_array().is_some_and(|c| c.len() > 100), "all classes");
}

#[test]
fn the_age_of_the_code_clears_the_patches_of_today() {
    let dir = tempfile::tempdir().expect("a folder");
    let git = |date: &str, args: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(dir.path())
            .args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .status();
        assert!(done.expect("git").success());
    };
    let program = include_str!("../leaks/nest-content-import.js");
    std::fs::create_dir(dir.path().join("src")).expect("made");
    std::fs::write(dir.path().join("src/nest-content-import.js"), program).expect("written");
    git("2026-04-01T10:00:00Z", &["init", "-q"]);
    git("2026-04-01T10:00:00Z", &["add", "-A"]);
    git("2026-04-01T10:00:00Z", &["commit", "-q", "-m", "Cache what was parsed"]);
    for n in ["one", "two", "three"] {
        std::fs::write(dir.path().join(n), n).expect("written");
        git("2026-11-24T09:00:00Z", &["add", "-A"]);
        git("2026-11-24T09:00:00Z", &["commit", "-q", "-m", n]);
    }
    let repo = dir.path().display().to_string();
    let said = json(&["analyze", &snapshot("node22-1.heapsnapshot.gz"), "--json", "--repo", &repo]);
    let age = &said["suspects"][0]["age"];
    assert_eq!((&age["older_than"], &age["changes"], &age["file"]), (&3.into(), &3.into(), &"src/nest-content-import.js".into()));
}

#[test]
fn what_is_no_snapshot_exits_4_and_what_is_cut_8() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let whole = fixture("node22-1.heapsnapshot.gz");
    let cases = [
        (file("empty", b""), 4),
        (file("other.json", b"{\"a\": 1}"), 4),
        (file("cut.heapsnapshot", &whole[..whole.len() / 2]), 8),
        (file("cut-in-strings.heapsnapshot", &whole[..whole.len() - 100]), 8),
        (dir.path().join("missing"), 4),
    ];
    for (path, code) in cases {
        let out = cutoff(&["analyze", &path.display().to_string()]);
        assert_eq!(out.status.code(), Some(code), "{}: {}", path.display(), String::from_utf8_lossy(&out.stderr));
        assert!(code == 8 || !out.stderr.is_empty(), "a remedy for {}", path.display());
    }
}

#[test]
fn a_redacted_copy_has_the_same_numbers_and_no_texts() {
    let dir = tempfile::tempdir().expect("a folder");
    let copy = dir.path().join("copy.heapsnapshot").display().to_string();
    let original = snapshot("node22-1.heapsnapshot.gz");
    let out = cutoff(&["redact", &original, "-o", &copy]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(&copy).expect("the copy");
    assert!(!text.contains("partner-feed-v2") && !text.contains("lorem ipsum"), "texts are gone");
    assert!(text.contains("parsedContentCache") && text.contains("ImportedContent"), "names stay");
    let digests = |file: &str| cutoff(&["analyze", file, "--digests"]).stdout;
    assert_eq!(digests(&original), digests(&copy));
    assert_eq!(cutoff(&["redact", &original, "-o", &copy]).status.code(), Some(9), "it overwrites nothing");
}
