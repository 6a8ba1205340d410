//! What keys do: told as before, keys, after.

use super::face::{Answer, Face};
use super::input::Input;
use super::key::Key;
use super::options::Options;
use super::story::assessment;
use super::story::{Night, worst};
use super::view::Local;
use crate::app::{Effect, Intent, JobId, News, Prompt};
use crate::base::Bytes;
use crate::incident::{PostKind, Preview};
use crate::preflight::{RemedyKind, Risk};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

struct Seat {
    night: Night,
    face: Face,
}

impl Seat {
    fn at(night: Night) -> Self {
        let mut seat = Self { night, face: Face::new(&Options::default()).expect("sound") };
        seat.drawn();
        seat
    }

    fn drawn(&mut self) -> String {
        let area = Rect::new(0, 0, 80, 24);
        let mut buf = Buffer::empty(area);
        self.face.paint(&self.night.model, &self.night.shelf, area, &mut buf);
        let rows = buf.content.chunks(80);
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
    }

    fn input(&mut self, input: Input) -> Answer {
        let answer = self.face.handle(&self.night.model, &self.night.shelf, input);
        self.drawn();
        answer
    }

    /// Presses `keys`; gives the answer to all of them.
    fn press(&mut self, keys: &str) -> Answer {
        let mut all = Answer::default();
        for key in keys.split_whitespace() {
            let answer = self.input(Input::Key(Key::parse(key).expect("a key")));
            all.intents.extend(answer.intents);
            all.local.extend(answer.local);
        }
        all
    }

    fn types(&mut self, words: &str) {
        for c in words.chars() {
            self.input(Input::Key(Key::parse(&if c == ' ' { "space".to_owned() } else { c.to_string() }).expect("a key")));
        }
    }
}

#[test]
fn the_worst_pod_is_captured_without_moving() {
    let mut seat = Seat::at(Night::declared());
    assert_eq!(seat.press("C").intents, [Intent::Capture { container: worst(), method: None }]);
}

#[test]
fn a_cursor_that_was_moved_stays_on_its_pod() {
    let mut seat = Seat::at(Night::declared());
    let answer = seat.press("j C");
    let Some(Intent::Capture { container, .. }) = answer.intents.first() else { panic!("{answer:?}") };
    assert_ne!(*container, worst());
    let before = container.clone();
    // The ranking turns round: the second climbs now.
    let at = seat.night.model.now.wall;
    let samples = (0..8)
        .map(|i| crate::pressure::PodSample {
            pod: before.pod.clone(),
            container: before.name.clone(),
            at: at + chrono::TimeDelta::seconds(i * 20),
            working_set: crate::base::Bytes::mib(380 + 15 * u64::try_from(i).expect("small")),
            source: "metrics-server".into(),
        })
        .collect();
    seat.night.after(3);
    seat.night.hear(crate::app::News::Samples { samples });
    assert_eq!(seat.night.model.board.rows()[0].container, before, "it is the worst now");
    assert_eq!(seat.press("C").intents, [Intent::Capture { container: before, method: None }]);
}

#[test]
fn no_is_the_default_of_every_act() {
    for keys in ["enter", "esc", "n", "q"] {
        let mut seat = Seat::at(Night::asked(None));
        assert!(matches!(seat.press(keys).intents.as_slice(), [Intent::Refuse { .. }]), "{keys}");
    }
    let mut seat = Seat::at(Night::asked(None));
    assert!(seat.press("x C space 1 Y").intents.is_empty(), "only y is yes, and no other key does anything");
    assert!(matches!(seat.press("y").intents.as_slice(), [Intent::Confirm { .. }]));
}

#[test]
fn a_disruptive_act_wants_the_name() {
    let mut seat = Seat::at(Night::asked(Some("content-import")));
    assert!(seat.press("y enter").intents.is_empty(), "y is the start of a wrong name");
    assert!(seat.drawn().contains("y is not content-import"));
    seat.input(Input::Paste("content-import".into()));
    assert!(matches!(seat.press("enter").intents.as_slice(), [Intent::Refuse { .. }]), "a pasted name is no typed name");
    let mut seat = Seat::at(Night::asked(Some("content-import")));
    seat.types("content-import");
    let answer = seat.press("enter");
    assert!(matches!(answer.intents.as_slice(), [Intent::Confirm { typed, .. }] if typed == "content-import"), "{answer:?}");
}

