//! `demo --headless`: the whole loop without a terminal, through the same desk as the dashboard. Every step has a deadline
//! in real time; each prints when it was done and what came of it; the first that fails ends the run.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::session::{self, World};
use super::{Context, Exit};
use crate::app::model::ActStage;
use crate::app::{Intent, Model, Prompt};
use crate::base::{Bytes, ContainerRef, Trouble, TroubleKind, clock};
use crate::incident::{ActOutcome, ActRequest, ActTarget, PostKind, Severity, State};
use crate::preflight::CaptureState;
use crate::runtime::Desk;

/// The steps, in order; the last line of the output counts them.
struct Play {
    desk: Desk,
    began: Instant,
    done: u32,
}

/// Plays the loop in `world` and prints each step with its time. `received` tells how many posts came to the receiver.
///
/// # Errors
/// The first step that failed.
pub async fn play(context: &Context, world: &World, received: impl Fn() -> usize) -> Result<Exit> {
    let desk = session::desk(context, Some(world)).await?;
    let mut play = Play { desk, began: Instant::now(), done: 0 };
    let outcome = play.all(received).await;
    let done = play.done;
    let path = play.desk.model.exported.clone();
    play.desk.leave().await;
    let mut out = std::io::stdout().lock();
    match outcome {
        Ok(()) => {
            writeln!(out, "{done} steps passed, 0 failed")?;
            if let Some(path) = path {
                writeln!(out, "postmortem: {path}")?;
            }
            Ok(Exit::Ok)
        }
        Err(trouble) => {
            writeln!(out, "{done} steps passed, 1 failed")?;
            Err(trouble.into())
        }
    }
}

impl Play {
    async fn all(&mut self, received: impl Fn() -> usize) -> Result<(), Trouble> {
        self.declare().await?;
        let containers = self.pods().await?;
        self.capture(containers).await?;
        self.verdict().await?;
        self.revert().await?;
        self.cutoff(received).await?;
        self.resolve().await?;
        self.export().await
    }

    async fn declare(&mut self) -> Result<(), Trouble> {
        self.until("pods", 60, |model| (!model.board.rows().is_empty()).then_some(())).await?;
        self.desk.wish(Intent::Declare { title: "content import is down".into(), severity: Severity::Sev1, service: String::new() });
        let state = self.until("declare", 5, |model| model.incident.clone()).await?;
        self.say("declare", format!("{} — cut-off at {}", state.id, state.cutoff.due.format("%H:%M:%SZ")))
    }

    /// The containers that climb, the one that dies first on top.
    async fn pods(&mut self) -> Result<Vec<ContainerRef>, Trouble> {
        let rows = self
            .until("pods by memory pressure", 120, |model| {
                let rows: Vec<_> = model.board.rows().iter().filter(|r| r.running && r.climbing).cloned().collect();
                (rows.first().is_some_and(|r| r.first) && rows.len() > 1).then_some(rows)
            })
            .await?;
        let worst = &rows[0];
        let slope = worst.slope.map_or_else(String::new, |s| s.to_string());
        let used = worst.working_set.map_or_else(String::new, Bytes::binary);
        let limit = worst.limit.map_or_else(|| "no limit".to_owned(), Bytes::binary);
        self.say("pods", format!("{} climbs most: {used} of {limit}, {slope}", worst.container.pod.name))?;
        Ok(rows.into_iter().map(|r| r.container).collect())
    }

