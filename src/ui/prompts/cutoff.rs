//! The cut-off: go deep and tell users that it will be LONG, or extend with a reason. Only a recorded decision closes it.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::editor::Editor;
use super::super::widgets::text::{put, wrap};
use super::words::{draft, goes_to};
use crate::app::Intent;
use crate::base::{clock, span};
use crate::incident::{ActOutcome, PostKind, State};

enum Stage {
    Asking,
    Notice(Editor),
    Extending { minutes: Editor, reason: Editor, at_reason: bool },
}

/// The question.
pub struct Cutoff {
    /// When it was due; `None`: opened by the person before it.
    due: Option<DateTime<Utc>>,
    draft: String,
    stage: Stage,
    wrong: Option<String>,
}

const ASKING: &[Command] = &[
    Command::new("go-deep", &["d"], "deep root-cause analysis; users are told it will be LONG").shown("go deep"),
    Command::new("extend", &["e"], "quick fixes go on for N minutes, because …").shown("extend"),
];
const ASKING_EARLY: &[Command] = &[
    Command::new("go-deep", &["d"], "deep root-cause analysis; users are told it will be LONG").shown("go deep"),
    Command::new("extend", &["e"], "quick fixes go on for N minutes, because …").shown("extend"),
    Command::new("leave", &["esc"], "decide later").shown("later"),
];
const NOTICE: &[Command] = &[
    Command::new("decide-deep", &["ctrl-s", "F2"], "decide: go deep, and send this notice").shown("decide and send"),
    Command::new("leave", &["esc"], "back to the question; the text stays").shown("back"),
];
const EXTENDING: &[Command] = &[
    Command::new("decide-extend", &["enter", "ctrl-s", "F2"], "decide: extend").shown("decide"),
    Command::new("next-field", &["tab"], "minutes or reason").shown("next field"),
    Command::new("leave", &["esc"], "back to the question").shown("back"),
];

/// The clock's dialog before the cut-off; `None` when there is nothing to decide.
pub fn timer(cx: &Cx<'_>) -> Option<Cutoff> {
    let state = cx.model.incident.as_ref().filter(|s| s.is_open() && s.cutoff.deep_since.is_none())?;
    let draft = draft(cx, state, PostKind::LongNotice);
    Some(Cutoff { due: None, draft, stage: Stage::Asking, wrong: None })
}

impl Cutoff {
    /// The prompt that the clock raised.
    pub fn raised(due: DateTime<Utc>, draft: &str) -> Self {
        Self { due: Some(due), draft: draft.to_owned(), stage: Stage::Asking, wrong: None }
    }

    fn asked(&mut self, key: Key) -> Reply {
        if key.is("d") {
            self.stage = Stage::Notice(Editor::text(&self.draft).hint("what users should know"));
        } else if key.is("e") {
            let minutes = Editor::line("30");
            self.stage =
                Stage::Extending { minutes, reason: Editor::line("").hint("what is still worth trying, and why"), at_reason: true };
        } else if self.due.is_none() && (key.is("esc") || key.is("q") || key.is("enter")) {
            return Reply { close: true, ..Reply::default() };
        } else if self.due.is_some() {
            return Reply::say("this must be decided: d goes deep, e extends; it is recorded either way");
        }
        Reply::none()
    }

    fn done(&self, intent: Intent) -> Reply {
        // The model takes its own prompt away when the decision is recorded.
        if self.due.is_some() { Reply::intent(intent) } else { Reply::done(vec![intent]) }
    }

    fn extended(&mut self) -> Reply {
        let Stage::Extending { minutes, reason, .. } = &self.stage else { return Reply::none() };
        match (minutes.value().parse::<u32>(), reason.value()) {
            (Ok(minutes @ 1..=1440), reason) if !reason.is_empty() => return self.done(Intent::Extend { minutes, reason }),
            (Ok(1..=1440), _) => self.wrong = Some("an extension needs a reason: it stands in the postmortem".to_owned()),
            _ => self.wrong = Some("minutes are a number from 1 to 1440".to_owned()),
        }
        Reply::none()
    }

