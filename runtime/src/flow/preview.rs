//! The first records of each operation, as they would be written, without Kafka and registry.

mod raw;

use serde_json::Value;

use super::first::{definitions, first_slice};
use super::start::{StartError, operations};
use super::stream::{Stream, StreamError};
use crate::config::ApiConfig;
use crate::connector::Connector;
use crate::format::{self, OutputFormat};
use crate::http::{HttpError, Request, Response};
use crate::page::PageRecord;

/// The first records of an operation.
#[derive(Debug)]
pub struct Preview {
    /// The operation's id.
    pub operation: String,
    /// Kafka topic that they would go to, if they are written.
    pub topic: Option<String>,
    /// How they would be written; if `learns_schema`, by a schema that is learnt from them.
    pub format: OutputFormat,
    /// Whether transforms change the records, so that the document does not say their schema.
    pub learns_schema: bool,
    /// The records in the API's order.
    pub records: Vec<PreviewRecord>,
    /// How many would go to the dead letters in between.
    pub rejected: usize,
    /// Why there are no more, if that is not as it should be. The records of the page that could not be read are as the API sent
    /// them.
    pub failure: Option<StreamError>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewRecord {
    /// The key that it would have in Kafka.
    pub key: Option<Vec<u8>>,
    /// The time that it would have in Kafka, in milliseconds since 1970-01-01T00:00:00Z.
    pub timestamp: Option<i64>,
    /// Its fields in their order, each with the text of its value; one field without a name if it is no object.
    pub fields: Vec<(String, String)>,
}

/// Reads the first `limit` records of each operation, or of one, from the beginning; of one that is read in slices, those
/// of the first slice. Nothing is written.
///
/// # Errors
///
/// If the operations cannot be made from the configuration; what else goes wrong is in the previews.
pub async fn preview(
    connector: &Connector,
    config: &ApiConfig,
    operation: Option<&str>,
    limit: usize,
) -> Result<Vec<Preview>, StartError> {
    let mut previews = Vec::new();
    let all = definitions(operations(connector, &config.parameters, &config.operations)?, &config.operations)?;
    for definition in all.iter().filter(|definition| operation.is_none_or(|wanted| wanted == definition.id())) {
        let mut preview = Preview {
            operation: definition.id().to_owned(),
            topic: definition.settings().topic.clone(),
            format: definition.settings().format,
            learns_schema: !definition.settings().transforms.is_empty(),
            rejected: 0,
            records: Vec::new(),
            failure: None,
        };
        match first_slice(&all, definition).await {
            Ok(Some(stream)) => read_into(&mut preview, &stream, limit).await,
            Ok(None) => {}
            Err(error) => preview.failure = Some(error),
        }
        previews.push(preview);
    }
    Ok(previews)
}

async fn read_into(preview: &mut Preview, stream: &Stream, limit: usize) {
    let mut position = stream.start();
    while preview.records.len() < limit {
        // Who looks on does not want to wait for another try.
        position = stream.operation.begin(&position);
        let request = stream.operation.request_at(&position);
        let response = match first_part(stream, &request).await {
            Ok(response) => response,
            Err(error) => {
                preview.failure = Some(error);
                break;
            }
        };
        let read = stream.read_response(&position, &response);
        let (read, mut records) = match read {
            Ok(mut read) => match stream.output.finish(read.page).await {
                Ok(page) => {
                    preview.rejected += page.rejected().len();
                    let records = page.records().map(|record| of_record(stream, &record)).collect();
                    read.page = page;
                    (Ok(read), records)
                }
                Err(error) => (Err(error), of_response(stream, &response)),
            },
            Err(error) => (Err(error), of_response(stream, &response)),
        };
        records.truncate(limit - preview.records.len());
        preview.records.append(&mut records);
        match read {
            Ok(read) if read.more => position = read.position,
            Ok(_) => break,
            Err(error) => {
                preview.failure = Some(error);
                break;
            }
        }
    }
}

/// The response to a request, or of a large one the first part, redacted if that is to be.
async fn first_part(stream: &Stream, request: &Request) -> Result<Response, StreamError> {
    let mut begun = stream.begin(request).await.map_err(HttpError::from)?;
    let part = stream.first_part(&mut begun).await?;
    Ok(stream.redacted(&part)?.unwrap_or(part))
}

fn of_response(stream: &Stream, response: &Response) -> Vec<PreviewRecord> {
    let records = raw::records(&response.body, &stream.facts().records);
    records.into_iter().map(|fields| PreviewRecord { key: None, timestamp: None, fields }).collect()
}

/// A record, read back by its schema.
fn of_record(stream: &Stream, record: &PageRecord<'_>) -> PreviewRecord {
    let format = stream.wire.format;
    let schema = stream.operation.schema(format);
    let fields = match schema.and_then(|schema| format::shown(format, schema, record.value)) {
        _ if record.is_tombstone => vec![(String::new(), "null".to_owned())],
        Some(Value::Object(fields)) => fields.into_iter().map(|(name, value)| (name, value.to_string())).collect(),
        Some(value) => vec![(String::new(), value.to_string())],
        None => raw::of_json(record.value),
    };
    PreviewRecord { key: record.key.map(<[u8]>::to_vec), timestamp: record.timestamp, fields }
}