    /// Preflight, then the capture of the first container that survives it; nobody types a pod's name here.
    async fn capture(&mut self, containers: Vec<ContainerRef>) -> Result<(), Trouble> {
        for container in containers {
            self.desk.wish(Intent::Preflight { container: container.clone() });
            let survey = self
                .until("preflight", 60, |model| {
                    model.surveys.get(&container).filter(|s| s.job.is_none() && (s.trouble.is_some() || !s.methods.is_empty())).cloned()
                })
                .await?;
            if let Some(trouble) = survey.trouble {
                self.say("preflight", format!("{}: {trouble}", container.pod.name))?;
                continue;
            }
            let best = &survey.methods[0];
            self.say("preflight", format!("{} by {}: {}", container.pod.name, best.method, best.headline()))?;
            if best.method == "sampling" || !best.risk.may_start() {
                continue;
            }
            self.desk.wish(Intent::Capture { container: container.clone(), method: Some(best.method.clone()) });
            let over = |model: &Model| model.captures.iter().find(|c| c.container == container && c.state.is_over()).cloned();
            let asked = self.until("capture", 180, |model| match model.prompt() {
                Some(Prompt::Risk { assessment, .. }) => Some(Err(assessment.clone())),
                _ => over(model).map(Ok),
            });
            let capture = match asked.await? {
                Ok(capture) => capture,
                // One key, as a person would press it here; what needs a pod's name typed is left alone.
                Err(assessment) if assessment.risk.may_start() => {
                    self.say("risk", format!("accepted for {}: {}", container.pod.name, assessment.headline()))?;
                    self.desk.wish(Intent::AcceptRisk { container: container.clone(), typed: String::new() });
                    self.until("capture", 180, over).await?
                }
                Err(_) => {
                    self.desk.wish(Intent::RefuseRisk { container });
                    continue;
                }
            };
            if !matches!(capture.state, CaptureState::Complete { .. }) {
                self.say("capture", format!("{}: {}", capture.state.line(), capture.remark))?;
                continue;
            }
            return self.say("capture", format!("{} {} from {}", capture.evidence, capture.state.line(), container.pod.name));
        }
        Err(failed("capture", "no pod survives a capture by preflight's word"))
    }

    async fn verdict(&mut self) -> Result<(), Trouble> {
        let verdict = self.until("analysis", 180, |model| model.analyses.iter().find_map(|a| a.verdict.clone())).await?;
        let Some(first) = verdict.first() else { return Err(failed("verdict", format!("nothing is named: {}", verdict.reason))) };
        self.say("verdict", &first.headline)?;
        let age = self.until("age of the code", 60, |model| model.incident.as_ref().and_then(|s| s.findings.last()?.age.clone())).await?;
        self.say(
            "age",
            format!(
                "{} last changed by {} on {}, older than {} of the {} changes of today",
                age.place,
                age.commit,
                age.written.format("%Y-%m-%d"),
                age.younger_changes,
                age.changes
            ),
        )
    }

    /// A rollback that cannot help, since the code is older than every revision there is; and that it did not, measured.
    async fn revert(&mut self) -> Result<(), Trouble> {
        let (workload, rollouts) = self
            .until("history", 30, |model| {
                let history = &model.history;
                (history.rollouts.len() > 1).then(|| Some((history.workload.clone()?, history.rollouts.clone()))).flatten()
            })
            .await?;
        // Without a slope from before there would be nothing to compare with.
        self.until("slope before the revert", 120, |model| {
            let rows = model.board.rows().iter().filter(|r| r.workload.as_ref() == Some(&workload));
            (rows.filter(|r| r.slope.is_some() && r.spark.len() > 14).count() > 0).then_some(())
        })
        .await?;
        let Some(target) = rollouts.iter().find(|r| !r.current) else { return Err(failed("revert", "there is no older revision")) };
        let revision = target.revision;
        let request = ActRequest {
            act: "rollback".into(),
            target: ActTarget {
                kind: workload.kind.clone(),
                namespace: self.desk.model.setting.namespace.clone(),
                name: workload.name.clone(),
            },
            args: [("revision".to_owned(), revision.to_string())].into(),
        };
        self.desk.wish(Intent::Act { request });
        let (job, preview) = self
            .until("dry-run", 30, |model| {
                model.acts.iter().find_map(|a| match &a.stage {
                    ActStage::Asking { preview } => Some((a.job, preview.clone())),
                    _ => None,
                })
            })
            .await?;
        self.say("dry-run", &preview.call)?;
        self.desk.wish(Intent::Confirm { job, typed: preview.confirm.clone().unwrap_or_default() });
        self.until("revert", 60, |model| {
            let act = model.incident.as_ref()?.acts.last()?;
            matches!(act.outcome, ActOutcome::Done { .. }).then_some(())
        })
        .await?;
        self.say("revert", format!("{workload} is back at revision {revision}"))?;
        let change = self.until("effect of the revert", 240, |model| model.incident.as_ref().and_then(|s| s.acts.last()?.effect)).await?;
        let show = |s: Option<crate::base::BytesPerSecond>| s.map_or_else(|| "unknown".to_owned(), |s| s.to_string());
        self.say("effect", format!("{:?}: {} before, {} after", change.effect, show(change.before), show(change.after)))
    }

