//! What a heap holds: the verdict on top, then classes, the dominator tree and single objects.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::command::Command;
use super::super::theme::Role;
use super::super::view::{About, Cx, Reply, View, fits};
use super::super::widgets::bar::bar;
use super::super::widgets::cursor::{Cursor, Scroll};
use super::super::widgets::panel::titled;
use super::super::widgets::table::{Column, Field, table};
use super::super::widgets::text::{fit, pad, put, wrap};
use super::dominators::{Branch, Tree};
use super::object::{Lead, leads, name};
use super::verdict;
use crate::app::Intent;
use crate::app::model::AnalysisRow;
use crate::base::{Bytes, ContainerRef, Count, EvidenceId};
use crate::heap::{Analysis, ClassIx, NodeId, NodeIx};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Verdict,
    Classes,
    Dominators,
    Object,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Verdict, Self::Classes, Self::Dominators, Self::Object];

    const fn word(self) -> &'static str {
        match self {
            Self::Verdict => "Verdict",
            Self::Classes => "Classes",
            Self::Dominators => "Dominators",
            Self::Object => "Object",
        }
    }

    fn step(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|t| *t == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// Largest objects of one class.
struct Instances {
    class: ClassIx,
    nodes: Vec<NodeIx>,
    cursor: Cursor,
}

/// What was looked at in one analysis; gone when another one is shown.
#[derive(Default)]
struct Looked {
    /// Address of the analysis, as its name.
    of: usize,
    classes: Cursor,
    instances: Option<Instances>,
    tree: Option<Tree>,
    tree_cursor: Cursor,
    object: Option<NodeIx>,
    before: Vec<NodeIx>,
    leads: Vec<Lead>,
    /// What `leads` were made for.
    made: Option<(NodeIx, bool, usize)>,
    lead_cursor: Cursor,
}

/// The view.
#[derive(Default)]
pub struct AnalysisView {
    of: Option<Vec<EvidenceId>>,
    tab: Tab,
    scroll: Scroll,
    open: bool,
    filter: String,
    looked: Looked,
}

const COMMANDS: &[Command] = &[
    Command::new("open", &["enter", "right"], "open: class, branch or object").shown("open"),
    Command::new("up-again", &["backspace", "left"], "back to the object or list before").shown("back"),
    Command::new("object", &["i"], "the object under the cursor: who holds it").shown("object"),
    Command::new("tree", &["t"], "the object in the dominator tree").shown("in the tree"),
    Command::new("strings", &["s"], "show or hide what strings say").shown("strings"),
    Command::new("other", &["o"], "the next analysis").shown("other"),
    Command::new("stop", &["x"], "stop the analysis"),
    Command::new("copy", &["c"], "copy the verdict, or the object's id"),
];

const CLASSES: &[Column] = &[
    Column::new("CLASS", 14, 0).rest(),
    Column::new("COUNT", 10, 0).right(),
    Column::new("SHALLOW", 9, 0).right(),
    Column::new("RETAINED", 9, 0).right(),
    Column::new("%", 4, 0).right(),
    Column::new("", 16, 90),
    Column::new("DIST", 4, 72).right(),
];
const OBJECTS: &[Column] = &[
    Column::new("OBJECT", 14, 0).rest(),
    Column::new("ID", 10, 0).right(),
    Column::new("SHALLOW", 9, 0).right(),
    Column::new("RETAINED", 9, 0).right(),
];

/// Objects of a class that are shown.
const INSTANCES: usize = 100;

impl AnalysisView {
    fn row<'a>(&self, cx: &Cx<'a>) -> Option<&'a AnalysisRow> {
        let rows = &cx.model.analyses;
        match &self.of {
            Some(of) => rows
                .iter()
                .rev()
                .find(|r| r.evidence == *of)
                .or_else(|| rows.iter().rev().find(|r| of.iter().any(|e| r.evidence.contains(e)))),
            None => rows.last(),
        }
    }

    fn analysis(&self, cx: &Cx<'_>) -> Option<Arc<Analysis>> {
        match (self.row(cx), &self.of) {
            (Some(row), _) => cx.shelf.newest(&row.evidence),
            (None, Some(of)) => cx.shelf.newest(of),
            (None, None) => None,
        }
    }

    fn classes(&self, analysis: &Analysis) -> Vec<ClassIx> {
        let rows = analysis.classes().iter().enumerate();
        let fitting = rows.filter(|(_, row)| self.filter.is_empty() || fits(&self.filter, &row.name));
        fitting.filter_map(|(i, _)| u32::try_from(i).ok().map(ClassIx::new)).collect()
    }

    fn go_to(&mut self, node: NodeIx) {
        if let Some(now) = self.looked.object.replace(node)
            && now != node
        {
            self.looked.before.push(now);
        }
        self.looked.lead_cursor = Cursor::default();
        self.tab = Tab::Object;
    }

    /// The object under the cursor of the present tab.
    fn under_cursor(&self, cx: &Cx<'_>, analysis: &Analysis) -> Option<NodeIx> {
        match self.tab {
            Tab::Verdict => {
                let holder = self.row(cx)?.verdict.as_ref()?.first()?.holder_id;
                analysis.by_id(NodeId(u32::try_from(holder).ok()?))
            }
            Tab::Classes => {
                let instances = self.looked.instances.as_ref()?;
                instances.nodes.get(instances.cursor.at).copied()
            }
            Tab::Dominators => match self.looked.tree.as_ref()?.rows().get(self.looked.tree_cursor.at)? {
                Branch::Object { node, .. } => Some(*node),
                Branch::More { .. } => None,
            },
            Tab::Object => self.looked.leads.get(self.looked.lead_cursor.at)?.to.or(self.looked.object),
        }
    }

    fn open(&mut self, cx: &Cx<'_>, analysis: &Analysis) -> Option<Reply> {
        match self.tab {
            Tab::Verdict => {
                let node = self.under_cursor(cx, analysis)?;
                self.go_to(node);
            }
            Tab::Classes => {
                if let Some(node) = self.under_cursor(cx, analysis) {
                    self.go_to(node);
                } else {
                    let class = *self.classes(analysis).get(self.looked.classes.at)?;
                    self.looked.instances = Some(Instances { class, nodes: largest(analysis, class), cursor: Cursor::default() });
                }
            }
            Tab::Dominators => {
                let at = self.looked.tree_cursor.at;
                self.looked.tree.as_mut()?.toggle(analysis, at);
            }
            Tab::Object => {
                let to = self.looked.leads.get(self.looked.lead_cursor.at)?.to?;
                self.go_to(to);
            }
        }
        Some(Reply::none())
    }

    fn up_again(&mut self) -> Reply {
        match self.tab {
            Tab::Classes if self.looked.instances.is_some() => self.looked.instances = None,
            Tab::Object => match self.looked.before.pop() {
                Some(before) => self.looked.object = Some(before),
                None => self.tab = Tab::Dominators,
            },
            Tab::Verdict | Tab::Classes | Tab::Dominators => {}
        }
        Reply::none()
    }

    fn moved(&mut self, command: &str, analysis: Option<&Analysis>) -> bool {
        let Some(analysis) = analysis else { return self.scroll.on(command) };
        match (self.tab, &mut self.looked.instances) {
            (Tab::Verdict, _) => self.scroll.on(command),
            (Tab::Classes, Some(instances)) => instances.cursor.on(command, instances.nodes.len()),
            (Tab::Classes, None) => {
                let len = self.classes(analysis).len();
                self.looked.classes.on(command, len)
            }
            (Tab::Dominators, _) => {
                let len = self.looked.tree.as_ref().map_or(0, |t| t.rows().len());
                self.looked.tree_cursor.on(command, len)
            }
            (Tab::Object, _) => self.looked.lead_cursor.on(command, self.looked.leads.len()),
        }
    }

    fn head(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Rect {
        let row = self.row(cx);
        let files = row.map_or_else(String::new, |r| r.evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + "));
        let many = if cx.model.analyses.len() > 1 { format!("{} analyses · ", cx.model.analyses.len()) } else { String::new() };
        let note = format!("{many}{files}");
        let inner = titled(buf, area, cx.theme, "Analysis", note.trim_end_matches(" · "), true);
        let mut spans = Vec::new();
        for tab in Tab::ALL {
            let role = if tab == self.tab { Role::Selected } else { Role::Dim };
            spans.push(Span::styled(format!(" {} ", tab.word()), cx.style(role)));
        }
        spans.push(Span::styled("  tab: next", cx.style(Role::Dim)));
        put(buf, inner, 0, &Line::from(spans));
        Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1), ..inner }
    }

    fn verdict_lines(&self, cx: &Cx<'_>, columns: usize) -> Vec<Line<'static>> {
        let say = |words: &str, role: Role| wrap(words, columns).into_iter().map(|l| Line::styled(l, cx.style(role))).collect::<Vec<_>>();
        match self.row(cx) {
            None => say(
                &format!("Nothing was analysed yet. A capture is analysed by itself; {} takes one.", cx.keys.key_for("capture")),
                Role::Dim,
            ),
            Some(row) => match (&row.verdict, &row.trouble, row.job) {
                (_, _, Some(job)) => {
                    let job = cx.model.jobs.get(&job);
                    let share = job.and_then(|j| j.share).map_or(0.0, f64::from);
                    let phase = job.map_or("", |j| j.note.as_str());
                    say(&format!("{} {:.0} %  {phase}", bar(share, 24), share * 100.0), Role::Info)
                }
                (Some(found), _, None) => verdict::lines(cx, found, self.open, columns),
                (None, Some(trouble), None) => say(&trouble.to_string(), Role::Bad),
                (None, None, None) => say("This analysis did not end.", Role::Dim),
            },
        }
    }
}

