//! Questions and forms over the body. What may not be dismissed comes from the model ([`of`]); what may is opened by a command.

mod act;
mod arm;
mod cutoff;
mod declare;
mod form;
mod handover;
mod journal;
mod leftovers;
mod note;
mod pair;
mod post;
mod quit;
mod ready;
mod resolve;
mod risk;
mod severity;
mod skip;
mod words;

pub use cutoff::timer;
pub use declare::declare;
pub use handover::handover;
pub use leftovers::Leftovers;
pub use note::note;
pub use pair::pair;
pub use post::post;
pub use quit::Quit;
pub use resolve::resolve;
pub use severity::SeverityChoice;
pub use skip::skip;

use super::view::Dialog;
use crate::app::Prompt;

/// The dialog of a prompt of the model.
pub fn of(prompt: &Prompt) -> Box<dyn Dialog> {
    match prompt {
        Prompt::Cutoff { due, draft, .. } => Box::new(cutoff::Cutoff::raised(*due, draft.as_str())),
        Prompt::Act { job } => Box::new(act::Act::new(*job)),
        Prompt::Risk { container, assessment } => Box::new(risk::Risky::new(container.clone(), assessment.clone())),
        Prompt::Ready { container, assessment } => Box::new(ready::Ready::new(container.clone(), assessment.clone())),
        Prompt::Arm { containers } => Box::new(arm::Arm::new(containers.clone())),
        Prompt::Disarm { containers } => Box::new(arm::Disarm::new(containers.clone())),
        Prompt::Journal { trouble } => Box::new(journal::Journal::new(trouble.clone())),
    }
}

/// Whether `one` and `two` are the same question, so that what was typed stays.
pub fn same(one: &Prompt, two: &Prompt) -> bool {
    match (one, two) {
        (Prompt::Cutoff { due: a, .. }, Prompt::Cutoff { due: b, .. }) => a == b,
        (Prompt::Risk { container: a, assessment: x }, Prompt::Risk { container: b, assessment: y }) => a == b && x == y,
        (Prompt::Ready { container: a, assessment: x }, Prompt::Ready { container: b, assessment: y }) => a == b && x == y,
        (Prompt::Act { job: a }, Prompt::Act { job: b }) => a == b,
        (Prompt::Arm { containers: a }, Prompt::Arm { containers: b })
        | (Prompt::Disarm { containers: a }, Prompt::Disarm { containers: b }) => a == b,
        (Prompt::Journal { trouble: a }, Prompt::Journal { trouble: b }) => a == b,
        (
            Prompt::Cutoff { .. }
            | Prompt::Act { .. }
            | Prompt::Risk { .. }
            | Prompt::Ready { .. }
            | Prompt::Arm { .. }
            | Prompt::Disarm { .. }
            | Prompt::Journal { .. },
            _,
        ) => false,
    }
}
