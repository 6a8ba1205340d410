//! The expression language of `when`, `done_when` and `until`: facts, comparisons, `and`, `or`, `not`. Nothing else:
//! no calls, no arithmetic, so that an expression always ends and can be checked before it is used.
//!
//! ```text
//! or      = and { "or" and }
//! and     = not { "and" not }
//! not     = "not" not | compare
//! compare = value [ ( == | != | < | <= | > | >= ) value | "in" "[" value { "," value } "]" ]
//! value   = true | false | number | span (90s, 20m, 2h) | 'text' | name | "(" or ")"
//! ```

use std::fmt;

use serde::Serialize;

use super::value::{Type, Value};
use crate::base::{nearest, parse_span};

/// Depth of parentheses and `not` that is read; deeper is refused.
const DEEPEST: usize = 32;

/// A parsed expression. Serialised as its source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Expr {
    source: String,
    #[serde(skip)]
    root: Node,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Value(Value),
    Name(String, usize),
    Not(Box<Node>, usize),
    Both(Box<Node>, Box<Node>, usize),
    Either(Box<Node>, Box<Node>, usize),
    Compare(Box<Node>, Op, Box<Node>, usize),
    In(Box<Node>, Vec<Node>, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// What is wrong with an expression; `at` counts characters from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// Character of the expression, from 0.
    pub at: usize,
    /// What is wrong.
    pub what: String,
    /// How to mend it. May be empty.
    pub remedy: String,
}

fn fail<T>(at: usize, what: impl Into<String>, remedy: impl Into<String>) -> Result<T, ExprError> {
    Err(ExprError { at, what: what.into(), remedy: remedy.into() })
}

