//! Who allocated what: the sections that V8 fills when allocations were tracked (`HeapProfiler.startTrackingHeapObjects` with
//! `trackAllocations`, DevTools' "allocations on timeline").
//!
//! Source: `HeapSnapshotJSONSerializer::SerializeTraceTree`, `…TraceNodeInfos` and `…Samples` in V8's `heap-snapshot-generator.cc`. Places
//! are those where functions begin, counted from 1 (objects' locations count from 0).

use super::ids::StringIx;

/// A function that allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Allocator {
    /// Its name; empty for an anonymous one.
    pub name: StringIx,
    /// Path of its script.
    pub script: StringIx,
    /// Line on which it begins, from 1; 0 when unknown.
    pub line: u32,
    /// Column, from 1; 0 when unknown.
    pub column: u32,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    parent: Option<u32>,
    function: u32,
}

/// The call tree of allocations.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    functions: Vec<Allocator>,
    /// Calls by their number in the file.
    calls: Vec<Option<Call>>,
    /// `(microseconds since tracking began, last id given until then)`.
    pub samples: Vec<(u64, u32)>,
}

/// Where the fields of the three sections stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TraceRows {
    /// Numbers a function, and where its name, script, line and column are.
    pub function: (usize, [usize; 4]),
    /// Numbers a call before its children, and where its id and function are.
    pub call: (usize, [usize; 2]),
    /// Numbers a sample, and where its time and id are.
    pub sample: Option<(usize, [usize; 2])>,
}

impl TraceRows {
    /// From the lists of fields in a header; `None` when they are not what is known.
    pub fn of(function: &[&str], call: &[&str], sample: &[&str]) -> Option<Self> {
        let at = |list: &[&str], field: &str| list.iter().position(|f| *f == field);
        let functions =
            (function.len(), [at(function, "name")?, at(function, "script_name")?, at(function, "line")?, at(function, "column")?]);
        // `children` is the last field: a list of calls.
        (call.last() == Some(&"children")).then_some(())?;
        let calls = (call.len() - 1, [at(call, "id")?, at(call, "function_info_index")?]);
        let samples = (|| Some((sample.len(), [at(sample, "timestamp_us")?, at(sample, "last_assigned_id")?])))();
        Some(Self { function: functions, call: calls, sample: samples })
    }
}

impl Trace {
    /// Reads `trace_function_infos`: one list of numbers.
    pub fn read_functions(&mut self, json: &[u8], rows: &TraceRows) {
        let (width, [name, script, line, column]) = rows.function;
        let numbers: Vec<u64> = numbers(json).filter_map(|t| if let Token::Number(n) = t { Some(n) } else { None }).collect();
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.functions = numbers
            .chunks_exact(width)
            .map(|r| Allocator {
                name: StringIx(small(r[name])),
                script: StringIx(small(r[script])),
                line: small(r[line]),
                column: small(r[column]),
            })
            .collect();
    }

    /// Reads `trace_tree`: calls, each followed by the list of its children. Without recursion, since stacks are deep.
    pub fn read_tree(&mut self, json: &[u8], rows: &TraceRows) {
        let (width, [id, function]) = rows.call;
        let mut parents: Vec<Option<u32>> = Vec::new();
        let mut row: Vec<u64> = Vec::with_capacity(width);
        let mut last: Option<u32> = None;
        for token in numbers(json) {
            match token {
                Token::Open => parents.push(last),
                Token::Close => {
                    last = parents.pop().flatten();
                    row.clear();
                }
                Token::Number(n) => {
                    row.push(n);
                    if row.len() < width {
                        continue;
                    }
                    let (number, function) = (row[id], u32::try_from(row[function]).unwrap_or(u32::MAX));
                    row.clear();
                    // V8 numbers calls from 1 without gaps; a number beyond what the text can hold is damage.
                    if number > json.len() as u64 {
                        continue;
                    }
                    let number = number as usize;
                    if self.calls.len() <= number {
                        self.calls.resize(number + 1, None);
                    }
                    self.calls[number] = Some(Call { parent: parents.last().copied().flatten(), function });
                    last = Some(number as u32);
                }
            }
        }
    }

    /// Reads `samples`: one list of numbers.
    pub fn read_samples(&mut self, json: &[u8], rows: &TraceRows) {
        let Some((width, [time, id])) = rows.sample else { return };
        let numbers: Vec<u64> = numbers(json).filter_map(|t| if let Token::Number(n) = t { Some(n) } else { None }).collect();
        self.samples = numbers.chunks_exact(width).map(|r| (r[time], u32::try_from(r[id]).unwrap_or(u32::MAX))).collect();
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.samples.is_empty()
    }

    /// Whether no call was recorded.
    pub fn has_no_calls(&self) -> bool {
        self.calls.is_empty()
    }

    /// Functions on the stack of a call, innermost first, 64 at most.
    pub fn stack(&self, call: u32) -> Vec<Allocator> {
        let mut found = Vec::new();
        let mut at = Some(call);
        // A file that was tampered with may go in circles.
        for _ in 0..64 {
            let Some(call) = at.and_then(|c| self.calls.get(c as usize).copied().flatten()) else { break };
            found.extend(self.functions.get(call.function as usize));
            at = call.parent;
        }
        found
    }
}

enum Token {
    Number(u64),
    Open,
    Close,
}

/// Numbers and brackets of a text of nested lists.
fn numbers(json: &[u8]) -> impl Iterator<Item = Token> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match json.get(at)? {
                b'[' => {
                    at += 1;
                    return Some(Token::Open);
                }
                b']' => {
                    at += 1;
                    return Some(Token::Close);
                }
                b'0'..=b'9' => {
                    let mut n = 0_u64;
                    while let Some(d @ b'0'..=b'9') = json.get(at) {
                        n = n.saturating_mul(10).saturating_add(u64::from(d - b'0'));
                        at += 1;
                    }
                    return Some(Token::Number(n));
                }
                _ => at += 1,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> TraceRows {
        TraceRows::of(
            &["function_id", "name", "script_name", "script_id", "line", "column"],
            &["id", "function_info_index", "count", "size", "children"],
            &["timestamp_us", "last_assigned_id"],
        )
        .expect("the fields of Node 18 to 26")
    }

    #[test]
    fn a_call_knows_its_callers() {
        let mut trace = Trace::default();
        trace.read_functions(b"[0,1,2,0,0,0,\n7,3,4,9,12,5,\n8,6,4,9,30,1]", &rows());
        trace.read_tree(b"[1,0,0,0,[2,1,3,144,[3,2,1,24,[],4,1,1,8,[]],5,2,0,0,[]]]", &rows());
        let lines = |call| trace.stack(call).iter().map(|f| f.line).collect::<Vec<_>>();
        assert_eq!((lines(3), lines(4), lines(5), lines(9)), (vec![30, 12, 0], vec![12, 12, 0], vec![30, 0], vec![]));
    }

    #[test]
    fn unknown_fields_leave_the_sections_alone() {
        assert_eq!(TraceRows::of(&["name"], &["id"], &[]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]0-9, ]{0,200}", call: u32) {
            let mut trace = Trace::default();
            trace.read_functions(text.as_bytes(), &rows());
            trace.read_tree(text.as_bytes(), &rows());
            trace.read_samples(text.as_bytes(), &rows());
            let _ = trace.stack(call % 300);
        }
    }
}
