//! Layers, origins, errors with their place, and the example file.
#![allow(clippy::disallowed_methods, reason = "files of tests, and the example that UPDATE=1 rewrites")]

use std::path::{Path, PathBuf};

use super::load::resolve;
use super::*;
use crate::base::{Trouble, TroubleKind};

fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Puts texts of the user's file and of `./cutoff.yaml` together with variables and flags.
fn put(files: &[&str], variables: &[(&str, &str)], flags: &[Flag]) -> Result<Loaded, Trouble> {
    let env = env(variables);
    let paths = Paths::of(&self::env(&[("HOME", "/home/ann")]));
    let names = ["/home/ann/.config/cutoff/config.yaml", "/srv/cutoff.yaml"];
    let files: Vec<(PathBuf, String)> = names.iter().zip(files).map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect();
    resolve(&files, &Request { paths: &paths, here: Path::new("/work"), file: None, env: &env, flags })
}

fn refused(files: &[&str], flags: &[Flag]) -> String {
    match put(files, &[], flags) {
        Ok(_) => panic!("accepted {files:?} {flags:?}"),
        Err(trouble) => {
            assert_eq!(trouble.kind, TroubleKind::Config);
            format!("{}|{}|{}", trouble.place, trouble.what, trouble.remedy)
        }
    }
}

#[test]
fn the_stronger_layer_wins_and_says_where_it_stood() {
    let user = "cluster:\n  namespace: user\n  context: prod\nplan:\n  cutoff_s: 3600\n";
    let here = "cluster:\n  namespace: here\n";
    let flag = [Flag::new("--namespace", "cluster.namespace", "flag")];
    let loaded = put(&[user, here], &[("CUTOFF_READ_ONLY", "1")], &flag).expect("a config");
    assert_eq!(loaded.config.cluster.namespace.as_deref(), Some("flag"));
    assert_eq!(loaded.config.cluster.context.as_deref(), Some("prod"), "siblings stay");
    assert!(loaded.config.cluster.read_only);
    assert_eq!((loaded.config.plan.cutoff_s, loaded.config.plan.update_every_s), (3600, 1200));
    let origins =
        ["cluster.namespace", "cluster.read_only", "plan.cutoff_s", "plan.update_every_s"].map(|key| loaded.origin(key).to_string());
    assert_eq!(origins, ["--namespace", "$CUTOFF_READ_ONLY", "/home/ann/.config/cutoff/config.yaml:5:3", "default"]);
    let weaker = put(&[user, here], &[], &[]).expect("a config");
    assert_eq!(weaker.origin("cluster.namespace").to_string(), "/srv/cutoff.yaml:2:3");
    assert!(weaker.rows().iter().any(|(key, value, _)| key == "cluster.namespace" && value.as_str() == "here"));
    let off = put(&[], &[("CUTOFF_READ_ONLY", "false"), ("CUTOFF_THEME", "light"), ("CUTOFF_ASCII", "")], &[]).expect("a config");
    assert!(!off.config.cluster.read_only && !off.config.ui.ascii);
    assert_eq!(off.config.ui.theme, crate::ui::ThemeName::Light);
    let wrong = put(&[], &[("CUTOFF_THEME", "lihgt")], &[]).expect_err("no such theme");
    assert!(wrong.place == "$CUTOFF_THEME" && wrong.remedy.contains("did you mean `light`?"), "{wrong:?}");
}

#[test]
fn nothing_at_all_gives_the_defaults() {
    for files in [&[][..], &[""], &["# only a comment\n---\n", "\n"], &["cluster:\nperson:\n  name:\n"]] {
        assert_eq!(put(files, &[], &[]).expect("a config").config, Config::default());
    }
}

#[test]
fn what_cannot_be_is_named_with_its_place_and_remedy() {
    let user = "/home/ann/.config/cutoff/config.yaml";
    let channel = |rest: &str| format!("notify:\n  channels:\n    - name: a\n      kind: webhook\n{rest}");
    let cases: [(String, String, &str, &str); 9] = [
        ("clutser:\n  namespace: x\n".into(), format!("{user}:1:1"), "unknown field `clutser`", "did you mean `cluster`?"),
        ("plan:\n  cutof_s: 1\n".into(), format!("{user}:2:3"), "unknown field `cutof_s`", "did you mean `cutoff_s`?"),
        ("plan:\n  cutoff_s: soon\n".into(), format!("{user}:2:13"), "invalid u64", "example"),
        ("plan: {warning_s: 7200}\n".into(), format!("{user}:1:8"), "shorter than plan.cutoff_s", ""),
        ("plan:\n  update_every_s: 0\n".into(), format!("{user}:2:3"), "longer than 0", ""),
        (channel(""), format!("{user}:3:7"), "destination is missing", "give one of url"),
        (channel("      url: ftp://x\n"), format!("{user}:5:7"), "is no URL", "https://"),
        (channel("      argv: [x]\n      url: https://x/\n"), format!("{user}:5:7"), "does not belong", "it takes"),
        ("plan: [\n".into(), user.to_owned(), "", ""),
    ];
    for (text, place, what, remedy) in cases {
        let said = refused(&[&text], &[]);
        assert!(said.starts_with(&place) && said.contains(what) && said.contains(remedy), "{text}→ {said}");
    }
    let flags = [
        ("cluster.namspace=x", "unknown field `namspace`", "did you mean `namespace`?"),
        ("plan.cutoff_s=soon", "`plan.cutoff_s`", ""),
        ("nothing=1", "unknown field `nothing`", ""),
    ];
    for (text, what, remedy) in flags {
        let said = refused(&[], &[Flag::parse(text).expect("a flag")]);
        assert!(said.starts_with(&format!("--set {text}")) && said.contains(what) && said.contains(remedy), "{said}");
    }
    for text in ["nothing", "=x", ""] {
        assert_eq!(Flag::parse(text).map_err(|t| t.kind), Err(TroubleKind::Usage), "{text}");
    }
}

