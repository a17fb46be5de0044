//! The types of records.

/// Index of a type in [`ConnectorPlan::types`](super::ConnectorPlan::types).
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

impl StructType {
    /// Whether the document says nothing of its fields, so that all that is sent is undeclared.
    pub fn is_undescribed(&self) -> bool {
        self.fields.is_empty() && self.additional.is_none()
    }
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
