//! `.heapprofile`: V8's sampled allocations (CDP `HeapProfiler.SamplingHeapProfile`). Says who allocated what is still alive;
//! it knows no objects and no holders.
//!
//! Read without recursion: call stacks nest as deep as the program's, which is more than JSON readers allow.

use std::collections::HashMap;

use super::{Place, json};
use crate::base::{Masked, Untrusted};

/// Who allocated what is alive, by sampling.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Sampled bytes that are alive, as V8 scaled them up.
    pub total_bytes: u64,
    /// Functions, most bytes allocated by themselves first.
    pub sites: Vec<Site>,
}

/// A function that allocated.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its name; `(anonymous)` without one.
    pub function: Masked,
    /// Where it is written; `None` for V8's own entries.
    pub place: Option<Place>,
    /// Bytes that it allocated itself.
    pub self_bytes: u64,
    /// Bytes that it or what it called allocated; recursion counts once.
    pub total_bytes: u64,
    /// The callers of its heaviest call, innermost first, eight at most.
    pub callers: Vec<Masked>,
}

/// Why a file is no heap profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The JSON breaks off or is damaged at this byte.
    #[error("not a heap profile: damaged at byte {0}")]
    Damaged(usize),
    /// There is no `head` in it.
    #[error("not a heap profile: it has no head")]
    NoHead,
}

#[derive(Default)]
struct Call {
    parent: Option<usize>,
    function: String,
    url: String,
    line: i64,
    column: i64,
    size: f64,
}

#[derive(Clone, Copy)]
enum Inside {
    Call(usize),
    Frame(usize),
    Children(usize),
    Other,
}

impl Profile {
    /// Reads a `.heapprofile`.
    ///
    /// # Errors
    /// [`ProfileError`] when the bytes are no such file.
    pub fn parse(text: &[u8]) -> Result<Self, ProfileError> {
        let calls = calls(text)?;
        if calls.is_empty() {
            return Err(ProfileError::NoHead);
        }
        Ok(Self::of(&calls))
    }

    fn of(calls: &[Call]) -> Self {
        // Children follow their parents, so one pass backwards sums up.
        let mut total: Vec<f64> = calls.iter().map(|c| c.size).collect();
        for n in (1..calls.len()).rev() {
            if let Some(parent) = calls[n].parent {
                total[parent] += total[n];
            }
        }
        let key = |c: &Call| (c.function.clone(), c.url.clone(), c.line, c.column);
        let mut sites: HashMap<_, (f64, f64, usize)> = HashMap::new();
        for (n, call) in calls.iter().enumerate() {
            let own = key(call);
            let mut above = call.parent;
            let mut recursive = false;
            while let Some(p) = above {
                if calls[p].function == call.function && key(&calls[p]) == own {
                    recursive = true;
                    break;
                }
                above = calls[p].parent;
            }
            let site = sites.entry(own).or_insert((0.0, 0.0, n));
            site.0 += call.size;
            if !recursive {
                site.1 += total[n];
            }
            if call.size > calls[site.2].size {
                site.2 = n;
            }
        }
        let mut sites: Vec<Site> = sites
            .into_iter()
            .filter(|(_, (own, ..))| *own > 0.0)
            .map(|((function, url, line, column), (own, total, heaviest))| {
                let mut callers = Vec::new();
                let mut above = calls[heaviest].parent;
                while let Some(p) = above.filter(|_| callers.len() < 8) {
                    if calls[p].parent.is_some() {
                        callers.push(spoken(&calls[p]));
                    }
                    above = calls[p].parent;
                }
                Site {
                    function: name(&function),
                    place: place(&url, line, column),
                    self_bytes: own as u64,
                    total_bytes: total as u64,
                    callers,
                }
            })
            .collect();
        sites.sort_by(|a, b| {
            (b.self_bytes, b.total_bytes, &a.function, a.place.as_ref().map(|p| (&p.file, p.line))).cmp(&(
                a.self_bytes,
                a.total_bytes,
                &b.function,
                b.place.as_ref().map(|p| (&p.file, p.line)),
            ))
        });
        Self { total_bytes: calls.iter().map(|c| c.size).sum::<f64>() as u64, sites }
    }
}

fn name(function: &str) -> Masked {
    if function.is_empty() { Masked::own("(anonymous)") } else { Masked::from(function) }
}

