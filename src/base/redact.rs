//! The secret patterns: what must not reach a journal, a post, a log or an export.
//!
//! Patterns follow the published shapes of the tokens (JWT: RFC 7519; AWS access keys: `AKIA`/`ASIA` + 16; bearer:
//! RFC 6750). Everything else that a name betrays (`password=…`, `"token": "…"`) is masked by its name.

use super::{Masked, Untrusted};

/// A kind of secret that [`find`] recognises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// JSON web token (`eyJ….eyJ….…`).
    Jwt,
    /// AWS access key id or secret access key.
    AwsKey,
    /// `Bearer …` or `Basic …` credentials.
    Bearer,
    /// An email address.
    Email,
    /// `user:password@` in a URL.
    UrlCredentials,
    /// A vendor token with a known prefix (`ghp_`, `xoxb-`, `sk_live_`, …) or a private key block.
    VendorToken,
    /// A value whose name says that it is secret (`password=`, `"apiKey": "…"`).
    Named,
}

impl SecretKind {
    /// What stands in the place of the secret.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Jwt => "[jwt]",
            Self::AwsKey => "[aws key]",
            Self::Bearer => "[bearer token]",
            Self::Email => "[email]",
            Self::UrlCredentials => "[credentials]",
            Self::VendorToken => "[token]",
            Self::Named => "[secret]",
        }
    }
}

/// A secret found in a text: `text[start..end]` must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: SecretKind,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// Cleans `text` of control characters and puts a label in the place of every secret that is recognised.
pub fn mask(text: &Untrusted) -> Masked {
    masked(text.clean())
}

/// As [`mask`], but line breaks stay: for notes and posts, which a person wrote in lines.
pub fn mask_lines(text: &str) -> Masked {
    masked(Untrusted::new(text).clean_lines())
}

fn masked(clean: String) -> Masked {
    let found = find(&clean);
    if found.is_empty() {
        return Masked::proven(clean);
    }
    let mut out = String::with_capacity(clean.len());
    let mut at = 0;
    for secret in found {
        out.push_str(&clean[at..secret.start]);
        out.push_str(secret.kind.label());
        at = secret.end;
    }
    out.push_str(&clean[at..]);
    Masked::proven(out)
}

/// Every secret in `text`, in order and without overlap. Linear in the length of the text.
pub fn find(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let boundary = at == 0 || !is_word(bytes[at - 1]);
        let hit =
            if boundary { starting_at(bytes, at) } else { None }.or_else(|| email_around(bytes, at, found.last().map_or(0, |f| f.end)));
        match hit {
            Some(secret) if secret.end > secret.start => {
                at = secret.end;
                found.push(secret);
            }
            _ => at += 1,
        }
    }
    found
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'+' | b'/' | b'=' | b'~')
}

fn run(bytes: &[u8], from: usize, keep: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|&b| !keep(b)).map_or(bytes.len(), |n| from + n)
}

fn prefixed(bytes: &[u8], at: usize, prefix: &str) -> bool {
    bytes.len() >= at + prefix.len() && bytes[at..at + prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
}

const VENDOR: [(&str, usize); 16] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xapp-", 10),
    ("sk_live_", 10),
    ("rk_live_", 10),
    ("sk-", 20),
    ("npm_", 30),
    ("AIza", 30),
    ("dop_v1_", 20),
    ("hf_", 20),
];

const NAMES: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "private_key",
    "client_secret",
    "authorization",
    "cookie",
    "credential",
    "pwd",
];

