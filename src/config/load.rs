//! Flags > environment > `./cutoff.yaml` > the user's file > defaults; and where each value came from.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::model::{Config, PATHS, VARIABLES};
use super::paths::{Env, Paths};
use super::tree::{Layers, Node, Origin, change};
use crate::base::{Bytes, Masked, Trouble, TroubleKind, explain, nearest};
use crate::{disk, notify};

/// Largest config file that is read.
const LARGEST: Bytes = Bytes(1 << 20);

/// A key given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// How it was written, for messages: `--namespace`, `--set cluster.namespace=shop`.
    pub name: String,
    /// The key: `cluster.namespace`.
    pub key: String,
    /// Its value, as YAML would read it.
    pub value: String,
}

impl Flag {
    /// A flag that stands for `key`.
    pub fn new(name: &str, key: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), key: key.to_owned(), value: value.into() }
    }

    /// Reads `a.b=c` of `--set`.
    ///
    /// # Errors
    /// When there is no `=`, or no key before it.
    pub fn parse(text: &str) -> Result<Self, Trouble> {
        let name = format!("--set {text}");
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self { name, key: key.trim().to_owned(), value: value.to_owned() }),
            _ => Err(Trouble::new(TroubleKind::Usage, "there is no key or no value", name, "write --set cluster.namespace=shop")),
        }
    }
}

/// Where to look for settings.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Directories.
    pub paths: &'a Paths,
    /// Working directory: `cutoff.yaml` is looked for here.
    pub here: &'a Path,
    /// A file that stands in for both others (`--config`, `$CUTOFF_CONFIG`).
    pub file: Option<&'a Path>,
    /// Environment.
    pub env: &'a Env,
    /// Keys of the command line, the weakest first.
    pub flags: &'a [Flag],
}

/// Settings with their origins.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Files that were read, the weakest first.
    pub files: Vec<PathBuf>,
    layers: Layers,
}

impl Loaded {
    /// Where the value of `key` (`cluster.namespace`, `notify.channels[0].kind`) came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.layers.origin(key)
    }

    /// Every key with its value and origin, for `info` and `config show`.
    pub fn rows(&self) -> Vec<(String, Masked, Origin)> {
        let mut rows = Vec::new();
        // A config is plain data: it always becomes JSON.
        if let Ok(value) = serde_json::to_value(&self.config) {
            flatten("", &value, &mut |key, value| rows.push((key.to_owned(), Masked::from(value), self.origin(key))));
        }
        rows
    }
}

fn flatten(key: &str, value: &Value, row: &mut dyn FnMut(&str, String)) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, inner) in map {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, inner, row);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (i, inner) in items.iter().enumerate() {
                flatten(&format!("{key}[{i}]"), inner, row);
            }
        }
        Value::String(text) => row(key, text.clone()),
        other => row(key, other.to_string()),
    }
}

/// Reads the files and puts everything together.
///
/// # Errors
/// Names file, line and column (or variable, or flag) of what cannot be, with the remedy; kind `Config`, or `NotFound` for
/// a file that was asked for and is not there.
pub fn load(request: &Request<'_>) -> Result<Loaded, Trouble> {
    let mut files = Vec::new();
    match request.file {
        Some(path) => files.push((path.to_owned(), disk::read_text(path, LARGEST).map_err(Trouble::from)?)),
        None => {
            for path in [request.paths.config_file(), request.here.join("cutoff.yaml")] {
                if disk::entry(&path).map_err(Trouble::from)?.is_some() {
                    files.push((path.clone(), disk::read_text(&path, LARGEST).map_err(Trouble::from)?));
                }
            }
        }
    }
    resolve(&files, request)
}

/// The same from texts that were read.
pub(super) fn resolve(files: &[(PathBuf, String)], request: &Request<'_>) -> Result<Loaded, Trouble> {
    let mut layers = Layers::default();
    for (path, text) in files {
        lay_file(&mut layers, path, text, request.paths)?;
    }
    for (name, key) in VARIABLES {
        if let Some(value) = request.env.get(*name).filter(|value| !value.is_empty()) {
            let value = if matches!(*key, "cluster.read_only" | "ui.ascii") { falsey(value) } else { value.clone() };
            set(&mut layers, key, &value, &Origin::Env((*name).to_owned()))?;
        }
    }
    for flag in request.flags {
        set(&mut layers, &flag.key, &flag.value, &Origin::Flag(flag.name.clone()))?;
    }
    let config = typed(&layers).map_err(|message| problem("", &message, &Origin::Default))?;
    check(&config, &layers)?;
    Ok(Loaded { config, files: files.iter().map(|(path, _)| path.clone()).collect(), layers })
}

