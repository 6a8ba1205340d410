//! A command: its name, its keys and what it does. Help, palette and footer are made from these.

/// Something that can be asked for by a key or by its name after `:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Name after `:`, in words joined by `-`.
    pub name: &'static str,
    /// Its keys, the one that is shown first.
    pub keys: &'static [&'static str],
    /// What it does, in a few words.
    pub help: &'static str,
    /// The word in the footer; empty: it is not shown there.
    pub short: &'static str,
}

impl Command {
    /// A command that the footer does not show.
    pub const fn new(name: &'static str, keys: &'static [&'static str], help: &'static str) -> Self {
        Self { name, keys, help, short: "" }
    }

    /// The same command, shown in the footer as `short`.
    #[must_use]
    pub const fn shown(mut self, short: &'static str) -> Self {
        self.short = short;
        self
    }

    /// Whether it changes the cluster or the incident: those have upper-case keys.
    pub fn changes(&self) -> bool {
        self.keys.iter().any(|k| k.len() == 1 && k.chars().all(|c| c.is_ascii_uppercase() && c != 'G'))
    }
}
