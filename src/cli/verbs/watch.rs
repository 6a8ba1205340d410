//! `cutoff watch`

use std::io::Write;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::app::model::Link;
use crate::app::{ArmChoice, Intent, Level, Model, proposal};
use crate::base::{ContainerRef, Trouble};
use crate::cli::{Context, Exit, Verb, pod, session};
use crate::incident::Arming;
use crate::report::event_line;
use crate::runtime::Desk;

#[derive(Args)]
struct WatchArgs {
    /// [NAMESPACE/]POD[:CONTAINER], several if you like
    #[arg(required = true)]
    pods: Vec<String>,
    /// Change nothing in the pods: keep only what they leave by themselves
    #[arg(long)]
    only: bool,
    /// End when each of them has died once and all of it is kept
    #[arg(long)]
    once: bool,
}

/// Watches pods for their next death.
pub struct Watch;

impl Verb for Watch {
    fn command(&self) -> Command {
        WatchArgs::augment_args(Command::new("watch"))
            .about("Wait for pods to die and keep what they leave: heap, log of the life that ended, reports, cause; for hours if need be")
            .after_help(
                "Each pod is armed without a restart where that is safe, and says what is done; where it is not, it is only watched.\n\
                 Ctrl-C leaves; the watch stays in the incident's journal, and the dashboard or the next `cutoff watch` goes on with it.\n\n\
                 Examples:\n  cutoff watch content-import-0 content-import-1\n  cutoff watch shop/api-7d9c:app --only --once --json",
            )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = WatchArgs::from_arg_matches(args)?;
        context.runtime()?.block_on(run(context, &args))
    }
}

async fn run(context: &Context, args: &WatchArgs) -> Result<Exit> {
    let connected = context.connect().await?;
    let mut containers = Vec::new();
    for name in &args.pods {
        containers.push(pod::find(&connected, name).await?.0);
    }
    let mut desk = session::desk(context, None).await?;
    session::take_up(context, &mut desk, &context.paths().data_dir.clone())?;
    let exit = tokio::select! {
        done = watch(context, args, &containers, &mut desk) => done?,
        _ = tokio::signal::ctrl_c() => {
            say("left; it is ARMED in the journal: the dashboard or the next `cutoff watch` goes on with it");
            Exit::Interrupted
        }
    };
    desk.leave().await;
    Ok(exit)
}

async fn watch(context: &Context, args: &WatchArgs, containers: &[ContainerRef], desk: &mut Desk) -> Result<Exit> {
    let mut out = Out { json: context.global.json, told: desk.model.incident.as_ref().map_or(0, |s| s.timeline.len()), toasts: 0 };
    while !matches!(desk.model.link, Link::Up) {
        desk.listen().await;
        out.tell(&desk.model)?;
    }
    let new: Vec<ContainerRef> = containers.iter().filter(|c| desk.model.watch(c).is_none()).cloned().collect();
    if !new.is_empty() {
        desk.wish(Intent::Arm { containers: new.clone() });
        while new.iter().any(|c| proposal(&desk.model, c).looking) {
            desk.listen().await;
            out.tell(&desk.model)?;
        }
        let proposals: Vec<_> = new.iter().map(|c| (c, proposal(&desk.model, c))).collect();
        for (container, proposal) in &proposals {
            say(&format!("{container}: {}; {}", if args.only { Arming::Only } else { proposal.how }.words(), proposal.note));
        }
        let only = args.only || desk.model.setting.read_only || proposals.iter().all(|(_, p)| p.how == Arming::Only);
        desk.wish(Intent::ArmAs { containers: new, choice: if only { ArmChoice::Only } else { ArmChoice::RunTime } });
    }
    let before: Vec<usize> = containers.iter().map(|c| deaths(&desk.model, c)).collect();
    loop {
        out.tell(&desk.model)?;
        let all = containers.iter().zip(&before).all(|(c, before)| deaths(&desk.model, c) > *before && !is_busy(&desk.model, c));
        if args.once && all {
            desk.wish(Intent::Disarm { containers: containers.to_vec() });
            out.tell(&desk.model)?;
            return Ok(Exit::Ok);
        }
        desk.listen().await;
    }
}

/// Deaths of `container` that are explained.
fn deaths(model: &Model, container: &ContainerRef) -> usize {
    model.incident.as_ref().map_or(0, |s| s.deaths.iter().filter(|d| d.container == *container).count())
}

/// Whether something of `container` is still being kept.
fn is_busy(model: &Model, container: &ContainerRef) -> bool {
    model.captures.iter().any(|c| c.container == *container && c.job.is_some() && !c.is_waiting())
}

/// What is new: events on standard output, warnings beside it.
struct Out {
    json: bool,
    told: usize,
    toasts: usize,
}

impl Out {
    fn tell(&mut self, model: &Model) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let Some(state) = &model.incident else { return Ok(()) };
        for event in state.timeline.iter().skip(self.told) {
            if self.json {
                writeln!(out, "{}", serde_json::json!({ "schema": "cutoff.watch/1", "incident": state.id, "event": event.as_ref() }))?;
            } else if !matches!(event.kind, crate::incident::Kind::MemorySeen { .. } | crate::incident::Kind::ProcessSeen { .. }) {
                writeln!(out, "{}  {}", event.at.wall.format("%H:%M:%S"), event_line(event).text)?;
            }
        }
        self.told = state.timeline.len();
        let bad = model.toasts.iter().filter(|t| t.level == Level::Bad).count();
        for toast in model.toasts.iter().filter(|t| t.level == Level::Bad).skip(self.toasts) {
            say(&toast.text);
        }
        self.toasts = self.toasts.max(bad);
        Ok(out.flush().map_err(|e| Trouble::new(crate::base::TroubleKind::Failed, e.to_string(), "standard output", ""))?)
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "cutoff: {text}");
}
