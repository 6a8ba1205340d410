//! `cutoff analyze` and `cutoff redact` as a person calls them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::oracle::fixture;

fn cutoff(args: &[&str]) -> Output {
    static CACHE: OnceLock<TempDir> = OnceLock::new();
    cutoff_with(CACHE.get_or_init(|| tempfile::tempdir().expect("a folder")).path(), args)
}

/// With a cache of its own.
fn cutoff_with(cache: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutoff"));
    command.args(args).env_remove("CUTOFF_CONFIG").env("CUTOFF_CACHE_DIR", cache).output().expect("the binary starts")
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

#[test]
fn what_was_analysed_once_opens_without_being_read() {
    let (dir, cache) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let path = dir.path().join("heap.heapsnapshot");
    let whole = fixture("node22-1.heapsnapshot.gz");
    std::fs::write(&path, &whole).expect("written");
    let file = path.display().to_string();
    let entries = || -> Vec<PathBuf> {
        let found = std::fs::read_dir(cache.path().join("heap")).expect("the cache").flatten();
        let mut found: Vec<PathBuf> = found.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "index")).collect();
        found.sort();
        found
    };
    let ask = |more: &[&str]| {
        let out = cutoff_with(cache.path(), &[&["analyze", file.as_str(), "--json"], more].concat());
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("JSON")
    };
    let anew = |more: &[&str]| ask(&[&["--no-cache"], more].concat());
    let first = anew(&[]);
    assert!(!cache.path().join("heap").exists(), "--no-cache keeps nothing");
    assert_eq!(ask(&[]), first);
    assert_eq!(entries().len(), 1, "the summary");
    let questions: [&[&str]; 5] = [&["--class", "ImportedContent"], &["--dominators"], &["--strings"], &["--digests"], &["--top", "3"]];
    for question in questions {
        let fresh = anew(question);
        assert_eq!((ask(question), ask(question)), (fresh.clone(), fresh), "{question:?}");
    }
    assert_eq!(entries().len(), 2, "the summary and the index");
    #[cfg(unix)]
    for entry in entries() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&entry).expect("an entry").permissions().mode() & 0o777, 0o600);
    }
    // Damage in the middle, with the same size and time: only who reads the file can see it.
    let modified = std::fs::metadata(&path).expect("the file").modified().expect("a time");
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle..middle + 100].fill(b'x');
    let write = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("written");
        std::fs::File::options().write(true).open(&path).and_then(|f| f.set_modified(modified)).expect("its time");
    };
    write(&damaged);
    assert_eq!(ask(&[]), first, "it was not read");
    assert_eq!(ask(&["--class", "Map"]), ask(&["--class", "Map"]), "nor for a question to its graph");
    assert_eq!(cutoff_with(cache.path(), &["analyze", &file, "--no-cache"]).status.code(), Some(8), "it is damaged");
    std::fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|f| f.set_modified(modified - std::time::Duration::from_secs(5)))
        .expect("its time");
    assert_eq!(cutoff_with(cache.path(), &["analyze", &file]).status.code(), Some(8), "written again: read again");
    write(&whole);
    assert_eq!(ask(&[]), first);
    for entry in entries() {
        let bytes = std::fs::read(&entry).expect("an entry");
        std::fs::write(&entry, &bytes[..bytes.len() - 1]).expect("cut");
    }
    assert_eq!((ask(&["--class", "Map"]), ask(&[])), (anew(&["--class", "Map"]), first), "a damaged cache is made anew");
}

#[test]
fn packed_files_and_pipes_say_the_same() {
    use std::io::Write;
    let dir = tempfile::tempdir().expect("a folder");
    let whole = fixture("node24-1.heapsnapshot.gz");
    let (first, second) = whole.split_at(whole.len() / 3);
    let frame = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    // Several frames, and one to be skipped before them.
    let zstd = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], frame(first).as_slice(), frame(second).as_slice()].concat();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.display().to_string()
    };
    let plain = write("heap.heapsnapshot", &whole);
    let said = |mut said: Value| {
        for snapshot in [&mut said["snapshot"].clone(), &mut said["snapshots"][0].clone()] {
            assert!(snapshot["sha256"].as_str().is_some_and(|s| s.len() == 64));
        }
        for of in ["snapshot", "snapshots"] {
            let of = if of == "snapshot" { &mut said[of] } else { &mut said[of][0] };
            ["file", "bytes", "sha256"].iter().for_each(|key| of[*key] = Value::Null);
        }
        said
    };
    let expected = said(json(&["analyze", &plain, "--json"]));
    for packed in [write("heap.zst", &zstd), snapshot("node24-1.heapsnapshot.gz")] {
        assert_eq!(said(json(&["analyze", &packed, "--json"])), expected, "{packed}");
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_cutoff"))
        .args(["analyze", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(&zstd).expect("it reads");
    let out = child.wait_with_output().expect("it ends");
    assert_eq!(said(serde_json::from_slice(&out.stdout).expect("JSON")), expected, "a pipe");
    // A packed file that was cut gives what it has.
    let cut = write("cut.zst", &zstd[..zstd.len() * 3 / 4]);
    assert_eq!(cutoff(&["analyze", &cut]).status.code(), Some(8));
}