#[test]
fn a_secret_near_an_error_is_not_shown() {
    let text = "notify:\n  channels:\n    - {name: a, kind: slack, url: https://hooks.example/SECRET-PATH, tokn: password=hunter2}\n";
    let said = refused(&[text], &[]);
    assert!(!said.contains("SECRET-PATH") && !said.contains("hunter2"), "{said}");
}

#[test]
fn set_reads_values_as_yaml_and_text_where_text_is_wanted() {
    let flags = ["cluster.namespace=123", "plan.cutoff_s=60", "plan.warning_s=10", "playbooks.dirs=[/a, /b]", "playbooks.commands=true"];
    let flags: Vec<Flag> = flags.iter().map(|text| Flag::parse(text).expect("a flag")).collect();
    let config = put(&[], &[], &flags).expect("a config").config;
    assert_eq!(config.cluster.namespace.as_deref(), Some("123"));
    assert_eq!(config.plan.cutoff_s, 60);
    assert_eq!(config.playbooks.dirs, [PathBuf::from("/a"), PathBuf::from("/b")]);
    assert!(config.playbooks.commands);
    assert_eq!(nearest_key("plan.cutof_s").as_deref(), Some("plan.cutoff_s"));
}

#[test]
fn paths_count_from_the_file_they_stand_in() {
    let here = "source: {repository: ../api, maps: ~/maps}\nplaybooks: {dirs: [books, /abs]}\nnotify:\n  channels:\n    - {name: a, kind: slack, url_file: hook}\n";
    let config = put(&["", here], &[], &[]).expect("a config").config;
    assert_eq!(config.source.repository.as_deref(), Some(Path::new("/srv/../api")));
    assert_eq!(config.source.maps.as_deref(), Some(Path::new("/home/ann/maps")));
    assert_eq!(config.playbooks.dirs, [PathBuf::from("/srv/books"), PathBuf::from("/abs")]);
    assert_eq!(config.notify.channels[0].url_file.as_deref(), Some(Path::new("/srv/hook")));
}

#[test]
fn a_stronger_list_replaces_a_weaker_one() {
    let channel = |name: &str| format!("notify:\n  channels:\n    - {{name: {name}, kind: command, argv: [x]}}\n");
    let loaded = put(&[&channel("user"), &channel("here")], &[], &[]).expect("a config");
    let names: Vec<&str> = loaded.config.notify.channels.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["here"]);
    assert_eq!(loaded.origin("notify.channels[0].kind").to_string(), "/srv/cutoff.yaml:3:20");
}

#[test]
fn files_are_found_read_and_missed() {
    let dir = tempfile::tempdir().expect("a directory");
    let home = dir.path().join("home");
    let variables = env(&[("HOME", home.to_str().expect("utf-8"))]);
    let paths = Paths::of(&variables);
    let read = |file: Option<&Path>| load(&Request { paths: &paths, here: dir.path(), file, env: &variables, flags: &[] });
    assert!(read(None).expect("defaults").files.is_empty(), "no file is no error");
    std::fs::create_dir_all(&paths.config_dir).expect("a directory");
    std::fs::write(paths.config_file(), "plan: {cutoff_s: 3600}\n").expect("written");
    std::fs::write(dir.path().join("cutoff.yaml"), "cluster: {namespace: shop}\n").expect("written");
    let both = read(None).expect("a config");
    assert_eq!((both.config.plan.cutoff_s, both.config.cluster.namespace.as_deref(), both.files.len()), (3600, Some("shop"), 2));
    let own = dir.path().join("own.yaml");
    assert_eq!(read(Some(&own)).map_err(|t| t.kind).err(), Some(TroubleKind::NotFound), "a file that was asked for");
    std::fs::write(&own, "plan: {cutoff_s: 1900}\n").expect("written");
    let one = read(Some(&own)).expect("a config");
    assert_eq!((one.config.plan.cutoff_s, one.config.cluster.namespace, one.files.len()), (1900, None, 1), "it stands in for both");
}

#[test]
fn every_key_is_documented_and_the_example_holds_the_defaults() {
    assert_eq!(schema::undocumented(&schema()), Vec::<String>::new());
    let wanted = example();
    assert_eq!(put(&[&wanted], &[], &[]).map(|l| l.config), Ok(Config::default()), "{wanted}");
    let schema = serde_json::to_string_pretty(&schema()).expect("json") + "\n";
    for (name, wanted) in [("config.example.yaml", wanted), (".config.schema.json", schema)] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &wanted).expect("written");
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(found == wanted, "{name} is old: UPDATE=1 cargo test --lib config::");
    }
}

#[test]
fn every_path_key_exists() {
    let schema = schema();
    let root = serde_json::to_string(&schema).expect("json");
    for pattern in super::model::PATHS {
        let last = pattern.rsplit('.').next().unwrap_or(pattern).trim_end_matches("[]");
        assert!(root.contains(&format!("\"{last}\"")), "{pattern}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(plan|cluster|notify)?[a-z:{}\\[\\], \n'\"-]{0,80}") {
        let _ = put(&[&text], &[], &[]);
    }
}
