//! Stories of playbooks: read, refused with the place and the remedy, run through an outage.
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

fn built_in() -> Playbook {
    let (name, text) = BUILT_IN[0];
    parse(name, text).unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()))
}

fn small(steps: &str) -> String {
    format!(
        "version: 1\nname: x\ntitle: X\nvars:\n  mins: {{type: span, default: 5m}}\nphases:\n  - id: p\n    title: P\n    steps:\n{steps}"
    )
}

fn refused(text: &str) -> String {
    match parse("x.yaml", text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(problems) => problems.iter().map(|p| format!("{p}\n")).collect(),
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a moment")
}

/// Lives through happenings at minutes; gives the ids that ticked themselves.
struct Story {
    book: Playbook,
    run: Run,
    seq: u64,
}

impl Story {
    fn new(book: Playbook) -> Self {
        let run = Run::new(&book);
        Self { book, run, seq: 0 }
    }

    fn at(&mut self, minute: i64, what: What) -> Vec<String> {
        self.seq += 1;
        let happening = Happening { seq: self.seq, at: start() + TimeDelta::minutes(minute), what };
        self.run.tick(&self.book, &happening).into_iter().map(|t| t.step).collect()
    }

    fn pass(&mut self, minute: i64) -> Vec<String> {
        self.run.pass(&self.book, start() + TimeDelta::minutes(minute)).into_iter().map(|t| t.step).collect()
    }

    fn hand(&mut self, minute: i64, step: &str) {
        let ticked = What::Ticked { playbook: self.book.name.clone(), step: step.into(), how: TickedHow::ByHand };
        self.at(minute, ticked);
    }

    fn next(&self) -> Option<&str> {
        self.run.next(&self.book).map(|step| step.id.as_str())
    }

    fn state(&self, id: &str) -> StepState {
        self.run.checklist(&self.book).into_iter().find(|row| row.id == id).expect("a step").state
    }
}

fn capture(process: &str) -> What {
    What::CaptureEnded { complete: true, process: Some(process.into()) }
}

fn post(kind: &str) -> What {
    What::PostSent { post: kind.into() }
}

#[test]
fn the_outage_of_two_hours_ticks_the_playbook_by_itself() {
    let mut s = Story::new(built_in());
    assert_eq!(s.next(), Some("declare"));
    assert_eq!(s.at(0, What::Declared), ["declare"]);
    assert_eq!(s.at(3, post("declared")), ["first-post"]);
    assert_eq!(s.next(), Some("worst-pod"));
    s.hand(4, "worst-pod");
    s.at(5, What::Died);
    s.hand(6, "how-it-died");
    s.hand(10, "what-changed");
    assert_eq!(s.at(12, What::Noted), ["not-a-deploy"]);
    assert_eq!(s.at(20, capture("a")), ["snapshot-first"]);
    assert_eq!(s.at(25, What::ActDone { act: "rollback".into() }), ["revert"]);
    assert_eq!(s.at(30, What::EffectMeasured { helped: None }), [""; 0], "too early proves nothing");
    assert_eq!(s.at(40, What::EffectMeasured { helped: Some(false) }), ["measure"]);
    assert_eq!(s.next(), Some("revert-next"));
    assert_eq!(s.at(120, What::CutoffReached), [""; 0]);
    assert_eq!(s.at(121, What::Decided { answer: "extend".into() }), [""; 0], "an extension leaves the question open");
    assert_eq!(s.at(141, What::Decided { answer: "deep".into() }), ["decide"]);
    assert_eq!(s.state("revert-next"), StepState::NotNeeded, "quick fixes are over");
    assert_eq!(s.next(), Some("long-notice"));
    assert_eq!(s.at(145, post("long_notice")), ["long-notice"]);
    assert_eq!(s.at(147, What::Assessed { risk: "OK".into() }), ["preflight"]);
    assert_eq!(s.at(150, capture("b")), ["capture"]);
    assert_eq!(s.at(160, capture("b")), ["pair"], "two of one process");
    assert_eq!(s.at(165, What::Analysed { leak: true, snapshots: 2 }), ["analyse"]);
    assert_eq!(s.at(166, What::CodeAged), ["age"]);
    s.hand(170, "hypothesis");
    s.hand(200, "fix");
    assert_eq!(s.next(), Some("verify"));
    assert_eq!(s.pass(229), [""; 0]);
    assert_eq!(s.pass(230), ["verify"], "half an hour after it became next");
    assert_eq!(s.at(231, What::Resolved), ["resolve"]);
    assert_eq!(s.at(232, post("resolved")), ["all-clear"]);
    assert_eq!(s.at(240, What::Exported), ["postmortem"]);
    assert_eq!(s.next(), None);
    let (done, all) = s.run.done(&s.book);
    assert_eq!(done, all);
}

#[test]
fn a_revert_that_helps_needs_no_root_cause_phase_tonight() {
    let mut s = Story::new(built_in());
    s.at(0, What::Declared);
    s.at(25, What::ActDone { act: "rollback".into() });
    s.at(40, What::EffectMeasured { helped: Some(true) });
    for id in ["revert-next", "decide", "preflight", "capture", "pair"] {
        assert_eq!(s.state(id), StepState::NotNeeded, "{id}");
    }
}

#[test]
fn two_processes_make_no_pair_and_a_failed_capture_is_tried_again() {
    let mut s = Story::new(built_in());
    s.at(0, What::Declared);
    for id in ["first-post", "worst-pod", "how-it-died", "what-changed", "not-a-deploy", "snapshot-first", "revert"] {
        s.hand(1, id);
    }
    s.hand(2, "decide");
    s.at(3, What::Assessed { risk: "RISKY".into() });
    assert_eq!(s.next(), Some("capture"));
    s.at(4, What::CaptureEnded { complete: false, process: Some("a".into()) });
    assert_eq!(s.state("capture"), StepState::Current, "one retry is allowed");
    s.at(5, What::CaptureEnded { complete: false, process: Some("a".into()) });
    assert_eq!(s.state("capture"), StepState::Failed { times: 2 });
    assert_eq!(s.next(), Some("capture"), "a failure without a way out stays in the person's hands");
    assert_eq!(s.at(6, capture("a")), ["capture"]);
    assert_eq!(s.at(7, capture("b")), [""; 0]);
    assert_eq!(s.next(), Some("pair"));
    assert_eq!(s.at(8, capture("b")), ["pair"]);
}

#[test]
fn steps_follow_their_arrows() {
    let text = small(
        "      - {id: a, title: A, kind: act, act: resize, risk: write, on_failure: c, on_success: d}
      - {id: b, title: B, kind: manual, timeout: 10m, on_timeout: d}
      - {id: c, title: C, kind: manual, on_success: a}
      - {id: d, title: D, kind: manual}\n",
    );
    let book = parse("x.yaml", &text).expect("a playbook");
    let mut s = Story::new(book.clone());
    s.at(1, What::ActFailed { act: "resize".into() });
    assert_eq!(s.next(), Some("c"));
    s.hand(2, "c");
    assert_eq!(s.next(), Some("a"), "back to what failed");
    assert_eq!(s.at(3, What::ActDone { act: "resize".into() }), ["a"]);
    assert_eq!(s.next(), Some("d"));
    s.hand(4, "d");
    assert_eq!(s.next(), Some("b"), "what was passed over comes last");
    s.pass(20);
    assert_eq!(s.next(), Some("d"), "a step that is jumped to is open again");
}

#[test]
fn folding_the_journal_again_gives_the_same_run() {
    let mut s = Story::new(built_in());
    s.at(0, What::Declared);
    let ticks = s.at(3, post("declared"));
    let mut again = Story::new(built_in());
    again.at(0, What::Declared);
    again.at(3, post("declared"));
    let how = TickedHow::ByEvent { seq: 2 };
    again.at(3, What::Ticked { playbook: "node-heap-oom".into(), step: ticks[0].clone(), how });
    assert_eq!(s.run, again.run, "a tick in the journal repeats what its event did");
    again.at(3, What::Ticked { playbook: "other".into(), step: "worst-pod".into(), how: TickedHow::ByHand });
    assert_eq!(s.run, again.run, "other playbooks' ticks change nothing");
}

#[test]
fn a_timebox_is_due_after_its_step_is_next_and_skips_keep_their_reason() {
    let mut s = Story::new(built_in());
    s.at(0, What::Declared);
    let rows = s.run.checklist(&s.book);
    let row = rows.iter().find(|row| row.next).expect("a next step");
    assert_eq!((row.id, row.due), ("first-post", Some(start() + TimeDelta::minutes(5))));
    let how = TickedHow::Skipped { reason: "no users at night".into() };
    s.at(2, What::Ticked { playbook: "node-heap-oom".into(), step: "first-post".into(), how });
    assert_eq!(s.state("first-post"), StepState::Skipped { reason: "no users at night".into() });
}

#[test]
fn variables_are_typed_and_filled_in() {
    let book = parse("x.yaml", &small("      - {id: a, title: A, kind: command, argv: [wait, \"${mins}\", \"${\"], timeout: 1m}\n"))
        .expect("reads");
    let mut run = Run::new(&book);
    let step = book.step("a").expect("a step");
    assert_eq!(run.ask(step), Ask::Command { argv: vec!["wait".into(), "5 min".into(), "${".into()] });
    assert!(run.set(&book, "mins", "soon").is_err_and(|e| e.contains("a span of time")));
    assert!(run.set(&book, "minutes", "1m").is_err_and(|e| e.contains("known are mins")));
    run.set(&book, "mins", "90s").expect("a span");
    assert_eq!(run.facts().get("mins"), Some(Value::Span(std::time::Duration::from_secs(90))));
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_remedy() {
    let cases = [
        ("      - {id: a, tilte: A, kind: manual}\n", "x.yaml:10:", "unknown field `tilte`", "did you mean `title`?"),
        ("      - {id: a, title: A, kind: manuel}\n", "x.yaml:10:33", "unknown kind of step `manuel`", "did you mean `manual`?"),
        (
            "      - {id: a, title: A, kind: manual, act: rollback}\n",
            "x.yaml:10:",
            "`act` does not belong to kind `manual`",
            "no keys of its own",
        ),
        ("      - {id: a, title: A, kind: act}\n", "x.yaml:10:", "needs `act`", "add it"),
        ("      - {id: a, title: A, kind: wait}\n", "x.yaml:10:", "needs `for` or `until`", "15m"),
        ("      - {id: a, title: A, kind: wait, for: soon}\n", "x.yaml:10:", "no span of time", "90s"),
        ("      - {id: a, title: A, kind: manual, when: deatsh > 0}\n", "x.yaml:10:", "unknown name `deatsh`", "did you mean `deaths`?"),
        ("      - {id: a, title: A, kind: manual, when: deaths}\n", "x.yaml:10:", "not a condition", "compare it"),
        ("      - {id: a, title: A, kind: manual, when: 'deaths >'}\n", "x.yaml:10:", "ends too early", ""),
        ("      - {id: a, title: A, kind: manual, on_success: b}\n", "x.yaml:10:", "no step `b`", "name a step"),
        ("      - {id: a, title: A, kind: manual}\n      - {id: a, title: B, kind: manual}\n", "x.yaml:11:", "there twice", "line 10"),
        ("      - {id: a, title: A, kind: act, act: x, risk: write, confirm: false}\n", "x.yaml:10:", "always confirmed", "remove"),
        (
            "      - {id: a, title: A, kind: command, argv: ['${minz}']}\n",
            "x.yaml:10:",
            "unknown variable `${minz}`",
            "did you mean `${mins}`?",
        ),
        ("      - {id: a, title: A, kind: notify, post: long}\n", "x.yaml:10:", "unknown `long`", "long_notice"),
        ("      - {id: a/b, title: A, kind: manual}\n", "x.yaml:10:", "cannot be a step's id", "letters"),
        ("      - {id: a, title: A, kind: manual, on_timeout: a}\n", "x.yaml:10:", "no `timeout`", "add `timeout"),
        ("      - {id: a, title: A, kind: manual, id: b}\n", "x.yaml:10:", "duplicate", ""),
        ("      - {id: a, title: A\n", "x.yaml:", "", ""),
    ];
    for (steps, place, what, remedy) in cases {
        let text = refused(&small(steps));
        assert!(text.starts_with(place) && text.contains(what) && text.contains(remedy), "{steps}→ {text}");
    }
    assert!(refused("version: 2\nname: x\ntitle: X\nphases: []\n").contains("version 2 is not known"));
    assert!(refused(&" ".repeat(2 << 20)).contains("1 MiB"));
    let both = refused(&small("      - {id: a, title: A, kind: act}\n      - {id: b, title: B, kind: gate}\n"));
    assert_eq!(both.lines().count(), 2, "all problems at once: {both}");
    let problems = parse("x.yaml", &small("      - {id: a, title: A, kind: act}\n")).expect_err("refused");
    let trouble = trouble(&problems);
    let two =
        parse("x.yaml", &small("      - {id: a, title: A, kind: act}\n      - {id: b, title: B, kind: gate}\n")).expect_err("refused");
    assert!(super::trouble(&two).remedy.ends_with("also line 11: a step of kind `gate` needs `approve`"), "{}", super::trouble(&two));
    assert_eq!(trouble.kind, crate::base::TroubleKind::Config);
    assert!(trouble.place.starts_with("x.yaml:10:"), "{trouble}");
}

#[test]
fn the_built_in_playbooks_have_nothing_to_complain_of() {
    let acts = ["rollback", "resize", "isolate", "restart"];
    let names = Names { acts: &acts, ..Names::default() };
    for (file, text) in BUILT_IN {
        let book = parse(file, text).unwrap_or_else(|p| panic!("{p:?}"));
        assert_eq!(lint(file, &book, &names), [], "{file}");
        assert!(book.fits("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"));
    }
    let titles: BTreeSet<String> = built_in().steps().map(|(_, s)| s.title.clone()).collect();
    assert_eq!(titles.len(), built_in().steps().count(), "no title twice");
}

#[test]
fn lint_knows_the_lists_of_other_rooms() {
    let text = small(
        "      - {id: a, title: A, kind: act, act: rolback}
      - {id: b, title: B, kind: capture, method: sigusr3, opens: podz}
      - {id: c, title: A title that is much too long for the checklist at eighty columns, kind: command, argv: [x]}\n",
    );
    let book = parse("x.yaml", &text).expect("reads");
    let names = Names { acts: &["rollback"], methods: &["sigusr1", "sigusr2"], views: &["pods"] };
    let said: Vec<String> = lint("x.yaml", &book, &names).iter().map(ToString::to_string).collect();
    for words in
        ["did you mean `rollback`?", "did you mean `sigusr1`?", "did you mean `pods`?", "columns", "its risk is `read`", "for ever"]
    {
        assert!(said.iter().any(|line| line.contains(words)), "{words}: {said:#?}");
    }
    assert!(lint("x.yaml", &book, &Names::default()).iter().all(|p| p.gravity == Gravity::Warning), "empty lists are not checked");
}

#[test]
fn the_schema_knows_every_key_of_every_kind() {
    let schema = schema();
    let properties = schema["$defs"]["StepFile"]["properties"].as_object().expect("properties");
    for kind in steps::KINDS {
        for key in kind.keys {
            assert!(properties.contains_key(*key), "{key} of {}", kind.name);
        }
        assert!(kind.required.iter().all(|key| kind.keys.contains(key)), "{}", kind.name);
    }
    assert_eq!(schema["$defs"]["StepFile"]["allOf"].as_array().map(Vec::len), Some(steps::KINDS.len()));
    assert!(schema["x-facts"]["captures_of_one_process"].is_object());
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the schema's file is generated here")]
fn the_schema_beside_the_playbooks_is_the_one_that_is_read() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/schema.json");
    let wanted = serde_json::to_string_pretty(&schema()).expect("json") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &wanted).expect("written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "playbooks/schema.json is old: UPDATE=1 cargo test --lib playbook::");
}

#[test]
fn every_fact_that_is_folded_is_declared_with_its_type() {
    let mut s = Story::new(built_in());
    let whats = [
        What::Declared,
        What::Noted,
        What::Died,
        What::ChangeSeen,
        What::Assessed { risk: "OK".into() },
        What::ActDone { act: "rollback".into() },
        What::ActFailed { act: "x".into() },
        What::EffectMeasured { helped: Some(true) },
        capture("a"),
        What::CaptureEnded { complete: false, process: None },
        What::Analysed { leak: true, snapshots: 2 },
        What::CodeAged,
        What::CutoffReached,
        What::Decided { answer: "deep".into() },
        post("long_notice"),
        What::HypothesisOpened,
        What::HypothesisClosed,
        What::Resolved,
        What::Exported,
    ];
    for what in whats {
        s.at(1, what);
    }
    for (name, kind, _) in FACTS {
        let value = s.run.facts().get(name).unwrap_or_else(|| panic!("{name} is never folded"));
        assert_eq!(value.kind(), *kind, "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(version: 1\n)?[a-z:{}\\[\\], \n'\"-]{0,80}") {
        let _ = parse("x.yaml", &text);
    }

    #[test]
    fn no_order_of_happenings_makes_a_run_panic_or_tick_twice(order in proptest::collection::vec(0usize..12, 0..60)) {
        let mut s = Story::new(built_in());
        let mut seen = BTreeSet::new();
        for (minute, n) in order.into_iter().enumerate() {
            let what = match n {
                0 => What::Declared, 1 => What::Noted, 2 => What::ActDone { act: "rollback".into() },
                3 => What::EffectMeasured { helped: Some(false) }, 4 => capture("a"), 5 => capture("b"),
                6 => What::Analysed { leak: true, snapshots: 1 }, 7 => What::Decided { answer: "deep".into() },
                8 => post("long_notice"), 9 => What::Resolved, 10 => What::CodeAged, _ => What::Assessed { risk: "OK".into() },
            };
            for step in s.at(minute as i64, what).into_iter().chain(s.pass(minute as i64)) {
                proptest::prop_assert!(seen.insert(step.clone()), "{} twice", step);
            }
        }
    }
}
