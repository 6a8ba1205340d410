//! Watching for the next death: what would be armed in each pod, and how; and whether a watch should end.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::key::Key;
use super::super::theme::Role;
use super::super::view::{Cx, Dialog, Reply};
use super::super::widgets::cursor::Scroll;
use super::super::widgets::text::{put, wrap};
use crate::app::{ArmChoice, Intent, Proposal, proposal, redeploys};
use crate::base::{ContainerRef, span};
use crate::incident::Arming;
use crate::preflight::Risk;

/// How?
pub struct Arm {
    containers: Vec<ContainerRef>,
    scroll: Scroll,
}

const ARM: &[Command] = &[
    Command::new("arm-now", &["1"], "arm as proposed, at run time").shown("arm"),
    Command::new("only-watch", &["2"], "only watch: nothing in the pods is changed").shown("only watch"),
    Command::new("redeploy", &["3"], "redeploy with the flags; its dry-run comes first").shown("redeploy"),
    Command::new("no", &["n", "esc", "enter"], "nothing (default)").shown("No (default)"),
    Command::new("scroll", &["pgdn", "pgup", "down", "up"], "read on"),
];

fn mark(p: &Proposal) -> (&'static str, Role, &'static str) {
    match (p.looking, p.how, p.risk) {
        (true, ..) => ("…", Role::Info, "is looked at"),
        (_, Arming::Flags, _) => ("✔", Role::Good, "armed by its flags"),
        (_, Arming::Inspector, Risk::Risky) => ("▲", Role::Warn, "to be armed through the inspector"),
        (_, Arming::Inspector, _) => ("✔", Role::Good, "to be armed through the inspector"),
        (_, Arming::Only, _) => ("○", Role::Info, "only watched"),
    }
}

impl Arm {
    /// For `containers`.
    pub fn new(containers: Vec<ContainerRef>) -> Self {
        Self { containers, scroll: Scroll::default() }
    }

    fn lines(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for container in &self.containers {
            let proposal = proposal(cx.model, container);
            let (symbol, role, words) = mark(&proposal);
            lines.push(Line::from(vec![
                Span::styled(format!("{symbol} "), cx.style(role)),
                Span::styled(container.pod.name.clone(), cx.style(Role::Title)),
                Span::styled(format!("  {words}"), cx.style(role)),
            ]));
            let note = wrap(&proposal.note, columns.saturating_sub(2));
            lines.extend(note.into_iter().map(|l| Line::styled(format!("  {l}"), cx.style(Role::Text))));
        }
        lines.push(Line::default());
        let words = "Then it waits for hours. At the first sign (a file, a fatal log line, an OOMKill, a restart, a new pod) it keeps by itself: \
                     the heap while it is written, the log of the life that ended, reports, and how it died.";
        lines.extend(wrap(words, columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Dim))));
        lines
    }

    fn choices(&self, cx: &Cx<'_>) -> Vec<(&'static str, String, bool)> {
        let all: Vec<Proposal> = self.containers.iter().map(|c| proposal(cx.model, c)).collect();
        let count = |how| all.iter().filter(|p| p.how == how && !p.looking).count();
        let (flags, inspector) = (count(Arming::Flags), count(Arming::Inspector));
        let looking = all.iter().any(|p| p.looking);
        let read_only = cx.model.setting.read_only;
        let first = match (flags, inspector) {
            _ if looking => "arm: the pods are still looked at …".to_owned(),
            (0, 0) => "arm: nothing here can be armed at run time".to_owned(),
            (0, n) => format!("arm {n} through the inspector: no restart"),
            (n, 0) => format!("take the heap of {n} that its flags arm: no change"),
            (a, b) => format!("arm {b} through the inspector, {a} by flags: no restart"),
        };
        let workloads: Vec<String> = redeploys(cx.model, &self.containers).iter().map(|r| r.target.name.clone()).collect();
        let third = if workloads.is_empty() {
            "redeploy with the flags: no workload is known".to_owned()
        } else {
            format!("redeploy {} with the flags: new pods, dry-run first", workloads.join(", "))
        };
        vec![
            ("1", first, !looking && !read_only && flags + inspector > 0),
            ("2", "only watch: nothing in the pods is changed".to_owned(), true),
            ("3", third, !looking && !read_only && !workloads.is_empty()),
        ]
    }
}

impl Dialog for Arm {
    fn title(&self, _cx: &Cx<'_>) -> String {
        match self.containers.as_slice() {
            [one] => format!("ARM {}: how?", one.pod.name),
            many => format!("ARM {} pods: how?", many.len()),
        }
    }

