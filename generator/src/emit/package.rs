//! The files around the code: manifest of the package, README, an example of a configuration. Texts are templates from
//! `templates/` at the repository's root, filled with strings that are final.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tera::{Context, Tera};

use super::{EmitError, EmitOptions, FileSet, RuntimeDependency, header};
use crate::emit::markdown;
use crate::plan::model::{
    ConnectorPlan, OffsetMode, OffsetPlan, PaginationPlan, ParameterPlan, ParameterValue, RedactAction, Redaction,
    StreamPlan,
};

pub(super) fn emit(plan: &ConnectorPlan, options: &EmitOptions, files: &mut FileSet) -> Result<(), EmitError> {
    let manifest =
        render("Cargo.toml", include_str!("../../../templates/Cargo.toml.tera"), &CargoView::new(plan, options))?;
    toml::from_str::<toml::Table>(&manifest)
        .map_err(|source| EmitError::Toml { path: "Cargo.toml".to_owned(), source: Box::new(source) })?;
    files.add("Cargo.toml", manifest)?;

    let example = example(plan).map_err(|source| EmitError::Json { path: EXAMPLE.to_owned(), source })?;
    let readme = ReadmeView::new(plan, &example);
    files.add("README.md", render("README.md", include_str!("../../../templates/README.md.tera"), &readme)?)?;
    files.add(EXAMPLE, example)?;
    let view = CrateView::new(plan);
    for (path, template) in [
        (".gitignore", include_str!("../../../templates/gitignore.tera")),
        (".dockerignore", include_str!("../../../templates/dockerignore.tera")),
        ("Dockerfile", include_str!("../../../templates/Dockerfile.tera")),
    ] {
        files.add(path, render(path, template, &view)?)?;
    }
    let workflow = render(WORKFLOW, include_str!("../../../templates/workflow.yml.tera"), &view)?;
    serde_yaml::from_str::<Value>(&workflow)
        .map_err(|source| EmitError::Yaml { path: WORKFLOW.to_owned(), source: Box::new(source) })?;
    files.add(WORKFLOW, workflow)?;
    for (path, template) in [
        ("tests/cassettes.rs", include_str!("../../../templates/cassettes.rs.tera")),
        ("tests/contract.rs", include_str!("../../../templates/contract.rs.tera")),
    ] {
        let test = render(path, template, &view)?;
        syn::parse_file(&test).map_err(|source| EmitError::Rust { path: path.to_owned(), source })?;
        files.add(path, test)?;
    }
    Ok(())
}

const WORKFLOW: &str = ".github/workflows/headwater.yml";

const EXAMPLE: &str = "connector.example.json";

/// A template with a view's strings in it. A name that the view lacks is an error.
fn render(path: &str, template: &str, view: &impl Serialize) -> Result<String, EmitError> {
    let rendered = Context::from_serialize(view).and_then(|context| Tera::one_off(template, &context, false));
    rendered.map_err(|source| EmitError::Template { path: path.to_owned(), source })
}

#[derive(Serialize)]
struct CrateView {
    header: String,
    /// Name of the package, and of its program.
    name: String,
    /// Name of its library in Rust.
    library: String,
}

impl CrateView {
    fn new(plan: &ConnectorPlan) -> Self {
        Self { header: header(&plan.document), name: plan.name.clone(), library: plan.name.replace('-', "_") }
    }
}

#[derive(Serialize)]
struct CargoView {
    header: String,
    name: String,
    description: String,
    runtime: String,
}

