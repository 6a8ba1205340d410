//! Posts, to whom, and what became of them on each channel.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{Cx, Reply, View};
use super::super::widgets::cursor::Cursor;
use super::super::widgets::panel::titled;
use super::super::widgets::table::{Column, Field, table};
use super::super::widgets::text::{put, wrap};
use crate::base::span;
use crate::incident::{Audience, PostKind, PostRecord, clock_view};

/// The view.
#[derive(Debug, Default)]
pub struct Comms {
    cursor: Cursor,
    moved: bool,
}

const COMMANDS: &[Command] = &[Command::new("copy", &["c"], "copy the post's words").shown("copy")];

const COLUMNS: &[Column] = &[
    Column::new("AT", 8, 0),
    Column::new("POST", 11, 0),
    Column::new("TO", 5, 0),
    Column::new("WORDS", 10, 0).rest(),
    Column::new("STATE", 22, 0),
];

/// The word for a kind of post.
pub const fn word(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Declared => "first post",
        PostKind::Update => "update",
        PostKind::LongNotice => "LONG notice",
        PostKind::Escalation => "escalation",
        PostKind::Resolved => "resolved",
    }
}

fn fate(post: &PostRecord) -> (String, Role) {
    let all = post.deliveries.len();
    let sent = post.deliveries.values().filter(|d| d.sent.is_some()).count();
    let lost = post.deliveries.values().filter(|d| d.given_up).count();
    match (all, sent, lost) {
        (0, _, _) => ("· timeline only".to_owned(), Role::Dim),
        (_, _, lost) if lost > 0 => (format!("✖ {lost} given up"), Role::Bad),
        (all, sent, _) if sent == all => (format!("✔ sent to {sent}"), Role::Good),
        (all, sent, _) => (format!("▲ {} of {all} waiting", all - sent), Role::Warn),
    }
}

impl View for Comms {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        let posts = &cx.model.incident.as_ref()?.posts;
        if self.cursor.on(command, posts.len()) {
            self.moved = true;
            return Some(Reply::none());
        }
        match command {
            "copy" => posts.get(self.cursor.at).map(|p| Reply::copy(p.post.text.as_str())),
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let len = cx.model.incident.as_ref().map_or(0, |s| s.posts.len());
        if !self.moved {
            self.cursor.at = len.saturating_sub(1);
        }
        self.cursor.arrange(len, (area.height / 2).saturating_sub(2).into());
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let upper = Rect { height: area.height / 2, ..area };
        let Some(state) = &cx.model.incident else {
            let inner = titled(buf, area, cx.theme, "Communications", "", true);
            put(buf, inner, 0, &Line::styled("No incident is declared: nobody has to be told yet.", cx.style(Role::Dim)));
            return;
        };
        let due = match clock_view(state, cx.model.now).update_in_s {
            Some(s) if s < 0 => format!("▲ next post overdue by {}", span(std::time::Duration::from_secs(s.unsigned_abs()))),
            Some(s) => format!("next post due in {}", span(std::time::Duration::from_secs(s.unsigned_abs()))),
            None => String::new(),
        };
        let inner = titled(buf, upper, cx.theme, "Posts", &due, true);
        if state.posts.is_empty() {
            let words = format!("Nobody was told yet. {} drafts the first post; you edit it before it is sent.", cx.keys.key_for("post"));
            for (y, line) in (0..inner.height).zip(wrap(&words, inner.width.into())) {
                put(buf, inner, y, &Line::styled(line, cx.style(Role::Dim)));
            }
        } else {
            table(buf, inner, cx.theme, COLUMNS, (&self.cursor, state.posts.len(), true), |i| {
                let post = &state.posts[i];
                let (words, role) = fate(post);
                let to = if post.post.audience == Audience::Users { "users" } else { "team" };
                vec![
                    Field::new(post.mark.at.format("%H:%M:%S").to_string(), cx.style(Role::Dim)),
                    Field::new(word(post.post.kind), cx.style(Role::Text)),
                    Field::new(to, cx.style(Role::Dim)),
                    Field::new(post.post.text.as_str(), cx.style(Role::Text)),
                    Field::new(words, cx.style(role)),
                ]
            });
        }
        let lower = Rect { y: area.y + upper.height, height: area.height - upper.height, ..area };
        let title = match cx.model.setting.channels.as_slice() {
            [] => "No channel is configured: posts stay in the timeline (config: notify.channels)".to_owned(),
            channels => format!("Channels: {}", channels.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ")),
        };
        let inner = titled(buf, lower, cx.theme, &title, "", false);
        let Some(post) = state.posts.get(self.cursor.at) else { return };
        let mut lines: Vec<Line<'static>> = Vec::new();
        for (channel, delivery) in &post.deliveries {
            let (symbol, role, words) = match (&delivery.sent, &delivery.failed) {
                (Some((at, answer)), _) => ("✔", Role::Good, format!("{channel}: sent {}, {answer}", at.format("%H:%M:%S"))),
                (None, Some((_, why))) if delivery.given_up => {
                    ("✖", Role::Bad, format!("{channel}: given up after {} tries: {why}", delivery.tries))
                }
                (None, Some((_, why))) => ("▲", Role::Warn, format!("{channel}: {} tries, goes on: {why}", delivery.tries)),
                (None, None) => ("◆", Role::Info, format!("{channel}: waiting")),
            };
            for (i, line) in wrap(&words, usize::from(inner.width).saturating_sub(2)).into_iter().enumerate() {
                let head = if i == 0 { format!("{symbol} ") } else { "  ".to_owned() };
                lines.push(Line::from(vec![Span::styled(head, cx.style(role)), Span::styled(line, cx.style(role))]));
            }
        }
        lines.extend(wrap(post.post.text.as_str(), inner.width.into()).into_iter().map(|l| Line::styled(l, cx.style(Role::Text))));
        for (y, line) in (0..inner.height).zip(lines) {
            put(buf, inner, y, &line);
        }
    }
}
