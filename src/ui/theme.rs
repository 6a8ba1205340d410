//! Colours and their meanings. A state is always a word and a symbol too: colour only helps to find it.
//!
//! The palette is Okabe and Ito's (<https://jfly.uni-koeln.de/color/>), which people with any colour vision can tell
//! apart, in the nearest of the 256 indexed colours: those survive tmux, screen and old SSH clients.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names of the themes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// For dark terminals.
    #[default]
    Dark,
    /// For light terminals.
    Light,
    /// No colour at all, only bold, dim and reversed. Taken when `NO_COLOR` is set.
    Mono,
    /// Bright on black, for poor screens and eyes.
    HighContrast,
}

impl ThemeName {
    /// Every theme, in the order in which `:theme` offers them.
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::Mono, Self::HighContrast];

    /// The name as it is written in the config and after `--theme`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Mono => "mono",
            Self::HighContrast => "high-contrast",
        }
    }

    /// The theme called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }
}

/// What a piece of text means; the theme says how that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Less important.
    Dim,
    /// Titles and headings.
    Title,
    /// Rules and frames.
    Border,
    /// A key to press.
    Key,
    /// All is well, done.
    Good,
    /// Look here soon.
    Warn,
    /// Look here now.
    Bad,
    /// Good to know, under way.
    Info,
    /// The deep phase after the cut-off.
    Deep,
    /// The row under the cursor.
    Selected,
    /// The clock's line and the footer.
    Bar,
}

/// How things look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    name: ThemeName,
    ascii: bool,
}

impl Theme {
    /// The theme `name`; with `ascii` nothing outside ASCII reaches the screen.
    pub const fn new(name: ThemeName, ascii: bool) -> Self {
        Self { name, ascii }
    }

    /// Whether only ASCII reaches the screen.
    pub const fn is_ascii(self) -> bool {
        self.ascii
    }

    /// The style of `role`.
    pub fn style(self, role: Role) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let ink = |n: u8| plain.fg(Color::Indexed(n));
        match (self.name, role) {
            (ThemeName::HighContrast, Role::Text) => plain.fg(Color::Indexed(15)),
            (_, Role::Text) => plain,
            (ThemeName::Mono, Role::Dim | Role::Border) => plain.add_modifier(Modifier::DIM),
            (ThemeName::Mono, Role::Title | Role::Key | Role::Warn | Role::Deep) => bold,
            (ThemeName::Mono, Role::Good | Role::Info) => plain,
            (ThemeName::Mono, Role::Bad | Role::Selected | Role::Bar) => bold.add_modifier(Modifier::REVERSED),
            (ThemeName::Dark, Role::Dim) => ink(246),
            (ThemeName::Dark, Role::Border) => ink(240),
            (ThemeName::Dark, Role::Title) => bold.fg(Color::Indexed(255)),
            (ThemeName::Dark, Role::Key) => bold.fg(Color::Indexed(227)),
            (ThemeName::Dark, Role::Good) => ink(43),
            (ThemeName::Dark, Role::Warn) => ink(214),
            (ThemeName::Dark, Role::Bad) => bold.fg(Color::Indexed(202)),
            (ThemeName::Dark, Role::Info) => ink(74),
            (ThemeName::Dark, Role::Deep) => bold.fg(Color::Indexed(175)),
            (ThemeName::Dark, Role::Selected) => bold.fg(Color::Indexed(231)).bg(Color::Indexed(238)),
            (ThemeName::Dark, Role::Bar) => plain.fg(Color::Indexed(252)).bg(Color::Indexed(235)),
            (ThemeName::Light, Role::Dim) => ink(242),
            (ThemeName::Light, Role::Border) => ink(248),
            (ThemeName::Light, Role::Title) => bold.fg(Color::Indexed(16)),
            (ThemeName::Light, Role::Key) => bold.fg(Color::Indexed(25)),
            (ThemeName::Light, Role::Good) => ink(29),
            // Okabe and Ito's orange and vermilion are too pale on white; these are the same hues, darker.
            (ThemeName::Light, Role::Warn) => ink(94),
            (ThemeName::Light, Role::Bad) => bold.fg(Color::Indexed(160)),
            (ThemeName::Light, Role::Info) => ink(25),
            (ThemeName::Light, Role::Deep) => bold.fg(Color::Indexed(90)),
            (ThemeName::Light, Role::Selected) => bold.fg(Color::Indexed(16)).bg(Color::Indexed(252)),
            (ThemeName::Light, Role::Bar) => plain.fg(Color::Indexed(16)).bg(Color::Indexed(254)),
            (ThemeName::HighContrast, Role::Dim | Role::Border) => ink(250),
            (ThemeName::HighContrast, Role::Title) => bold.fg(Color::Indexed(15)),
            (ThemeName::HighContrast, Role::Key) => bold.fg(Color::Indexed(226)),
            (ThemeName::HighContrast, Role::Good) => bold.fg(Color::Indexed(48)),
            (ThemeName::HighContrast, Role::Warn) => bold.fg(Color::Indexed(226)),
            (ThemeName::HighContrast, Role::Bad) => bold.fg(Color::Indexed(16)).bg(Color::Indexed(208)),
            (ThemeName::HighContrast, Role::Info) => bold.fg(Color::Indexed(51)),
            (ThemeName::HighContrast, Role::Deep) => bold.fg(Color::Indexed(219)),
            (ThemeName::HighContrast, Role::Selected) => bold.fg(Color::Indexed(16)).bg(Color::Indexed(226)),
            (ThemeName::HighContrast, Role::Bar) => bold.fg(Color::Indexed(15)).bg(Color::Indexed(18)),
        }
    }

    /// Makes the finished frame fit the terminal. Mono: no colour whatever a widget set, since crossterm 0.29 answers
    /// to a colour under `NO_COLOR` with an empty sequence that switches reversed and bold off. ASCII: every other
    /// character becomes the nearest ASCII one.
    pub fn finish(self, buf: &mut Buffer) {
        for cell in &mut buf.content {
            if self.name == ThemeName::Mono {
                cell.fg = Color::Reset;
                cell.bg = Color::Reset;
            }
            if self.name == ThemeName::HighContrast && cell.bg == Color::Reset {
                cell.bg = Color::Indexed(16);
            }
            if self.ascii && !cell.symbol().is_ascii() {
                let plain = cell.symbol().chars().next().map_or('?', nearest_ascii);
                cell.set_char(plain);
            }
        }
    }
}

