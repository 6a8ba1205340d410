//! All that is known of one container: memory, time left, preflight, how it died, its workload, its events.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View};
use super::super::widgets::bar::bar;
use super::super::widgets::cursor::Scroll;
use super::super::widgets::panel::titled;
use super::super::widgets::pod as pod_row;
use super::super::widgets::preflight;
use super::super::widgets::spark::{range, spark};
use super::super::widgets::text::{clean, pad, put, wrap};
use crate::app::{Intent, race};
use crate::base::{ContainerRef, span};
use crate::incident::Kind;
use crate::preflight::Assessment;
use crate::pressure::{ContainerFacts, ContainerState, PodFacts};

/// The view.
#[derive(Debug, Default)]
pub struct Pod {
    of: Option<ContainerRef>,
    scroll: Scroll,
    method: usize,
}

const COMMANDS: &[Command] = &[
    Command::new("next-method", &["m"], "the next capture method of the preflight").shown("next method"),
    Command::new("capture-by", &["enter"], "capture by the method shown").shown("capture by it"),
    Command::new("copy", &["c"], "copy the pod's name"),
    preflight::COPY,
    preflight::METHOD,
    preflight::REDEPLOY,
    preflight::SAMPLING,
];

impl Pod {
    fn container(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        self.of.clone().or_else(|| cx.model.board.rows().first().map(|r| r.container.clone()))
    }

    /// The assessment that is shown.
    fn assessment<'a>(&self, cx: &Cx<'a>, container: &ContainerRef) -> Option<&'a Assessment> {
        let methods = &cx.model.surveys.get(container)?.methods;
        methods.get(self.method % methods.len().max(1))
    }

    fn lines(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let Some(container) = self.container(cx) else {
            return vec![Line::styled("No pod is known.", cx.style(Role::Dim))];
        };
        self.memory(cx, &container, columns, &mut lines);
        watched(cx, &container, columns, &mut lines);
        self.preflight(cx, &container, columns, &mut lines);
        if let Some(pod) = cx.model.board.pod(&container.pod) {
            facts(cx, pod, columns, &mut lines);
            for part in pod.containers.iter().filter(|c| c.name == container.name) {
                container_facts(cx, part, columns, &mut lines);
            }
        }
        happened(cx, &container, columns, &mut lines);
        lines
    }

    fn memory(&self, cx: &Cx<'_>, container: &ContainerRef, columns: usize, lines: &mut Vec<Line<'static>>) {
        let Some(row) = cx.model.board.find(container) else {
            lines.push(Line::styled("▲ This pod is gone; what is recorded of it stands in the timeline.", cx.style(Role::Warn)));
            return;
        };
        let (symbol, role) = pod_row::mark(row);
        lines.push(Line::from(vec![
            Span::styled(format!("{symbol} {}  ", pod_row::word(row)), cx.style(role)),
            Span::styled(
                format!("{} {} {}", bar(row.share.unwrap_or(0.0), 20), pod_row::percent(row), pod_row::memory(row)),
                cx.style(role),
            ),
        ]));
        let slope = row.slope.map_or_else(|| "slope unknown".to_owned(), |s| s.to_string());
        lines.push(Line::styled(format!("  {slope}; {}", pod_row::eta_words(row)), cx.style(Role::Text)));
        let points = pod_row::points(row);
        if !points.is_empty() {
            let (floor, ceiling) = range(&points);
            let wide = columns.saturating_sub(4).min(64);
            lines.push(Line::styled(format!("  {}", spark(&points, floor, ceiling, wide.min(points.len()))), cx.style(role)));
        }
        let source = match (row.age, &row.source) {
            (Some(age), Some(source)) => format!("  measured {} ago by {source}", span(age)),
            _ => "  not measured yet".to_owned(),
        };
        lines.push(Line::styled(source, cx.style(Role::Dim)));
        let ended = pod_row::ended(row);
        if !ended.is_empty() {
            let when = row
                .last_end
                .as_ref()
                .and_then(|e| e.at)
                .map_or_else(String::new, |at| format!(", {} ago", span((cx.model.now.wall - at).to_std().unwrap_or_default())));
            let words = format!("died last of: {ended}{when}; {} restarts", row.restarts);
            lines.extend(wrap(&words, columns.saturating_sub(2)).into_iter().map(|l| Line::styled(format!("  {l}"), cx.style(Role::Warn))));
        }
        lines.push(Line::default());
    }

    fn preflight(&self, cx: &Cx<'_>, container: &ContainerRef, columns: usize, lines: &mut Vec<Line<'static>>) {
        let heading = |words: &str| Line::styled(words.to_owned(), cx.style(Role::Title));
        let Some(survey) = cx.model.surveys.get(container) else {
            lines.push(heading("Is a capture safe?"));
            lines.push(Line::styled(format!("  not asked yet: {} asks", cx.keys.key_for("preflight")), cx.style(Role::Dim)));
            lines.push(Line::default());
            return;
        };
        let age = span(cx.model.now.mono.saturating_sub(survey.at.mono));
        if survey.job.is_some() {
            lines.push(heading("Is a capture safe?"));
            lines.push(Line::styled("  the process is being looked at …", cx.style(Role::Info)));
        } else if let Some(trouble) = &survey.trouble {
            lines.push(heading("Is a capture safe?"));
            lines.extend(wrap(&trouble.to_string(), columns).into_iter().map(|l| Line::styled(l, cx.style(Role::Bad))));
        } else if let Some(assessment) = self.assessment(cx, container) {
            let (symbol, role) = preflight::mark(assessment.risk);
            let place = format!("{}/{}", self.method % survey.methods.len() + 1, survey.methods.len());
            lines.push(Line::from(vec![
                Span::styled("Is a capture safe? ", cx.style(Role::Title)),
                Span::styled(format!("{symbol} {}", assessment.risk.word()), cx.style(role)),
                Span::styled(format!(" by {} (method {place}, asked {age} ago)", clean(&assessment.method)), cx.style(Role::Dim)),
            ]));
            lines.extend(preflight::lines(cx, assessment, columns));
        }
        lines.push(Line::default());
    }
}

