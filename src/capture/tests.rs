//! Against real Node processes in PID and mount namespaces of this machine: node as process 1, under a shell, under
//! npm's kind of launcher. Majors by `CUTOFF_TEST_NODES` (programs with `:` between them), else `node` on PATH. What is
//! missing is said and skipped.
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "tests start real processes and say what they skip")]

mod grid;
mod killed;
mod later;
mod local;
mod matrix;
mod moved;
mod nature;
mod now;
mod paper;
mod points;
mod wire;
