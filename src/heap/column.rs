//! Columns that take less memory than the numbers they hold: most sizes, distances and names are small, the few others stand in a table
//! beside them.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::pack::packed;

/// What a number is stored as. The greatest value says that the number stands elsewhere.
pub(super) trait Cell: Copy + Default + Eq {
    /// The number does not fit.
    const ELSEWHERE: Self;
    /// `None` when it does not fit.
    fn of(number: u64) -> Option<Self>;
    /// The number.
    fn number(self) -> u64;
}

macro_rules! cell {
    ($($int:ty),*) => {$(
        impl Cell for $int {
            const ELSEWHERE: Self = <$int>::MAX;

            #[inline]
            fn of(number: u64) -> Option<Self> {
                if number < <$int>::MAX as u64 { Some(number as $int) } else { None }
            }

            #[inline]
            fn number(self) -> u64 {
                self as u64
            }
        }
    )*};
}
cell!(u16, u32);

/// Numbers, most of which fit into a `T`.
#[derive(Clone, Debug, Default)]
pub(super) struct Column<T> {
    cells: Vec<T>,
    elsewhere: FxHashMap<u32, u64>,
}

/// Sizes of single objects.
pub(super) type Sizes = Column<u16>;
/// Sizes of subtrees.
pub(super) type Sums = Column<u32>;

impl<T: Cell> Column<T> {
    pub fn try_reserve(&mut self, more: usize) {
        // A failed reservation is no error yet: pushing grows as far as it can.
        let _ = self.cells.try_reserve_exact(more);
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn shrink_to_fit(&mut self) {
        self.cells.shrink_to_fit();
    }

    pub fn clear(&mut self) {
        self.cells.clear();
        self.elsewhere.clear();
    }

    #[inline]
    pub fn push(&mut self, number: u64) {
        let cell = T::of(number);
        if cell.is_none() {
            self.elsewhere.insert(self.cells.len() as u32, number);
        }
        self.cells.push(cell.unwrap_or(T::ELSEWHERE));
    }

    #[inline]
    pub fn get(&self, i: usize) -> u64 {
        let cell = self.cells[i];
        if cell == T::ELSEWHERE { self.elsewhere.get(&(i as u32)).copied().unwrap_or(0) } else { cell.number() }
    }

    #[inline]
    pub fn set(&mut self, i: usize, number: u64) {
        match T::of(number) {
            Some(cell) => self.cells[i] = cell,
            None => {
                self.cells[i] = T::ELSEWHERE;
                self.elsewhere.insert(i as u32, number);
            }
        }
    }

    #[inline]
    pub fn is_zero(&self, i: usize) -> bool {
        self.cells[i] == T::default()
    }

    /// Adds `other` behind.
    pub fn append(&mut self, other: &Self) {
        let at = self.cells.len() as u32;
        self.cells.extend_from_slice(&other.cells);
        self.elsewhere.extend(other.elsewhere.iter().map(|(&i, &number)| (at + i, number)));
    }

    /// The same numbers in other cells.
    pub fn to<U: Cell>(&self) -> Column<U> {
        let mut to = Column { cells: Vec::with_capacity(self.cells.len()), elsewhere: FxHashMap::default() };
        for i in 0..self.cells.len() {
            to.push(self.get(i));
        }
        to
    }
}

/// Distance of what nothing reaches.
pub const UNREACHED: i32 = -5;
/// Distances from here on are of what only V8's internals reach.
pub const SYSTEM_DISTANCE: i32 = 100_000_000;

/// Distances from the roots. Half of the numbers are for those from the global objects, half for those of internals.
#[derive(Clone, Debug)]
pub(super) struct Distances {
    cells: Vec<u16>,
    elsewhere: FxHashMap<u32, i32>,
}

impl Distances {
    const NONE: u16 = u16::MAX;
    const ELSEWHERE: u16 = u16::MAX - 1;
    const SYSTEM: u16 = 1 << 15;
    const MOST: i32 = (1 << 15) - 3;