/// What is waited for, if the container is watched, and the race of a capture that is under way.
fn watched(cx: &Cx<'_>, container: &ContainerRef, columns: usize, lines: &mut Vec<Line<'static>>) {
    let mut say = |words: String, role: Role| {
        lines.extend(wrap(&words, columns).into_iter().map(|l| Line::styled(l, cx.style(role))));
    };
    let under_way = cx.model.captures.iter().filter(|c| c.container == *container && c.job.is_some() && !c.is_waiting());
    for capture in under_way {
        say(format!("{} by {}: {}", capture.evidence, capture.method, capture.state.line()), Role::Info);
        if let Some(race) = race(cx.model, capture) {
            let keeps = if race.lost { format!("; kept then: {}", race.keeps) } else { String::new() };
            say(format!("{}{keeps}", race.words), if race.lost { Role::Bad } else { Role::Good });
        }
    }
    if let Some(watch) = cx.model.watch(container) {
        let since = span((cx.model.now.wall - watch.since).to_std().unwrap_or_default());
        say(format!("◎ ARMED for {since}, {}: waits for {}", watch.how.words(), watch.waits_for), Role::Info);
        match &watch.last {
            Some((at, sign, what)) => {
                let age = span((cx.model.now.wall - at).to_std().unwrap_or_default());
                say(format!("  last sign {age} ago: {} · {what}", sign.word()), Role::Warn);
            }
            None => say(format!("  no sign yet; {} disarms", cx.keys.key_for("arm")), Role::Dim),
        }
        lines.push(Line::default());
    }
}

fn pair(cx: &Cx<'_>, name: &str, value: &str, columns: usize, lines: &mut Vec<Line<'static>>) {
    for (i, words) in wrap(value, columns.saturating_sub(14)).into_iter().enumerate() {
        let head = if i == 0 { pad(name, 14, false) } else { " ".repeat(14) };
        lines.push(Line::from(vec![Span::styled(head, cx.style(Role::Dim)), Span::styled(words, cx.style(Role::Text))]));
    }
}

fn facts(cx: &Cx<'_>, pod: &PodFacts, columns: usize, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::styled("The pod", cx.style(Role::Title)));
    let created =
        pod.created.map_or_else(String::new, |at| format!(", made {} ago", span((cx.model.now.wall - at).to_std().unwrap_or_default())));
    pair(cx, "state", &format!("{}{}{created}", pod.phase, if pod.ready { ", ready" } else { ", not ready" }), columns, lines);
    if let Some(workload) = &pod.workload {
        let revision = pod.revision.as_ref().map_or_else(String::new, |r| format!(" (revision {r})"));
        pair(cx, "workload", &format!("{workload}{revision}"), columns, lines);
    }
    pair(cx, "node, qos", &format!("{}, {}", pod.node.as_deref().unwrap_or("none"), pod.qos), columns, lines);
    if let Some(manager) = &pod.manager {
        pair(cx, "managed by", &format!("{} ({}): it may undo manual changes", manager.tool, manager.sign), columns, lines);
    }
    if let Some(resize) = &pod.resize {
        pair(cx, "resize", resize, columns, lines);
    }
    let labels: Vec<String> = pod.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    pair(cx, "labels", &labels.join(" "), columns, lines);
}

