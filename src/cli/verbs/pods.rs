//! `cutoff pods`

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use futures::StreamExt;

use crate::base::{Bytes, Trouble, TroubleKind, parse_span, span};
use crate::cli::{Context, Exit, Verb};
use crate::cluster::PodNews;
use crate::metrics::Poller;
use crate::pressure::{Board, Eta, Row};

#[derive(Args)]
struct PodsArgs {
    /// Sample for this long before printing, so that slopes and the time left are known (30s, 2m)
    #[arg(long = "for", value_name = "SPAN", value_parser = |s: &str| parse_span(s).ok_or("a span like 30s or 2m"))]
    sample_for: Option<Duration>,
}

/// Lists pods by memory pressure.
pub struct Pods;

impl Verb for Pods {
    fn command(&self) -> Command {
        PodsArgs::augment_args(Command::new("pods")).about("List pods by memory pressure: who dies first stands on top").after_help(
            "Examples:\n  cutoff pods -n shop\n  cutoff pods --for 1m          with slopes and time left\n  cutoff pods --json | jq '.pods[0]'",
        )
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = PodsArgs::from_arg_matches(args)?;
        let board = context.runtime()?.block_on(look(context, args.sample_for))?;
        let mut out = std::io::stdout().lock();
        if context.global.json {
            let rows: Vec<_> = board.rows().iter().map(crate::cli::json::pod).collect();
            writeln!(out, "{}", serde_json::json!({ "schema": "cutoff.pods/1", "pods": rows }))?;
        } else {
            write!(out, "{}", table(board.rows()))?;
        }
        Ok(Exit::Ok)
    }
}

async fn look(context: &Context, sample_for: Option<Duration>) -> Result<Board> {
    let clock = context.clock();
    let session = context.connect().await?;
    let config = context.config()?;
    let mut board = Board::new(config.pressure);
    let mut pods = session.watch_pods();
    loop {
        match pods.next().await {
            Some(PodNews::All(all)) => {
                board.facts(clock.now().wall, all);
                break;
            }
            Some(PodNews::Stale { trouble, .. }) => return Err(trouble.into()),
            Some(_) => {}
            None => return Err(Trouble::new(TroubleKind::Unreachable, "the watch ended", session.server(), "try again").into()),
        }
    }
    let mut poller = Poller::new(session, config.metrics);
    let until = sample_for.map(|span| clock.now().plus(span));
    let mut closely = sample_for.is_some();
    let mut told: Vec<&str> = Vec::new();
    loop {
        let worst: Vec<_> = board.rows().iter().filter(|r| r.running).take(10).map(|r| r.container.clone()).collect();
        let reading = poller.poll(if closely { &worst } else { &[] }).await;
        board.sample(&reading.samples);
        board.rank(clock.now().wall);
        for missing in &reading.troubles {
            if !told.contains(&missing.source) {
                told.push(missing.source);
                let _ = writeln!(std::io::stderr(), "cutoff: no memory from {}: {}", missing.source, missing.trouble);
            }
        }
        // Without metrics-server the containers' own files say it.
        if !reading.troubles.is_empty() && !std::mem::replace(&mut closely, true) {
            continue;
        }
        match until {
            Some(until) if clock.now().wall < until.wall => tokio::time::sleep(config.metrics.interval()).await,
            _ => return Ok(board),
        }
    }
}

fn table(rows: &[Row]) -> String {
    let head = ["POD", "CONTAINER", "MEMORY", "LIMIT", "%", "SLOPE", "LEFT", "RESTARTS", "LAST END", "STATE"].map(str::to_owned);
    let mut cells = vec![head];
    for row in rows {
        cells.push([
            row.container.pod.name.clone(),
            row.container.name.clone(),
            row.working_set.map_or_else(|| "-".to_owned(), Bytes::binary),
            row.limit.map_or_else(|| "none".to_owned(), Bytes::binary),
            row.share.map_or_else(|| "-".to_owned(), |s| format!("{:.0}", s * 100.0)),
            row.slope.map_or_else(|| "-".to_owned(), |s| s.to_string()),
            left(&row.eta),
            row.restarts.to_string(),
            row.died.clone().or_else(|| row.last_end.as_ref().map(|e| e.word.clone())).unwrap_or_else(|| "-".to_owned()),
            row.state.clone(),
        ]);
    }
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..10).map(width).collect();
    let mut out = String::new();
    for row in &cells {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn left(eta: &Eta) -> String {
    match eta {
        Eta::AtMost { left, to } => format!("{} to {to}", span(*left)),
        Eta::NotGrowing => "not growing".to_owned(),
        Eta::Unknown { why } => (*why).to_owned(),
    }
}
