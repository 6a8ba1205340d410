//! How a postmortem is laid out. To add a format: a file with its `FORMAT`, a line here.

mod escape;
mod json;
mod markdown;

use super::document::Document;

pub(super) use escape::inline;

/// A layout of the postmortem.
pub struct Format {
    /// Name on the command line.
    pub name: &'static str,
    /// Ending of the file's name.
    pub extension: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Lays it out; a template of the user's may stand in for the built-in one where the format has one.
    pub render: fn(&Document, Option<&str>) -> Result<String, TemplateError>,
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template has an error in line {line}: {what}")]
pub struct TemplateError {
    /// Line of the template, from 1; 0 when it is not known.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// All formats; the first is the default.
pub static FORMATS: &[&Format] = &[&markdown::FORMAT, &json::FORMAT];

/// The text of the built-in markdown template, to start an own one from.
pub const TEMPLATE: &str = markdown::TEMPLATE;
