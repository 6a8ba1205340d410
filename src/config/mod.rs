//! Composes the rooms' options; schema, example, paths, where each value came from.

mod load;
mod model;
mod paths;
mod schema;
#[cfg(test)]
mod tests;
mod tree;

pub use load::{Flag, Loaded, Request, load, nearest_key};
pub use model::{CaptureOptions, ChangeOptions, Config, PersonOptions, PlaybookOptions, PostmortemOptions, SourceOptions};
pub use paths::{Env, Paths};
pub use schema::{example, schema};
pub use tree::Origin;
