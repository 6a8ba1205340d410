//! The outage that the frames show: a night of a content import, told through the app.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::model::{Arms, ChannelInfo, Job, LogLine};
use crate::app::{ArmChoice, CaptureEnd, Effect, Intent, JobId, Model, Msg, News, Prompt, Setting, Shelf, update};
use crate::base::{Bytes, ContainerRef, EvidenceId, Masked, PodRef, ProcessKey, Stamp, Trouble, TroubleKind};
use crate::heap::{Age, Analysis, Confidence, HolderKind, Place, Step, Suspect, Unwatched, Verdict, analyse};
use crate::incident::{
    ActRequest, ActTarget, Audience, CodeAge, Leftover, LeftoverKind, Outcome, PairWhen, Plan, PostKind, Preview, Provenance, Receipt,
    Severity, Sign,
};
use crate::preflight::{Assessment, Between, CaptureState, Check, Figure, Predicted, Reason, Remedy, RemedyKind, Risk};
use crate::pressure::{Board, ContainerFacts, ContainerState, End, Liveness, PodFacts, PodSample, Rollout, Workload};

/// A night so far.
pub struct Night {
    pub model: Model,
    pub shelf: Shelf,
    at: Stamp,
    effects: Vec<Effect>,
}

fn start() -> Stamp {
    Stamp::at(DateTime::<Utc>::from_timestamp(1_795_500_000, 0).expect("a valid second"))
}

fn workload() -> Workload {
    Workload { kind: "deployment".into(), name: "content-import".into() }
}

const LEAKING: [&str; 3] = ["content-import-7d9f8b6c5d-x2k4p", "content-import-7d9f8b6c5d-9wq7z", "content-import-7d9f8b6c5d-m5t8c"];

pub fn worst() -> ContainerRef {
    ContainerRef { pod: PodRef::new("shop", LEAKING[0]), name: "app".into() }
}

fn container(name: &str, limit: u64, restarts: u32, since: DateTime<Utc>) -> ContainerFacts {
    let last_end = (restarts > 0).then(|| End { reason: "OOMKilled".into(), exit_code: 137, started: None, ended: Some(since) });
    ContainerFacts {
        name: name.into(),
        id: format!("containerd://{name}0123456789abcdef"),
        image: "registry.example/shop/content-import:1.42.0".into(),
        image_id: String::new(),
        limit: Some(Bytes::mib(limit)),
        request: Some(Bytes::mib(limit / 2)),
        state: ContainerState::Running { since: Some(since) },
        ready: true,
        restarts,
        last_end,
        liveness: Some(Liveness { failure_threshold: 3, period_s: 10, timeout_s: 1, grace_s: 30 }),
        resize_restarts: false,
    }
}

fn pod(name: &str, workload: Option<Workload>, containers: Vec<ContainerFacts>, created: DateTime<Utc>) -> PodFacts {
    PodFacts {
        pod: PodRef::new("shop", name),
        uid: format!("uid-{name}"),
        workload,
        revision: Some("7d9f8b6c5d".into()),
        node: Some("node-3".into()),
        phase: "Running".into(),
        ready: true,
        deleting: false,
        created: Some(created),
        qos: "Burstable".into(),
        labels: BTreeMap::from([("app".into(), "content-import".into())]),
        manager: None,
        containers,
        resize: None,
    }
}

impl Night {
    /// The tool was just started; nothing answers yet.
    pub fn empty() -> Self {
        let setting = Setting {
            context: "prod".into(),
            namespace: "shop".into(),
            who: Masked::own("ann"),
            tool: Masked::own("0.1.0"),
            read_only: false,
            notice: String::new(),
            plan: Plan::default(),
            judge_by_s: 900,
            repository: Some("/srv/content-import".into()),
            source_maps: Vec::new(),
            taken: Vec::new(),
            parallel: 2,
            channels: vec![
                ChannelInfo { name: "status".into(), audiences: vec![Audience::Users] },
                ChannelInfo { name: "team".into(), audiences: vec![Audience::Team] },
            ],
        };
        let mut night =
            Self { model: Model::new(setting, Board::default(), start()), shelf: Shelf::default(), at: start(), effects: Vec::new() };
        let book = crate::playbook::parse("playbooks/node-heap-oom.yaml", include_str!("../../playbooks/node-heap-oom.yaml"));
        night.wish(Intent::UsePlaybook { playbook: Box::new(book.expect("the playbook of this project is sound")) });
        night
    }

