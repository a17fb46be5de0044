//! `schemas`: the schemas of the records.

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, Failure};
use crate::connector::Connector;
use crate::format::OutputFormat;

/// The schemas as JSON: one object by subject, or only the schema of one operation.
pub(super) fn render(connector: &Connector, operation: Option<&str>) -> Result<String, Failure> {
    let mut schemas = Map::new();
    for definition in &connector.operations {
        let schema: Value = serde_json::from_str((definition.schema)(OutputFormat::Avro).unwrap_or("null"))
            .map_err(|error| Failure::run([Diagnostic::of_error(&error)]))?;
        let facts = &definition.facts;
        if operation == Some(&facts.id) {
            return Ok(pretty(&schema));
        }
        schemas.insert(format!("{}-value", facts.topic), schema);
    }
    match operation {
        Some(id) => Err(unknown(connector, id)),
        None => Ok(pretty(&Value::Object(schemas))),
    }
}

fn unknown(connector: &Connector, id: &str) -> Failure {
    let ids: Vec<_> = connector.operations.iter().map(|definition| format!("`{}`", definition.facts.id)).collect();
    let message = format!("the connector has no operation `{id}`");
    Failure::input([Diagnostic { message, hint: Some(format!("its operations are {}", ids.join(", "))) }])
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::connector;

    #[test]
    fn prints_schemas_by_subject_or_one() {
        let all: Value = serde_json::from_str(&render(&connector(), None).unwrap()).unwrap();
        assert_eq!(all["test.users-value"]["name"], "Event");
        let one: Value = serde_json::from_str(&render(&connector(), Some("events")).unwrap()).unwrap();
        assert_eq!(one["type"], "record");
        assert!(render(&connector(), Some("none")).is_err());
    }
}
