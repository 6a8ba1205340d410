//! Whole outages, lived through without a world: what happened, then what the model says and which effects were asked.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::model::{ActStage, ChannelInfo};
use super::*;
use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, PodRef, Trouble, TroubleKind};
use crate::incident::{ActRequest, ActTarget, Audience, Outcome, Plan, Preview, Receipt, Severity};
use crate::preflight::{Assessment, CaptureState, Check, Reason, Risk};
use crate::pressure::Board;

pub(super) struct Story {
    pub model: Model,
    pub at: Stamp,
    pub effects: Vec<Effect>,
}

pub(super) fn start() -> Stamp {
    Stamp::at(DateTime::<Utc>::from_timestamp(1_795_500_000, 0).expect("a valid second"))
}

impl Story {
    pub fn new() -> Self {
        let setting = Setting {
            context: "prod".into(),
            namespace: "shop".into(),
            who: Masked::own("ann"),
            tool: Masked::own("0.1.0"),
            read_only: false,
            notice: String::new(),
            plan: Plan::default(),
            judge_by_s: 900,
            repository: None,
            source_maps: Vec::new(),
            taken: Vec::new(),
            parallel: 2,
            channels: vec![ChannelInfo { name: "status".into(), audiences: vec![Audience::Users, Audience::Team] }],
        };
        Self { model: Model::new(setting, Board::default(), start()), at: start(), effects: Vec::new() }
    }

    pub fn after(&mut self, minutes: u64) -> &mut Self {
        self.at = self.at.plus(Duration::from_secs(minutes * 60));
        self
    }

    pub fn tell(&mut self, msg: Msg) -> &mut Self {
        let effects = update(&mut self.model, self.at, msg);
        self.effects = effects;
        self
    }

    pub fn wish(&mut self, intent: Intent) -> &mut Self {
        self.tell(Msg::Intent(intent))
    }

    pub fn hear(&mut self, news: News) -> &mut Self {
        self.tell(Msg::News(Box::new(news)))
    }

    pub fn declared() -> Self {
        let mut story = Self::new();
        story.wish(Intent::Declare { title: "import is down".into(), severity: Severity::Sev1, service: "import".into() });
        story
    }

    pub fn recorded(&self) -> Vec<&Kind> {
        self.effects.iter().filter_map(|e| if let Effect::Record { event, .. } = e { Some(&event.kind) } else { None }).collect()
    }
}

pub(super) fn container() -> ContainerRef {
    ContainerRef { pod: PodRef::new("shop", "import-0"), name: "node".into() }
}

fn rollback() -> ActRequest {
    let target = ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "import".into() };
    ActRequest { act: "rollback".into(), target, args: [("revision".to_owned(), "2".to_owned())].into() }
}

fn preview(confirm: Option<&str>) -> Preview {
    Preview {
        request: rollback(),
        call: Masked::own("PATCH …"),
        diff: Vec::new(),
        warnings: Vec::new(),
        confirm: confirm.map(str::to_owned),
    }
}

/// Every effect, also those that wait for the disk.
pub(super) fn all(effects: &[Effect]) -> Vec<&Effect> {
    let mut found = Vec::new();
    let mut open: Vec<&Effect> = effects.iter().collect();
    while let Some(effect) = open.pop() {
        if let Effect::Record { then, .. } = effect {
            open.extend(then);
        }
        found.push(effect);
    }
    found
}

#[test]
fn the_cutoff_is_raised_once_and_only_a_decision_closes_it() {
    let mut story = Story::declared();
    story.after(119).tell(Msg::Tick);
    assert!(story.model.prompt().is_none());
    story.after(1).tell(Msg::Tick);
    assert!(matches!(story.model.prompt(), Some(Prompt::Cutoff { .. })));
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::CutoffReached { .. })));
    story.tell(Msg::Tick);
    assert!(!story.recorded().iter().any(|k| matches!(k, Kind::CutoffReached { .. })), "said once");
    story.wish(Intent::Extend { minutes: 20, reason: "  ".into() });
    assert!(matches!(story.model.prompt(), Some(Prompt::Cutoff { .. })), "an extension needs a reason");
    story.wish(Intent::Extend { minutes: 20, reason: "a fix is building".into() });
    assert!(story.model.prompt().is_none());
    story.after(20).tell(Msg::Tick);
    assert!(matches!(story.model.prompt(), Some(Prompt::Cutoff { .. })), "it comes again when the extension is over");
    story.wish(Intent::GoDeep { notice: "This will be LONG.".into() });
    assert!(story.model.prompt().is_none());
    let sent = all(&story.effects).into_iter().any(|e| matches!(e, Effect::Send { post, .. } if post.kind == PostKind::LongNotice));
    assert!(sent, "users are told");
}