/// The largest objects of `class`, largest first.
fn largest(analysis: &Analysis, class: ClassIx) -> Vec<NodeIx> {
    let mut nodes: Vec<(u64, NodeIx)> =
        analysis.nodes().filter(|n| analysis.class_of(*n) == class).map(|n| (analysis.retained_size(n), n)).collect();
    if nodes.len() > INSTANCES {
        nodes.select_nth_unstable_by(INSTANCES, |a, b| b.cmp(a));
        nodes.truncate(INSTANCES);
    }
    nodes.sort_unstable_by(|a, b| b.cmp(a));
    nodes.into_iter().map(|(_, n)| n).collect()
}

impl View for AnalysisView {
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }

    fn on(&mut self, command: &str, cx: &Cx<'_>) -> Option<Reply> {
        let analysis = self.analysis(cx);
        if self.moved(command, analysis.as_deref()) {
            return Some(Reply::none());
        }
        match command {
            "next-pane" | "pane-before" => {
                self.tab = self.tab.step(if command == "next-pane" { 1 } else { Tab::ALL.len() - 1 });
                Some(Reply::none())
            }
            "open" => match &analysis {
                Some(analysis) => self.open(cx, analysis),
                None => Some(Reply::say("the whole analysis is not in memory; a on the evidence analyses it again")),
            },
            "up-again" => Some(self.up_again()),
            "back" if self.tab == Tab::Classes && self.looked.instances.is_some() => Some(self.up_again()),
            "object" => {
                let analysis = analysis?;
                let node = self.under_cursor(cx, &analysis)?;
                self.go_to(node);
                Some(Reply::none())
            }
            "tree" => {
                let analysis = analysis?;
                let node = self.under_cursor(cx, &analysis)?;
                let tree = self.looked.tree.get_or_insert_with(|| Tree::of(&analysis));
                match tree.reveal(&analysis, node) {
                    Some(at) => {
                        self.looked.tree_cursor.at = at;
                        self.tab = Tab::Dominators;
                        Some(Reply::none())
                    }
                    None => Some(Reply::say("it stands too far down the list of its dominator's children")),
                }
            }
            "strings" => {
                self.open = !self.open;
                Some(Reply::say(if self.open { "strings are shown; secrets stay masked" } else { "strings are hidden" }))
            }
            "other" => {
                let rows = &cx.model.analyses;
                let now = self.row(cx).and_then(|r| rows.iter().position(|x| x.evidence == r.evidence))?;
                self.of = Some(rows[(now + 1) % rows.len()].evidence.clone());
                self.scroll = Scroll::default();
                Some(Reply::none())
            }
            "stop" => Some(match self.row(cx)?.job {
                Some(job) => Reply::intent(Intent::Cancel { job }),
                None => Reply::say("no analysis runs here"),
            }),
            "copy" => {
                if self.tab == Tab::Verdict {
                    let words = self.verdict_lines(cx, 1000).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                    return Some(Reply::copy(words));
                }
                let analysis = analysis?;
                self.under_cursor(cx, &analysis).map(|node| Reply::copy(analysis.id(node).to_string()))
            }
            _ => None,
        }
    }

    fn arrange(&mut self, cx: &Cx<'_>, area: Rect) {
        let height = usize::from(area.height.saturating_sub(2));
        let columns = usize::from(area.width);
        if self.tab == Tab::Verdict {
            let len = self.verdict_lines(cx, columns).len();
            self.scroll.arrange(len, height);
        }
        let Some(analysis) = self.analysis(cx) else { return };
        let of = Arc::as_ptr(&analysis).addr();
        if self.looked.of != of {
            self.looked = Looked { of, ..Looked::default() };
        }
        match self.tab {
            Tab::Verdict => {}
            Tab::Classes => {
                let len = self.classes(&analysis).len();
                self.looked.classes.arrange(len, height.saturating_sub(1));
                if let Some(instances) = &mut self.looked.instances {
                    instances.cursor.arrange(instances.nodes.len(), height.saturating_sub(2));
                }
            }
            Tab::Dominators => {
                let tree = self.looked.tree.get_or_insert_with(|| Tree::of(&analysis));
                let len = tree.rows().len();
                self.looked.tree_cursor.arrange(len, height);
            }
            Tab::Object => {
                let holder = || analysis.by_id(NodeId(u32::try_from(self.row(cx)?.verdict.as_ref()?.first()?.holder_id).ok()?));
                let node = self.looked.object.or_else(holder).unwrap_or_else(|| analysis.root());
                self.looked.object = Some(node);
                let now = (node, self.open, columns);
                if self.looked.made != Some(now) {
                    self.looked.leads = leads(cx, &analysis, node, self.open, columns);
                    self.looked.made = Some(now);
                }
                self.looked.lead_cursor.arrange(self.looked.leads.len(), height);
            }
        }
    }

    fn draw(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let inner = self.head(cx, area, buf);
        if self.tab == Tab::Verdict {
            let lines = self.verdict_lines(cx, inner.width.into());
            for (y, i) in (0..inner.height).zip(self.scroll.seen()) {
                if let Some(line) = lines.get(i) {
                    put(buf, inner, y, line);
                }
            }
            let rest = self.scroll.rest();
            if !rest.is_empty() && inner.height > 1 {
                let line = Line::styled(pad(&format!("{rest} (pgdn)"), inner.width.into(), true), cx.style(Role::Key));
                put(buf, inner, inner.height - 1, &line);
            }
            return;
        }
        let Some(analysis) = self.analysis(cx) else {
            let words = "The whole analysis is not in memory; a on the evidence view analyses the file again.";
            put(buf, inner, 0, &Line::styled(fit(words, inner.width.into()), cx.style(Role::Dim)));
            return;
        };
        match self.tab {
            Tab::Verdict => {}
            Tab::Classes => self.draw_classes(cx, &analysis, inner, buf),
            Tab::Dominators => self.draw_tree(cx, &analysis, inner, buf),
            Tab::Object => {
                let cursor = &self.looked.lead_cursor;
                for (y, i) in (0..inner.height).zip(cursor.seen(self.looked.leads.len())) {
                    let line = &self.looked.leads[i].line;
                    let line = if i == cursor.at { line.clone().patch_style(cx.style(Role::Selected)) } else { line.clone() };
                    put(buf, inner, y, &line);
                }
            }
        }
    }

    fn show(&mut self, about: &About, cx: &Cx<'_>) -> Option<Reply> {
        if let About::Evidence(files) = about {
            let row = cx.model.analyses.iter().rev().find(|r| r.evidence == *files || files.iter().all(|f| r.evidence.contains(f)));
            self.of = Some(row.map_or_else(|| files.clone(), |r| r.evidence.clone()));
            self.tab = Tab::Verdict;
            self.scroll = Scroll::default();
        }
        None
    }

    fn subject(&self, cx: &Cx<'_>) -> Option<ContainerRef> {
        let file = self.row(cx)?.evidence.last()?;
        cx.model.capture(*file).map(|c| c.container.clone())
    }

    fn filter(&self) -> Option<&str> {
        (self.tab == Tab::Classes).then_some(self.filter.as_str())
    }

    fn set_filter(&mut self, words: &str) {
        words.clone_into(&mut self.filter);
        self.looked.instances = None;
    }
}

