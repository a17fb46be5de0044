//! The first slice of a stream, for who looks on without reading everything: each request is made once, and nothing is kept.

use std::sync::Arc;

use super::definition::Definition;
use super::output::Output;
use super::start::StartError;
use super::stream::{Stream, StreamError};
use crate::config::OperationSettings;
use crate::format::OutputFormat;
use crate::memory::{Budget, Memory};
use crate::metrics::Metrics;
use crate::operation::SlicedOperation;
use crate::page::Wire;
use crate::slice::Slice;

/// Operations with what is configured of them. Their records are written as they would be, but for schemas of the registry: those
/// that transforms change are JSON.
pub(super) fn definitions(
    operations: Vec<Box<dyn SlicedOperation>>,
    settings: &[OperationSettings],
) -> Result<Vec<Definition>, StartError> {
    let budget = Budget::new(Memory::default());
    let define = |(operation, settings): (_, &OperationSettings)| {
        let metrics = Metrics::new("").stream(&settings.id);
        let output = Output {
            transforms: settings.transforms.clone(),
            tolerance: settings.tolerance,
            ..Output::unchanged(settings.topic.as_deref().unwrap_or_default())
        };
        let format = if output.takes_json() { OutputFormat::Json } else { settings.format };
        let wire =
            Wire { format, prefix: Vec::new(), on_drift: settings.on_drift, redaction: settings.redaction.clone() };
        Definition::new(operation, settings.clone(), wire, output, metrics, budget.clone())
    };
    operations.into_iter().zip(settings).map(define).collect()
}

/// What reads the first slice of a stream; `None` if its parent has no record that calls for one.
///
/// # Errors
///
/// If a page of a parent cannot be had.
pub(super) async fn first_slice(
    definitions: &[Definition],
    stream: &Definition,
) -> Result<Option<Arc<Stream>>, StreamError> {
    // From the root down to the stream.
    let mut line = vec![stream];
    while let Some(parent) = line.last().and_then(|stream| stream.slicing().parent.as_deref()) {
        let Some(parent) = definitions.iter().find(|other| other.id() == parent) else { break };
        // A circle has no root.
        if line.iter().any(|other| other.id() == parent.id()) {
            break;
        }
        line.push(parent);
    }
    let root = line.last().map(|root| root.slicing().combine(Slice::whole()));
    let Some(mut slice) = root.and_then(|slices| slices.into_iter().next()) else { return Ok(None) };
    while let Some(above) = line.pop() {
        let reader = above.stream(&slice)?;
        let Some(child) = line.last() else { return Ok(Some(reader)) };
        let position = reader.operation.begin(&reader.start());
        let response = reader.client.send(&reader.operation.request_at(&position)).await?;
        let response = reader.redacted(&response)?.unwrap_or(response);
        let read = reader.read_response(&position, &response)?;
        let values = read.page.children.iter().find(|(operation, _)| *operation == child.id());
        let slices = values.map(|(_, values)| child.slicing().of_record(&slice, values));
        match slices.and_then(|slices| slices.into_iter().next()) {
            Some(first) => slice = first,
            None => return Ok(None),
        }
    }
    Ok(None)
}
