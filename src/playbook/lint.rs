//! What else a person would stumble over: names of other rooms' lists, titles that do not fit, playbooks that never end.

use unicode_width::UnicodeWidthStr;

use super::model::{Ask, Playbook, Risk};
use super::problem::Problem;
use crate::base::nearest;

/// Columns that the checklist has for a title at 80x24.
pub const TITLE_COLUMNS: usize = 40;

/// The lists of other rooms that playbooks refer to. An empty list is not checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// Acts on the cluster.
    pub acts: &'a [&'a str],
    /// Capture methods; `auto` is always known.
    pub methods: &'a [&'a str],
    /// Views and prompts that a step may open.
    pub views: &'a [&'a str],
}

/// Problems of `book`, read from `file`, that [`super::parse`] cannot know: errors where it names what does not exist,
/// warnings where a person would stumble. In the order of the file.
pub fn lint(file: &str, book: &Playbook, names: &Names<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (_, step) in book.steps() {
        let mut unknown = |what: &str, word: &str, known: &[&str]| {
            if known.is_empty() || known.contains(&word) {
                return;
            }
            let remedy = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            problems.push(Problem::error(step.pos, format!("unknown {what} `{word}` in `{}`", step.id), remedy));
        };
        match &step.ask {
            Ask::Act { act, .. } => unknown("act", act, names.acts),
            Ask::Capture { method } if method != "auto" => unknown("capture method", method, names.methods),
            _ => {}
        }
        if let Some(view) = &step.opens {
            unknown("view", view, names.views);
        }
        let width = step.title.width();
        if width > TITLE_COLUMNS {
            let what = format!("the title of `{}` has {width} columns", step.id);
            problems.push(Problem::warning(step.pos, what, format!("keep it to {TITLE_COLUMNS}; the rest belongs into `details`")));
        }
        if matches!(step.ask, Ask::Act { .. }) && step.risk == Risk::Read {
            let what = format!("`{}` acts on the cluster but its risk is `read`", step.id);
            problems.push(Problem::warning(step.pos, what, "say `risk: write` or `risk: disruptive`"));
        }
        if matches!(step.ask, Ask::Command { .. }) && step.timeout.is_none() {
            problems.push(Problem::warning(step.pos, format!("the command of `{}` may run for ever", step.id), "add `timeout: 1m`"));
        }
        for sentence in [&step.details, &step.undo] {
            if sentence.contains("TODO:") {
                problems.push(Problem::warning(step.pos, format!("`{}` still has a TODO", step.id), "finish it before the next outage"));
            }
        }
    }
    for problem in &mut problems {
        file.clone_into(&mut problem.file);
    }
    problems
}
