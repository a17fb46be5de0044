//! Generates a typed Kafka connector from an annotated OpenAPI document: document → plan → emit.

use std::path::{Path, PathBuf};

#[cfg(feature = "run")]
pub mod demo;
pub mod diagnostic;
pub mod diff;
pub mod document;
pub mod emit;
#[cfg(feature = "run")]
pub mod mock;
pub mod output;
pub mod plan;

/// Stages 1 and 2: reads a document, lays `overlays` over it in their order, and plans the connector.
///
/// # Errors
///
/// Everything that is wrong with the files, the annotations or the selection, as far as it can be told at once.
pub fn plan_document(
    path: &Path,
    overlays: &[PathBuf],
    options: &plan::PlanOptions,
) -> Result<plan::Planned, diagnostic::Diagnostics> {
    plan::plan(&document::Document::load(path, overlays)?, options)
}
