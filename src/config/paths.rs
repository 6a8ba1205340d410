//! Directories on disk, as values: XDG base directories (also on macOS, as users of k9s and lazydocker expect), each with
//! an environment variable of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Environment variables, as data.
pub type Env = BTreeMap<String, String>;

/// Where what is kept. Nothing is created here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `config.yaml`, `playbooks/`, `postmortem.md.j2`. `$CUTOFF_CONFIG_DIR`, else `$XDG_CONFIG_HOME/cutoff`.
    pub config_dir: PathBuf,
    /// `incidents/`: journals, evidence, exports. `$CUTOFF_DATA_DIR`, else `$XDG_DATA_HOME/cutoff`.
    pub data_dir: PathBuf,
    /// Log files. `$CUTOFF_STATE_DIR`, else `$XDG_STATE_HOME/cutoff`.
    pub state_dir: PathBuf,
    /// Caches, which may be deleted. `$CUTOFF_CACHE_DIR`, else `$XDG_CACHE_HOME/cutoff`.
    pub cache_dir: PathBuf,
    /// The home directory, for `~` in the config.
    pub home: PathBuf,
}

impl Paths {
    /// The directories that `env` says. As the XDG specification wants, what is not absolute is ignored.
    pub fn of(env: &Env) -> Self {
        let absolute = |name: &str| env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("HOME").or_else(|| etcetera::home_dir().ok()).unwrap_or_else(|| PathBuf::from("."));
        let dir = |own: &str, xdg: &str, usual: &str| {
            let given = env.get(own).filter(|path| !path.is_empty()).map(PathBuf::from);
            given.unwrap_or_else(|| absolute(xdg).unwrap_or_else(|| home.join(usual)).join("cutoff"))
        };
        Self {
            config_dir: dir("CUTOFF_CONFIG_DIR", "XDG_CONFIG_HOME", ".config"),
            data_dir: dir("CUTOFF_DATA_DIR", "XDG_DATA_HOME", ".local/share"),
            state_dir: dir("CUTOFF_STATE_DIR", "XDG_STATE_HOME", ".local/state"),
            cache_dir: dir("CUTOFF_CACHE_DIR", "XDG_CACHE_HOME", ".cache"),
            home,
        }
    }

    /// The user's config file.
    pub fn config_file(&self) -> PathBuf {
        self.config_dir.join("config.yaml")
    }

    /// The user's own playbooks.
    pub fn playbooks(&self) -> PathBuf {
        self.config_dir.join("playbooks")
    }

    /// The log file.
    pub fn log_file(&self) -> PathBuf {
        self.state_dir.join("cutoff.log")
    }

    /// `path` with `~` as the home directory, and relative to `base`.
    pub(super) fn resolve(&self, path: &str, base: &Path) -> PathBuf {
        match path.strip_prefix('~') {
            Some("") => self.home.clone(),
            Some(rest) if rest.starts_with('/') => self.home.join(rest.trim_start_matches('/')),
            _ => base.join(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_the_environment() {
        let env = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Env>();
        let plain = Paths::of(&env(&[("HOME", "/home/ann")]));
        assert_eq!(plain.config_file(), Path::new("/home/ann/.config/cutoff/config.yaml"));
        assert_eq!(plain.data_dir, Path::new("/home/ann/.local/share/cutoff"));
        assert_eq!(plain.log_file(), Path::new("/home/ann/.local/state/cutoff/cutoff.log"));
        let set = Paths::of(&env(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_CONFIG_HOME", "rel"), ("CUTOFF_CACHE_DIR", "c")]));
        assert_eq!(set.data_dir, Path::new("/d/cutoff"));
        assert_eq!(set.config_dir, Path::new("/h/.config/cutoff"), "a relative XDG directory is ignored");
        assert_eq!(set.cache_dir, Path::new("c"), "our own variable is taken as it is");
        assert_eq!(plain.resolve("~/x", Path::new("/base")), Path::new("/home/ann/x"));
        assert_eq!(plain.resolve("x", Path::new("/base")), Path::new("/base/x"));
        assert_eq!(plain.resolve("/x", Path::new("/base")), Path::new("/x"));
        assert_eq!(plain.resolve("~bob", Path::new("/base")), Path::new("/base/~bob"));
    }
}
