//! The dashboard in a real terminal (a PTY), on the demo's recording: start, every view, resize, the forms, export, quit,
//! and the terminal as it was.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longest wait for something to appear; a loaded machine is slow, a broken program never shows it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A size that is not zero.
pub fn size(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).expect("a size above 0")
}

/// The dashboard in a PTY.
pub struct Tui {
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    _home: tempfile::TempDir,
}

impl Tui {
    pub fn start(args: &[&str], cols: u16, rows: u16) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let pty = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a pty");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_cutoff"));
        command.args(args);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("CUTOFF_WHO", "ann");
        let child = pty.slave.spawn_command(command).expect("the binary starts");
        drop(pty.slave);
        let mut output = pty.master.try_clone_reader().expect("a reader");
        let keys = pty.master.take_writer().expect("a writer");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(cols), 0)));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n) = output.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                shown.lock().expect("no panic while it is held").process(&buffer[..n]);
            }
        });
        Self { screen, keys, master: pty.master, child, _home: home }
    }

    /// The terminal as it is now.
    pub fn parser(&self) -> std::sync::MutexGuard<'_, vt100::Parser> {
        self.screen.lock().expect("no panic while it is held")
    }

    /// What it shows.
    pub fn text(&self) -> String {
        self.screen.lock().expect("no panic while it is held").screen().contents()
    }

    /// Types `keys`.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    /// Waits until the screen shows `wanted`.
    pub fn see(&self, wanted: &str) {
        self.until(wanted, |text| text.contains(wanted));
    }

    /// Waits until the screen `holds`.
    pub fn until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !holds(&self.text()) {
            assert!(began.elapsed() < PATIENCE, "not seen within {PATIENCE:?}: {what}\n--- screen ---\n{}", self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn resize(&self, cols: u16, rows: u16) {
        self.screen.lock().expect("no panic while it is held").screen_mut().set_size(size(rows), size(cols));
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("the pty takes a size");
    }

    pub fn ends(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status.exit_code();
            }
            assert!(began.elapsed() < PATIENCE, "it does not end\n{}", self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn an_outage_in_a_terminal() {
    let mut tui = Tui::start(&["demo", "--recorded"], 80, 24);
    tui.see("content-import");
    // The clock starts with the declaration, which asks for a title and proposes one.
    tui.press("!");
    tui.see("eclare");
    tui.press("\r");
    tui.see("T+00:00");
    for view in '1'..='9' {
        tui.press(&view.to_string());
        tui.until("the clock on every view", |text| text.lines().next().is_some_and(|top| top.contains("T+")));
    }
    tui.press("1");
    tui.see("content-import");
    tui.press("?");
    tui.see("esc");
    tui.press("\u{1b}");
    // A key right behind Esc would be Alt with that key.
    tui.until("the help closed", |text| !text.contains("esc"));
    tui.press("n");
    tui.see("NOTE");
    tui.press("reverted 4812, no change");
    tui.press("\u{13}");
    tui.press("6");
    tui.see("reverted 4812");
    for (cols, rows) in [(200, 50), (60, 20), (80, 24)] {
        tui.resize(cols, rows);
        tui.until("the clock at every size", |text| text.lines().next().is_some_and(|top| top.contains("T+")));
    }
    tui.resize(40, 10);
    tui.until("a word where the terminal is too small", |text| text.to_lowercase().contains("small"));
    tui.resize(80, 24);
    tui.see("reverted 4812");
    tui.press("E");
    tui.see("postmortem");
    tui.press("q");
    tui.press("q");
    tui.until("the question, or the end", |text| text.contains("eave") || text.contains("uit") || text.trim().is_empty());
    tui.press("y");
    assert_eq!(tui.ends(), 0);
    let parser = tui.screen.lock().expect("no panic while it is held");
    let screen = parser.screen();
    assert!(!screen.alternate_screen(), "the terminal has its own screen back");
    assert!(!screen.hide_cursor(), "and its cursor");
    assert!(!screen.bracketed_paste(), "and pastes as before");
}

#[test]
fn a_pipe_is_no_terminal() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_cutoff"))
        .args(["demo", "--recorded"])
        .env("HOME", home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the binary starts");
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(String::from_utf8_lossy(&out.stderr).contains("terminal"));
}

#[test]
fn nothing_is_lost_to_kill_9() {
    let kept = tempfile::tempdir().expect("a temporary directory");
    let data = kept.path().display().to_string();
    let args = ["demo", "--recorded", "--keep", &data];
    let mut tui = Tui::start(&args, 80, 24);
    tui.see("content-import");
    tui.press("!");
    tui.see("eclare");
    tui.press("\r");
    tui.see("T+00:00");
    tui.press("n");
    tui.see("NOTE");
    tui.press("the boss asked for news");
    tui.press("\u{13}");
    tui.press("6");
    tui.see("the boss asked for news");
    // SIGKILL: no handler runs, nothing is flushed on the way out.
    tui.child.kill().expect("a child of ours");
    let _ = tui.child.wait();
    let mut again = Tui::start(&args, 80, 24);
    again.until("the clock goes on by itself", |text| text.lines().next().is_some_and(|top| top.contains("T+")));
    again.press("6");
    again.see("the boss asked for news");
}
