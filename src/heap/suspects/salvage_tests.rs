//! Files that are cut anywhere, alone and behind a whole snapshot of the same process: never a panic, never a claim that the whole file does
//! not bear out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::testing::{App, verdict};
use super::*;
use crate::heap::ids::{NodeId, NodeIx};
use crate::heap::verdict::Confidence;
use crate::heap::{Pipeline, Section, Stop, Unwatched};

/// A service before and after 120 more pages came to its cache of 300, and 40 lines to its log.
fn process() -> (App, App) {
    let mut before = App::new();
    let (cache, log) = (before.map("cache"), before.array("log"));
    let fill = |app: &mut App, pages: usize, lines: usize| {
        for _ in 0..pages {
            let page = app.instance("Page", 1000);
            app.set(cache, page);
        }
        for n in 0..lines {
            let line = app.d.node(crate::heap::NodeKind::String, &format!("line {n} of the log"), 600);
            app.push(log, line);
        }
    };
    fill(&mut before, 300, 200);
    let mut after = before.clone();
    fill(&mut after, 120, 40);
    (before, after)
}

fn read(text: &[u8]) -> Result<Analysis, Stop> {
    let mut pipeline = Pipeline::new(Arc::new(Unwatched));
    pipeline.push(text)?;
    pipeline.finish()
}

fn say(all: &[&Analysis]) -> Verdict {
    find_leaks(all, &Options::default(), &Unwatched).expect("nobody cancels")
}

/// What the whole files say.
struct Truth {
    before: Analysis,
    after: Analysis,
    verdict: Verdict,
}

impl Truth {
    /// Nodes of the whole file that are not in the earlier one and that references lead to from the object with this id.
    fn new_from(&self, id: u64) -> u64 {
        let a = &self.after;
        let start = a.by_id(NodeId(u32::try_from(id).expect("an id"))).expect("the holder is in the whole file");
        let mut seen: BTreeSet<NodeIx> = BTreeSet::from([start]);
        let mut waiting = vec![start];
        while let Some(node) = waiting.pop() {
            waiting.extend(a.edges(node).map(|e| e.to).filter(|&to| seen.insert(to)));
        }
        seen.iter().filter(|&&n| self.before.by_id(a.id(n)).is_none()).count() as u64
    }

    /// Every claim of a verdict about the cut file.
    fn bears_out(&self, said: &Verdict, cut: &Analysis, place: &str) {
        let known: Vec<&str> =
            self.verdict.suspects.iter().map(|s| s.holder.as_str()).chain(self.verdict.large.iter().map(|l| l.name.as_str())).collect();
        for s in &said.suspects {
            assert!(known.contains(&s.holder.as_str()), "{place}: {} is no holder in {known:?}", s.headline);
            if s.rule.as_str() == "salvage" {
                assert!(s.count <= self.new_from(s.holder_id), "{place}: {}", s.headline);
                assert_eq!(s.confidence, Confidence::Low, "{place}");
            }
            let true_growth = self.verdict.suspects.iter().find(|t| t.holder == s.holder).and_then(|t| t.growth_bytes);
            if let (Some(claimed), Some(truth)) = (s.growth_bytes, true_growth) {
                assert!(claimed <= truth, "{place}: {claimed} of {truth}: {}", s.headline);
            }
        }
        let whole = cut.cut().is_none_or(|c| c.retained() == Trust::Exact);
        assert!(whole || !said.caveats.is_empty() || !said.reason.is_empty(), "{place}: it must be said that the file is cut");
        assert!(said.suspects.is_empty() || cut.knows_kind(), "{place}");
    }
}

#[test]
fn no_cut_makes_it_claim_what_the_whole_file_does_not_bear_out() {
    let (before, after) = process();
    let text = after.d.text().into_bytes();
    let truth = Truth { before: before.heap(), after: after.heap(), verdict: verdict(&[&before, &after]) };
    assert_eq!(truth.verdict.suspects[0].holder.as_str(), "cache");
    let find = |word: &str| text.windows(word.len()).position(|w| w == word.as_bytes()).expect("the section is there");
    // One byte before and behind where each section begins and ends, and a thousand places between.
    let mut places: BTreeSet<usize> = ["\"nodes\":[", "],\n\"edges\":[", "\"trace_function_infos\"", "\"locations\":[", "\"strings\":["]
        .iter()
        .flat_map(|word| {
            let at = find(word);
            [at - 1, at, at + 1, at + word.len() - 1, at + word.len(), at + word.len() + 1]
        })
        .chain([text.len() - 2, text.len() - 1])
        .collect();
    // Knuth's multiplicative hash: the same places every time.
    places.extend((0..1000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize % text.len()));
    let mut named = 0;
    let mut sections = BTreeSet::new();
    for at in places {
        let Ok(cut) = read(&text[..at]) else { continue };
        let section = cut.cut().map_or(Section::End, |c| c.at);
        let place = format!("cut at {at} of {}, in its {}", text.len(), section.word());
        truth.bears_out(&say(&[&cut]), &cut, &place);
        let said = say(&[&truth.before, &cut]);
        truth.bears_out(&said, &cut, &place);
        if said.suspects.iter().any(|s| s.holder.as_str() == "cache") {
            named += 1;
            sections.insert(section);
        }
    }
    assert!(named > 100 && sections.contains(&Section::Edges) && sections.contains(&Section::Strings), "{named} in {sections:?}");
}

#[test]
fn a_file_without_names_still_tells_what_grew_under_an_earlier_one() {
    let (before, after) = process();
    let text = after.d.text();
    let cut = read(&text.as_bytes()[..text.find("\"strings\"").expect("strings")]).expect("a cut file");
    let alone = say(&[&cut]);
    assert!(alone.suspects.is_empty() && alone.reason.as_str().contains("cut"), "{}", alone.reason);
    let said = say(&[&before.heap(), &cut]);
    let first = said.first().expect("a suspect");
    assert_eq!((first.rule.as_str(), first.holder.as_str(), first.count, first.growth_bytes), ("salvage", "cache", 120, Some(120_000)));
    assert!(first.headline.as_str().contains("at least 120 new objects") && !first.path.is_empty());
    assert!(said.next_capture.as_str().starts_with("a whole snapshot"));
    // Another process' ids mean nothing.
    let mut other = before;
    for node in &mut other.d.nodes {
        node.kind = if node.kind == crate::heap::NodeKind::Object { crate::heap::NodeKind::Closure } else { node.kind };
    }
    let said = say(&[&other.heap(), &cut]);
    assert!(said.suspects.is_empty() && said.caveats.iter().any(|c| c.as_str().contains("two processes")), "{:?}", said.caveats);
}

#[test]
fn what_kind_of_snapshot_it_is_needs_the_references_of_the_root() {
    let (_, after) = process();
    let text = after.d.text();
    let at = text.find("\"edges\":[").expect("edges") + 9;
    let early = read(&text.as_bytes()[..at]).expect("nodes are whole");
    assert!(!early.knows_kind());
    assert!(say(&[&early]).caveats.iter().all(|c| !c.as_str().contains("heap limit")), "it is not said to be what it is not known to be");
    assert!(after.heap().knows_kind());
}
