//! All containers by memory pressure; who dies first stands on top.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View, fits};
use super::super::widgets::bar::bar;
use super::super::widgets::cursor::Cursor;
use super::super::widgets::panel::titled;
use super::super::widgets::pod as pod_row;
use super::super::widgets::spark::{range, spark};
use super::super::widgets::table::{Column, Field, table};
use super::super::widgets::text::{put, wrap};
use crate::app::Model;
use crate::app::model::Link;
use crate::base::{ContainerRef, span};
use crate::pressure::Row;

/// How the list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    /// Who dies first.
    #[default]
    Pressure,
    /// Share of the limit.
    Share,
    /// Restarts.
    Restarts,
    /// Name.
    Name,
}

impl Order {
    const fn next(self) -> Self {
        match self {
            Self::Pressure => Self::Share,
            Self::Share => Self::Restarts,
            Self::Restarts => Self::Name,
            Self::Name => Self::Pressure,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Pressure => "who dies first",
            Self::Share => "% of limit",
            Self::Restarts => "restarts",
            Self::Name => "name",
        }
    }
}

/// The list with its cursor, which stays on its container when the ranking changes. Until the person moves it, it stands on top.
#[derive(Debug, Default)]
pub struct PodList {
    cursor: Cursor,
    held: Option<ContainerRef>,
    order: Order,
    filter: String,
    /// Containers that an act on several is about.
    marked: BTreeSet<ContainerRef>,
}

const COLUMNS: &[Column] = &[
    Column::new("", 2, 0),
    Column::new("POD", 14, 0).rest(),
    Column::new("WORKLOAD", 26, 180),
    Column::new("USED/LIMIT", 13, 76).right(),
    Column::new("USED", 8, 0).until(76).right(),
    Column::new("%", 5, 0).right(),
    Column::new("", 10, 108),
    Column::new("TREND", 9, 70),
    Column::new("SLOPE", 13, 96).right(),
    Column::new("ETA", 9, 0).right(),
    Column::new("RST", 3, 0).right(),
    Column::new("LAST END", 24, 132),
    Column::new("STATE", 8, 0).until(84),
    Column::new("STATE", 16, 84),
    Column::new("", 5, 100),
    Column::new("SAMPLE", 16, 156),
];

