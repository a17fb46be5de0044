//! How a generated operation is read once, step by step.

use std::sync::Arc;

use crate::format::OutputFormat;
use crate::http::Request;
use crate::operation::{DecodeError, Operation, OperationFacts};
use crate::page::{Page, TokenIn};

/// How an operation can be read step by step, besides what its cycles read: where a step begins, its offset's parameter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackfillFacts {
    /// Where the request says where a step ends.
    pub until: TokenIn,
    /// Where the range that is read begins, unless it is configured.
    pub start: Option<&'static str>,
    /// Where it ends, unless it is configured.
    pub end: Option<&'static str>,
    /// How long a step is, unless it is configured.
    pub step: Option<&'static str>,
}

/// An operation that is asked for what was before a time.
pub(super) struct Until {
    pub(super) operation: Arc<dyn Operation>,
    pub(super) parameter: TokenIn,
    pub(super) end: String,
}

impl Operation for Until {
    fn facts(&self) -> &OperationFacts {
        self.operation.facts()
    }

    fn request(&self) -> Request {
        let mut request = self.operation.request();
        self.parameter.set(&mut request, self.end.clone().into());
        request
    }

    fn schema(&self, format: OutputFormat) -> Option<&str> {
        self.operation.schema(format)
    }

    fn decode(&self, body: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        self.operation.decode(body, page)
    }

    fn decode_record(&self, sent: &[u8], page: &mut Page) -> Result<(), DecodeError> {
        self.operation.decode_record(sent, page)
    }
}
