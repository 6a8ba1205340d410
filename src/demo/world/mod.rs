//! The cluster's state: objects, the log of their changes, and the controllers that move them.

mod controllers;
pub(crate) mod events;
mod patch;
mod refusal;
mod resource;
mod schema;
mod selector;
mod store;
mod template;

pub(crate) use controllers::{mark_deleted, reconcile};
pub(crate) use patch::{Patch, apply};
pub(crate) use refusal::Refusal;
pub(crate) use resource::{Kind, RESOURCES, Resource};
pub(crate) use schema::{Fields, check};
pub(crate) use selector::Selector;
pub(crate) use store::{Change, Store, What, now, object_at, text};
pub(crate) use template::{NODE, create_pod, hash, placed};
