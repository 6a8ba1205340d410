//! The loop of the terminal: the desk decides, the face draws; neither knows of the other. A key is handled at once; what
//! waits is taken; then it is drawn, at most 60 times a second and only if something changed.

use std::time::Duration;

use anyhow::Result;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Exit;
use crate::app::Intent;
use crate::runtime::Desk;
use crate::ui::{Face, Input, Local, Terminal};

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// Shows `desk` on the terminal until the person leaves.
///
/// # Errors
/// When the terminal is gone or is none.
pub async fn run(mut desk: Desk, mut face: Face, mut terminal: Terminal, mut door: Option<mpsc::Receiver<Intent>>) -> Result<Exit> {
    let mut exit = Exit::Ok;
    let mut drawn = Instant::now();
    let mut dirty = true;
    loop {
        if dirty && drawn.elapsed() >= FRAME {
            terminal.draw(|frame| face.draw(&desk.model, &desk.shelf, frame))?;
            drawn = Instant::now();
            dirty = false;
        }
        tokio::select! {
            biased;
            input = terminal.next() => {
                dirty = true;
                if let Input::Stop(code) = input {
                    exit = Exit::Signal(code);
                    desk.wish(Intent::Quit);
                } else {
                    let answer = face.handle(&desk.model, &desk.shelf, input);
                    answer.intents.into_iter().for_each(|intent| desk.wish(intent));
                    for local in answer.local {
                        if let Err(trouble) = here(&mut terminal, local) {
                            face.say(trouble.to_string());
                        }
                    }
                }
            }
            intent = from_door(&mut door) => {
                dirty = true;
                desk.wish(intent);
            }
            () = desk.listen() => dirty = true,
            () = sleep_until(drawn + FRAME), if dirty => {}
        }
        if desk.rang() {
            // A terminal without a bell is no reason to stop.
            let _ = terminal.bell();
        }
        if desk.model.leaving {
            break;
        }
    }
    drop(terminal);
    let left = desk.leave().await;
    if left > 0 {
        tracing::warn!(left, "jobs did not end in time");
    }
    Ok(exit)
}

async fn from_door(door: &mut Option<mpsc::Receiver<Intent>>) -> Intent {
    if let Some(door) = door
        && let Some(intent) = door.recv().await
    {
        return intent;
    }
    std::future::pending().await
}

fn here(terminal: &mut Terminal, local: Local) -> Result<(), crate::base::Trouble> {
    match local {
        Local::Redraw => terminal.redraw(),
        Local::Suspend => terminal.suspend(),
        Local::Copy(text) => terminal.copy(&text),
    }
}
