//! Stories of the ways out: an act that makes a capture possible, and what it leaves behind until somebody saw to it.

use std::collections::BTreeMap;

use super::model::{Offer, PutBack};
use super::stories::{Story, all, assessed, captures, container, surveyed};
use super::*;
use crate::base::{Bytes, EvidenceId, Trouble, TroubleKind};
use crate::incident::{ActRequest, Leftover, LeftoverKind, Outcome, Preview, Receipt};
use crate::preflight::{CaptureState, RemedyKind, Risk};
use crate::pressure::{ContainerFacts, ContainerState, ISOLATED, PodFacts, PodSample};

const RESIZE: RemedyKind = RemedyKind::Resize { from: Bytes::mib(512), to: Bytes::mib(1536) };

fn pod(name: &str, limit: u64, labels: &[(&str, &str)]) -> PodFacts {
    PodFacts {
        pod: crate::base::PodRef::new("shop", name),
        uid: format!("uid-{name}"),
        workload: None,
        revision: None,
        node: None,
        phase: "Running".into(),
        ready: true,
        deleting: false,
        created: None,
        qos: "Burstable".into(),
        labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        manager: None,
        containers: vec![ContainerFacts {
            name: "node".into(),
            id: "c".into(),
            image: "import:1".into(),
            image_id: String::new(),
            limit: Some(Bytes::mib(limit)),
            request: None,
            state: ContainerState::Running { since: None },
            ready: true,
            restarts: 0,
            last_end: None,
            liveness: None,
            resize_restarts: false,
        }],
        resize: None,
    }
}

/// The last request that was to be previewed.
fn asked(story: &Story) -> (JobId, ActRequest) {
    let found =
        story.effects.iter().find_map(|e| if let Effect::Preview { job, request } = e { Some((*job, request.clone())) } else { None });
    found.unwrap_or_else(|| panic!("a dry-run is asked for: {:?}", story.effects))
}

