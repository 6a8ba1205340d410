//! Numbers in rows: the inner loop of the parser, which may be stopped and taken up at any byte.

/// A table of `width` numbers a row, being read.
#[derive(Debug)]
pub(super) struct Rows {
    width: usize,
    row: [u64; 64],
    column: usize,
    value: u64,
    digits: bool,
    opened: bool,
}

/// How feeding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// All bytes were taken; the table goes on.
    All,
    /// The table's closing bracket was the last of this many bytes.
    Closed(usize),
    /// The byte at this place cannot be in a table.
    Wrong(usize),
}

impl Rows {
    /// A table before its opening bracket; `width` is from 1 to 64.
    pub fn new(width: usize) -> Self {
        Self { width, row: [0; 64], column: 0, value: 0, digits: false, opened: false }
    }

    /// Takes bytes and gives each whole row to `sink`. An incomplete row at the end of the table is dropped.
    pub fn feed(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u64])) -> Fed {
        let Self { width, row, column, value, digits, opened } = self;
        let row = &mut row[..*width];
        for (i, &b) in bytes.iter().enumerate() {
            match b {
                b'0'..=b'9' if *opened => {
                    *value = value.wrapping_mul(10).wrapping_add(u64::from(b - b'0'));
                    *digits = true;
                }
                b',' | b']' if *opened => {
                    if *digits {
                        row[*column] = *value;
                        *column += 1;
                        *value = 0;
                        *digits = false;
                        if *column == row.len() {
                            *column = 0;
                            sink(row);
                        }
                    }
                    if b == b']' {
                        return Fed::Closed(i + 1);
                    }
                }
                b' ' | b'\n' | b'\r' | b'\t' => {}
                b'[' if !*opened => *opened = true,
                _ => return Fed::Wrong(i),
            }
        }
        Fed::All
    }
}
