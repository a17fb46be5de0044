//! One change, and whom it breaks.

use std::fmt;

/// What a schema registry asks of the next version of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Whoever reads by the new schema can read what was written by the old one.
    Backward,
    /// Whoever reads by the old schema can read what is written by the new one.
    Forward,
    /// Both.
    Full,
    /// Nothing.
    None,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backward => "BACKWARD",
            Self::Forward => "FORWARD",
            Self::Full => "FULL",
            Self::None => "NONE",
        })
    }
}

/// A format that records are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Apache Avro.
    Avro,
    /// Protocol Buffers.
    Protobuf,
    /// JSON with a JSON Schema.
    JsonSchema,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avro => "Avro",
            Self::Protobuf => "Protobuf",
            Self::JsonSchema => "JSON Schema",
        })
    }
}

/// In which directions two schemas can be read by one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// The new one reads what the old one wrote.
    pub(super) backward: bool,
    /// The old one reads what the new one writes.
    pub(super) forward: bool,
}

impl Ways {
    pub(super) const BOTH: Self = Self { backward: true, forward: true };
    pub(super) const NEITHER: Self = Self { backward: false, forward: false };

    pub(super) fn verdict(self, rule: Rule) -> Verdict {
        let is_compatible = match rule {
            Rule::Backward => self.backward,
            Rule::Forward => self.forward,
            Rule::Full => self.backward && self.forward,
            Rule::None => true,
        };
        if is_compatible { Verdict::Compatible } else { Verdict::Breaking }
    }
}

/// What a change touches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Impact {
    /// What the connector asks for, and whether it still works as it was.
    Request(bool),
    /// What the records look like.
    Schemas { avro: Ways, protobuf: Ways, json_schema: Ways },
}

/// What a change means for one of those whom it may concern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is about something else.
    Untouched,
    /// All goes on working.
    Compatible,
    /// Something stops working.
    Breaking,
}

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// There was no such stream.
    StreamAdded,
    /// The stream is gone.
    StreamRemoved,
    /// The operation has another id, which names the stream in positions.
    OperationId,
    /// The records go to another topic.
    Topic,
    /// The request has another method.
    Method,
    /// The request has another path.
    Path,
    /// What the request carries is of another media type.
    Body,
    /// The API is somewhere else.
    BaseUrl,
    /// The API asks for something else to let a request in.
    Auth,
    /// A parameter is new.
    ParameterAdded,
    /// A parameter is gone.
    ParameterRemoved,
    /// A parameter takes another type.
    ParameterType,
    /// A parameter must be there.
    ParameterRequired,
    /// A parameter need not be there.
    ParameterOptional,
    /// The connector sets a parameter to something else.
    ParameterValue,
    /// A property must be configured.
    PropertyAdded,
    /// A property is configured no more.
    PropertyRemoved,
    /// The pages follow one another in another way.
    Pagination,
    /// What is new is asked for in another way.
    Offset,
    /// The records are somewhere else in a response.
    Records,
    /// The pause between two cycles.
    Interval,
    /// The records have another key.
    Key,
    /// The records' time is another field.
    Timestamp,
    /// All records are written in every cycle, or what changes, with tombstones for what is gone.
    Output,
    /// Other personal data is dropped, masked or hashed, or the same in another way.
    Redaction,
    /// Another range is read once, or none.
    Backfill,
    /// A type of record has another name.
    RecordName,
    /// A field is new.
    FieldAdded,
    /// A field is gone.
    FieldRemoved,
    /// A field has another type.
    FieldType,
    /// A field is always there.
    FieldRequired,
    /// A field can be missing.
    FieldOptional,
    /// An enum lists another value.
    ValueAdded,
    /// An enum lists a value no more.
    ValueRemoved,
    /// The schemas as a whole cannot be read by one another.
    Schema,
}

