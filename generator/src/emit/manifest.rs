//! `headwater.lock`: which generator made the crate, from what, and which files are its own. The only emitted file that
//! holds a version or a hash, so that the others change only when what they say changes.

use serde::{Deserialize, Serialize};

use super::{EmitError, FileSet};
use crate::plan::FieldNumbers;
use crate::plan::model::ConnectorPlan;

/// Path of the manifest, from the crate's root.
pub(crate) const MANIFEST: &str = "headwater.lock";

/// What the manifest holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    document: Document,
    /// The generated files, sorted, the manifest itself not among them.
    pub(crate) files: Vec<String>,
    /// Version of the generator.
    pub(crate) generator: String,
    /// The Protobuf field numbers that were given out.
    #[serde(default)]
    pub(crate) numbers: FieldNumbers,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    file: String,
    sha256: String,
    title: String,
    version: String,
}

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    let manifest = Manifest {
        document: Document {
            file: plan.document.file.clone(),
            sha256: plan.document.sha256.clone(),
            title: plan.document.title.clone(),
            version: plan.document.version.clone(),
        },
        files: files.iter().map(|(path, _)| path.to_owned()).collect(),
        generator: env!("CARGO_PKG_VERSION").to_owned(),
        numbers: plan.numbers.clone(),
    };
    let mut text = serde_json::to_string_pretty(&manifest)
        .map_err(|source| EmitError::Json { path: MANIFEST.to_owned(), source })?;
    text.push('\n');
    files.add(MANIFEST, text)
}
