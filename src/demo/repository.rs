//! A git repository of the leaking service: the leak is seven months old, the three patches of today are harmless.
//!
//! The bundled files are the newest commit; older ones are made by undoing the edits of each commit, newest first.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use tokio::process::Command;

use super::error::Error;
use super::images;

struct Edit {
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

struct Commit {
    minutes_ago: i64,
    author: &'static str,
    subject: &'static str,
    edits: &'static [Edit],
}

const DAY: i64 = 24 * 60;
const SERVICE: &str = "src/content-import/content-import.service.js";
const PARSER: &str = "src/content-import/content-parser.js";

/// Oldest first; the first commit brings every file as it was then.
const COMMITS: [Commit; 7] = [
    Commit { minutes_ago: 425 * DAY, author: "Jonas Brandt", subject: "Import content updates from the editors' feed", edits: &[] },
    Commit {
        minutes_ago: 213 * DAY,
        author: "Jonas Brandt",
        subject: "Parse an update once for all audiences",
        edits: &[
            Edit {
                file: SERVICE,
                before: "",
                after: "// Editors publish the same update for several audiences: parse it once.\nconst parsedUpdates = new Map();\n\n",
            },
            Edit {
                file: SERVICE,
                before: "  parsed(update) {\n    return parseContent(update);\n  }\n",
                after: "  parsed(update) {\n    if (!update.personalization) return parseContent(update);\n    \
                        const key = { id: update.id, revision: update.revision };\n    let content = parsedUpdates.get(key);\n    \
                        if (!content) {\n      content = parseContent(update);\n      parsedUpdates.set(key, content);\n    }\n    \
                        return content;\n  }\n",
            },
        ],
    },
    Commit {
        minutes_ago: 96 * DAY,
        author: "Amira Haddad",
        subject: "Warn when memory is high",
        edits: &[Edit { file: SERVICE, before: "", after: "    if (heapUsed > 90e6) this.logger.warn(`memory is high: ${used}`);\n" }],
    },
    Commit {
        minutes_ago: 40 * DAY,
        author: "Amira Haddad",
        subject: "Keep at most 500 teasers",
        edits: &[Edit {
            file: "src/catalog/catalog.service.js",
            before: "new LruCache(2000);\n    this.published",
            after: "new LruCache(500);\n    this.published",
        }],
    },
    Commit {
        minutes_ago: 310,
        author: "Lena Vogt",
        subject: "Trim titles",
        edits: &[Edit { file: PARSER, before: "update.title;", after: "update.title.trim();" }],
    },
    Commit {
        minutes_ago: 296,
        author: "Lena Vogt",
        subject: "Count updates that have no slug as failed",
        edits: &[
            Edit {
                file: SERVICE,
                before: "",
                after: "    if (!update || !update.slug) {\n      this.failed += 1;\n      return;\n    }\n",
            },
            Edit { file: "package.json", before: "\"2.30.9\"", after: "\"2.31.0\"" },
        ],
    },
    Commit {
        minutes_ago: 95,
        author: "Amira Haddad",
        subject: "Give every block an anchor",
        edits: &[
            Edit { file: PARSER, before: "", after: "    this.anchor = `${kind}-${position}`;\n" },
            Edit { file: "package.json", before: "\"2.31.0\"", after: "\"2.31.1\"" },
        ],
    },
];

type Files = BTreeMap<String, String>;

/// The files at each commit, oldest first.
fn history() -> Result<Vec<Files>, Error> {
    let mut files: Files = images::files("content-import").map(|(path, text)| (path.to_string(), text.to_string())).collect();
    let mut states = vec![files.clone()];
    for commit in COMMITS.iter().skip(1).rev() {
        for edit in commit.edits.iter().rev() {
            let text = files.get_mut(edit.file).ok_or_else(|| Error::Repository(format!("{} is not bundled", edit.file)))?;
            if text.matches(edit.after).count() != 1 {
                return Err(Error::Repository(format!("{}: the edit of \"{}\" does not fit", edit.file, commit.subject)));
            }
            *text = text.replacen(edit.after, edit.before, 1);
        }
        states.push(files.clone());
    }
    states.reverse();
    Ok(states)
}

/// Makes the repository in `dir`.
pub(crate) async fn make(dir: &Path) -> Result<(), Error> {
    git(dir, &["init", "--quiet", "--initial-branch=main"], None).await?;
    for (commit, files) in COMMITS.iter().zip(history()?) {
        for (path, text) in files {
            let path = dir.join(path);
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
            made.map_err(|why| Error::Files { path: path.display().to_string(), why })?;
        }
        git(dir, &["add", "--all"], None).await?;
        git(dir, &["commit", "--quiet", "--no-gpg-sign", "--message", commit.subject], Some(commit)).await?;
    }
    Ok(())
}

async fn git(dir: &Path, arguments: &[&str], commit: Option<&Commit>) -> Result<(), Error> {
    let mut command = Command::new("git");
    // Neither the user's hooks nor signing nor templates have a say in it.
    command.arg("-C").arg(dir).args(["-c", "core.hooksPath=/dev/null", "-c", "init.templateDir=", "-c", "core.autocrlf=false"]);
    command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").kill_on_drop(true);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    if let Some(commit) = commit {
        let at = (crate::demo::clock::now() - TimeDelta::minutes(commit.minutes_ago)).to_rfc3339_opts(SecondsFormat::Secs, true);
        let email = format!("{}@shop.example", commit.author.to_lowercase().replace(' ', "."));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), commit.author);
            command.env(format!("GIT_{role}_EMAIL"), &email);
            command.env(format!("GIT_{role}_DATE"), &at);
        }
    }
    let output = tokio::time::timeout(Duration::from_secs(30), command.output()).await;
    match output {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(Error::Repository(String::from_utf8_lossy(&output.stderr).trim().to_string())),
        Ok(Err(why)) => Err(Error::Repository(why.to_string())),
        Err(_) => Err(Error::Repository("git did not end in 30 s".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leak_is_older_than_every_patch_of_today() {
        let states = history().unwrap();
        let leaks = |files: &Files| files[SERVICE].contains("parsedUpdates.set(key, content)");
        assert_eq!(states.iter().map(leaks).collect::<Vec<_>>(), [false, true, true, true, true, true, true]);
        assert_eq!(states.last().unwrap()[SERVICE], images::files("content-import").find(|f| f.0 == SERVICE).unwrap().1);
        let today = COMMITS.iter().filter(|c| c.minutes_ago < DAY).count();
        assert_eq!(today, 3);
        assert!((6 * 30..8 * 31).contains(&(COMMITS[1].minutes_ago / DAY)));
    }
}