    /// Nothing is reached yet.
    pub fn unreached(n: usize) -> Self {
        Self { cells: vec![Self::NONE; n], elsewhere: FxHashMap::default() }
    }

    pub fn get(&self, i: usize) -> i32 {
        match self.cells[i] {
            Self::NONE => UNREACHED,
            Self::ELSEWHERE => self.elsewhere.get(&(i as u32)).copied().unwrap_or(UNREACHED),
            cell if cell >= Self::SYSTEM => SYSTEM_DISTANCE + i32::from(cell - Self::SYSTEM),
            cell => i32::from(cell),
        }
    }

    #[inline]
    pub fn set(&mut self, i: usize, distance: i32) {
        let system = distance - SYSTEM_DISTANCE;
        self.cells[i] = if (0..Self::MOST).contains(&distance) {
            distance as u16
        } else if (0..Self::MOST).contains(&system) {
            Self::SYSTEM + system as u16
        } else {
            self.elsewhere.insert(i as u32, distance);
            Self::ELSEWHERE
        };
    }
}

/// Small numbers, in two bytes each for as long as all fit.
#[derive(Clone, Debug, Default)]
pub(super) struct Codes {
    narrow: Vec<u16>,
    wide: Vec<u32>,
}

impl Codes {
    pub fn with_capacity(n: usize) -> Self {
        Self { narrow: Vec::with_capacity(n), wide: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.narrow.len() + self.wide.len()
    }

    #[inline]
    pub fn push(&mut self, code: u32) {
        if self.wide.is_empty() {
            if let Ok(code) = u16::try_from(code) {
                self.narrow.push(code);
                return;
            }
            self.wide = self.narrow.iter().map(|&c| u32::from(c)).collect();
            self.narrow = Vec::new();
        }
        self.wide.push(code);
    }

    #[inline]
    pub fn get(&self, i: usize) -> u32 {
        if self.wide.is_empty() { u32::from(self.narrow[i]) } else { self.wide[i] }
    }

    /// Puts `to[code]` in the place of each code; `to` holds each code once.
    pub fn rename(&mut self, to: &[u32]) {
        for code in &mut self.wide {
            *code = to[*code as usize];
        }
        for code in &mut self.narrow {
            // As many new codes as old ones, so they fit as those did.
            *code = to[*code as usize] as u16;
        }
    }
}

/// Names and numbers of edges. Most of a heap's edges share few names: they take two bytes each, unless that would not pay.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    narrow: Vec<u16>,
    /// What the codes mean.
    values: Vec<u32>,
    codes: FxHashMap<u32, u16>,
    /// `(edge, value)` of those without a code, in order.
    rare: Vec<(u32, u32)>,
    wide: Vec<u32>,
}

impl Names {
    const RARE: u16 = u16::MAX;
    /// Numbers below this are their own codes; names get those from here on.
    const NUMBERS: u32 = 4096;

    pub fn try_reserve(&mut self, more: usize) {
        let _ = self.narrow.try_reserve_exact(more);
    }

    /// Adds the names of edges; for each, whether it is a number.
    pub fn extend(&mut self, names: impl Iterator<Item = (u32, bool)>) {
        if !self.wide.is_empty() {
            self.wide.extend(names.map(|(value, _)| value));
            return;
        }
        // Neighbours often have the names that the edges one node before had.
        let mut recent = [(u32::MAX, 0u16); 64];
        for (value, number) in names {
            let code = if number {
                if value < Self::NUMBERS { value as u16 } else { Self::RARE }
            } else {
                let slot = &mut recent[value as usize % 64];
                if slot.0 != value {
                    *slot = (value, self.code(value));
                }
                slot.1
            };
            if code == Self::RARE {
                self.rare.push((self.narrow.len() as u32, value));
            }
            self.narrow.push(code);
        }
        // A rare name takes ten bytes in all.
        if self.rare.len() > 4096 && self.rare.len() > self.narrow.len() / 5 {
            self.widen();
        }
    }

