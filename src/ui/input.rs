//! What comes from the person's side.

use super::key::Key;

/// One thing that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text that was pasted, as one piece.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// The size changed, or the program was continued: draw everything.
    Redraw,
    /// Stop as Ctrl-Z does.
    Suspend,
    /// A signal (or the terminal's end) asks to leave; the exit code that says so.
    Stop(u8),
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// A button was pressed at column and row.
    Click {
        /// Column from 0.
        x: u16,
        /// Row from 0.
        y: u16,
    },
    /// The wheel, down.
    Down,
    /// The wheel, up.
    Up,
}