/// The cluster shows what it would do, the person says yes, and it is done.
fn done(story: &mut Story, pins: &[(&str, &str)], leaves: Option<Leftover>) {
    let (job, mut request) = asked(story);
    request.args.extend(pins.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let preview = Preview { request, call: "PATCH …".into(), diff: Vec::new(), warnings: Vec::new(), confirm: None };
    story.hear(News::Previewed { job, result: Ok(preview) });
    assert!(matches!(story.model.prompt(), Some(Prompt::Act { .. })), "nothing is done before it was shown");
    story.wish(Intent::Confirm { job, typed: String::new() });
    let all = all(&story.effects);
    let intent = all.iter().find_map(|e| if let Effect::Perform { intent, .. } = e { Some(*intent) } else { None }).expect("performed");
    let receipt = Receipt { summary: "done".into(), undo: None, leaves };
    story.hear(News::Performed { job, intent, result: Ok(receipt) });
}

fn put_back() -> ActRequest {
    let target = crate::incident::ActTarget { kind: "pod".into(), namespace: "shop".into(), name: "import-0".into() };
    let args = [("container", "node"), ("memory", "512Mi")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    ActRequest { act: "resize".into(), target, args: args.into() }
}

fn raised() -> Leftover {
    Leftover { kind: LeftoverKind::Limit, what: "limit is raised".into(), settle: put_back() }
}

fn sample(story: &mut Story, mib: u64) {
    let at = story.model.now.wall;
    let samples =
        vec![PodSample { pod: container().pod, container: "node".into(), at, working_set: Bytes::mib(mib), source: "cgroup".into() }];
    story.hear(News::Samples { samples });
}

/// Preflight said no, the limit was raised, preflight was asked anew and says yes.
fn resized() -> Story {
    let mut story = Story::declared();
    story.hear(News::Pods { pods: vec![pod("import-0", 512, &[])] });
    surveyed(&mut story, Risk::WouldKill);
    story.wish(Intent::WayOut { container: container(), way: RESIZE });
    let (_, request) = asked(&story);
    assert_eq!((request.act.as_str(), request.args["memory"].as_str(), request.args["for"].as_str()), ("resize", "1536Mi", "capture"));
    assert!(story.model.prompts.is_empty(), "the question is answered by the way out");
    done(&mut story, &[("from", "512Mi")], Some(raised()));
    story.hear(News::Pods { pods: vec![pod("import-0", 1536, &[])] });
    story
}

/// The capture that the resize made possible has ended.
fn captured() -> Story {
    let mut story = resized();
    again(&mut story, Risk::Ok);
    story.wish(Intent::TakeReady { container: container() });
    let job = story.model.captures[0].job.expect("it runs");
    let end =
        CaptureEnd { outcome: Outcome::Complete, bytes: Bytes(1000), sha256: None, file: None, provenance: None, remark: String::new() };
    story.hear(News::Captured { job, evidence: EvidenceId(1), state: CaptureState::Complete { bytes: Bytes(1000) }, end: Box::new(end) });
    story
}

/// Preflight answers anew.
fn again(story: &mut Story, risk: Risk) {
    let (container, survey) = story.model.surveys.iter().find(|(_, s)| s.job.is_some()).expect("preflight is asked anew");
    let (container, job) = (container.clone(), survey.job.expect("it runs"));
    story.hear(News::Surveyed { job, container, ceiling: None, arms: None, result: Ok(vec![assessed(risk)]) });
}

#[test]
fn a_resize_asks_preflight_anew_and_the_capture_is_one_key_away() {
    let mut story = resized();
    let deep = all(&story.effects);
    assert!(story.model.surveys[&container()].job.is_some() && captures(&story.effects) == 0, "{deep:?}");
    again(&mut story, Risk::Ok);
    assert!(matches!(story.model.prompt(), Some(Prompt::Ready { .. })));
    assert_eq!(captures(&story.effects), 0, "shown, not begun");
    story.wish(Intent::TakeReady { container: container() });
    assert_eq!(captures(&story.effects), 1);
    story.wish(Intent::TakeReady { container: container() });
    assert_eq!(captures(&story.effects), 0, "once");
}

#[test]
fn what_is_still_no_after_the_act_is_asked_about_again() {
    let mut story = resized();
    again(&mut story, Risk::WouldKill);
    assert!(matches!(story.model.prompt(), Some(Prompt::Risk { .. })));
    story.wish(Intent::RefuseRisk { container: container() });
    assert!(story.model.prompts.is_empty() && captures(&story.effects) == 0);
}

#[test]
fn a_raised_limit_is_asked_to_go_back_when_the_capture_has_ended() {
    let mut story = resized();
    story.after(30).tell(Msg::Tick);
    assert!(story.model.acts.is_empty(), "not before the capture");
    let mut story = captured();
    sample(&mut story, 300);
    story.tell(Msg::Tick);
    let (_, request) = asked(&story);
    assert_eq!((request.args["memory"].as_str(), request.args["in_use"].as_str()), ("512Mi", Bytes::mib(300).0.to_string().as_str()));
    done(&mut story, &[("from", "1536Mi")], None);
    assert!(left_behind(&story.model).is_empty(), "put back and recorded");
    story.after(30).tell(Msg::Tick);
    assert!(story.model.acts.is_empty(), "asked once");
}

#[test]
fn a_limit_that_does_not_fit_yet_waits_and_is_said() {
    let mut story = captured();
    sample(&mut story, 900);
    story.tell(Msg::Tick);
    assert!(
        story.model.acts.is_empty()
            && story.model.toasts.back().is_some_and(|t| t.text.contains("900 MiB in use does not fit under 512 MiB"))
    );
    let said = story.model.toasts.len();
    story.after(2);
    sample(&mut story, 900);
    story.tell(Msg::Tick);
    assert_eq!(story.model.toasts.len(), said, "said once");
    assert_eq!(left_behind(&story.model).len(), 1, "and listed all the time");
    story.after(2);
    sample(&mut story, 200);
    story.tell(Msg::Tick);
    let (job, _) = asked(&story);
    // The cluster knows better: refused, and tried again later.
    let trouble = Trouble::new(TroubleKind::Refused, "node uses 500 MiB", "shop/import-0", "later");
    story.hear(News::Previewed { job, result: Err(trouble) });
    assert!(matches!(story.model.put_backs.values().next(), Some(PutBack::Waits { .. })));
    story.after(2);
    sample(&mut story, 200);
    story.tell(Msg::Tick);
    let (job, request) = asked(&story);
    let preview = Preview { request, call: "PATCH …".into(), diff: Vec::new(), warnings: Vec::new(), confirm: None };
    story.hear(News::Previewed { job, result: Ok(preview) });
    story.wish(Intent::Refuse { job });
    story.after(30);
    sample(&mut story, 200);
    story.tell(Msg::Tick);
    assert!(story.model.acts.is_empty() && left_behind(&story.model).len() == 1, "a no is a no; it stays listed");
}

#[test]
fn a_restart_of_the_tool_does_not_forget_the_raised_limit() {
    let story = captured();
    let state = story.model.incident.clone().expect("an incident");
    let events: Vec<_> = state.timeline.iter().map(|e| e.as_ref().clone()).collect();
    let mut back = Story::new();
    back.after(10).hear(News::Pods { pods: vec![pod("import-0", 1536, &[])] });
    back.hear(News::Reopened { events });
    assert_eq!(left_behind(&back.model).len(), 1);
    // Its analysis runs on meanwhile; the question does not wait for it.
    sample(&mut back, 300);
    back.tell(Msg::Tick);
    assert_eq!(asked(&back).1.args["memory"], "512Mi");
}

#[test]
fn what_went_with_its_pod_or_was_put_back_by_others_is_settled() {
    let mut story = captured();
    story.hear(News::PodGone { pod: container().pod });
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::LeftoverGone { .. })));
    assert!(left_behind(&story.model).is_empty());
    let mut story = captured();
    story.hear(News::Pods { pods: vec![pod("import-0", 512, &[])] });
    story.after(5).tell(Msg::Tick);
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::LeftoverGone { why, .. } if why.as_str().contains("512 MiB again"))));
    let mut story = captured();
    story.hear(News::Pods { pods: vec![pod("other", 512, &[])] });
    assert!(left_behind(&story.model).is_empty(), "the whole list does not have it");
}

