//! Readers of single values of the file, with their place in the problem.

use std::time::Duration;

use super::expr::Expr;
use super::file::At;
use super::problem::{Pos, Problem};
use crate::base::parse_span;

/// A span of time, longer than zero.
pub(super) fn time(key: Option<&At<String>>, problems: &mut Vec<Problem>) -> Option<Duration> {
    let at = key?;
    match parse_span(at.value()) {
        Some(d) if !d.is_zero() => Some(d),
        _ => {
            let what = format!("`{}` is no span of time", at.value());
            problems.push(Problem::error(at.pos(), what, "write it as 90s, 15m, 2h or 1h30m"));
            None
        }
    }
}

/// An expression.
pub(super) fn expression(key: Option<&At<String>>, problems: &mut Vec<Problem>) -> Option<Expr> {
    let at = key?;
    match Expr::parse(at.value()) {
        Ok(expr) => Some(expr),
        Err(error) => {
            problems.push(Problem::error(within(at.pos(), error.at), format!("in the expression: {}", error.what), error.remedy));
            None
        }
    }
}

/// The place of character `at` of a text that begins at `pos`. Of a quoted text it is one too small, which is near enough.
pub(super) fn within(pos: Pos, at: usize) -> Pos {
    Pos { column: pos.column.saturating_add(u32::try_from(at).unwrap_or(0)), ..pos }
}
