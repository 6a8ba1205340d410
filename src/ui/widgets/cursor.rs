//! A cursor in a list: where it stands, which rows are seen.

use super::super::command::Command;

/// Position in a list and the first row that is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The row under the cursor.
    pub at: usize,
    /// The first row seen.
    pub top: usize,
    height: usize,
}

impl Cursor {
    /// The commands that [`Cursor::on`] understands; every view with a list shares them.
    pub const COMMANDS: &'static [Command] = &[
        Command::new("down", &["j", "down"], "next row"),
        Command::new("up", &["k", "up"], "row before"),
        Command::new("page-down", &["pgdn", "ctrl-f"], "page down"),
        Command::new("page-up", &["pgup", "ctrl-b"], "page up"),
        Command::new("first", &["g", "home"], "first row"),
        Command::new("last", &["G", "end"], "last row"),
    ];

    /// Moves by `command` in a list of `len`; false when it is none of [`Cursor::COMMANDS`].
    pub fn on(&mut self, command: &str, len: usize) -> bool {
        let last = len.saturating_sub(1);
        let page = self.height.max(2) - 1;
        self.at = match command {
            "down" => self.at.saturating_add(1).min(last),
            "up" => self.at.saturating_sub(1),
            "page-down" => self.at.saturating_add(page).min(last),
            "page-up" => self.at.saturating_sub(page),
            "first" => 0,
            "last" => last,
            _ => return false,
        };
        true
    }

    /// Brings the cursor into a list of `len` and into the `height` rows that are seen.
    pub fn arrange(&mut self, len: usize, height: usize) {
        self.height = height;
        self.at = self.at.min(len.saturating_sub(1));
        let most = len.saturating_sub(height);
        if self.at < self.top {
            self.top = self.at;
        } else if height > 0 && self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
        self.top = self.top.min(most);
    }

    /// The rows seen of a list of `len`.
    pub fn seen(&self, len: usize) -> std::ops::Range<usize> {
        let from = self.top.min(len);
        from..len.min(from + self.height)
    }

    /// Where it stands, for a title: `3/17`, empty for an empty list.
    pub fn place(&self, len: usize) -> String {
        if len == 0 { String::new() } else { format!("{}/{len}", self.at.min(len - 1) + 1) }
    }
}

/// A text that is scrolled: only the first row seen counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// First row seen.
    pub top: usize,
    height: usize,
    len: usize,
}

impl Scroll {
    /// Moves by one of [`Cursor::COMMANDS`]; false when it is none.
    pub fn on(&mut self, command: &str) -> bool {
        let most = self.len.saturating_sub(self.height);
        let page = self.height.max(2) - 1;
        self.top = match command {
            "down" => self.top.saturating_add(1),
            "up" => self.top.saturating_sub(1),
            "page-down" => self.top.saturating_add(page),
            "page-up" => self.top.saturating_sub(page),
            "first" => 0,
            "last" => most,
            _ => return false,
        }
        .min(most);
        true
    }

    /// Tells how long the text is and how much of it is seen.
    pub fn arrange(&mut self, len: usize, height: usize) {
        self.len = len;
        self.height = height;
        self.top = self.top.min(len.saturating_sub(height));
    }

    /// Whether the end is seen.
    pub const fn at_end(&self) -> bool {
        self.top + self.height >= self.len
    }

    /// The rows seen.
    pub fn seen(&self) -> std::ops::Range<usize> {
        let from = self.top.min(self.len);
        from..self.len.min(from + self.height)
    }

    /// What is left below, for a title: empty when all is seen.
    pub fn rest(&self) -> String {
        let below = self.len.saturating_sub(self.top + self.height);
        if below == 0 { String::new() } else { format!("{below} more ↓") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_cursor_is_always_seen(
            steps in proptest::collection::vec((0usize..6, 0usize..40, 1usize..12), 1..40),
        ) {
            let mut cursor = Cursor::default();
            for (command, len, height) in steps {
                cursor.on(Cursor::COMMANDS[command].name, len);
                cursor.arrange(len, height);
                let seen = cursor.seen(len);
                proptest::prop_assert!(len == 0 || seen.contains(&cursor.at), "{cursor:?} in {len}");
                proptest::prop_assert!(len < height || seen.len() == height, "no blank rows while there are more");
            }
        }
    }
}
