//! A reader of JSON tokens without recursion, for files that nest deeper than `serde_json` allows. The numbers of a snapshot are
//! read by `scan`, not here.

/// What comes next in a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// The name of a member.
    Key(String),
    /// An object or array begins.
    Open(Bracket),
    /// The innermost object or array ends.
    Close,
    /// A string.
    Text(String),
    /// A number.
    Number(f64),
    /// `true`, `false` or `null`.
    Word,
}

/// Which of the two begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bracket {
    /// `{`
    Object,
    /// `[`
    Array,
}

/// Tokens of a text; an error is the byte at which it is damaged, and the last item.
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    open: Vec<Bracket>,
    begun: bool,
    failed: bool,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, open: Vec::new(), begun: false, failed: false }
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b',')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let mut i = start + 1;
        loop {
            match self.text.get(i)? {
                b'"' => break,
                b'\\' => i += 2,
                _ => i += 1,
            }
        }
        self.at = i + 1;
        let raw = &self.text[start..=i];
        // Lone surrogates, which V8 writes, are no JSON: such a text is taken as it stands.
        Some(serde_json::from_slice(raw).unwrap_or_else(|_| String::from_utf8_lossy(&raw[1..raw.len() - 1]).into_owned()))
    }

    fn token(&mut self) -> Option<Token> {
        match *self.text.get(self.at)? {
            b'{' => self.opened(Bracket::Object),
            b'[' => self.opened(Bracket::Array),
            close @ (b'}' | b']') => {
                let fits = self.open.pop()? == if close == b'}' { Bracket::Object } else { Bracket::Array };
                self.at += 1;
                fits.then_some(Token::Close)
            }
            b'"' => {
                let text = self.string()?;
                self.space();
                if self.open.last() == Some(&Bracket::Object) && self.text.get(self.at) == Some(&b':') {
                    self.at += 1;
                    return Some(Token::Key(text));
                }
                Some(Token::Text(text))
            }
            b'-' | b'0'..=b'9' => {
                let end = self.text[self.at..]
                    .iter()
                    .position(|b| !matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .map_or(self.text.len(), |n| self.at + n);
                let number = std::str::from_utf8(&self.text[self.at..end]).ok()?.parse().ok()?;
                self.at = end;
                Some(Token::Number(number))
            }
            _ => {
                let word = [&b"true"[..], b"false", b"null"].into_iter().find(|w| self.text[self.at..].starts_with(w))?;
                self.at += word.len();
                Some(Token::Word)
            }
        }
    }

    fn opened(&mut self, bracket: Bracket) -> Option<Token> {
        self.open.push(bracket);
        self.at += 1;
        Some(Token::Open(bracket))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        self.space();
        if self.failed || (self.begun && self.open.is_empty()) {
            return None;
        }
        self.begun = true;
        let token = self.token();
        if token.is_none() {
            self.failed = true;
            return Some(Err(self.at.min(self.text.len())));
        }
        token.map(Ok)
    }
}
