//! From the path of a script inside a container to a file of a repository: the longest common end of both paths.

/// A file of the repository that ends like the script's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathMatch {
    /// Path in the repository.
    pub file: String,
    /// How many path components agree, from the end; 1 or more.
    pub parts: usize,
    /// How many other files agree in as many components; 0 when the match is certain.
    pub others: usize,
}

/// `path` as V8 names it, without `file://`, percent escapes kept, `webpack://name/` and query cut.
pub fn script_path(path: &str) -> &str {
    let path = path.strip_prefix("file://").unwrap_or(path);
    let path = path.strip_prefix("webpack://").and_then(|p| p.split_once('/')).map_or(path, |(_, p)| p);
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The file among `files` whose end agrees with the end of `path` in the most components; the shortest, then first by
/// name, where several agree as far. `None` when not even the file's name agrees.
pub fn longest_suffix<'a>(path: &str, files: impl IntoIterator<Item = &'a str>) -> Option<PathMatch> {
    let wanted: Vec<&str> = components(script_path(path)).rev().collect();
    let mut best: Option<(usize, &str)> = None;
    let mut others = 0;
    for file in files {
        let parts = components(file).rev().zip(&wanted).take_while(|(a, b)| a == *b).count();
        if parts == 0 {
            continue;
        }
        match best {
            Some((most, _)) if parts < most => {}
            Some((most, held)) if parts == most => {
                others += 1;
                if (file.len(), file) < (held.len(), held) {
                    best = Some((parts, file));
                }
            }
            _ => {
                best = Some((parts, file));
                others = 0;
            }
        }
    }
    best.map(|(parts, file)| PathMatch { file: file.to_owned(), parts, others })
}

/// Components without `.`, and without what `..` takes back.
fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    let mut out: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_container_finds_its_file() {
        let files = ["src/import/content.service.ts", "src/content.service.ts", "test/content.service.ts", "lib/import.js", "README.md"];
        let cases = [
            ("/usr/src/app/src/import/content.service.ts", Some(("src/import/content.service.ts", 3, 0))),
            ("file:///app/src/content.service.ts", Some(("src/content.service.ts", 2, 0))),
            ("webpack://shop/./src/import/content.service.ts?a1b2", Some(("src/import/content.service.ts", 3, 0))),
            ("../src/import/content.service.ts", Some(("src/import/content.service.ts", 3, 0))),
            ("/other/content.service.ts", Some(("src/content.service.ts", 1, 2))),
            ("/app/dist/main.js", None),
            ("", None),
        ];
        for (path, found) in cases {
            let got = longest_suffix(path, files).map(|m| (m.file, m.parts, m.others));
            assert_eq!(got, found.map(|(f, p, o)| (f.to_owned(), p, o)), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_file_below_any_folder_finds_itself(folder in "(/[a-z]{1,4}){0,4}", file in "[a-z]{1,5}(/[a-z]{1,5}){0,3}", more in proptest::collection::vec("[a-z]{1,5}(/[a-z]{1,5}){0,3}", 0..8)) {
            let full = format!("{folder}/{file}");
            let files: Vec<&str> = more.iter().map(String::as_str).chain([file.as_str()]).collect();
            let found = longest_suffix(&full, files.iter().copied()).expect("the file itself matches");
            proptest::prop_assert!(found.parts >= file.split('/').count());
        }
    }
}
