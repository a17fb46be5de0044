//! The plan: what will be emitted, as plain ordered data. Every name in it is final, every reference resolves, and
//! emission cannot refuse it.

use std::collections::BTreeMap;
use std::fmt;

use super::numbers::FieldNumbers;

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

/// Index of a type in [`ConnectorPlan::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub usize);

/// A named or anonymous type.
#[derive(Clone, Debug)]
pub struct Type {
    /// The description in the document.
    pub doc: Option<String>,
    /// What it is.
    pub kind: TypeKind,
    /// Whether its Rust form borrows from the page, and so has the lifetime `'page`.
    pub borrows: bool,
}

/// What a type is.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// A record with fields.
    Struct(StructType),
    /// A string out of a list. Values outside the list are kept.
    Enum(EnumType),
    /// One of several types.
    Union(UnionType),
    /// A list.
    List(Element),
    /// An object whose keys are data.
    Map(Element),
    /// A value without parts.
    Scalar(Scalar),
}

/// The names of a type that has one. Unique within the plan, and no keyword in its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeNames {
    /// Rust type, `UpperCamelCase`.
    pub rust: String,
    /// Rust module that holds it, `snake_case`.
    pub module: String,
    /// Avro and Protobuf name, without namespace and package.
    pub avro: String,
}

/// A record with fields.
#[derive(Clone, Debug)]
pub struct StructType {
    /// Its names.
    pub names: TypeNames,
    /// Its fields in the document's order.
    pub fields: Vec<Field>,
    /// What the fields hold whose names are data, if the document says it beside declared ones.
    pub additional: Option<AdditionalFields>,
    /// Rust name of the field that keeps what the document does not declare.
    pub undeclared: String,
}

/// Fields of a record whose names are data: `additionalProperties` beside `properties`.
#[derive(Clone, Debug)]
pub struct AdditionalFields {
    /// Rust name of the map that holds them.
    pub rust_name: String,
    /// Avro name of the map.
    pub avro_name: String,
    /// Protobuf name of the map.
    pub proto_name: String,
    /// Protobuf field number of the map.
    pub number: u32,
    /// What each of them holds.
    pub element: Element,
}

/// A field of a record.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name in the API.
    pub wire_name: String,
    /// The Rust name: `snake_case`, raw (`r#type`) where it is a keyword.
    pub rust_name: String,
    /// The Avro name.
    pub avro_name: String,
    /// The Protobuf name.
    pub proto_name: String,
    /// The Protobuf field number.
    pub number: u32,
    /// The description in the document.
    pub doc: Option<String>,
    /// What it holds. Not optional: the document promises a value.
    pub element: Element,
    /// Whether its Rust form is boxed, because the type holds itself.
    pub boxed: bool,
}

/// A place for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The value's type.
    pub ty: TypeId,
    /// Whether the value can be missing: optional, or `null`.
    pub optional: bool,
}

/// A string out of a list.
#[derive(Clone, Debug)]
pub struct EnumType {
    /// Its names.
    pub names: TypeNames,
    /// The listed values.
    pub values: Vec<EnumValue>,
}

/// A listed value of an enum.
#[derive(Clone, Debug)]
pub struct EnumValue {
    /// The value in the API.
    pub wire_name: String,
    /// The Rust variant, unique in the enum, never `Unknown`.
    pub rust_name: String,
}

/// One of several types, told apart by the kind of JSON value, and objects by a discriminator or their fields.
#[derive(Clone, Debug)]
pub struct UnionType {
    /// Its names.
    pub names: TypeNames,
    /// The field whose value says which object it is.
    pub discriminator: Option<String>,
    /// Its branches. Only records share a kind of JSON value, and none is a union.
    pub variants: Vec<UnionVariant>,
}

/// A branch of a union.
#[derive(Clone, Debug)]
pub struct UnionVariant {
    /// The Rust variant.
    pub rust_name: String,
    /// The Protobuf name.
    pub proto_name: String,
    /// The Protobuf field number.
    pub number: u32,
    /// The discriminator's values that stand for it. None of a branch that takes what is of no other.
    pub tags: Vec<String>,
    /// Its type.
    pub ty: TypeId,
}

/// Which decimals a value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecimalFacts {
    /// How many digits there can be: 1 to 38.
    pub precision: u32,
    /// How many of them stand after the point.
    pub scale: u32,
    /// Whether it is a `type: string` in JSON, not a number.
    pub is_text: bool,
}

