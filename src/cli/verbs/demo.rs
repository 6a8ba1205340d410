//! `cutoff demo`

use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::base::ScaledClock;
use crate::cli::{Context, Exit, Verb, headless, session};
use crate::demo::{Demo, Options, Receiver};

#[derive(Args)]
struct DemoArgs {
    /// Run the incident clock this many times faster, so that the cut-off can be lived through in minutes
    #[arg(long, default_value_t = 1.0, value_parser = speed, value_name = "N")]
    speed: f64,
    /// Play the whole loop without a terminal, print each step with its time and the path of the postmortem
    #[arg(long)]
    headless: bool,
    /// Only run the world: print its kubeconfig, wait for Ctrl-C; point kubectl or another cutoff at it
    #[arg(long, conflicts_with = "headless")]
    serve: bool,
    /// Let the service leak this many times faster
    #[arg(long, default_value_t = 1.0, value_parser = speed, value_name = "N")]
    pace: f64,
    /// Play the recording back even where real pods are possible
    #[arg(long)]
    recorded: bool,
    /// Keep incidents and evidence of the demo here (default: a directory of its own below the system's temporary one)
    #[arg(long, value_name = "DIR")]
    keep: Option<std::path::PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if (0.1..=1000.0).contains(&n) => Ok(n),
        _ => Err("a number from 0.1 to 1000".to_owned()),
    }
}

/// Opens the dashboard on a running outage.
pub struct DemoVerb;

impl Verb for DemoVerb {
    fn command(&self) -> Command {
        DemoArgs::augment_args(Command::new("demo"))
            .about("Open the dashboard on a running outage; needs no cluster and no configuration")
            .after_help(
                "Examples:\n  cutoff demo\n  cutoff demo --speed 60         two hours in two minutes\n  cutoff demo --headless --speed 60",
            )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = DemoArgs::from_arg_matches(args)?;
        let clock = Arc::new(ScaledClock::new(args.speed));
        context.runtime()?.block_on(async {
            let options = Options { pace: args.pace, recorded: args.recorded, clock: Some(clock.clone()), ..Options::default() };
            let demo = Demo::start(options).await?;
            if args.serve {
                let mut out = std::io::stdout().lock();
                writeln!(out, "{}", demo.mode().sentence())?;
                writeln!(out, "export KUBECONFIG={}", demo.kubeconfig().display())?;
                drop(out);
                tokio::signal::ctrl_c().await?;
                demo.stop().await;
                return Ok(Exit::Ok);
            }
            // Not inside the demo's own directory, which goes with it: a postmortem is to be read afterwards.
            let kept = || std::env::temp_dir().join(format!("cutoff-demo-incidents-{}", std::process::id()));
            let data_dir = args.keep.clone().unwrap_or_else(kept);
            let receiver = Receiver::start().await?;
            let world = session::World {
                kubeconfig: demo.kubeconfig(),
                namespace: demo.namespace().to_owned(),
                repository: Some(demo.repository()),
                notice: demo.mode().sentence().to_owned(),
                clock,
                speed: args.speed,
                webhook: receiver.url().to_owned(),
                data_dir,
            };
            let exit = match args.headless {
                true => headless::play(context, &world, || receiver.received()).await,
                false => session::dashboard(context, Some(world)).await,
            };
            demo.stop().await;
            exit
        })
    }
}
