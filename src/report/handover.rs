//! The state document: what a person who takes over must know (Google's incident state document, SRE book appendix C).
//! `status --md` prints it; its words are those of one moment, so it takes the time.

use std::fmt::Write as _;

use super::document::exit_criteria;
use super::event::{Class, event_line};
use super::posts::{actions, conditions, needs};
use super::words::{between, hour, iso, t_plus};
use crate::base::{Stamp, clock};
use crate::incident::{Decision, State, clock_view};

/// Lines of the timeline that are shown, newest first.
const LINES: usize = 25;

/// The state document of `state` at `now`, as markdown.
pub fn status_md(state: &State, now: Stamp) -> String {
    let at = now.wall;
    let view = clock_view(state, now);
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("# {}: {}", state.id, flat(state.title.as_str())));
    line(String::new());
    line(format!(
        "**Summary:** {} on {}, {} since {}.",
        state.severity,
        flat(state.service.as_str()),
        if state.is_open() { "open" } else { "resolved" },
        hour(state.declared.wall, at)
    ));
    line(String::new());
    let left = if view.left_s >= 0 { format!("{} left", clock_of(view.left_s)) } else { format!("passed {} ago", clock_of(-view.left_s)) };
    line(format!(
        "**Status:** {} at T+{}; cut-off {} ({left}){}.",
        view.phase.word(),
        clock(view.since),
        hour(view.cutoff, at),
        if view.undecided { ", UNDECIDED" } else { "" }
    ));
    line(String::new());
    line(format!("**Where:** context {}, namespace {}.", flat(state.context.as_str()), flat(state.namespace.as_str())));
    line(format!("**Incident commander:** {} (declared it; next: TODO).", flat(&state.declared_by.to_string())));
    let next = match view.update_in_s {
        Some(s) if s < 0 => format!("OVERDUE by {}", clock_of(-s)),
        Some(s) => format!("due in {}", clock_of(s)),
        None => "none".to_owned(),
    };
    line(format!("**Next status update:** {next}."));
    line(String::new());
    line(format!("## Detailed status ({})", iso(at)));
    line(String::new());
    line(format!("- Conditions: {}", flat(&conditions(state, at))));
    line(format!("- Actions: {}", flat(&actions(state))));
    line(format!("- Needs: {}", flat(&needs(state, at))));
    line(String::new());
    line("## Exit criteria".to_owned());
    line(String::new());
    for criterion in exit_criteria(state) {
        line(format!("- [{}] {}", if criterion.met { "x" } else { " " }, criterion.text));
    }
    line(String::new());
    line("## To do".to_owned());
    line(String::new());
    let todo = todo(state, now);
    if todo.is_empty() {
        line("- nothing is recorded".to_owned());
    }
    for item in todo {
        line(format!("- {}", flat(&item)));
    }
    line(String::new());
    line("## Timeline (UTC, newest first)".to_owned());
    line(String::new());
    let rows = state.timeline.iter().rev().map(|e| (e, event_line(e))).filter(|(_, l)| l.class != Class::Quiet);
    for (event, l) in rows.take(LINES) {
        line(format!(
            "- {} {} {}: {} (#{})",
            event.at.wall.format("%H:%M"),
            t_plus(state, event.at.wall),
            flat(&event.actor.to_string()),
            flat(l.text.as_str()),
            event.seq
        ));
    }
    out
}

/// What is open, most urgent first.
fn todo(state: &State, now: Stamp) -> Vec<String> {
    let mut items = Vec::new();
    if state.cutoff.is_open() {
        items.push(format!("Decide the cut-off, due {}", hour(state.cutoff.due, now.wall)));
    }
    for post in state.posts.iter() {
        for (channel, d) in post.pending() {
            let why = d.failed.as_ref().map_or_else(String::new, |(_, why)| format!(": {why}"));
            items.push(format!("Post #{} still has to reach {channel}{why}", post.mark.seq));
        }
    }
    for w in state.watches.iter().filter(|w| w.ended.is_none()) {
        let last = w.signs.last().map_or_else(|| "no sign yet".to_owned(), |(_, sign, what)| format!("last sign: {}, {what}", sign.word()));
        items.push(format!("{} is ARMED for {}, {}: {last}", w.container, between(w.mark.at, now.wall), w.how.words()));
    }
    for p in state.pairs.iter().filter(|p| p.ended.is_none()) {
        items.push(format!("A second snapshot of {} comes by itself {}, to be compared with {}", p.container, p.when.words(), p.first));
    }
    let waits =
        |c: &crate::incident::Capture| state.watches.iter().any(|w| w.ended.is_none() && c.container.as_ref() == Some(&w.container));
    for c in state.captures.iter().filter(|c| c.ended.is_none() && !waits(c)) {
        let from = c.container.as_ref().map_or_else(String::new, |c| format!(" of {c}"));
        items.push(format!("Capture {}{from} runs for {}", c.evidence, between(c.mark.at, now.wall)));
    }
    for act in state.acts.iter().filter(|a| a.outcome == crate::incident::ActOutcome::Pending) {
        items.push(format!("Look up whether {} (#{}) was done", act.request.act, act.mark.seq));
    }
    for (act, left) in state.leftovers() {
        items.push(format!("See to what #{act} left behind ({}): {}", left.settle.act, left.what));
    }
    for h in state.hypotheses.iter().filter(|h| h.closed.is_none()) {
        let mut text = format!("Prove or disprove: {}", h.statement);
        let _ = write!(text, " (open for {} of {} min)", (now.wall - h.mark.at).num_minutes(), h.timebox_minutes);
        items.push(text);
    }
    if let Some(last) = state.cutoff.decisions.last()
        && let Decision::Extend { reason, .. } = &last.decision
    {
        items.push(format!("The extension was for: {reason}"));
    }
    items
}

fn clock_of(seconds: i64) -> String {
    clock(std::time::Duration::from_secs(seconds.unsigned_abs()))
}

/// Text of the incident as one line of markdown.
fn flat(text: &str) -> String {
    super::formats::inline(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::story::{minute, told};
    use crate::report::tests::whole_story;

    #[test]
    fn who_takes_over_at_the_cutoff_reads_what_is_open() {
        let text = status_md(&whole_story(125), minute(125));
        for part in [
            "**Status:** CUT-OFF at T+02:05:00; cut-off",
            "passed 00:05:00 ago), UNDECIDED",
            "**Next status update:** OVERDUE by",
            "- Conditions: 2 containers died",
            "- Decide the cut-off, due",
            "- [ ] The incident is resolved",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let first = text.split("newest first)").nth(1).and_then(|t| t.trim().lines().next()).unwrap_or("");
        assert!(first.contains("CUT-OFF"), "newest first: {first}");
    }

    #[test]
    fn a_capture_that_runs_and_an_open_hypothesis_are_handed_over() {
        let text = status_md(&whole_story(133), minute(133));
        assert!(text.contains("- Capture E1 of shop/import-7d-y:app runs for 1 min"), "{text}");
        assert!(status_md(&whole_story(13), minute(13)).contains("- Prove or disprove: revision 42 leaks (open for 1 of 30 min)"));
        assert!(status_md(&told(vec![]), minute(0)).contains("nothing is recorded"));
    }
}