impl Expr {
    /// Reads `source`. Names are not looked up; [`Expr::check`] does that.
    ///
    /// # Errors
    /// When it is no expression; says at which character.
    pub fn parse(source: &str) -> Result<Self, ExprError> {
        let tokens = tokens(source)?;
        let mut parser = Parser { tokens: &tokens, next: 0, end: source.chars().count(), depth: 0 };
        let root = parser.either()?;
        match parser.tokens.get(parser.next) {
            None => Ok(Self { source: source.to_owned(), root }),
            Some((at, token)) => fail(*at, format!("unexpected {token}"), "join conditions by `and` or `or`"),
        }
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Checks that every name is known and that the types fit; gives the type of the whole.
    ///
    /// # Errors
    /// Names the first name or comparison that cannot be.
    pub fn check(&self, known: &dyn Fn(&str) -> Option<Type>, names: &[&str]) -> Result<Type, ExprError> {
        check(&self.root, known, names)
    }

    /// Whether the expression holds, given the values of its names. Names without a value are false, 0 or empty.
    pub fn holds(&self, facts: &dyn Fn(&str) -> Option<Value>) -> bool {
        matches!(value(&self.root, facts), Some(Value::Bool(true)))
    }
}

fn check(node: &Node, known: &dyn Fn(&str) -> Option<Type>, names: &[&str]) -> Result<Type, ExprError> {
    let want_bool = |node: &Node, at: usize| -> Result<(), ExprError> {
        match check(node, known, names)? {
            Type::Bool => Ok(()),
            other => fail(at, format!("a condition is needed here, this is {}", other.word()), "compare it: `deaths > 0`"),
        }
    };
    match node {
        Node::Value(v) => Ok(v.kind()),
        Node::Name(name, at) => match known(name) {
            Some(t) => Ok(t),
            None => {
                let remedy = match nearest(name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("declare it under `vars`; known are {}", names.join(", ")),
                };
                fail(*at, format!("unknown name `{name}`"), remedy)
            }
        },
        Node::Not(inner, at) => want_bool(inner, *at).map(|()| Type::Bool),
        Node::Both(a, b, at) | Node::Either(a, b, at) => {
            want_bool(a, *at)?;
            want_bool(b, *at)?;
            Ok(Type::Bool)
        }
        Node::Compare(a, op, b, at) => {
            let (left, right) = (check(a, known, names)?, check(b, known, names)?);
            let ordered = matches!(op, Op::Lt | Op::Le | Op::Gt | Op::Ge);
            if left != right {
                return fail(*at, format!("{} is compared with {}", left.word(), right.word()), "both sides must be of one type");
            }
            if ordered && !matches!(left, Type::Number | Type::Span) {
                return fail(*at, format!("{} has no order", left.word()), "use `==` or `!=`");
            }
            Ok(Type::Bool)
        }
        Node::In(a, list, at) => {
            let left = check(a, known, names)?;
            for item in list {
                let right = check(item, known, names)?;
                if left != right {
                    return fail(*at, format!("{} is looked up among {}", left.word(), right.word()), "all must be of one type");
                }
            }
            Ok(Type::Bool)
        }
    }
}

fn value(node: &Node, facts: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    let truth = |node: &Node| matches!(value(node, facts), Some(Value::Bool(true)));
    Some(match node {
        Node::Value(v) => v.clone(),
        Node::Name(name, _) => return facts(name),
        Node::Not(inner, _) => Value::Bool(!truth(inner)),
        Node::Both(a, b, _) => Value::Bool(truth(a) && truth(b)),
        Node::Either(a, b, _) => Value::Bool(truth(a) || truth(b)),
        Node::Compare(a, op, b, _) => {
            let (mut left, mut right) = (value(a, facts), value(b, facts));
            // A fact that never happened compares as the zero of the other side's type.
            if left.is_none() {
                left = right.as_ref().map(|v| v.kind().zero());
            }
            if right.is_none() {
                right = left.as_ref().map(|v| v.kind().zero());
            }
            Value::Bool(compare(left.as_ref()?, *op, right.as_ref()?))
        }
        Node::In(a, list, _) => {
            let left = value(a, facts);
            Value::Bool(list.iter().any(|item| {
                let item = value(item, facts);
                left.is_some() && left == item
            }))
        }
    })
}

fn compare(a: &Value, op: Op, b: &Value) -> bool {
    use std::cmp::Ordering;
    let order = match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Span(a), Value::Span(b)) => Some(a.cmp(b)),
        _ => (a == b).then_some(Ordering::Equal),
    };
    match op {
        Op::Eq => a == b,
        Op::Ne => a != b,
        Op::Lt => order == Some(Ordering::Less),
        Op::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Op::Gt => order == Some(Ordering::Greater),
        Op::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Value(Value),
    Name(String),
    Op(Op),
    Not,
    And,
    Or,
    In,
    Open,
    Close,
    ListOpen,
    ListClose,
    Comma,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(v) => write!(f, "`{v}`"),
            Self::Name(n) => write!(f, "`{n}`"),
            Self::Op(_) => f.write_str("comparison"),
            Self::Not => f.write_str("`not`"),
            Self::And => f.write_str("`and`"),
            Self::Or => f.write_str("`or`"),
            Self::In => f.write_str("`in`"),
            Self::Open => f.write_str("`(`"),
            Self::Close => f.write_str("`)`"),
            Self::ListOpen => f.write_str("`[`"),
            Self::ListClose => f.write_str("`]`"),
            Self::Comma => f.write_str("`,`"),
        }
    }
}

