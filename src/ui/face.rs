//! The stack of views, the dialog on top and the way of a key: prompt, palette, view, everywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::catalogue::{INCIDENT, POD, PROGRAM, is_program, keymap};
use super::chrome;
use super::command::Command;
use super::input::{Input, Mouse};
use super::key::Key;
use super::keys::Keymap;
use super::layout::{Layout, is_enough, layout};
use super::options::Options;
use super::overlays::{Overlay, help_lines, messages};
use super::palette::{Palette, Picked};
use super::prompts;
use super::theme::{Theme, ThemeName};
use super::view::{About, Cx, Dialog, Go, Local, Reply, View};
use super::views::VIEWS;
use super::widgets::cursor::Cursor;
use super::widgets::editor::Editor;
use super::widgets::panel::{boxed, centred};
use super::widgets::strip;
use super::widgets::text::{put, put_both};
use crate::app::{Intent, Model, Prompt, Shelf};
use crate::base::{Stamp, Trouble};

/// An answer to a key stays this long, if no other key is pressed.
const SAID: Duration = Duration::from_secs(10);

/// What the desk gets back for one input.
#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    /// What the person wants of the app, in order.
    pub intents: Vec<Intent>,
    /// What the terminal is to do.
    pub local: Vec<Local>,
}

/// The face: shows the model, turns keys into intents. It keeps what only it needs: cursors, open dialogs, drafts.
pub struct Face {
    theme: Theme,
    keys: Keymap,
    views: Vec<Box<dyn View>>,
    stack: Vec<usize>,
    dialog: Option<Box<dyn Dialog>>,
    /// Forms that were left with text in them, by title.
    kept: BTreeMap<String, Box<dyn Dialog>>,
    prompt: Option<(Prompt, Box<dyn Dialog>)>,
    /// The prompt came while the person typed: keys must not answer it before it was seen.
    interrupted: bool,
    overlay: Option<Overlay>,
    palette: Option<Palette>,
    filtering: Option<Editor>,
    said: Option<String>,
    /// When it was said; known with the first frame after it.
    said_at: Option<Stamp>,
    speed: f64,
    cancelled: bool,
    dirty: bool,
    parts: Layout,
}

impl Face {
    /// A face with `options`; the overview is open.
    ///
    /// # Errors
    /// The person's own keys clash, or name what does not exist.
    pub fn new(options: &Options) -> Result<Self, Trouble> {
        Ok(Self {
            theme: Theme::new(options.theme, options.ascii),
            keys: keymap(&options.keys)?,
            views: VIEWS.iter().map(|entry| (entry.make)()).collect(),
            stack: vec![0],
            dialog: None,
            kept: BTreeMap::new(),
            prompt: None,
            interrupted: false,
            overlay: None,
            palette: None,
            filtering: None,
            said: None,
            said_at: None,
            speed: 1.0,
            cancelled: false,
            dirty: true,
            parts: Layout::default(),
        })
    }

    /// The same face for a clock that runs `speed` times faster than real time: messages stay as long as at real time.
    #[must_use]
    pub fn at_speed(mut self, speed: f64) -> Self {
        self.speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        self
    }

    /// Whether something changed on the screen that the model does not know of.
    pub const fn wants_redraw(&self) -> bool {
        self.dirty
    }

    /// Says `words` to the person until the next key (what the terminal could not do).
    pub fn say(&mut self, words: impl Into<String>) {
        self.said = Some(words.into());
        self.said_at = None;
        self.dirty = true;
    }

