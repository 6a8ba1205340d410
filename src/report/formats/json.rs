//! The document as JSON, for tools: `{"schema": "cutoff.postmortem/1", …}`.

use super::{Format, TemplateError};

pub(super) static FORMAT: Format = Format {
    name: "json",
    extension: "json",
    help: "the same document as JSON, for tools",
    render: |document, _| {
        let failed = |error: serde_json::Error| TemplateError { line: 0, what: error.to_string() };
        let mut value = serde_json::json!({ "schema": "cutoff.postmortem/1" });
        if let (Some(root), serde_json::Value::Object(fields)) = (value.as_object_mut(), serde_json::to_value(document).map_err(failed)?) {
            root.extend(fields);
        }
        serde_json::to_string_pretty(&value).map(|text| text + "\n").map_err(failed)
    },
};
