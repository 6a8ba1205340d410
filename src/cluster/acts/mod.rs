//! Acts: changes of the cluster, each found out first (server-side dry-run), then done exactly as shown. One file an act,
//! one line in [`ACTS`]; dialog, record, undo and RBAC come from the trait.

mod arm;
mod isolate;
mod resize;
mod restart;
mod rollback;
mod tools;

pub use isolate::MARK as ISOLATED;

use futures::future::BoxFuture;

use super::error::{Error, foreign};
use super::rule::Rule;
use super::session::Session;
use crate::incident::{ActRequest, Preview, Receipt};

/// A kind of change.
pub trait Act: Sync {
    /// Its name in requests: `rollback`.
    fn name(&self) -> &'static str;
    /// What it does, in a line.
    fn summary(&self) -> &'static str;
    /// The rights it needs besides [`crate::cluster::BASE_RULES`].
    fn needs(&self) -> &'static [Rule];
    /// Finds out what `request` would do. Pins in `args` what was looked at, so that [`Act::perform`] does that or nothing.
    fn preview<'a>(&'a self, session: &'a Session, request: &'a ActRequest) -> BoxFuture<'a, Result<Preview, Error>>;
    /// Does what `preview` shows.
    fn perform<'a>(&'a self, session: &'a Session, preview: &'a Preview) -> BoxFuture<'a, Result<Receipt, Error>>;
}

/// All acts.
pub const ACTS: &[&dyn Act] = &[&rollback::Rollback, &restart::Restart, &resize::Resize, &isolate::Isolate, &arm::Arm];

/// The act called `name`.
pub fn find(name: &str) -> Option<&'static dyn Act> {
    ACTS.iter().copied().find(|act| act.name() == name)
}

/// The rights of all acts, each once, in order.
pub fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = ACTS.iter().flat_map(|act| act.needs().iter().cloned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

impl Session {
    /// What `request` would do: the exact call, the diff of a server-side dry-run, and warnings. Changes nothing, so it
    /// is allowed in a read-only session.
    ///
    /// # Errors
    /// [`Error::Refused`] for what the act will not do, [`Error::Denied`] with the missing rule, or as any call.
    pub async fn preview(&self, request: &ActRequest) -> Result<Preview, Error> {
        known(request)?.preview(self, request).await
    }

    /// Does what was shown, once.
    ///
    /// # Errors
    /// [`Error::Refused`] in a read-only session, [`Error::Conflict`] when the object changed since the preview.
    pub async fn perform(&self, preview: &Preview) -> Result<Receipt, Error> {
        self.may_change()?;
        known(&preview.request)?.perform(self, preview).await
    }
}

fn known(request: &ActRequest) -> Result<&'static dyn Act, Error> {
    find(&request.act).ok_or_else(|| Error::Refused {
        why: foreign(format!("there is no act {:?}", request.act)),
        instead: "acts are: rollback, restart, resize, isolate, arm",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_have_names_of_their_own_and_rights() {
        let mut names: Vec<_> = ACTS.iter().map(|a| a.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTS.len());
        for act in ACTS {
            assert!(!act.needs().is_empty() && !act.summary().is_empty(), "{}", act.name());
            assert!(known(&ActRequest { act: act.name().into(), ..request() }).is_ok());
        }
        assert!(matches!(known(&ActRequest { act: "delete".into(), ..request() }), Err(Error::Refused { .. })));
    }

    fn request() -> ActRequest {
        let target = crate::incident::ActTarget { kind: "pod".into(), namespace: "n".into(), name: "p".into() };
        ActRequest { act: String::new(), target, args: std::collections::BTreeMap::new() }
    }
}
