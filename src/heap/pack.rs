//! Values as bytes and back, for the index: little endian, lengths before contents, no names.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// Something that can be written as bytes and read back.
pub(super) trait Pack: Sized {
    fn pack(&self, to: &mut Vec<u8>);
    /// `None` when the bytes end early or cannot be such a value.
    fn unpack(from: &mut &[u8]) -> Option<Self>;
}

/// Implements [`Pack`] for a struct, field by field.
macro_rules! packed {
    ($($type:ident $(<$param:ident: $bound:path>)? { $($field:ident),+ $(,)? })+) => {$(
        impl$(<$param: $bound + $crate::heap::pack::Pack>)? $crate::heap::pack::Pack for $type$(<$param>)?
        where
            $(Vec<$param>: $crate::heap::pack::Pack,)?
        {
            fn pack(&self, to: &mut Vec<u8>) {
                $(self.$field.pack(to);)+
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::heap::pack::Pack::unpack(from)?),+ })
            }
        }
    )+};
}
pub(super) use packed;

fn take<'a>(from: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(head)
}

macro_rules! numbers {
    ($($int:ty),*) => {$(
        impl Pack for $int {
            fn pack(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                Some(Self::from_le_bytes(take(from, size_of::<Self>())?.try_into().ok()?))
            }
        }

        impl Pack for Vec<$int> {
            fn pack(&self, to: &mut Vec<u8>) {
                (self.len() as u64).pack(to);
                to.extend(self.iter().flat_map(|n| n.to_le_bytes()));
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                const SIZE: usize = size_of::<$int>();
                let len = usize::try_from(u64::unpack(from)?).ok()?;
                let (chunks, _) = take(from, len.checked_mul(SIZE)?)?.as_chunks::<SIZE>();
                Some(chunks.iter().map(|c| <$int>::from_le_bytes(*c)).collect())
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, i32);

impl Pack for usize {
    fn pack(&self, to: &mut Vec<u8>) {
        (*self as u64).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        u64::unpack(from)?.try_into().ok()
    }
}

impl Pack for bool {
    fn pack(&self, to: &mut Vec<u8>) {
        u8::from(*self).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Some(u8::unpack(from)? != 0)
    }
}

impl Pack for String {
    fn pack(&self, to: &mut Vec<u8>) {
        (self.len() as u64).pack(to);
        to.extend_from_slice(self.as_bytes());
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let len = usize::unpack(from)?;
        Self::from_utf8(take(from, len)?.to_vec()).ok()
    }
}

impl Pack for Arc<str> {
    fn pack(&self, to: &mut Vec<u8>) {
        (**self).to_owned().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        String::unpack(from).map(Into::into)
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.is_some().pack(to);
        if let Some(value) = self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

impl<A: Pack, B: Pack> Pack for (A, B) {
    fn pack(&self, to: &mut Vec<u8>) {
        self.0.pack(to);
        self.1.pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Some((A::unpack(from)?, B::unpack(from)?))
    }
}

/// Values one after the other. (Not `Pack for Vec<T>`: vectors of numbers go at the speed of memory.)
pub(super) fn pack_each<T: Pack>(values: impl ExactSizeIterator<Item = T>, to: &mut Vec<u8>) {
    values.len().pack(to);
    values.for_each(|v| v.pack(to));
}

pub(super) fn unpack_each<T: Pack, C: FromIterator<T>>(from: &mut &[u8]) -> Option<C> {
    let len = usize::unpack(from)?;
    // Every value takes a byte at least, so a length that lies is found before memory is reserved for it.
    if len > from.len() {
        return None;
    }
    (0..len).map(|_| T::unpack(from)).collect()
}

macro_rules! each {
    ($($element:ty),*) => {$(
        impl Pack for Vec<$element> {
            fn pack(&self, to: &mut Vec<u8>) {
                pack_each(self.iter().cloned(), to);
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                unpack_each(from)
            }
        }
    )*};
}
each!((u32, u32), (u32, u8), String);

impl<V: Pack + Copy> Pack for FxHashMap<u32, V> {
    /// In order of the keys, so that equal maps give equal bytes.
    fn pack(&self, to: &mut Vec<u8>) {
        let mut sorted: Vec<(u32, V)> = self.iter().map(|(&k, &v)| (k, v)).collect();
        sorted.sort_unstable_by_key(|e| e.0);
        pack_each(sorted.into_iter(), to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        unpack_each(from)
    }
}