/// A value without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `type: boolean`.
    Boolean,
    /// `type: integer, format: int32`.
    Int32,
    /// `type: integer`, and `format: int64`.
    Int64,
    /// `type: number`, of any format.
    Number,
    /// `type: string` of any other or no format.
    String,
    /// `type: string, format: date`.
    Date,
    /// `type: string, format: date-time`.
    DateTime,
    /// `type: string, format: uuid`.
    Uuid,
    /// `type: string, format: byte`.
    Base64,
    /// `format: decimal`, of a `type: string` or `type: number`, where the document says of which precision and scale.
    Decimal(DecimalFacts),
    /// Anything; kept as JSON text.
    Json,
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
    /// The operation's parameters: path, query and header, in the document's order.
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
    /// Query parameter that says how many records a page has, if the operation has one.
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

/// What a request shows to be let in (OAS 3.0.3 section 4.7.27).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthScheme {
    /// User and password (RFC 7617).
    Basic,
    /// A token in the header `Authorization` (RFC 6750).
    Bearer,
    /// A key.
    ApiKey {
        /// Where it goes.
        place: ApiKeyPlace,
        /// Name of the parameter, header or cookie.
        name: String,
    },
    /// Anything else, by its name.
    Other(String),
}

/// Where an API key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyPlace {
    /// Into the query.
    Query,
    /// Into a header.
    Header,
    /// Into a cookie.
    Cookie,
}

impl fmt::Display for AuthScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic => f.write_str("basic"),
            Self::Bearer => f.write_str("bearer"),
            Self::ApiKey { place, name } => {
                let place = match place {
                    ApiKeyPlace::Query => "query parameter",
                    ApiKeyPlace::Header => "header",
                    ApiKeyPlace::Cookie => "cookie",
                };
                write!(f, "API key in the {place} {name}")
            }
            Self::Other(name) => f.write_str(name),
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

/// A parameter of an operation.
#[derive(Clone, Debug)]
pub struct ParameterPlan {
    /// The name in the API.
    pub wire_name: String,
    /// The Rust name: `snake_case`, raw where it is a keyword.
    pub rust_name: String,
    /// The description in the document.
    pub doc: Option<String>,
    /// Where it goes.
    pub location: ParameterLocation,
    /// Its type.
    pub ty: ParameterType,
    /// How its value is written.
    pub style: ParameterStyle,
    /// Whether a request without it is wrong. Required parameters are arguments of the builder.
    pub required: bool,
    /// What the connector sets it to, if anything. A required parameter always has a value here.
    pub value: Option<ParameterValue>,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterLocation {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// Into a header.
    Header,
    /// Into the header of cookies.
    Cookie,
}

impl ParameterLocation {
    /// How a parameter in this place is written where the document does not say (OAS 3.0.3 section 4.7.12.2).
    pub fn style(self) -> ParameterStyle {
        let (kind, explode) = match self {
            Self::Path | Self::Header => (StyleKind::Simple, false),
            Self::Query | Self::Cookie => (StyleKind::Form, true),
        };
        ParameterStyle { kind, explode, allow_reserved: false }
    }
}

/// How a parameter's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterStyle {
    /// The style.
    pub kind: StyleKind,
    /// Whether each item or property is written as a parameter of its own.
    pub explode: bool,
    /// Whether reserved characters stay as they are (RFC 3986 section 2.2).
    pub allow_reserved: bool,
}

/// A style of OpenAPI. Which of them a parameter can have depends on its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the styles of OAS 3.0.3 section 4.7.12.2")]
pub enum StyleKind {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// One value.
    One(ParameterScalar),
    /// A list.
    List {
        /// Type of the items.
        item: ParameterScalar,
    },
    /// An object; its properties are single values, written as text.
    Object,
}

/// The type of a parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterScalar {
    /// Text of any format.
    String,
    /// `true` or `false`.
    Boolean,
    /// 32-bit integer.
    Int32,
    /// 64-bit integer.
    Int64,
    /// Number.
    Double,
    /// JSON, as text.
    Json,
}

/// What the connector sets a parameter to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// Always this; checked against the parameter's type.
    Literal(serde_json::Value),
    /// `${config:NAME}`: what the user configures under this name.
    Config(String),
    /// What the slice that is read has under this name: it comes out of a record of the parent.
    Slice(String),
    /// There is a slice for each of these, which has it under the parameter's name.
    Each(ListedValues),
}

/// The values that a parameter has one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedValues {
    /// Always these.
    Literals(Vec<String>),
    /// `${config:NAME}`: what the user configures under this name, with commas between them.
    Config(String),
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
    /// Query parameter that takes the value.
    pub parameter: String,
    /// Value of the first cycle.
    pub initial: Option<String>,
    /// How far before the latest instant a cycle asks, in milliseconds.
    pub lookback_ms: Option<u64>,
}

/// What can be read once, step by step, besides what the cycles read. Where a step begins, the parameter of the offset says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackfillPlan {
    /// Query parameter that says where a step ends.
    pub until: String,
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