fn container_facts(cx: &Cx<'_>, part: &ContainerFacts, columns: usize, lines: &mut Vec<Line<'static>>) {
    pair(cx, "container", &part.name, columns, lines);
    pair(cx, "image", &part.image, columns, lines);
    let state = match &part.state {
        ContainerState::Waiting { reason } => format!("waiting: {reason}"),
        ContainerState::Running { since } => since.map_or_else(
            || "running".to_owned(),
            |at| format!("running for {}", span((cx.model.now.wall - at).to_std().unwrap_or_default())),
        ),
        ContainerState::Terminated(end) => format!("ended: {} ({})", end.reason, end.exit_code),
    };
    pair(cx, "runs", &state, columns, lines);
    let bytes = |b: Option<crate::base::Bytes>| b.map_or_else(|| "none".to_owned(), crate::base::Bytes::binary);
    let restarts = if part.resize_restarts { " (a resize restarts it: the heap would be lost)" } else { "" };
    pair(cx, "memory", &format!("limit {}, request {}{restarts}", bytes(part.limit), bytes(part.request)), columns, lines);
    if let Some(probe) = &part.liveness {
        let words = format!(
            "{} failures, every {} s, {} s each, grace {} s",
            probe.failure_threshold, probe.period_s, probe.timeout_s, probe.grace_s
        );
        pair(cx, "liveness", &words, columns, lines);
    }
    lines.push(Line::default());
}

fn happened(cx: &Cx<'_>, container: &ContainerRef, columns: usize, lines: &mut Vec<Line<'static>>) {
    let Some(state) = &cx.model.incident else { return };
    let about = |kind: &Kind| match kind {
        Kind::ContainerDied { container: c, .. } | Kind::CaptureStarted { container: c, .. } => c == container,
        Kind::Assessed { pod, .. } | Kind::RiskAccepted { pod, .. } => *pod == container.pod,
        Kind::ActIntended { request, .. } => request.target.name == container.pod.name,
        _ => false,
    };
    lines.push(Line::styled("In this incident, newest first", cx.style(Role::Title)));
    let before = lines.len();
    for event in state.timeline.iter().rev().filter(|e| about(&e.kind)).take(30) {
        let line = crate::report::event_line(event);
        for (i, words) in wrap(line.text.as_str(), columns.saturating_sub(11)).into_iter().enumerate() {
            let head = if i == 0 { format!("{} {} ", event.at.wall.format("%H:%M:%S"), line.class.symbol()) } else { " ".repeat(11) };
            lines.push(Line::from(vec![Span::styled(head, cx.style(Role::Dim)), Span::styled(words, cx.style(Role::Text))]));
        }
    }
    if lines.len() == before {
        lines.push(Line::styled("  nothing yet", cx.style(Role::Dim)));
    }
}

impl View for Pod {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        if self.scroll.on(command) {
            return Some(Reply::none());
        }
        let container = self.container(cx)?;
        match command {
            "next-method" => {
                self.method += 1;
                Some(Reply::none())
            }
            "capture-by" => {
                let survey = cx.model.surveys.get(&container).filter(|s| !s.methods.is_empty());
                let Some(survey) = survey else {
                    return Some(Reply::say(format!("ask first whether it is safe: {}", cx.keys.key_for("preflight"))));
                };
                let method = survey.methods.get(self.method % survey.methods.len()).map(|m| m.method.clone());
                Some(Reply::intent(Intent::Capture { container, method }))
            }
            "copy" => Some(Reply::copy(container.pod.name)),
            // A way out that the preflight on the screen offers; resize and isolate work without one too.
            way => self.assessment(cx, &container).and_then(|a| preflight::way_of(a, &container, way)).map(Reply::intent),
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let len = self.lines(cx, area.width.into()).len();
        self.scroll.arrange(len, area.height.saturating_sub(1).into());
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let title = self.container(cx).map_or_else(|| "Pod".to_owned(), |c| c.to_string());
        let inner = titled(buf, area, cx.theme, &title, &self.scroll.rest(), true);
        let lines = self.lines(cx, inner.width.into());
        for (y, i) in (0..inner.height).zip(self.scroll.seen()) {
            if let Some(line) = lines.get(i) {
                put(buf, inner, y, line);
            }
        }
    }

    fn show(&mut self, about: &About, _cx: &Cx<'_>) -> Option<Reply> {
        if let About::Container(container) = about {
            if self.of.as_ref() != Some(container) {
                self.scroll = Scroll::default();
                self.method = 0;
            }
            self.of = Some(container.clone());
        }
        None
    }

    fn subject(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        self.container(cx)
    }
}