fn nearest_ascii(c: char) -> char {
    match c {
        '─' | '━' | '═' | '╌' | '–' | '—' | '−' | '‐' => '-',
        '│' | '┃' | '║' | '▏' | '▐' | '▌' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╔' | '╗' | '╚' | '╝' | '╭' | '╮' | '╰' | '╯' => {
            '+'
        }
        '●' | '◉' | '•' | '◆' => '*',
        '○' | '◌' | '◇' => 'o',
        '◎' => '@',
        '▲' | '△' => '!',
        '✖' | '✗' | '×' | '✘' => 'x',
        '✔' | '✓' => 'v',
        '▶' | '→' | '▸' | '»' | '›' => '>',
        '◀' | '←' | '«' | '‹' => '<',
        '↑' | '▴' => '^',
        '↓' | '▾' | '▼' => 'v',
        '↻' | '⟳' => '@',
        '…' => '~',
        '·' | '░' | '∙' => '.',
        '█' | '▓' | '▇' | '■' => '#',
        '▆' => '*',
        '▅' => '+',
        '▄' | '▀' => '=',
        '▃' => '-',
        '▒' => ':',
        '▂' => '.',
        '▁' => '_',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        '≥' => '>',
        '≤' => '<',
        '≈' => '~',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for theme in ThemeName::ALL {
            assert_eq!(ThemeName::parse(theme.name()), Some(theme));
        }
        assert_eq!(ThemeName::parse("solarized"), None);
    }

    #[test]
    fn mono_sets_no_colour_anywhere() {
        let roles = [Role::Text, Role::Dim, Role::Title, Role::Border, Role::Key, Role::Good, Role::Warn, Role::Bad];
        for role in roles.into_iter().chain([Role::Info, Role::Deep, Role::Selected, Role::Bar]) {
            let style = Theme::new(ThemeName::Mono, false).style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }
}
