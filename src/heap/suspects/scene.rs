//! What the rules look at: the snapshots of one process, newest last, and what is computed once for all rules.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::census::Census;
use super::tree::{Data, Heavy, Point, Prefix, charges, points, topmost_by_dominators, topmost_by_paths};
use crate::heap::analysis::Analysis;
use crate::heap::bits::Bits;
use crate::heap::diff::Growth;
use crate::heap::format::NodeKind;
use crate::heap::ids::NodeIx;
use crate::heap::progress::{Phase, Progress, Stop, check};
use crate::heap::recognise::{Pending as Timers, Reader, Trail, pending, thinned};
use crate::heap::ways::PathTree;

/// Snapshots of one process and the trees over the newest.
pub(super) struct Scene<'a> {
    /// Reads the newest.
    pub reader: Reader<'a>,
    /// Oldest first, the newest last.
    pub all: &'a [&'a Analysis],
    /// The oldest against the newest, with several.
    pub past: Option<Past<'a>>,
    /// Which nodes of the newest are the program's data.
    pub data: Data,
    /// Readers of the snapshots between the oldest and the newest.
    middle: OnceLock<Vec<Reader<'a>>>,
    /// Until all places are found.
    paths: Option<PathTree>,
    net: OnceLock<(Vec<i64>, Prefix)>,
    singles: OnceLock<Singles>,
    census: Census,
    /// What weighs much in the newest, by dominators.
    heavy: Heavy,
    timers: OnceLock<Vec<Timers>>,
    timers_before: OnceLock<Vec<Timers>>,
    progress: &'a dyn Progress,
}

/// Smallest share of the data (1 of), and smallest weight, of a place where size alone accumulates; bytes.
const SHARE: i64 = 100;
const LEAST: i64 = 24 << 10;

/// Where the data of one snapshot accumulates in the dominator tree.
pub(super) struct Singles {
    pub points: Vec<Point>,
    /// Nodes below the points.
    pub explained: Bits,
    /// Bytes below which a place is not looked at.
    pub least: i64,
}

/// The oldest snapshot, compared with the newest.
pub(super) struct Past<'a> {
    pub reader: Reader<'a>,
    pub growth: Growth,
    data: Data,
    paths: OnceLock<PathTree>,
}

/// A place that a rule thinks is a leak.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Name of the rule.
    pub rule: &'static str,
    /// Where things pile up.
    pub at: NodeIx,
    /// What piles up.
    pub members: Vec<NodeIx>,
    /// How many members are alive, when the rule knows.
    pub count: Option<u64>,
    /// Net growth in bytes, when there is a past.
    pub growth: Option<i64>,
    /// Bytes that all of it keeps.
    pub retained: u64,
    /// Name and place that the rule knows better than the way to `at` does.
    pub named: Option<Known>,
}

/// A holder that a rule knows by itself.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub name: String,
    pub node: NodeIx,
    pub place: Option<crate::heap::verdict::Place>,
    pub kind: crate::heap::verdict::HolderKind,
    pub detail: Option<String>,
    pub count_growth: Option<i64>,
}

impl<'a> Scene<'a> {
    /// # Errors
    /// [`Stop::Cancelled`].
    pub fn new(
        all: &'a [&'a Analysis],
        newest: &'a Analysis,
        past: Option<(&'a Analysis, Growth)>,
        progress: &'a dyn Progress,
    ) -> Result<Self, Stop> {
        // The paths take longest: what does not need them is found beside them.
        let by_size = || {
            let data = Data::of(newest);
            let heavy = Heavy::by_dominators(newest, |n| data.bytes(newest, n), |whole| LEAST.max(whole / SHARE));
            (data, heavy, Census::of(newest))
        };
        let (paths, (reader, (data, heavy, census))) =
            rayon::join(|| newest.path_tree(progress), || rayon::join(|| Reader::of(newest), by_size));
        let past = past.map(|(before, growth)| Past { reader: Reader::of(before), growth, data: Data::of(before), paths: OnceLock::new() });
        let scene = Self {
            reader,
            all,
            past,
            data,
            middle: OnceLock::new(),
            paths: Some(paths?),
            net: OnceLock::new(),
            singles: OnceLock::new(),
            census,
            heavy,
            timers: OnceLock::new(),
            timers_before: OnceLock::new(),
            progress,
        };
        scene.check(0.3)?;
        Ok(scene)
    }

    /// All places are found: what was needed for that makes room for the ways to them.
    pub fn places_are_found(&mut self) {
        self.net = OnceLock::new();
        if let Some(tree) = self.paths.take() {
            self.a().keep_paths(tree);
        }
    }

    /// Goes on, or not.
    ///
    /// # Errors
    /// [`Stop::Cancelled`].
    pub fn check(&self, share: f32) -> Result<(), Stop> {
        check(self.progress, Phase::Suspects, share)
    }

