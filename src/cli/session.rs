//! Wires hands, clock and model into a desk: for the dashboard, for the demo, for the headless run.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use super::{Context, Exit, dashboard as screen, incident};
use crate::app::{Intent, Model};
use crate::base::{Clock, Trouble};
use crate::cluster::Session;
use crate::journal::{self, Journal};
use crate::pressure::Board;
use crate::runtime::{Desk, Hands};

/// A world that is not the user's own: the demo's, reached by its kubeconfig like any other.
pub struct World {
    /// Kubeconfig.
    pub kubeconfig: PathBuf,
    /// Namespace.
    pub namespace: String,
    /// Repository of the service.
    pub repository: Option<PathBuf>,
    /// A sentence that stays on the screen.
    pub notice: String,
    /// Incident time.
    pub clock: Arc<dyn Clock>,
    /// How many times faster than real time that is.
    pub speed: f64,
    /// Where posts go.
    pub webhook: String,
    /// Where incidents go.
    pub data_dir: PathBuf,
}

/// A desk on the user's cluster, or on `world`.
///
/// # Errors
/// A config, kubeconfig or credential problem, told before the terminal is taken.
pub async fn desk(context: &Context, world: Option<&World>) -> Result<Desk> {
    super::log::begin(&context.paths().log_file(), context.global.verbose);
    let mut config = context.config()?;
    if let Some(world) = world {
        quicken(&mut config, world);
    }
    let clock = world.map_or_else(|| context.clock(), |w| w.clock.clone());
    let mut options = config.cluster.clone();
    if let Some(world) = world {
        options.kubeconfig = Some(world.kubeconfig.clone());
        options.namespace = Some(world.namespace.clone());
        options.context = None;
    }
    let session = Session::connect(options, clock.clone()).await.map_err(Trouble::from)?;
    let data_dir = match world {
        Some(world) => world.data_dir.clone(),
        None => context.paths().data_dir.clone(),
    };
    let mut setting = context.setting(&config, &session.context(), &session.namespace())?;
    setting.taken = journal::incidents(&data_dir).map_err(Trouble::from)?.into_iter().map(|i| i.id.as_str().to_owned()).collect();
    if let Some(world) = world {
        setting.notice.clone_from(&world.notice);
        setting.repository = world.repository.as_ref().map(|r| r.display().to_string());
    }
    let hands = Hands {
        clock: clock.clone(),
        session,
        metrics: config.metrics,
        channels: context.channels(&config)?,
        holder: incident::holder(context),
        data_dir: data_dir.clone(),
        cache_dir: context.paths().cache_dir.clone(),
        template: context.template()?,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        first_looks: crate::runtime::FirstLooks::default(),
        early: crate::runtime::Early::default(),
    };
    let model = Model::new(setting, Board::new(config.pressure), clock.now());
    let mut desk = Desk::new(model, hands);
    desk.wish(Intent::UsePlaybook { playbook: Box::new(context.playbook(&config)?) });
    Ok(desk)
}

/// Opens the dashboard. An open incident is taken up where it was left.
///
/// # Errors
/// As [`desk`]; or the terminal is none.
pub async fn dashboard(context: &Context, world: Option<World>) -> Result<Exit> {
    let config = context.config()?;
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    let utf8 = locale.is_none_or(|l| l.to_ascii_lowercase().replace('-', "").contains("utf8"));
    let ui = config.ui.clone().in_terminal(set("NO_COLOR").is_some(), utf8, context.global.theme.is_some());
    let face = crate::ui::Face::new(&ui)?.at_speed(world.as_ref().map_or(1.0, |w| w.speed));
    let mut desk = desk(context, world.as_ref()).await?;
    let data_dir = match &world {
        Some(world) => world.data_dir.clone(),
        None => context.paths().data_dir.clone(),
    };
    take_up(context, &mut desk, &data_dir)?;
    crate::disk::private_dir(&data_dir).map_err(Trouble::from)?;
    // Without a door the dashboard works; `cutoff note` beside it says why it does not.
    let door =
        crate::runtime::socket::listen(&super::context::socket_at(&data_dir)).map_err(|trouble| tracing::warn!(%trouble, "socket")).ok();
    let terminal = crate::ui::Terminal::open(config.ui.mouse)?;
    screen::run(desk, face, terminal, door).await
}

/// Takes up the incident that is meant, else the newest open one below `data_dir`, if there is one.
///
/// # Errors
/// When it cannot be read, or somebody else holds it.
pub fn take_up(context: &Context, desk: &mut Desk, data_dir: &std::path::Path) -> Result<()> {
    let open = match &context.global.incident {
        Some(_) => Some(incident::meant(context, true)?),
        None => journal::newest_open(data_dir).map_err(Trouble::from)?.map(|i| i.id),
    };
    if let Some(id) = open {
        let opened = Journal::open(data_dir, &id, &incident::holder(context)).map_err(Trouble::from)?;
        for notice in &opened.notices {
            tracing::warn!(%notice, incident = id.as_str(), "journal");
        }
        desk.reopen(opened.journal, opened.events);
    }
    Ok(())
}

/// Fits spans of incident time to a world in which they pass `speed` times faster: the samples do not come faster.
fn quicken(config: &mut crate::config::Config, world: &World) {
    let times = |seconds: u64| (seconds as f64 * world.speed.max(1.0)) as u64;
    let pressure = &mut config.pressure;
    // A demo's pods are young and its samples exact: a shorter look is enough.
    pressure.window_s = times(60);
    pressure.warm_up_s = times(10);
    pressure.stale_s = times(pressure.stale_s);
    config.metrics.interval_s = 2;
    config.changes.judge_by_s = times(config.changes.judge_by_s);
    config.notify.channels.push(crate::notify::ChannelOptions {
        name: "status-page".to_owned(),
        kind: "webhook".to_owned(),
        url: Some(world.webhook.clone()),
        ..crate::notify::ChannelOptions::default()
    });
}