#[test]
fn an_unanswered_cutoff_climbs_and_keeps_its_draft() {
    let mut story = Story::declared();
    story.after(120).tell(Msg::Tick);
    story.after(5).tell(Msg::Tick);
    let Some(Prompt::Cutoff { level, .. }) = story.model.prompt() else { panic!("it stands") };
    assert_eq!(*level, 1);
    let told = all(&story.effects).into_iter().any(|e| matches!(e, Effect::Send { post, .. } if post.audience == Audience::Team));
    assert!(told, "the team hears of it");
}

#[test]
fn nothing_is_changed_before_its_intent_is_on_disk() {
    let mut story = Story::declared();
    story.wish(Intent::Act { request: rollback() });
    let Some(Effect::Preview { job, .. }) = story.effects.last() else { panic!("checked first: {:?}", story.effects) };
    let job = *job;
    story.hear(News::Previewed { job, result: Ok(preview(Some("import"))) });
    assert!(matches!(story.model.prompt(), Some(Prompt::Act { .. })));
    assert!(story.effects.is_empty(), "asking does nothing");
    story.wish(Intent::Confirm { job, typed: "imprt".into() });
    assert!(story.effects.is_empty(), "a wrong name does nothing");
    story.wish(Intent::Confirm { job, typed: "import".into() });
    let [Effect::Record { event, then }] = story.effects.as_slice() else { panic!("{:?}", story.effects) };
    assert!(matches!(event.kind, Kind::ActIntended { .. }));
    let [Effect::Perform { intent, .. }] = then.as_slice() else { panic!("{then:?}") };
    assert_eq!(*intent, event.seq);
    let intent = *intent;
    story.hear(News::Performed { job, intent, result: Ok(Receipt { summary: Masked::own("rolled back"), undo: None, leaves: None }) });
    assert!(story.model.acts.is_empty());
    assert!(story.recorded().iter().any(|k| matches!(k, Kind::ActDone { .. })));
}

#[test]
fn no_is_no() {
    let mut story = Story::declared();
    story.wish(Intent::Act { request: rollback() });
    let Some(Effect::Preview { job, .. }) = story.effects.last() else { panic!() };
    let job = *job;
    story.hear(News::Previewed { job, result: Ok(preview(None)) });
    story.wish(Intent::Refuse { job });
    assert!(story.model.prompt().is_none() && story.model.acts.is_empty() && story.effects.is_empty());
    story.wish(Intent::Confirm { job, typed: String::new() });
    assert!(story.effects.is_empty(), "what was refused cannot be confirmed");
}

#[test]
fn read_only_changes_nothing() {
    let mut story = Story::declared();
    story.model.setting.read_only = true;
    story.wish(Intent::Act { request: rollback() });
    assert!(story.effects.is_empty());
    story.wish(Intent::Capture { container: container(), method: None });
    assert!(story.effects.is_empty());
}

pub(super) fn assessed(risk: Risk) -> Assessment {
    Assessment::of("cdp", vec![Reason::new(Check::Memory, risk, "needs 1.2 GB, 300 MB are free")])
}

pub(super) fn surveyed(story: &mut Story, risk: Risk) {
    story.wish(Intent::Capture { container: container(), method: None });
    let Some(Effect::Survey { job, .. }) = story.effects.last() else { panic!("preflight first: {:?}", story.effects) };
    let job = *job;
    story.hear(News::Surveyed { job, container: container(), ceiling: None, arms: None, result: Ok(vec![assessed(risk)]) });
}

pub(super) fn captures(effects: &[Effect]) -> usize {
    all(effects).into_iter().filter(|e| matches!(e, Effect::Capture { .. })).count()
}

#[test]
fn a_capture_that_would_kill_the_pod_wants_its_name_typed() {
    let mut story = Story::declared();
    surveyed(&mut story, Risk::WouldKill);
    assert_eq!(captures(&story.effects), 0);
    assert!(matches!(story.model.prompt(), Some(Prompt::Risk { .. })));
    story.wish(Intent::AcceptRisk { container: container(), typed: "y".into() });
    assert_eq!(captures(&story.effects), 0);
    story.wish(Intent::AcceptRisk { container: container(), typed: "import-0".into() });
    assert_eq!(captures(&story.effects), 1);
    assert!(matches!(story.recorded()[0], Kind::RiskAccepted { .. }), "accepted by name, and recorded before");
}

