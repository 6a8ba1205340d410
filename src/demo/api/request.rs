//! What a request asks for: verb, resource, namespace, name, options (`apiserver/pkg/endpoints/request/requestinfo.go`).

use hyper::Method;

use crate::demo::world::{Fields, RESOURCES, Refusal, Resource};

/// Query parameters, decoded; a name may come more than once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Self {
        let pair = |part: &str| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        };
        Self(text.split('&').filter(|p| !p.is_empty()).map(pair).collect())
    }

    /// The value of `key`; empty when it is not given.
    pub fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v)
    }

    pub fn all(&self, key: &str) -> Vec<String> {
        self.0.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect()
    }

    pub fn is(&self, key: &str) -> bool {
        matches!(self.get(key), "true" | "1")
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key).parse().ok()
    }

    /// Whether nothing may be kept. Any other value than `All` is refused.
    pub fn dry_run(&self) -> Result<bool, Refusal> {
        match self.get("dryRun") {
            "" => Ok(false),
            "All" => Ok(true),
            other => Err(Refusal::new(422, "Invalid", format!("dryRun: Unsupported value: \"{other}\": supported values: \"All\""))),
        }
    }

    pub fn fields(&self) -> Fields {
        match self.get("fieldValidation") {
            "Strict" => Fields::Strict,
            "Ignore" => Fields::Ignore,
            _ => Fields::Warn,
        }
    }
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || bytes.next().and_then(|d| char::from(d).to_digit(16));
                if let (Some(high), Some(low)) = (digit(), digit()) {
                    out.push((high * 16 + low) as u8);
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A path below a group and version.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub resource: &'static Resource,
    /// Empty: all namespaces, or a resource without.
    pub namespace: String,
    /// Empty: the collection.
    pub name: String,
    /// Empty: the object itself.
    pub subresource: String,
}

impl Target {
    /// Reads the segments behind `/api/v1` or `/apis/GROUP/v1`.
    pub fn parse(group: &str, path: &[&str]) -> Option<Self> {
        let (namespace, rest) = match path {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() && !matches!(rest, ["status" | "finalize"]) => (*namespace, rest),
            other => ("", other),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, "", ""),
            [plural, name] => (*plural, *name, ""),
            [plural, name, subresource] => (*plural, *name, *subresource),
            _ => return None,
        };
        let resource = RESOURCES.iter().find(|r| r.group == group && r.plural == plural)?;
        let is_known = subresource.is_empty() || resource.subresources.iter().any(|s| s.0 == subresource);
        is_known.then(|| Self { resource, namespace: decode(namespace), name: decode(name), subresource: subresource.into() })
    }
}

/// The verb as RBAC names it.
pub(crate) fn verb(method: &Method, target: &Target, query: &Query) -> &'static str {
    match (method.as_str(), target.name.is_empty()) {
        ("GET" | "HEAD", true) if query.is("watch") => "watch",
        ("GET" | "HEAD", true) => "list",
        ("GET" | "HEAD", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_the_api_server_does() {
        let read = |group: &str, path: &str| Target::parse(group, &path.split('/').collect::<Vec<_>>());
        let pod = read("", "namespaces/shop/pods/a/log").unwrap();
        assert_eq!((pod.namespace.as_str(), pod.name.as_str(), pod.subresource.as_str()), ("shop", "a", "log"));
        assert_eq!(read("", "namespaces/shop").unwrap().resource.plural, "namespaces");
        assert_eq!(read("apps", "deployments").unwrap().namespace, "");
        assert!(read("", "namespaces/shop/pods/a/nothing").is_none());
        assert!(read("apps", "namespaces/shop/pods").is_none());
        let query = Query::parse("command=sh&command=-c&command=a%20b%26c&watch=1");
        assert_eq!(query.all("command"), ["sh", "-c", "a b&c"]);
        assert!(query.is("watch"));
    }
}