/// How one page leads to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaginationPlan {
    /// One response is all there is.
    None,
    /// The `Link` header's `next`.
    LinkHeader,
    /// A URL.
    NextUrl {
        /// Where it is in the response.
        pointer: FoundIn,
        /// JSON Pointer to the URL that the next cycle begins with.
        delta: Option<String>,
    },
    /// A token.
    Cursor {
        /// Where it is in the response.
        pointer: FoundIn,
        /// What takes it.
        parameter: TokenIn,
        /// What the first request has there.
        initial: Option<String>,
    },
    /// The key of the last record read.
    LastRecord {
        /// What takes it.
        parameter: TokenIn,
        /// JSON Pointer to a truth value: whether there is more.
        has_more: Option<String>,
    },
    /// Records to skip.
    Offset {
        /// What takes their number.
        parameter: TokenIn,
        /// How many records a full page has, if the connector sets it.
        limit: Option<u64>,
        /// What ends a cycle.
        until: Until,
    },
    /// Numbered pages.
    Page {
        /// What takes the number.
        parameter: TokenIn,
        /// Number of the first page.
        first: u64,
        /// How many records a full page has, if the connector sets it.
        size: Option<u64>,
        /// What ends a cycle.
        until: Until,
    },
}

impl PaginationPlan {
    /// What takes that which the next page is asked for by.
    pub fn parameter(&self) -> Option<&TokenIn> {
        match self {
            Self::None | Self::LinkHeader | Self::NextUrl { .. } => None,
            Self::Cursor { parameter, .. }
            | Self::LastRecord { parameter, .. }
            | Self::Offset { parameter, .. }
            | Self::Page { parameter, .. } => Some(parameter),
        }
    }
}

/// Where a response says something of its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundIn {
    /// In the body, at a JSON Pointer.
    Body(String),
    /// In the header of this name.
    Header(String),
}

impl FoundIn {
    /// What annotations begin the name of a header with.
    pub const HEADER: &str = "header:";

    /// As annotations write it.
    pub fn annotated(&self) -> String {
        match self {
            Self::Body(pointer) => pointer.clone(),
            Self::Header(name) => format!("{}{name}", Self::HEADER),
        }
    }
}

impl From<&str> for FoundIn {
    fn from(pointer: &str) -> Self {
        Self::Body(pointer.to_owned())
    }
}

impl fmt::Display for FoundIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(pointer) => f.write_str(pointer),
            Self::Header(name) => write!(f, "header {name}"),
        }
    }
}

/// What of a request takes that which the next page is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenIn {
    /// Where it goes.
    pub place: TokenPlace,
    /// The name of the parameter; in a body, a JSON Pointer.
    pub name: String,
}

/// Where a request says which page it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In the query.
    Query,
    /// In a header.
    Header,
    /// In the path.
    Path,
    /// In the JSON body.
    Body,
}

impl TokenPlace {
    /// As annotations write it.
    pub fn annotated(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Header => "header",
            Self::Path => "path",
            Self::Body => "body",
        }
    }

    /// Where a parameter goes that takes it; none does in a body.
    pub fn location(self) -> Option<ParameterLocation> {
        match self {
            Self::Query => Some(ParameterLocation::Query),
            Self::Header => Some(ParameterLocation::Header),
            Self::Path => Some(ParameterLocation::Path),
            Self::Body => None,
        }
    }
}

impl From<&str> for TokenIn {
    fn from(name: &str) -> Self {
        Self { place: TokenPlace::Query, name: name.to_owned() }
    }
}

impl fmt::Display for TokenIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            TokenPlace::Query => f.write_str(&self.name),
            place => write!(f, "{} {}", place.annotated(), self.name),
        }
    }
}

/// What ends a cycle of pages that are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// A page without records.
    EmptyPage,
    /// A page that is not full, of an API that promises that only the last is one.
    ShortPage,
    /// A truth value that says whether there is more.
    NoMore(FoundIn),
    /// All records that are declared.
    Records(FoundIn),
    /// All pages that are declared.
    Pages(FoundIn),
}

impl Until {
    /// The key of an annotation that says it, and where a response does; none for what holds without one.
    pub fn annotated(&self) -> Option<(&'static str, &FoundIn)> {
        match self {
            Self::EmptyPage | Self::ShortPage => None,
            Self::NoMore(found) => Some(("has_more", found)),
            Self::Records(found) => Some(("total", found)),
            Self::Pages(found) => Some(("total_pages", found)),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPage => Ok(()),
            Self::ShortPage => f.write_str(" until one is short"),
            Self::NoMore(found) => write!(f, " while {found}"),
            Self::Records(found) => write!(f, " of as many records as {found}"),
            Self::Pages(found) => write!(f, " of as many pages as {found}"),
        }
    }
}