    /// The name of the view that is shown.
    pub fn shown(&self) -> &'static str {
        VIEWS[self.top()].open.name
    }

    fn top(&self) -> usize {
        self.stack.last().copied().unwrap_or(0)
    }

    /// Takes one input.
    pub fn handle(&mut self, model: &Model, shelf: &Shelf, input: Input) -> Answer {
        self.dirty = true;
        self.follow(model);
        let mut answer = Answer::default();
        match input {
            Input::Key(key) => {
                self.said = None;
                self.said_at = None;
                self.key(model, shelf, key, &mut answer);
            }
            Input::Paste(text) => self.paste(&text),
            Input::Mouse(mouse) => self.mouse(model, shelf, mouse, &mut answer),
            Input::Redraw => answer.local.push(Local::Redraw),
            Input::Suspend => answer.local.push(Local::Suspend),
            Input::Stop(_) => answer.intents.push(Intent::Quit),
        }
        answer
    }

    /// Keeps the dialog of the model's first prompt.
    fn follow(&mut self, model: &Model) {
        match (model.prompt(), &self.prompt) {
            (Some(now), Some((before, _))) if prompts::same(now, before) => {}
            (Some(now), before) => {
                // Whoever types a note at this moment must not answer a question he has not read.
                let typing = self.palette.is_some() || self.filtering.is_some() || self.dialog.as_ref().is_some_and(|d| d.typing());
                let answering = before.as_ref().is_some_and(|(_, d)| d.typing());
                self.interrupted |= typing || answering;
                self.palette = None;
                self.filtering = None;
                self.overlay = None;
                self.prompt = Some((now.clone(), prompts::of(now)));
            }
            (None, _) => {
                self.prompt = None;
                self.interrupted = false;
            }
        }
    }

    fn paste(&mut self, text: &str) {
        if let Some((_, dialog)) = &mut self.prompt {
            if !self.interrupted {
                dialog.paste(text);
            }
        } else if let Some(palette) = &mut self.palette {
            palette.paste(text);
        } else if let Some(editor) = &mut self.filtering {
            editor.paste(text);
        } else if let Some(dialog) = &mut self.dialog {
            dialog.paste(text);
        } else {
            // Pasted keys would run commands.
            self.said = Some("pasted text is taken only in text fields".to_owned());
        }
    }

    fn mouse(&mut self, model: &Model, shelf: &Shelf, mouse: Mouse, answer: &mut Answer) {
        let busy = self.prompt.is_some() || self.dialog.is_some() || self.palette.is_some();
        match mouse {
            Mouse::Down | Mouse::Up if !busy => {
                let name = if mouse == Mouse::Down { "down" } else { "up" };
                self.run(model, shelf, name, "", answer);
            }
            Mouse::Click { y, .. } if !busy && self.overlay.is_none() => {
                let body = self.parts.body;
                if body.y <= y && y < body.bottom() {
                    let top = self.top();
                    let cx = Cx { model, shelf, theme: self.theme, keys: &self.keys, speed: self.speed };
                    self.views[top].click(&cx, y - body.y);
                }
            }
            Mouse::Down | Mouse::Up | Mouse::Click { .. } => {}
        }
    }

    fn key(&mut self, model: &Model, shelf: &Shelf, key: Key, answer: &mut Answer) {
        if is_program(&self.keys, key, "redraw") {
            answer.local.push(Local::Redraw);
            return;
        }
        if is_program(&self.keys, key, "suspend") {
            answer.local.push(Local::Suspend);
            return;
        }
        if is_program(&self.keys, key, "cancel") {
            self.cancel(model, answer);
            return;
        }
        self.cancelled = false;
        let cx = Cx { model, shelf, theme: self.theme, keys: &self.keys, speed: self.speed };
        if let Some((_, dialog)) = &mut self.prompt {
            if self.interrupted {
                if key.is("esc") {
                    self.interrupted = false;
                } else {
                    self.said = Some("you were typing: press Esc once, then answer; your text is kept".to_owned());
                }
                return;
            }
            let reply = dialog.key(key, &cx);
            self.take(model, shelf, reply, answer);
            return;
        }
        if self.palette.is_some() {
            self.palette_key(model, shelf, key, answer);
            return;
        }
        if let Some(editor) = &mut self.filtering {
            let done = key.is("enter") || key.is("tab");
            let left = key.is("esc");
            if !done && !left {
                editor.key(key);
            }
            let words = if left { String::new() } else { editor.value() };
            let top = self.top();
            self.views[top].set_filter(&words);
            if done || left {
                self.filtering = None;
            }
            return;
        }
        if let Some(dialog) = &mut self.dialog {
            let reply = dialog.key(key, &cx);
            self.take(model, shelf, reply, answer);
            return;
        }
        if let Some(overlay) = &mut self.overlay {
            if overlay.key(key) {
                return;
            }
            self.overlay = None;
            if key.is("esc") || key.is("q") || is_program(&self.keys, key, "help") {
                return;
            }
        }
        let command = self.keys.find(key, self.commands());
        match command {
            Some(command) => self.run(model, shelf, command.name, "", answer),
            None => self.said = Some(format!("{key} does nothing here; ? shows the keys")),
        }
    }

    /// The commands that work now: the view's, then everywhere's.
    fn commands(&self) -> impl Iterator<Item = &'static Command> + use<> {
        let view = &self.views[self.top()];
        let lists: &'static [Command] = if view.lists() { Cursor::COMMANDS } else { &[] };
        let openers = VIEWS.iter().map(|e| &e.open);
        view.commands().iter().chain(lists).chain(POD).chain(INCIDENT).chain(PROGRAM).chain(openers)
    }

    fn palette_key(&mut self, model: &Model, shelf: &Shelf, key: Key, answer: &mut Answer) {
        let known: Vec<&'static Command> = self.commands().collect();
        let Some(palette) = &mut self.palette else { return };
        match palette.key(key, &known) {
            Picked::Nothing => {}
            Picked::Leave => self.palette = None,
            Picked::Run(name, words) => {
                self.palette = None;
                self.run(model, shelf, &name, &words, answer);
            }
        }
    }

    /// Ctrl-C: closes what is open, else cancels the newest job, and the second time in a row leaves.
    fn cancel(&mut self, model: &Model, answer: &mut Answer) {
        if self.cancelled {
            answer.intents.push(Intent::Quit);
            return;
        }
        self.cancelled = true;
        if self.prompt.is_none() && (self.palette.take().is_some() || self.filtering.take().is_some()) {
            self.said = Some("ctrl-c again leaves".to_owned());
            return;
        }
        match model.jobs.iter().next_back().filter(|(_, job)| !job.cancelling) {
            Some((id, job)) => {
                answer.intents.push(Intent::Cancel { job: *id });
                self.said = Some(format!("cancelling {}; ctrl-c again leaves", job.what));
            }
            None => self.said = Some("nothing runs; ctrl-c again leaves".to_owned()),
        }
    }

    /// Does the command `name`; `words` is what was typed behind it in the palette.
    fn run(&mut self, model: &Model, shelf: &Shelf, name: &str, words: &str, answer: &mut Answer) {
        let cx = Cx { model, shelf, theme: self.theme, keys: &self.keys, speed: self.speed };
        let top = self.top();
        if let Some(reply) = self.views[top].on(name, &cx) {
            self.take(model, shelf, reply, answer);
            return;
        }
        self.everywhere(model, shelf, name, words, answer);
    }

    /// Does a command that is not the view's own.
    fn everywhere(&mut self, model: &Model, shelf: &Shelf, name: &str, words: &str, answer: &mut Answer) {
        let cx = Cx { model, shelf, theme: self.theme, keys: &self.keys, speed: self.speed };
        let top = self.top();
        if let Some(entry) = VIEWS.iter().find(|e| e.open.name == name) {
            self.take(model, shelf, Reply::go(entry.open.name, About::Anything), answer);
            return;
        }
        if let Some(reply) = super::actions::act(&cx, self.views[top].as_ref(), name, words) {
            self.take(model, shelf, reply, answer);
            return;
        }
        self.program(model, shelf, name, words, answer);
    }

    fn program(&mut self, model: &Model, shelf: &Shelf, name: &str, words: &str, answer: &mut Answer) {
        match name {
            "help" => self.overlay = Some(Overlay::help()),
            "messages" => self.overlay = Some(Overlay::messages()),
            "palette" => self.palette = Some(Palette::default()),
            "filter" => match self.views[self.top()].filter() {
                Some(filter) => self.filtering = Some(Editor::line(filter).hint("words, !not")),
                None => self.said = Some("there is nothing to filter in this view".to_owned()),
            },
            "back" => {
                let top = self.top();
                if self.views[top].filter().is_some_and(|f| !f.is_empty()) {
                    self.views[top].set_filter("");
                } else if self.stack.len() > 1 {
                    self.leave(model, shelf, answer);
                }
            }
            "close" if self.stack.len() > 1 => self.leave(model, shelf, answer),
            "close" | "quit" => {
                let idle = model.jobs.is_empty() && !model.incident.as_ref().is_some_and(crate::incident::State::is_open);
                if idle { answer.intents.push(Intent::Quit) } else { self.dialog = Some(Box::new(prompts::Quit)) }
            }
            "redraw" => answer.local.push(Local::Redraw),
            "suspend" => answer.local.push(Local::Suspend),
            "cancel" => self.cancel(model, answer),
            "theme" => match ThemeName::parse(words.trim()) {
                Some(theme) => self.theme = Theme::new(theme, self.theme.is_ascii()),
                None => self.said = Some(":theme dark, light, mono or high-contrast".to_owned()),
            },
            _ => self.said = Some(format!("{name} has nothing to act on here")),
        }
    }

    fn leave(&mut self, model: &Model, shelf: &Shelf, answer: &mut Answer) {
        let cx = Cx { model, shelf, theme: self.theme, keys: &self.keys, speed: self.speed };
        let top = self.top();
        let reply = self.views[top].left(&cx);
        self.stack.pop();
        if let Some(reply) = reply {
            self.take(model, shelf, reply, answer);
        }
    }

    fn take(&mut self, model: &Model, shelf: &Shelf, reply: Reply, answer: &mut Answer) {
        let sent = reply.intents.len();
        answer.intents.extend(reply.intents);
        answer.local.extend(reply.local);
        let cx = Cx { model, shelf, theme: self.theme, keys: &self.keys, speed: self.speed };
        if reply.close
            && self.prompt.is_none()
            && let Some(dialog) = self.dialog.take()
            && sent == 0
            && dialog.is_begun()
        {
            self.said = Some("nothing was sent; the text is kept for the next time".to_owned());
            self.kept.insert(dialog.title(&cx), dialog);
        }
        if let Some(dialog) = reply.dialog {
            let kept = self.kept.remove(&dialog.title(&cx));
            if kept.is_some() {
                self.said = Some("the text you left is back".to_owned());
            }
            self.dialog = Some(kept.unwrap_or(dialog));
        }
        if reply.say.is_some() {
            self.said = reply.say;
        }
        if let Some(Go(name, about)) = reply.go {
            self.go(model, shelf, name, &about, answer);
        }
        if let Some(command) = reply.command {
            self.everywhere(model, shelf, command, "", answer);
        }
    }

    fn go(&mut self, model: &Model, shelf: &Shelf, name: &str, about: &About, answer: &mut Answer) {
        let Some(index) = VIEWS.iter().position(|e| e.open.name == name) else { return };
        let cx = Cx { model, shelf, theme: self.theme, keys: &self.keys, speed: self.speed };
        let before = self.top();
        if before != index {
            // Views that are gone through by number do not pile up; drilled-down ones do.
            self.stack.retain(|i| *i != index);
            if *about == About::Anything {
                self.stack.truncate(1);
            }
            if index == 0 {
                self.stack.clear();
            }
            self.stack.push(index);
            if let Some(left) = self.views[before].left(&cx) {
                answer.intents.extend(left.intents);
            }
        }
        if let Some(reply) = self.views[index].show(about, &cx) {
            answer.intents.extend(reply.intents);
            if reply.say.is_some() {
                self.said = reply.say;
            }
        }
    }

    /// Draws everything.
    pub fn draw(&mut self, model: &Model, shelf: &Shelf, frame: &mut Frame<'_>) {
        let area = frame.area();
        self.paint(model, shelf, area, frame.buffer_mut());
        self.dirty = false;
    }

    /// Draws everything into `buf`.
    pub fn paint(&mut self, model: &Model, shelf: &Shelf, area: Rect, buf: &mut Buffer) {
        self.follow(model);
        let keys = self.keys.clone();
        let cx = Cx { model, shelf, theme: self.theme, keys: &keys, speed: self.speed };
        let said_at = *self.said_at.get_or_insert(model.now);
        if cx.since(said_at) > SAID {
            self.said = None;
        }
        if !is_enough(area) {
            chrome::too_small(&cx, area, buf);
            self.theme.finish(buf);
            return;
        }
        let parts = layout(area, model.incident.is_some(), !model.setting.notice.is_empty());
        self.parts = parts;
        let columns = usize::from(area.width);
        put(buf, parts.clock, 0, &chrome::clock_line(&cx, columns));
        chrome::big_clock(&cx, parts.big, buf);
        put(buf, parts.tabs, 0, &chrome::tabs(&cx, self.shown(), columns));
        chrome::notice(&cx, parts.notice, buf);
        self.body(&cx, parts.body, buf);
        let (left, right) = chrome::next_line(&cx, columns);
        put_both(buf, parts.next, 0, &left, &right);
        let (left, right) = chrome::status_lines(&cx, self.said.as_deref(), columns);
        put_both(buf, parts.status, 0, &left, &right);
        self.foot(&cx, parts.footer, buf);
        self.theme.finish(buf);
    }

    fn body(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let top = self.top();
        if let Some((_, dialog)) = &mut self.prompt {
            // What presses stays in sight while something is decided.
            let strip = strip::rows(cx.model, area.height);
            let (upper, lower) = split(area, strip);
            strip::draw(cx, upper, buf);
            modal(cx, dialog.as_mut(), lower, buf, true);
            if self.interrupted {
                let words = " you were typing: press Esc, then answer; your text is kept ";
                put(
                    buf,
                    Rect { y: lower.y, height: 1, ..lower },
                    0,
                    &ratatui::text::Line::styled(words, cx.style(super::theme::Role::Bad)),
                );
            }
            return;
        }
        let view = &mut self.views[top];
        view.arrange(cx, area);
        view.draw(cx, area, buf);
        if let Some(dialog) = &mut self.dialog {
            modal(cx, dialog.as_mut(), area, buf, false);
        }
        if let Some(overlay) = &mut self.overlay {
            let lines = match overlay.kind {
                super::overlays::Kind::Help => help_lines(cx, VIEWS[top].open.name, VIEWS[top].title, self.views[top].as_ref(), area.width),
                super::overlays::Kind::Messages => messages(cx, area.width),
            };
            overlay.draw(cx, area, buf, &lines);
        }
        if self.palette.is_some() {
            let known: Vec<&'static Command> = self.commands().collect();
            if let Some(palette) = &mut self.palette {
                palette.draw(cx, area, buf, &known);
            }
        }
    }

    fn foot(&mut self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let columns = usize::from(area.width);
        if let Some(editor) = &mut self.filtering {
            put(buf, area, 0, &ratatui::text::Line::styled("filter /", cx.style(super::theme::Role::Key)));
            let at = Rect { x: area.x + 9.min(area.width), width: area.width.saturating_sub(9), ..area };
            editor.draw(buf, at, cx.theme, true);
            return;
        }
        if let Some((_, dialog)) = &self.prompt {
            put(buf, area, 0, &chrome::dialog_footer(cx, dialog.commands(), columns));
        } else if let Some(palette) = &self.palette {
            put(buf, area, 0, &palette.footer(cx));
        } else if let Some(dialog) = &self.dialog {
            put(buf, area, 0, &chrome::dialog_footer(cx, dialog.commands(), columns));
        } else {
            let always: Vec<&'static Command> = PROGRAM.iter().filter(|c| matches!(c.name, "help" | "palette")).collect();
            let view = self.views[self.top()].commands().iter().chain(POD).chain(INCIDENT);
            put(buf, area, 0, &chrome::footer(cx, always.into_iter().chain(view), columns));
        }
    }
}

fn split(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

fn modal(cx: &Cx<'_>, dialog: &mut dyn Dialog, area: Rect, buf: &mut Buffer, whole: bool) {
    let columns = if whole { area.width } else { area.width.min(100) };
    let rows = dialog.rows(cx, columns.saturating_sub(4)).saturating_add(2);
    let at = if whole { Rect { height: area.height, ..area } } else { centred(area, columns, rows) };
    let inner = boxed(buf, at, cx.theme, &dialog.title(cx), dialog.role());
    dialog.draw(cx, inner, buf);
}
