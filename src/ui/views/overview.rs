//! Pods, timeline and playbook at a glance: the screen that stays open.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View};
use super::super::widgets::panel::titled;
use super::super::widgets::text::{put, wrap};
use super::pods::PodList;
use super::{playbook, timeline};
use crate::base::ContainerRef;
use crate::incident::Kind;

/// The panes that Tab goes through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Pods,
    Playbook,
    Timeline,
}

/// The view.
#[derive(Debug, Default)]
pub struct Overview {
    pods: PodList,
    pane: Pane,
    filter: String,
}

const COMMANDS: &[Command] = &[
    Command::new("open", &["enter"], "open what the marked pane shows").shown("open"),
    Command::new("mark", &["space"], "mark the pod: arming and capturing act on all marked"),
    Command::new("copy", &["c"], "copy the pod's name"),
];

/// The rectangles of the panes; a height of zero: the pane is not shown.
#[derive(Clone, Copy, Debug, Default)]
struct Panes {
    pods: Rect,
    finding: Rect,
    playbook: Rect,
    timeline: Rect,
}

impl Overview {
    fn panes(&self, cx: &Cx<'_>, area: Rect) -> Panes {
        let found = cx.model.verdict().is_some_and(|v| v.first().is_some());
        let pods = u16::try_from(cx.model.board.rows().len()).unwrap_or(u16::MAX).max(1).saturating_add(2);
        let row = |y: u16, height: u16, x: u16, width: u16| Rect { x: area.x + x, y: area.y + y, width, height };
        if area.width >= 140 && area.height >= 20 {
            // Side by side: pods and timeline left, playbook and finding right.
            let side = area.width * 2 / 5;
            let main = area.width - side - 1;
            let upper = pods.min(area.height / 2).max(6);
            let finding = if found { 6.min(area.height / 3) } else { 0 };
            return Panes {
                pods: row(0, upper, 0, main),
                timeline: row(upper, area.height - upper, 0, main),
                finding: row(0, finding, main + 1, side),
                playbook: row(finding, area.height - finding, main + 1, side),
            };
        }
        let upper = pods.min((area.height * 9 / 20).max(4)).min(area.height);
        let finding = if found && area.height >= 16 { 3 } else { 0 };
        let rest = area.height.saturating_sub(upper + finding);
        let y = upper + finding;
        let (playbook, timeline) = if area.width >= 76 {
            let left = (area.width - 1) / 2;
            (row(y, rest, 0, left), row(y, rest, left + 1, area.width - left - 1))
        } else if self.pane == Pane::Timeline {
            (Rect::default(), row(y, rest, 0, area.width))
        } else {
            (row(y, rest, 0, area.width), Rect::default())
        };
        Panes { pods: row(0, upper, 0, area.width), finding: row(upper, finding, 0, area.width), playbook, timeline }
    }
}

fn finding(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(suspect) = cx.model.verdict().and_then(|v| v.first()) else { return };
    let note = format!("{} confidence · 5 shows it", suspect.confidence.word());
    let inner = titled(buf, area, cx.theme, "Found", &note, false);
    let place = suspect.location.as_ref().filter(|p| !suspect.headline.as_str().contains(&format!(":{}", p.line)));
    let place = place.map_or_else(String::new, |p| format!(" ({}:{})", p.file, p.line));
    let words = format!("{}{place}", suspect.headline);
    for (y, line) in (0..inner.height).zip(wrap(&words, inner.width.into())) {
        put(buf, inner, y, &Line::styled(line, cx.style(Role::Deep)));
    }
}

fn tail(cx: &Cx<'_>, area: Rect, buf: &mut Buffer, active: bool) {
    let Some(state) = &cx.model.incident else {
        let inner = titled(buf, area, cx.theme, "Timeline", "", active);
        let key = cx.keys.key_for("declare");
        let words = format!("Not recorded yet: {key} declares the incident. The first capture or change declares it too.");
        for (y, line) in (0..inner.height).zip(wrap(&words, inner.width.into())) {
            put(buf, inner, y, &Line::from(Span::styled(line, cx.style(Role::Dim))));
        }
        return;
    };
    let inner = titled(buf, area, cx.theme, "Timeline", "newest first", active);
    // Ticks stand in the playbook beside it.
    let events = state.timeline.iter().rev().filter(|e| !timeline::is_routine(e) && !matches!(e.kind, Kind::StepTicked { .. }));
    for (y, event) in (0..inner.height).zip(events) {
        put(buf, inner, y, &timeline::short(cx, event, inner.width.into()));
    }
}

impl View for Overview {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        match command {
            "next-pane" => {
                self.pane = match self.pane {
                    Pane::Pods => Pane::Playbook,
                    Pane::Playbook => Pane::Timeline,
                    Pane::Timeline => Pane::Pods,
                };
                return Some(Reply::none());
            }
            "pane-before" => {
                self.pane = match self.pane {
                    Pane::Pods => Pane::Timeline,
                    Pane::Playbook => Pane::Pods,
                    Pane::Timeline => Pane::Playbook,
                };
                return Some(Reply::none());
            }
            "open" => {
                return match self.pane {
                    Pane::Pods => self.pods.subject(cx.model).map(|container| Reply::go("pod", About::Container(container))),
                    Pane::Playbook => {
                        let step = cx.model.playbook.as_ref().and_then(|guide| guide.run.next(&guide.book));
                        Some(Reply::go("playbook", step.map_or(About::Anything, |s| About::Step(s.id.clone()))))
                    }
                    Pane::Timeline => Some(Reply::go("timeline", About::Anything)),
                };
            }
            "mark" => {
                self.pane = Pane::Pods;
                self.pods.mark(cx.model);
                return Some(Reply::none());
            }
            "copy" => return self.pods.subject(cx.model).map(|container| Reply::copy(container.pod.name)),
            _ => {}
        }
        if !self.pods.on(command, cx.model) {
            return None;
        }
        // Moving moves in the pods: say so by going there.
        self.pane = Pane::Pods;
        Some(Reply::none())
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let height = self.panes(cx, area).pods.height;
        self.pods.arrange(cx.model, height);
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let panes = self.panes(cx, area);
        self.pods.draw(cx, panes.pods, buf, self.pane == Pane::Pods);
        if panes.finding.height > 0 {
            finding(cx, panes.finding, buf);
        }
        if panes.playbook.height > 0 {
            playbook::glance(cx, panes.playbook, buf, self.pane == Pane::Playbook);
        }
        if panes.timeline.height > 0 {
            tail(cx, panes.timeline, buf, self.pane == Pane::Timeline);
        }
    }

    fn subject(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        self.pods.subject(cx.model)
    }

    fn marked(&self, cx: &Cx<'_>) -> Vec<ContainerRef> {
        self.pods.marked(cx.model)
    }

    fn filter(&self) -> Option<&str> {
        Some(&self.filter)
    }

    fn set_filter(&mut self, words: &str) {
        words.clone_into(&mut self.filter);
        self.pods.set_filter(words);
    }

    fn click(&mut self, cx: &Cx<'_>, y: u16) -> bool {
        self.pods.click(cx.model, y)
    }
}