    /// Pods are seen and measured for ten minutes; nothing is declared.
    pub fn watched() -> Self {
        let mut night = Self::empty();
        let began = start().wall - TimeDelta::minutes(40);
        let mut pods: Vec<PodFacts> = LEAKING
            .into_iter()
            .zip([2, 1, 0])
            .map(|(name, restarts)| pod(name, Some(workload()), vec![container("app", 512, restarts, began)], began))
            .collect();
        pods.push(pod(
            "image-resize-5c8d7f9b44-hh2vq",
            None,
            vec![container("app", 256, 0, began), container("proxy", 64, 0, began)],
            began,
        ));
        night.hear(News::Pods { pods });
        for i in 0..20u64 {
            night.at = night.at.plus(Duration::from_secs(30));
            let mut samples = Vec::new();
            for (n, name) in (0u64..).zip(LEAKING) {
                let used = Bytes::mib(200 + i * (12 - 4 * n) + (i * 7 + n) % 3);
                samples.push(PodSample {
                    pod: PodRef::new("shop", name),
                    container: "app".into(),
                    at: night.at.wall,
                    working_set: used,
                    source: "metrics-server".into(),
                });
            }
            for (part, used) in [("app", 120 + (i * 5) % 4), ("proxy", 18)] {
                samples.push(PodSample {
                    pod: PodRef::new("shop", "image-resize-5c8d7f9b44-hh2vq"),
                    container: part.into(),
                    at: night.at.wall,
                    working_set: Bytes::mib(used),
                    source: "metrics-server".into(),
                });
            }
            night.hear(News::Samples { samples });
        }
        night
    }

    /// Declared, the history is known, a rollback was done and did not help.
    pub fn declared() -> Self {
        let mut night = Self::watched();
        night.after(5);
        night.wish(Intent::Declare {
            title: "Imports fail since 02:10".into(),
            severity: Severity::Sev1,
            service: "content-import".into(),
        });
        let job = night.model.history.job.unwrap_or_default();
        let made = |hours: i64| Some(start().wall - TimeDelta::hours(hours));
        let rollout = |revision: u64, hours: i64, current: bool, cause: &str| Rollout {
            revision,
            image: format!("registry.example/shop/content-import:1.{revision}.0"),
            made: made(hours),
            cause: Some(cause.into()),
            current,
            replicas: if current { 3 } else { 0 },
        };
        let rollouts = vec![
            rollout(42, 3, true, "log levels"),
            rollout(41, 6, false, "bump deps"),
            rollout(40, 9, false, "typo"),
            rollout(39, 400, false, ""),
        ];
        night.hear(News::History { job, result: Ok(rollouts) });
        night.wish(Intent::Note { text: "pagers rang at 02:14; imports of partner feeds fail".into() });
        night.after(6);
        night.wish(Intent::Post {
            kind: PostKind::Declared,
            text: "Imports are slow or fail. We are on it. Next update in 20 minutes.".into(),
        });
        night.hear(News::Delivered { queued: 0, channel: "status".into(), tries: 1, result: Ok("HTTP 202".into()) });
        night
    }

    /// A capture ended and was analysed.
    pub fn found() -> Self {
        let mut night = Self::declared();
        night.wish(Intent::Preflight { container: worst() });
        let job = night.model.surveys[&worst()].job.expect("preflight runs");
        night.hear(News::Surveyed {
            job,
            container: worst(),
            ceiling: None,
            arms: None,
            result: Ok(vec![assessment(Risk::Ok), assessment(Risk::WouldKill)]),
        });
        night.wish(Intent::Capture { container: worst(), method: None });
        let job = night.model.captures[0].job.expect("the capture runs");
        night.after(1);
        night.hear(News::Captured {
            job,
            evidence: EvidenceId(1),
            state: CaptureState::Complete { bytes: Bytes(212_000_000) },
            end: Box::new(CaptureEnd {
                outcome: Outcome::Complete,
                bytes: Bytes(212_000_000),
                sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
                file: Some("E1-content-import.heapsnapshot".into()),
                provenance: Some(Box::new(provenance(night.at.wall))),
                remark: "one more in 10 min proves the growth".into(),
            }),
        });
        let job = night.model.analyses[0].job.expect("the analysis runs");
        night.hear(News::Analysed { job, evidence: vec![EvidenceId(1)], result: Ok(Box::new(verdict())) });
        night.hear(News::Aged { job: JobId(999), evidence: vec![EvidenceId(1)], result: Ok(code_age()) });
        night.shelf.put(EvidenceId(1), heap());
        night.after(10);
        night.wish(Intent::Capture { container: worst(), method: None });
        night.capturing();
        night.after(0);
        night
    }

