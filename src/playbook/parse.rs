//! Text → [`Playbook`]. Everything that can be judged from the file alone is judged here; what needs the lists of other
//! rooms (acts, methods, views) is in `lint`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::expr::Expr;
use super::facts::FACTS;
use super::file::{At, File, Scalar, StepFile, VarFile, VarType, place};
use super::model::{Ask, Phase, Playbook, Retry, Risk, Step, Var};
use super::problem::{Gravity, Pos, Problem};
use super::value::{Type, Value};
use super::{reading, steps};
use crate::base::{explain, nearest, parse_span};

/// Largest playbook that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// Reads the playbook in `text`; `file` is named in the problems. Warnings do not keep it from being read: [`super::lint`]
/// gives them.
///
/// # Errors
/// Every problem that keeps it from being used, in the order of the file.
pub fn parse(file: &str, text: &str) -> Result<Playbook, Vec<Problem>> {
    let fail = |problem: Problem| Err(vec![Problem { file: file.to_owned(), ..problem }]);
    if text.len() > LARGEST {
        return fail(Problem::error(Pos::default(), "the playbook is larger than 1 MiB", "split it"));
    }
    // No snippet: the lines around an error may hold what must not be logged.
    let raw: File = match serde_saphyr::from_str_with_options(text, serde_saphyr::options! { with_snippet: false }) {
        Ok(raw) => raw,
        Err(error) => return fail(yaml(&error)),
    };
    let mut problems = Vec::new();
    let book = build(&raw, &mut problems);
    check(&book, &mut problems);
    problems.retain(|p| p.gravity == Gravity::Error);
    if problems.is_empty() {
        return Ok(book);
    }
    problems.sort_by_key(|p| p.pos);
    for problem in &mut problems {
        file.clone_into(&mut problem.file);
    }
    Err(problems)
}

/// The YAML reader's error as a problem, with a guess at what was meant.
fn yaml(error: &serde_saphyr::Error) -> Problem {
    let error = error.without_snippet();
    let pos = error.location().map_or(Pos::default(), |at| place(&at));
    let (what, remedy) = explain(&error.to_string());
    let remedy = if remedy.is_empty() {
        "compare it with playbooks/node-heap-oom.yaml; playbooks/schema.json has every key".to_owned()
    } else {
        remedy
    };
    Problem::error(pos, what, remedy)
}

fn build(raw: &File, problems: &mut Vec<Problem>) -> Playbook {
    if *raw.version.value() != 1 {
        let what = format!("version {} is not known", raw.version.value());
        problems.push(Problem::error(raw.version.pos(), what, "this version of cutoff reads version 1"));
    }
    name(&raw.name, "a playbook's name", problems);
    let vars = raw.vars.iter().map(|(name, var)| variable(name, var, problems)).collect();
    let phases = raw.phases.iter().map(|phase| {
        name(&phase.id, "a phase's id", problems);
        if phase.steps.is_empty() {
            problems.push(Problem::error(phase.id.pos(), format!("phase `{}` has no steps", phase.id.value()), "add one, or remove it"));
        }
        let steps = phase.steps.iter().map(|one| step(one, problems)).collect();
        Phase { id: phase.id.value().clone(), title: phase.title.clone(), steps }
    });
    Playbook {
        name: raw.name.value().clone(),
        title: raw.title.value().clone(),
        summary: raw.summary.clone(),
        applies_to: raw.applies_to.clone(),
        vars,
        phases: phases.collect(),
    }
}

fn name(at: &At<String>, what: &str, problems: &mut Vec<Problem>) {
    let text = at.value();
    let fits = !text.is_empty() && text.len() <= 60 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !fits {
        let remedy = "use up to 60 letters, digits, `-` and `_`";
        problems.push(Problem::error(at.pos(), format!("`{text}` cannot be {what}"), remedy));
    }
}