impl CargoView {
    fn new(plan: &ConnectorPlan, options: &EmitOptions) -> Self {
        let runtime = match &options.runtime {
            RuntimeDependency::Path(path) => format!("{{ path = {} }}", toml_text(path)),
            RuntimeDependency::Version(version) => toml_text(version),
        };
        Self {
            header: header(&plan.document),
            name: toml_text(&plan.name),
            description: toml_text(&format!("Kafka source connector for {}", plan.document.title.trim())),
            runtime,
        }
    }
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A flat configuration with everything that a user has to look at.
fn example(plan: &ConnectorPlan) -> Result<String, serde_json::Error> {
    let mut properties = Map::new();
    let base_url = plan.base_url.as_deref().unwrap_or("https://api.example.com");
    for (name, value) in [
        ("name", plan.name.as_str()),
        ("bootstrap.servers", "localhost:9092"),
        ("value.converter.schema.registry.url", "http://localhost:8081"),
        ("http.api.base.url", base_url),
        ("auth.type", "bearer"),
        ("bearer.token", "${env:API_TOKEN}"),
    ] {
        properties.insert(name.to_owned(), json!(value));
    }
    let is_hashed = |it: &Redaction| it.action == RedactAction::Hash;
    if plan.streams.iter().flat_map(|stream| &stream.redact).any(is_hashed) {
        properties.insert("record.redact.salt".to_owned(), json!("${env:REDACT_SALT}"));
    }
    for name in plan.parameters.keys() {
        properties.entry(name.clone()).or_insert_with(|| json!(format!("<{name}>")));
    }
    let mut text = serde_json::to_string_pretty(&Value::Object(properties))?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct ReadmeView {
    header: String,
    name: String,
    title: String,
    operations: Vec<OperationView>,
    has_hooks: bool,
    has_parameters: bool,
    parameters: Vec<ParameterView>,
    example: String,
    example_path: &'static str,
}

#[derive(Serialize)]
struct OperationView {
    id: String,
    request: String,
    topic: String,
    key: String,
    paging: String,
    offset: String,
    read: String,
}

#[derive(Serialize)]
struct ParameterView {
    name: String,
    description: String,
}

impl ReadmeView {
    fn new(plan: &ConnectorPlan, example: &str) -> Self {
        let parameters: Vec<_> = plan
            .parameters
            .iter()
            .map(|(name, parameter)| ParameterView {
                name: cell(markdown::code(name)),
                description: cell(markdown::lines(&parameter.description).join(" ")),
            })
            .collect();
        Self {
            header: header(&plan.document),
            name: plan.name.clone(),
            title: markdown::lines(&plan.document.title).join(" "),
            operations: plan.streams.iter().map(OperationView::new).collect(),
            has_hooks: plan.streams.iter().any(|stream| stream.is_hooked),
            has_parameters: !parameters.is_empty(),
            parameters,
            example: example.trim_end().to_owned(),
            example_path: EXAMPLE,
        }
    }
}

impl OperationView {
    fn new(stream: &StreamPlan) -> Self {
        Self {
            id: cell(markdown::code(&stream.operation_id)),
            request: cell(markdown::code(&format!("{} {}", stream.method, stream.path))),
            topic: cell(markdown::code(&stream.topic)),
            key: stream.key.as_ref().map_or_else(|| "none".to_owned(), |key| cell(markdown::code(&key.pointer))),
            paging: cell(paging(&stream.pagination)),
            offset: cell(
                stream.offset.as_ref().map_or_else(|| "none: every cycle reads everything".to_owned(), offset)
                    + stream.backfill.as_ref().map_or("", |_| "; what was before can be read by `backfill.start`"),
            ),
            read: match stream.followed_parent() {
                Some(parent) => cell(format!("for each record of {}", markdown::code(&parent.operation_id))),
                None => "by its schedule".to_owned(),
            } + &lists(stream),
        }
    }
}

/// For what values it is read one after the other, in words.
fn lists(stream: &StreamPlan) -> String {
    let is_listed = |plan: &&ParameterPlan| matches!(plan.value, Some(ParameterValue::Each(_)));
    let names = stream.parameters.iter().filter(is_listed).map(|plan| markdown::code(&plan.wire_name));
    let names: Vec<_> = names.collect();
    if names.is_empty() { String::new() } else { cell(format!(", for each {}", names.join(" and "))) }
}

fn paging(plan: &PaginationPlan) -> String {
    let code = markdown::code;
    match plan {
        PaginationPlan::None => "none".to_owned(),
        PaginationPlan::LinkHeader => "`Link` header".to_owned(),
        PaginationPlan::NextUrl { pointer, .. } => format!("URL at {}", code(&pointer.to_string())),
        PaginationPlan::Cursor { pointer, parameter, .. } => {
            format!("cursor at {}, sent as {}", code(&pointer.to_string()), code(&parameter.to_string()))
        }
        PaginationPlan::LastRecord { parameter, .. } => {
            format!("key of the last record, sent as {}", code(&parameter.to_string()))
        }
        PaginationPlan::Offset { parameter, .. } => {
            format!("records to skip, sent as {}", code(&parameter.to_string()))
        }
        PaginationPlan::Page { parameter, .. } => format!("page number, sent as {}", code(&parameter.to_string())),
    }
}

fn offset(plan: &OffsetPlan) -> String {
    let (field, parameter) = (markdown::code(&plan.field.pointer), markdown::code(&plan.parameter.to_string()));
    match plan.mode {
        OffsetMode::Timestamp => format!("latest {field}, sent as {parameter}"),
        OffsetMode::Cursor => format!("last {field}, sent as {parameter}"),
    }
}

/// Text as a cell of a table, where a bar would end it.
fn cell(text: String) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_view_lacks_is_an_error() {
        for template in ["{{ missing }}", "{{ inner.missing }}", "{% for it in missing %}x{% endfor %}"] {
            let error = render("README.md", template, &json!({ "inner": { "there": 1 } })).unwrap_err();
            assert_eq!(error.to_string(), "filling in the template of `README.md`", "{template}");
        }
    }
}