fn tokens(source: &str) -> Result<Vec<(usize, Token)>, ExprError> {
    let chars: Vec<char> = source.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let at = i;
        let c = chars[i];
        let follows = |d: char| chars.get(at + 1) == Some(&d);
        let (token, length) = match c {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '[' => (Token::ListOpen, 1),
            ']' => (Token::ListClose, 1),
            ',' => (Token::Comma, 1),
            '=' if follows('=') => (Token::Op(Op::Eq), 2),
            '=' => return fail(at, "`=` sets nothing here", "compare with `==`"),
            '!' if follows('=') => (Token::Op(Op::Ne), 2),
            '!' => (Token::Not, 1),
            '<' if follows('=') => (Token::Op(Op::Le), 2),
            '<' => (Token::Op(Op::Lt), 1),
            '>' if follows('=') => (Token::Op(Op::Ge), 2),
            '>' => (Token::Op(Op::Gt), 1),
            '&' if follows('&') => (Token::And, 2),
            '|' if follows('|') => (Token::Or, 2),
            '\'' | '"' => {
                let Some(n) = chars[at + 1..].iter().position(|d| *d == c) else {
                    return fail(at, "the text does not end", format!("close it with {c}"));
                };
                (Token::Value(Value::Text(chars[at + 1..at + 1 + n].iter().collect())), n + 2)
            }
            c if c.is_ascii_digit() => {
                let word: String = chars[at..].iter().take_while(|d| d.is_ascii_alphanumeric() || **d == '.').collect();
                let value = match word.parse::<f64>() {
                    Ok(n) if word.chars().all(|d| d.is_ascii_digit() || d == '.') => Value::Number(n),
                    _ => match parse_span(&word) {
                        Some(d) => Value::Span(d),
                        None => {
                            return fail(at, format!("`{word}` is neither a number nor a span"), "write spans as 90s, 20m, 2h or 1h30m");
                        }
                    },
                };
                (Token::Value(value), word.chars().count())
            }
            c if c.is_alphabetic() || c == '_' => {
                let word: String = chars[at..].iter().take_while(|d| d.is_alphanumeric() || **d == '_').collect();
                let length = word.chars().count();
                let token = match word.as_str() {
                    "true" | "yes" => Token::Value(Value::Bool(true)),
                    "false" | "no" => Token::Value(Value::Bool(false)),
                    "not" => Token::Not,
                    "and" => Token::And,
                    "or" => Token::Or,
                    "in" => Token::In,
                    _ => Token::Name(word),
                };
                (token, length)
            }
            other => return fail(at, format!("`{other}` means nothing here"), "known are and, or, not, in, ==, !=, <, <=, >, >=, ( )"),
        };
        out.push((at, token));
        i += length;
    }
    Ok(out)
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let hit = self.tokens.get(self.next).is_some_and(|(_, t)| t == token);
        self.next += usize::from(hit);
        hit
    }

    fn either(&mut self) -> Result<Node, ExprError> {
        let mut left = self.both()?;
        loop {
            let at = self.at();
            if !self.take(&Token::Or) {
                return Ok(left);
            }
            left = Node::Either(Box::new(left), Box::new(self.both()?), at);
        }
    }

    fn both(&mut self) -> Result<Node, ExprError> {
        let mut left = self.negated()?;
        loop {
            let at = self.at();
            if !self.take(&Token::And) {
                return Ok(left);
            }
            left = Node::Both(Box::new(left), Box::new(self.negated()?), at);
        }
    }

    fn negated(&mut self) -> Result<Node, ExprError> {
        let at = self.at();
        if !self.take(&Token::Not) {
            return self.compared();
        }
        self.deeper()?;
        let inner = self.negated()?;
        self.depth -= 1;
        Ok(Node::Not(Box::new(inner), at))
    }

    fn deeper(&mut self) -> Result<(), ExprError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return fail(self.at(), "the expression is nested too deeply", "split the step");
        }
        Ok(())
    }

    fn compared(&mut self) -> Result<Node, ExprError> {
        let left = self.value()?;
        let at = self.at();
        if let Some((_, Token::Op(op))) = self.tokens.get(self.next) {
            let op = *op;
            self.next += 1;
            return Ok(Node::Compare(Box::new(left), op, Box::new(self.value()?), at));
        }
        if self.take(&Token::In) {
            if !self.take(&Token::ListOpen) {
                return fail(self.at(), "a list is missing", "write `in ['a', 'b']`");
            }
            let mut list = vec![self.value()?];
            while self.take(&Token::Comma) {
                list.push(self.value()?);
            }
            if !self.take(&Token::ListClose) {
                return fail(self.at(), "the list does not end", "close it with ]");
            }
            return Ok(Node::In(Box::new(left), list, at));
        }
        Ok(left)
    }

    fn value(&mut self) -> Result<Node, ExprError> {
        let at = self.at();
        match self.tokens.get(self.next) {
            Some((_, Token::Value(v))) => {
                self.next += 1;
                Ok(Node::Value(v.clone()))
            }
            Some((_, Token::Name(name))) => {
                self.next += 1;
                Ok(Node::Name(name.clone(), at))
            }
            Some((_, Token::Open)) => {
                self.next += 1;
                self.deeper()?;
                let inner = self.either()?;
                self.depth -= 1;
                if self.take(&Token::Close) { Ok(inner) } else { fail(self.at(), "the parenthesis does not end", "close it with )") }
            }
            Some((_, other)) => fail(at, format!("a value is missing before {other}"), ""),
            None => fail(at, "the expression ends too early", "a value or a name is missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn facts(name: &str) -> Option<Value> {
        Some(match name {
            "deaths" => Value::Number(3.0),
            "declared" => Value::Bool(true),
            "decided" => Value::Text("deep".into()),
            "elapsed" => Value::Span(Duration::from_secs(7260)),
            _ => return None,
        })
    }

    fn types(name: &str) -> Option<Type> {
        if name == "leaks" { Some(Type::Number) } else { facts(name).map(|v| v.kind()) }
    }

    #[test]
    fn expressions_hold_or_do_not() {
        let cases = [
            ("declared", true),
            ("not declared", false),
            ("deaths >= 3 and elapsed > 2h", true),
            ("deaths > 3 or decided == 'deep'", true),
            ("not (deaths > 3) and decided != \"\"", true),
            ("elapsed < 1h30m || deaths == 3 && declared", true),
            ("decided in ['extend', 'deep']", true),
            ("leaks > 0", false),
            ("leaks == 0", true),
            ("unheard_of", false),
            ("false == declared", false),
        ];
        for (source, holds) in cases {
            let expr = Expr::parse(source).unwrap_or_else(|e| panic!("{source}: {e:?}"));
            assert_eq!(expr.holds(&facts), holds, "{source}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_character() {
        let cases = [
            ("", 0, "ends too early"),
            ("declared and", 12, "ends too early"),
            ("deaths = 3", 7, "`=` sets nothing"),
            ("deaths > 2x", 9, "neither a number nor a span"),
            ("decided == 'deep", 11, "does not end"),
            ("(declared", 9, "parenthesis does not end"),
            ("declared declared", 9, "unexpected `declared`"),
            ("declared; rm", 8, "means nothing"),
            ("decided in 'a'", 11, "a list is missing"),
            ("> 3", 0, "a value is missing"),
        ];
        for (source, at, words) in cases {
            let error = Expr::parse(source).expect_err(source);
            assert!(error.at == at && error.what.contains(words), "{source}: {error:?}");
        }
        assert!(Expr::parse(&"(".repeat(100_000)).is_err(), "nesting is bounded");
        assert!(Expr::parse(&"not ".repeat(100_000)).is_err(), "nesting is bounded");
    }

    #[test]
    fn names_and_types_are_checked_before_use() {
        let names = ["deaths", "declared", "decided", "elapsed", "leaks"];
        let cases = [
            ("deatsh > 1", 0, "unknown name", "did you mean `deaths`?"),
            ("deaths > 2h", 7, "a number is compared with a span of time", "one type"),
            ("decided > 'a'", 8, "text has no order", "=="),
            ("deaths and declared", 7, "a condition is needed", "compare it"),
            ("not deaths", 0, "a condition is needed", "compare it"),
            ("deaths in ['a']", 7, "looked up among text", "one type"),
        ];
        for (source, at, what, remedy) in cases {
            let error = Expr::parse(source).expect("parses").check(&types, &names).expect_err(source);
            assert!(error.at == at && error.what.contains(what) && error.remedy.contains(remedy), "{source}: {error:?}");
        }
        assert_eq!(Expr::parse("deaths > 1").expect("parses").check(&types, &names), Ok(Type::Bool));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(source in ".{0,60}") {
            if let Ok(expr) = Expr::parse(&source) {
                let _ = expr.holds(&facts);
                let _ = expr.check(&types, &[]);
            }
        }
    }
}
