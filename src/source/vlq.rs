//! Base64 variable-length quantities of source maps (ECMA-426, section "Base64 VLQ"): 5 bits a digit, the sixth says
//! that another digit follows, the lowest bit of the whole is the sign.

const CONTINUES: u32 = 0b10_0000;

/// The next number of `digits`, or `None` where a digit is no base64, the number is cut or does not fit 32 bits.
pub(super) fn decode(digits: &mut impl Iterator<Item = u8>) -> Option<i32> {
    let mut value: u64 = 0;
    let mut shift = 0;
    loop {
        let digit = digit(digits.next()?)?;
        value |= u64::from(digit & !CONTINUES) << shift;
        if value > u64::from(u32::MAX) {
            return None;
        }
        if digit & CONTINUES == 0 {
            break;
        }
        shift += 5;
        if shift > 30 {
            return None;
        }
    }
    let magnitude = i64::try_from(value >> 1).ok()?;
    let negative = value & 1 == 1;
    // "-0" stands for the smallest number of 32 bits.
    let number = if negative && magnitude == 0 {
        i64::from(i32::MIN)
    } else if negative {
        -magnitude
    } else {
        magnitude
    };
    i32::try_from(number).ok()
}

fn digit(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The digits of `number`: the other direction, for the tests of this room.
#[cfg(test)]
pub(super) fn encode(number: i32) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let magnitude = u64::from(number.unsigned_abs());
    let mut rest = if number == i32::MIN { 1 } else { magnitude << 1 | u64::from(number < 0) };
    let mut out = String::new();
    loop {
        let mut digit = (rest & 31) as usize;
        rest >>= 5;
        if rest > 0 {
            digit |= CONTINUES as usize;
        }
        out.push(char::from(DIGITS[digit]));
        if rest == 0 {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_specification() {
        for (digits, number) in [("A", 0), ("C", 1), ("D", -1), ("gB", 16), ("hB", -16), ("+/////D", i32::MAX), ("B", i32::MIN)] {
            assert_eq!(decode(&mut digits.bytes()), Some(number), "{digits}");
        }
    }

    #[test]
    fn what_is_cut_or_too_big_is_no_number() {
        for digits in ["", "g", "!", "ggggggggC", "//////////"] {
            assert_eq!(decode(&mut digits.bytes()), None, "{digits}");
        }
    }

    proptest::proptest! {
        #[test]
        fn decoding_undoes_encoding(number: i32) {
            let digits = encode(number);
            let mut bytes = digits.bytes();
            proptest::prop_assert_eq!(decode(&mut bytes), Some(number));
            proptest::prop_assert_eq!(bytes.next(), None);
        }

        #[test]
        fn any_bytes_give_a_number_or_none(bytes: Vec<u8>) {
            let _ = decode(&mut bytes.into_iter());
        }
    }
}
