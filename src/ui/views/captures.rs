//! Files of evidence: captures that run, that ended, and what preflight said of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View};
use super::super::widgets::bar::bar;
use super::super::widgets::cursor::Cursor;
use super::super::widgets::panel::titled;
use super::super::widgets::pod::glance;
use super::super::widgets::table::{Column, Field, table};
use super::super::widgets::text::{put, wrap};
use crate::app::model::{Capture, Model, Queued};
use crate::app::{Intent, after_end, race};
use crate::base::{ContainerRef, EvidenceId};
use crate::incident::PairRecord;
use crate::preflight::CaptureState;

/// The view.
#[derive(Debug, Default)]
pub struct Captures {
    cursor: Cursor,
    /// Files marked to be compared.
    marked: Vec<EvidenceId>,
    moved: bool,
}

const COMMANDS: &[Command] = &[
    Command::new("open", &["enter"], "the analysis of the file, or of all marked").shown("analysis"),
    Command::new("mark", &["space"], "mark to be compared (same process)").shown("mark"),
    Command::new("analyse", &["a"], "analyse the file, or all marked together").shown("analyse"),
    Command::new("stop", &["x"], "stop it (what came is kept), or take it out of the plan"),
    Command::new("copy", &["c"], "copy file name and sha256"),
];

const COLUMNS: &[Column] = &[
    Column::new("", 1, 0),
    Column::new("", 1, 0),
    Column::new("FILE", 4, 0),
    Column::new("POD", 14, 0).rest(),
    Column::new("METHOD", 9, 70),
    Column::new("STATE", 12, 0),
    Column::new("", 10, 92),
    Column::new("SIZE", 9, 0).right(),
    Column::new("AGE", 7, 70).right(),
    Column::new("VERDICT", 8, 0),
];

fn mark(state: &CaptureState) -> (&'static str, Role) {
    match state {
        CaptureState::Armed { .. } => ("○", Role::Info),
        CaptureState::Preparing { .. } | CaptureState::Building { .. } | CaptureState::Writing { .. } | CaptureState::Copying { .. } => {
            ("◆", Role::Info)
        }
        CaptureState::Complete { .. } => ("✔", Role::Good),
        CaptureState::Truncated { .. } => ("▲", Role::Warn),
        CaptureState::KilledEmpty { .. } | CaptureState::Failed { .. } => ("✖", Role::Bad),
        CaptureState::Cancelled => ("–", Role::Dim),
    }
}

