//! `cutoff preflight`

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::base::{Trouble, TroubleKind, parse_span};
use crate::capture::{self, Depth, SessionPlace};
use crate::cli::{Context, Exit, Verb, pod};
use crate::preflight::Assessment;

#[derive(Args)]
struct PreflightArgs {
    /// [NAMESPACE/]POD[:CONTAINER]
    pod: String,
    /// Only this capture method
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// Ask V8 itself: opens the inspector by SIGUSR1 where that is proved harmless, and closes it again. One full collection
    #[arg(long)]
    heap: bool,
    /// Look twice, this long apart, and say what grows
    #[arg(long, value_name = "SPAN", value_parser = |s: &str| parse_span(s).ok_or("a span like 30s or 5m"))]
    over: Option<Duration>,
}

/// Says whether a capture would kill the pod.
pub struct Preflight;

impl Verb for Preflight {
    fn command(&self) -> Command {
        PreflightArgs::augment_args(Command::new("preflight"))
            .about("Say whether a heap capture would kill the pod; runs nothing but a read-only probe (and asks V8 with --heap)")
            .after_help(
                "Examples:\n  cutoff preflight content-import-0\n  cutoff preflight shop/api-7d9c:app --method cdp --json\n  \
                 cutoff preflight content-import-0 --heap --over 60s     what grows: JS heap, Buffers, native, other processes",
            )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = PreflightArgs::from_arg_matches(args)?;
        let (container, assessments) = context.runtime()?.block_on(async {
            let session = context.connect().await?;
            let (container, _) = pod::find(&session, &args.pod).await?;
            let place = SessionPlace::new(session, container.clone());
            let depth = if args.heap { Depth::Inspector } else { Depth::Probe };
            let look = || async { capture::survey(&place, None, (None, None), depth).await.map_err(Trouble::from) };
            let mut survey = look().await?;
            if let Some(apart) = args.over {
                tokio::time::sleep(apart).await;
                let first = survey;
                survey = look().await?;
                survey.earlier = (first.process == survey.process).then(|| (first.holdings(), apart));
            }
            let free = crate::disk::free_space(&std::env::current_dir()?);
            let assessments = match &args.method {
                Some(name) => vec![survey.assess_by(known(name)?, free)],
                None => survey.assess(free),
            };
            anyhow::Ok((container, assessments))
        })?;
        let mut out = std::io::stdout().lock();
        if context.global.json {
            let value = serde_json::json!({
                "schema": "cutoff.preflight/1",
                "pod": container.pod.name,
                "namespace": container.pod.namespace,
                "container": container.name,
                "nature": assessments.first().and_then(|a| a.nature.as_ref()),
                "methods": assessments,
            });
            writeln!(out, "{value}")?;
        } else {
            write!(out, "{}", if args.method.is_some() { assessments.iter().map(page).collect() } else { pages(&assessments) })?;
        }
        Ok(if assessments.iter().any(|a| a.risk.may_start()) { Exit::Ok } else { Exit::Refused })
    }
}

/// `name`, if there is such a method.
///
/// # Errors
/// Usage, with the names there are.
pub fn known(name: &str) -> Result<&str> {
    if capture::find(name).is_some() {
        return Ok(name);
    }
    let names = capture::METHODS.iter().map(|m| m.spec().name).collect::<Vec<_>>().join(", ");
    Err(Trouble::new(TroubleKind::Usage, "there is no such capture method", name, format!("methods: {names}")).into())
}

/// Every method in a line, and the best in full: at night nobody reads seven pages.
fn pages(assessments: &[Assessment]) -> String {
    let mut out = String::new();
    if let Some(nature) = assessments.first().and_then(|a| a.nature.as_ref()) {
        let _ = writeln!(out, "{:<12} {}\n", nature.kind.word(), nature.text);
    }
    for assessment in assessments {
        let because = assessment.because.first().map_or("", |reason| reason.text.as_str());
        let _ = writeln!(out, "{:<12} {:<14} {because}", assessment.method, assessment.risk.word());
    }
    if let Some(best) = assessments.first() {
        let _ = write!(out, "\n{}", page(best));
    }
    let _ = writeln!(out, "\n--method NAME says more of another");
    out
}

/// One assessment as people read it.
pub fn page(assessment: &Assessment) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{:<12} {}", assessment.method, assessment.risk.word());
    for reason in &assessment.because {
        let _ = writeln!(out, "  {:<14} {}", reason.risk.word(), reason.text);
    }
    let predicted = &assessment.predicted;
    if let Some(memory) = &predicted.memory {
        let _ = writeln!(out, "  memory on top  {memory}");
    }
    if let Some(freeze) = &predicted.freeze {
        let _ = writeln!(out, "  stands still   {freeze}");
    }
    if let Some(file) = &predicted.file {
        let _ = writeln!(out, "  file           {file}");
    }
    for figure in &assessment.inputs {
        let _ = writeln!(out, "  · {}: {} ({})", figure.name, figure.value, figure.source);
    }
    for remedy in &assessment.remedies {
        let _ = writeln!(out, "  → {}", remedy.text);
    }
    out
}