#[test]
fn a_method_that_was_named_is_the_one_that_is_taken() {
    let mut story = Story::declared();
    story.wish(Intent::Capture { container: container(), method: Some("sampling".into()) });
    let [Effect::Survey { job, .. }] = story.effects.as_slice() else { panic!("{:?}", story.effects) };
    let job = *job;
    let sampling = Assessment { method: "sampling".into(), ..assessed(Risk::Ok) };
    let result = Ok(vec![assessed(Risk::Ok), sampling]);
    story.hear(News::Surveyed { job, container: container(), ceiling: None, arms: None, result });
    let taken: Vec<&str> = all(&story.effects)
        .into_iter()
        .filter_map(|e| match e {
            Effect::Capture { method, .. } => Some(method.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(taken, ["sampling"]);
}

#[test]
fn a_yes_is_a_yes_to_what_was_asked() {
    let yes = |risk| {
        let mut story = Story::declared();
        surveyed(&mut story, risk);
        story.wish(Intent::AcceptRisk { container: container(), typed: "import-0".into() });
        all(&story.effects).into_iter().find_map(|e| match e {
            Effect::Capture { accepted, .. } => Some(*accepted),
            _ => None,
        })
    };
    assert_eq!(yes(Risk::Ok), None, "begun before");
    assert_eq!(yes(Risk::Risky), Some(Risk::Risky), "should it turn out to kill, it is not done");
    assert_eq!(yes(Risk::WouldKill), Some(Risk::WouldKill));
}

#[test]
fn a_safe_capture_starts_at_once_and_is_analysed_when_it_ends() {
    let mut story = Story::declared();
    surveyed(&mut story, Risk::Ok);
    assert_eq!(captures(&story.effects), 1);
    let capture = story.model.captures[0].clone();
    let end = CaptureEnd {
        outcome: Outcome::Complete,
        bytes: Bytes(1000),
        sha256: Some("00".into()),
        file: Some("E1.heapsnapshot".into()),
        provenance: None,
        remark: String::new(),
    };
    let job = capture.job.expect("it runs");
    story.hear(News::Captured { job, evidence: EvidenceId(1), state: CaptureState::Complete { bytes: Bytes(1000) }, end: Box::new(end) });
    assert!(all(&story.effects).into_iter().any(|e| matches!(e, Effect::Analyse { .. })));
    assert!(story.model.jobs.values().all(|j| !j.what.contains("capture")), "the job is over");
}

#[test]
fn what_is_done_to_a_pod_declares_the_incident_if_nobody_did() {
    let mut story = Story::new();
    surveyed(&mut story, Risk::Ok);
    assert!(story.model.incident.is_some());
    assert_eq!(captures(&story.effects), 1);
}

#[test]
fn a_journal_that_cannot_be_written_is_told_and_loses_nothing() {
    let mut story = Story::declared();
    story.wish(Intent::Note { text: "reverted 4812".into() });
    let Some(Effect::Record { event, .. }) = story.effects.first().cloned() else { panic!() };
    let trouble = Trouble::new(TroubleKind::Failed, "no space left", "journal.jsonl", "free some space");
    story.hear(News::JournalFailed { event, trouble });
    assert!(matches!(story.model.prompt(), Some(Prompt::Journal { .. })));
    story.wish(Intent::RetryJournal);
    assert!(matches!(story.effects.as_slice(), [Effect::Record { event, .. }] if matches!(event.kind, Kind::Noted { .. })));
}

#[test]
fn an_incident_that_was_lost_to_kill_9_goes_on_where_it_was() {
    let mut story = Story::declared();
    story.after(121).tell(Msg::Tick);
    let before = story.model.incident.clone().expect("declared");
    let events: Vec<_> = before.timeline.iter().map(|e| e.as_ref().clone()).collect();
    let mut again = Story::new();
    again.at = story.at;
    again.hear(News::Reopened { events });
    let after = again.model.incident.clone().expect("reopened");
    assert_eq!(after.cutoff, before.cutoff);
    assert_eq!(after.timeline.len(), before.timeline.len() + 1, "all of it, and that it was resumed");
    assert!(matches!(again.model.prompt(), Some(Prompt::Cutoff { .. })), "the question still stands");
}

#[test]
fn every_event_of_a_story_folds_to_the_models_state() {
    let mut story = Story::declared();
    let mut events = Vec::new();
    let mut keep = |effects: &[Effect]| {
        for effect in effects {
            if let Effect::Record { event, .. } = effect {
                events.push(event.as_ref().clone());
            }
        }
    };
    keep(&story.effects);
    for minute in 0..130 {
        story.after(1).tell(Msg::Tick);
        keep(&story.effects);
        if minute == 7 {
            story.wish(Intent::Post { kind: PostKind::Declared, text: "We are looking into it.".into() });
            keep(&story.effects);
        }
    }
    story.wish(Intent::GoDeep { notice: "LONG".into() });
    keep(&story.effects);
    story.wish(Intent::Resolve { text: "fixed".into() });
    keep(&story.effects);
    let folded = crate::incident::State::replay(&events);
    assert_eq!(folded.as_ref(), story.model.incident.as_ref());
}

#[test]
fn the_next_line_is_never_empty() {
    let mut story = Story::new();
    assert!(!next(&story.model).words.is_empty());
    story.wish(Intent::Declare { title: String::new(), severity: Severity::Sev2, service: String::new() });
    assert!(!next(&story.model).words.is_empty());
    story.after(120).tell(Msg::Tick);
    assert_eq!(next(&story.model).command, "decide");
    story.wish(Intent::GoDeep { notice: "LONG".into() });
    story.wish(Intent::Resolve { text: "fixed".into() });
    assert_eq!(next(&story.model).command, "export");
    assert!(story.model.acts.iter().all(|a| !matches!(a.stage, ActStage::Performing { .. })));
}