    fn commands(&self) -> &'static [Command] {
        ARM
    }

    fn typing(&self) -> bool {
        false
    }

    fn key(&mut self, key: Key, cx: &Cx<'_>) -> Reply {
        for (name, command) in [("pgdn", "page-down"), ("pgup", "page-up"), ("down", "down"), ("up", "up")] {
            if key.is(name) {
                self.scroll.on(command);
                return Reply::none();
            }
        }
        if key.is("esc") || key.is("n") || key.is("enter") || key.is("q") {
            return Reply::intent(Intent::RefuseArm);
        }
        let choice = match key.typed() {
            Some('1') => ArmChoice::RunTime,
            Some('2') => ArmChoice::Only,
            Some('3') => ArmChoice::Redeploy,
            _ => return Reply::say("1, 2 or 3 chooses how; Enter is No"),
        };
        let at = match choice {
            ArmChoice::RunTime => 0,
            ArmChoice::Only => 1,
            ArmChoice::Redeploy => 2,
        };
        match self.choices(cx).get(at) {
            Some((_, _, true)) => Reply::intent(Intent::ArmAs { containers: self.containers.clone(), choice }),
            Some((_, words, false)) => Reply::say(words.clone()),
            None => Reply::none(),
        }
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(self.lines(cx, columns.into()).len() + 5).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let lines = self.lines(cx, area.width.into());
        let below = area.height.saturating_sub(5);
        self.scroll.arrange(lines.len(), below.into());
        for (y, i) in (0..below).zip(self.scroll.seen()) {
            if let Some(line) = lines.get(i) {
                put(buf, area, y, line);
            }
        }
        let rest = self.scroll.rest();
        if !rest.is_empty() {
            put(buf, area, below, &Line::styled(format!("{rest} (pgdn)"), cx.style(Role::Key)));
        }
        for (y, (key, words, can)) in (below + 1..).zip(self.choices(cx)) {
            let role = if can { Role::Text } else { Role::Dim };
            let line = Line::from(vec![
                Span::styled(format!("[{key}] "), cx.style(if can { Role::Key } else { Role::Dim })),
                Span::styled(words, cx.style(role)),
            ]);
            put(buf, area, y, &line);
        }
        put(buf, area, area.height.saturating_sub(1), &Line::styled("[n, Enter, Esc] No (default)", cx.style(Role::Title)));
    }
}

/// Should the watches end?
pub struct Disarm {
    containers: Vec<ContainerRef>,
}

const DISARM: &[Command] = &[
    Command::new("yes", &["y"], "end the watch").shown("disarm"),
    Command::new("no", &["n", "esc", "enter"], "keep watching (default)").shown("No (default)"),
];

impl Disarm {
    /// For `containers`.
    pub fn new(containers: Vec<ContainerRef>) -> Self {
        Self { containers }
    }

    fn lines(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for watch in self.containers.iter().filter_map(|c| cx.model.watch(c)) {
            let since = span((cx.model.now.wall - watch.since).to_std().unwrap_or_default());
            let last = watch
                .last
                .as_ref()
                .map_or_else(|| "no sign yet".to_owned(), |(_, sign, what)| format!("last sign: {} · {what}", sign.word()));
            let words = format!("{}: {}, for {since}; waits for {}; {last}", watch.container.pod.name, watch.how.words(), watch.waits_for);
            lines.extend(wrap(&words, columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Text))));
        }
        let words = "Nothing more is collected by itself. What was armed inside a process stays armed until that process ends.";
        lines.extend(wrap(words, columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Dim))));
        lines
    }
}

impl Dialog for Disarm {
    fn title(&self, _cx: &Cx<'_>) -> String {
        match self.containers.as_slice() {
            [one] => format!("DISARM {}?", one.pod.name),
            many => format!("DISARM {} pods?", many.len()),
        }
    }

    fn role(&self) -> Role {
        Role::Warn
    }

    fn commands(&self) -> &'static [Command] {
        DISARM
    }

    fn typing(&self) -> bool {
        false
    }

    fn key(&mut self, key: Key, _cx: &Cx<'_>) -> Reply {
        if key.is("y") {
            return Reply::intent(Intent::Disarm { containers: self.containers.clone() });
        }
        if key.is("esc") || key.is("n") || key.is("enter") || key.is("q") {
            return Reply::intent(Intent::RefuseArm);
        }
        Reply::say("y ends the watch; Enter is No")
    }

    fn rows(&self, cx: &Cx<'_>, columns: u16) -> u16 {
        u16::try_from(self.lines(cx, columns.into()).len() + 2).unwrap_or(u16::MAX)
    }

    fn draw(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        for (y, line) in (0..area.height.saturating_sub(1)).zip(self.lines(cx, area.width.into())) {
            put(buf, area, y, &line);
        }
        let line = Line::from(vec![
            Span::styled("[y] disarm  ", cx.style(Role::Key)),
            Span::styled("[n, Enter, Esc] No (default)", cx.style(Role::Title)),
        ]);
        put(buf, area, area.height.saturating_sub(1), &line);
    }
}