fn variable(name: &str, at: &At<VarFile>, problems: &mut Vec<Problem>) -> Var {
    let file = at.value();
    let kind = match file.kind {
        VarType::Text => Type::Text,
        VarType::Number => Type::Number,
        VarType::Bool => Type::Bool,
        VarType::Span => Type::Span,
    };
    if FACTS.iter().any(|(fact, _, _)| *fact == name) {
        problems.push(Problem::error(at.pos(), format!("`{name}` is the name of a fact"), "choose another name"));
    }
    let value = |scalar: &Scalar| match (kind, scalar) {
        (Type::Bool, Scalar::Bool(b)) => Some(Value::Bool(*b)),
        (Type::Number, Scalar::Number(n)) => Some(Value::Number(*n)),
        (Type::Text, Scalar::Text(t)) => Some(Value::Text(t.clone())),
        (Type::Span, Scalar::Text(t)) => parse_span(t).map(Value::Span),
        _ => None,
    };
    let mut typed = |scalar: &Scalar| {
        let value = value(scalar);
        if value.is_none() {
            let what = format!("a value of `{name}` is not {}", kind.word());
            problems.push(Problem::error(at.pos(), what, "change its type or its value"));
        }
        value
    };
    let default = file.default.as_ref().and_then(&mut typed).unwrap_or_else(|| kind.zero());
    let choices: Vec<Value> = file.choices.iter().filter_map(&mut typed).collect();
    if !choices.is_empty() && !choices.contains(&default) {
        let what = format!("the default of `{name}` is none of its choices");
        problems.push(Problem::error(at.pos(), what, "set `default` to one of them"));
    }
    Var { name: name.to_owned(), kind, default, choices, help: file.help.clone(), pos: at.pos() }
}

fn step(file: &StepFile, problems: &mut Vec<Problem>) -> Step {
    name(&file.id, "a step's id", problems);
    let risk = file.risk.as_ref().map_or(Risk::Read, |at| *at.value());
    let said = file.confirm.as_ref().map(|at| *at.value());
    if risk != Risk::Read && said == Some(false) {
        let pos = file.confirm.as_ref().map_or(Pos::default(), At::pos);
        problems.push(Problem::error(pos, "a step that changes something is always confirmed", "remove `confirm: false`"));
    }
    let text = |key: &Option<At<String>>| key.as_ref().map(|at| at.value().clone());
    Step {
        id: file.id.value().clone(),
        title: file.title.value().clone(),
        details: file.details.clone(),
        ask: ask(file, problems),
        when: reading::expression(file.when.as_ref(), problems),
        done_when: reading::expression(file.done_when.as_ref(), problems),
        risk,
        confirm: said.unwrap_or(risk != Risk::Read),
        timebox: reading::time(file.timebox.as_ref(), problems),
        timeout: reading::time(file.timeout.as_ref(), problems),
        retry: file
            .retry
            .as_ref()
            .map(|retry| Retry { max: retry.max, delay: reading::time(retry.delay.as_ref(), problems).unwrap_or(Duration::ZERO) }),
        undo: file.undo.clone(),
        evidence: file.evidence.clone(),
        opens: text(&file.opens),
        on_success: text(&file.on_success),
        on_failure: text(&file.on_failure),
        on_timeout: text(&file.on_timeout),
        pos: file.id.pos(),
    }
}

fn ask(file: &StepFile, problems: &mut Vec<Problem>) -> Ask {
    let Some(kind) = steps::named(file.kind.value()) else {
        let names = steps::KINDS.iter().map(|kind| kind.name);
        let remedy = match nearest(file.kind.value(), names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", names.collect::<Vec<_>>().join(", ")),
        };
        problems.push(Problem::error(file.kind.pos(), format!("unknown kind of step `{}`", file.kind.value()), remedy));
        return Ask::Manual;
    };
    let given = file.given();
    for (key, pos) in given.iter().filter(|(key, _)| !kind.keys.contains(key)) {
        let takes = if kind.keys.is_empty() { "no keys of its own".to_owned() } else { kind.keys.join(", ") };
        problems.push(Problem::error(*pos, format!("`{key}` does not belong to kind `{}`", kind.name), format!("it takes {takes}")));
    }
    for key in kind.required.iter().filter(|key| !given.iter().any(|(name, _)| name == *key)) {
        let what = format!("a step of kind `{}` needs `{key}`", kind.name);
        problems.push(Problem::error(file.kind.pos(), what, "add it"));
    }
    (kind.ask)(file, problems)
}

