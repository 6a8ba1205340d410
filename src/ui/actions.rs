//! Commands that hold in every view: what is done to a pod, to its workload and to the incident.

use std::collections::BTreeMap;

use super::prompts;
use super::requests::{on_its_pod, on_workload, resize_args, workload};
use super::view::{About, Cx, Reply, View};
use crate::app::Intent;
use crate::base::{Bytes, ContainerRef};

/// Does the command `name`, with the `words` typed behind it; `None`: it is not one of these.
pub fn act(cx: &Cx<'_>, view: &dyn View, name: &str, words: &str) -> Option<Reply> {
    let reply = match name {
        "declare" => declare(cx, words),
        "note" if words.is_empty() => Reply::dialog(prompts::note()),
        "note" => Reply::intent(Intent::Note { text: words.to_owned() }),
        "post" => prompts::post(cx).map_or_else(|| undeclared(cx), Reply::dialog),
        "timer" => prompts::timer(cx).map_or_else(|| Reply::say("there is no cut-off to decide about"), Reply::dialog),
        "handover" => prompts::handover(cx).map_or_else(|| undeclared(cx), Reply::dialog),
        "resolve" => prompts::resolve(cx).map_or_else(|| Reply::say("there is no open incident to resolve"), Reply::dialog),
        "clean-up" if crate::app::left_behind(cx.model).is_empty() => Reply::say("nothing is left behind in the cluster"),
        "clean-up" => Reply::dialog(prompts::Leftovers),
        "export" if cx.model.incident.is_none() => undeclared(cx),
        "export" => Reply::intent(Intent::Export),
        "refresh" => refresh(cx, view),
        _ => return on_pod(cx, view, name, words),
    };
    Some(reply)
}

fn undeclared(cx: &Cx<'_>) -> Reply {
    Reply::say(format!("declare the incident first: {}", cx.keys.key_for("declare")))
}

fn declare(cx: &Cx<'_>, words: &str) -> Reply {
    if cx.model.incident.as_ref().is_some_and(crate::incident::State::is_open) {
        Reply::dialog(prompts::SeverityChoice)
    } else {
        Reply::dialog(prompts::declare(cx, words))
    }
}

/// The container under the cursor, else the one under most pressure, else the first that runs.
pub fn subject(cx: &Cx<'_>, view: &dyn View) -> Option<ContainerRef> {
    let rows = cx.model.board.rows();
    view.subject(cx).or_else(|| {
        let first = cx.model.board.first().or_else(|| rows.iter().find(|r| r.running)).or_else(|| rows.first());
        first.map(|row| row.container.clone())
    })
}

fn refresh(cx: &Cx<'_>, view: &dyn View) -> Reply {
    let workload = cx.model.history.workload.clone().or_else(|| workload(cx, &subject(cx, view)?));
    match workload {
        Some(workload) => Reply { say: Some(format!("loading the history of {workload}")), ..Reply::intent(Intent::History { workload }) },
        None => Reply::say("pods and memory renew themselves; there is no workload to load the history of"),
    }
}

