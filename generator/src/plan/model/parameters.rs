//! The parameters of operations.

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
    /// Into the body: a member of its object, or a field of its form.
    Body,
}

impl ParameterLocation {
    /// How a parameter in this place is written where the document does not say (OAS 3.0.3 section 4.7.12.2).
    pub fn style(self) -> ParameterStyle {
        let (kind, explode) = match self {
            Self::Path | Self::Header => (StyleKind::Simple, false),
            Self::Query | Self::Cookie | Self::Body => (StyleKind::Form, true),
        };
        ParameterStyle { kind, explode, allow_reserved: false }
    }

    /// Whether it is one of the places where a request says what it asks for.
    pub fn asks(self) -> bool {
        matches!(self, Self::Query | Self::Body)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
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