/// What needs the whole playbook: unique ids, references, names in expressions.
fn check(book: &Playbook, problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, Pos> = HashMap::new();
    let mut jumps: BTreeMap<&str, Pos> = BTreeMap::new();
    for (_, step) in book.steps() {
        if let Some(first) = seen.insert(&step.id, step.pos) {
            let what = format!("the step `{}` is there twice", step.id);
            problems.push(Problem::error(step.pos, what, format!("rename it; the first stands in line {}", first.line)));
        }
        for target in [&step.on_success, &step.on_failure, &step.on_timeout].into_iter().flatten() {
            jumps.insert(target, step.pos);
        }
        if step.on_timeout.is_some() && step.timeout.is_none() {
            problems.push(Problem::error(step.pos, format!("`{}` has `on_timeout` but no `timeout`", step.id), "add `timeout: 15m`"));
        }
        references(book, step, problems);
    }
    for (target, pos) in jumps {
        if !seen.contains_key(target) {
            let remedy = match nearest(target, seen.keys().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a step of this playbook".to_owned(),
            };
            problems.push(Problem::error(pos, format!("there is no step `{target}`"), remedy));
        }
    }
    if seen.is_empty() {
        problems.push(Problem::error(Pos { line: 1, column: 1 }, "the playbook has no steps", "add a phase with steps"));
    }
    let mut phases: HashMap<&str, ()> = HashMap::new();
    for phase in &book.phases {
        if phases.insert(&phase.id, ()).is_some() {
            let pos = phase.steps.first().map_or(Pos::default(), |s| s.pos);
            problems.push(Problem::error(pos, format!("the phase `{}` is there twice", phase.id), "rename it"));
        }
    }
}

fn references(book: &Playbook, step: &Step, problems: &mut Vec<Problem>) {
    let known = |name: &str| {
        let fact = FACTS.iter().find(|(fact, _, _)| *fact == name).map(|(_, kind, _)| *kind);
        fact.or_else(|| book.vars.iter().find(|var| var.name == name).map(|var| var.kind))
    };
    let names: Vec<&str> = FACTS.iter().map(|(name, _, _)| *name).chain(book.vars.iter().map(|v| v.name.as_str())).collect();
    let until = match &step.ask {
        Ask::Wait { until, .. } => until.as_ref(),
        _ => None,
    };
    let expressions: [(&str, Option<&Expr>); 3] = [("when", step.when.as_ref()), ("done_when", step.done_when.as_ref()), ("until", until)];
    for (key, expr) in expressions {
        let Some(expr) = expr else { continue };
        let (what, remedy) = match expr.check(&known, &names) {
            Ok(Type::Bool) => continue,
            Ok(other) => (format!("it is {}, not a condition", other.word()), "compare it: `deaths > 0`".to_owned()),
            Err(error) => (error.what, error.remedy),
        };
        problems.push(Problem::error(step.pos, format!("`{key}` of `{}`: {what}", step.id), remedy));
    }
    let texts: Vec<&str> = match &step.ask {
        Ask::Act { args, .. } => args.values().map(String::as_str).collect(),
        Ask::Command { argv } => argv.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    for name in texts.into_iter().flat_map(variables) {
        if !book.vars.iter().any(|var| var.name == name) {
            let remedy = match nearest(name, book.vars.iter().map(|v| v.name.as_str())) {
                Some(near) => format!("did you mean `${{{near}}}`?"),
                None => "declare it under `vars`".to_owned(),
            };
            problems.push(Problem::error(step.pos, format!("unknown variable `${{{name}}}` in `{}`", step.id), remedy));
        }
    }
}

/// Names in `${…}` of `text`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