#[test]
fn a_capture_that_kills_wants_the_name_of_the_pod() {
    let mut seat = Seat::at(Night::risky(Risk::WouldKill));
    assert!(seat.press("y").intents.is_empty());
    seat.press("K");
    seat.types(&worst().pod.name);
    assert!(matches!(seat.press("enter").intents.as_slice(), [Intent::AcceptRisk { typed, .. }] if *typed == worst().pod.name));
    for keys in ["enter", "esc", "K enter"] {
        let mut seat = Seat::at(Night::risky(Risk::WouldKill));
        assert!(matches!(seat.press(keys).intents.as_slice(), [Intent::RefuseRisk { .. }]), "{keys}");
    }
    let mut seat = Seat::at(Night::risky(Risk::Risky));
    assert!(matches!(seat.press("y").intents.as_slice(), [Intent::AcceptRisk { .. }]));
}

#[test]
fn a_way_out_is_taken_by_its_number() {
    let mut seat = Seat::at(Night::risky(Risk::WouldKill));
    let answer = seat.press("1");
    let [Intent::WayOut { way, .. }] = answer.intents.as_slice() else { panic!("{answer:?}") };
    assert!(matches!(way, RemedyKind::Resize { to, .. } if *to == crate::base::Bytes::mib(768)));
    assert_eq!(seat.press("M").intents, answer.intents, "and by its letter");
    seat.night.wish(answer.intents[0].clone());
    assert!(seat.night.model.prompt().is_none(), "the question is answered");
    let request = &seat.night.model.acts[0].request;
    assert_eq!((request.act.as_str(), request.args["memory"].as_str(), request.args["for"].as_str()), ("resize", "768Mi", "capture"));
}

#[test]
fn only_a_decision_closes_the_cut_off() {
    let mut seat = Seat::at(Night::cut_off());
    assert!(seat.press("esc q enter 2 : x ! y").intents.is_empty());
    assert!(seat.drawn().contains("DECIDE"), "{}", seat.drawn());
    seat.press("e");
    assert!(seat.press("enter").intents.is_empty(), "an extension needs a reason");
    assert!(seat.drawn().contains("needs a reason"));
    seat.types("one revert left");
    let answer = seat.press("enter");
    assert_eq!(answer.intents, [Intent::Extend { minutes: 30, reason: "one revert left".into() }]);
    seat.night.wish(answer.intents[0].clone());
    assert!(!seat.drawn().contains("DECIDE"), "decided and recorded");
}

#[test]
fn going_deep_sends_the_notice_as_it_was_edited() {
    let mut seat = Seat::at(Night::cut_off());
    seat.press("d");
    seat.types(" Sorry.");
    seat.press("esc d");
    let answer = seat.press("ctrl-s");
    let [Intent::GoDeep { notice }] = answer.intents.as_slice() else { panic!("{answer:?}") };
    assert!(notice.ends_with("Sorry."), "the text stays when one looks at the question again: {notice}");
}

#[test]
fn a_prompt_does_not_take_the_keys_of_a_note() {
    let mut seat = Seat::at(Night::found());
    seat.press("n");
    seat.types("the feed");
    seat.night.after(140);
    seat.night.tell(crate::app::Msg::Tick);
    assert!(matches!(seat.night.model.prompt(), Some(Prompt::Cutoff { .. })));
    seat.types(" d e");
    assert!(seat.drawn().contains("you were typing"), "{}", seat.drawn());
    let answer = seat.press("esc e");
    assert!(answer.intents.is_empty());
    seat.types("why not");
    let answer = seat.press("enter");
    assert!(matches!(answer.intents.as_slice(), [Intent::Extend { .. }]));
    seat.night.wish(answer.intents[0].clone());
    let answer = seat.press("ctrl-s");
    assert_eq!(answer.intents, [Intent::Note { text: "the feed".into() }], "the note was kept");
}

#[test]
fn a_note_that_was_left_is_not_lost() {
    let mut seat = Seat::at(Night::declared());
    seat.press("n");
    seat.types("half a thought");
    seat.press("esc");
    assert!(seat.drawn().contains("the text is kept"));
    assert_eq!(seat.press("n ctrl-s").intents, [Intent::Note { text: "half a thought".into() }]);
    assert!(seat.press("n ctrl-s").intents.is_empty(), "what was sent is not sent again");
}