    async fn cutoff(&mut self, received: impl Fn() -> usize) -> Result<(), Trouble> {
        let draft = self
            .until("cut-off", 600, |model| match model.prompt() {
                Some(Prompt::Cutoff { draft, .. }) => Some(draft.clone()),
                _ => None,
            })
            .await?;
        self.say("cut-off", "the clock asks; nothing but a decision closes it")?;
        self.desk.wish(Intent::GoDeep { notice: draft.to_string() });
        self.until("decision", 5, |model| model.incident.as_ref().and_then(|s| s.cutoff.deep_since)).await?;
        self.say("decision", "deep root-cause analysis; users are told that it will be LONG")?;
        self.until("notify", 30, |model| {
            let state = model.incident.as_ref()?;
            state.posts.iter().find(|p| p.post.kind == PostKind::LongNotice && p.is_sent()).map(|_| ())
        })
        .await?;
        let came = received();
        if came == 0 {
            return Err(failed("notify", "the journal says sent, but the receiver got nothing"));
        }
        self.say("notify", format!("the local receiver got {came} posts"))
    }

    async fn resolve(&mut self) -> Result<(), Trouble> {
        self.desk.wish(Intent::Resolve { text: "entries are keyed by id again; memory is level".into() });
        self.until("resolve", 5, |model| model.incident.as_ref().filter(|s| !s.is_open()).map(|_| ())).await?;
        self.say("resolve", "the clock stands still")
    }

    async fn export(&mut self) -> Result<(), Trouble> {
        self.desk.wish(Intent::Export);
        let path = self.until("export", 30, |model| model.exported.clone()).await?;
        self.say("export", path)
    }

    /// Waits for `found`, at most `seconds` of real time.
    async fn until<T>(&mut self, step: &'static str, seconds: u64, found: impl Fn(&Model) -> Option<T>) -> Result<T, Trouble> {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            if let Some(found) = found(&self.desk.model) {
                return Ok(found);
            }
            if tokio::time::timeout_at(deadline, self.desk.listen()).await.is_err() {
                let last = self.desk.model.toasts.back().map_or_else(String::new, |t| format!("; last word: {}", t.text));
                return Err(Trouble::new(TroubleKind::TimedOut, format!("{step} did not come within {seconds} s{last}"), "", ""));
            }
        }
    }

    fn say(&mut self, step: &str, what: impl Display) -> Result<(), Trouble> {
        self.done += 1;
        let real = self.began.elapsed().as_secs_f64();
        let since = |s: &State| self.desk.model.now.wall.signed_duration_since(s.declared.wall).to_std().unwrap_or_default();
        let at = self.desk.model.incident.as_ref().map(since).unwrap_or_default();
        writeln!(std::io::stdout().lock(), "[{real:6.1} s] T+{}  {step:<10} {what}", clock(at)).map_err(|e| failed("output", e))
    }
}

fn failed(step: &'static str, why: impl Display) -> Trouble {
    Trouble::new(TroubleKind::Failed, format!("{step}: {why}"), "", "")
}
