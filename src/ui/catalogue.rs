//! All commands: those that hold everywhere and those of the views; whether their keys fit together.

use std::collections::{BTreeMap, HashMap};

use super::command::Command;
use super::key::Key;
use super::keys::Keymap;
use super::views::VIEWS;
use super::widgets::cursor::Cursor;
use crate::base::{Trouble, TroubleKind};

/// Commands of the program itself.
pub const PROGRAM: &[Command] = &[
    Command::new("help", &["?", "F1"], "show the keys that work here").shown("help"),
    Command::new("palette", &[":"], "run a command or open a view by its name").shown("commands"),
    Command::new("filter", &["/"], "filter what is listed: words, !not").shown("filter"),
    Command::new("back", &["esc"], "leave what is open, then the view"),
    Command::new("close", &["q"], "close the view; on the overview: quit"),
    Command::new("next-pane", &["tab"], "next pane or tab"),
    Command::new("pane-before", &["S-tab"], "pane or tab before"),
    Command::new("cancel", &["ctrl-c"], "cancel the newest job; twice: quit"),
    Command::new("refresh", &["ctrl-r"], "load the rollout history anew"),
    Command::new("redraw", &["ctrl-l"], "draw the screen anew"),
    Command::new("suspend", &["ctrl-z"], "back to the shell; fg returns"),
    Command::new("quit", &[], "leave; the journal is on disk"),
    Command::new("theme", &[], "change colours: dark, light, mono, high-contrast"),
    Command::new("messages", &["ctrl-g"], "the last messages and running jobs"),
];

/// Commands about the incident: they work in every view.
pub const INCIDENT: &[Command] = &[
    Command::new("declare", &["!"], "declare the incident; later: its severity"),
    Command::new("note", &["n"], "add a note to the timeline").shown("note"),
    Command::new("post", &["u"], "post a status update (drafted, you edit it)"),
    Command::new("timer", &["T"], "the clock: extend the cut-off or go deep"),
    Command::new("handover", &["R"], "hand over: drafted from the state, you edit it"),
    Command::new("clean-up", &["Z"], "put back or delete what acts left behind (shown first)"),
    Command::new("resolve", &["D"], "the incident is done: say what ended it"),
    Command::new("export", &["E"], "write the postmortem").shown("export"),
];

/// Commands about the pod under the cursor, or else the one under most pressure: they work in every view.
pub const POD: &[Command] = &[
    Command::new("capture", &["C"], "heap snapshot, the safest way; preflight first").shown("capture"),
    Command::new("preflight", &["v"], "find out whether a capture is safe"),
    Command::new("rollback", &["B"], "roll the workload back").shown("roll back"),
    Command::new("arm", &["A"], "wait for its death and collect all; again: disarm").shown("arm"),
    Command::new("isolate", &["I"], "take the pod out of its service, keep it alive"),
    Command::new("resize", &["M"], "raise the memory limit in place"),
    Command::new("restart", &["X"], "restart the workload, rolling"),
    Command::new("logs", &["l"], "follow the log").shown("logs"),
    Command::new("previous-logs", &["p"], "the log before the last restart"),
    Command::new("pair", &["P"], "second snapshot when it has grown, or after a time").shown("pair"),
    Command::new("detail", &["d"], "all that is known of the pod"),
];

/// The standard keys with the person's own (`command: key` or `command: "key key"`) on top.
///
/// # Errors
/// Names the command that does not exist, the key that is none, or the two commands that would share a key.
pub fn keymap(own: &BTreeMap<String, String>) -> Result<Keymap, Trouble> {
    let refuse = |what: String| {
        let remedy = "`cutoff` shows names and keys under ?; correct the entry or leave it out";
        Trouble::new(TroubleKind::Config, what, "ui.keys", remedy)
    };
    let mut parsed = BTreeMap::new();
    for (name, keys) in own {
        if !every().any(|(_, c)| c.name == name) {
            return Err(refuse(format!("no command is called {name:?}")));
        }
        let keys: Result<Vec<Key>, Trouble> =
            keys.split_whitespace().map(|key| Key::parse(key).ok_or_else(|| refuse(format!("{key:?} (for {name}) is no key")))).collect();
        parsed.insert(name.clone(), keys?);
    }
    let map = Keymap::new(parsed, every().map(|(_, c)| c));
    match conflicts(&map).first() {
        Some((place, key, one, two)) => Err(refuse(format!("{key} would be both {one} and {two} in {place}"))),
        None => Ok(map),
    }
}

/// Whether `key` is one of the program's command `name`.
pub fn is_program(map: &Keymap, key: Key, name: &str) -> bool {
    PROGRAM.iter().any(|c| c.name == name && map.of(c).contains(&key))
}

/// Keys that mean two things in one place: (view, key, command, command).
pub fn conflicts(map: &Keymap) -> Vec<(&'static str, Key, &'static str, &'static str)> {
    let mut found = Vec::new();
    let everywhere: Vec<&Command> = PROGRAM.iter().chain(INCIDENT).chain(POD).chain(VIEWS.iter().map(|e| &e.open)).collect();
    for entry in VIEWS {
        let view = (entry.make)();
        let lists: &[Command] = if view.lists() { Cursor::COMMANDS } else { &[] };
        let mut taken: HashMap<Key, &'static str> = HashMap::new();
        for command in view.commands().iter().chain(lists).chain(everywhere.iter().copied()) {
            for key in map.of(command) {
                if let Some(other) = taken.insert(key, command.name) {
                    found.push((entry.open.name, key, other, command.name));
                }
            }
        }
    }
    found
}

/// Every command with the view it belongs to; the empty name: it works everywhere.
pub fn every() -> impl Iterator<Item = (&'static str, &'static Command)> {
    let everywhere =
        PROGRAM.iter().chain(INCIDENT).chain(POD).chain(Cursor::COMMANDS).chain(VIEWS.iter().map(|e| &e.open)).map(|c| ("", c));
    let of_views = VIEWS.iter().flat_map(|entry| (entry.make)().commands().iter().map(|c| (entry.open.name, c)));
    everywhere.chain(of_views)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let map = keymap(&BTreeMap::new()).expect("the standard keys are sound");
        assert_eq!(conflicts(&map), Vec::new());
    }

    #[test]
    fn every_key_is_one_and_has_help() {
        for (view, command) in every() {
            for key in command.keys {
                assert!(Key::parse(key).is_some(), "{view} {} {key}", command.name);
            }
            assert!(!command.help.is_empty() && command.help.len() <= 58, "{} has help that fits", command.name);
            assert!(command.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", command.name);
        }
    }

    #[test]
    fn what_changes_the_cluster_or_the_incident_needs_the_shift_key() {
        for name in ["capture", "arm", "rollback", "isolate", "resize", "restart", "clean-up", "timer", "handover", "resolve", "declare"] {
            let (_, command) = every().find(|(_, c)| c.name == name).expect(name);
            assert!(command.keys.iter().all(|k| k.chars().all(|c| c.is_ascii_uppercase() || c == '!')), "{name}");
        }
    }

    #[test]
    fn a_person_may_have_other_keys() {
        let map = keymap(&own(&[("capture", "ctrl-x")])).expect("free");
        assert_eq!(map.key_for("capture"), "ctrl-x");
        assert_eq!(map.key_for("quit"), ":quit", "a command without a key is called by name");
        let clash = keymap(&own(&[("capture", "n")])).expect_err("n is the note");
        assert!(clash.what.contains("n would be both"), "{clash}");
        assert!(keymap(&own(&[("captrue", "x")])).is_err());
        assert!(keymap(&own(&[("capture", "hyper-q")])).is_err());
    }
}
