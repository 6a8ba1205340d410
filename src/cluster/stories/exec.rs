//! Commands and ports in real containers, and what is left when the connection goes.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::world::{World, first, nobody, sh, world};
use crate::base::ContainerRef;
use crate::cluster::{Error, Exec, ExecEnd, Session};
use crate::demo::Fault;

const SOON: Duration = Duration::from_secs(10);
/// Endless output in pieces that a kernel pipe takes whole.
const ENDLESS: &str = "while :; do cat /etc/passwd; done";

#[tokio::test]
async fn what_a_command_prints_and_how_it_ends() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "storefront").await;
    let app = first(&pod);
    let run = |script: &'static str| {
        let (session, app) = (session.clone(), app.clone());
        async move { session.run(&app, &sh(script), SOON, 1 << 20).await.expect("it runs") }
    };
    let fine = run("echo out; echo err >&2").await;
    assert_eq!((fine.stdout.as_slice(), fine.end.stderr.bytes(), fine.end.code), (&b"out\n"[..], &b"err\n"[..], Some(0)));
    assert!(fine.end.succeeded());
    let seven = run("echo partial; exit 7").await;
    assert_eq!((seven.stdout.as_slice(), seven.end.code), (&b"partial\n"[..], Some(7)));

    let missing = session.run(&app, &["no-such-command".to_owned()], SOON, 100).await.expect("found out at the end");
    assert!(missing.end.no_such_command() && missing.end.code.is_none(), "{missing:?}");

    let cut = session.run(&app, &sh(ENDLESS), SOON, 1000).await.expect("as much as was asked for");
    assert_eq!((cut.stdout.len(), cut.cut), (1000, true));

    let late = session.run(&app, &sh("sleep 30"), Duration::from_secs(1), 100).await;
    assert!(matches!(late, Err(Error::TimedOut { .. }) | Err(Error::Broken { .. })), "{late:?}");

    let wrong = ContainerRef { name: "zz".into(), ..app.clone() };
    assert!(matches!(session.run(&wrong, &sh("true"), SOON, 100).await, Err(Error::Invalid { .. })));
    let gone = ContainerRef { pod: nobody(), name: "app".into() };
    assert!(matches!(session.run(&gone, &sh("true"), SOON, 100).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn bulk_comes_whole() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = first(&world.running(&session, "storefront").await);
    let mut exec = session.exec(&app, &sh("dd if=/dev/zero bs=1M count=24 2>/dev/null; echo noise >&2")).await.expect("it starts");
    let mut all = Vec::new();
    exec.read_to_end(&mut all).await.expect("whole");
    let end = exec.finish().await;
    assert_eq!((all.len(), end.succeeded(), end.stderr.bytes()), (24 << 20, true, &b"noise\n"[..]));
}

const WHOLE: usize = 256 << 10;

/// Reads what comes of [`WHOLE`] bytes when `fault` cuts the stream in its middle.
async fn cut_by(world: &World, session: &Session, app: &ContainerRef, fault: Fault) -> (std::io::Result<usize>, ExecEnd) {
    world.fault(fault);
    let exec = session.exec(app, &sh("dd if=/dev/zero bs=64k count=4 2>/dev/null")).await.expect("it starts");
    let ended = to_the_end(exec).await;
    world.demo.faults().clear_all();
    ended
}

async fn to_the_end(mut exec: Exec) -> (std::io::Result<usize>, ExecEnd) {
    let mut all = Vec::new();
    let read = tokio::time::timeout(SOON, exec.read_to_end(&mut all)).await.expect("never hangs");
    (read, tokio::time::timeout(SOON, exec.finish()).await.expect("never hangs"))
}

#[tokio::test]
async fn a_stream_that_is_cut_never_hangs_and_never_looks_whole() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = first(&world.running(&session, "storefront").await);

    // K3: reset without a Close frame. kube's own reader would wait for ever.
    let (read, end) = cut_by(&world, &session, &app, Fault::StreamReset).await;
    assert_eq!(read.expect_err("reset").kind(), ErrorKind::ConnectionReset);
    assert!(end.broken.is_some() && !end.succeeded());

    // The same by the network itself, in the middle of endless output.
    let mut exec = session.exec(&app, &sh(ENDLESS)).await.expect("it starts");
    exec.read_exact(&mut vec![0; 64 << 10]).await.expect("it prints");
    world.relay.cut();
    let (read, end) = to_the_end(exec).await;
    assert_eq!(read.expect_err("reset").kind(), ErrorKind::ConnectionReset);
    assert!(!end.succeeded());
    world.relay.mend();

    // K4: an orderly end without a Status.
    let (read, end) = cut_by(&world, &session, &app, Fault::ExecCutWithoutStatus).await;
    // The demo also drops the connection, which may be seen first.
    assert!(read.map_or_else(|e| e.kind() == ErrorKind::ConnectionReset, |part| part < WHOLE));
    assert!(end.broken.is_some() && !end.succeeded(), "{end:?}");

    // K4 on a real server: status Success. Nothing here can tell; whoever needs the whole checks it himself.
    let (read, end) = cut_by(&world, &session, &app, Fault::ExecCutWithSuccess).await;
    let part = read.expect("looks like an end");
    assert!(part < WHOLE && end.code == Some(0), "{part} {end:?}");
}