    fn capturing(&mut self) {
        if let Some(survey) = self.model.surveys.get(&worst()).and_then(|s| s.job) {
            self.hear(News::Surveyed {
                job: survey,
                container: worst(),
                ceiling: None,
                arms: None,
                result: Ok(vec![assessment(Risk::Ok)]),
            });
        }
        let running = self.model.captures.iter().find_map(|c| c.job.map(|job| (job, c.evidence)));
        let (job, evidence) = running.expect("the second capture runs");
        let state = CaptureState::Copying { copied: Bytes(91_000_000), of: Some(Bytes(212_000_000)), rate: Some(Bytes(12_100_000)) };
        self.hear(News::Capturing { job, evidence, state, bytes: Bytes(91_000_000), expected: Some(Bytes(212_000_000)), process: None });
    }

    /// The cut-off has come.
    pub fn cut_off() -> Self {
        let mut night = Self::found();
        night.after(140);
        night.tell(Msg::Tick);
        night
    }

    /// A limit was raised for a capture, and a pod isolated: both are still to be seen to.
    pub fn left() -> Self {
        let mut night = Self::declared();
        let target = ActTarget { kind: "pod".into(), namespace: "shop".into(), name: LEAKING[0].into() };
        let request = |act: &str, args: &[(&str, &str)]| ActRequest {
            act: act.into(),
            target: target.clone(),
            args: args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        let acts = [
            (
                request("resize", &[("container", "app"), ("memory", "1536Mi"), ("for", "capture")]),
                LeftoverKind::Limit,
                "limit of shop/content-import-7d9f8b6c5d-x2k4p app is raised from 512Mi to 1536Mi for a capture",
                request("resize", &[("container", "app"), ("memory", "512Mi")]),
            ),
            (
                request("isolate", &[]),
                LeftoverKind::Pod,
                "pod shop/content-import-7d9f8b6c5d-x2k4p is isolated and lives on: nobody else deletes it",
                request("clean-up", &[]),
            ),
        ];
        for (request, kind, what, settle) in acts {
            night.wish(Intent::Act { request: request.clone() });
            let job = night.model.acts[0].job;
            let preview = Preview { request, call: "PATCH …".into(), diff: Vec::new(), warnings: Vec::new(), confirm: None };
            night.hear(News::Previewed { job, result: Ok(preview) });
            night.wish(Intent::Confirm { job, typed: String::new() });
            let intent = night.model.incident.as_ref().and_then(|s| s.acts.last().map(|a| a.mark.seq)).expect("it is intended");
            let leaves = Some(Leftover { kind, what: what.into(), settle });
            let receipt = Receipt { summary: "done (in force by the kubelet's status; no restart)".into(), undo: None, leaves };
            night.hear(News::Performed { job, intent, result: Ok(receipt) });
        }
        night
    }

    /// The limit was raised, and preflight says that the capture fits now.
    pub fn ready() -> Self {
        let mut night = Self::risky(Risk::WouldKill);
        let way = RemedyKind::Resize { from: Bytes::mib(512), to: Bytes::mib(768) };
        night.wish(Intent::WayOut { container: worst(), way });
        let (job, request) = (night.model.acts[0].job, night.model.acts[0].request.clone());
        let preview = Preview { request, call: "PATCH …".into(), diff: Vec::new(), warnings: Vec::new(), confirm: None };
        night.hear(News::Previewed { job, result: Ok(preview) });
        night.wish(Intent::Confirm { job, typed: String::new() });
        let intent = night.model.incident.as_ref().and_then(|s| s.acts.last().map(|a| a.mark.seq)).expect("it is intended");
        night.hear(News::Performed { job, intent, result: Ok(Receipt { summary: "done".into(), undo: None, leaves: None }) });
        let job = night.model.surveys[&worst()].job.expect("preflight runs");
        night.hear(News::Surveyed { job, container: worst(), ceiling: None, arms: None, result: Ok(vec![assessment(Risk::Ok)]) });
        night
    }

    /// A rollback shows what it would do.
    pub fn asked(confirm: Option<&str>) -> Self {
        let mut night = Self::declared();
        let target = ActTarget { kind: "deployment".into(), namespace: "shop".into(), name: "content-import".into() };
        let request = ActRequest { act: "rollback".into(), target, args: [("revision".to_owned(), "41".to_owned())].into() };
        night.wish(Intent::Act { request: request.clone() });
        let job = night.model.acts[0].job;
        let preview = Preview {
            request,
            call: "PATCH /apis/apps/v1/namespaces/shop/deployments/content-import".into(),
            diff: [
                " spec.template.spec.containers[0]:",
                "-  image: registry.example/shop/content-import:1.42.0",
                "+  image: registry.example/shop/content-import:1.41.0",
            ]
            .into_iter()
            .map(Masked::own)
            .collect(),
            warnings: vec![Masked::own("3 pods are replaced: their heaps are lost with them; capture first")],
            confirm: confirm.map(str::to_owned),
        };
        night.hear(News::Previewed { job, result: Ok(preview) });
        night
    }

    /// Preflight says that the capture would kill, or might.
    pub fn risky(risk: Risk) -> Self {
        let mut night = Self::declared();
        night.wish(Intent::Capture { container: worst(), method: None });
        let job = night.model.surveys[&worst()].job.expect("preflight runs");
        night.hear(News::Surveyed { job, container: worst(), ceiling: None, arms: None, result: Ok(vec![assessment(risk)]) });
        night
    }

    /// Preflight was asked, and no capture is wanted yet.
    pub fn surveyed(risk: Risk) -> Self {
        let mut night = Self::declared();
        night.wish(Intent::Preflight { container: worst() });
        let job = night.model.surveys[&worst()].job.expect("preflight runs");
        night.hear(News::Surveyed { job, container: worst(), ceiling: None, arms: None, result: Ok(vec![assessment(risk)]) });
        night
    }

    /// The disk is full.
    pub fn unwritten() -> Self {
        let mut night = Self::declared();
        let event = night.model.incident.as_ref().and_then(|s| s.timeline.last().cloned()).expect("events");
        let trouble = Trouble::new(
            TroubleKind::Failed,
            "the disk is full",
            "~/.local/share/cutoff/incidents",
            "free 10 MB; it is tried again by itself",
        );
        night.hear(News::JournalFailed { event: Box::new(event.as_ref().clone()), trouble });
        night
    }

    /// A log is followed.
    pub fn logged() -> Self {
        let mut night = Self::declared();
        night.wish(Intent::Logs { container: worst(), previous: true });
        let job = night.model.logs.job.expect("the log is followed");
        let texts = [
            "imported 1042 entries in 812 ms",
            "imported 1043 entries in 911 ms \u{1b}[31mslow\u{1b}[0m",
            "<--- Last few GCs --->",
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        ];
        let at = night.at.wall;
        let lines = texts.into_iter().map(|text| LogLine { at: Some(at), text: crate::base::Untrusted::new(text).clean() }).collect();
        night.hear(News::LogLines { job, lines, skipped: 120 });
        night.hear(News::LogEnded { job, trouble: None });
        night
    }

    /// Resolved and written.
    pub fn resolved() -> Self {
        let mut night = Self::found();
        night.wish(Intent::Resolve { text: "the partner feed was switched off".into() });
        night.model.exported = Some("~/.local/share/cutoff/incidents/x/exports/x.md".into());
        night
    }

    /// What the last message asked of the world.
    pub fn asked_for(&self) -> &[Effect] {
        &self.effects
    }

    /// Two pods are looked at, to be armed.
    pub fn arming() -> Self {
        let mut night = Self::declared();
        let other = ContainerRef { pod: PodRef::new("shop", LEAKING[1]), name: "app".into() };
        night.wish(Intent::Arm { containers: vec![worst(), other.clone()] });
        let near = |risk, text| Assessment::of("near-limit", vec![Reason::new(Check::Memory, risk, text)]);
        let flags = Arms { by_flags: true, dir: Some("/var/cutoff-dumps".into()), outlives: true, heap_mib: None };
        let arms = Arms { by_flags: false, dir: Some("/usr/src/app".into()), outlives: false, heap_mib: Some(96) };
        let risky = "at V8's limit it needs 180 MB on top, and 201 MB will be free then under 512 MiB: too close";
        for (container, arms, assessment) in [(worst(), arms, near(Risk::Risky, risky)), (other, flags, near(Risk::Ok, "it fits"))] {
            let job = night.model.surveys[&container].job.expect("it is looked at");
            night.hear(News::Surveyed { job, container, ceiling: None, arms: Some(Box::new(arms)), result: Ok(vec![assessment]) });
        }
        night
    }

    /// Two pods are armed; one gave a sign.
    pub fn armed() -> Self {
        let mut night = Self::arming();
        let Some(Prompt::Arm { containers }) = night.model.prompt().cloned() else { unreachable!("it is asked") };
        night.wish(Intent::ArmAs { containers, choice: ArmChoice::RunTime });
        for (job, evidence) in night.model.captures.iter().filter_map(|c| Some((c.job?, c.evidence))).collect::<Vec<_>>() {
            let state = CaptureState::Armed { waits_for: Masked::own("V8's heap limit of 259 MiB in process 1") };
            night.hear(News::Capturing { job, evidence, state, bytes: Bytes(0), expected: None, process: None });
        }
        night.after(12);
        let what = "FATAL ERROR: V8 reached its heap limit".to_owned();
        night.hear(News::Sign { container: worst(), sign: Sign::Log, what, path: None });
        night
    }

    /// The watches are to end.
    pub fn disarming() -> Self {
        let mut night = Self::armed();
        night.wish(Intent::Arm { containers: night.model.watches.iter().map(|w| w.container.clone()).collect() });
        night
    }

    /// A second snapshot is planned, the growth wins the race of a third, and a fourth waits for a place.
    pub fn planned() -> Self {
        let mut night = Self::found();
        let other = |i: usize| ContainerRef { pod: PodRef::new("shop", LEAKING[i]), name: "app".into() };
        night.wish(Intent::Pair { first: EvidenceId(1), when: PairWhen::Grown { by: Bytes(80_000_000) } });
        night.model.setting.parallel = 1;
        night.wish(Intent::Capture { container: other(1), method: None });
        let job = night.model.surveys[&other(1)].job.expect("preflight runs");
        night.hear(News::Surveyed { job, container: other(1), ceiling: None, arms: None, result: Ok(vec![assessment(Risk::Ok)]) });
        let (job, evidence) = night.model.captures.iter().find_map(|c| c.job.map(|job| (job, c.evidence))).expect("the second runs");
        let state = CaptureState::Copying { copied: Bytes(91_000_000), of: Some(Bytes(212_000_000)), rate: Some(Bytes(210_000)) };
        night.hear(News::Capturing { job, evidence, state, bytes: Bytes(91_000_000), expected: None, process: None });
        night
    }

    /// A capture killed its pod before the first byte.
    pub fn killed_empty() -> Self {
        let mut night = Self::declared();
        night.wish(Intent::Capture { container: worst(), method: None });
        night.capturing();
        let job = night.model.captures[0].job.expect("it runs");
        let why = Masked::own("killed while V8 built the snapshot: give it more memory, or take a smaller heap or the sampling profile");
        let end = CaptureEnd {
            outcome: Outcome::KilledEmpty,
            bytes: Bytes(0),
            sha256: None,
            file: None,
            provenance: None,
            remark: "the process did not survive".into(),
        };
        night.hear(News::Captured { job, evidence: EvidenceId(1), state: CaptureState::KilledEmpty { why }, end: Box::new(end) });
        night
    }

    /// Moves the clocks on by `minutes`.
    pub fn after(&mut self, minutes: u64) {
        self.at = self.at.plus(Duration::from_secs(minutes * 60));
        self.model.now = self.at;
    }

    pub fn wish(&mut self, intent: Intent) {
        self.tell(Msg::Intent(intent));
    }

    pub fn hear(&mut self, news: News) {
        self.tell(Msg::News(Box::new(news)));
    }

    pub fn tell(&mut self, msg: Msg) {
        self.effects = update(&mut self.model, self.at, msg);
    }

    /// A job that says nothing but that it runs.
    pub fn busy(&mut self) {
        let job = Job { what: "watch pods".into(), since: self.at, share: None, note: String::new(), cancelling: false };
        self.model.jobs.insert(JobId(500), job);
    }
}

pub fn assessment(risk: Risk) -> Assessment {
    let text = match risk {
        Risk::WouldKill => "needs 180 MB more, 84 MB are free under the limit of 512 MiB: the kernel kills it",
        Risk::Risky => "stands still for 28 s, the liveness probe bears 21 s",
        _ => "needs 90 MB more, 210 MB are free under the limit of 512 MiB",
    };
    let mut assessment =
        Assessment::of("cdp", vec![Reason::new(Check::Memory, risk, text), Reason::new(Check::Rights, Risk::Ok, "rights are there")]);
    assessment.inputs = vec![Figure::new("working set", "428 MiB", "cgroup v2"), Figure::new("JS heap used", "212 MB", "inspector")];
    assessment.predicted = Predicted {
        memory: Some(Between { low: Bytes(90_000_000), high: Bytes(180_000_000) }),
        freeze: Some(Between { low: Duration::from_secs(3), high: Duration::from_secs(28) }),
        file: None,
    };
    assessment.headroom = Some(Bytes::mib(84));
    if risk > Risk::Ok {
        let kind = RemedyKind::Resize { from: Bytes::mib(512), to: Bytes::mib(768) };
        assessment.remedies = vec![
            Remedy { kind, text: Masked::own("raise the limit to 768 MiB in place first; V8's own limit stays") },
            Remedy { kind: RemedyKind::Isolate, text: Masked::own("take the pod out of its service, so that the pause hurts nobody") },
        ];
    }
    assessment
}

fn provenance(at: DateTime<Utc>) -> Provenance {
    Provenance {
        container: worst(),
        process: ProcessKey {
            pod_uid: format!("uid-{}", LEAKING[0]),
            container_id: "containerd://app0123456789abcdef".into(),
            restart: 2,
            pid: 1,
            started: at,
        },
        image: Masked::own("registry.example/shop/content-import:1.42.0"),
        node: Some("node-3".into()),
        node_version: Some("v22.21.0".into()),
        flags: Masked::default(),
        method: Masked::own("cdp"),
        who: Masked::own("ann"),
        began: at,
        ended: at,
        command: Masked::own("HeapProfiler.takeHeapSnapshot"),
        tool: Masked::own("0.1.0"),
        path: None,
        same_in_pod: None,
    }
}

fn code_age() -> CodeAge {
    CodeAge {
        place: crate::incident::Place { file: "src/content-import.service.js".into(), line: 42, column: 7 },
        commit: "1f3c9ab".into(),
        written: start().wall - TimeDelta::days(214),
        subject: "cache parsed content".into(),
        younger_changes: 3,
        changes: 3,
    }
}

pub fn verdict() -> Verdict {
    let place = |line| Place { file: "src/content-import.service.js".into(), line, column: 7, generated: None };
    let step = |edge: &str, node: &str, suspect: bool| Step { edge: edge.into(), node: node.into(), id: 7, folded: 0, suspect };
    Verdict {
        snapshots: 1,
        total_bytes: 212_000_000,
        suspects: vec![Suspect {
            rule: "collection".into(),
            headline: "parsedContentCache (Map in content-import.service.js:42) holds 71 % of the heap in 48,211 ImportedContent".into(),
            holder: "parsedContentCache".into(),
            holder_kind: HolderKind::Map,
            holder_id: 7,
            stored_in: None,
            package: None,
            growing_class: "ImportedContent".into(),
            count: 48_211,
            location: Some(place(42)),
            class_location: Some(place(9)),
            retained_bytes: 150_500_000,
            share: 0.71,
            growth_bytes: None,
            growth_share: None,
            growth_per_minute: None,
            count_growth: None,
            path: vec![step("parsedContentCache", "Map", true), step("Map value", "ImportedContent", false)],
            confidence: Confidence::Medium,
            age: Some(Age {
                commit: "1f3c9ab".into(),
                subject: "cache parsed content".into(),
                changed: start().wall - TimeDelta::days(214),
                file: "src/content-import.service.js".into(),
                older_than: 3,
                changes: 3,
            }),
            samples: vec!["{sku: [string], source: \"partner-feed-v2\"}".into()],
            trigger: None,
            allocated_at: Vec::new(),
            fingerprint: "0123456789abcdef".into(),
            cannot_prove: vec!["growth: one snapshot shows what is big, not what grows".into()],
        }],
        next_capture: "a second snapshot of the same process in about 10 minutes proves the growth".into(),
        ..Verdict::default()
    }
}

/// A real heap: the service of the fixtures under Node 18.
pub fn heap() -> Arc<Analysis> {
    static HEAP: OnceLock<Arc<Analysis>> = OnceLock::new();
    let made = HEAP.get_or_init(|| {
        let packed = include_bytes!("../../tests/fixtures/snapshots/node18-0.heapsnapshot.gz");
        let mut whole = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut whole).expect("the fixture is whole");
        Arc::new(analyse(&whole, Arc::new(Unwatched)).expect("a snapshot"))
    });
    Arc::clone(made)
}