impl PodList {
    fn rows<'a>(&self, model: &'a Model) -> Vec<&'a Row> {
        let text = |row: &Row| {
            format!("{} {} {}", row.container, row.workload.as_ref().map_or_else(String::new, ToString::to_string), pod_row::word(row))
        };
        let mut rows: Vec<&Row> =
            model.board.rows().iter().filter(|row| self.filter.is_empty() || fits(&self.filter, &text(row))).collect();
        match self.order {
            Order::Pressure => {}
            Order::Share => rows.sort_by(|a, b| b.share.unwrap_or(-1.0).total_cmp(&a.share.unwrap_or(-1.0))),
            Order::Restarts => rows.sort_by_key(|r| std::cmp::Reverse(r.restarts)),
            Order::Name => rows.sort_by(|a, b| a.container.cmp(&b.container)),
        }
        rows
    }

    fn at(&self, rows: &[&Row]) -> usize {
        self.held.as_ref().and_then(|held| rows.iter().position(|r| r.container == *held)).unwrap_or(if self.held.is_some() {
            self.cursor.at
        } else {
            0
        })
    }

    /// The container under the cursor.
    pub fn subject(&self, model: &Model) -> Option<ContainerRef> {
        let rows = self.rows(model);
        rows.get(self.at(&rows).min(rows.len().saturating_sub(1))).map(|r| r.container.clone())
    }

    /// Marks the container under the cursor, or takes its mark away.
    pub fn mark(&mut self, model: &Model) {
        let Some(container) = self.subject(model) else { return };
        if !self.marked.remove(&container) {
            self.marked.insert(container);
        }
        self.on("down", model);
    }

    /// The marked containers that are there.
    pub fn marked(&self, model: &Model) -> Vec<ContainerRef> {
        model.board.rows().iter().map(|r| r.container.clone()).filter(|c| self.marked.contains(c)).collect()
    }

    /// Moves by a command of a list.
    pub fn on(&mut self, command: &str, model: &Model) -> bool {
        let rows = self.rows(model);
        self.cursor.at = self.at(&rows);
        if !self.cursor.on(command, rows.len()) {
            return false;
        }
        let held = rows.get(self.cursor.at).map(|r| r.container.clone());
        // Back on top it follows the ranking again.
        self.held = if self.cursor.at == 0 { None } else { held };
        true
    }

    /// Puts the cursor on `container`.
    pub fn hold(&mut self, container: &ContainerRef) {
        self.held = Some(container.clone());
    }

    /// Filters by `words`.
    pub fn set_filter(&mut self, words: &str) {
        words.clone_into(&mut self.filter);
    }

    /// Puts the cursor on the row `y` rows below the title; false if there is none.
    pub fn click(&mut self, model: &Model, y: u16) -> bool {
        let rows = self.rows(model);
        let Some(row) = (y as usize).checked_sub(2).and_then(|y| rows.get(self.cursor.top + y)) else { return false };
        self.held = Some(row.container.clone());
        true
    }

    /// Prepares for `height` rows under a title and a heading.
    pub fn arrange(&mut self, model: &Model, height: u16) {
        let rows = self.rows(model);
        self.cursor.at = self.at(&rows);
        self.cursor.arrange(rows.len(), height.saturating_sub(2).into());
    }

    /// Draws title, heading and rows.
    pub fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer, active: bool) {
        let model = cx.model;
        let rows = self.rows(model);
        let inner = titled(buf, area, cx.theme, "Pods by memory pressure", &self.note(cx, rows.len()), active);
        if rows.is_empty() {
            for (y, line) in (0..inner.height).zip(wrap(&nothing(model, &self.filter), inner.width.into())) {
                put(buf, inner, y, &Line::styled(line, cx.style(Role::Dim)));
            }
            return;
        }
        let mut cursor = self.cursor;
        cursor.at = self.at(&rows);
        let several = |row: &Row| model.board.rows().iter().filter(|r| r.container.pod == row.container.pod).count() > 1;
        table(buf, inner, cx.theme, COLUMNS, (&cursor, rows.len(), active), |i| {
            fields(cx, rows[i], several(rows[i]), self.marked.contains(&rows[i].container))
        });
    }

    fn note(&self, cx: &Cx<'_>, len: usize) -> String {
        let metering = &cx.model.metering;
        let mut parts = vec![self.cursor.place(len)];
        if !self.filter.is_empty() {
            parts.push(format!("/{}", self.filter));
        }
        let marked = self.marked(cx.model).len();
        if marked > 0 {
            parts.push(format!("■ {marked} marked"));
        }
        if !cx.model.watches.is_empty() {
            parts.push(format!("◎ {} ARMED", cx.model.watches.len()));
        }
        if self.order != Order::Pressure {
            parts.push(format!("by {}", self.order.word()));
        }
        if let (Some(last), Some(source)) = (metering.last, &metering.source) {
            let age = (cx.model.now.wall - last).to_std().unwrap_or_default();
            parts.push(format!("{source}, {} ago", span(age)));
        }
        if matches!(cx.model.link, Link::Stale { .. }) {
            parts.push("▲ STALE".to_owned());
        }
        parts.retain(|p| !p.is_empty());
        parts.join(" · ")
    }
}

fn nothing(model: &Model, filter: &str) -> String {
    if !filter.is_empty() {
        return format!("No pod fits /{filter}; Esc takes the filter away.");
    }
    match &model.link {
        Link::Connecting => "Connecting to the cluster …".to_owned(),
        Link::Stale { trouble, .. } => format!("The cluster does not answer: {trouble}"),
        Link::Up => format!("No pods in namespace {}. Another one: cutoff --namespace NAME.", model.setting.namespace),
    }
}

