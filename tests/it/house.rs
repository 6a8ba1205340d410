//! The house keeps its laws: `src/ARCHITECTURE.md` has the table of rooms, the code must fit it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../src/ARCHITECTURE.md");

/// Room → rooms it may import, from the page's table.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let set = |name: &str| -> Vec<String> {
        let line = PAGE.lines().find(|l| l.contains(&format!("*{name}* ="))).expect("the page defines its sets");
        let after = line.split(&format!("*{name}* =")).nth(1).expect("found above");
        after.split('.').next().unwrap_or("").split(',').map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
    };
    let (pure, hands) = (set("pure"), set("hands"));
    let rows: Vec<(String, String)> = PAGE
        .lines()
        .skip_while(|l| !l.starts_with("| room | what lives here"))
        .skip(2)
        .take_while(|l| l.starts_with('|'))
        .map(|l| {
            let cells: Vec<&str> = l.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_end_matches('/').to_owned(), cells[2].to_owned())
        })
        .collect();
    let all: Vec<String> = rows.iter().map(|(room, _)| room.clone()).collect();
    rows.into_iter()
        .map(|(room, may)| {
            let mut allowed = BTreeSet::new();
            for word in may.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
                match word {
                    "pure" => allowed.extend(pure.iter().cloned()),
                    "hands" => allowed.extend(hands.iter().cloned()),
                    "all" => allowed.extend(all.iter().cloned()),
                    room => {
                        allowed.insert(room.to_owned());
                    }
                }
            }
            (room, allowed)
        })
        .collect()
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a readable folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Files that exist in tests only: `#[cfg(test)] mod x;`.
fn test_only(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).expect("readable");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for pair in lines.windows(2) {
            if pair[0].starts_with("#[cfg(test)]") && pair[1].ends_with(';') {
                let name = pair[1].trim_end_matches(';').rsplit(' ').next().unwrap_or("").to_owned();
                let dir = match file.file_name().and_then(|n| n.to_str()) {
                    Some("mod.rs" | "lib.rs") => file.parent().expect("in a folder").to_owned(),
                    _ => file.with_extension(""),
                };
                found.insert(dir.join(format!("{name}.rs")));
                found.insert(dir.join(&name));
            }
        }
    }
    found
}

/// Code of a file without comments and without its test module.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("readable");
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("#[cfg(test)]") && lines.peek().is_some_and(|next| next.contains("mod ") && next.trim_end().ends_with('{')) {
            break;
        }
        if !trimmed.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn product_files() -> Vec<(String, PathBuf)> {
    let files = rust_files(&src());
    let skip = test_only(&files);
    files
        .into_iter()
        .filter(|f| !skip.iter().any(|s| f.starts_with(s)))
        .filter_map(|f| {
            let inside = f.strip_prefix(src()).expect("below src").to_owned();
            let room = inside.components().next()?.as_os_str().to_str()?.to_owned();
            (inside.components().count() > 1).then_some((room, f))
        })
        .collect()
}

fn shown(file: &Path) -> String {
    file.strip_prefix(src()).unwrap_or(file).display().to_string()
}

/// Names right behind `prefix` in `code`, also those in `{…}` groups.
fn behind(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let ident = |s: &str| s.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut start = 0;
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if (c == ',' && depth == 1) || depth == 0 {
                    names.insert(ident(&group[start..i]));
                    start = i + 1;
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            names.insert(ident(rest));
        }
    }
    names.remove("");
    names
}

