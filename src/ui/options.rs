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