impl ChangeKind {
    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::StreamAdded => "stream-added",
            Self::StreamRemoved => "stream-removed",
            Self::OperationId => "operation-id",
            Self::Topic => "topic",
            Self::Method => "method",
            Self::Path => "path",
            Self::Body => "body",
            Self::BaseUrl => "base-url",
            Self::Auth => "auth",
            Self::ParameterAdded => "parameter-added",
            Self::ParameterRemoved => "parameter-removed",
            Self::ParameterType => "parameter-type",
            Self::ParameterRequired => "parameter-required",
            Self::ParameterOptional => "parameter-optional",
            Self::ParameterValue => "parameter-value",
            Self::PropertyAdded => "property-added",
            Self::PropertyRemoved => "property-removed",
            Self::Pagination => "pagination",
            Self::Offset => "offset",
            Self::Records => "records",
            Self::Interval => "interval",
            Self::Key => "key",
            Self::Timestamp => "timestamp",
            Self::Output => "output",
            Self::Redaction => "redaction",
            Self::Backfill => "backfill",
            Self::RecordName => "record-name",
            Self::FieldAdded => "field-added",
            Self::FieldRemoved => "field-removed",
            Self::FieldType => "field-type",
            Self::FieldRequired => "field-required",
            Self::FieldOptional => "field-optional",
            Self::ValueAdded => "value-added",
            Self::ValueRemoved => "value-removed",
            Self::Schema => "schema",
        }
    }

    /// What it says, before the values themselves.
    fn words(self) -> &'static str {
        match self {
            Self::StreamAdded => "stream added",
            Self::StreamRemoved => "stream removed",
            Self::OperationId => "operation id",
            Self::Topic => "topic",
            Self::Method => "method",
            Self::Path => "path",
            Self::Body => "body",
            Self::BaseUrl => "base URL",
            Self::Auth => "credentials",
            Self::ParameterAdded => "parameter added",
            Self::ParameterRemoved => "parameter removed",
            Self::ParameterType => "type of parameter",
            Self::ParameterRequired => "parameter became required",
            Self::ParameterOptional => "parameter became optional",
            Self::ParameterValue => "value of parameter",
            Self::PropertyAdded => "property to configure added",
            Self::PropertyRemoved => "property to configure removed",
            Self::Pagination => "paging",
            Self::Offset => "offset",
            Self::Records => "place of the records",
            Self::Interval => "interval",
            Self::Key => "key",
            Self::Timestamp => "timestamp",
            Self::Output => "output",
            Self::Redaction => "redaction",
            Self::Backfill => "backfill",
            Self::RecordName => "name of the type",
            Self::FieldAdded => "field added",
            Self::FieldRemoved => "field removed",
            Self::FieldType => "type of field",
            Self::FieldRequired => "field became required",
            Self::FieldOptional => "field became optional",
            Self::ValueAdded => "enum value added",
            Self::ValueRemoved => "enum value removed",
            Self::Schema => "schema",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// What changed: the name of a parameter, or a field as a path from the record, `*` for what is in lists and maps.
    /// Empty if the kind says it all.
    pub subject: String,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// What it means for those who read Avro.
    pub avro: Verdict,
    /// What it means for those who read Protobuf.
    pub protobuf: Verdict,
    /// What it means for those who read JSON by its schema.
    pub json_schema: Verdict,
    /// What it means for a connector that goes on as before.
    pub request: Verdict,
}

impl Change {
    pub(super) fn new(
        kind: ChangeKind,
        subject: impl Into<String>,
        before: Option<String>,
        after: Option<String>,
        impact: Impact,
        rule: Rule,
    ) -> Self {
        use Verdict::{Breaking, Compatible, Untouched};
        let (avro, protobuf, json_schema, request) = match impact {
            Impact::Request(true) => (Untouched, Untouched, Untouched, Compatible),
            Impact::Request(false) => (Untouched, Untouched, Untouched, Breaking),
            Impact::Schemas { avro, protobuf, json_schema } => {
                (avro.verdict(rule), protobuf.verdict(rule), json_schema.verdict(rule), Untouched)
            }
        };
        Self { kind, subject: subject.into(), before, after, avro, protobuf, json_schema, request }
    }

    /// Whether it breaks the request, or readers of one of these formats.
    pub fn is_breaking(&self, formats: &[Format]) -> bool {
        let of_format = |format: &Format| match format {
            Format::Avro => self.avro,
            Format::Protobuf => self.protobuf,
            Format::JsonSchema => self.json_schema,
        };
        self.request == Verdict::Breaking || formats.iter().any(|format| of_format(format) == Verdict::Breaking)
    }

    /// The change in words; `code` marks what stands in the document.
    pub fn words(&self, code: impl Fn(&str) -> String) -> String {
        let mut words = self.kind.words().to_owned();
        if !self.subject.is_empty() {
            words = format!("{words} {}", code(&self.subject));
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{words}: {} → {}", code(before), code(after)),
            (Some(one), None) | (None, Some(one)) => format!("{words}: {}", code(one)),
            (None, None) => words,
        }
    }
}