/// A row: a capture, one that waits for a place, or a second snapshot that is planned.
enum Entry<'a> {
    Capture(&'a Capture),
    Queued(&'a Queued),
    Planned(&'a PairRecord),
}

fn entries(model: &Model) -> Vec<Entry<'_>> {
    let planned = model.incident.iter().flat_map(|s| s.pairs.iter()).filter(|p| p.ended.is_none());
    let taken =
        |p: &&PairRecord| model.pairing.get(&p.container) != Some(&p.first) || !model.queue.iter().any(|q| q.container == p.container);
    model
        .captures
        .iter()
        .map(Entry::Capture)
        .chain(model.queue.iter().map(Entry::Queued))
        .chain(planned.filter(taken).map(Entry::Planned))
        .collect()
}

/// What is missing until a planned second snapshot comes.
fn missing(model: &Model, pair: &PairRecord) -> String {
    if model.pairing.contains_key(&pair.container) {
        return "due: preflight is asked".to_owned();
    }
    let working_set = model.board.find(&pair.container).and_then(|row| row.working_set);
    pair.missing(model.now.wall, working_set).unwrap_or_else(|| "due".to_owned())
}

fn verdict_word(cx: &Cx<'_>, id: EvidenceId) -> (&'static str, Role) {
    match cx.model.analyses.iter().rev().find(|a| a.evidence.contains(&id)) {
        None => ("", Role::Dim),
        Some(row) if row.job.is_some() => ("running", Role::Info),
        Some(row) if row.trouble.is_some() => ("failed", Role::Bad),
        Some(row) => match &row.verdict {
            Some(verdict) if verdict.first().is_some() => ("LEAK", Role::Deep),
            Some(_) => ("none", Role::Dim),
            None => ("", Role::Dim),
        },
    }
}

/// A row of what has not begun.
fn waiting(cx: &Cx<'_>, word: &'static str, container: &ContainerRef, method: &str, missing: &str) -> Vec<Field> {
    let (loud, text, dim) = (cx.style(Role::Info), cx.style(Role::Text), cx.style(Role::Dim));
    vec![
        Field::new(" ", dim),
        Field::new("○", loud),
        Field::new("–", dim),
        Field::middle(container.pod.name.clone(), text),
        Field::new(method.to_owned(), dim),
        Field::new(word, loud),
        Field::new("", dim),
        Field::new("", dim),
        Field::new("", dim),
        Field::new(missing.split(" of ").next().unwrap_or_default().to_owned(), loud),
    ]
}

impl Captures {
    fn capture<'a>(&self, cx: &Cx<'a>) -> Option<&'a Capture> {
        match entries(cx.model).get(self.cursor.at) {
            Some(Entry::Capture(capture)) => Some(capture),
            _ => None,
        }
    }

    /// The files that a command is about: the marked ones, oldest first, else the one under the cursor.
    fn files(&self, cx: &Cx<'_>) -> Vec<EvidenceId> {
        let known: Vec<EvidenceId> = cx.model.captures.iter().map(|c| c.evidence).filter(|e| self.marked.contains(e)).collect();
        if known.is_empty() { self.capture(cx).map(|c| c.evidence).into_iter().collect() } else { known }
    }

    fn details(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let mut lines: Vec<Line<'static>> = Vec::new();
        let say = |lines: &mut Vec<Line<'static>>, words: &str, role: Role| {
            lines.extend(wrap(words, columns).into_iter().map(|l| Line::styled(l, cx.style(role))));
        };
        let capture = match entries(cx.model).get(self.cursor.at) {
            Some(Entry::Capture(capture)) => *capture,
            Some(Entry::Queued(queued)) => {
                let words = format!(
                    "QUEUED · {} at a time: it begins when another has ended, after a new look at its memory",
                    cx.model.setting.parallel
                );
                say(&mut lines, &words, Role::Info);
                say(&mut lines, &format!("preflight: {}", queued.assessment.headline()), Role::Dim);
                return lines;
            }
            Some(Entry::Planned(pair)) => {
                say(&mut lines, &format!("PLANNED · second snapshot to {}, {}", pair.first, pair.when.words()), Role::Info);
                say(&mut lines, &missing(cx.model, pair), Role::Text);
                let words = "It comes by itself, if the process is still the same and preflight says yes; both are analysed together then. x gives it up.";
                say(&mut lines, words, Role::Dim);
                return lines;
            }
            None => return lines,
        };
        let (_, role) = mark(&capture.state);
        say(&mut lines, &capture.state.line(), role);
        if let Some(race) = race(cx.model, capture) {
            say(&mut lines, &race.words, if race.lost { Role::Bad } else { Role::Good });
            if race.lost {
                say(&mut lines, &format!("The growth wins. Kept then: {}", race.keeps), Role::Bad);
            }
        }
        if let Some(next) = after_end(cx.model, capture).filter(|_| capture.is_heap()) {
            say(&mut lines, &format!("▶ {} [{}]", next.words, cx.keys.key_for(next.command)), Role::Title);
        }
        if !capture.remark.is_empty() {
            say(&mut lines, &capture.remark, Role::Text);
        }
        if let Some(record) = cx.model.incident.as_ref().and_then(|s| s.capture(capture.evidence)) {
            if let Some(file) = &record.file {
                say(&mut lines, &format!("file {file}"), Role::Text);
            }
            if let Some(sha) = &record.sha256 {
                say(&mut lines, &format!("sha256 {sha}"), Role::Dim);
            }
            if let Some(from) = &record.provenance {
                let version = from.node_version.as_deref().unwrap_or("unknown version");
                say(&mut lines, &format!("Node.js {version}, {}, by {}, asked by {}", from.image, from.method, from.who), Role::Dim);
            }
        }
        if let Some(process) = &capture.process {
            // The runtime's scheme says nothing here.
            let id = process.container_id.rsplit("://").next().unwrap_or_default();
            let words = format!("process {} of container {id:.12}, restart {}", process.pid, process.restart);
            say(&mut lines, &words, Role::Dim);
        }
        if let Some(assessment) = &capture.assessment {
            say(&mut lines, &format!("preflight: {}", assessment.headline()), Role::Dim);
        }
        lines
    }
}