#[test]
fn imports_point_down() {
    let rooms = rooms();
    assert!(rooms.len() > 20, "the table of rooms was read: {:?}", rooms.keys());
    let mut wrong = Vec::new();
    for (room, file) in product_files() {
        let Some(allowed) = rooms.get(&room) else {
            wrong.push(format!("{}: the page has no room {room}", shown(&file)));
            continue;
        };
        for target in behind(&code(&file), "crate::") {
            if rooms.contains_key(&target) && target != room && !allowed.contains(&target) {
                wrong.push(format!("{}: {room} may not import {target}", shown(&file)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_src_is_a_room_and_every_room_a_folder() {
    let folders: BTreeSet<String> = fs::read_dir(src())
        .expect("src")
        .flatten()
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    let rooms: BTreeSet<String> = rooms().into_keys().collect();
    assert_eq!(folders, rooms);
}

#[test]
fn pure_rooms_ask_the_world_for_nothing() {
    let forbidden = [
        "std::fs",
        "TcpStream",
        "UdpSocket",
        "std::process",
        "std::thread",
        "tokio",
        "SystemTime::now",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "std::env",
        "rand::",
    ];
    let pure = ["base", "heap", "node", "pressure", "incident", "playbook", "source", "preflight", "report", "app"];
    let mut wrong = Vec::new();
    for (room, file) in product_files().into_iter().filter(|(room, _)| pure.contains(&room.as_str())) {
        // The clock's own implementation is the ground that everybody else is told the time by.
        if shown(&file) == "base/time.rs" {
            continue;
        }
        let code = code(&file);
        for name in forbidden.into_iter().filter(|name| code.contains(name)) {
            wrong.push(format!("{}: {room} is pure and names {name}", shown(&file)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn foreign_crates_have_owners() {
    let owners: [(&str, &[&str]); 14] = [
        ("kube::", &["cluster"]),
        ("k8s_openapi::", &["cluster", "demo"]),
        ("ratatui::", &["ui"]),
        ("crossterm::", &["ui"]),
        ("ratatui_textarea::", &["ui"]),
        ("tokio_tungstenite::", &["inspector", "demo"]),
        ("ureq::", &["notify", "metrics"]),
        ("minijinja::", &["report"]),
        ("rayon::", &["heap"]),
        ("memchr::", &["heap"]),
        ("serde_saphyr::", &["config", "playbook"]),
        ("clap::", &["cli"]),
        ("anyhow::", &["cli"]),
        ("std::fs", &["disk", "demo"]),
    ];
    let mut wrong = Vec::new();
    for (room, file) in product_files() {
        let code = code(&file);
        for (name, allowed) in owners {
            let used = code
                .match_indices(name)
                .any(|(at, _)| !code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':'));
            if used && !allowed.contains(&room.as_str()) {
                wrong.push(format!("{}: {name} belongs to {allowed:?}", shown(&file)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Modules of `dir` that `file` imports by `super::`.
#[test]
fn files_of_a_room_form_no_circle() {
    let mut edges: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for (room, file) in product_files() {
        if file.file_name().is_some_and(|n| n == "mod.rs") {
            continue;
        }
        let dir = file.parent().expect("in a folder").to_owned();
        let code = code(&file);
        let mut targets = BTreeSet::new();
        for name in behind(&code, "super::") {
            targets.insert(dir.join(format!("{name}.rs")));
        }
        for name in behind(&code, &format!("crate::{room}::")) {
            targets.insert(src().join(&room).join(format!("{name}.rs")));
        }
        targets.retain(|t| t.exists() && *t != file);
        edges.insert(file, targets);
    }
    let mut done: BTreeSet<PathBuf> = BTreeSet::new();
    for start in edges.keys() {
        let mut path: Vec<(PathBuf, Vec<PathBuf>)> = vec![(start.clone(), edges[start].iter().cloned().collect())];
        while let Some((file, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                done.insert(file.clone());
                path.pop();
                continue;
            };
            if let Some(at) = path.iter().position(|(f, _)| *f == next) {
                let circle: Vec<String> = path[at..].iter().map(|(f, _)| shown(f)).collect();
                panic!("a circle of files: {} → {}", circle.join(" → "), shown(&next));
            }
            if !done.contains(&next) {
                let targets = edges.get(&next).map(|t| t.iter().cloned().collect()).unwrap_or_default();
                path.push((next, targets));
            }
        }
    }
}

#[test]
fn every_file_of_a_list_is_in_its_list() {
    let lists = [
        "heap/recognise",
        "heap/suspects",
        "cluster/acts",
        "capture/methods",
        "notify/channels",
        "metrics/sources",
        "playbook/steps",
        "report/formats",
        "cli/verbs",
        "ui/views",
        "ui/prompts",
    ];
    let mut wrong = Vec::new();
    for list in lists {
        let dir = src().join(list);
        if !dir.exists() {
            wrong.push(format!("{list}: the list has no folder"));
            continue;
        }
        let door = code(&dir.join("mod.rs"));
        for file in rust_files(&dir).into_iter().filter(|f| f.parent() == Some(&dir)) {
            let name = file.file_stem().and_then(|n| n.to_str()).unwrap_or("").to_owned();
            if name != "mod" && !door.contains(&format!("mod {name};")) {
                wrong.push(format!("{list}/{name}.rs is not in the list"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
