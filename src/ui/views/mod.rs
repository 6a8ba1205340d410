//! The views, one file each: state, keys and drawing together. Tabs, help, palette and `:name` come from the list.

mod analysis;
mod captures;
mod changes;
mod comms;
mod dominators;
mod logs;
mod object;
mod overview;
mod playbook;
mod pod;
mod pods;
mod postmortem;
mod timeline;
mod verdict;

use super::command::Command;
use super::view::View;

/// An entry of the list.
pub struct Entry {
    /// The command that opens it; its short word is the tab, empty: it has none.
    pub open: Command,
    /// Title.
    pub title: &'static str,
    /// A fresh one.
    pub make: fn() -> Box<dyn View>,
}

/// All views. The first is where the program begins and where Esc ends.
pub const VIEWS: &[Entry] = &[
    Entry {
        open: Command::new("overview", &["1"], "pods, timeline and playbook at a glance").shown("Overview"),
        title: "overview",
        make: || Box::new(overview::Overview::default()),
    },
    Entry {
        open: Command::new("pods", &["2"], "all pods by memory pressure").shown("Pods"),
        title: "pods",
        make: || Box::new(pods::Pods::default()),
    },
    Entry {
        open: Command::new("logs-view", &["3"], "the log of a container").shown("Logs"),
        title: "logs",
        make: || Box::new(logs::LogView::default()),
    },
    Entry {
        open: Command::new("captures", &["4"], "heap snapshots: running and kept").shown("Evidence"),
        title: "evidence",
        make: || Box::new(captures::Captures::default()),
    },
    Entry {
        open: Command::new("analysis", &["5"], "what leaks, classes, dominators, paths").shown("Analysis"),
        title: "analysis",
        make: || Box::new(analysis::AnalysisView::default()),
    },
    Entry {
        open: Command::new("timeline", &["6"], "everything that happened").shown("Timeline"),
        title: "timeline",
        make: || Box::new(timeline::Timeline::default()),
    },
    Entry {
        open: Command::new("playbook", &["7"], "the checklist").shown("Playbook"),
        title: "playbook",
        make: || Box::new(playbook::PlaybookView::default()),
    },
    Entry {
        open: Command::new("comms", &["8"], "posts and what became of them").shown("Comms"),
        title: "communications",
        make: || Box::new(comms::Comms::default()),
    },
    Entry {
        open: Command::new("changes", &["9"], "rollouts with their ages; roll back").shown("Changes"),
        title: "changes",
        make: || Box::new(changes::Changes::default()),
    },
    Entry {
        open: Command::new("postmortem", &["0"], "the postmortem as it would be written now").shown("Post"),
        title: "postmortem",
        make: || Box::new(postmortem::Postmortem::default()),
    },
    Entry {
        open: Command::new("pod", &[], "all that is known of one pod, with preflight"),
        title: "pod",
        make: || Box::new(pod::Pod::default()),
    },
];
