//! Emitted schemas, parsed by others: Avro by fastavro and by Apache's Python package, Protocol Buffers by protox, JSON
//! Schema by Python's jsonschema.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::crates::files;
use crate::HarnessError;
use crate::python::Python;

/// What parsers say of the schemas of some crates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Avro schemas.
    pub avro: usize,
    /// Protocol Buffers files.
    pub protobuf: usize,
    /// JSON Schemas.
    pub json: usize,
    /// What is wrong, with the file.
    pub problems: Vec<String>,
}

/// Has every schema of these crates parsed.
///
/// # Errors
///
/// If a file cannot be read, or Python fails. That a parser refuses a schema is no error but a problem.
pub fn parse(python: &Python, crates: &[&Path]) -> Result<Parsed, HarnessError> {
    let output = python.run("check_schemas.py", crates.iter().map(|folder| folder.join("schemas")))?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| HarnessError::Setup(format!("check_schemas.py printed no JSON: {error}")))?;
    let count = |name: &str| said[name].as_u64().unwrap_or(0) as usize;
    let problems = said["problems"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let mut parsed = Parsed { avro: count("avro"), json: count("json"), protobuf: 0, problems: problems.collect() };
    for folder in crates {
        let schemas = folder.join("schemas");
        for file in protobuf_files(&schemas)? {
            parsed.protobuf += 1;
            // Files name each other by their paths below the folder of all.
            if let Err(error) = protox::compile([&file], [schemas.join("protobuf")]) {
                parsed.problems.push(format!("{}: protox: {error}", file.display()));
            }
        }
    }
    Ok(parsed)
}

fn protobuf_files(schemas: &Path) -> Result<Vec<PathBuf>, HarnessError> {
    if !schemas.is_dir() {
        return Ok(Vec::new());
    }
    let is_protobuf = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "proto");
    Ok(files(schemas)?.into_iter().filter(is_protobuf).collect())
}
