//! The verdict in lines: what leaks, how sure that is, the path, what it cannot prove, what one more capture would.

use ratatui::text::{Line, Span};

use super::super::theme::Role;
use super::super::view::Cx;
use super::super::widgets::bar::bar;
use super::super::widgets::text::{pad, wrap};
use crate::base::{Bytes, BytesPerSecond, Count, span};
use crate::heap::{Confidence, Place, Suspect, Verdict};

fn place(at: &Place) -> String {
    match &at.generated {
        Some(built) => format!("{}:{}:{} (runs as {}:{})", at.file, at.line, at.column, built.file, built.line),
        None => format!("{}:{}:{}", at.file, at.line, at.column),
    }
}

fn signed(bytes: i64) -> String {
    format!("{}{}", if bytes < 0 { "-" } else { "+" }, Bytes(bytes.unsigned_abs()))
}

const fn confidence_role(confidence: Confidence) -> Role {
    match confidence {
        Confidence::High => Role::Good,
        Confidence::Medium => Role::Warn,
        Confidence::Low => Role::Dim,
    }
}

struct Lines<'a, 'b> {
    cx: &'a Cx<'b>,
    columns: usize,
    out: Vec<Line<'static>>,
}

impl Lines<'_, '_> {
    fn say(&mut self, words: &str, role: Role) {
        let style = self.cx.style(role);
        self.out.extend(wrap(words, self.columns).into_iter().map(|l| Line::styled(l, style)));
    }

    fn pair(&mut self, name: &str, words: &str) {
        for (i, line) in wrap(words, self.columns.saturating_sub(14)).into_iter().enumerate() {
            let head = if i == 0 { pad(name, 14, false) } else { " ".repeat(14) };
            let spans = vec![Span::styled(head, self.cx.style(Role::Dim)), Span::styled(line, self.cx.style(Role::Text))];
            self.out.push(Line::from(spans));
        }
    }

    fn blank(&mut self) {
        self.out.push(Line::default());
    }

    fn suspect(&mut self, n: usize, suspect: &Suspect) {
        let role = if n == 1 { Role::Deep } else { Role::Text };
        self.say(&format!("{n}. {}", suspect.headline), role);
        let confidence = self.cx.style(confidence_role(suspect.confidence));
        self.out.push(Line::from(vec![
            Span::styled(format!("{} {:.0} % of the heap  ", bar(suspect.share, 16), suspect.share * 100.0), self.cx.style(role)),
            Span::styled(format!("{} confidence", suspect.confidence.word()), confidence),
            Span::styled(format!("  rule {}", suspect.rule), self.cx.style(Role::Dim)),
        ]));
        let held = format!("{} ({}) retains {}", suspect.holder, suspect.holder_kind.word(), Bytes(suspect.retained_bytes));
        self.pair("holder", &held);
        if let Some(at) = &suspect.location {
            self.pair("written at", &place(at));
        }
        if suspect.stored_in.is_some() || suspect.package.is_some() {
            let part = |m: &Option<crate::base::Masked>| m.as_ref().map_or_else(String::new, ToString::to_string);
            self.pair("stored by", format!("{} {}", part(&suspect.package), part(&suspect.stored_in)).trim());
        }
        let class_at = suspect.class_location.as_ref().map_or_else(String::new, |at| format!(", written at {}", place(at)));
        self.pair("piles up", &format!("{} {}{class_at}", Count(suspect.count), suspect.growing_class));
        if let Some(growth) = suspect.growth_bytes {
            let mut words = signed(growth);
            if let Some(share) = suspect.growth_share {
                words.push_str(&format!(", {:.0} % of all growth", share * 100.0));
            }
            if let Some(minute) = suspect.growth_per_minute {
                words.push_str(&format!(", {}", BytesPerSecond(minute / 60.0)));
            }
            if let Some(count) = suspect.count_growth {
                words.push_str(&format!(", {count:+} members"));
            }
            self.pair("growth", &words);
        }
        if let Some(age) = &suspect.age {
            let since = span((self.cx.model.now.wall - age.changed).to_std().unwrap_or_default());
            let than = if age.changes > 0 {
                format!("; older than {} of the {} changes in question", age.older_than, age.changes)
            } else {
                String::new()
            };
            self.pair("last changed", &format!("{since} ago in {} \"{}\"{than}", age.commit, age.subject));
        }
        for site in &suspect.allocated_at {
            let at = site.place.as_ref().map(|p| format!(" at {}:{}", p.file, p.line)).unwrap_or_default();
            self.pair("allocated by", &format!("{}{at} ({:.0} %)", site.function, site.share * 100.0));
        }
        if let Some(trigger) = &suspect.trigger {
            let (new, old) = trigger.split.words();
            let words = format!(
                "{} = {} in {:.0} % of {new} and {:.0} % of {old} ({} and {} looked at)",
                trigger.property,
                trigger.value,
                trigger.new_share * 100.0,
                trigger.old_share * 100.0,
                trigger.sampled.0,
                trigger.sampled.1
            );
            self.pair("what is new", &words);
        }
    }

