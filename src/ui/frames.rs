//! Frames: every view and every prompt at three sizes, as text and as styles, against what was reviewed
//! (`src/ui/frames/*.txt`, rewritten with `UPDATE=1`). A view or prompt without a scene here fails.

#![allow(clippy::disallowed_methods, reason = "reads and rewrites the reviewed frames")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::face::Face;
use super::input::Input;
use super::key::Key;
use super::options::Options;
use super::story::Night;
use super::theme::ThemeName;
use super::views::VIEWS;
use crate::preflight::Risk;

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

/// A scene: its name, the night, the keys pressed in it.
type Scene = (&'static str, fn() -> Night, &'static str);

const SCENES: &[Scene] = &[
    ("overview-connecting", Night::empty, ""),
    ("overview-watched", Night::watched, ""),
    ("overview", Night::found, ""),
    ("pods", Night::declared, "2 j"),
    ("logs-view", Night::logged, "3"),
    ("captures", Night::found, "4 k"),
    ("captures-planned", Night::planned, "4 k k"),
    ("captures-killed", Night::killed_empty, "4"),
    ("pods-armed", Night::armed, "2 space"),
    ("analysis", Night::found, "5"),
    ("analysis-classes", Night::found, "5 tab"),
    ("analysis-dominators", Night::found, "5 tab tab j j enter"),
    ("analysis-object", Night::found, "5 tab tab tab"),
    ("timeline", Night::found, "6"),
    ("playbook", Night::found, "7"),
    ("comms", Night::found, "8"),
    ("changes", Night::declared, "9"),
    ("changes-left", Night::left, "9"),
    ("form-leftovers", Night::left, "Z"),
    ("pod-ways", || Night::surveyed(Risk::WouldKill), "2 enter"),
    ("postmortem", Night::found, "0"),
    ("pod", Night::found, "2 enter"),
    ("resolved", Night::resolved, ""),
    ("help", Night::declared, "?"),
    ("messages", Night::found, "ctrl-g"),
    ("palette", Night::declared, ": c a"),
    ("filter", Night::declared, "2 / p r o x y"),
    ("prompt-cutoff", Night::cut_off, ""),
    ("prompt-cutoff-deep", Night::cut_off, "d"),
    ("prompt-cutoff-extend", Night::cut_off, "e o n e"),
    ("prompt-act", || Night::asked(None), ""),
    ("prompt-act-named", || Night::asked(Some("content-import")), "c o n"),
    ("prompt-risk", || Night::risky(Risk::Risky), ""),
    ("prompt-risk-kill", || Night::risky(Risk::WouldKill), "K"),
    ("prompt-ready", Night::ready, ""),
    ("prompt-journal", Night::unwritten, ""),
    ("prompt-arm", Night::arming, ""),
    ("prompt-disarm", Night::disarming, ""),
    ("form-declare", Night::watched, "!"),
    ("form-severity", Night::declared, "!"),
    ("form-note", Night::declared, "n h i"),
    ("form-pair", Night::found, "P"),
    ("form-post", Night::declared, "u"),
    ("form-handover", Night::declared, "R"),
    ("form-resolve", Night::declared, "D"),
    ("form-timer", Night::declared, "T"),
    ("form-skip", Night::declared, "7 s"),
    ("form-quit", Night::declared, "q"),
];

fn face(theme: ThemeName, ascii: bool) -> Face {
    Face::new(&Options { theme, ascii, ..Options::default() }).expect("the standard keys are sound")
}

fn played(scene: &Scene, theme: ThemeName, ascii: bool, (w, h): (u16, u16)) -> Buffer {
    let (_, night, keys) = scene;
    let night = night();
    let mut face = face(theme, ascii);
    let area = Rect::new(0, 0, w, h);
    let mut buf = Buffer::empty(area);
    face.paint(&night.model, &night.shelf, area, &mut buf);
    for key in keys.split_whitespace() {
        face.handle(&night.model, &night.shelf, Input::Key(Key::parse(key).expect("a key")));
        // Cursors are brought into their lists while drawing, as on the screen.
        buf = Buffer::empty(area);
        face.paint(&night.model, &night.shelf, area, &mut buf);
    }
    buf
}

fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buf.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buf[(x, y)].symbol();
            skip = super::widgets::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// One letter a style, with a legend: what text alone does not show.
fn styles(buf: &Buffer) -> String {
    let mut names: BTreeMap<String, char> = BTreeMap::new();
    let mut grid = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        for x in 0..buf.area.width {
            let cell = &buf[(x, y)];
            let style = format!("{:?} on {:?} {:?}", cell.fg, cell.bg, cell.modifier);
            let plain = cell.fg == Color::Reset && cell.bg == Color::Reset && cell.modifier.is_empty();
            let next = u8::try_from(names.len()).expect("few styles");
            let letter = if plain || cell.symbol() == " " && cell.bg == Color::Reset {
                ' '
            } else {
                *names.entry(style).or_insert((b'a' + next) as char)
            };
            line.push(letter);
        }
        grid.push_str(line.trim_end());
        grid.push('\n');
    }
    let mut legend: Vec<(char, String)> = names.into_iter().map(|(style, letter)| (letter, style)).collect();
    legend.sort();
    for (letter, style) in legend {
        writeln!(grid, "{letter}: {style}").expect("a String takes it");
    }
    grid
}