    fn question(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let plain = |words: String, style: Style| wrap(&words, columns).into_iter().map(move |l| Line::styled(l, style));
        let Some(state) = &cx.model.incident else { return lines };
        match self.due {
            Some(due) => {
                let ago = (cx.model.now.wall - due).to_std().unwrap_or_default();
                let words = format!(
                    "{} of quick fixes are over (due {}, {} ago). Decide now; it is recorded and cannot be dismissed.",
                    span(state.plan.cutoff()),
                    due.format("%H:%M UTC"),
                    clock(ago)
                );
                lines.extend(plain(words, cx.style(Role::Title)));
            }
            None => {
                let words = format!("The cut-off is due at {}. You may decide now.", state.cutoff.due.format("%H:%M UTC"));
                lines.extend(plain(words, cx.style(Role::Title)));
            }
        }
        lines.push(Line::default());
        let choice = |key: &str, name: &str, words: String| {
            let mut out = Vec::new();
            for (i, words) in wrap(&words, columns.saturating_sub(14)).into_iter().enumerate() {
                let head = if i == 0 { format!("[{key}] {name:<9} ") } else { " ".repeat(14) };
                out.push(Line::from(vec![Span::styled(head, cx.style(Role::Key)), Span::styled(words, cx.style(Role::Text))]));
            }
            out
        };
        let to = format!(
            "quick fixes end, root-cause analysis begins, users are told it will be LONG: you edit the notice first, {}",
            goes_to(cx)
        );
        lines.extend(choice("d", "go deep", to));
        lines.extend(choice("e", "extend", "quick fixes go on for N minutes, because … (the reason is recorded)".to_owned()));
        lines.push(Line::default());
        lines.extend(tried(state).into_iter().flat_map(|words| plain(words, cx.style(Role::Dim)).collect::<Vec<_>>()));
        lines
    }
}

/// What was tried and found, in a few lines: what the decision rests on.
fn tried(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    let acts: Vec<String> = state
        .acts
        .iter()
        .filter(|a| matches!(a.outcome, ActOutcome::Done { .. }))
        .map(|a| {
            let effect = a.effect.as_ref().map_or_else(|| "not measured yet".to_owned(), |c| format!("{:?}", c.effect).to_lowercase());
            format!("{} {} ({effect})", a.request.act, a.request.target.name)
        })
        .collect();
    lines.push(if acts.is_empty() {
        "Tried: nothing that changed the cluster.".to_owned()
    } else {
        format!("Tried: {}.", acts.join(", "))
    });
    let deaths = state.deaths.len();
    lines.push(format!("Deaths: {deaths}. Extensions so far: {}.", state.cutoff.extensions().count()));
    lines.push(match state.findings.last() {
        Some(found) => format!("Found: {}.", found.finding.headline),
        None if state.captures.is_empty() => "Found: nothing; no heap snapshot was taken.".to_owned(),
        None => format!("Found: nothing yet; {} captures.", state.captures.len()),
    });
    lines
}

impl Dialog for Cutoff {
    fn title(&self, cx: &Cx<'_>) -> String {
        match &self.stage {
            Stage::Asking if self.due.is_some() => {
                let level = cx.model.incident.as_ref().map_or(0, |s| s.cutoff.level);
                if level > 0 { format!("■ CUT-OFF: DECIDE (asked {} times)", level + 1) } else { "■ CUT-OFF: DECIDE".to_owned() }
            }
            Stage::Asking => "THE CLOCK".to_owned(),
            Stage::Notice(_) => "GO DEEP: THE NOTICE THAT IT WILL BE LONG".to_owned(),
            Stage::Extending { .. } => "EXTEND QUICK FIXES".to_owned(),
        }
    }

