//! Stage 3: a plan becomes files. One module per artefact, each a pure function of the plan; same plan, same bytes.
//!
//! Names come from the plan as they are: nothing here changes case or resolves a clash between two of them. Every file
//! is parsed by a real parser of its language before it leaves.

mod avro;
mod doc;
mod files;
mod json_schema;
mod manifest;
mod markdown;
mod overlay;
mod package;
mod protobuf;
mod rust;
mod spec;

use std::collections::BTreeMap;

use thiserror::Error;

pub use files::FileSet;
pub(crate) use manifest::{MANIFEST, Manifest};
pub use overlay::overlay;
pub use rust::{HOOKS, Hook, Hooks};

use crate::plan::model::{ConnectorPlan, DocumentFacts, TypeId, TypeKind};

/// What the plan leaves open.
#[derive(Clone, Debug)]
pub struct EmitOptions {
    /// Where the crate finds the runtime.
    pub runtime: RuntimeDependency,
}

/// Where a generated crate finds the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeDependency {
    /// In this folder, absolute or relative to the crate.
    Path(String),
    /// In the package registry, as a version requirement of Cargo.
    Version(String),
}

/// A file that came out wrong: a fault of the generator, or of a plan that broke its promises.
#[derive(Debug, Error)]
pub enum EmitError {
    /// A Rust file does not parse.
    #[error("the emitted `{path}` is not Rust")]
    Rust {
        /// The file.
        path: String,
        /// What the parser said.
        source: syn::Error,
    },
    /// An Avro schema does not parse.
    #[error("the emitted `{path}` is no Avro schema")]
    Avro {
        /// The file.
        path: String,
        /// What the parser said.
        source: Box<apache_avro::Error>,
    },
    /// A Protobuf schema does not compile.
    #[error("the emitted `{path}` is no Protobuf schema")]
    Protobuf {
        /// The file.
        path: String,
        /// What the compiler said.
        source: Box<protox::Error>,
    },
    /// A JSON file could not be written.
    #[error("the emitted `{path}` is not JSON")]
    Json {
        /// The file.
        path: String,
        /// What went wrong.
        source: serde_json::Error,
    },
    /// A TOML file does not parse.
    #[error("the emitted `{path}` is not TOML")]
    Toml {
        /// The file.
        path: String,
        /// What the parser said.
        source: Box<toml::de::Error>,
    },
    /// A YAML file does not parse.
    #[error("the emitted `{path}` is not YAML")]
    Yaml {
        /// The file.
        path: String,
        /// What the parser said.
        source: Box<serde_yaml::Error>,
    },
    /// A template could not be filled in.
    #[error("filling in the template of `{path}`")]
    Template {
        /// The file.
        path: String,
        /// What is missing.
        source: tera::Error,
    },
    /// Two artefacts claim one file.
    #[error("`{path}` is emitted twice")]
    Twice {
        /// The file.
        path: String,
    },
}

/// How large the stack is that schemas are parsed on, in bytes: they can be deep.
const STACK: usize = 16 << 20;

/// All files of the connector's crate.
///
/// # Errors
///
/// If a file does not parse: a fault of the generator.
pub fn emit(plan: &ConnectorPlan, options: &EmitOptions) -> Result<FileSet, EmitError> {
    type Emit = fn(&ConnectorPlan, &mut FileSet) -> Result<(), EmitError>;
    let others: [Emit; 4] = [avro::emit, protobuf::emit, json_schema::emit, spec::emit];
    let schemas = || {
        let mut files = FileSet::default();
        others.iter().try_for_each(|emit| emit(plan, &mut files)).map(|()| files)
    };
    let (mut files, others) = std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, schemas);
        let mut files = FileSet::default();
        // It is as deep as a connector has operations, and so stays on the caller's stack.
        let rust = rust::emit(plan, &mut files);
        let others = match beside {
            Ok(beside) => beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => schemas(),
        };
        rust.and(others).map(|others| (files, others))
    })?;
    files.take(others)?;
    package::emit(plan, options, &mut files)?;
    manifest::emit(plan, &mut files)?;
    Ok(files)
}

/// What the crate's user has to have in `src/hooks.rs`; `None`: nothing calls it.
///
/// # Errors
///
/// If it does not parse: a fault of the generator.
pub fn hooks(plan: &ConnectorPlan) -> Result<Option<Hooks>, EmitError> {
    rust::hooks(plan)
}

/// The Avro schemas of the record types of the streams.
///
/// # Errors
///
/// If one does not parse: a fault of the generator.
pub(crate) fn avro_schemas(plan: &ConnectorPlan) -> Result<BTreeMap<TypeId, serde_json::Value>, EmitError> {
    let mut files = FileSet::default();
    avro::emit(plan, &mut files)?;
    let mut schemas = BTreeMap::new();
    for record in records(plan) {
        let Some(path) = schema_path(plan, record, Language::Avro) else { continue };
        if let Some(text) = files.get(&path) {
            let schema = serde_json::from_slice(text).map_err(|source| EmitError::Json { path, source })?;
            schemas.insert(record, schema);
        }
    }
    Ok(schemas)
}

/// What the first line of a generated file says, wherever its language has comments.
fn header(document: &DocumentFacts) -> String {
    format!("{MARK} from {}. Do not edit: extend beside it.", markdown::clean(&document.file))
}

/// How the first line of a generated file begins, behind the sign for a comment.
pub(crate) const MARK: &str = "@generated by headwater";

/// The record types of the streams, each once, in the order of the streams.
fn records(plan: &ConnectorPlan) -> Vec<TypeId> {
    let mut records = Vec::new();
    for stream in &plan.streams {
        if !records.contains(&stream.record) {
            records.push(stream.record);
        }
    }
    records
}

/// A language that the schemas of records are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Avro,
    Protobuf,
    Json,
}

/// Path of the schema of a record type, from the crate's root.
fn schema_path(plan: &ConnectorPlan, record: TypeId, language: Language) -> Option<String> {
    let TypeKind::Struct(it) = &plan.types.get(record.0)?.kind else { return None };
    let module = &it.names.module;
    Some(match language {
        Language::Avro => format!("schemas/avro/{module}.avsc"),
        Language::Protobuf => format!("schemas/protobuf/{module}.proto"),
        Language::Json => format!("schemas/json/{module}.json"),
    })
}

/// Namespace of the schemas: a package name differs from an Avro or Protobuf name only in its hyphens.
fn namespace(plan: &ConnectorPlan) -> String {
    plan.name.replace('-', "_")
}
