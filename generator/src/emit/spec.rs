//! The part of the document that the crate is made from, as it was read: what `headwater mock` serves to the crate's own
//! test, and what `headwater diff` compares the next one with.

use serde_json::Value;

use super::{EmitError, FileSet};
use crate::plan::model::ConnectorPlan;

/// Its path, from the crate's root.
const PATH: &str = "spec/openapi.json";

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    let failed = |source| EmitError::Json { path: PATH.to_owned(), source };
    let mut text = String::new();
    write(&plan.document.part, &[], &mut text).map_err(failed)?;
    text.push('\n');
    serde_json::from_str::<Value>(&text).map_err(failed)?;
    files.add(PATH, text)
}

/// Writes JSON with a line for each path and each component: short, and still to be compared line by line.
fn write(value: &Value, at: &[&str], out: &mut String) -> Result<(), serde_json::Error> {
    let is_open = matches!(at, [] | ["paths" | "components"] | ["components", _]);
    match value {
        Value::Object(members) if is_open && !members.is_empty() => {
            let indent = "  ".repeat(at.len());
            out.push_str("{\n");
            for (number, (name, member)) in members.iter().enumerate() {
                let separator = if number == 0 { "" } else { ",\n" };
                out.push_str(&format!("{separator}{indent}  {}: ", serde_json::to_string(name)?));
                write(member, &[at, &[name.as_str()]].concat(), out)?;
            }
            out.push_str(&format!("\n{indent}}}"));
        }
        value => out.push_str(&serde_json::to_string(value)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_and_components_are_lines() {
        let document = json!({
            "info": {"title": "t"}, "paths": {"/a": {"get": {}}, "/b": {}},
            "components": {"schemas": {"A": {"type": "object"}}, "parameters": {}},
        });
        let mut text = String::new();
        write(&document, &[], &mut text).unwrap();
        let expected = "{\n  \"info\": {\"title\":\"t\"},\n  \"paths\": {\n    \"/a\": {\"get\":{}},\n    \"/b\": {}\n  },\n  \
                        \"components\": {\n    \"schemas\": {\n      \"A\": {\"type\":\"object\"}\n    },\n    \
                        \"parameters\": {}\n  }\n}";
        assert_eq!(text, expected);
    }
}
