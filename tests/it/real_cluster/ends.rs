//! How pods die, as `cutoff pods` and the autopsy tell it.

use cutoff::cluster::{LogNews, LogOptions};
use cutoff::node::{Cause, death};
use cutoff::pressure::ContainerState;
use futures::StreamExt;
use serde_json::Value;

use super::session::wait;
use super::world::{Pod, shared, until};

#[test]
fn v8s_abort_and_the_kernels_kill_are_told_apart() {
    let Some(turn) = shared("v8s_abort_and_the_kernels_kill_are_told_apart") else { return };
    let room = turn.room("ends");
    room.start(&Pod::named("v8-limit").flags(&["--max-old-space-size=64"]).holds(20, "heap", 16).limit("512Mi"));
    room.start(&Pod::named("memory-limit").holds(0, "buffers", 16).limit("128Mi"));
    room.start(&Pod::named("quiet").limit("256Mi"));
    let rows = until("both have died", || {
        let rows = room.cutoff(&["pods", "--json"]).json()["pods"].as_array().cloned()?;
        let died = |pod: &str| row(&rows, pod).is_some_and(|row| row["restarts"].as_u64() > Some(0));
        (died("v8-limit") && died("memory-limit")).then_some(rows)
    });
    let end = |pod: &str| row(&rows, pod).expect("a row")["last_end"].clone();
    assert_eq!((&end("v8-limit")["kind"], &end("v8-limit")["word"]), (&"aborted".into(), &"V8 heap limit? 139".into()));
    assert_eq!((&end("memory-limit")["kind"], &end("memory-limit")["word"]), (&"oom_killed".into(), &"OOMKilled 137".into()));
    assert_eq!(end("quiet"), Value::Null);
    let place = |pod: &str| rows.iter().position(|row| row["pod"] == pod).expect("a row");
    assert!(place("quiet") > place("v8-limit") && place("quiet") > place("memory-limit"), "who died stands above who did not: {rows:#?}");
    // The code alone names nothing; the log of the life that ended does.
    for (pod, cause, word) in
        [("v8-limit", Cause::HeapLimit, "FATAL ERROR in the log, exit 139"), ("memory-limit", Cause::ContainerLimit, "OOMKilled")]
    {
        let (reason, code, lines) = wait(async {
            let session = room.session().await;
            let container = room.container(pod);
            let facts = session.pod(&container.pod).await.expect("a pod");
            // Dead at this moment: its own log is the one; else that of the life before.
            let (end, previous) = match facts.containers[0].state.clone() {
                ContainerState::Terminated(end) => (end, false),
                ContainerState::Waiting { .. } | ContainerState::Running { .. } => {
                    (facts.containers[0].last_end.clone().expect("it has ended"), true)
                }
            };
            let options = LogOptions { previous, tail: Some(200), ..LogOptions::default() };
            let news: Vec<_> = session.logs(&container, options).collect().await;
            let lines = news.into_iter().filter_map(|one| match one {
                Ok(LogNews::Line(line)) => Some(line.text.clean()),
                _ => None,
            });
            (end.reason, end.exit_code, lines.collect::<Vec<_>>())
        });
        let told = death(&reason, code, lines.iter().map(String::as_str));
        assert_eq!(told.cause, cause, "{} {lines:#?}", told.because);
        assert!(told.because.as_str().contains(word), "{}", told.because);
    }
}

fn row<'a>(rows: &'a [Value], pod: &str) -> Option<&'a Value> {
    rows.iter().find(|row| row["pod"] == pod)
}
