//! Which process is meant: not npm, not the shell, not the probe, not a person's exec session, not another container's.

use std::collections::BTreeMap;

use crate::node::facts::Role;

use super::process::Seen;

/// Gives every process its role and returns the pid of the one to capture: the largest Node that does work.
/// `probe` is the probe's own pid; the caller has dropped its family already.
pub(super) fn assign_roles(all: &mut [Seen], probe_cgroup: Option<&str>) -> Option<u32> {
    let parents: BTreeMap<u32, u32> = all.iter().map(|seen| (seen.process.pid, seen.process.parent)).collect();
    let root_of = |mut pid: u32| {
        // A tree of processes is never deeper than their number; a torn reading could hold a circle.
        for _ in 0..parents.len() {
            match parents.get(&pid) {
                Some(&parent) if parent != 0 && parents.contains_key(&parent) => pid = parent,
                _ => break,
            }
        }
        pid
    };
    for seen in all.iter_mut() {
        seen.process.same_container = probe_cgroup.is_none_or(|own| own.is_empty() || seen.cgroup.is_empty() || seen.cgroup == own);
    }
    // The container's first process is the oldest of those that came from outside (pid 1, unless the pod's containers
    // share their processes); younger ones are exec sessions.
    let first = all
        .iter()
        .filter(|seen| seen.process.parent == 0 && seen.process.same_container)
        .min_by_key(|seen| (seen.start, seen.process.pid))
        .map(|seen| seen.process.pid);
    let primaries: Vec<u32> = all.iter().filter(|seen| seen.cluster_child).map(|seen| seen.process.parent).collect();
    let roles: Vec<Role> = all
        .iter()
        .map(|seen| {
            let root = root_of(seen.process.pid);
            if seen.state == 'Z' {
                Role::Zombie
            } else if !seen.is_node() {
                Role::Other
            } else if !seen.process.same_container {
                Role::Foreign
            } else if parents.get(&root) == Some(&0) && first.is_some_and(|first| root != first) {
                Role::Visitor
            } else if seen.cluster_child {
                Role::ClusterChild
            } else if is_launcher(&seen.args) {
                Role::Launcher
            } else if primaries.contains(&seen.process.pid) {
                Role::ClusterPrimary
            } else {
                Role::App
            }
        })
        .collect();
    for (seen, role) in all.iter_mut().zip(roles) {
        seen.process.role = role;
    }
    all.iter()
        .filter(|seen| seen.process.role.is_candidate())
        .max_by_key(|seen| (seen.process.rss, std::cmp::Reverse(seen.process.pid)))
        .map(|seen| seen.process.pid)
}

/// Programs in JavaScript that only start others. npm overwrites its command line by a title (`npm start`).
fn is_launcher(args: &[String]) -> bool {
    const NAMES: [&str; 16] = [
        "npm",
        "npm-cli.js",
        "npx",
        "npx-cli.js",
        "yarn",
        "yarn.js",
        "yarnpkg",
        "pnpm",
        "pnpm.cjs",
        "corepack",
        "nodemon",
        "nodemon.js",
        "concurrently",
        "dotenv",
        "cross-env",
        "pm2-runtime",
    ];
    let word = |text: &str| {
        let base = text.rsplit('/').next().unwrap_or(text);
        NAMES.contains(&base) || (base.starts_with("yarn-") && base.ends_with(".cjs"))
    };
    let Some(title) = args.first() else { return false };
    if title.starts_with("PM2 v") || title.split(' ').next().is_some_and(word) {
        return true;
    }
    args.iter().skip(1).find(|arg| !arg.starts_with('-')).is_some_and(|script| word(script) || script.ends_with("/.bin/ts-node-dev"))
}
