//! The clock's plan: when what is due, as spans from the declaration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Spans from the declaration of the incident, in seconds of incident time. Defaults: PagerDuty's long-incident rule
/// (two hours), its posting rhythm (5, 10, then every 20 minutes) and Google's four-hour state review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Quick fixes end here.
    pub cutoff_s: u64,
    /// A warning comes this long before the cut-off; 0: none.
    pub warning_s: u64,
    /// "Could this be a long one?" 0: not asked.
    pub long_check_s: u64,
    /// First public post due; 0: not asked for.
    pub first_post_s: u64,
    /// Scope post due; the size-up ends here at the latest. 0: not asked for.
    pub scope_post_s: u64,
    /// Regular updates until the cut-off.
    pub update_every_s: u64,
    /// Regular updates after it.
    pub long_update_every_s: u64,
    /// State review and handover.
    pub handover_every_s: u64,
    /// An unanswered cut-off prompt climbs this often.
    pub escalate_every_s: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            cutoff_s: 7200,
            warning_s: 1800,
            long_check_s: 3600,
            first_post_s: 300,
            scope_post_s: 600,
            update_every_s: 1200,
            long_update_every_s: 3600,
            handover_every_s: 14_400,
            escalate_every_s: 300,
        }
    }
}

/// A plan that could not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A span must be longer than zero.
    #[error("plan.{0} must be longer than 0")]
    Zero(&'static str),
    /// The warning would come before the incident.
    #[error("plan.warning_s must be shorter than plan.cutoff_s")]
    WarningTooEarly,
}

impl Plan {
    /// The cut-off as a span from the declaration.
    pub const fn cutoff(&self) -> Duration {
        Duration::from_secs(self.cutoff_s)
    }

    /// Checks that the plan can work.
    ///
    /// # Errors
    /// Names the field that cannot.
    pub fn check(&self) -> Result<(), PlanError> {
        let spans = [
            ("cutoff_s", self.cutoff_s),
            ("update_every_s", self.update_every_s),
            ("long_update_every_s", self.long_update_every_s),
            ("handover_every_s", self.handover_every_s),
            ("escalate_every_s", self.escalate_every_s),
        ];
        if let Some((name, _)) = spans.into_iter().find(|(_, s)| *s == 0) {
            return Err(PlanError::Zero(name));
        }
        if self.warning_s >= self.cutoff_s { Err(PlanError::WarningTooEarly) } else { Ok(()) }
    }
}
