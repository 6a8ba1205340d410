//! What a person may set about the face.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::theme::ThemeName;

/// How the dashboard looks and which keys it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Colours: `dark`, `light`, `mono`, `high-contrast`. `NO_COLOR` in the environment means `mono`.
    pub theme: ThemeName,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// Use the mouse (wheel and click); the terminal's own selection then needs Shift.
    pub mouse: bool,
    /// Other keys, by command: `capture: ctrl-x`, or several: `note: "n a"`. Names and keys stand under `?`.
    pub keys: BTreeMap<String, String>,
}

impl Options {
    /// These options in a terminal that wants no colour (`NO_COLOR` is set and not empty) or whose locale is not UTF-8. A theme that
    /// the person `chose` for this call is kept.
    #[must_use]
    pub fn in_terminal(mut self, no_color: bool, utf8: bool, chose: bool) -> Self {
        if no_color && !chose {
            self.theme = ThemeName::Mono;
        }
        self.ascii |= !utf8;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_is_minded() {
        let plain = |no_color, utf8, chose| {
            let options = Options::default().in_terminal(no_color, utf8, chose);
            (options.theme, options.ascii)
        };
        assert_eq!(plain(false, true, false), (ThemeName::Dark, false));
        assert_eq!(plain(true, true, false), (ThemeName::Mono, false));
        assert_eq!(plain(true, true, true), (ThemeName::Dark, false), "a flag is stronger than the environment");
        assert_eq!(plain(false, false, false), (ThemeName::Dark, true));
    }
}
