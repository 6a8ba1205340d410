//! `cutoff copy`

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use tokio_util::sync::CancellationToken;

use crate::base::{Bytes, ContainerRef, Masked, Trouble, TroubleKind, parse_span};
use crate::capture::{self, Captured, Depth, FETCH, Place, Seen, SessionPlace, Survey, Wanted};
use crate::cli::home::{Home, say};
use crate::cli::{Context, Exit, Verb, pod};
use crate::evidence::{Growing, Sealed, Standing, file_name, plain_name};
use crate::incident::{ActRequest, ActTarget, Kind, Outcome, Provenance, Receipt};
use crate::node::SnapshotTracker;
use crate::preflight::{CaptureState, Pace};

#[derive(Args)]
struct CopyArgs {
    /// The file: [NAMESPACE/]POD:PATH
    #[arg(value_name = "POD:PATH")]
    from: String,
    /// Container, where the pod has several
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,
    /// The file here (default: the open incident's evidence, else the working directory under the file's own name)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A file that does not grow for so long is finished (default 2s); a snapshot without its end is cut then (default 30s)
    #[arg(long, value_name = "SPAN", value_parser = |s: &str| parse_span(s).ok_or("a span like 30s or 5m"))]
    still: Option<Duration>,
    /// Afterwards delete the file in the pod, if its sha256 there is that of the copy; asks first
    #[arg(long)]
    delete: bool,
    /// With --delete: do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Copies a file out of a pod.
pub struct Copy;

/// A writer that is starved of CPU may rest for so long; of a snapshot it is known that it does not end yet.
const SNAPSHOT_STILL: Duration = Duration::from_secs(30);
/// Of another file nothing tells whether it has ended.
const OTHER_STILL: Duration = Duration::from_secs(2);

impl Verb for Copy {
    fn command(&self) -> Command {
        CopyArgs::augment_args(Command::new("copy"))
            .about("Copy a file out of a pod, also while it grows; resumes, proves every byte, deletes nothing unasked")
            .long_about(
                "Copies a file out of a pod, also while it grows: packed in the pod by what its image has (zstd, gzip, else Node), every piece \
                 proved by a checksum, resumed after broken connections and restarts of the container, compared with the pod's own sha256 at \
                 the end. Needs neither tar nor a shell there. Stopped or cut off, it goes on where it was when it is called again. Nothing in \
                 the pod is deleted, but with --delete, asked for and recorded.",
            )
            .after_help(
                "Examples:\n  cutoff copy content-import-0:/dumps/Heap.20261123.151907.1.0.001.heapsnapshot\n  \
                 cutoff copy shop/api-7d9c:/tmp/report.json -c app -o report.json --json\n  cutoff copy api-7d9c:/dumps/heap.heapsnapshot --delete",
            )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = CopyArgs::from_arg_matches(args)?;
        let refused = |what: &'static str, remedy: &'static str| Trouble::new(TroubleKind::Refused, what, args.from.as_str(), remedy);
        if args.delete && context.config()?.cluster.read_only {
            return Err(refused("read-only: nothing is deleted", "leave out --delete, or --read-only").into());
        }
        if args.delete && !args.yes && !std::io::stdin().is_terminal() {
            return Err(refused("nobody can be asked whether to delete", "add --yes, or call it in a terminal").into());
        }
        context.runtime()?.block_on(run(context, &args))
    }
}

/// `[NAMESPACE/]POD:PATH` taken apart.
fn parts(text: &str) -> Result<(&str, &str)> {
    match text.split_once(':') {
        Some((pod, path)) if !pod.is_empty() && !path.is_empty() && !path.ends_with('/') => Ok((pod, path)),
        _ => {
            let remedy = "name one file of the container: cutoff copy POD:/path/to/file";
            Err(Trouble::new(TroubleKind::Usage, "this names no file in a pod", text, remedy).into())
        }
    }
}

async fn run(context: &Context, args: &CopyArgs) -> Result<Exit> {
    let (pod, path) = parts(&args.from)?;
    let session = context.connect().await?;
    let named = args.container.as_ref().map_or_else(|| pod.to_owned(), |container| format!("{pod}:{container}"));
    let (container, _) = pod::find(&session, &named).await?;
    let place = SessionPlace::new(session, container);
    let stop = CancellationToken::new();
    let on_signal = stop.clone();
    let signals = async move {
        let _ = tokio::signal::ctrl_c().await;
        on_signal.cancel();
        std::future::pending::<Exit>().await
    };
    tokio::select! {
        exit = copy(context, args, &place, path, &stop) => exit,
        exit = signals => Ok(exit),
    }
}

async fn copy(context: &Context, args: &CopyArgs, place: &SessionPlace, path: &str, stop: &CancellationToken) -> Result<Exit> {
    let clock = context.clock();
    let survey = capture::survey(place, None, (None, None), Depth::Probe).await.map_err(Trouble::from)?;
    let seen = capture::look(place, &survey.facts, path).await.map_err(Trouble::from)?;
    let seen = seen.ok_or_else(|| Trouble::from(capture::no_such_file(place, path)))?;
    let began = clock.now();
    let target = Target::of(args, place.container(), path, began.wall)?;
    let mut home = Home::of(context, target.dir.as_deref())?;
    let known =
        Provenance { who: context.who(), began: began.wall, ended: began.wall, ..capture::origin(place, &survey, path, seen.modified) };
    let (mut file, here) = match resumed(&home, place, &survey, &known, seen).await? {
        Some(resumed) => resumed,
        None => {
            if args.output.is_some() && crate::disk::entry(&home.store.dir().join(&target.name)).map_err(Trouble::from)?.is_some() {
                let place = home.store.dir().join(&target.name).display().to_string();
                return Err(
                    Trouble::new(TroubleKind::Refused, "the copy would overwrite a file", place, "give another name with -o").into()
                );
            }
            let id = home.next()?;
            let name = if home.incident.is_some() && target.dir.is_none() { &target.evidence } else { &target.name };
            let file = home.store.create_from(id, name, Some(seen.size), Some(known.clone())).map_err(Trouble::from)?;
            home.record(context, Kind::CaptureStarted { evidence: id, container: place.container().clone(), method: Masked::own(FETCH) })?;
            (file, SnapshotTracker::new())
        }
    };
    let still = args.still.unwrap_or(if capture::is_snapshot(path) { SNAPSHOT_STILL } else { OTHER_STILL });
    let wanted = Wanted { path: path.to_owned(), seen, here, still };
    let live = std::io::stderr().is_terminal() && !context.global.json;
    let (mut pace, mut last) = (Pace::default(), String::new());
    let mut tell = |state: CaptureState| {
        let line = pace.told(state, clock.now().mono).line();
        if live && line != last {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K{line}");
            last = line;
        }
    };
    let captured = capture::fetch_named(place, &survey, &wanted, &mut file, &mut tell, stop).await;
    if live {
        let _ = writeln!(std::io::stderr());
    }
    let path_here = file.path().to_owned();
    let interrupted = stop.is_cancelled() && !matches!(captured.done.state, CaptureState::Complete { .. });
    let provenance = captured.provenance_by(&context.who(), began, clock.now());
    let remark = captured.remarks().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let sealed = if interrupted {
        // Not sealed: the next call goes on where this one was.
        let sealed = Sealed { evidence: file.id(), file: Some(file.name().to_owned()), bytes: file.bytes(), sha256: None };
        drop(file);
        sealed
    } else {
        let sealed = file.seal(captured.outcome, provenance.clone()).map_err(Trouble::from)?;
        home.record(
            context,
            Kind::CaptureEnded {
                evidence: sealed.evidence,
                outcome: captured.outcome,
                bytes: sealed.bytes,
                sha256: sealed.sha256.clone(),
                file: sealed.file.as_deref().map(Into::into),
                provenance: provenance.map(Box::new),
                remark: remark.as_str().into(),
            },
        )?;
        sealed
    };
    let deleted = if args.delete { delete(context, args, place, &survey, &mut home, &captured, path, seen).await } else { Ok(None) };
    let told = Told { captured: &captured, sealed: &sealed, path: &path_here, in_pod: path, remark: &remark, interrupted };
    told.report(context, place.container(), matches!(deleted, Ok(Some(true))))?;
    deleted?;
    Ok(match captured.outcome {
        _ if interrupted => Exit::Interrupted,
        Outcome::Complete => Exit::Ok,
        Outcome::Truncated | Outcome::KilledEmpty => Exit::Incomplete,
        Outcome::Cancelled => Exit::Interrupted,
        Outcome::Failed => Exit::Failure,
    })
}

/// What the file is called here.
struct Target {
    /// Where a person wants it; `None`: in the open incident's evidence, or here.
    dir: Option<PathBuf>,
    /// Its own name, or the one that was given.
    name: String,
    /// Its name among the evidence.
    evidence: String,
}

impl Target {
    fn of(args: &CopyArgs, container: &ContainerRef, path: &str, at: chrono::DateTime<chrono::Utc>) -> Result<Self> {
        let own = path.rsplit('/').next().unwrap_or(path);
        let extension = own.rsplit_once('.').map_or("bin", |(_, extension)| extension);
        let evidence = file_name(at, &container.pod.name, FETCH, extension);
        let Some(output) = &args.output else { return Ok(Self { dir: None, name: plain_name(own), evidence }) };
        let is_dir = crate::disk::entry(output).map_err(Trouble::from)?.is_some_and(|entry| entry.is_dir);
        let (dir, name) = match output.file_name() {
            Some(name) if !is_dir => (output.parent().unwrap_or(Path::new("")), name.to_string_lossy().into_owned()),
            _ => (output.as_path(), plain_name(own)),
        };
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        Ok(Self { dir: Some(dir.to_owned()), name, evidence })
    }
}

/// A copy of this very file that was cut off: of the same pod and path, and what is here is proved to be its beginning.
async fn resumed(
    home: &Home,
    place: &SessionPlace,
    survey: &Survey,
    known: &Provenance,
    seen: Seen,
) -> Result<Option<(Growing, SnapshotTracker)>> {
    let (items, _) = home.store.list().map_err(Trouble::from)?;
    let of_this = |from: &Provenance| {
        from.method.as_str() == FETCH
            && from.path == known.path
            && from.container == known.container
            && from.process.pod_uid == known.process.pod_uid
    };
    for item in items.into_iter().rev() {
        let Standing::Unsealed(bytes) = item.standing else { continue };
        if bytes == Bytes(0) || bytes > seen.size || !item.record.provenance.as_ref().is_some_and(of_this) {
            continue;
        }
        let path = known.path.as_ref().map_or("", Masked::as_str);
        let there = capture::sha256_in_pod(place, &survey.facts, path, bytes).await;
        // Where it cannot be taken up, another call is at it.
        let Ok(file) = home.store.resume(item.record.evidence) else { continue };
        if there.as_deref() != Some(file.sha256().as_str()) {
            say(&format!("{} is not the beginning of this file, or that cannot be proved: it is copied anew", item.path.display()));
            continue;
        }
        say(&format!("goes on after {bytes} that are here: their sha256 is that of the file's beginning in the pod"));
        let mut tracker = SnapshotTracker::new();
        let mut follower = file.follow().map_err(Trouble::from)?;
        let mut buffer = vec![0; 1 << 20];
        while follower.offset() < bytes.0 {
            match follower.next(&mut buffer, Duration::ZERO).map_err(Trouble::from)? {
                crate::evidence::Step::Bytes(n) => tracker.push(&buffer[..n]),
                crate::evidence::Step::Waiting | crate::evidence::Step::End(_) => break,
            }
        }
        return Ok(Some((file, tracker)));
    }
    Ok(None)
}

/// Deletes the file in the pod: only a whole copy's source, proved the same, after a yes, the intent on disk before.
#[expect(clippy::too_many_arguments, reason = "all that has to be true before something is deleted")]
async fn delete(
    context: &Context,
    args: &CopyArgs,
    place: &SessionPlace,
    survey: &Survey,
    home: &mut Home,
    captured: &Captured,
    path: &str,
    seen: Seen,
) -> Result<Option<bool>> {
    let container = place.container();
    if captured.done.origin.same != Some(true) {
        let what = "nothing was deleted in the pod: the copy is not proved to be the same";
        return Err(Trouble::new(TroubleKind::Refused, what, format!("{container}:{path}"), "see the remark above").into());
    }
    if !args.yes && !asked(container, path)? {
        say("nothing was deleted in the pod");
        return Ok(Some(false));
    }
    let target = ActTarget { kind: "pod".to_owned(), namespace: container.pod.namespace.clone(), name: container.pod.name.clone() };
    let args = [("container".to_owned(), container.name.clone()), ("path".to_owned(), Masked::from(path).to_string())];
    let request = ActRequest { act: "delete-file".to_owned(), target, args: args.into_iter().collect() };
    let intent = home.record(context, Kind::ActIntended { request, call: Masked::from(format!("exec {container}: rm -- {path}")) })?;
    let result = capture::remove(place, &survey.facts, path, seen.inode).await.map_err(Trouble::from);
    if let Some(intent) = intent {
        home.record(
            context,
            match &result {
                Ok(()) => {
                    let summary = Masked::from(format!("{path} is deleted in the pod; its copy is here"));
                    Kind::ActDone { intent, receipt: Receipt { summary, undo: None, leaves: None } }
                }
                Err(trouble) => Kind::ActFailed { intent, why: Masked::from(trouble.to_string()) },
            },
        )?;
    }
    result?;
    say(&format!("{path} is deleted in the pod"));
    Ok(Some(true))
}

fn asked(container: &ContainerRef, path: &str) -> Result<bool> {
    write!(std::io::stderr(), "Delete {path} in {container}? Its copy is whole and the same. Type `delete`: ")?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == "delete")
}

