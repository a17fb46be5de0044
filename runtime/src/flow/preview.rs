//! The first records of each operation, as the API sends them, without Kafka.

mod raw;

use super::first::{definitions, first_slice};
use super::start::{StartError, operations};
use super::stream::{Stream, StreamError};
use crate::config::ApiConfig;
use crate::connector::Connector;
use crate::http::{HttpError, Request, Response};

/// The first records of an operation.
#[derive(Debug)]
pub struct Preview {
    /// The operation's id.
    pub operation: String,
    /// Kafka topic that they would go to, if they are written.
    pub topic: Option<String>,
    /// The records in the API's order.
    pub records: Vec<PreviewRecord>,
    /// Why there are no more, or why some have no key and time, if that is not as it should be.
    pub failure: Option<StreamError>,
}

/// A record as the API sent it.
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
    let all = definitions(operations(connector, &config.parameters)?, &config.operations)?;
    for definition in all.iter().filter(|definition| operation.is_none_or(|wanted| wanted == definition.id())) {
        let mut preview = Preview {
            operation: definition.id().to_owned(),
            topic: definition.settings().topic.clone(),
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
        let mut records = of_response(stream, &response);
        let read = stream.read_response(&position, &response);
        if let Ok(read) = &read {
            // What the page left out would move the keys to the wrong records.
            if read.page.len() == records.len() {
                for (record, encoded) in records.iter_mut().zip(read.page.records()) {
                    record.key = encoded.key.map(<[u8]>::to_vec);
                    record.timestamp = encoded.timestamp;
                }
            }
        }
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