impl AnalysisView {
    fn draw_classes(&self, cx: &Cx<'_>, analysis: &Analysis, area: Rect, buf: &mut Buffer) {
        let total = analysis.total_size().max(1);
        let (text, dim) = (cx.style(Role::Text), cx.style(Role::Dim));
        if let Some(instances) = &self.looked.instances {
            let class = analysis.class(instances.class);
            let title = format!("largest of {} {} (backspace: all classes)", Count(class.count), class.name);
            put(buf, area, 0, &Line::styled(fit(&title, area.width.into()), cx.style(Role::Title)));
            let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
            table(buf, below, cx.theme, OBJECTS, (&instances.cursor, instances.nodes.len(), true), |i| {
                let node = instances.nodes[i];
                vec![
                    Field::new(name(analysis, node, self.open), text),
                    Field::new(analysis.id(node).to_string(), dim),
                    Field::new(Bytes(analysis.shallow_size(node)).to_string(), dim),
                    Field::new(Bytes(analysis.retained_size(node)).to_string(), text),
                ]
            });
            return;
        }
        let classes = self.classes(analysis);
        table(buf, area, cx.theme, CLASSES, (&self.looked.classes, classes.len(), true), |i| {
            let row = analysis.class(classes[i]);
            let share = Bytes(row.retained).share_of(Bytes(total));
            vec![
                Field::new(row.name.as_ref(), text),
                Field::new(Count(row.count).to_string(), dim),
                Field::new(Bytes(row.shallow).to_string(), dim),
                Field::new(Bytes(row.retained).to_string(), text),
                Field::new(format!("{:.0}", share * 100.0), text),
                Field::new(bar(share, 16), cx.style(Role::Info)),
                Field::new(if row.distance == i32::MAX { String::new() } else { row.distance.to_string() }, dim),
            ]
        });
    }

