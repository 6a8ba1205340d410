//! A real snapshot, cut: at each section's beginning and end, one byte before and behind, and at random places (a thousand with
//! `CUTOFF_LEAKS=all`). Never a panic, never a claim that the whole file does not bear out.

use std::collections::BTreeSet;
use std::sync::Arc;

use cutoff::heap::{self, Analysis, Confidence, NodeId, Options, Pipeline, Trust, Unwatched, Verdict};

use crate::oracle::{analysed, fixture};

fn say(all: &[&Analysis]) -> Verdict {
    heap::find_leaks(all, &Options::default(), &Unwatched).expect("nobody cancels")
}

#[test]
fn a_real_file_cut_anywhere_claims_nothing_wrong() {
    let (before, after) = (analysed("node22-0"), analysed("node22-1"));
    let text = fixture("node22-1.heapsnapshot.gz");
    let find = |word: &str| text.windows(word.len()).position(|w| w == word.as_bytes()).expect("the section is there");
    let mut places: Vec<usize> = ["\"nodes\":[", "\"edges\":[", "\"trace_function_infos\"", "\"locations\":[", "\"strings\":["]
        .iter()
        .flat_map(|word| {
            let at = find(word);
            [at - 1, at, at + 1, at + word.len() - 1, at + word.len(), at + word.len() + 1]
        })
        .chain([text.len() - 2, text.len() - 1])
        .collect();
    let random = if std::env::var_os("CUTOFF_LEAKS").is_some() { 1000 } else { 6 };
    places.extend((0..random).map(|n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize % text.len()));
    let names = |verdict: &Verdict| -> BTreeSet<String> {
        let suspects = verdict.suspects.iter().map(|s| s.holder.to_string());
        suspects.chain(verdict.large.iter().map(|l| l.name.to_string())).collect()
    };
    // What one snapshot and the pair name when they are whole.
    let known: BTreeSet<String> = names(&say(&[&after])).union(&names(&say(&[&before, &after]))).cloned().collect();
    let (mut named, mut read) = (0, 0);
    for at in places {
        let mut pipeline = Pipeline::new(Arc::new(Unwatched));
        if pipeline.push(&text[..at]).is_err() {
            continue;
        }
        let Ok(cut) = pipeline.finish() else { continue };
        read += 1;
        let trust = cut.cut().map_or(Trust::Exact, heap::Cut::retained);
        for said in [say(&[&cut]), say(&[&before, &cut])] {
            for s in &said.suspects {
                let holder = NodeId(u32::try_from(s.holder_id).expect("an id"));
                let whole = after.by_id(holder).unwrap_or_else(|| panic!("cut at {at}: @{} is not in the whole file", s.holder_id));
                assert!(known.contains(s.holder.as_str()), "cut at {at}: {} is not among {known:?}", s.headline);
                assert!(trust == Trust::Exact || s.confidence < Confidence::High, "cut at {at}: {}", s.headline);
                if s.rule.as_str() != "salvage" && trust == Trust::LowerBound {
                    assert!(
                        s.retained_bytes <= after.retained_size(whole).max(s.growth_bytes.unwrap_or(0) as u64),
                        "cut at {at}: {}",
                        s.headline
                    );
                }
            }
            assert!(trust == Trust::Exact || !said.caveats.is_empty() || !said.reason.is_empty(), "cut at {at}: nobody was told");
            named += usize::from(said.first().is_some_and(|s| s.holder.as_str() == "parsedContentCache"));
        }
    }
    assert!(read > 12 && named > 8, "{named} of {read} files that could be read named the leak");
}