#[test]
fn a_copy_is_awaited_and_its_file_is_offered_to_be_waited_for() {
    let mut story = Story::declared();
    surveyed(&mut story, Risk::WouldKill);
    story.wish(Intent::WayOut { container: container(), way: RemedyKind::DebugCopy { old_space_mib: 96, memory: Some(Bytes::mib(960)) } });
    let (_, request) = asked(&story);
    assert_eq!(request.act, "debug-copy");
    assert!(request.args["add"].contains("--max-old-space-size=96") && request.args["memory"] == "960Mi", "{request:?}");
    let settle = ActRequest { act: "clean-up".into(), args: BTreeMap::new(), ..put_back() };
    let left = Leftover { kind: LeftoverKind::Pod, what: "a copy".into(), settle };
    done(&mut story, &[("name", "import-0-copy-1")], Some(left));
    assert!(story.model.surveys.values().all(|s| s.job.is_none()), "it does not run yet");
    story.hear(News::Pod { pod: Box::new(pod("import-0-copy-1", 960, &[])) });
    let (copy, survey) = story.model.surveys.iter().find(|(c, _)| c.pod.name == "import-0-copy-1").expect("it runs: looked at");
    assert_eq!(survey.offer, Some(Offer::Method("near-limit".into())));
    let (copy, job) = (copy.clone(), survey.job.expect("it runs"));
    let mut armed = assessed(Risk::Ok);
    armed.method = "near-limit".into();
    story.hear(News::Surveyed { job, container: copy.clone(), ceiling: None, arms: None, result: Ok(vec![assessed(Risk::Ok), armed]) });
    assert!(matches!(story.model.prompt(), Some(Prompt::Ready { assessment, .. }) if assessment.method == "near-limit"));
    story.wish(Intent::TakeReady { container: copy });
    assert_eq!(story.model.captures[0].method, "near-limit");
    assert_eq!(left_behind(&story.model).len(), 1);
}