    fn code(&mut self, value: u32) -> u16 {
        let next = Self::NUMBERS + self.values.len() as u32;
        if let Some(&code) = self.codes.get(&value) {
            code
        } else if next < u32::from(Self::RARE) {
            self.codes.insert(value, next as u16);
            self.values.push(value);
            next as u16
        } else {
            Self::RARE
        }
    }

    fn widen(&mut self) {
        let mut wide = Vec::new();
        let _ = wide.try_reserve_exact(self.narrow.capacity());
        wide.extend((0..self.narrow.len()).map(|e| self.get(e)));
        *self = Self { wide, ..Self::default() };
    }

    /// No more edges come.
    pub fn finish(&mut self) {
        self.codes = FxHashMap::default();
        self.values.shrink_to_fit();
        self.rare.shrink_to_fit();
        self.narrow.shrink_to_fit();
    }

    /// The edges whose name or number is one of `wanted` (with its position there), in order: at the speed of memory.
    pub fn find(&self, wanted: &[u32]) -> Vec<(u32, usize)> {
        const NONE: u8 = u8::MAX;
        let position = |value: u32| wanted.iter().position(|&w| w == value);
        let mut found: Vec<(u32, usize)> = if self.wide.is_empty() {
            let mut meaning = vec![NONE; 1 << 16];
            for (k, &value) in wanted.iter().enumerate().take(NONE as usize) {
                let code = match self.values.iter().position(|&v| v == value) {
                    Some(at) => at + Self::NUMBERS as usize,
                    None => continue,
                };
                meaning[code] = k as u8;
            }
            for (code, slot) in meaning.iter_mut().enumerate().take(Self::NUMBERS as usize) {
                *slot = position(code as u32).map_or(NONE, |k| k as u8);
            }
            let codes = self.narrow.par_iter().enumerate().with_min_len(1 << 16);
            codes.filter_map(|(e, &c)| Some(meaning[usize::from(c)]).filter(|&k| k != NONE).map(|k| (e as u32, usize::from(k)))).collect()
        } else {
            let names = self.wide.par_iter().enumerate().with_min_len(1 << 16);
            names.filter_map(|(e, &value)| Some((e as u32, position(value)?))).collect()
        };
        let rare = found.len();
        found.extend(self.rare.iter().filter_map(|&(e, value)| Some((e, position(value)?))));
        if found.len() > rare {
            found.sort_unstable();
        }
        found
    }

    #[inline]
    pub fn get(&self, e: usize) -> u32 {
        match self.narrow.get(e) {
            Some(&code) if u32::from(code) < Self::NUMBERS => u32::from(code),
            Some(&Self::RARE) => self.rare[self.rare.partition_point(|&(edge, _)| (edge as usize) < e)].1,
            Some(&code) => self.values[usize::from(code) - Self::NUMBERS as usize],
            None => self.wide[e],
        }
    }
}

/// V8's ids: neighbours differ by little, so differences are stored, and every thirty-second id itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    /// Each block's first id, and where its differences begin.
    blocks: Vec<(u32, u32)>,
    /// Differences in zigzag coding, seven bits a byte, low ones first.
    bytes: Vec<u8>,
    len: usize,
    last: u32,
}

impl Ids {
    const BLOCK: usize = 32;

    pub fn push(&mut self, id: u32) {
        if self.len.is_multiple_of(Self::BLOCK) {
            self.blocks.push((id, self.bytes.len() as u32));
        } else {
            let difference = id.wrapping_sub(self.last) as i32;
            let mut rest = ((difference << 1) ^ (difference >> 31)) as u32;
            while rest >= 0x80 {
                self.bytes.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            self.bytes.push(rest as u8);
        }
        self.last = id;
        self.len += 1;
    }

    /// No more ids come.
    pub fn finish(&mut self) {
        self.blocks.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }

    pub fn get(&self, i: usize) -> u32 {
        assert!(i < self.len, "a node of this snapshot");
        let (mut id, at) = self.blocks[i / Self::BLOCK];
        let mut at = at as usize;
        for _ in 0..i % Self::BLOCK {
            id = id.wrapping_add(self.difference(&mut at));
        }
        id
    }

    /// All ids in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut at = 0;
        let mut id = 0;
        (0..self.len).map(move |i| {
            id = if i % Self::BLOCK == 0 { self.blocks[i / Self::BLOCK].0 } else { id.wrapping_add(self.difference(&mut at)) };
            id
        })
    }

