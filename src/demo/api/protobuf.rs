//! Reads the one protobuf body that kubectl sends here: a SelfSubjectAccessReview (`kubectl auth can-i`). Envelope:
//! `apimachinery/pkg/runtime/serializer/protobuf`; field numbers: `k8s.io/api/authorization/v1/generated.proto`.

use serde_json::{Map, Value, json};

const MAGIC: &[u8] = b"k8s\0";
const ATTRIBUTES: [&str; 7] = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];

/// The review as JSON; `None` when the bytes are something else.
pub(super) fn review(bytes: &[u8]) -> Option<Value> {
    let object = part(bytes.strip_prefix(MAGIC)?, 2)?;
    let spec = part(object, 2)?;
    let mut attributes = Map::new();
    for (number, content) in fields(part(spec, 1)?)? {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        if let Some(name) = ATTRIBUTES.get(index) {
            attributes.insert((*name).into(), std::str::from_utf8(content).ok()?.into());
        }
    }
    Some(json!({ "metadata": {}, "spec": { "resourceAttributes": attributes } }))
}

fn part(message: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(message)?.into_iter().find(|(number, _)| *number == wanted).map(|(_, content)| content)
}

/// The length-delimited fields of a message; numbers are skipped.
fn fields(mut rest: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match key & 7 {
            0 => drop(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (content, after) = rest.split_at_checked(length)?;
                found.push((key >> 3, content));
                rest = after;
            }
            _ => return None,
        }
    }
    Some(found)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_read_and_anything_else_is_none() {
        let field = |number: u8, content: &[u8]| [&[number << 3 | 2, content.len() as u8], content].concat();
        let attributes = [field(1, b"shop"), field(2, b"create"), field(5, b"pods"), field(6, b"exec")].concat();
        let object = [field(1, b""), field(2, &field(1, &attributes))].concat();
        let whole = [MAGIC, &field(1, b""), &field(2, &object)].concat();
        let read = review(&whole).unwrap();
        assert_eq!(
            read["spec"]["resourceAttributes"],
            json!({ "namespace": "shop", "verb": "create", "resource": "pods", "subresource": "exec" })
        );
        for cut in 0..whole.len() {
            // A cut message is refused or lacks its end; it never panics.
            let _ = review(&whole[..cut]);
        }
        assert_eq!(review(b"{}"), None);
    }
}