    /// Timers that wait, by the function they will call.
    pub fn timers(&self) -> &[Timers] {
        self.timers.get_or_init(|| pending(&self.reader))
    }

    /// The same in the oldest snapshot, when there is one.
    pub fn timers_before(&self) -> Option<&[Timers]> {
        self.past.as_ref().map(|p| self.timers_before.get_or_init(|| pending(&p.reader)).as_slice())
    }

    /// Readers of all snapshots before the newest, oldest first.
    pub fn older(&self) -> impl DoubleEndedIterator<Item = &Reader<'a>> {
        let middle = self.middle.get_or_init(|| match self.all {
            [_, middle @ .., _] => middle.iter().map(|a| Reader::of(a)).collect(),
            _ => Vec::new(),
        });
        self.past.iter().map(|p| &p.reader).chain(middle)
    }

    /// Structures that rules look for, in the newest.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Places of the newest where size accumulates, by dominators.
    pub fn singles(&self) -> &Singles {
        self.singles.get_or_init(|| {
            let a = self.a();
            let mut points = points(a, &self.heavy);
            points.retain(|p| !self.is_structure(p.node));
            // A scope is no pile, and what several of its variables share is S2's; only a chain of scopes is a place of its own.
            let scopes: Vec<NodeIx> = points.iter().map(|p| p.node).filter(|&n| self.reader.is_context(n)).collect();
            let frames: Vec<NodeIx> =
                self.trails(&scopes).into_iter().zip(scopes).filter(|(t, _)| t.repeats.is_none()).map(|t| t.1).collect();
            points.retain(|p| !frames.contains(&p.node));
            let mut explained = Bits::new(a.node_count());
            for point in &points {
                // Of a place within another all is marked already.
                if explained.put(point.node.index()) {
                    a.flat_subtree(point.place).0.iter().for_each(|&n| {
                        explained.put(n as usize);
                    });
                }
            }
            Singles { points, explained, least: self.heavy.least }
        })
    }

    /// The best ways to some nodes.
    pub fn trails(&self, nodes: &[NodeIx]) -> Vec<Trail<'_>> {
        let a = self.a();
        match &self.paths {
            Some(tree) => tree.paths_to(a, nodes).into_iter().map(|edges| Trail::along(&self.reader, edges)).collect(),
            None => nodes.iter().map(|&n| Trail::to(&self.reader, n)).collect(),
        }
    }

    /// The deepest node that lies on the best ways to more than four fifths of `members` (a sample of them): where they are held together.
    pub fn common_holder(&self, members: &[NodeIx]) -> Option<NodeIx> {
        const SAMPLE: usize = 128;
        const FURTHEST: usize = 4096;
        let (a, tree) = (self.a(), self.paths.as_ref()?);
        let sample = thinned(members, SAMPLE);
        let up = |from: usize| {
            let parent = |k: usize| (k != 0).then(|| tree.parent(k));
            std::iter::successors(parent(from), move |&k| parent(k)).take(FURTHEST)
        };
        let numbers: Vec<usize> = tree.numbers(a, &sample).into_iter().flatten().collect();
        let mut times: FxHashMap<usize, usize> = FxHashMap::default();
        for &member in &numbers {
            for number in up(member) {
                *times.entry(number).or_default() += 1;
            }
        }
        let shared = |k: &usize| times[k] * 5 > sample.len() * 4;
        let found = numbers.iter().filter_map(|&m| up(m).find(shared)).map(|k| (times[&k], tree.node(a, k)));
        found.min().map(|(_, node)| node)
    }

    /// The newest snapshot.
    pub fn a(&self) -> &'a Analysis {
        self.reader.a
    }

    /// Net growth of data at each node, and below each by dominators.
    fn net(&self, past: &Past<'_>) -> &(Vec<i64>, Prefix) {
        self.net.get_or_init(|| {
            let (a, before) = (self.a(), past.reader.a);
            let old = before.dominators_first().map(|n| (n.0, before.dominator(n).0));
            let (now, then) = (|n| self.data.bytes(a, n), |n| past.data.bytes(before, n));
            let own = charges((before, &then), (a, &now), &past.growth, old, |_| false);
            let prefix = Prefix::of(a, |n| own[n.index()]);
            (own, prefix)
        })
    }

    /// Net growth of data below a node, by dominators.
    pub fn net_under(&self, past: &Past<'_>, node: NodeIx) -> i64 {
        self.net(past).1.under(self.a(), node)
    }

    /// Where net growth accumulates by dominators (places of at least `least` and one of `share` of it), and how much there is in all.
    pub fn growth_by_dominators(&self, past: &Past<'_>, least: i64, share: i64) -> (Vec<Point>, i64) {
        let a = self.a();
        let net = &self.net(past).0;
        let heavy = Heavy::by_dominators(a, |n| net[n.index()], |whole| least.max(whole.max(0) / share));
        (points(a, &heavy), heavy.whole.max(0))
    }

    /// The same by best paths, of what is not `done` and weighs what `now` and `then` say.
    pub fn growth_by_paths(
        &self,
        past: &Past<'_>,
        (then, now): (&dyn Fn(NodeIx) -> i64, &(dyn Fn(NodeIx) -> i64 + Sync)),
        (least, share): (i64, i64),
        done: &Bits,
    ) -> Vec<Point> {
        let (a, before, tree) = (self.a(), past.reader.a, self.paths_before(past));
        let old = (0..tree.len()).map(|k| (tree.node(before, k).0, tree.node(before, tree.parent(k)).0));
        let net = charges((before, then), (a, now), &past.growth, old, |n| done.has(n.index()));
        self.weight_by_paths(&|n| net[n.index()], |whole| least.max(whole.max(0) / share))
    }

    /// Net growth of data by best paths, of what is not `done`.
    pub fn data_growth_by_paths(&self, past: &Past<'_>, limits: (i64, i64), done: &Bits) -> Vec<Point> {
        let (a, before) = (self.a(), past.reader.a);
        self.growth_by_paths(past, (&|n| past.data.bytes(before, n), &|n| self.data.bytes(a, n)), limits, done)
    }

    /// Where what `own` says accumulates by best paths; `least` is told how much there is in all.
    pub fn weight_by_paths(&self, own: &(dyn Fn(NodeIx) -> i64 + Sync), least: impl Fn(i64) -> i64) -> Vec<Point> {
        let Some(paths) = &self.paths else { return Vec::new() };
        points(self.a(), &Heavy::by_paths(self.a(), paths, own, least))
    }

    /// What `own` says below each of `nodes` of the oldest snapshot, by best paths.
    pub fn weights_before(&self, past: &Past<'_>, own: impl Fn(NodeIx) -> i64, nodes: &[NodeIx]) -> Vec<i64> {
        Heavy::weights(past.reader.a, self.paths_before(past), own, nodes)
    }

    /// The nearest node on the best way to a point, or the point itself, that `fits`.
    pub fn first_above(&self, mut point: Point, fits: impl Fn(NodeIx) -> bool) -> Point {
        if let Some(paths) = &self.paths {
            while !fits(point.node) && point.place != 0 {
                point.place = paths.parent(point.place as usize) as u32;
                point.node = paths.node(self.a(), point.place as usize);
            }
        }
        point
    }

    fn paths_before<'p>(&self, past: &'p Past<'_>) -> &'p PathTree {
        // When it is stopped here, the next check after the rule ends everything.
        past.paths.get_or_init(|| past.reader.a.path_tree(self.progress).unwrap_or_default())
    }

    /// What piles up at each of some places in the dominator tree: see [`topmost_by_dominators`].
    pub fn piled_by_dominators(&self, point: Point) -> Vec<NodeIx> {
        let is_new = |n: NodeIx| self.is_new(n);
        let is_new: Option<&dyn Fn(NodeIx) -> bool> = if self.past.is_some() { Some(&is_new) } else { None };
        topmost_by_dominators(self.a(), &self.data, point, is_new)
    }

    /// The same by best paths, for each point.
    pub fn piled_by_paths(&self, points: Vec<Point>) -> Vec<(Point, Vec<NodeIx>)> {
        let Some(paths) = self.paths.as_ref().filter(|_| !points.is_empty()) else { return Vec::new() };
        let nodes: Vec<NodeIx> = points.iter().map(|p| p.node).collect();
        let is_new = |n: NodeIx| self.is_new(n);
        let is_new: Option<&dyn Fn(NodeIx) -> bool> = if self.past.is_some() { Some(&is_new) } else { None };
        let members = topmost_by_paths(self.a(), &self.data, paths, &nodes, is_new);
        points.into_iter().zip(members).collect()
    }

    /// Whether the node is part of the frame of every Node process and so never the answer.
    pub fn is_structure(&self, node: NodeIx) -> bool {
        let a = self.a();
        if node == a.root() || matches!(a.kind(node), NodeKind::Synthetic | NodeKind::Code | NodeKind::ObjectShape) {
            return true;
        }
        let name = a.raw_name(node);
        name.starts_with("system / NativeContext")
            || name.starts_with("Node / ")
            || name == "global"
            || name.starts_with("global / ")
            || name.starts_with("global (")
    }

    /// Whether the node was not in the oldest snapshot; true for all with one snapshot.
    pub fn is_new(&self, node: NodeIx) -> bool {
        self.past.as_ref().is_none_or(|p| p.growth.is_new(node))
    }
}