impl View for Captures {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        if self.cursor.on(command, entries(cx.model).len()) {
            self.moved = true;
            return Some(Reply::none());
        }
        match command {
            "open" => {
                let files = self.files(cx);
                (!files.is_empty()).then(|| Reply::go("analysis", About::Evidence(files)))
            }
            "mark" => {
                let id = self.capture(cx)?.evidence;
                match self.marked.iter().position(|m| *m == id) {
                    Some(i) => {
                        self.marked.remove(i);
                    }
                    None => self.marked.push(id),
                }
                self.cursor.on("down", entries(cx.model).len());
                Some(Reply::none())
            }
            "analyse" => {
                let evidence = self.files(cx);
                if evidence.is_empty() {
                    return None;
                }
                let go = Reply::go("analysis", About::Evidence(evidence.clone()));
                Some(Reply { intents: vec![Intent::Analyse { evidence }], ..go })
            }
            "stop" => Some(match entries(cx.model).get(self.cursor.at)? {
                Entry::Queued(queued) => Reply::intent(Intent::Unqueue { container: queued.container.clone() }),
                Entry::Planned(pair) => Reply::intent(Intent::CancelPair { first: pair.first }),
                Entry::Capture(capture) if cx.model.watches.iter().any(|w| w.capture == Some(capture.evidence)) && capture.is_waiting() => {
                    Reply::say(format!("a watch waits for it: {} disarms", cx.keys.key_for("arm")))
                }
                Entry::Capture(Capture { job: Some(job), .. }) => Reply::intent(Intent::Cancel { job: *job }),
                Entry::Capture(_) => Reply::say("this capture does not run"),
            }),
            "copy" => {
                let capture = self.capture(cx)?;
                let record = cx.model.incident.as_ref().and_then(|s| s.capture(capture.evidence));
                let file = record.and_then(|r| r.file.as_ref()).map_or_else(|| capture.evidence.to_string(), ToString::to_string);
                let sha = record.and_then(|r| r.sha256.clone()).unwrap_or_default();
                Some(Reply::copy(format!("{file} {sha}").trim().to_owned()))
            }
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let len = entries(cx.model).len();
        // A new capture is what the person came for.
        if !self.moved {
            self.cursor.at = len.saturating_sub(1);
        }
        self.cursor.arrange(len, (area.height / 2).saturating_sub(2).into());
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let entries = entries(cx.model);
        let upper = Rect { height: area.height / 2, ..area };
        let inner = titled(buf, upper, cx.theme, "Heap snapshots", &self.cursor.place(entries.len()), true);
        if entries.is_empty() {
            let words = format!(
                "No capture yet. {} asks preflight and then captures from the pod under the cursor, or the one under most pressure.",
                cx.keys.key_for("capture")
            );
            for (y, line) in (0..inner.height).zip(wrap(&words, inner.width.into())) {
                put(buf, inner, y, &Line::styled(line, cx.style(Role::Dim)));
            }
            return;
        }
        table(buf, inner, cx.theme, COLUMNS, (&self.cursor, entries.len(), true), |i| {
            let capture = match &entries[i] {
                Entry::Capture(capture) => *capture,
                Entry::Queued(queued) => return waiting(cx, "QUEUED", &queued.container, &queued.assessment.method, ""),
                Entry::Planned(pair) => {
                    let first = format!("of {}", pair.first);
                    return waiting(cx, "PLANNED", &pair.container, &first, &missing(cx.model, pair));
                }
            };
            let lost = race(cx.model, capture).is_some_and(|r| r.lost);
            let (symbol, role) = mark(&capture.state);
            let loud = cx.style(if lost { Role::Bad } else { role });
            let (text, dim) = (cx.style(Role::Text), cx.style(Role::Dim));
            let (verdict, verdict_role) = verdict_word(cx, capture.evidence);
            let percent = capture.state.percent();
            let word = match percent {
                Some(p) if !capture.state.is_over() => format!("{} {p} %", capture.state.word()),
                _ => capture.state.word().to_owned(),
            };
            vec![
                Field::new(if self.marked.contains(&capture.evidence) { "■" } else { " " }, cx.style(Role::Key)),
                Field::new(symbol, loud),
                Field::new(capture.evidence.to_string(), text),
                Field::middle(capture.container.pod.name.clone(), text),
                Field::new(capture.method.clone(), dim),
                Field::new(word, loud),
                Field::new(percent.map_or_else(String::new, |p| bar(f64::from(p) / 100.0, 10)), loud),
                Field::new(capture.bytes.to_string(), text),
                Field::new(glance(cx.model.now.mono.saturating_sub(capture.began.mono)), dim),
                Field::new(verdict, cx.style(verdict_role)),
            ]
        });
        let lower = Rect { y: area.y + upper.height, height: area.height - upper.height, ..area };
        let title = match entries.get(self.cursor.at) {
            Some(Entry::Capture(c)) => format!("{} from {}", c.evidence, c.container),
            Some(Entry::Queued(q)) => format!("queued: {}", q.container),
            Some(Entry::Planned(p)) => format!("planned: {}", p.container),
            None => String::new(),
        };
        let inner = titled(buf, lower, cx.theme, &title, "", false);
        for (y, line) in (0..inner.height).zip(self.details(cx, inner.width.into())) {
            put(buf, inner, y, &line);
        }
    }

    fn subject(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        Some(match entries(cx.model).get(self.cursor.at)? {
            Entry::Capture(c) => c.container.clone(),
            Entry::Queued(q) => q.container.clone(),
            Entry::Planned(p) => p.container.clone(),
        })
    }

    fn click(&mut self, cx: &Cx<'_>, y: u16) -> bool {
        let Some(at) = (y as usize).checked_sub(2).map(|y| y + self.cursor.top).filter(|at| *at < entries(cx.model).len()) else {
            return false;
        };
        self.cursor.at = at;
        self.moved = true;
        true
    }
}
