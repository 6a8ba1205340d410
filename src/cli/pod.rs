//! How a pod is named on the command line: `[NAMESPACE/]POD[:CONTAINER]`.

use anyhow::Result;

use crate::base::{ContainerRef, PodRef, Trouble, TroubleKind};
use crate::cluster::Session;
use crate::pressure::PodFacts;

/// The container that `text` means. A pod with several containers needs the name.
///
/// # Errors
/// When there is no such pod or container, or it is not clear which is meant.
pub async fn find(session: &Session, text: &str) -> Result<(ContainerRef, PodFacts)> {
    let (pod, container) = match text.rsplit_once(':') {
        Some((pod, container)) => (pod, Some(container)),
        None => (text, None),
    };
    let (namespace, name) = match pod.split_once('/') {
        Some((namespace, name)) => (namespace.to_owned(), name),
        None => (session.namespace(), pod),
    };
    let pod = PodRef::new(namespace, name);
    let facts = session.pod(&pod).await.map_err(Trouble::from)?;
    let names: Vec<&str> = facts.containers.iter().map(|c| c.name.as_str()).collect();
    let chosen = match container {
        Some(wanted) => names.iter().find(|n| **n == wanted).copied(),
        None if names.len() == 1 => names.first().copied(),
        None => {
            let remedy = format!("name one: {}", names.iter().map(|n| format!("{name}:{n}")).collect::<Vec<_>>().join(", "));
            return Err(Trouble::new(TroubleKind::Usage, "the pod has several containers", pod.to_string(), remedy).into());
        }
    };
    let Some(chosen) = chosen else {
        let remedy = format!("its containers: {}", names.join(", "));
        return Err(Trouble::new(TroubleKind::NotFound, "no such container", text, remedy).into());
    };
    Ok((ContainerRef { pod, name: chosen.to_owned() }, facts))
}
