//! A set of positions, one bit each.

/// A set of positions below a fixed length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
}

super::pack::packed! { Bits { words } }

impl Bits {
    pub fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// The set whose `i`-th member stands in bit `i % 64` of word `i / 64`.
    pub fn of_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    #[inline]
    pub fn has(&self, i: usize) -> bool {
        self.words[i / 64] >> (i % 64) & 1 != 0
    }

    /// Puts `i` in; whether it was not in before.
    #[inline]
    pub fn put(&mut self, i: usize) -> bool {
        let word = &mut self.words[i / 64];
        let bit = 1 << (i % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

/// A set with the number of each member among the members.
#[derive(Debug)]
pub(super) struct Ranked {
    bits: Bits,
    /// Members before each word.
    before: Vec<u32>,
    count: u32,
}

impl Ranked {
    pub fn of(bits: Bits) -> Self {
        let mut count = 0;
        let before = bits
            .words
            .iter()
            .map(|word| {
                let before = count;
                count += word.count_ones();
                before
            })
            .collect();
        Self { bits, before, count }
    }

    /// How many members there are.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// The number of `i` among the members; `None` when it is none.
    #[inline]
    pub fn rank(&self, i: usize) -> Option<usize> {
        let word = self.bits.words[i / 64];
        let bit = 1 << (i % 64);
        if word & bit == 0 { None } else { Some((self.before[i / 64] + (word & (bit - 1)).count_ones()) as usize) }
    }
}
