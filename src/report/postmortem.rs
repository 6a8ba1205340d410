//! The postmortem as files: the page and its chart.

use super::chart::chart;
use super::document::document;
use super::formats::{FORMATS, Format, TemplateError};
use crate::incident::State;

/// What an export is made with.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportOptions<'a> {
    /// Name of the format; empty: markdown.
    pub format: &'a str,
    /// A template of the user's in place of the built-in one.
    pub template: Option<&'a str>,
    /// Hash of the journal's last line, if the caller knows it.
    pub journal: &'a str,
}

/// A postmortem, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// File name of the page: `INC-….md`.
    pub file: String,
    /// The page.
    pub markdown: String,
    /// File name of the chart: `INC-….svg`; the page refers to it.
    pub svg_file: String,
    /// The chart; `None` while no memory was recorded.
    pub svg: Option<String>,
}

/// The postmortem of `state`. The same state and options give the same bytes.
///
/// # Errors
/// Only with a template of the user's: says in which line it is wrong.
pub fn postmortem(state: &State, options: &ExportOptions<'_>) -> Result<Export, TemplateError> {
    let format: &Format = FORMATS.iter().find(|format| format.name == options.format).unwrap_or(&FORMATS[0]);
    let svg = chart(state);
    let svg_file = format!("{}.svg", state.id);
    let page = document(state, options.journal, svg.as_ref().map(|_| svg_file.as_str()));
    let markdown = (format.render)(&page, options.template)?;
    Ok(Export { file: format!("{}.{}", state.id, format.extension), markdown, svg_file, svg })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Kind;
    use crate::incident::story::{ann, minute, noted, told};
    use crate::report::tests::whole_story;

    fn page(state: &State) -> String {
        postmortem(state, &ExportOptions::default()).expect("the built-in template").markdown
    }

    #[test]
    fn the_page_tells_the_whole_story_with_its_sources() {
        let page = page(&whole_story(300));
        let parts = [
            "status: Draft",
            "review_by: 2026-",
            "Analysis named the leak: parsedContentCache (Map, content-import.service.js:42) holds 71 % of the heap; that code is 7 months old, older than 3 of 3 changes.",
            "| Users affected | TODO |",
            "- Something that a restart clears: disproved. shop/import-7d-x:app died of the same cause again",
            "| TTR | impact began → resolved | 3 h 37 min |",
            "ann decided to go deep: quick fixes end; 7 min after it was due. (#",
            "⚠ No status update for 126 min from T+00:03:00 on (planned: 20 min). (#4)",
            "![Memory of each container, with deaths, captures, changes and the cut-off](INC-",
            "| revision 42 leaks | T+00:12:00 | 30 min, took 29 min | disproved |",
            "no change: +12.0 MB/min before, +11.8 MB/min after",
            "| new \\| feed |",
            "| sha256 | `abababab",
            "1. `(root)`",
            "What this evidence cannot prove: one snapshot cannot prove growth",
            "no revert of the 3 younger changes could have removed it",
            "- [x] A cause is named, or a change helped (#",
            "- [ ] Users were told that it is over",
            "TODO: owner is missing",
            "> This will be LONG.  \n> We took back 1 change.",
            "status: HTTP 202",
            "- `T+00:25:00  PATCH /apis/apps/v1/namespaces/shop/deployments/import` (#",
            "the partner feed has a new field \\| since today  # not a heading",
        ];
        for part in parts {
            assert!(page.contains(part), "missing: {part}\n{page}");
        }
    }

    #[test]
    fn every_section_is_there_even_of_an_incident_that_just_began() {
        let headings = [
            "Summary",
            "Impact",
            "Key intervals",
            "Cut-off record",
            "What happened",
            "Timeline",
            "Memory",
            "Hypotheses",
            "Changes and their measured effect",
            "Heap evidence",
            "Contributing factors",
            "What went well",
            "What did not go well",
            "Where we got lucky",
            "Resolution",
            "Exit criteria",
            "Action items",
            "Communications",
            "Responders",
            "Open questions",
            "Appendix",
        ];
        for state in [told(vec![]), whole_story(126), whole_story(300)] {
            let page = page(&state);
            let mut at = 0;
            for heading in headings {
                let line = format!("\n## {heading}\n");
                at += page[at..].find(&line).unwrap_or_else(|| panic!("{heading} is missing or out of order:\n{page}"));
            }
        }
        assert!(page(&whole_story(126)).contains("TODO: none is recorded"), "an open cut-off is a blank");
        assert!(page(&told(vec![])).contains("none was needed"));
    }

    #[test]
    fn tables_keep_their_columns_whatever_people_write() {
        for text in ["a | b", "x\n| y |", "`|`", "\\|", "<!-- ", "[a](b)", "# h", "| --- |", "```"] {
            let mut state = whole_story(300);
            let event = state.event(minute(301), ann(), noted(text));
            state.fold(&event);
            let page = page(&state);
            let mut columns = None;
            for line in page.lines() {
                let cells = unescaped_pipes(line);
                if !line.starts_with('|') {
                    columns = None;
                    continue;
                }
                assert_eq!(*columns.get_or_insert(cells), cells, "{text:?}: {line}");
            }
        }
    }

    fn unescaped_pipes(line: &str) -> usize {
        let mut count = 0;
        let mut escaped = false;
        for c in line.chars() {
            count += usize::from(c == '|' && !escaped);
            escaped = c == '\\' && !escaped;
        }
        count
    }

    #[test]
    fn the_same_journal_gives_the_same_bytes() {
        let state = whole_story(300);
        let again: State = serde_json::from_str(&serde_json::to_string(&state).expect("json")).expect("state");
        let mut again = again;
        again.impact_since = state.impact_since;
        let options = ExportOptions { journal: "abc", ..ExportOptions::default() };
        assert_eq!(postmortem(&state, &options), postmortem(&again, &options));
    }

    #[test]
    fn a_users_template_stands_in_and_its_errors_have_a_line() {
        let state = whole_story(300);
        let with = |template| postmortem(&state, &ExportOptions { template: Some(template), ..ExportOptions::default() });
        assert_eq!(with("{{ id }}: {{ title|md }}").map(|e| e.markdown), Ok(format!("{}: content import fails\n", state.id)));
        assert_eq!(with("ok\n{{ nothing_known }}").map_err(|e| e.line).err(), Some(2));
        assert_eq!(with("ok\n\n{% for %}").map_err(|e| e.line).err(), Some(3));
    }

    #[test]
    fn json_holds_the_same_document() {
        let export = postmortem(&whole_story(300), &ExportOptions { format: "json", ..ExportOptions::default() }).expect("json");
        let value: serde_json::Value = serde_json::from_str(&export.markdown).expect("valid");
        assert_eq!(value["schema"], "cutoff.postmortem/1");
        assert!(export.file.ends_with(".json") && value["timeline"].as_array().is_some_and(|rows| rows.len() > 10));
    }

    #[test]
    fn every_event_is_in_the_full_log() {
        let state = whole_story(300);
        let page = page(&state);
        for event in state.timeline.iter() {
            assert!(page.contains(&format!("\n| {} | ", event.seq)), "#{}", event.seq);
        }
        assert!(!matches!(state.timeline[0].kind, Kind::Unknown(_)));
    }
}