    fn path(&mut self, suspect: &Suspect) {
        if suspect.path.is_empty() {
            return;
        }
        self.say("Path from the root (cut it where it is marked)", Role::Title);
        for step in &suspect.path {
            let role = if step.suspect { Role::Deep } else { Role::Text };
            let mark = if step.suspect { "▶" } else { " " };
            let folded = if step.folded > 0 { format!("  (+{} folded)", step.folded) } else { String::new() };
            self.say(&format!("{mark} {} {}{folded}", step.edge, step.node), role);
        }
    }
}

/// The lines of `verdict`; sample members only if `open`.
pub fn lines(cx: &Cx<'_>, verdict: &Verdict, open: bool, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Lines { cx, columns, out: Vec::new() };
    let mut total =
        format!("{} in {} snapshot{}", Bytes(verdict.total_bytes), verdict.snapshots, if verdict.snapshots == 1 { "" } else { "s" });
    if let Some(growth) = verdict.growth_bytes {
        total.push_str(&format!(", {}", signed(growth)));
    }
    if let Some(seconds) = verdict.seconds {
        total.push_str(&format!(" in {}", span(std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default())));
    }
    match verdict.first() {
        None => lines.say(&format!("No suspect: {}", verdict.reason), Role::Warn),
        Some(first) => {
            lines.suspect(1, first);
            lines.blank();
            lines.path(first);
            if !first.samples.is_empty() {
                lines.blank();
                if open {
                    lines.say("Members look like this (secrets are masked)", Role::Title);
                    for sample in &first.samples {
                        lines.say(&format!("  {sample}"), Role::Text);
                    }
                } else {
                    lines.say("What members look like is hidden; s shows it", Role::Dim);
                }
            }
            if !first.cannot_prove.is_empty() {
                lines.blank();
                lines.say("What this cannot prove", Role::Title);
                for words in &first.cannot_prove {
                    lines.say(&format!("· {words}"), Role::Dim);
                }
            }
        }
    }
    if !verdict.next_capture.is_empty() {
        lines.blank();
        lines.say(&format!("▶ {} ({} takes it)", verdict.next_capture, cx.keys.key_for("pair")), Role::Key);
    }
    for caveat in &verdict.caveats {
        lines.say(&format!("▲ {caveat}"), Role::Warn);
    }
    for (n, suspect) in verdict.suspects.iter().enumerate().skip(1) {
        lines.blank();
        lines.suspect(n + 1, suspect);
    }
    if !verdict.large.is_empty() {
        lines.blank();
        lines.say("Large, but not called a leak", Role::Title);
    }
    for large in &verdict.large {
        let growth = large.growth_bytes.map_or_else(String::new, |g| format!(", {}", signed(g)));
        let at = large.location.as_ref().map_or_else(String::new, |at| format!(" {}:{}", at.file, at.line));
        let words = format!("{} {} ({}{growth}){at}", Bytes(large.retained_bytes), large.name, large.kind.word());
        lines.say(&words, Role::Text);
    }
    lines.blank();
    lines.say(&format!("Heap: {total}"), Role::Dim);
    lines.out
}
