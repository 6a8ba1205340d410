//! `cutoff capture`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use tokio_util::sync::CancellationToken;

use super::preflight::{known, page};
use crate::base::{Bytes, ProcessKey, Trouble, TroubleKind, parse_span};
use crate::capture::{self, Captured, Depth, SessionPlace, Survey};
use crate::cli::acts::Consent;
use crate::cli::home::{Home, say};
use crate::cli::raise::raise;
use crate::cli::{Context, Exit, Verb, pod};
use crate::evidence::{Sealed, file_name};
use crate::incident::{Kind, Outcome, PairWhen};
use crate::preflight::{Assessment, Pace, Risk};

#[derive(Args)]
struct CaptureArgs {
    /// [NAMESPACE/]POD[:CONTAINER]
    pod: String,
    /// Capture method (default: the best by preflight)
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// Take a second one of the same process after this long, or when its memory has grown (+20%, +50MB): growth is what proves a leak
    #[arg(long, value_name = "WHEN", num_args = 0..=1, default_missing_value = "60s", value_parser = |s: &str| PairWhen::parse(s, Some(Bytes(1 << 40))).map(|_| s.to_owned()))]
    pair: Option<String>,
    /// Directory for the file (default: the open incident's evidence, else the working directory)
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Where only more memory would make it safe: raise the limit in place first, and put it back afterwards (asked by name, or --yes)
    #[arg(long)]
    resize: bool,
    /// How long putting the limit back may take; the kubelet does not lower it below what is in use (exit 7 when it is still raised)
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = |s: &str| parse_span(s).ok_or("a span like 60s or 5m"))]
    put_back_within: Duration,
    /// Go on where preflight says RISKY
    #[arg(short, long)]
    yes: bool,
    /// Go on although preflight says that the pod WILL BE KILLED; its name has to be given
    #[arg(long, value_name = "POD")]
    may_kill: Option<String>,
}

/// Takes a capture.
pub struct Capture;

impl Verb for Capture {
    fn command(&self) -> Command {
        CaptureArgs::augment_args(Command::new("capture"))
            .about("Take a heap snapshot the safest way, straight to the local disk; refuses (exit 9) what would kill the pod")
            .after_help(
                "Examples:\n  cutoff capture content-import-0\n  cutoff capture content-import-0 --pair 2m      two of one process: growth proves the leak\n  \
                 cutoff capture content-import-0 --resize --yes  raise the limit for it, and put it back\n  \
                 cutoff capture shop/api-7d9c:app --method sampling -o evidence/ --json",
            )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = CaptureArgs::from_arg_matches(args)?;
        if context.config()?.cluster.read_only {
            let remedy = "a capture signals the process and stops it for a while; leave out --read-only";
            return Err(Trouble::new(TroubleKind::Refused, "read-only", args.pod.as_str(), remedy).into());
        }
        if let Some(name) = &args.method {
            known(name)?;
        }
        context.runtime()?.block_on(run(context, args))
    }
}

async fn run(context: &Context, mut args: CaptureArgs) -> Result<Exit> {
    let session = context.connect().await?;
    let (container, _) = pod::find(&session, &args.pod).await?;
    let place = SessionPlace::new(session.clone(), container);
    let mut home = Home::of(context, args.output.as_deref())?;
    let stop = CancellationToken::new();
    let on_signal = stop.clone();
    let signals = async move {
        let _ = tokio::signal::ctrl_c().await;
        on_signal.cancel();
        std::future::pending::<()>().await;
    };
    let work = async {
        let mut raised = None;
        if args.resize {
            let consent = Consent { yes: args.yes, named: args.may_kill.as_deref() };
            raised = raise(context, &mut home, &session, &place, args.method.as_deref(), consent).await?;
        }
        if let Some(raised) = &raised {
            args.method = Some(raised.method.clone());
        }
        let captured = captures(context, &args, &place, &mut home, &stop).await;
        let Some(raised) = raised else { return captured };
        // Whatever became of the capture: the limit goes back.
        let back = raised.put_back(context, &mut home, &session, &place, args.put_back_within, &stop).await?;
        if context.global.json {
            writeln!(std::io::stdout(), "{}", raised.json(&back))?;
        }
        captured.map(|exit| back.exit(exit))
    };
    tokio::select! {
        exit = work => exit,
        () = signals => Ok(Exit::Interrupted),
    }
}

