//! Pieces that views and prompts draw with. Text from outside passes [`text`] before it is drawn.

pub mod bar;
pub mod big;
pub mod cursor;
pub mod editor;
pub mod panel;
pub mod spark;
pub mod table;
pub mod text;