/// As clap reads switches of the environment: everything but these means yes.
fn falsey(value: &str) -> String {
    let no = ["0", "f", "false", "n", "no", "off"].contains(&value.to_lowercase().as_str());
    (!no).to_string()
}

fn lay_file(layers: &mut Layers, path: &Path, text: &str, paths: &Paths) -> Result<(), Trouble> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim() == "---";
    if text.lines().all(blank) {
        return Ok(());
    }
    // No snippet: a line near the error may hold what must not be logged.
    let options = || serde_saphyr::options! { with_snippet: false };
    let failed = |error: serde_saphyr::Error| {
        let error = error.without_snippet();
        let at = error.location();
        let origin = Origin::File { path: path.to_owned(), line: at.map_or(1, |at| at.line()), column: at.map_or(1, |at| at.column()) };
        problem("", &error.to_string(), &origin)
    };
    // Once into the config, for errors with their place; once into a tree, for what the file itself says.
    serde_saphyr::from_str_with_options::<Config>(text, options()).map_err(failed)?;
    let mut tree: Node = serde_saphyr::from_str_with_options(text, options()).map_err(failed)?;
    let base = path.parent().unwrap_or(Path::new("."));
    for pattern in PATHS {
        change(&mut tree, pattern, &|text| paths.resolve(text, base).display().to_string());
    }
    layers.lay(tree, &|line, column| Origin::File { path: path.to_owned(), line, column });
    Ok(())
}

fn set(layers: &mut Layers, key: &str, text: &str, origin: &Origin) -> Result<(), Trouble> {
    let read: Value = serde_saphyr::from_str_with_options(text, serde_saphyr::options! { with_snippet: false })
        .unwrap_or_else(|_| Value::String(text.to_owned()));
    // `--set cluster.namespace=123` means the text, where text is wanted.
    let candidates = [read, Value::String(text.to_owned())];
    let mut first = None;
    for value in candidates {
        let mut tried = layers.clone();
        tried.set(key, value, origin.clone());
        match typed(&tried) {
            Ok(_) => {
                *layers = tried;
                return Ok(());
            }
            Err(message) => first = first.or(Some(message)),
        }
    }
    Err(problem(key, &first.unwrap_or_default(), origin))
}

fn typed(layers: &Layers) -> Result<Config, String> {
    serde_json::from_value(Value::Object(layers.values.clone())).map_err(|error| error.to_string())
}

fn problem(key: &str, message: &str, origin: &Origin) -> Trouble {
    let (what, mut remedy) = explain(message);
    let what = if key.is_empty() { what } else { format!("`{key}`: {what}") };
    if remedy.is_empty() {
        remedy = "config.example.yaml has every key".to_owned();
    }
    Trouble::new(TroubleKind::Config, Masked::from(what).to_string(), origin.to_string(), remedy)
}

/// What the types cannot say.
fn check(config: &Config, layers: &Layers) -> Result<(), Trouble> {
    let wrong = |key: &str, what: String, remedy: String| {
        Err(Trouble::new(TroubleKind::Config, Masked::from(what).to_string(), layers.origin(key).to_string(), remedy))
    };
    if let Err(error) = config.plan.check() {
        let what = error.to_string();
        let key = what.split_whitespace().next().unwrap_or("plan").to_owned();
        return wrong(&key, what, "the defaults are in config.example.yaml".to_owned());
    }
    if let Err(error) = notify::channels(&config.notify) {
        let key = format!("notify.channels[{}].{}", error.index, error.key);
        return wrong(&key, format!("`{key}`: {}", error.what), error.remedy);
    }
    if config.playbooks.default.trim().is_empty() {
        return wrong("playbooks.default", "`playbooks.default` is empty".to_owned(), "name a playbook, or leave the key out".to_owned());
    }
    Ok(())
}

/// The key of the config that a person most likely meant by `key`.
pub fn nearest_key(key: &str) -> Option<String> {
    let mut keys = Vec::new();
    if let Ok(value) = serde_json::to_value(Config::default()) {
        flatten("", &value, &mut |key, _| keys.push(key.to_owned()));
    }
    nearest(key, keys.iter().map(String::as_str)).map(str::to_owned)
}