/// One capture, or a pair.
async fn captures(context: &Context, args: &CaptureArgs, place: &SessionPlace, home: &mut Home, stop: &CancellationToken) -> Result<Exit> {
    let (exit, first) = one(context, args, place, home, stop, None).await?;
    let Some(text) = args.pair.as_deref().filter(|_| exit == Exit::Ok) else { return Ok(exit) };
    let base = working_set(place).await.map(|(bytes, _)| bytes);
    let when = PairWhen::parse(text, base).map_err(|why| Trouble::new(TroubleKind::Usage, why, text, "--pair 60s waits for a time"))?;
    say(&format!("the second one follows {}", when.words()));
    tokio::select! {
        due = due(place, when, base, first.as_ref()) => due?,
        () = stop.cancelled() => return Ok(Exit::Interrupted),
    }
    Ok(one(context, args, place, home, stop, first.as_ref()).await?.0)
}

/// Memory is looked at this often while its growth is waited for: an exec each.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Working set of the container, and the process that is meant.
async fn working_set(place: &SessionPlace) -> Option<(Bytes, Option<ProcessKey>)> {
    let found = capture::survey(place, None, (None, None), Depth::Probe).await.ok()?;
    let process = found.process.clone();
    found.facts.cgroup.as_ref().map(|c| (c.working_set(), process))
}

/// Waits until the second snapshot is due; refuses another life of the process.
async fn due(place: &SessionPlace, when: PairWhen, base: Option<Bytes>, first: Option<&ProcessKey>) -> Result<()> {
    let by = match when {
        PairWhen::After { seconds } => {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            return Ok(());
        }
        PairWhen::Grown { by } => by,
    };
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some((bytes, process)) = working_set(place).await else { continue };
        same(place, first, process.as_ref())?;
        if base.is_some_and(|base| bytes.saturating_sub(base) >= by) {
            return Ok(());
        }
    }
}

/// Sizes and ids of two lives do not compare.
fn same(place: &SessionPlace, first: Option<&ProcessKey>, now: Option<&ProcessKey>) -> Result<()> {
    let differs = first.is_some_and(|first| !now.is_some_and(|now| now.is_life_of(first)));
    if !differs {
        return Ok(());
    }
    let what = "the process is not the one of the first snapshot any more: sizes and ids of two lives do not compare";
    let place = crate::capture::Place::container(place).to_string();
    Err(Trouble::new(TroubleKind::Refused, what, place, "take a first snapshot of the present process").into())
}

