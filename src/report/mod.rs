//! Words for people: the verdict sentence, event lines, posts, handover, postmortem formats, charts.

mod chart;
mod document;
mod event;
mod finding;
mod formats;
mod handover;
mod postmortem;
mod posts;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

pub use chart::chart;
pub use document::{Claim, Document, document};
pub use event::{Class, EventLine, event_line};
pub use finding::{code_age, finding, large};
pub use formats::{FORMATS, Format, TEMPLATE, TemplateError};
pub use handover::status_md;
pub use postmortem::{Export, ExportOptions, postmortem};
pub use posts::{draft, name as post_name};
pub use verdict::{age_words, verdict_age, verdict_sentence};
