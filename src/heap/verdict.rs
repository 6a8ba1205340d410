//! What the analysis says: data only. Made by `suspects/*`, read by the face, the report, the journal and `--json`.
//!
//! Small (a few KB), owned, masked: a verdict may be journalled, posted and exported as it stands.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::Masked;

/// The answer to "what leaks?" for one process, from one or more snapshots of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// How many snapshots were compared, 1 or more.
    pub snapshots: u32,
    /// Size of the newest snapshot's heap, external memory in; bytes.
    pub total_bytes: u64,
    /// Heap of the newest minus heap of the oldest snapshot, bytes; `None` with one snapshot.
    pub growth_bytes: Option<i64>,
    /// Time between the oldest and the newest snapshot, seconds, when it was told.
    pub seconds: Option<f64>,
    /// What leaks, worst first. Empty when several snapshots show no net growth, or nothing stands out.
    pub suspects: Vec<Suspect>,
    /// What is big without being called a leak, biggest first.
    pub large: Vec<Large>,
    /// Why there is no suspect. Empty exactly when there is one.
    pub reason: Masked,
    /// What one more capture would prove, and when to take it. Empty when the growth is proven.
    pub next_capture: Masked,
    /// What the reader must know before he believes any of it: a cut file, two kinds, a worker's heap that is missing.
    pub caveats: Vec<Masked>,
}

impl Verdict {
    /// The first suspect, if there is one.
    pub fn first(&self) -> Option<&Suspect> {
        self.suspects.first()
    }
}

/// One thing that is thought to leak, with the proof for it and what the proof lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The rule that found it: `growth`, `single`, `group`, `collection`, `listeners`, `pending`, `async-context`,
    /// `off-heap`, `strings`.
    pub rule: Masked,
    /// One sentence that a tired person understands, without a full stop.
    pub headline: Masked,
    /// The variable, field or call that a person can change: `parsedContentCache`, `this.handlers`, `bus "update" listeners`.
    pub holder: Masked,
    /// What the holder is.
    pub holder_kind: HolderKind,
    /// V8's id of the holding object in the newest snapshot: to jump there.
    pub holder_id: u64,
    /// The field private to a package that stores the objects, when the app's variable stands one to three hops above it.
    pub stored_in: Option<Masked>,
    /// The npm package that stores the objects, when the holder is not the app's own code.
    pub package: Option<Masked>,
    /// The class or shape of the members that pile up: `ImportedContent`, `{sku, price}`, `closure onUpdate`.
    pub growing_class: Masked,
    /// How many members the newest snapshot holds.
    pub count: u64,
    /// Where the holder is written: its class, closure or module.
    pub location: Option<Place>,
    /// Where the growing class is written.
    pub class_location: Option<Place>,
    /// Bytes that would be free if the holder were emptied (newest snapshot, external memory in).
    pub retained_bytes: u64,
    /// `retained_bytes` of the whole heap, 0 to 1.
    pub share: f64,
    /// Net growth of the holder between the oldest and the newest snapshot, bytes; `None` with one snapshot.
    pub growth_bytes: Option<i64>,
    /// `growth_bytes` of all growth of owners that grew, 0 to 1; `None` with one snapshot.
    pub growth_share: Option<f64>,
    /// Net growth per minute, bytes, when the time between the snapshots was told.
    pub growth_per_minute: Option<f64>,
    /// Members gained, net; `None` with one snapshot.
    pub count_growth: Option<i64>,
    /// From the root to a member, internals folded.
    pub path: Vec<Step>,
    /// How sure it is.
    pub confidence: Confidence,
    /// When the code at `location` was last changed; filled in by who can ask git.
    pub age: Option<Age>,
    /// What the members look like, masked.
    pub samples: Vec<Masked>,
    /// Functions that were running when members were allocated, most members first; empty unless the snapshot was taken while allocations
    /// were tracked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocated_at: Vec<Allocation>,
    /// What the new members have and the old have not.
    pub trigger: Option<Trigger>,
    /// The same leak in another process, after a restart, on another Node: the same 16 hexadecimal digits.
    pub fingerprint: Masked,
    /// What this evidence cannot prove.
    pub cannot_prove: Vec<Masked>,
}

/// What holds the growing objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// A `Map`.
    Map,
    /// A `Set`.
    Set,
    /// A `WeakMap`, whose keys something else holds.
    WeakMap,
    /// An array.
    Array,
    /// A plain object or class instance used as a dictionary.
    Dictionary,
    /// A plain object or instance of a class with named fields.
    Object,
    /// Listeners of an `EventEmitter` or `EventTarget`.
    Listeners,
    /// Subscribers of an observable.
    Subscribers,
    /// Timers and intervals that were not cleared.
    Timers,
    /// Promises that never settle.
    Promises,
    /// Async functions or generators that never go on.
    AsyncFrames,
    /// Variables that closures share.
    Closure,
    /// An `AsyncLocalStorage` store that long-lived resources hold.
    AsyncContext,
    /// Buffers, whose bytes lie outside the heap.
    Buffers,
    /// Strings.
    Strings,
    /// Objects linked to each other.
    LinkedList,
    /// Label sets of a metric.
    Metrics,
    /// Instances of a request-scoped provider.
    RequestScope,
    /// Sockets, requests, responses.
    Sockets,
    /// None of these.
    Other,
}

