//! Deliveries to a scripted receiver on 127.0.0.1 and to real programs.
#![allow(clippy::disallowed_methods, reason = "receivers and files of tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::base::{Trouble, TroubleKind, mask_lines};
use crate::incident::{Audience, IncidentId, Post, PostKind, Severity};

/// What the receiver does with its one visitor.
#[derive(Clone, Copy)]
enum Script {
    Answer(&'static str),
    /// Reads the request and says nothing until the visitor leaves.
    Hang,
    /// Closes at once.
    Close,
    /// One byte of an answer at a time, never a whole one.
    Drip,
}

struct Receiver {
    url: String,
    got: mpsc::Receiver<(Vec<String>, String)>,
}

fn receiver(script: Script) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook/SECRET-PATH", listener.local_addr().expect("bound"));
    let (tx, got) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        if matches!(script, Script::Close) {
            return;
        }
        let request = read_request(&stream);
        let _ = tx.send(request);
        match script {
            Script::Answer(text) => {
                let _ = stream.write_all(text.as_bytes());
            }
            Script::Hang => {
                let _ = stream.read(&mut [0; 1]);
            }
            Script::Drip => {
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'z')) {
                    if stream.write_all(&[*byte]).is_err() {
                        return;
                    }
                    std::thread::park_timeout(Duration::from_millis(50));
                }
            }
            Script::Close => {}
        }
    });
    Receiver { url, got }
}

fn read_request(stream: &TcpStream) -> (Vec<String>, String) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let length = head.iter().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    (head, String::from_utf8_lossy(&body).into_owned())
}

fn letter() -> Letter {
    let at = chrono::DateTime::from_timestamp(1_795_500_000, 0).expect("a moment");
    Letter {
        incident: IncidentId::new(at, "import"),
        title: "import fails".into(),
        service: "import".into(),
        severity: Severity::Sev1,
        event: 18,
        at,
        post: Post {
            kind: PostKind::LongNotice,
            audience: Audience::Users,
            text: mask_lines("This will be LONG.\n<!channel> & more"),
            next_by: Some(at + chrono::TimeDelta::hours(1)),
            dedup: "INC-1-18".into(),
        },
    }
}

fn nothing_to_read(path: &Path) -> Result<String, Trouble> {
    Err(Trouble::new(TroubleKind::NotFound, "there is no such file", path.display().to_string(), "create it"))
}

fn only(options: ChannelOptions) -> Box<dyn Channel> {
    channels(&Options { channels: vec![options] }).expect("options").remove(0)
}

fn webhook(url: &str) -> ChannelOptions {
    ChannelOptions { name: "status".into(), kind: "webhook".into(), url: Some(url.into()), timeout_s: Some(1), ..ChannelOptions::default() }
}

fn command(argv: &[&str]) -> ChannelOptions {
    let argv = Some(argv.iter().map(|&a| a.to_owned()).collect());
    ChannelOptions { name: "page".into(), kind: "command".into(), argv, timeout_s: Some(1), ..ChannelOptions::default() }
}