fn fields(cx: &Cx<'_>, row: &Row, several: bool, marked: bool) -> Vec<Field> {
    let (symbol, role) = pod_row::mark(row);
    let loud = cx.style(role);
    let text = cx.style(Role::Text);
    let dim = cx.style(Role::Dim);
    let name = if several { format!("{}:{}", row.container.pod.name, row.container.name) } else { row.container.pod.name.clone() };
    let points = pod_row::points(row);
    let (floor, ceiling) = range(&points);
    let restarts = if row.restarts > 0 { cx.style(Role::Warn) } else { dim };
    // A mark is the person's; under it the watch goes on.
    let armed = cx.model.watch(&row.container);
    let signed = armed.is_some_and(|w| w.last.is_some());
    let watched = cx.style(if signed { Role::Warn } else { Role::Info });
    let sign = match (marked, armed) {
        (true, _) => "■",
        (false, Some(_)) => "◎",
        (false, None) => " ",
    };
    vec![
        Field::new(format!("{symbol}{sign}"), loud),
        Field::middle(name, if row.first { cx.style(Role::Title) } else { text }),
        Field::middle(row.workload.as_ref().map_or_else(String::new, ToString::to_string), dim),
        Field::new(pod_row::memory(row), text),
        Field::new(pod_row::used(row), text),
        Field::new(pod_row::percent(row), loud),
        Field::new(row.share.map_or_else(String::new, |s| bar(s, 10)), loud),
        Field::new(spark(&points, floor, ceiling, 9), loud),
        Field::new(row.slope.map_or_else(|| "–".to_owned(), |s| s.to_string()), text),
        Field::new(pod_row::eta(row), loud),
        Field::new(row.restarts.to_string(), restarts),
        Field::new(pod_row::ended(row), dim),
        Field::new(pod_row::word(row), loud),
        Field::new(pod_row::word(row), loud),
        Field::new(if armed.is_some() { "ARMED" } else { "" }, watched),
        Field::new(
            match (row.age, &row.source) {
                (Some(age), Some(source)) => format!("{} {source}", span(age)),
                _ => String::new(),
            },
            dim,
        ),
    ]
}

/// The view.
#[derive(Debug, Default)]
pub struct Pods {
    list: PodList,
}

const COMMANDS: &[Command] = &[
    Command::new("open", &["enter"], "all that is known of the pod").shown("open"),
    Command::new("mark", &["space"], "mark: arming and capturing act on all marked"),
    Command::new("order", &["o"], "order: who dies first, %, restarts, name").shown("order"),
    Command::new("copy", &["c"], "copy the pod's name"),
];

impl View for Pods {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        if self.list.on(command, cx.model) {
            return Some(Reply::none());
        }
        match command {
            "open" => self.subject(cx).map(|container| Reply::go("pod", About::Container(container))),
            "mark" => {
                self.list.mark(cx.model);
                Some(Reply::none())
            }
            "order" => {
                self.list.order = self.list.order.next();
                Some(Reply::say(format!("ordered by {}", self.list.order.word())))
            }
            "copy" => self.subject(cx).map(|container| Reply::copy(container.pod.name)),
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        self.list.arrange(cx.model, area.height);
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        self.list.draw(cx, area, buf, true);
    }

    fn show(&mut self, about: &About, _cx: &Cx<'_>) -> Option<Reply> {
        if let About::Container(container) = about {
            self.list.hold(container);
        }
        None
    }

    fn subject(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        self.list.subject(cx.model)
    }

    fn marked(&self, cx: &Cx<'_>) -> Vec<ContainerRef> {
        self.list.marked(cx.model)
    }

    fn filter(&self) -> Option<&str> {
        Some(&self.list.filter)
    }

    fn set_filter(&mut self, words: &str) {
        self.list.set_filter(words);
    }

    fn click(&mut self, cx: &Cx<'_>, y: u16) -> bool {
        self.list.click(cx.model, y)
    }
}
