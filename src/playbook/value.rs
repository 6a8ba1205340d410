//! Values of facts, variables and expressions, and their types.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::span;

/// A value of an expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A count.
    Number(f64),
    /// A length of time.
    Span(Duration),
    /// Words.
    Text(String),
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Yes or no.
    Bool,
    /// A count.
    Number,
    /// A length of time.
    Span,
    /// Words.
    Text,
}

impl Value {
    /// What it is.
    pub const fn kind(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::Span(_) => Type::Span,
            Self::Text(_) => Type::Text,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Span(d) => f.write_str(&span(*d)),
            Self::Text(t) => f.write_str(t),
        }
    }
}

impl Type {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bool => "yes or no",
            Self::Number => "a number",
            Self::Span => "a span of time",
            Self::Text => "text",
        }
    }

    /// The value of this type that a fact has before anything happened.
    pub fn zero(self) -> Value {
        match self {
            Self::Bool => Value::Bool(false),
            Self::Number => Value::Number(0.0),
            Self::Span => Value::Span(Duration::ZERO),
            Self::Text => Value::Text(String::new()),
        }
    }
}
