//! Acts: changes of the cluster, each found out first (server-side dry-run), then done exactly as shown. One file an act,
//! one line in [`ACTS`]; preview and performing are written once, in `frame`; dialog, record, undo and RBAC follow from it.

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

pub use frame::{Act, Plan};

use super::error::{Error, foreign};
use super::rule::Rule;
use super::session::Session;
use crate::incident::{ActRequest, Preview, Receipt};

/// All acts.
pub const ACTS: &[&Act] =
    &[&rollback::ROLLBACK, &restart::RESTART, &resize::RESIZE, &isolate::ISOLATE, &debug_copy::DEBUG_COPY, &arm::ARM, &clean_up::CLEAN_UP];

/// The act called `name`.
pub fn find(name: &str) -> Option<&'static Act> {
    ACTS.iter().copied().find(|act| act.name == name)
}

/// The rights of all acts, each once, in order.
pub fn rules() -> Vec<Rule> {
    let mut rules: Vec<Rule> = ACTS.iter().flat_map(|act| act.needs.iter().cloned()).collect();
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

fn known(request: &ActRequest) -> Result<&'static Act, Error> {
    find(&request.act).ok_or_else(|| {
        let names: Vec<&str> = ACTS.iter().map(|act| act.name).collect();
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
        let mut names: Vec<_> = ACTS.iter().map(|a| a.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTS.len());
        for act in ACTS {
            assert!(!act.needs.is_empty() && !act.summary.is_empty() && !act.kinds.is_empty(), "{}", act.name);
            assert!(known(&ActRequest { act: act.name.into(), ..request() }).is_ok());
        }
        let refusal = known(&ActRequest { act: "delete".into(), ..request() }).map(|_| ()).expect_err("no such act");
        assert!(refusal.to_string().contains("clean-up"), "{refusal}");
    }

    fn request() -> ActRequest {
        let target = crate::incident::ActTarget { kind: "pod".into(), namespace: "n".into(), name: "p".into() };
        ActRequest { act: String::new(), target, args: std::collections::BTreeMap::new() }
    }
}