#[test]
fn an_orphan_is_listed_by_its_label_alone_and_cleaned_up_by_name() {
    let mut story = Story::new();
    story.hear(News::Pods { pods: vec![pod("import-0", 512, &[(ISOLATED, "true"), ("cutoff.dev/limit-before", "node.256Mi")])] });
    let left = left_behind(&story.model);
    let acts: Vec<&str> = left.iter().map(|l| l.settle.act.as_str()).collect();
    assert_eq!((acts, left[1].settle.args["memory"].as_str()), (vec!["clean-up", "resize"], "256Mi"));
    story.wish(Intent::Act { request: left[0].settle.clone() });
    let (job, request) = asked(&story);
    let preview = Preview { request, call: "DELETE …".into(), diff: Vec::new(), warnings: Vec::new(), confirm: Some("import-0".into()) };
    story.hear(News::Previewed { job, result: Ok(preview) });
    story.wish(Intent::Confirm { job, typed: "y".into() });
    assert!(story.effects.is_empty(), "its name is wanted");
    story.wish(Intent::Confirm { job, typed: "import-0".into() });
    assert!(all(&story.effects).iter().any(|e| matches!(e, Effect::Perform { .. })));
}

#[test]
fn a_pod_that_is_being_captured_is_not_cleaned_up() {
    let mut story = Story::declared();
    surveyed(&mut story, Risk::Ok);
    let request = ActRequest { act: "clean-up".into(), args: BTreeMap::new(), ..put_back() };
    story.wish(Intent::Act { request });
    assert!(story.model.acts.is_empty() && story.effects.is_empty());
}

#[test]
fn what_was_left_is_seen_to_in_the_incident_that_left_it() {
    let mut story = captured();
    story.wish(Intent::Resolve { text: "fixed".into() });
    assert!(story.model.toasts.iter().any(|t| t.text.contains("left behind")));
    assert_eq!(next(&story.model).command, "clean-up");
    let before = story.model.incident.as_ref().map(|s| s.id.clone());
    story.wish(Intent::Act { request: put_back() });
    done(&mut story, &[("from", "1536Mi")], None);
    assert_eq!(story.model.incident.as_ref().map(|s| s.id.clone()), before, "no new incident for it");
    assert!(left_behind(&story.model).is_empty() && next(&story.model).command == "export");
}

#[test]
fn new_pods_with_flags_are_an_act_on_the_workload() {
    let mut story = Story::declared();
    let mut facts = pod("import-0", 512, &[]);
    facts.workload = Some(crate::pressure::Workload { kind: "deployment".into(), name: "import".into() });
    story.hear(News::Pods { pods: vec![facts] });
    story.wish(Intent::WayOut { container: container(), way: RemedyKind::Redeploy { old_space_mib: Some(64), heap_prof: Some(20) } });
    let (_, request) = asked(&story);
    assert_eq!(
        (request.act.as_str(), request.target.kind.as_str(), request.args["variable"].as_str()),
        ("arm", "deployment", "NODE_OPTIONS")
    );
    assert!(request.args["add"].contains("--heapsnapshot-near-heap-limit=1") && request.args["add"].contains("--max-old-space-size=64"));
    assert!(request.args["add"].contains("--heap-prof --heap-prof-dir=/var/cutoff-dumps"));
    done(&mut story, &[], None);
    assert!(story.model.surveys.is_empty(), "this process is on its way out");
}