#[test]
fn messages_stay_as_long_as_people_read_at_any_speed() {
    for (speed, minutes, seen) in [(1.0, 0, true), (1.0, 1, false), (60.0, 1, true), (60.0, 15, false)] {
        let mut seat = Seat::at(Night::declared());
        seat.face = Face::new(&Options::default()).expect("sound").at_speed(speed);
        seat.press("Y");
        seat.night.after(minutes);
        assert_eq!(seat.drawn().contains("does nothing here"), seen, "{minutes} min at {speed}");
    }
}

#[test]
fn pasted_keys_run_nothing() {
    let mut seat = Seat::at(Night::declared());
    assert_eq!(seat.input(Input::Paste("CBXIy\n".into())), Answer::default());
}

#[test]
fn a_rollback_asks_for_a_revision_first() {
    let mut seat = Seat::at(Night::declared());
    assert!(seat.press("B").intents.is_empty(), "the history is known: it is shown");
    assert_eq!(seat.face.shown(), "changes");
    let answer = seat.press("B");
    let [Intent::Act { request }] = answer.intents.as_slice() else { panic!("{answer:?}") };
    assert_eq!((request.act.as_str(), request.args["revision"].as_str()), ("rollback", "41"), "the one before the present one");
    let answer = seat.press("k enter");
    assert!(answer.intents.is_empty(), "the present revision is no target");
    let mut seat = Seat::at(Night::watched());
    assert!(matches!(seat.press("B").intents.as_slice(), [Intent::History { .. }]));
}

#[test]
fn acts_name_their_objects() {
    let mut seat = Seat::at(Night::declared());
    for (key, act, kind) in [("I", "isolate", "pod"), ("M", "resize", "pod"), ("X", "restart", "deployment")] {
        let answer = seat.press(key);
        let [Intent::Act { request }] = answer.intents.as_slice() else { panic!("{key}: {answer:?}") };
        assert_eq!((request.act.as_str(), request.target.kind.as_str(), request.target.namespace.as_str()), (act, kind, "shop"));
    }
}

#[test]
fn forms_send_what_was_typed() {
    let mut seat = Seat::at(Night::watched());
    seat.press("!");
    seat.types("Imports fail");
    let answer = seat.press("tab backspace 2 enter");
    assert!(
        matches!(answer.intents.as_slice(), [Intent::Declare { title, severity: crate::incident::Severity::Sev2, service }]
        if title == "Imports fail" && service == "content-import"),
        "{answer:?}"
    );
    let mut seat = Seat::at(Night::declared());
    let answer = seat.press("u ctrl-s");
    assert!(matches!(answer.intents.as_slice(), [Intent::Post { kind: PostKind::Update, text }] if !text.is_empty()), "{answer:?}");
    assert!(seat.press("D ctrl-s").intents.is_empty(), "what ended it must be said");
    assert!(seat.press("esc 7 s enter").intents.is_empty(), "skipping needs a reason");
}

#[test]
fn escape_goes_back_and_ends_on_the_overview() {
    let mut seat = Seat::at(Night::found());
    seat.press("4 enter");
    assert_eq!(seat.face.shown(), "analysis");
    seat.press("esc");
    assert_eq!(seat.face.shown(), "captures");
    seat.press("esc esc esc");
    assert_eq!(seat.face.shown(), "overview");
    assert!(seat.press("esc").intents.is_empty(), "Esc never leaves the program");
}

#[test]
fn leaving_asks_while_something_would_stop() {
    let mut seat = Seat::at(Night::declared());
    assert!(seat.press("q enter").intents.is_empty());
    assert_eq!(seat.press("q y").intents, [Intent::Quit]);
    let mut seat = Seat::at(Night::watched());
    assert_eq!(seat.press("q").intents, [Intent::Quit], "nothing runs, nothing is declared");
    seat.night.busy();
    assert_eq!(seat.press("ctrl-c").intents, [Intent::Cancel { job: JobId(500) }]);
    assert_eq!(seat.press("ctrl-c").intents, [Intent::Quit]);
    assert_eq!(seat.input(Input::Stop(143)).intents, [Intent::Quit]);
}

