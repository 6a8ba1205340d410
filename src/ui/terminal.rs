//! The terminal: taken and given back under all circumstances, keys and signals in, frames out. The only file of the face
//! that touches the world.
//!
//! One guard holds raw mode, alternate screen, bracketed paste and mouse. They are given back on return, on a panic of
//! the drawing thread (before its message is printed), on SIGHUP, SIGINT, SIGTERM and SIGQUIT (as [`Input::Stop`], so
//! that the journal is flushed first) and while the program is stopped by SIGTSTP.

use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event, EventStream, KeyEventKind, MouseEventKind,
};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use futures::StreamExt;
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::input::{Input, Mouse};
use crate::base::{Trouble, TroubleKind};

/// Whether the terminal is ours at present; the panic hook asks.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether mouse events were asked for.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// 128 + SIGHUP: also where the terminal is gone without a signal.
const HANGUP: u8 = 129;

/// The terminal while the face is on it.
pub struct Terminal {
    screen: ratatui::Terminal<CrosstermBackend<Stdout>>,
    events: Option<EventStream>,
    signals: Signals,
}

struct Signals {
    hup: Signal,
    int: Signal,
    term: Signal,
    quit: Signal,
    stop: Signal,
    cont: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        // SIGWINCH comes as a resize event.
        Ok(Self {
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            cont: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }
}

fn trouble(error: &io::Error) -> Trouble {
    Trouble::new(
        TroubleKind::Failed,
        format!("the terminal does not answer: {error}"),
        "",
        "run it in a terminal, or use the commands of `cutoff --help`",
    )
}

impl Terminal {
    /// Takes the terminal. Must be called inside the runtime, from the thread that draws.
    ///
    /// # Errors
    /// Refuses (kind Usage, exit 2) when standard input or output is not a terminal or `TERM` is `dumb`.
    pub fn open(mouse: bool) -> Result<Self, Trouble> {
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() || dumb {
            return Err(Trouble::new(
                TroubleKind::Usage,
                "the dashboard needs a terminal",
                if dumb { "TERM=dumb" } else { "standard input or output is not one" },
                "run it without pipes, or use `cutoff status`, `cutoff pods --json` and the other commands of `cutoff --help`",
            ));
        }
        let signals = Signals::new().map_err(|e| trouble(&e))?;
        hook();
        MOUSE.store(mouse, Ordering::Relaxed);
        take().map_err(|e| trouble(&e))?;
        let screen = ratatui::Terminal::new(CrosstermBackend::new(io::stdout())).map_err(|e| trouble(&e));
        match screen {
            Ok(screen) => Ok(Self { screen, events: Some(EventStream::new()), signals }),
            Err(trouble) => {
                give_back();
                Err(trouble)
            }
        }
    }

    /// Draws one frame.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<(), Trouble> {
        self.screen.draw(draw).map(|_| ()).map_err(|e| trouble(&e))
    }

    /// The next thing that comes from the person or the system. Safe to drop and call again.
    pub async fn next(&mut self) -> Input {
        loop {
            let Some(events) = self.events.as_mut() else { return Input::Stop(HANGUP) };
            let signals = &mut self.signals;
            let event = tokio::select! {
                biased;
                _ = signals.hup.recv() => return Input::Stop(HANGUP),
                _ = signals.term.recv() => return Input::Stop(143),
                _ = signals.int.recv() => return Input::Stop(130),
                _ = signals.quit.recv() => return Input::Stop(131),
                _ = signals.stop.recv() => return Input::Suspend,
                _ = signals.cont.recv() => return Input::Redraw,
                event = events.next() => event,
            };
            match event {
                // The terminal is gone (EIO): whoever goes on reading spins.
                None | Some(Err(_)) => {
                    self.events = None;
                    return Input::Stop(HANGUP);
                }
                Some(Ok(event)) => {
                    if let Some(input) = read(event) {
                        return input;
                    }
                }
            }
        }
    }

    /// Forgets what is on the screen, so that the next frame is drawn whole.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn redraw(&mut self) -> Result<(), Trouble> {
        // `clear` would ask the terminal where its cursor is, and the reader of keys would swallow the answer.
        let size = self.screen.size().map_err(|e| trouble(&e))?;
        self.screen.resize(ratatui::layout::Rect::from((ratatui::layout::Position::ORIGIN, size))).map_err(|e| trouble(&e))
    }

    /// Puts `text` on the clipboard of the person's own terminal (OSC 52; it passes SSH, in tmux with `set-clipboard on`).
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn copy(&mut self, text: &str) -> Result<(), Trouble> {
        let coded = base64::engine::general_purpose::STANDARD.encode(text);
        write_all(&format!("\u{1b}]52;c;{coded}\u{7}")).map_err(|e| trouble(&e))
    }

    /// Rings.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn bell(&mut self) -> Result<(), Trouble> {
        write_all("\u{7}").map_err(|e| trouble(&e))
    }

    /// Gives the terminal back, stops the program as Ctrl-Z does, and takes the terminal again after `fg`.
    ///
    /// # Errors
    /// Refuses where nothing could continue it (it is the first process of its session); or the terminal is gone.
    pub fn suspend(&mut self) -> Result<(), Trouble> {
        let me = rustix::process::getpid();
        if rustix::process::getsid(None).is_ok_and(|sid| sid == me) {
            return Err(Trouble::new(TroubleKind::Refused, "there is no shell to go back to", "", "detach the multiplexer instead"));
        }
        // The reader of keys must not steal what is typed into the shell.
        self.events = None;
        give_back();
        let stopped = rustix::process::kill_process(me, rustix::process::Signal::STOP).map_err(|e| trouble(&e.into()));
        self.resume()?;
        stopped
    }

    /// Lets `run` have the terminal (an editor, a login), then takes it again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn lend<T>(&mut self, run: impl FnOnce() -> T) -> Result<T, Trouble> {
        self.events = None;
        give_back();
        let result = run();
        self.resume()?;
        Ok(result)
    }

    fn resume(&mut self) -> Result<(), Trouble> {
        take().map_err(|e| trouble(&e))?;
        self.events = Some(EventStream::new());
        self.redraw()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn read(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => None,
        Event::Key(key) => Some(Input::Key(super::key::Key::of(key))),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(..) => Some(Input::Redraw),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(_) => Some(Input::Mouse(Mouse::Click { x: mouse.column, y: mouse.row })),
            MouseEventKind::ScrollDown => Some(Input::Mouse(Mouse::Down)),
            MouseEventKind::ScrollUp => Some(Input::Mouse(Mouse::Up)),
            _ => None,
        },
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn write_all(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    execute!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if MOUSE.load(Ordering::Relaxed) {
        execute!(out, EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back, once; what fails is left, since there is nobody to tell.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    if MOUSE.load(Ordering::Relaxed) {
        let _ = execute!(out, DisableMouseCapture);
    }
    let _ = execute!(out, DisableBracketedPaste, Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}

/// A panic of the thread that draws ends the program: the terminal is given back before the message is printed. A panic
/// elsewhere ends one job, which says so; its message goes to the log, not over the screen.
fn hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let drawing = std::thread::current().id();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == drawing || !TAKEN.load(Ordering::SeqCst) {
                give_back();
                before(info);
            } else {
                tracing::error!("panic in a job: {info}");
            }
        }));
    });
}
