//! The capture methods, best first: one file a method, one line in [`METHODS`].

mod cdp;
pub(super) mod file;
pub(super) mod near_limit;
mod oom_freeze;
mod sampling;
mod signal;
mod worker;

use crate::cluster::Rule;

use super::method::Method;

#[cfg(test)]
pub(super) use sampling::take as sample_for;

/// All methods in the order in which they are preferred.
pub const METHODS: &[&dyn Method] =
    &[&cdp::Cdp, &signal::BySignal, &sampling::Sampling, &near_limit::NearLimit, &oom_freeze::OomFreeze, &worker::OfWorker];

pub(super) const EXEC_GET: Rule = Rule::new("", "pods/exec", "get");
pub(super) const EXEC_CREATE: Rule = Rule::new("", "pods/exec", "create");
pub(super) const FORWARD_GET: Rule = Rule::new("", "pods/portforward", "get");
pub(super) const FORWARD_CREATE: Rule = Rule::new("", "pods/portforward", "create");

/// The method called `name`.
pub fn find(name: &str) -> Option<&'static dyn Method> {
    METHODS.iter().copied().find(|method| method.spec().name == name)
}

/// The rights of all methods, each once, in order.
pub fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = METHODS.iter().flat_map(|method| method.needs().iter().cloned()).collect();
    rules.sort();
    rules.dedup();
    rules
}