#[test]
fn the_palette_runs_what_it_completes() {
    let mut seat = Seat::at(Night::declared());
    seat.press(":");
    seat.types("note feed is off");
    assert_eq!(seat.press("enter").intents, [Intent::Note { text: "feed is off".into() }]);
    seat.press(":");
    seat.types("timel");
    seat.press("enter");
    assert_eq!(seat.face.shown(), "timeline");
}

#[test]
fn a_filter_narrows_and_escape_takes_it_away() {
    let mut seat = Seat::at(Night::declared());
    seat.press("2 /");
    seat.types("proxy");
    seat.press("enter");
    let drawn = seat.drawn();
    assert!(drawn.contains("proxy") && !drawn.contains("m5t8c"), "{drawn}");
    seat.press("esc");
    assert!(seat.drawn().contains("m5t8c"));
    assert_eq!(seat.face.shown(), "pods", "the first Esc took the filter, not the view");
}

#[test]
fn strings_are_hidden_until_they_are_asked_for() {
    let mut seat = Seat::at(Night::found());
    seat.press("5");
    assert!(!seat.drawn().contains("partner-feed"));
    seat.press("s G");
    seat.press("g");
    let shown: String = (0..4)
        .map(|_| {
            seat.press("pgdn");
            seat.drawn()
        })
        .collect();
    assert!(shown.contains("partner-feed-v2"), "{shown}");
}

#[test]
fn copying_is_left_to_the_terminal() {
    let mut seat = Seat::at(Night::declared());
    assert_eq!(seat.press("2 c").local, [Local::Copy(worst().pod.name)]);
    assert_eq!(seat.press("ctrl-l ctrl-z").local, [Local::Redraw, Local::Suspend]);
}

#[test]
fn the_tree_of_a_heap_is_walked() {
    let mut seat = Seat::at(Night::found());
    seat.press("5 tab tab");
    let closed = seat.drawn();
    assert!(closed.contains("100 %"), "the root holds everything: {closed}");
    seat.press("j enter");
    assert_ne!(closed, seat.drawn(), "a branch opened");
    seat.press("i");
    assert!(seat.drawn().contains("Held by"), "{}", seat.drawn());
}

#[test]
fn ways_out_stand_in_the_preflight_view_with_their_keys() {
    let mut seat = Seat::at(Night::surveyed(Risk::WouldKill));
    seat.press("2 enter");
    assert!(seat.drawn().contains("[M] raise the limit"), "{}", seat.drawn());
    for (key, kind) in [("M", RemedyKind::Resize { from: Bytes::mib(512), to: Bytes::mib(768) }), ("I", RemedyKind::Isolate)] {
        assert_eq!(seat.press(key).intents, [Intent::WayOut { container: worst(), way: kind }], "{key}");
    }
    assert!(seat.press("S").intents.is_empty(), "what is not offered is not taken");
    // Without a preflight the same keys act on the pod as they do everywhere.
    let mut seat = Seat::at(Night::declared());
    seat.press("2 enter");
    assert!(matches!(seat.press("M").intents.as_slice(), [Intent::Act { request }] if !request.args.contains_key("for")));
}

#[test]
fn a_capture_that_became_possible_is_begun_by_its_key_alone() {
    for keys in ["enter", "esc", "n", "q"] {
        let mut seat = Seat::at(Night::ready());
        assert!(matches!(seat.press(keys).intents.as_slice(), [Intent::RefuseRisk { .. }]), "{keys}");
    }
    let mut seat = Seat::at(Night::ready());
    assert!(seat.press("y x 1 M c").intents.is_empty());
    assert_eq!(seat.press("C").intents, [Intent::TakeReady { container: worst() }]);
}

#[test]
fn what_is_left_behind_is_listed_and_seen_to_by_its_number() {
    let mut seat = Seat::at(Night::left());
    assert!(seat.drawn().contains("2 LEFT BEHIND"), "{}", seat.drawn());
    let answer = seat.press("Z 2");
    assert!(matches!(answer.intents.as_slice(), [Intent::Act { request }] if request.act == "clean-up"), "{answer:?}");
    assert!(seat.press("Z 7 esc").intents.is_empty());
    let mut seat = Seat::at(Night::declared());
    assert!(seat.press("Z").intents.is_empty() && seat.drawn().contains("nothing is left behind"));
}