fn frames(scene: &Scene) -> String {
    let mut out = String::new();
    for size in SIZES {
        let dark = played(scene, ThemeName::Dark, false, size);
        writeln!(out, "== {}x{}\n{}", size.0, size.1, text(&dark)).expect("a String takes it");
        if size == (80, 24) {
            writeln!(out, "== 80x24 ascii\n{}", text(&played(scene, ThemeName::Dark, true, size))).expect("a String takes it");
            writeln!(out, "== 80x24 styles\n{}", styles(&dark)).expect("a String takes it");
        }
    }
    out
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/ui/frames").join(format!("{name}.txt"))
}

#[test]
fn frames_are_as_they_were_reviewed() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for scene in SCENES {
        let now = frames(scene);
        let path = place(scene.0);
        if update {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(&path, now).expect("writable");
            continue;
        }
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some((a, b)) = before.lines().zip(now.lines()).find(|(a, b)| a != b).or((before != now).then_some(("", "(length)"))) {
            wrong.push(format!("{}: reviewed {a:?}, drawn {b:?}", scene.0));
        }
    }
    assert!(wrong.is_empty(), "UPDATE=1 cargo test ui:: rewrites them; review the difference:\n{}", wrong.join("\n"));
}

#[test]
fn every_view_has_frames() {
    for entry in VIEWS {
        let shown = SCENES.iter().any(|(name, _, _)| *name == entry.open.name || name.starts_with(&format!("{}-", entry.open.name)));
        assert!(shown, "the view {} needs a scene in frames.rs", entry.open.name);
    }
    let scenes: std::collections::BTreeSet<&str> = SCENES.iter().map(|s| s.0).collect();
    assert_eq!(scenes.len(), SCENES.len(), "scenes have names of their own");
    if std::env::var_os("UPDATE").is_some() {
        return;
    }
    for file in std::fs::read_dir(place("x").parent().expect("a folder")).expect("frames are there") {
        let file = file.expect("readable").file_name();
        let name = file.to_str().and_then(|f| f.strip_suffix(".txt")).expect("text files");
        assert!(scenes.contains(name), "{name}.txt belongs to no scene");
    }
}

#[test]
fn every_scene_shows_what_its_name_says() {
    for scene in SCENES {
        let night = scene.1();
        let mut face = face(ThemeName::Dark, false);
        for key in scene.2.split_whitespace() {
            face.handle(&night.model, &night.shelf, Input::Key(Key::parse(key).expect("a key")));
        }
        if VIEWS.iter().any(|e| e.open.name == scene.0) {
            assert_eq!(face.shown(), scene.0);
        }
        assert_eq!(scene.0.starts_with("prompt-"), night.model.prompt().is_some(), "{}", scene.0);
    }
}

#[test]
fn mono_has_no_colour_and_the_same_words() {
    for scene in SCENES {
        let (dark, mono) = (played(scene, ThemeName::Dark, false, (80, 24)), played(scene, ThemeName::Mono, false, (80, 24)));
        assert_eq!(text(&dark), text(&mono), "{}: no meaning by colour alone", scene.0);
        assert!(mono.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset), "{}", scene.0);
    }
}

#[test]
fn ascii_is_ascii() {
    for scene in SCENES {
        let drawn = text(&played(scene, ThemeName::Light, true, (80, 24)));
        assert!(drawn.is_ascii(), "{}:\n{drawn}", scene.0);
    }
}

#[test]
fn the_clock_is_on_every_frame() {
    for scene in SCENES {
        for size in SIZES {
            let drawn = text(&played(scene, ThemeName::Dark, false, size));
            let first = drawn.lines().next().expect("a line");
            assert!(first.contains("T+") || first.contains("NO INCIDENT"), "{} {size:?}: {first}", scene.0);
        }
    }
}

#[test]
fn nothing_from_outside_is_obeyed() {
    for scene in SCENES {
        let drawn = played(scene, ThemeName::Dark, false, (120, 40));
        for cell in &drawn.content {
            assert!(!cell.symbol().chars().any(char::is_control), "{}: {:?}", scene.0, cell.symbol());
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 60, ..Default::default() })]
    #[test]
    fn no_size_is_too_small_or_odd(w in 1u16..170, h in 1u16..60, scene in 0..SCENES.len(), ascii: bool) {
        played(&SCENES[scene], ThemeName::HighContrast, ascii, (w, h));
    }
}

#[test]
fn a_small_terminal_still_shows_the_clock() {
    let scene = SCENES.iter().find(|s| s.0 == "overview").expect("the overview");
    for size in [(59, 24), (80, 19), (30, 4)] {
        let drawn = text(&played(scene, ThemeName::Dark, false, size));
        assert!(drawn.contains("T+00:") && drawn.contains("too small"), "{drawn}");
    }
    for size in [(1, 1), (2, 1), (1, 50)] {
        played(scene, ThemeName::Dark, false, size);
    }
}
