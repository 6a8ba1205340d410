//! Names of files: sortable by time, safe in every shell and file system, telling where they come from.

use chrono::{DateTime, Utc};

/// Longest part taken from a pod's or method's name, in bytes.
const PART: usize = 60;

/// `20261123T151907Z-content-import-7d9c-x2x1p-cdp.heapsnapshot`. Whatever is unsafe in a name becomes `-`; of a long
/// pod name both ends stay, since the end tells pods apart.
pub fn file_name(at: DateTime<Utc>, pod: &str, method: &str, extension: &str) -> String {
    let stem = [pod, method].iter().map(|part| slug(part)).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    format!("{}-{}.{}", at.format("%Y%m%dT%H%M%SZ"), if stem.is_empty() { "evidence" } else { &stem }, slug(extension))
}

/// A name as it comes from outside (an added file), made safe; its extension stays.
pub(super) fn safe_name(name: &str) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let (stem, extension) = (slug(stem), slug(extension));
    format!("{}.{}", if stem.is_empty() { "evidence" } else { &stem }, if extension.is_empty() { "bin" } else { &extension })
}

/// `name` itself where it is a plain file name, else one that is like it.
pub fn plain_name(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { safe_name(name) }
}

/// Whether `name` names a file in the directory itself, and no hidden one and no record.
pub(super) fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !name.is_empty() && name.len() <= 200 && !name.starts_with(['.', '-']) && name.chars().all(fits)
}

/// `name` itself for 1, else with `-n` before the extension.
pub(super) fn numbered(name: &str, n: u32) -> String {
    match (n, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, extension))) => format!("{stem}-{n}.{extension}"),
        (_, None) => format!("{name}-{n}"),
    }
}

fn slug(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let slug: String = text.chars().map(safe).collect();
    let slug = slug.trim_matches('-');
    if slug.len() <= PART { slug.to_owned() } else { format!("{}-{}", &slug[..PART / 2], &slug[slug.len() - (PART / 2 - 1)..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sortable_safe_and_tell_pods_apart() {
        let at = DateTime::from_timestamp(1_795_500_000, 0).expect("a second");
        assert_eq!(file_name(at, "import-7d9c-x2x1p", "cdp", "heapsnapshot"), "20261124T060000Z-import-7d9c-x2x1p-cdp.heapsnapshot");
        let hostile = ["../../etc/passwd", "arn:aws:eks:eu-1:1:cluster/prod", "-rf", "", "ünï", "a\0b\nc", &"x".repeat(300)];
        for pod in hostile {
            let name = file_name(at, pod, "signal", "heapsnapshot");
            assert!(is_plain(&name), "{pod:?} became {name:?}");
            assert!(is_plain(&safe_name(pod)), "{pod:?} became {:?}", safe_name(pod));
        }
        let long = |end: &str| file_name(at, &format!("{}{end}", "deployment".repeat(20)), "cdp", "json");
        assert_ne!(long("-a1"), long("-b2"));
        for bad in ["", ".hidden", "-rf", "a/b", "..", "a b"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
        assert_eq!(numbered("a.heapsnapshot", 2), "a-2.heapsnapshot");
        assert_eq!(plain_name("Heap.20260101.000000.1.0.001.heapsnapshot"), "Heap.20260101.000000.1.0.001.heapsnapshot");
        assert_eq!(plain_name("../x y.json"), "x-y.json");
        assert_eq!(safe_name("my heap (1).heapsnapshot"), "my-heap--1.heapsnapshot");
    }
}
