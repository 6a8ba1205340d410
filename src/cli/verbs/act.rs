//! `cutoff act`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::base::{Trouble, TroubleKind};
use crate::cli::acts::{Consent, ask, page, perform};
use crate::cli::home::{Home, say};
use crate::cli::{Context, Exit, Verb};
use crate::cluster::acts::ACTS;
use crate::incident::{ActRequest, ActTarget};

#[derive(Args)]
struct ActArgs {
    /// Name of the act
    act: String,
    /// [KIND/]NAME or NAMESPACE/KIND/NAME of its object; without a kind a pod is meant
    object: String,
    /// Its arguments, as NAME=VALUE
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    args: Vec<(String, String)>,
    /// Show the exact call and the server-side dry-run, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it without being asked, where nothing is killed
    #[arg(short, long)]
    yes: bool,
    /// Do it without being asked: the name that would have to be typed
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

fn argument(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("arguments are written NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Changes the cluster.
pub struct ActVerb;

impl Verb for ActVerb {
    fn command(&self) -> Command {
        let acts: Vec<String> = ACTS.iter().map(|act| format!("  {:<11} {}", act.name, act.summary)).collect();
        ActArgs::augment_args(Command::new("act"))
            .about("Change the cluster as the dashboard does: dry-run shown, asked by name, journalled, with its undo")
            .after_help(format!(
                "Acts:\n{}\n\nExamples:\n  cutoff act rollback deployment/content-import --dry-run\n  \
                 cutoff act resize content-import-0 container=app memory=1Gi --yes\n  \
                 cutoff act clean-up content-import-0 --confirm content-import-0",
                acts.join("\n")
            ))
    }

    fn run(&self, context: &Context, args: &ArgMatches) -> Result<Exit> {
        let args = ActArgs::from_arg_matches(args)?;
        context.runtime()?.block_on(run(context, &args))
    }
}

async fn run(context: &Context, args: &ActArgs) -> Result<Exit> {
    let session = context.connect().await?;
    let request = ActRequest {
        act: args.act.clone(),
        target: target(&args.object, &session.namespace())?,
        args: args.args.iter().cloned().collect::<BTreeMap<_, _>>(),
    };
    let preview = session.preview(&request).await.map_err(Trouble::from)?;
    let mut out = std::io::stdout().lock();
    if args.dry_run {
        if context.global.json {
            writeln!(out, "{}", serde_json::json!({"schema": "cutoff.act/1", "done": false, "preview": preview}))?;
        } else {
            write!(out, "{}", page(&preview))?;
        }
        return Ok(Exit::Ok);
    }
    if context.config()?.cluster.read_only {
        return Err(Trouble::new(TroubleKind::Refused, "read-only", args.object.as_str(), "leave out --read-only").into());
    }
    ask(&preview, Consent { yes: args.yes, named: args.confirm.as_deref() })?;
    // An act brings no file: any directory will do where no incident is open.
    let mut home = Home::of(context, Some(&PathBuf::from(".")))?;
    let (receipt, _) = perform(context, &mut home, &session, &preview).await?;
    if context.global.json {
        writeln!(out, "{}", serde_json::json!({"schema": "cutoff.act/1", "done": true, "preview": preview, "receipt": receipt}))?;
        return Ok(Exit::Ok);
    }
    writeln!(out, "{}", receipt.summary)?;
    if let Some(left) = &receipt.leaves {
        say(&format!("{}; later: {}", left.what, line(&left.settle)));
    }
    if let Some(undo) = &receipt.undo {
        say(&format!("undo: {}", line(undo)));
    }
    Ok(Exit::Ok)
}

/// The command line of an act.
fn line(request: &ActRequest) -> String {
    let args: String = request.args.iter().map(|(name, value)| format!(" {name}='{value}'")).collect();
    format!("cutoff act {} {}/{}/{}{args}", request.act, request.target.namespace, request.target.kind, request.target.name)
}

fn target(object: &str, namespace: &str) -> Result<ActTarget> {
    let parts: Vec<&str> = object.split('/').collect();
    let (namespace, kind, name) = match parts[..] {
        [name] => (namespace, "pod", name),
        [kind, name] => (namespace, kind, name),
        [namespace, kind, name] => (namespace, kind, name),
        _ => return Err(Trouble::new(TroubleKind::Usage, "this names no object", object, "write [NAMESPACE/]KIND/NAME").into()),
    };
    Ok(ActTarget { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_kubectl_names_them() {
        let named = |text: &str| target(text, "shop").map(|t| format!("{} {} {}", t.namespace, t.kind, t.name)).ok();
        assert_eq!(named("import-0").as_deref(), Some("shop pod import-0"));
        assert_eq!(named("deployment/import").as_deref(), Some("shop deployment import"));
        assert_eq!(named("other/pod/import-0").as_deref(), Some("other pod import-0"));
        assert_eq!(named("a/b/c/d"), None);
        assert!(argument("memory").is_err() && argument("memory=1Gi").is_ok());
    }

    #[test]
    fn a_later_act_is_told_as_a_command_that_can_be_pasted() {
        let target = ActTarget { kind: "pod".into(), namespace: "shop".into(), name: "import-0".into() };
        let args = [("container".to_owned(), "app".to_owned()), ("memory".to_owned(), "512Mi".to_owned())].into();
        let request = ActRequest { act: "resize".into(), target, args };
        assert_eq!(line(&request), "cutoff act resize shop/pod/import-0 container='app' memory='512Mi'");
    }
}