    fn role(&self) -> Role {
        if self.due.is_some() { Role::Bad } else { Role::Info }
    }

    fn commands(&self) -> &'static [Command] {
        match &self.stage {
            Stage::Asking if self.due.is_some() => ASKING,
            Stage::Asking => ASKING_EARLY,
            Stage::Notice(_) => NOTICE,
            Stage::Extending { .. } => EXTENDING,
        }
    }

    fn typing(&self) -> bool {
        !matches!(self.stage, Stage::Asking)
    }

    fn key(&mut self, key: Key, _cx: &Cx<'_>) -> Reply {
        self.wrong = None;
        let send = key.is("ctrl-s") || key.is("F2");
        match &mut self.stage {
            Stage::Asking => return self.asked(key),
            Stage::Notice(editor) => {
                if key.is("esc") {
                    self.draft = editor.value();
                    self.stage = Stage::Asking;
                } else if send {
                    let notice = editor.value();
                    if notice.is_empty() {
                        self.wrong = Some("users must be told something".to_owned());
                    } else {
                        return self.done(Intent::GoDeep { notice });
                    }
                } else {
                    editor.key(key);
                }
            }
            Stage::Extending { minutes, reason, at_reason } => {
                if key.is("esc") {
                    self.stage = Stage::Asking;
                } else if send || key.is("enter") {
                    return self.extended();
                } else if key.is("tab") || key.is("S-tab") {
                    *at_reason = !*at_reason;
                } else if *at_reason {
                    reason.key(key);
                } else {
                    minutes.key(key);
                }
            }
        }
        Reply::none()
    }

    fn paste(&mut self, text: &str) {
        match &mut self.stage {
            Stage::Asking => {}
            Stage::Notice(editor) => editor.paste(text),
            Stage::Extending { minutes, reason, at_reason } => if *at_reason { reason } else { minutes }.paste(text),
        }
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        match &self.stage {
            Stage::Asking => u16::try_from(self.question(cx, columns.into()).len()).unwrap_or(u16::MAX),
            Stage::Notice(_) => u16::MAX,
            Stage::Extending { .. } => 9,
        }
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let last = area.height.saturating_sub(1);
        let lines = self.question(cx, area.width.into());
        match &mut self.stage {
            Stage::Asking => {
                for (y, line) in (0..area.height).zip(&lines) {
                    put(buf, area, y, line);
                }
            }
            Stage::Notice(editor) => {
                let words = wrap(&format!("Edit it; ctrl-s (or F2) decides and sends: {}. Esc: back.", goes_to(cx)), area.width.into());
                let taken = u16::try_from(words.len()).unwrap_or(u16::MAX).min(area.height);
                for (y, line) in (0..taken).zip(words) {
                    put(buf, area, y, &Line::styled(line, cx.style(Role::Dim)));
                }
                let at = Rect { y: area.y + taken, height: area.height.saturating_sub(taken + 1), ..area };
                editor.draw(buf, at, cx.theme, true);
            }
            Stage::Extending { minutes, reason, at_reason } => {
                let label = |active: bool, words: &str| {
                    let role = if active { Role::Title } else { Role::Dim };
                    Line::styled(format!("{} {words}", if active { "▸" } else { " " }), cx.style(role))
                };
                let field = |y: u16| {
                    Rect { x: area.x + 2.min(area.width), y: area.y + y, width: area.width.saturating_sub(2), height: 1 }.intersection(area)
                };
                put(buf, area, 0, &label(!*at_reason, "Minutes from now"));
                minutes.draw(buf, field(1), cx.theme, !*at_reason);
                put(buf, area, 3, &label(*at_reason, "Because …"));
                reason.draw(buf, field(4), cx.theme, *at_reason);
            }
        }
        if let Some(wrong) = &self.wrong {
            put(buf, area, last, &Line::styled(format!("▲ {wrong}"), cx.style(Role::Warn)));
        }
    }
}
