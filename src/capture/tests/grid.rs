//! The matrix: Node's majors × how it is started × flags × directory × memory. For each cell the tool's own decision on
//! a real process, the capture by the tool's own code, and whether the process lives; and, at the very limit where a
//! capture is still called OK, heaps of every shape. `CUTOFF_MATRIX_NODES` names the programs (`tests/matrix/nodes`
//! fetches them), `UPDATE=1` writes `tests/matrix/`.

mod cells;
mod costs;
mod table;

use std::path::PathBuf;

/// Node's programs: by the variable, else 20 and 24 from PATH or from where `tests/matrix/nodes` keeps them, else what
/// every other test takes.
fn programs() -> Vec<String> {
    // Whether this machine allows namespaces at all is asked (and said) there.
    let usual = super::local::programs();
    let listed = std::env::var("CUTOFF_MATRIX_NODES").unwrap_or_default();
    let listed: Vec<String> = listed.split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    if usual.is_empty() || !listed.is_empty() {
        return if usual.is_empty() { usual } else { listed };
    }
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_default().join("cutoff-nodes");
    let wanted = |want: u16| {
        let cached = cache.join(want.to_string()).join("node_modules/node/bin/node");
        ["node".to_owned(), cached.display().to_string()].into_iter().find(|program| major(program) == Some(want))
    };
    let found: Vec<String> = [20, 24].into_iter().filter_map(wanted).collect();
    if found.len() == 2 {
        return found;
    }
    crate::skips::skipped("matrix: Node 20 and 24", "not both on PATH or in the cache (`tests/matrix/nodes 20 24` fetches them)");
    usual
}

/// `20` of a program that is Node 20.
fn major(program: &str) -> Option<u16> {
    let said = std::process::Command::new(program).arg("--version").output().ok()?;
    crate::node::NodeVersion::parse(&String::from_utf8_lossy(&said.stdout)).map(|v| v.major)
}

/// Whether a program can be started here.
fn there(program: &str) -> bool {
    std::process::Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success())
}
