//! Acts: changes of the cluster, each found out first (server-side dry-run), then done exactly as shown. One file an act,
//! one line in [`ACTS`]; dialog, record, undo and RBAC come from the trait, preview and performing from `frame`.

mod arm;
mod clean_up;
mod debug_copy;
mod flags;
mod frame;
mod isolate;
mod resize;
mod restart;
mod rollback;
mod tools;

use futures::FutureExt;
use futures::future::BoxFuture;

pub use frame::{Plan, Spec};

use super::error::{Error, foreign};
use super::rule::Rule;
use super::session::Session;
use crate::incident::{ActRequest, Preview, Receipt};

/// A kind of change.
pub trait Act: Sync {
    /// What it is.
    fn spec(&self) -> &'static Spec;
    /// Looks at the cluster and says which calls `request` comes to. Asked for the preview and again right before it is
    /// done: only if the same calls come out are they made.
    fn plan<'a>(&'a self, session: &'a Session, request: &'a ActRequest) -> BoxFuture<'a, Result<Plan, Error>>;
    /// The server took all calls: waits for what follows, if anything does, and says what was done.
    fn settle<'a>(&'a self, _session: &'a Session, _request: &'a ActRequest, plan: Plan) -> BoxFuture<'a, Result<Receipt, Error>> {
        async move { Ok(plan.receipt) }.boxed()
    }
    /// A refused call in the act's own words.
    fn refusal(&self, error: Error) -> Error {
        error
    }
}

/// All acts.
pub const ACTS: &[&dyn Act] =
    &[&rollback::Rollback, &restart::Restart, &resize::Resize, &isolate::Isolate, &debug_copy::DebugCopy, &arm::Arm, &clean_up::CleanUp];

/// The act called `name`.
pub fn find(name: &str) -> Option<&'static dyn Act> {
    ACTS.iter().copied().find(|act| act.spec().name == name)
}

/// The rights of all acts, each once, in order.
pub fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = ACTS.iter().flat_map(|act| act.spec().needs.iter().cloned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

impl Session {
    /// What `request` would do: the exact calls, the diff of a server-side dry-run, and warnings. Changes nothing, so it
    /// is allowed in a read-only session.
    ///
    /// # Errors
    /// [`Error::Refused`] for what the act will not do, [`Error::Denied`] with the missing rule, or as any call.
    pub async fn preview(&self, request: &ActRequest) -> Result<Preview, Error> {
        frame::preview(known(request)?, self, request).await
    }

    /// Does what was shown, once.
    ///
    /// # Errors
    /// [`Error::Refused`] in a read-only session, [`Error::Conflict`] when the object changed since the preview.
    pub async fn perform(&self, preview: &Preview) -> Result<Receipt, Error> {
        self.may_change()?;
        frame::perform(known(&preview.request)?, self, preview).await
    }
}

fn known(request: &ActRequest) -> Result<&'static dyn Act, Error> {
    find(&request.act).ok_or_else(|| {
        let names: Vec<&str> = ACTS.iter().map(|act| act.spec().name).collect();
        Error::Refused {
            why: foreign(format!("there is no act {:?}: acts are {}", request.act, names.join(", "))),
            instead: "name one of them",
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_have_names_of_their_own_and_rights() {
        let mut names: Vec<_> = ACTS.iter().map(|a| a.spec().name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTS.len());
        for act in ACTS {
            let spec = act.spec();
            assert!(!spec.needs.is_empty() && !spec.summary.is_empty() && !spec.kinds.is_empty(), "{}", spec.name);
            assert!(known(&ActRequest { act: spec.name.into(), ..request() }).is_ok());
        }
        let refusal = known(&ActRequest { act: "delete".into(), ..request() }).map(|_| ()).expect_err("no such act");
        assert!(refusal.to_string().contains("clean-up"), "{refusal}");
    }

    fn request() -> ActRequest {
        let target = crate::incident::ActTarget { kind: "pod".into(), namespace: "n".into(), name: "p".into() };
        ActRequest { act: String::new(), target, args: std::collections::BTreeMap::new() }
    }
}
