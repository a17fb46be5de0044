//! `config`: every configuration property.

use super::Format;
use super::table::table;
use crate::config::{Documentation, OperationDocumentation, PropertyDocumentation, documentation};
use crate::connector::Connector;

const OPERATION_HEADER: [&str; 5] = ["Prefix", "Operation", "Topic", "Interval (ms)", "Initial offset"];
const PROPERTY_HEADER: [&str; 6] = ["Property", "Type", "Default", "Valid values", "Importance", "Meaning"];

/// The operations and the properties.
pub(super) fn render(connector: &Connector, format: Format) -> String {
    let documentation = documentation(connector);
    let operations = || documentation.operations.iter().map(operation_row).collect();
    let properties = render_properties(&documentation, format);
    match format {
        Format::Json => properties,
        Format::Table => format!("{}\n\n{properties}", table(&OPERATION_HEADER, operations())),
        Format::Markdown => format!("{}\n{properties}", markdown(&OPERATION_HEADER, operations())),
    }
}

/// The properties, in JSON with whatever else there is.
pub(super) fn render_properties(documentation: &Documentation, format: Format) -> String {
    let rows = || documentation.properties.iter().map(property_row).collect();
    match format {
        Format::Json => format!("{:#}\n", serde_json::json!(documentation)),
        Format::Table => format!("{}\n", table(&PROPERTY_HEADER, rows())),
        Format::Markdown => markdown(&PROPERTY_HEADER, rows()),
    }
}

fn operation_row(operation: &OperationDocumentation) -> Vec<String> {
    let prefix = format!("{}.", operation.prefix);
    let initial_offset = operation.initial_offset.clone().unwrap_or_default();
    vec![prefix, operation.id.clone(), operation.topic.clone(), operation.interval_ms.to_string(), initial_offset]
}

fn property_row(property: &PropertyDocumentation) -> Vec<String> {
    let default = match &property.default {
        Some(default) => default.clone(),
        None if property.required => "(required)".to_owned(),
        None => String::new(),
    };
    vec![
        property.name.clone(),
        property.type_name.to_owned(),
        default,
        property.valid_values.clone().unwrap_or_default(),
        property.importance.to_owned(),
        property.documentation.clone(),
    ]
}

fn markdown(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let header =
        line(header.iter().map(|cell| (*cell).to_owned()).collect()) + &line(vec!["---".to_owned(); header.len()]);
    rows.into_iter().fold(header, |text, mut row| {
        row.iter_mut().for_each(|cell| *cell = cell.replace('|', "\\|"));
        text + &line(row)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::WIDTH;
    use crate::config::testing::connector;

    #[test]
    fn shows_operations_and_properties_in_each_form() {
        let json: serde_json::Value = serde_json::from_str(&render(&connector(), Format::Json)).unwrap();
        assert_eq!(json["operations"][0]["id"], "events");
        assert_eq!(json["operations"][1]["prefix"], "api2");
        assert_eq!(json["properties"][0]["name"], "owner");
        let markdown = render(&connector(), Format::Markdown);
        assert!(markdown.contains("| api1. | events | test.events | 60000 | 2024-01-01T00:00:00Z |\n"), "{markdown}");
        assert!(
            markdown.contains("| auth.type | string | NONE | NONE, BASIC, OAUTH2, BEARER, API_KEY | high |"),
            "{markdown}"
        );
        let table = render(&connector(), Format::Table);
        assert!(table.lines().all(|line| line.chars().count() <= usize::from(WIDTH)), "{table}");
        assert!(table.contains("bootstrap.servers") && table.contains("(required)"), "{table}");
    }
}
