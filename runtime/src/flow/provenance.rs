//! Where records come from, as headers: what is needed to find the request that brought a record, and to make it again.

use xxhash_rust::xxh3::xxh3_64;

use super::dead_letters::OPERATION;
use super::stream::Stream;
use crate::http::{Request, Response};
use crate::page::{Origin, Page};
use crate::position::Position;
use crate::slice::Slice;

/// The headers that tell it.
const HEADERS: [&str; 7] = [
    "headwater.spec",
    OPERATION,
    SLICE,
    "headwater.position",
    "headwater.request",
    "headwater.request.id",
    "headwater.response.hash",
];

/// The header with the slice that was read.
pub(super) const SLICE: &str = "headwater.slice";

/// Headers that hold the id of a request, by the names that APIs have for it.
const REQUEST_IDS: [&str; 6] =
    ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "x-amz-request-id", "x-ms-request-id"];

/// What is told of records besides what is of their page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// What the connector was made from: a hash of the API's document, or of the configuration.
    spec: String,
    /// Whether records tell it; dead letters always do.
    on_records: bool,
    /// The slice that is read, if the stream has slices.
    slice: Option<String>,
}

impl Provenance {
    /// Of a connector that was made from what `spec` is a hash of.
    pub fn new(spec: String, on_records: bool) -> Self {
        Self { spec, on_records, slice: None }
    }

    /// The same of a slice.
    pub(crate) fn of_slice(self, slice: &Slice) -> Self {
        Self { slice: (!slice.is_whole()).then(|| slice.to_string()), ..self }
    }

    /// Gives a page what is told of where it comes from, if it or something in it tells that. `content` is the whole of the
    /// response's content; a response that comes in parts has records on their way before it is there.
    pub(crate) fn tell(
        &self,
        page: &mut Page,
        stream: &Stream,
        position: &Position,
        request: &Request,
        response: &Response,
        content: Option<&[u8]>,
    ) {
        if self.on_records || !page.rejected().is_empty() {
            page.set_origin(self.headers(stream, position, request, response, content), self.on_records);
        }
    }

    /// Gives a page the headers that a dead letter has of where it comes from, if records tell that.
    pub(crate) fn tell_again(&self, page: &mut Page, told: &[(String, Vec<u8>)]) {
        if self.on_records {
            let value = |name: &str| told.iter().find(|(told, _)| told == name).map(|(_, value)| value.clone());
            page.set_origin(HEADERS.iter().filter_map(|name| Some((*name, value(name)?))).collect(), true);
        }
    }

    fn headers(
        &self,
        stream: &Stream,
        position: &Position,
        request: &Request,
        response: &Response,
        content: Option<&[u8]>,
    ) -> Origin {
        let sent = |name: &&str| request.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        let answered = REQUEST_IDS.iter().find_map(|name| response.header(name));
        let request_id = answered.or_else(|| REQUEST_IDS.iter().find_map(sent).map(|(_, value)| value.as_str()));
        let values = [
            Some(self.spec.clone()),
            Some(stream.facts().id.to_string()),
            self.slice.clone(),
            Some(position.without_hashes().to_string()),
            stream.client.shown_request(request),
            request_id.map(str::to_owned),
            content.map(response_hash),
        ];
        HEADERS.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?.into_bytes()))).collect()
    }
}

/// A hash of a response's content, decompressed: XXH3 with 64 bits, in hexadecimal.
fn response_hash(content: &[u8]) -> String {
    format!("xxh3:{:016x}", xxh3_64(content))
}