fn starting_at(bytes: &[u8], at: usize) -> Option<Found> {
    let secret = |kind, start, end| Some(Found { kind, start, end });
    match bytes[at] {
        b'e' if bytes[at..].starts_with(b"eyJ") => {
            let end = run(bytes, at, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
            let dots = bytes[at..end].iter().filter(|&&b| b == b'.').count();
            if dots >= 1 && end - at >= 20 {
                return secret(SecretKind::Jwt, at, end);
            }
        }
        b'A' if bytes[at..].starts_with(b"AKIA") || bytes[at..].starts_with(b"ASIA") => {
            let end = run(bytes, at, |b| b.is_ascii_uppercase() || b.is_ascii_digit());
            if end - at == 20 {
                return secret(SecretKind::AwsKey, at, end);
            }
        }
        b'B' | b'b' => {
            for scheme in ["bearer ", "basic "] {
                if prefixed(bytes, at, scheme) {
                    let start = at + scheme.len();
                    let end = run(bytes, start, is_token);
                    if end - start >= 8 {
                        return secret(SecretKind::Bearer, start, end);
                    }
                }
            }
        }
        b'-' if bytes[at..].starts_with(b"-----BEGIN ") => {
            let rest = &bytes[at..];
            if let Some(n) = find_bytes(rest, b"PRIVATE KEY-----")
                && n < 40
            {
                let end = find_bytes(&rest[n..], b"-----END ")
                    .and_then(|m| find_bytes(&rest[n + m + 9..], b"-----").map(|k| at + n + m + 9 + k + 5))
                    .unwrap_or(bytes.len());
                return secret(SecretKind::VendorToken, at, end);
            }
        }
        _ => {}
    }
    for (prefix, least) in VENDOR {
        if bytes[at..].starts_with(prefix.as_bytes()) {
            let end = run(bytes, at, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
            if end - at >= prefix.len() + least {
                return secret(SecretKind::VendorToken, at, end);
            }
        }
    }
    named(bytes, at).or_else(|| url_credentials(bytes, at))
}

/// `name = value`, `name: value`, `"name":"value"`, where the name ends in a word that betrays a secret.
fn named(bytes: &[u8], at: usize) -> Option<Found> {
    if !is_word(bytes[at]) {
        return None;
    }
    let name_end = run(bytes, at, |b| is_word(b) || b == b'-');
    let name = bytes[at..name_end].to_ascii_lowercase();
    if name.len() > 60 || !NAMES.iter().any(|n| name.ends_with(n.as_bytes())) {
        return None;
    }
    let mut i = name_end;
    if bytes.get(i).is_some_and(|&b| b == b'"' || b == b'\'') {
        i += 1;
    }
    i = run(bytes, i, |b| b == b' ');
    if !bytes.get(i).is_some_and(|&b| b == b'=' || b == b':') {
        return None;
    }
    i = run(bytes, i + 1, |b| b == b' ');
    for scheme in ["bearer ", "basic "] {
        if prefixed(bytes, i, scheme) {
            i += scheme.len();
        }
    }
    let (start, end) = match bytes.get(i) {
        Some(&q @ (b'"' | b'\'')) => (i + 1, run(bytes, i + 1, |b| b != q && b != b'\n')),
        Some(_) => (i, run(bytes, i, |b| !matches!(b, b' ' | b'\n' | b',' | b';' | b'&' | b'"' | b'\'' | b'}' | b')' | b']'))),
        None => return None,
    };
    let value = &bytes[start..end];
    // A label that an earlier pass wrote, and words that are plainly no secret, stay readable.
    let plain: [&[u8]; 5] = [b"null", b"undefined", b"true", b"false", b"none"];
    if value.is_empty() || value.starts_with(b"[") || plain.contains(&value) {
        return None;
    }
    Some(Found { kind: SecretKind::Named, start, end })
}

fn url_credentials(bytes: &[u8], at: usize) -> Option<Found> {
    let scheme_end = run(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'+');
    if scheme_end == at || scheme_end - at > 20 || !bytes[scheme_end..].starts_with(b"://") {
        return None;
    }
    let start = scheme_end + 3;
    let end = run(bytes, start, |b| !matches!(b, b'/' | b'?' | b'#' | b' ' | b'"' | b'\''));
    let host = bytes[start..end].iter().rposition(|&b| b == b'@')?;
    bytes[start..start + host].contains(&b':').then_some(Found { kind: SecretKind::UrlCredentials, start, end: start + host })
}

/// `at` is the `@`: looks back for the local part and forward for the domain.
fn email_around(bytes: &[u8], at: usize, floor: usize) -> Option<Found> {
    if bytes[at] != b'@' {
        return None;
    }
    let local = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-');
    // RFC 5321 caps the local part at 64 bytes; the cap keeps the scan linear.
    let lowest = floor.max(at.saturating_sub(64));
    let start = bytes[lowest..at].iter().rposition(|&b| !local(b)).map_or(lowest, |n| lowest + n + 1);
    let end = run(bytes, at + 1, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let domain = &bytes[at + 1..end];
    let dot = domain.iter().rposition(|&b| b == b'.')?;
    let top = &domain[dot + 1..];
    (start < at && dot > 0 && top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic)).then_some(Found {
        kind: SecretKind::Email,
        start,
        end,
    })
}

fn find_bytes(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        mask(&Untrusted::new(text)).as_str().to_owned()
    }

    #[test]
    fn secrets_are_replaced_by_what_they_were() {
        let cases = [
            ("auth eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1 ok", "auth [jwt] ok"),
            ("key AKIAIOSFODNN7EXAMPLE.", "key [aws key]."),
            ("Authorization: Bearer abcdef123456", "Authorization: Bearer [secret]"),
            ("sent Bearer abcdef123456 there", "sent Bearer [bearer token] there"),
            ("mail jane.doe+x@example.co.uk now", "mail [email] now"),
            ("postgres://app:hunter2@db:5432/x", "postgres://[credentials]@db:5432/x"),
            ("password=hunter2&x=1", "password=[secret]&x=1"),
            (r#"{"apiKey":"s3cr3t","n":1}"#, r#"{"apiKey":"[secret]","n":1}"#),
            ("DB_PASSWORD: hunter2", "DB_PASSWORD: [secret]"),
            ("xoxb-123456789012-abc", "[token]"),
            ("token: SECRET-TOKEN-123", "token: [secret]"),
        ];
        for (raw, expected) in cases {
            assert_eq!(shown(raw), expected, "{raw}");
        }
    }

    #[test]
    fn lines_stay_and_a_key_over_several_of_them_goes() {
        let text = "Found it:\n\n-----BEGIN RSA PRIVATE KEY-----\nMIIabc\ndef\n-----END RSA PRIVATE KEY-----\nNext: password=x1\n";
        assert_eq!(mask_lines(text).as_str(), "Found it:\n\n[token]\nNext: password=[secret]\n");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "Map parsedContentCache src/import.js:42",
            "user@host",
            "tokens: none",
            "a@b",
            "https://host/path?x=1",
            "token: null",
            "Error: x",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn masking_twice_changes_nothing_more(text in ".{0,200}") {
            let once = shown(&text);
            proptest::prop_assert_eq!(shown(&once), once);
        }
    }
}
