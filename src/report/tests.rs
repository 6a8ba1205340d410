//! The whole story of this project's outage, for the tests of this room.

use crate::base::{Bytes, BytesPerSecond, ContainerRef, EvidenceId, Masked, PodRef, ProcessKey, mask_lines};
use crate::incident::story::{ann, declared_with, minute, start};
use crate::incident::{
    ActRequest, ActTarget, Actor, Audience, CodeAge, Decision, Effectiveness, Event, Finding, Kind, MemoryReading, Outcome, Place, Plan,
    Post, PostKind, Provenance, Receipt, SlopeChange, State,
};

pub(super) fn container(pod: &str) -> ContainerRef {
    ContainerRef { pod: PodRef::new("shop", pod), name: "app".into() }
}

/// The outage until `until` minutes after its declaration.
pub(super) fn whole_story(until: u64) -> State {
    let mut declared = declared_with(Plan::default());
    if let Kind::Declared { impact_since, .. } = &mut declared {
        *impact_since = Some(start() - chrono::TimeDelta::minutes(12));
    }
    let mut state = State::begin(&Event { seq: 1, at: minute(0), actor: ann(), kind: declared }).expect("declared");
    let mut tell = |at: u64, actor: Actor, kind: Kind| {
        let seq = state.next_seq();
        if at <= until {
            let event = state.event(minute(at), actor, kind);
            state.fold(&event);
        }
        seq
    };
    let memory = |at: u64| {
        let reading =
            |pod: &str, used: u64| MemoryReading { container: container(pod), used: Bytes::mib(used), limit: Some(Bytes::mib(512)) };
        Kind::MemorySeen { readings: vec![reading("import-7d-x", 150 + at * 17 % 350), reading("import-7d-y", 140 + at)] }
    };
    let died = |restarts| Kind::ContainerDied {
        container: container("import-7d-x"),
        restarts,
        reason: "Error".into(),
        exit_code: Some(134),
        cause: "V8 heap limit".into(),
        ended: None,
    };
    let post = |kind, words: &str| Kind::PostQueued {
        post: Post { kind, audience: Audience::Users, text: mask_lines(words), next_by: None, dedup: "d".into() },
        channels: vec!["status".into()],
    };
    let sent = |queued| Kind::PostSent { queued, channel: "status".into(), tries: 1, answer: "HTTP 202".into() };
    let target = ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "import".into() };
    let rollback = ActRequest { act: "rollback".into(), target, args: [("revision".to_owned(), "41".to_owned())].into() };
    let made = Some(start() - chrono::TimeDelta::hours(3));
    tell(1, Actor::Cluster, memory(1));
    tell(
        2,
        Actor::Tool,
        Kind::RolloutSeen {
            workload: "deployment/import".into(),
            revision: 42,
            image: "import:42".into(),
            made,
            cause: Some("new | feed".into()),
        },
    );
    let first = tell(3, ann(), post(PostKind::Declared, "We are investigating."));
    tell(3, Actor::Tool, sent(first));
    tell(10, Actor::Cluster, memory(10));
    tell(12, ann(), Kind::HypothesisOpened { statement: "revision 42 leaks".into(), timebox_minutes: 30 });
    tell(20, Actor::Cluster, died(1));
    let intent =
        tell(25, ann(), Kind::ActIntended { request: rollback, call: "PATCH /apis/apps/v1/namespaces/shop/deployments/import".into() });
    let done = tell(
        26,
        ann(),
        Kind::ActDone { intent, receipt: Receipt { summary: "import is at revision 41".into(), undo: None, leaves: None } },
    );
    let slope = |n: f64| Some(BytesPerSecond(n * 1e6 / 60.0));
    let change = SlopeChange { before: slope(12.0), after: slope(11.8), effect: Effectiveness::NoChange };
    tell(40, Actor::Tool, Kind::EffectMeasured { act: done, change });
    tell(41, ann(), Kind::HypothesisClosed { opened: 7, held: false, evidence: "the slope did not change".into() });
    tell(60, Actor::Cluster, memory(60));
    tell(105, Actor::Cluster, died(2));
    tell(118, Actor::Cluster, memory(118));
    tell(120, Actor::Tool, Kind::CutoffReached { due: minute(120).wall });
    tell(127, ann(), Kind::Decided(Decision::GoDeep));
    let long = tell(129, ann(), post(PostKind::LongNotice, "This will be LONG.\nWe took back 1 change."));
    tell(129, Actor::Tool, sent(long));
    let pod = PodRef::new("shop", "import-7d-y");
    tell(131, Actor::Tool, Kind::Assessed { pod, method: "cdp".into(), risk: "OK".into(), because: "needs 90 MB, 240 MB are free".into() });
    let evidence = EvidenceId(1);
    tell(132, ann(), Kind::CaptureStarted { evidence, container: container("import-7d-y"), method: "cdp".into() });
    let process = ProcessKey { pod_uid: "u".into(), container_id: "c".into(), restart: 0, pid: 1, started: start() };
    let provenance = Provenance {
        container: container("import-7d-y"),
        process,
        image: "import:41@sha256:abc".into(),
        node: Some("ip-10-0-0-1".into()),
        node_version: Some("v20.20.2".into()),
        flags: "--max-old-space-size=400".into(),
        method: "cdp".into(),
        who: "ann".into(),
        began: minute(132).wall,
        ended: minute(134).wall,
        command: "kill -USR1 1".into(),
        tool: "0.1.0".into(),
        path: None,
        same_in_pod: None,
    };
    tell(
        134,
        Actor::Tool,
        Kind::CaptureEnded {
            evidence,
            outcome: Outcome::Complete,
            bytes: Bytes(61_000_000),
            sha256: Some("ab".repeat(32)),
            file: Some("E1-import-7d-y.heapsnapshot".into()),
            provenance: Some(Box::new(provenance)),
            remark: Masked::default(),
        },
    );
    let place = Place { file: "src/import/content-import.service.js".into(), line: 42, column: 9 };
    let finding = Finding {
        headline: "parsedContentCache (Map, content-import.service.js:42) holds 71 % of the heap".into(),
        holder: "parsedContentCache".into(),
        growing: "ParsedContent".into(),
        place: Some(place.clone()),
        retained: Bytes(180_000_000),
        share: 0.71,
        growth: None,
        confidence: "medium".into(),
        path: vec!["(root)".into(), "parsedContentCache Map".into()],
        cannot_prove: "one snapshot cannot prove growth".into(),
    };
    tell(138, Actor::Tool, Kind::LeakFound { evidence: vec![evidence], finding: Box::new(finding) });
    let written = start() - chrono::TimeDelta::days(213);
    let age =
        CodeAge { place, commit: "3f2a9c1d0b7e".into(), written, subject: "Cache parsed content".into(), younger_changes: 3, changes: 3 };
    tell(139, Actor::Tool, Kind::CodeAged { evidence: vec![evidence], age });
    tell(150, ann(), Kind::Noted { text: "the partner feed has a new field | since today\n\n# not a heading".into() });
    tell(200, Actor::Cluster, memory(200));
    tell(205, ann(), Kind::Resolved { text: "the cache is keyed by id and bounded".into() });
    state
}
