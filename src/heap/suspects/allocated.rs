//! "Allocated at": who was running when the members of a suspect came, when allocations were tracked.

use std::collections::BTreeMap;

use crate::base::Masked;
use crate::heap::analysis::Analysis;
use crate::heap::ids::NodeIx;
use crate::heap::recognise::{Members, Origin, Reader, label, origin_of, place};
use crate::heap::trace::Allocator;
use crate::heap::verdict::Allocation;

/// Functions that are named.
const MOST: usize = 3;
/// Callers that are named with each.
const CALLERS: usize = 4;

/// The functions that allocated `members`, most first: of each stack the innermost of the app, else of a package, else of all.
pub(super) fn allocations(reader: &Reader<'_>, pile: &Members) -> Vec<Allocation> {
    let a = reader.a;
    if !a.is_tracked() {
        return Vec::new();
    }
    // Those of the class that is named, not what came with them; all, where the class lies inside the members.
    let of_class: Vec<NodeIx> = pile.sample.iter().copied().filter(|&n| label(reader, n) == pile.class).collect();
    let members = if of_class.is_empty() { &pile.sample } else { &of_class };
    let mut known = 0_u32;
    let mut sites: BTreeMap<Allocator, (u32, Vec<Allocator>)> = BTreeMap::new();
    for &member in members {
        let stack = a.allocation_stack(member);
        let rank = |f: &Allocator| match origin_of(&path(a, f)) {
            Origin::App => 0,
            Origin::Package(_) => 1,
            Origin::Node => 2,
            Origin::Unknown => 3,
        };
        let Some((at, site)) = stack.iter().copied().enumerate().min_by_key(|(n, f)| (rank(f), *n)) else { continue };
        known += 1;
        sites.entry(site).or_insert_with(|| (0, stack[at + 1..].to_vec())).0 += 1;
    }
    let mut sites: Vec<_> = sites.into_iter().collect();
    sites.sort_by_key(|(site, (times, _))| (std::cmp::Reverse(*times), *site));
    let told = |(site, (times, callers)): (Allocator, (u32, Vec<Allocator>))| Allocation {
        function: name(a, &site),
        place: (site.line > 0).then(|| place(&path(a, &site), site.line - 1, site.column.saturating_sub(1))),
        share: f64::from(times) / f64::from(known),
        callers: callers.iter().filter(|f| f.line > 0).take(CALLERS).map(|f| spoken(a, f)).collect(),
    };
    sites.into_iter().take(MOST).map(told).collect()
}

fn path(a: &Analysis, f: &Allocator) -> String {
    a.strings().get(f.script).into_owned()
}

fn name(a: &Analysis, f: &Allocator) -> Masked {
    let name = a.strings().get(f.name);
    if name.is_empty() { Masked::own("(anonymous)") } else { Masked::from(name.into_owned()) }
}

fn spoken(a: &Analysis, f: &Allocator) -> Masked {
    let place = place(&path(a, f), f.line - 1, 0);
    Masked::from(format!("{} {}", name(a, f), super::words::short(&place)))
}
