//! A post to people outside; ticks when one of its kind reached a channel.

use super::kind::{Answer, Kind, text};
use crate::base::nearest;
use crate::playbook::facts::What;
use crate::playbook::model::Ask;
use crate::playbook::problem::Problem;

const POSTS: [&str; 5] = ["declared", "update", "long_notice", "escalation", "resolved"];

pub(super) static KIND: Kind = Kind {
    name: "notify",
    help: "a post goes out to users or to the team",
    keys: &["post", "audience"],
    required: &["post"],
    ask: |step, problems| {
        for (key, known) in [(&step.post, &POSTS[..]), (&step.audience, &["users", "team"])] {
            if let Some(at) = key.as_ref().filter(|at| !known.contains(&at.value().as_str())) {
                let remedy = match nearest(at.value(), known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", known.join(", ")),
                };
                problems.push(Problem::error(at.pos(), format!("unknown `{}`", at.value()), remedy));
            }
        }
        let audience = step.audience.as_ref().map_or_else(|| "users".to_owned(), |at| at.value().clone());
        Ask::Notify { post: text(step.post.as_ref()), audience }
    },
    ticks: |ask, what| match (ask, what) {
        (Ask::Notify { post, .. }, What::PostSent { post: sent }) if post == sent => Answer::Done,
        _ => Answer::No,
    },
};
