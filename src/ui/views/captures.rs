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
use crate::app::Intent;
use crate::app::model::Capture;
use crate::base::{ContainerRef, EvidenceId};
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
    Command::new("stop", &["x"], "stop the capture; what came is kept"),
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

impl Captures {
    fn capture<'a>(&self, cx: &Cx<'a>) -> Option<&'a Capture> {
        cx.model.captures.get(self.cursor.at)
    }

    /// The files that a command is about: the marked ones, oldest first, else the one under the cursor.
    fn files(&self, cx: &Cx<'_>) -> Vec<EvidenceId> {
        let known: Vec<EvidenceId> = cx.model.captures.iter().map(|c| c.evidence).filter(|e| self.marked.contains(e)).collect();
        if known.is_empty() { self.capture(cx).map(|c| c.evidence).into_iter().collect() } else { known }
    }

    fn details(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let Some(capture) = self.capture(cx) else { return Vec::new() };
        let (_, role) = mark(&capture.state);
        let mut lines: Vec<Line<'static>> = Vec::new();
        let say = |lines: &mut Vec<Line<'static>>, words: &str, role: Role| {
            lines.extend(wrap(words, columns).into_iter().map(|l| Line::styled(l, cx.style(role))));
        };
        say(&mut lines, &capture.state.line(), role);
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
        if self.cursor.on(command, cx.model.captures.len()) {
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
                self.cursor.on("down", cx.model.captures.len());
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
            "stop" => match self.capture(cx)?.job {
                Some(job) => Some(Reply::intent(Intent::Cancel { job })),
                None => Some(Reply::say("this capture does not run")),
            },
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
        let len = cx.model.captures.len();
        // A new capture is what the person came for.
        if !self.moved {
            self.cursor.at = len.saturating_sub(1);
        }
        self.cursor.arrange(len, (area.height / 2).saturating_sub(2).into());
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let captures = &cx.model.captures;
        let upper = Rect { height: area.height / 2, ..area };
        let inner = titled(buf, upper, cx.theme, "Heap snapshots", &self.cursor.place(captures.len()), true);
        if captures.is_empty() {
            let words = format!(
                "No capture yet. {} asks preflight and then captures from the pod under the cursor, or the one under most pressure.",
                cx.keys.key_for("capture")
            );
            for (y, line) in (0..inner.height).zip(wrap(&words, inner.width.into())) {
                put(buf, inner, y, &Line::styled(line, cx.style(Role::Dim)));
            }
            return;
        }
        table(buf, inner, cx.theme, COLUMNS, (&self.cursor, captures.len(), true), |i| {
            let capture = &captures[i];
            let (symbol, role) = mark(&capture.state);
            let loud = cx.style(role);
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
        let title = self.capture(cx).map_or_else(String::new, |c| format!("{} from {}", c.evidence, c.container));
        let inner = titled(buf, lower, cx.theme, &title, "", false);
        for (y, line) in (0..inner.height).zip(self.details(cx, inner.width.into())) {
            put(buf, inner, y, &line);
        }
    }

    fn subject(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        self.capture(cx).map(|c| c.container.clone())
    }

    fn click(&mut self, cx: &Cx<'_>, y: u16) -> bool {
        let Some(at) = (y as usize).checked_sub(2).map(|y| y + self.cursor.top).filter(|at| *at < cx.model.captures.len()) else {
            return false;
        };
        self.cursor.at = at;
        self.moved = true;
        true
    }
}