/// What is told at the end.
struct Told<'a> {
    captured: &'a Captured,
    sealed: &'a Sealed,
    path: &'a Path,
    in_pod: &'a str,
    remark: &'a str,
    interrupted: bool,
}

impl Told<'_> {
    fn report(&self, context: &Context, container: &ContainerRef, deleted: bool) -> Result<()> {
        let (done, sealed) = (&self.captured.done, self.sealed);
        let mut out = std::io::stdout().lock();
        if context.global.json {
            let value = serde_json::json!({
                "schema": "cutoff.copy/1",
                "pod": container.pod.name,
                "namespace": container.pod.namespace,
                "container": container.name,
                "path": self.in_pod,
                "state": done.state.word(),
                "file": sealed.file.as_ref().map(|_| self.path.display().to_string()),
                "bytes": sealed.bytes.0,
                "sha256": sealed.sha256,
                "same_in_pod": done.origin.same,
                "deleted_in_pod": deleted,
                "resumable": self.interrupted,
                "pod_restarts_before": self.captured.restarts.0,
                "pod_restarts_after": self.captured.restarts.1,
                "measured": done.measured,
                "remark": self.remark,
            });
            writeln!(out, "{value}")?;
            return Ok(());
        }
        if sealed.file.is_some() {
            writeln!(out, "{}", self.path.display())?;
        }
        say(&format!("{}: {}", self.in_pod, done.state.line()));
        for line in self.captured.remarks() {
            say(line.as_str());
        }
        if self.interrupted {
            say("call it again to go on");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_pod_is_named_by_pod_and_path() {
        assert_eq!(parts("api-0:/dumps/x").expect("a file"), ("api-0", "/dumps/x"));
        assert_eq!(parts("shop/api-0:heap:1.heapsnapshot").expect("a file"), ("shop/api-0", "heap:1.heapsnapshot"));
        for bad in ["api-0", "api-0:", ":/x", "api-0:/dumps/"] {
            assert_eq!(Exit::of(&parts(bad).expect_err(bad)), Exit::Usage, "{bad}");
        }
    }
}
