//! The list of verbs. A new verb is a file here and a line in [`VERBS`].

mod completions;
mod man;

use anyhow::Result;

use super::{Context, Exit, Verb};

/// All verbs, in the order of `--help`.
pub const VERBS: &[&dyn Verb] = &[&completions::Completions, &man::Man];

/// What `cutoff` without a verb does.
pub fn dashboard(_context: &Context) -> Result<Exit> {
    Ok(Exit::Usage)
}