    #[inline]
    fn difference(&self, at: &mut usize) -> u32 {
        let mut value = 0u32;
        let mut shift = 0;
        loop {
            let byte = self.bytes[*at];
            *at += 1;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (value >> 1) ^ (value & 1).wrapping_neg();
            }
            shift += 7;
        }
    }
}

packed! {
    Column<T: Cell> { cells, elsewhere }
    Distances { cells, elsewhere }
    Codes { narrow, wide }
    Names { narrow, values, codes, rare, wide }
    Ids { blocks, bytes, len, last }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = u64> {
        prop_oneof![
            0u64..10,
            Just(65_534),
            Just(65_535),
            Just(65_536),
            Just(u64::from(u32::MAX) - 1),
            Just(u64::from(u32::MAX)),
            any::<u64>()
        ]
    }

    proptest! {
        #[test]
        fn a_column_gives_back_what_it_took(first in vec(numbers(), 0..50), more in vec((0usize..50, numbers()), 0..50)) {
            let mut narrow = Sizes::default();
            first.iter().for_each(|&n| narrow.push(n));
            let mut wide: Sums = narrow.to();
            let mut plain = first.clone();
            for (i, n) in more.into_iter().filter(|(i, _)| *i < first.len()) {
                plain[i] = n;
                narrow.set(i, n);
                wide.set(i, n);
            }
            narrow.append(&narrow.clone());
            for (i, &n) in plain.iter().enumerate() {
                prop_assert_eq!((narrow.get(i), wide.get(i), narrow.get(plain.len() + i)), (n, n, n));
                prop_assert_eq!(wide.is_zero(i), n == 0);
            }
        }

        #[test]
        fn ids_come_back(ids in vec(prop_oneof![any::<u32>(), 0u32..100], 0..100)) {
            let mut column = Ids::default();
            ids.iter().for_each(|&id| column.push(id));
            prop_assert_eq!(column.iter().collect::<Vec<_>>(), ids.clone());
            prop_assert_eq!((0..ids.len()).map(|i| column.get(i)).collect::<Vec<_>>(), ids);
        }

        #[test]
        fn distances_come_back(all in vec(prop_oneof![-5..-4, 0..40_000, SYSTEM_DISTANCE..SYSTEM_DISTANCE + 40_000], 1..50)) {
            let mut column = Distances::unreached(all.len());
            for (i, &d) in all.iter().enumerate().filter(|(_, d)| **d != UNREACHED) {
                column.set(i, d);
            }
            prop_assert_eq!((0..all.len()).map(|i| column.get(i)).collect::<Vec<_>>(), all);
        }

        #[test]
        fn names_come_back_however_many_there_are(few in 1u32..5000, many in 0u32..100_000, numbers in any::<bool>()) {
            let mut column = Names::default();
            let all: Vec<(u32, bool)> = (0..few).chain((0..many).map(|i| i * 3)).map(|i| (i, numbers && i % 2 == 0)).collect();
            for part in all.chunks(10_000) {
                column.extend(part.iter().copied());
            }
            column.finish();
            prop_assert!(all.iter().enumerate().all(|(e, &(value, _))| column.get(e) == value));
            let wanted = [3, 299_997, few, 4_100, 7, 1_000_000];
            let found: Vec<(u32, usize)> =
                (0..).zip(&all).filter_map(|(e, (value, _))| Some((e, wanted.iter().position(|w| w == value)?))).collect();
            prop_assert_eq!(column.find(&wanted), found);
        }
    }

    #[test]
    fn codes_grow_when_they_must() {
        let mut codes = Codes::default();
        (0..70_000).for_each(|c| codes.push(c));
        codes.rename(&(0..70_000).rev().collect::<Vec<u32>>());
        assert_eq!((codes.get(0), codes.get(69_999), codes.len()), (69_999, 0, 70_000));
    }
}