async fn one(
    context: &Context,
    args: &CaptureArgs,
    place: &SessionPlace,
    home: &mut Home,
    stop: &CancellationToken,
    first: Option<&ProcessKey>,
) -> Result<(Exit, Option<ProcessKey>)> {
    let clock = context.clock();
    let survey = capture::survey(place, None, (None, None), Depth::Inspector).await.map_err(Trouble::from)?;
    same(place, first, survey.process.as_ref())?;
    let room = home.store.room();
    let assessment =
        match &args.method {
            Some(name) => survey.assess_by(name, room),
            None => survey.assess(room).into_iter().next().ok_or_else(|| {
                Trouble::new(TroubleKind::NotFound, "no capture method fits", args.pod.as_str(), "see `cutoff preflight`")
            })?,
        };
    gate(args, &assessment)?;
    say(&assessment.headline());
    let container = crate::capture::Place::container(place).clone();
    let began = clock.now();
    let id = home.next()?;
    let extension = capture::find(&assessment.method).map_or("bin", |m| m.spec().extension);
    let name = file_name(began.wall, &container.pod.name, &assessment.method, extension);
    let mut file = home.store.create(id, &name, assessment.predicted.file.map(|f| f.low)).map_err(Trouble::from)?;
    home.record(context, Kind::CaptureStarted { evidence: id, container: container.clone(), method: assessment.method.as_str().into() })?;
    let live = std::io::stderr().is_terminal() && !context.global.json;
    let mut last = String::new();
    let mut pace = Pace::default();
    let mut tell = |state: crate::preflight::CaptureState| {
        let line = pace.told(state, clock.now().mono).line();
        if live && line != last {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K{line}");
            last = line;
        }
    };
    let accepted = match args.may_kill.as_deref() {
        Some(name) if name == container.pod.name => Risk::WouldKill,
        _ if args.yes => Risk::Risky,
        _ => Risk::Ok,
    };
    let captured = capture::take(place, &survey, &assessment, accepted, &mut file, &mut tell, stop.clone()).await;
    if live {
        let _ = writeln!(std::io::stderr());
    }
    let provenance = captured.provenance_by(&context.who(), began, clock.now());
    let path = file.path().to_owned();
    let sealed = file.seal(captured.outcome, provenance.clone()).map_err(Trouble::from)?;
    let remark = captured.remarks().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    home.record(
        context,
        Kind::CaptureEnded {
            evidence: id,
            outcome: captured.outcome,
            bytes: sealed.bytes,
            sha256: sealed.sha256.clone(),
            file: sealed.file.as_deref().map(Into::into),
            provenance: provenance.map(Box::new),
            remark: remark.as_str().into(),
        },
    )?;
    report(context, args, &captured, &assessment, &sealed, &path, &survey, &remark)?;
    let exit = match captured.outcome {
        Outcome::Complete => Exit::Ok,
        Outcome::Truncated | Outcome::KilledEmpty => Exit::Incomplete,
        Outcome::Cancelled => Exit::Interrupted,
        Outcome::Failed => Exit::Failure,
    };
    Ok((exit, survey.process))
}

/// Refuses what may kill the pod, unless it was accepted: RISKY by `--yes`, WILL BE KILLED by the pod's name.
fn gate(args: &CaptureArgs, assessment: &Assessment) -> Result<()> {
    let pod = args.pod.rsplit('/').next().unwrap_or(&args.pod).split(':').next().unwrap_or_default();
    let refuse = |remedy: String| -> Result<()> {
        let _ = write!(std::io::stderr(), "{}", page(assessment));
        Err(Trouble::new(TroubleKind::Refused, format!("{}: nothing was done", assessment.risk.word()), pod.to_owned(), remedy).into())
    };
    match assessment.risk {
        Risk::Ok | Risk::Unknown => Ok(()),
        Risk::Risky if args.yes || args.may_kill.as_deref() == Some(pod) => Ok(()),
        Risk::Risky => refuse("take a way out above, or go on with --yes".to_owned()),
        Risk::WouldKill if args.may_kill.as_deref() == Some(pod) => Ok(()),
        Risk::WouldKill => refuse(format!("take a way out above, or accept it by name: --may-kill {pod}")),
        Risk::Impossible => refuse("choose another method: `cutoff preflight` lists them".to_owned()),
    }
}

#[expect(clippy::too_many_arguments, reason = "one page of output from all that a capture is")]
fn report(
    context: &Context,
    args: &CaptureArgs,
    captured: &Captured,
    assessment: &Assessment,
    sealed: &Sealed,
    path: &Path,
    survey: &Survey,
    remark: &str,
) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let value = serde_json::json!({
            "schema": "cutoff.capture/1",
            "pod": survey.pod.pod.name,
            "namespace": survey.pod.pod.namespace,
            "method": assessment.method,
            "state": captured.done.state.word(),
            "file": sealed.file.as_ref().map(|_| path.display().to_string()),
            "bytes": sealed.bytes.0,
            "sha256": sealed.sha256,
            "pod_restarts_before": captured.restarts.0,
            "pod_restarts_after": captured.restarts.1,
            "process_lives": captured.process_lives,
            "assessment": assessment,
            "measured": captured.done.measured,
            "remark": remark,
        });
        writeln!(out, "{value}")?;
    } else {
        if sealed.file.is_some() {
            writeln!(out, "{}", path.display())?;
        }
        say(&format!("{}: {}", args.pod, captured.done.state.line()));
        for line in captured.remarks() {
            say(line.as_str());
        }
    }
    Ok(())
}
