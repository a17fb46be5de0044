//! The plan: what will be emitted, as plain ordered data. Every name in it is final, every reference resolves, and
//! emission cannot refuse it.

mod auth;
mod paging;
mod parameters;
mod types;

use std::collections::BTreeMap;

use super::numbers::FieldNumbers;
pub use auth::{ApiKeyPlace, AuthScheme};
pub use paging::{FoundIn, PaginationPlan, TokenIn, TokenPlace, Until};
pub use parameters::{
    ListedValues, ParameterLocation, ParameterPlan, ParameterScalar, ParameterStyle, ParameterType, ParameterValue,
    StyleKind,
};
pub use types::{
    AdditionalFields, DecimalFacts, Element, EnumType, EnumValue, Field, Scalar, StructType, Type, TypeId, TypeKind,
    TypeNames, UnionType, UnionVariant,
};

/// A connector, ready to be emitted.
#[derive(Clone, Debug)]
pub struct ConnectorPlan {
    /// Package name of the crate, in kebab case; also the connector's default name.
    pub name: String,
    /// The document it comes from.
    pub document: DocumentFacts,
    /// The API's base URL, server variables filled in; `None` if the document names none or only a relative one.
    pub base_url: Option<String>,
    /// Configuration properties that annotations introduce with `${config:NAME}`, by name.
    pub parameters: BTreeMap<String, ConfigParameter>,
    /// The types that the streams reach, in the order in which they are emitted.
    pub types: Vec<Type>,
    /// The Protobuf field numbers of the types, and of those that there once were.
    pub numbers: FieldNumbers,
    /// The streams, in the document's order.
    pub streams: Vec<StreamPlan>,
}

impl ConnectorPlan {
    /// Whether the document says nothing of the fields of a stream's records.
    pub fn is_undescribed(&self, stream: &StreamPlan) -> bool {
        let record = self.types.get(stream.record.0).map(|ty| &ty.kind);
        matches!(record, Some(TypeKind::Struct(record)) if record.is_undescribed())
    }
}

/// What is said of the document in generated text.
#[derive(Clone, Debug)]
pub struct DocumentFacts {
    /// File name, without a folder.
    pub file: String,
    /// SHA-256 of the document after overlays, in lower-case hexadecimal.
    pub sha256: String,
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// `info.description`.
    pub description: Option<String>,
    /// The document after overlays, of one file, with the operations of the streams and what they reach.
    pub part: serde_json::Value,
}

/// A configuration property of the connector's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigParameter {
    /// Where it is used, for the generated documentation: the description of the API's parameter, or its name.
    pub description: String,
}

/// An operation, read as a stream.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    /// `operationId`, or one made of method and path.
    pub operation_id: String,
    /// HTTP method, in upper case.
    pub method: String,
    /// Path template below the base URL, as the document has it.
    pub path: String,
    /// `summary`.
    pub summary: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// Rust name of the request builder, `UpperCamelCase`.
    pub rust_name: String,
    /// Rust module that holds it, `snake_case`.
    pub module: String,
    /// Kafka topic.
    pub topic: String,
    /// The record type: a [`TypeKind::Struct`].
    pub record: TypeId,
    /// JSON Pointer to the records in a response, empty is the root; or a JSONPath that selects them, which begins with `$`.
    pub records: String,
    /// Whether every response must have something there.
    pub records_required: bool,
    /// Whether there is one record in a response, not a list of them.
    pub is_single: bool,
    /// The response's media type, if that is one of JSON lines, each of which is a record.
    pub lines: Option<String>,
    /// What its requests carry, if they carry anything.
    pub body: Option<BodyPlan>,
    /// The operation's parameters: path, query, header and cookie, in the document's order, and then the members of the body.
    pub parameters: Vec<ParameterPlan>,
    /// The record's key.
    pub key: Option<FieldPath>,
    /// The record's time, of type [`Scalar::DateTime`].
    pub timestamp: Option<FieldPath>,
    /// How the stream reads only what is new.
    pub offset: Option<OffsetPlan>,
    /// What can be read once, step by step, if anything.
    pub backfill: Option<BackfillPlan>,
    /// How one page leads to the next.
    pub pagination: PaginationPlan,
    /// Parameter that says how many records a page has, if the operation has one.
    pub page_size_parameter: Option<String>,
    /// The streams that are read for each of its records.
    pub children: Vec<ChildPlan>,
    /// The ways to be let in, one of which must be taken; each lists what it takes together. Empty: nothing is asked for.
    pub auth: Vec<Vec<AuthScheme>>,
    /// The stream whose records give this one's requests their parameters, if it is a child.
    pub parent: Option<ParentPlan>,
    /// What the document says of how often the API may be asked, if anything.
    pub rate_limit: Option<RateLimitPlan>,
    /// Pause between two cycles, in milliseconds.
    pub interval_ms: u64,
    /// Whether only what changes is written.
    pub writes_changes: bool,
    /// What is done with personal data in its records.
    pub redact: Vec<Redaction>,
    /// Whether the crate's own code says what becomes of each record.
    pub is_hooked: bool,
    /// What was inferred rather than annotated, with reasons.
    pub inferences: Vec<Inference>,
}

