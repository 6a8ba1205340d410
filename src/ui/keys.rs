//! Which key does what: the commands' own keys with the person's on top. Which commands there are is in `catalogue`.

use std::collections::BTreeMap;

use super::command::Command;
use super::key::Key;

/// Keys by command and commands by key.
#[derive(Clone, Debug, Default)]
pub struct Keymap {
    own: BTreeMap<String, Vec<Key>>,
    shown: BTreeMap<&'static str, String>,
}

impl Keymap {
    /// The person's `own` keys on top of those of `commands`.
    pub fn new(own: BTreeMap<String, Vec<Key>>, commands: impl Iterator<Item = &'static Command>) -> Self {
        let mut map = Self { own, shown: BTreeMap::new() };
        for command in commands {
            if let Some(key) = map.shown(command) {
                map.shown.entry(command.name).or_insert(key);
            }
        }
        map
    }

    /// The keys of `command`.
    pub fn of(&self, command: &Command) -> Vec<Key> {
        match self.own.get(command.name) {
            Some(keys) => keys.clone(),
            None => command.keys.iter().filter_map(|k| Key::parse(k)).collect(),
        }
    }

    /// The key that is shown for `command`.
    pub fn shown(&self, command: &Command) -> Option<String> {
        self.of(command).first().map(ToString::to_string)
    }

    /// The key of the command called `name`, wherever it belongs; else `:name`.
    pub fn key_for(&self, name: &str) -> String {
        self.shown.get(name).cloned().unwrap_or_else(|| format!(":{name}"))
    }

    /// The command that `key` asks for among `commands`.
    pub fn find(&self, key: Key, mut commands: impl Iterator<Item = &'static Command>) -> Option<&'static Command> {
        commands.find(|c| self.of(c).contains(&key))
    }
}