#[test]
fn a_webhook_gets_json_with_its_key_and_signature() {
    let to = receiver(Script::Answer("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
    let options = ChannelOptions {
        url: None,
        url_file: Some("/run/hook".into()),
        token_file: Some("/run/token".into()),
        sign_file: Some("/run/key".into()),
        ..webhook("")
    };
    let read = |path: &Path| {
        Ok(match path.to_str() {
            Some("/run/hook") => format!("{}\n", to.url),
            Some("/run/token") => "t0k3n\n".to_owned(),
            _ => "Jefe\n".to_owned(),
        })
    };
    let channel = only(options);
    let delivered = channel.send(&letter(), &read).expect("delivered");
    assert_eq!(delivered.answer.as_str(), "HTTP 202");
    let (head, body) = to.got.recv().expect("a request");
    let value: serde_json::Value = serde_json::from_str(&body).expect("json");
    let expected = serde_json::json!({
        "version": 1, "incident_id": "INC-20261124-0600-import", "event_id": "INC-20261124-0600-import#18", "dedup_key": "INC-1-18",
        "type": "long_notice", "audience": "users", "at": "2026-11-24T06:00:00Z", "severity": "SEV1", "service": "import",
        "title": "import fails", "text": "This will be LONG.\n<!channel> & more", "next_update_by": "2026-11-24T07:00:00Z",
    });
    assert_eq!(value, expected);
    assert_eq!(channel.payload(&letter()), body, "the preview is what is sent");
    let has = |line: &str| head.iter().any(|l| l.eq_ignore_ascii_case(line));
    assert!(head[0].starts_with("POST /hook/SECRET-PATH HTTP/1.1"), "{head:?}");
    assert!(has("idempotency-key: INC-1-18") && has("authorization: Bearer t0k3n") && has("content-type: application/json"), "{head:?}");
    assert!(has(&format!("x-cutoff-signature: sha256={}", hmac::hex(b"Jefe", body.as_bytes()))), "{head:?}");
}

#[test]
fn receivers_that_fail_are_told_apart() {
    let cases = [
        (Script::Answer("HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\ntry later"), false, None, "answered HTTP 500: try later"),
        (Script::Answer("HTTP/1.1 429 X\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"), false, Some(30), "answered HTTP 429"),
        (Script::Answer("HTTP/1.1 404 X\r\nContent-Length: 21\r\n\r\npassword=hunter2 gone"), true, None, "password=[secret] gone"),
        (Script::Answer("HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), true, None, "answered HTTP 302"),
        (Script::Answer("SSH-2.0-OpenSSH\r\n"), false, None, ""),
        (Script::Hang, false, None, "took too long"),
        (Script::Drip, false, None, "took too long"),
        (Script::Close, false, None, ""),
    ];
    for (script, last, asked, words) in cases {
        let to = receiver(script);
        let failure = only(webhook(&to.url)).send(&letter(), &nothing_to_read).expect_err("it failed");
        assert!(failure.why.as_str().contains(words), "{words}: {failure:?}");
        assert_eq!((failure.last, failure.retry_after.map(|d| d.as_secs())), (last, asked), "{failure:?}");
        assert!(!failure.why.as_str().contains("SECRET-PATH"), "the path of a hook is its secret: {failure:?}");
    }
}

#[test]
fn nobody_there_may_be_there_later_but_a_bad_url_stays_bad() {
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port that is closed again");
    let failure = only(webhook(&format!("http://{gone}/x"))).send(&letter(), &nothing_to_read).expect_err("refused");
    assert!(!failure.last, "{failure:?}");
    let by_file = ChannelOptions { url: None, url_file: Some("/run/hook".into()), ..webhook("") };
    let failure = only(by_file.clone()).send(&letter(), &|_: &Path| Ok("not a url".into())).expect_err("no url");
    assert!(failure.last && !failure.why.as_str().contains("not a url"), "{failure:?}");
    let failure = only(by_file).send(&letter(), &nothing_to_read).expect_err("no file");
    assert!(failure.why.as_str().contains("/run/hook") && !failure.last, "a secret may be mounted later: {failure:?}");
}

#[test]
fn slack_gets_text_that_mentions_nobody() {
    let to = receiver(Script::Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    let options = ChannelOptions {
        name: "chat".into(),
        kind: "slack".into(),
        url_command: Some(vec!["printf".into(), "%s\n".into(), to.url.clone()]),
        ..ChannelOptions::default()
    };
    only(options).send(&letter(), &nothing_to_read).expect("delivered");
    let (_, body) = to.got.recv().expect("a request");
    let value: serde_json::Value = serde_json::from_str(&body).expect("json");
    assert_eq!(value["text"], "This will be LONG.\n&lt;!channel&gt; &amp; more");
    assert_eq!(value["blocks"][0]["text"]["text"], value["text"]);
    let long = Letter { post: Post { text: "ü".repeat(5000).into(), ..letter().post }, ..letter() };
    let slack = ChannelOptions { name: "s".into(), kind: "slack".into(), url_file: Some("x".into()), ..ChannelOptions::default() };
    let payload: serde_json::Value = serde_json::from_str(&only(slack).payload(&long)).expect("json");
    assert_eq!(payload["text"].as_str().map(|t| t.chars().count()), Some(3000));
}

#[test]
fn a_command_gets_json_without_a_shell() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("got $(id) ; x");
    let path = file.to_str().expect("utf-8");
    let done = only(command(&["dd", "status=none", &format!("of={path}")])).send(&letter(), &nothing_to_read).expect("delivered");
    assert_eq!(done.answer.as_str(), "exit 0");
    let got = std::fs::read_to_string(&file).expect("written");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&got).expect("json")["type"], "long_notice");
}

#[test]
fn commands_that_fail_hang_or_are_not_there() {
    let cases: [(&[&str], bool, &str); 5] = [
        (&["sh", "-c", "echo token=abcdef >&2; exit 3"], false, "exit code 3: token=[secret]"),
        (&["sh", "-c", "kill -9 $$"], false, "killed by a signal"),
        (&["sleep", "60"], false, "did not end within 1 s"),
        (&["cutoff-there-is-no-such-program"], true, "could not be started"),
        (&["sh", "-c", "cat >/dev/null; exit 1"], false, "exit code 1"),
    ];
    for (argv, last, words) in cases {
        let failure = only(command(argv)).send(&letter(), &nothing_to_read).expect_err("it failed");
        assert!(failure.why.as_str().contains(words) && failure.last == last, "{argv:?}: {failure:?}");
    }
    only(command(&["true"])).send(&letter(), &nothing_to_read).expect("a program need not read its input");
    only(command(&["sh", "-c", "yes | head -c 1000000"])).send(&letter(), &nothing_to_read).expect("much output does not block");
}

#[test]
fn options_that_cannot_work_name_their_key() {
    let base = || webhook("https://h.example/x");
    let cases = [
        (ChannelOptions { kind: "webhok".into(), ..base() }, "kind", "did you mean `webhook`?"),
        (ChannelOptions { name: "a b".into(), ..base() }, "name", "letters"),
        (ChannelOptions { url: None, ..base() }, "url", "give one of url, url_file, url_command"),
        (ChannelOptions { url_file: Some("x".into()), ..base() }, "url", "several"),
        (ChannelOptions { argv: Some(vec!["x".into()]), ..base() }, "argv", "does not belong"),
        (ChannelOptions { kind: "slack".into(), ..base() }, "url", "does not belong"),
        (ChannelOptions { url: Some("h.example".into()), ..base() }, "url", "https://"),
        (ChannelOptions { timeout_s: Some(0), ..base() }, "timeout_s", "1 to 120"),
        (command(&[]), "argv", "empty"),
        (command(&[""]), "argv", "empty"),
    ];
    for (options, key, words) in cases {
        let error = channels(&Options { channels: vec![base(), ChannelOptions { name: format!("{}2", options.name), ..options.clone() }] });
        let error = error.err().unwrap_or_else(|| panic!("accepted {options:?}"));
        assert!(error.index == 1 && error.key == key && error.to_string().contains(words), "{error}");
    }
    assert!(channels(&Options { channels: vec![base(), base()] }).err().is_some_and(|e| e.to_string().contains("twice")));
}

#[test]
fn a_channel_carries_its_audience() {
    let team = only(ChannelOptions { audience: vec![Audience::Team], ..webhook("https://h.example/x") });
    assert!(team.carries(Audience::Team) && !team.carries(Audience::Users));
    let all = only(webhook("https://h.example/x"));
    assert!(all.carries(Audience::Team) && all.carries(Audience::Users));
}
