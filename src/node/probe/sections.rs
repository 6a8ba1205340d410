//! Frames of the probe's output: `@@TOKEN name argument`, then lines until the next frame.

/// One section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section<'a> {
    /// `proc`, `dir`, `cg2`, …
    pub name: &'a str,
    /// What follows the name.
    pub argument: &'a str,
    /// Its lines.
    pub lines: Vec<&'a str>,
}

impl<'a> Section<'a> {
    /// The rest of the first line that starts with `key` and a space.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.values(key).next()
    }

    /// The rests of all lines that start with `key` and a space.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix(key)?.strip_prefix([' ', '\t']))
    }
}

/// Cuts `text` into sections; what stands before the first is dropped.
pub(super) fn sections<'a>(text: &'a str, token: &str) -> Vec<Section<'a>> {
    let mark = format!("@@{token} ");
    let mut found: Vec<Section<'a>> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix(mark.as_str()) {
            let (name, argument) = rest.split_once(' ').unwrap_or((rest, ""));
            found.push(Section { name, argument, lines: Vec::new() });
        } else if let Some(section) = found.last_mut() {
            section.lines.push(line);
        }
    }
    found
}

/// `text` if a terminal and a shell may have it: no control characters, no invisible ones.
pub(super) fn plain(text: &str) -> Option<String> {
    let clean = crate::base::Untrusted::new(text).clean();
    (clean == text && !text.is_empty()).then_some(clean)
}