fn place(url: &str, line: i64, column: i64) -> Option<Place> {
    if url.is_empty() {
        return None;
    }
    let from_one = |n: i64| u32::try_from(n.saturating_add(1)).unwrap_or(0);
    let file = Masked::from(&Untrusted::new(url.strip_prefix("file://").unwrap_or(url)));
    Some(Place { file, line: from_one(line), column: from_one(column), generated: None })
}

fn spoken(call: &Call) -> Masked {
    match place(&call.url, call.line, call.column) {
        Some(at) => Masked::from(format!("{} {}:{}", name(&call.function), at.file, at.line)),
        None => name(&call.function),
    }
}

fn calls(text: &[u8]) -> Result<Vec<Call>, ProfileError> {
    let mut calls: Vec<Call> = Vec::new();
    let mut inside: Vec<Inside> = Vec::new();
    let mut key = String::new();
    for token in json::Tokens::new(text) {
        let here = inside.last().copied().unwrap_or(Inside::Other);
        match token.map_err(ProfileError::Damaged)? {
            json::Token::Key(k) => key = k,
            json::Token::Open(json::Bracket::Object) => inside.push(match (here, key.as_str()) {
                (Inside::Other, "head") => {
                    calls.push(Call::default());
                    Inside::Call(calls.len() - 1)
                }
                (Inside::Children(parent), _) => {
                    calls.push(Call { parent: Some(parent), ..Call::default() });
                    Inside::Call(calls.len() - 1)
                }
                (Inside::Call(n), "callFrame") => Inside::Frame(n),
                _ => Inside::Other,
            }),
            json::Token::Open(json::Bracket::Array) => inside.push(match (here, key.as_str()) {
                (Inside::Call(n), "children") => Inside::Children(n),
                _ => Inside::Other,
            }),
            json::Token::Close => {
                inside.pop();
            }
            json::Token::Text(text) => {
                if let Inside::Frame(n) = here {
                    match key.as_str() {
                        "functionName" => calls[n].function = text,
                        "url" => calls[n].url = text,
                        _ => {}
                    }
                }
            }
            json::Token::Number(number) => match (here, key.as_str()) {
                (Inside::Frame(n), "lineNumber") => calls[n].line = number as i64,
                (Inside::Frame(n), "columnNumber") => calls[n].column = number as i64,
                (Inside::Call(n), "selfSize") if number > 0.0 => calls[n].size = number,
                _ => {}
            },
            json::Token::Word => {}
        }
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(depth: usize) -> String {
        let frame = |name: &str, line: usize, size: usize| {
            format!(
                r#"{{"callFrame":{{"functionName":"{name}","scriptId":"9","url":"file:///app/src/import.js","lineNumber":{line},"columnNumber":4}},"selfSize":{size},"id":{line},"children":["#
            )
        };
        let mut text = String::from(
            r#"{"head":{"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"selfSize":0,"id":1,"children":["#,
        );
        for _ in 0..depth {
            text += &frame("walk", 9, 10);
        }
        text += &frame("parse", 41, 5000);
        text += &"]}".repeat(depth + 2);
        text + r#","samples":[{"size":5000,"nodeId":3,"ordinal":1}]}"#
    }

    #[test]
    fn the_function_that_allocated_most_comes_first() {
        let read = Profile::parse(profile(2).as_bytes()).expect("a profile");
        let rows: Vec<_> =
            read.sites.iter().map(|s| (s.function.as_str(), s.place.as_ref().map(|p| p.line), s.self_bytes, s.total_bytes)).collect();
        assert_eq!(rows, [("parse", Some(42), 5000, 5000), ("walk", Some(10), 20, 5020)], "recursion counts once");
        assert_eq!(read.total_bytes, 5020);
        assert_eq!(read.sites[0].callers[0].as_str(), "walk /app/src/import.js:10");
    }

    #[test]
    fn stacks_may_be_as_deep_as_the_program_made_them() {
        assert_eq!(Profile::parse(profile(50_000).as_bytes()).expect("a profile").sites.len(), 2);
    }

    #[test]
    fn what_is_no_profile_is_said() {
        assert_eq!(Profile::parse(b"{}"), Err(ProfileError::NoHead));
        assert!(matches!(Profile::parse(b"{\"head\": {"), Err(ProfileError::Damaged(_))));
        assert!(matches!(Profile::parse(b"no json"), Err(ProfileError::Damaged(0))));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>, cut in 0_usize..900) {
            let _ = Profile::parse(&text);
            let whole = profile(3);
            let _ = Profile::parse(&whole.as_bytes()[..cut.min(whole.len())]);
        }
    }
}
