//! The document as CommonMark with GFM tables, through a template that users may replace.

use minijinja::{
    AutoEscape, Environment, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Serde, Value},
};

use super::escape::{code, inline, quote, yaml};
use super::{Format, TemplateError};
use crate::report::document::Document;

/// The built-in template.
pub(super) const TEMPLATE: &str = include_str!("postmortem.md.j2");

pub(super) static FORMAT: Format = Format { name: "markdown", extension: "md", help: "markdown with tables and front matter", render };

fn render(document: &Document, template: Option<&str>) -> Result<String, TemplateError> {
    let failed = |error: minijinja::Error| {
        let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
        TemplateError { line: error.line().unwrap_or(0), what }
    };
    let mut env = Environment::new();
    // Markdown is escaped by the filters below; HTML escaping would show `&lt;` in code.
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?;
    env.set_syntax(syntax);
    env.add_filter("md", |text: &Value| inline(&text.to_string()));
    env.add_filter("code", |text: &Value| code(&text.to_string()));
    env.add_filter("quote", |text: &Value| quote(&text.to_string()));
    env.add_filter("yaml", |text: &Value| yaml(&text.to_string()));
    env.add_filter("refs", |refs: &Value| {
        let refs = refs.to_string();
        if refs.is_empty() { String::new() } else { format!(" ({refs})") }
    });
    let text = env.render_str(template.unwrap_or(TEMPLATE), Serde(document)).map_err(failed)?;
    Ok(tidy(&text))
}

/// No trailing blanks but markdown's hard breaks, no more than one empty line, one line break at the end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        if line.trim().is_empty() {
            empty += 1;
            continue;
        }
        if empty > 0 && !out.is_empty() {
            out.push('\n');
        }
        empty = 0;
        out.push_str(line);
        out.push('\n');
    }
    out
}