#[tokio::test]
async fn silence_is_told_after_the_idle_time() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = first(&world.running(&session, "storefront").await);
    let mut exec = session.exec(&app, &sh("echo one; sleep 20")).await.expect("it starts");
    exec.idle_after(Duration::from_secs(1));
    let mut all = Vec::new();
    let error = exec.read_to_end(&mut all).await.expect_err("silent");
    assert_eq!((error.kind(), all.as_slice()), (ErrorKind::TimedOut, &b"one\n"[..]));
}

#[tokio::test]
async fn a_port_answers_or_says_that_nobody_listens() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let pod = world.running(&session, "storefront").await;
    let mut open = session.forward(&pod.pod, 3000).await.expect("opened");
    open.write_all(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n").await.expect("taken");
    let mut answer = Vec::new();
    tokio::time::timeout(SOON, open.read_to_end(&mut answer)).await.expect("it answers").expect("whole");
    assert!(answer.starts_with(b"HTTP/1.1 "), "{:?}", String::from_utf8_lossy(&answer));

    let mut closed = session.forward(&pod.pod, 9).await.expect("opened, as a real server does");
    let error = tokio::time::timeout(SOON, closed.read_u8()).await.expect("never hangs").expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
    assert!(closed.trouble().is_some());

    let mut cut = session.forward(&pod.pod, 3000).await.expect("opened");
    world.relay.cut();
    let read = tokio::time::timeout(SOON, cut.read_u8()).await.expect("never hangs");
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn wherever_it_is_reset_what_was_read_is_the_beginning() {
    let Some(world) = world().await else { return };
    let session = world.session().await;
    let app = first(&world.running(&session, "storefront").await);
    // Numbered lines: a byte that is lost, doubled or out of place shows.
    let count = sh("i=0; while [ $i -lt 8000 ]; do echo $i; i=$((i+1)); done");
    let whole = session.run(&app, &count, SOON, 1 << 20).await.expect("whole").stdout;
    assert_eq!(whole.len(), (0..8000).map(|i: u32| i.to_string().len() + 1).sum::<usize>());
    let mut cut_in_the_middle = 0;
    // The connection's own set-up takes some 3 kB; from there to beyond the end, in uneven steps.
    for at in (0..64).map(|i| 3000 + i * 677) {
        world.relay.cut_after(at);
        let run = async {
            let mut exec = session.exec(&app, &count).await.ok()?;
            let mut read = Vec::new();
            let result = exec.read_to_end(&mut read).await;
            Some((read, result.is_ok(), exec.finish().await))
        };
        let ended = tokio::time::timeout(SOON, run).await.expect("never hangs");
        world.relay.mend();
        let Some((read, ok, end)) = ended else { continue };
        assert!(whole.starts_with(&read), "cut after {at}: {} bytes that are not the beginning", read.len());
        if read.len() < whole.len() {
            cut_in_the_middle += 1;
            assert!(!ok || end.broken.is_some(), "cut after {at}: {} bytes look whole: {end:?}", read.len());
            assert!(!end.succeeded());
        }
    }
    assert!(cut_in_the_middle > 30, "{cut_in_the_middle} of 64 cuts fell into the output");
}