fn on_pod(cx: &Cx<'_>, view: &dyn View, name: &str, words: &str) -> Option<Reply> {
    const NAMES: [&str; 11] =
        ["capture", "pair", "preflight", "arm", "rollback", "isolate", "resize", "restart", "logs", "previous-logs", "detail"];
    if !NAMES.contains(&name) {
        return None;
    }
    let Some(container) = subject(cx, view) else { return Some(Reply::say("there is no pod to act on")) };
    let of_workload = |act: &str| match workload(cx, &container) {
        Some(workload) => Reply::intent(on_workload(act, &container, &workload, BTreeMap::new())),
        None => Reply::say(format!("{} has no controller to {act}", container.pod.name)),
    };
    Some(match name {
        "capture" if view.marked(cx).len() > 1 => {
            let method = (!words.is_empty()).then(|| words.to_owned());
            let all = view.marked(cx);
            let say = Some(format!("{} pods: preflight, then capture; {} run at a time", all.len(), cx.model.setting.parallel));
            let intents = all.into_iter().map(|container| Intent::Capture { container, method: method.clone() }).collect();
            Reply { say, intents, ..Reply::default() }
        }
        "capture" => {
            let method = (!words.is_empty()).then(|| words.to_owned());
            let say = Some(format!("{}: preflight, then capture", container.pod.name));
            Reply { say, ..Reply::intent(Intent::Capture { container, method }) }
        }
        "pair" => pair(cx, &container),
        "preflight" => {
            let go = Reply::go("pod", About::Container(container.clone()));
            Reply { intents: vec![Intent::Preflight { container }], ..go }
        }
        "arm" => {
            let marked = view.marked(cx);
            Reply::intent(Intent::Arm { containers: if marked.is_empty() { vec![container] } else { marked } })
        }
        "isolate" => Reply::intent(on_its_pod("isolate", &container, BTreeMap::new())),
        "restart" => of_workload("restart"),
        "rollback" => rollback(cx, &container),
        "resize" => match (crate::base::parse_quantity(words), cx.model.board.find(&container).and_then(|r| r.limit)) {
            (Some(memory), _) => Reply::intent(on_its_pod("resize", &container, resize_args(&container, memory))),
            (None, Some(limit)) if words.is_empty() => {
                let raised = Bytes(limit.0.saturating_add(limit.0 / 2));
                Reply::intent(on_its_pod("resize", &container, resize_args(&container, raised)))
            }
            (None, Some(_)) => Reply::say("a limit is written like 768Mi or 1Gi"),
            (None, None) => Reply::say(format!("{} has no memory limit to raise", container.pod.name)),
        },
        "logs" | "previous-logs" => {
            let previous = name == "previous-logs";
            let go = Reply::go("logs", About::Container(container.clone()));
            Reply { intents: vec![Intent::Logs { container, previous }], ..go }
        }
        _ => Reply::go("pod", About::Container(container)),
    })
}

/// A second snapshot of the process that the last one came from, when it is due.
fn pair(cx: &Cx<'_>, subject: &ContainerRef) -> Reply {
    let whole = |c: &&crate::app::model::Capture| {
        c.job.is_none() && c.is_heap() && matches!(c.state, crate::preflight::CaptureState::Complete { .. })
    };
    let of_it = cx.model.captures.iter().rev().filter(whole).find(|c| c.container == *subject);
    let Some(first) = of_it.or_else(|| cx.model.captures.iter().rev().find(whole)) else {
        let say = Some(format!("{}: the first of two comes now; {} again plans the second", subject.pod.name, cx.keys.key_for("pair")));
        return Reply { say, ..Reply::intent(Intent::Capture { container: subject.clone(), method: None }) };
    };
    let planned = cx.model.incident.iter().flat_map(|s| s.pairs.iter()).any(|p| p.ended.is_none() && p.container == first.container);
    if planned {
        let go = Reply::go("captures", About::Anything);
        return Reply { say: Some("it is planned: see below; x gives it up".to_owned()), ..go };
    }
    Reply::dialog(prompts::pair(cx, first))
}

/// Rolling back needs a revision: the one before the present one is meant, if the history is known; else it is loaded and shown.
fn rollback(cx: &Cx<'_>, container: &ContainerRef) -> Reply {
    let Some(workload) = workload(cx, container) else {
        return Reply::say(format!("{} has no controller to roll back", container.pod.name));
    };
    let known = cx.model.history.workload.as_ref() == Some(&workload) && !cx.model.history.rollouts.is_empty();
    let go = Reply::go("changes", About::Container(container.clone()));
    if known {
        let say = Some(format!("choose the revision, then {} again", cx.keys.key_for("rollback")));
        return Reply { say, ..go };
    }
    Reply { intents: vec![Intent::History { workload }], ..go }
}