/// A world that answers at once: acts show what they would do, preflight says `risk`.
struct Answering {
    seat: Seat,
    risk: Risk,
}

impl Answering {
    /// Presses `key`; fails if something is done that was not asked on the screen before, and answered there.
    fn press(&mut self, key: &str) {
        let before = self.seat.night.model.prompt().cloned();
        for intent in self.seat.press(key).intents {
            self.seat.night.wish(intent.clone());
            self.judge(key, before.as_ref(), &intent);
        }
    }

    fn judge(&mut self, key: &str, before: Option<&Prompt>, intent: &Intent) {
        let mut open: Vec<Effect> = self.seat.night.asked_for().to_vec();
        while let Some(effect) = open.pop() {
            match effect {
                Effect::Record { then, .. } => open.extend(then),
                Effect::Perform { job, preview, .. } => {
                    assert!(matches!(before, Some(Prompt::Act { job: asked }) if *asked == job), "{key}: {preview:?} after {before:?}");
                    let Intent::Confirm { typed, .. } = intent else { panic!("{key}: {intent:?}") };
                    assert!(preview.confirm.as_ref().is_none_or(|name| name == typed), "{key}: {typed:?} for {preview:?}");
                }
                Effect::Capture { container, accepted, .. } => match (before, intent) {
                    (Some(Prompt::Risk { assessment, .. }), Intent::AcceptRisk { typed, .. }) => {
                        assert!(
                            accepted == assessment.risk && (accepted < Risk::WouldKill || *typed == container.pod.name),
                            "{key}: {typed:?}"
                        );
                    }
                    (Some(Prompt::Ready { assessment, .. }), Intent::TakeReady { .. }) => {
                        assert!(accepted == assessment.risk && accepted.may_start());
                    }
                    _ => assert!(self.risk == Risk::Ok && accepted == Risk::Ok, "{key}: a capture after {before:?} by {intent:?}"),
                },
                Effect::Preview { job, request } => {
                    let named = matches!(request.act.as_str(), "rollback" | "restart" | "arm" | "clean-up");
                    let confirm = named.then(|| request.target.name.clone());
                    let preview = Preview { request, call: "PATCH …".into(), diff: Vec::new(), warnings: Vec::new(), confirm };
                    self.seat.night.hear(News::Previewed { job, result: Ok(preview) });
                    self.judge(key, None, &Intent::StopLogs);
                }
                Effect::Survey { job, container, .. } => {
                    let result = Ok(vec![assessment(self.risk)]);
                    self.seat.night.hear(News::Surveyed { job, container, ceiling: None, arms: None, result });
                    self.judge(key, None, &Intent::StopLogs);
                }
                _ => {}
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]

    /// One wrong key must never kill a pod, nor a hundred of them.
    #[test]
    fn nothing_is_done_without_its_question(
        night in 0usize..5,
        risk in proptest::sample::select(vec![Risk::Ok, Risk::Unknown, Risk::Risky, Risk::WouldKill, Risk::Impossible]),
        keys in proptest::collection::vec("[CPABIMXZDKYOWSyn0-9]|[a-zA-Z:/?!]|enter|enter|esc|tab|down|ctrl-s|ctrl-c", 1..80),
    ) {
        let night = match night {
            0 => Night::found(),
            1 => Night::risky(Risk::WouldKill),
            2 => Night::asked(Some("content-import")),
            3 => Night::left(),
            _ => Night::surveyed(Risk::WouldKill),
        };
        let mut world = Answering { seat: Seat::at(night), risk };
        for key in keys {
            world.press(&key);
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 40, ..Default::default() })]
    /// Whatever is pressed: no panic, and nothing that changes the cluster is confirmed without its key.
    #[test]
    fn no_key_breaks_it(keys in proptest::collection::vec("[a-zA-Z0-9:/?!]|enter|esc|tab|space|down|up|pgdn|ctrl-s|backspace", 1..60)) {
        let mut seat = Seat::at(Night::found());
        for key in keys {
            let answer = seat.press(&key);
            for intent in answer.intents {
                seat.night.wish(intent);
            }
        }
    }
}