impl HolderKind {
    /// The kind as a word in a sentence: `Map`, `array`, `listeners`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Map => "Map",
            Self::Set => "Set",
            Self::WeakMap => "WeakMap",
            Self::Array => "array",
            Self::Dictionary => "object used as a dictionary",
            Self::Object => "object",
            Self::Listeners => "event listeners",
            Self::Subscribers => "subscribers",
            Self::Timers => "timers",
            Self::Promises => "pending promises",
            Self::AsyncFrames => "suspended async functions",
            Self::Closure => "closure variables",
            Self::AsyncContext => "AsyncLocalStorage store",
            Self::Buffers => "buffers",
            Self::Strings => "strings",
            Self::LinkedList => "linked list",
            Self::Metrics => "metric label sets",
            Self::RequestScope => "request-scoped instances",
            Self::Sockets => "sockets",
            Self::Other => "object",
        }
    }
}

/// How sure a suspect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Big, but growth is unproven or another owner explains as much.
    Low,
    /// Grew in two snapshots, or is alone far above everything else in one.
    Medium,
    /// Explains most of the growth and grew in every interval.
    High,
}

impl Confidence {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A place in a source file, as the process names it, or as a source map translates it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Path of the script, without `file://`.
    pub file: Masked,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Where the running (compiled) code stands, when `file` came from a source map.
    pub generated: Option<Box<Place>>,
}

/// One hop of a path from the root to a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The edge as it is written in code: `.handlers`, `[3]`, `parsedContentCache` (a variable), `Map value`.
    pub edge: Masked,
    /// The object reached: `Map`, `ContentImportService`, `{sku, price}`.
    pub node: Masked,
    /// V8's id of it.
    pub id: u64,
    /// How many internal or repeated hops were folded into this one.
    pub folded: u32,
    /// Whether the hop lies between the long-lived owner and the members: here is what must be cut.
    pub suspect: bool,
}

/// Something big that is not called a leak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Large {
    /// The variable, field or class.
    pub name: Masked,
    /// What it is.
    pub kind: HolderKind,
    /// V8's id of it.
    pub id: u64,
    /// Members, when it is a collection.
    pub count: u64,
    /// Where it is written.
    pub location: Option<Place>,
    /// Bytes it retains.
    pub retained_bytes: u64,
    /// `retained_bytes` of the whole heap, 0 to 1.
    pub share: f64,
    /// Net growth between the oldest and the newest snapshot, bytes; `None` with one snapshot.
    pub growth_bytes: Option<i64>,
}

/// When a piece of code was last changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Age {
    /// Commit, abbreviated to 12 hexadecimal digits.
    pub commit: Masked,
    /// Subject line of that commit.
    pub subject: Masked,
    /// Author's date of the newest line of the range that was asked for.
    pub changed: DateTime<Utc>,
    /// Path in the repository.
    pub file: Masked,
    /// How many of the changes in question are younger than this code.
    pub older_than: u32,
    /// How many changes are in question: those whose revert is being considered.
    pub changes: u32,
}

/// A function that allocated members of a suspect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// Its name; `(anonymous)` without one.
    pub function: Masked,
    /// Where it begins.
    pub place: Option<Place>,
    /// Its share of the members whose allocation is known, 0 to 1.
    pub share: f64,
    /// Its callers, innermost first, four at most.
    pub callers: Vec<Masked>,
}

/// A value that new members of the suspect population have and old ones have not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Where in a member the value stands: `.source`, `key`, `.meta.feed`.
    pub property: Masked,
    /// The value, masked: `"partner-feed-v2"`.
    pub value: Masked,
    /// Share of the sampled new members that have it, 0 to 1.
    pub new_share: f64,
    /// Share of the sampled old members that have it, 0 to 1.
    pub old_share: f64,
    /// Sampled new and old members.
    pub sampled: (u32, u32),
    /// What "new" means.
    #[serde(default)]
    pub split: Split,
}

/// How old members are told from new ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Exactly: the new are not in the oldest snapshot.
    #[default]
    Snapshots,
    /// From one snapshot: the collection keeps its members in the order in which they came, and the later half counts as new.
    Order,
}

impl Split {
    /// Whom the shares of a trigger are of: new and old members in words.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Snapshots => ("the new members", "the old"),
            Self::Order => ("the later half of the members", "the earlier half"),
        }
    }
}
