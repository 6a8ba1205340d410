//! Pieces that views and prompts draw with. Text from outside passes [`text`] before it is drawn.

pub mod bar;
pub mod big;
pub mod cursor;
pub mod editor;
pub mod panel;
pub mod pod;
pub mod preflight;
pub mod spark;
pub mod strip;
pub mod table;
pub mod text;