impl StreamPlan {
    /// The stream whose records it is read for, if any of its parameters has its value from there.
    pub fn followed_parent(&self) -> Option<&ParentPlan> {
        let is_of_slice = |parameter: &ParameterPlan| matches!(parameter.value, Some(ParameterValue::Slice(_)));
        self.parent.as_ref().filter(|_| self.parameters.iter().any(is_of_slice))
    }

    /// The path template as it is sent: some documents tell operations apart by what stands behind `?` and `#`.
    pub fn sent_path(&self) -> &str {
        let end = self.path.find(['?', '#']).unwrap_or(self.path.len());
        self.path.get(..end).map_or(&self.path, |path| path.strip_suffix('{').unwrap_or(path))
    }
}

/// What requests carry; the parameters of [`ParameterLocation::Body`] are its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyPlan {
    /// An object of this media type, which is one of JSON.
    Json(String),
    /// A form.
    Form,
}

impl BodyPlan {
    /// The media type of forms (WHATWG URL, section 5).
    pub const FORM: &str = "application/x-www-form-urlencoded";

    /// Its media type.
    pub fn media_type(&self) -> &str {
        match self {
            Self::Json(media_type) => media_type,
            Self::Form => Self::FORM,
        }
    }
}

/// What is done with a field of the records before anything else is done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// JSON Pointer from the record, in which `*` stands for every member or element.
    pub pointer: String,
    /// What is done.
    pub action: RedactAction,
}

/// What is done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedactAction {
    /// It goes.
    Drop,
    /// The empty value of its type stands there.
    Mask,
    /// A keyed hash of it stands there.
    Hash,
}

impl RedactAction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Drop, Self::Mask, Self::Hash];

    /// The word for it, in annotations.
    pub fn annotated(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask => "mask",
            Self::Hash => "hash",
        }
    }
}

/// A fact that was inferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inference {
    /// What it is about: `records`, `key`, `pagination`, `offset`, `parent`, `auth`, `rate-limit`, `topic`.
    pub subject: &'static str,
    /// What was inferred, for a person to read.
    pub value: String,
    /// Name of the rule.
    pub rule: &'static str,
    /// Why the rule applied here.
    pub reason: String,
}

/// A way from a record to one of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// JSON Pointer from the record, for generated text.
    pub pointer: String,
    /// The fields on the way.
    pub steps: Vec<FieldStep>,
    /// What the last field holds: never [`Scalar::Json`], [`Scalar::Base64`] or a floating-point number.
    pub scalar: Scalar,
}

/// A field on the way to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldStep {
    /// Its Rust name.
    pub rust_name: String,
}

/// The stream whose records give a child's requests their parameters. Parameters of the same name as the parent's own have
/// the values that the parent was asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentPlan {
    /// The parent's operation.
    pub operation_id: String,
    /// What each of its records gives.
    pub bind: Vec<Binding>,
}

impl ParentPlan {
    /// Whether a record gives a parameter its value.
    pub(super) fn binds(&self, parameter: &str) -> bool {
        self.bind.iter().any(|binding| binding.parameter == parameter)
    }
}

/// A stream that is read for each record of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildPlan {
    /// Its operation.
    pub operation_id: String,
    /// The values that a record gives, by the child's parameters.
    pub bind: Vec<(String, FieldPath)>,
}

/// A parameter of a child, and where in a record of the parent its value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The child's parameter.
    pub parameter: String,
    /// JSON Pointer from the parent's record.
    pub pointer: String,
}

/// What the document says of how often the API may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitPlan {
    /// Whether status 429 is an answer of the operation.
    pub refuses: bool,
    /// The response headers that tell of the limit.
    pub headers: Vec<String>,
}

/// How a stream reads only what is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetPlan {
    /// How the values follow one another.
    pub mode: OffsetMode,
    /// The field of the record.
    pub field: FieldPath,
    /// What takes the value.
    pub parameter: TokenIn,
    /// Value of the first cycle.
    pub initial: Option<String>,
    /// How far before the latest instant a cycle asks, in milliseconds.
    pub lookback_ms: Option<u64>,
}

/// What can be read once, step by step, besides what the cycles read. Where a step begins, the parameter of the offset says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackfillPlan {
    /// What says where a step ends.
    pub until: TokenIn,
    /// Where the range begins, unless it is configured: a date or an instant.
    pub start: Option<String>,
    /// Where it ends, unless it is configured.
    pub end: Option<String>,
    /// How long a step is, unless it is configured: an ISO 8601 duration.
    pub step: Option<String>,
}

/// How offset values follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetMode {
    /// Instants; the field is a [`Scalar::DateTime`].
    Timestamp,
    /// The last record's value.
    Cursor,
}