    fn draw_tree(&self, cx: &Cx<'_>, analysis: &Analysis, area: Rect, buf: &mut Buffer) {
        let Some(tree) = &self.looked.tree else { return };
        let total = Bytes(analysis.total_size());
        let cursor = &self.looked.tree_cursor;
        let columns = usize::from(area.width);
        for (y, i) in (0..area.height).zip(cursor.seen(tree.rows().len())) {
            let marked = i == cursor.at;
            let style = |role: Role| if marked { cx.style(role).patch(cx.style(Role::Selected)) } else { cx.style(role) };
            let line = match &tree.rows()[i] {
                Branch::Object { node, depth, open, leaf } => {
                    let retained = Bytes(analysis.retained_size(*node));
                    let sign = match (leaf, open) {
                        (true, _) => " ",
                        (false, true) => "▾",
                        (false, false) => "▸",
                    };
                    // Deep trees stay readable: the depth is told in a number beyond twelve steps.
                    let indent = if *depth <= 12 { " ".repeat(*depth) } else { format!("{depth:>11} ") };
                    let held = analysis
                        .path_parent(*node)
                        .filter(|_| *depth > 0)
                        .map_or_else(String::new, |e| format!("{} ", super::object::edge_text(analysis, &e)));
                    let head =
                        format!("{} {:>3.0} % {indent}{sign} ", pad(&retained.to_string(), 9, true), retained.share_of(total) * 100.0);
                    let room = columns.saturating_sub(head.chars().count());
                    let held = fit(&held, room / 3);
                    let rest = room.saturating_sub(held.chars().count());
                    Line::from(vec![
                        Span::styled(head, style(Role::Dim)),
                        Span::styled(held, style(Role::Key)),
                        Span::styled(
                            pad(&format!("{} {}", name(analysis, *node, self.open), analysis.id(*node)), rest, false),
                            style(Role::Text),
                        ),
                    ])
                }
                Branch::More { depth, shown, all, .. } => {
                    let words = format!("{}… {} more (enter)", " ".repeat(15 + depth.min(&12)), Count((all - shown) as u64));
                    Line::styled(pad(&words, columns, false), style(Role::Key))
                }
            };
            put(buf, area, y, &line);
        }
    }
}
