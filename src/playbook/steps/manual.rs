//! Something that a person does outside of this program.

use super::kind::{Kind, by_hand};
use crate::playbook::model::Ask;

pub(super) static KIND: Kind =
    Kind { name: "manual", help: "a person does it and ticks it", keys: &[], required: &[], ask: |_, _| Ask::Manual, ticks: by_hand };
