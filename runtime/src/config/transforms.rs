//! Transforms and their predicates, by Kafka Connect's names and properties (Kafka Connect User Guide, "Transformations").

use regex::Regex;

use super::kind::{BOOLEAN, Kind, NOT_EMPTY, SEPARATOR, TEXT};
use super::property::{AnyProperty, Property, properties};
use super::reader::Reader;
use crate::flow::Tolerance;
use crate::transform::{
    Cast, CastType, Condition, DateFormat, DropHeaders, ExtractField, Filter, Flatten, HeaderFrom, HoistField,
    InsertField, InsertHeader, MaskField, Path, Predicate, RegexRouter, ReplaceField, Side, Step, TimestampConverter,
    TimestampRouter, TimestampType, Transform, Transforms, UnixPrecision, ValueToKey, whole,
};

/// A transform's class, by the name that Connect gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Cast(Side),
    DropHeaders,
    ExtractField(Side),
    Filter,
    Flatten(Side),
    HeaderFrom(Side),
    HoistField(Side),
    InsertField(Side),
    InsertHeader,
    MaskField(Side),
    RegexRouter,
    ReplaceField(Side),
    SetSchemaMetadata(Side),
    TimestampConverter(Side),
    TimestampRouter,
    ValueToKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PredicateClass {
    HasHeaderKey,
    RecordIsTombstone,
    TopicNameMatches,
}

const CLASSES: Kind<Class> = Kind::OneOf(&[
    ("org.apache.kafka.connect.transforms.Cast$Key", Class::Cast(Side::Key)),
    ("org.apache.kafka.connect.transforms.Cast$Value", Class::Cast(Side::Value)),
    ("org.apache.kafka.connect.transforms.DropHeaders", Class::DropHeaders),
    ("org.apache.kafka.connect.transforms.ExtractField$Key", Class::ExtractField(Side::Key)),
    ("org.apache.kafka.connect.transforms.ExtractField$Value", Class::ExtractField(Side::Value)),
    ("org.apache.kafka.connect.transforms.Filter", Class::Filter),
    ("org.apache.kafka.connect.transforms.Flatten$Key", Class::Flatten(Side::Key)),
    ("org.apache.kafka.connect.transforms.Flatten$Value", Class::Flatten(Side::Value)),
    ("org.apache.kafka.connect.transforms.HeaderFrom$Key", Class::HeaderFrom(Side::Key)),
    ("org.apache.kafka.connect.transforms.HeaderFrom$Value", Class::HeaderFrom(Side::Value)),
    ("org.apache.kafka.connect.transforms.HoistField$Key", Class::HoistField(Side::Key)),
    ("org.apache.kafka.connect.transforms.HoistField$Value", Class::HoistField(Side::Value)),
    ("org.apache.kafka.connect.transforms.InsertField$Key", Class::InsertField(Side::Key)),
    ("org.apache.kafka.connect.transforms.InsertField$Value", Class::InsertField(Side::Value)),
    ("org.apache.kafka.connect.transforms.InsertHeader", Class::InsertHeader),
    ("org.apache.kafka.connect.transforms.MaskField$Key", Class::MaskField(Side::Key)),
    ("org.apache.kafka.connect.transforms.MaskField$Value", Class::MaskField(Side::Value)),
    ("org.apache.kafka.connect.transforms.RegexRouter", Class::RegexRouter),
    ("org.apache.kafka.connect.transforms.ReplaceField$Key", Class::ReplaceField(Side::Key)),
    ("org.apache.kafka.connect.transforms.ReplaceField$Value", Class::ReplaceField(Side::Value)),
    ("org.apache.kafka.connect.transforms.SetSchemaMetadata$Key", Class::SetSchemaMetadata(Side::Key)),
    ("org.apache.kafka.connect.transforms.SetSchemaMetadata$Value", Class::SetSchemaMetadata(Side::Value)),
    ("org.apache.kafka.connect.transforms.TimestampConverter$Key", Class::TimestampConverter(Side::Key)),
    ("org.apache.kafka.connect.transforms.TimestampConverter$Value", Class::TimestampConverter(Side::Value)),
    ("org.apache.kafka.connect.transforms.TimestampRouter", Class::TimestampRouter),
    ("org.apache.kafka.connect.transforms.ValueToKey", Class::ValueToKey),
]);

const PREDICATE_CLASSES: Kind<PredicateClass> = Kind::OneOf(&[
    ("org.apache.kafka.connect.transforms.predicates.HasHeaderKey", PredicateClass::HasHeaderKey),
    ("org.apache.kafka.connect.transforms.predicates.RecordIsTombstone", PredicateClass::RecordIsTombstone),
    ("org.apache.kafka.connect.transforms.predicates.TopicNameMatches", PredicateClass::TopicNameMatches),
]);

pub(super) const LIST: Kind<Vec<String>> = Kind::Text {
    type_name: "list",
    expected: "a list of names with commas between them, each once",
    parse: |text| {
        let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let is_once = names.iter().enumerate().all(|(index, name)| !name.is_empty() && !names[..index].contains(name));
        is_once.then_some(names)
    },
};

const PAIRS: Kind<Vec<(String, String)>> = Kind::Text {
    type_name: "list",
    expected: "a list of `old:new` with commas between them",
    parse: |text| {
        let pair = |pair: &str| {
            let (old, new) = pair.split_once(':')?;
            Some((old.trim().to_owned(), new.trim().to_owned()))
        };
        text.split(',').map(pair).collect()
    },
};

/// Casts of fields, or of everything.
#[derive(Clone, Debug)]
enum Casts {
    Whole(CastType),
    Fields(Vec<(String, CastType)>),
}

const CASTS: Kind<Casts> = Kind::Text {
    type_name: "list",
    expected: "a list of `field:type` with commas between them, or one type: int8, int16, int32, int64, float32, float64, \
               boolean or string",
    parse: |text| {
        if let Some(whole) = CastType::parse(text) {
            return Some(Casts::Whole(whole));
        }
        let field = |pair: &str| {
            let (name, of) = pair.split_once(':')?;
            Some((name.trim().to_owned(), CastType::parse(of)?))
        };
        text.split(',').map(field).collect::<Option<_>>().map(Casts::Fields)
    },
};

const DATE_FORMAT: Kind<DateFormat> = Kind::Text {
    type_name: "string",
    expected: "a pattern of Java's `SimpleDateFormat` without weeks and eras, such as `yyyy-MM-dd'T'HH:mm:ss`",
    parse: DateFormat::parse_pattern,
};

const REGEX: Kind<Regex> = Kind::Text {
    type_name: "string",
    expected: "a regular expression without look-around and back references",
    parse: whole,
};

const FIELD_OF_RECORD: Kind<String> = Kind::Text {
    type_name: "string",
    expected: NOT_EMPTY,
    // Whether a field is required is said of Connect's own schemas.
    parse: |text| Some(text.trim().trim_end_matches(['!', '?']).to_owned()).filter(|text| !text.is_empty()),
};

properties! {
    in PROPERTIES;

    TRANSFORMS: Vec<String> = Property::new(
        "transforms",
        LIST,
        "Names of transforms, in the order in which records pass them. Schemas are learnt from what comes out, also those \
         of a generated connector.",
    );
    PREDICATES: Vec<String> = Property::new("predicates", LIST, "Names of predicates, for transforms.").low();
    TOLERANCE: Tolerance = Property::new(
        "errors.tolerance",
        Kind::OneOf(&[("none", Tolerance::None), ("all", Tolerance::All)]),
        "What follows if a transform cannot act on a record. none: the connector stops. all: the record goes to the dead \
         letters as it was sent, with the reason.",
    ).default("none").low();

    TYPE: Class = Property::new("type", CLASSES, "What the transform does.").of("transforms.NAME.").required();
    PREDICATE: String = Property::new(
        "predicate",
        TEXT,
        "The name of the predicate that says which records the transform acts on; otherwise on all.",
    ).of("transforms.NAME.").low();
    NEGATE: bool = Property::new("negate", BOOLEAN, "Whether it acts on those for which the predicate is false.")
        .of("transforms.NAME.").default("false").low();
    FIELD: String = Property::new(
        "field",
        TEXT,
        "ExtractField: the field that takes the place of everything. HoistField: the field that everything becomes. \
         TimestampConverter: the field that holds a time; not set: everything is one.",
    ).of("transforms.NAME.");
    FIELD_SYNTAX: bool = Property::new(
        "field.syntax.version",
        Kind::OneOf(&[("V1", false), ("V2", true)]),
        "ExtractField, TimestampConverter: whether dots in `field` lead into objects (V2).",
    ).of("transforms.NAME.").default("V1").low();
    FIELDS: Vec<String> = Property::new(
        "fields",
        LIST,
        "ValueToKey: the fields that make up the key. MaskField: the fields to mask. HeaderFrom: the fields that become \
         headers.",
    ).of("transforms.NAME.");
    HEADERS: Vec<String> = Property::new(
        "headers",
        LIST,
        "HeaderFrom: the names of the headers, in the order of `fields`. DropHeaders: the headers to drop.",
    ).of("transforms.NAME.");
    OPERATION: bool = Property::new(
        "operation",
        Kind::OneOf(&[("move", true), ("copy", false)]),
        "HeaderFrom: whether the fields are left out of the record then.",
    ).of("transforms.NAME.");
    HEADER: String = Property::new("header", TEXT, "InsertHeader: the name of the header.").of("transforms.NAME.");
    LITERAL: String = Property::new("value.literal", SEPARATOR, "InsertHeader: its value.").of("transforms.NAME.");
    TOPIC_FIELD: String = Property::new("topic.field", FIELD_OF_RECORD, "InsertField: the field for the topic.")
        .of("transforms.NAME.");
    PARTITION_FIELD: String = Property::new(
        "partition.field",
        FIELD_OF_RECORD,
        "InsertField: accepted, has no effect: a record of a source has no partition yet.",
    ).of("transforms.NAME.").low();
    OFFSET_FIELD: () = Property::new(
        "offset.field",
        Kind::OneOf(&[]),
        "InsertField: refused, because a record of a source has no offset yet.",
    ).of("transforms.NAME.").low();
    TIMESTAMP_FIELD: String = Property::new(
        "timestamp.field",
        FIELD_OF_RECORD,
        "InsertField: the field for the record's time in milliseconds. A record without one has that of its writing.",
    ).of("transforms.NAME.");
    STATIC_FIELD: String = Property::new("static.field", FIELD_OF_RECORD, "InsertField: the field for a constant.")
        .of("transforms.NAME.");
    STATIC_VALUE: String = Property::new("static.value", SEPARATOR, "InsertField: the constant.").of("transforms.NAME.");
    INCLUDE: Vec<String> = Property::new("include", LIST, "ReplaceField: the fields that stay; not set: all.")
        .of("transforms.NAME.");
    EXCLUDE: Vec<String> = Property::new("exclude", LIST, "ReplaceField: the fields that are left out.")
        .of("transforms.NAME.");
    RENAMES: Vec<(String, String)> = Property::new("renames", PAIRS, "ReplaceField: fields that get other names.")
        .of("transforms.NAME.");
    REPLACEMENT: String = Property::new(
        "replacement",
        SEPARATOR,
        "MaskField: what values become; not set: the empty value of their type. RegexRouter: what the match becomes, with \
         `$1` for a group.",
    ).of("transforms.NAME.");
    REGEX_PROPERTY: Regex = Property::new("regex", REGEX, "RegexRouter: what a topic must match as a whole.")
        .of("transforms.NAME.");
    DELIMITER: String = Property::new("delimiter", SEPARATOR, "Flatten: what stands between the names.")
        .of("transforms.NAME.").default(".");
    SPEC: Casts = Property::new("spec", CASTS, "Cast: the fields and their types, or the type of everything.")
        .of("transforms.NAME.");
    TARGET_TYPE: TimestampType = Property::new(
        "target.type",
        Kind::OneOf(&[
            ("string", TimestampType::String),
            ("unix", TimestampType::Unix),
            ("Date", TimestampType::Date),
            ("Time", TimestampType::Time),
            ("Timestamp", TimestampType::Timestamp),
        ]),
        "TimestampConverter: what times become. Date, Time, Timestamp are written in milliseconds.",
    ).of("transforms.NAME.");
    FORMAT: DateFormat = Property::new("format", DATE_FORMAT, "TimestampConverter: how times are written as text, in UTC.")
        .of("transforms.NAME.");
    PRECISION: UnixPrecision = Property::new(
        "unix.precision",
        Kind::OneOf(&[
            ("seconds", UnixPrecision::Seconds),
            ("milliseconds", UnixPrecision::Milliseconds),
            ("microseconds", UnixPrecision::Microseconds),
            ("nanoseconds", UnixPrecision::Nanoseconds),
        ]),
        "TimestampConverter: what numbers count, since 1970.",
    ).of("transforms.NAME.").default("milliseconds").low();
    TOPIC_FORMAT: String = Property::new(
        "topic.format",
        TEXT,
        "TimestampRouter: the topic, with `${topic}` and `${timestamp}`.",
    ).of("transforms.NAME.").default("${topic}-${timestamp}");
    TIMESTAMP_FORMAT: DateFormat = Property::new(
        "timestamp.format",
        DATE_FORMAT,
        "TimestampRouter: how `${timestamp}` is written, in UTC.",
    ).of("transforms.NAME.").default("yyyyMMdd");
    SCHEMA_NAME: String = Property::new(
        "schema.name",
        TEXT,
        "SetSchemaMetadata: the full name of the record in a new Avro or Protobuf schema; it has no effect on others.",
    ).of("transforms.NAME.");
    SCHEMA_VERSION: String = Property::new(
        "schema.version",
        TEXT,
        "SetSchemaMetadata: accepted, has no effect: the registry counts versions.",
    ).of("transforms.NAME.").low();
    REPLACE_NULL: bool = Property::new(
        "replace.null.with.default",
        BOOLEAN,
        "Accepted, has no effect: values have no defaults.",
    ).of("transforms.NAME.").default("true").low();

    PREDICATE_TYPE: PredicateClass = Property::new("type", PREDICATE_CLASSES, "What the predicate asks.")
        .of("predicates.NAME.").required();
    PATTERN: Regex = Property::new("pattern", REGEX, "TopicNameMatches: what the topic must match as a whole.")
        .of("predicates.NAME.");
    HEADER_NAME: String = Property::new("name", TEXT, "HasHeaderKey: the name of the header.").of("predicates.NAME.");
}

/// What all transforms take.
static COMMON: [&dyn AnyProperty; 4] = [&TYPE, &PREDICATE, &NEGATE, &REPLACE_NULL];

/// How records are changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Transformation {
    pub(super) transforms: Transforms,
    pub(super) tolerance: Tolerance,
    /// The full name of the records' schema.
    pub(super) record_name: Option<String>,
}

/// Reads the transforms, in their order.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Transformation> {
    let tolerance = reader.get(&TOLERANCE);
    let names = reader.get(&TRANSFORMS).unwrap_or_default();
    let predicate_names = reader.get(&PREDICATES).unwrap_or_default();
    reader.check_members("predicates.", &predicate_names, PREDICATES.name());
    reader.check_members("transforms.", &names, TRANSFORMS.name());
    let predicates: Vec<_> = predicate_names.iter().map(|name| (name, read_predicate(reader, name))).collect();
    let mut record_name = None;
    let mut steps = Vec::new();
    let mut is_whole = true;
    for name in &names {
        let member = Member { prefix: format!("transforms.{name}.") };
        let class = member.require(reader, &TYPE, "every transform needs its type");
        let condition = read_condition(reader, &member, &predicates);
        match (class, condition) {
            (Some(class), Some(condition)) => {
                match member.transform(reader, class, condition.is_some(), &mut record_name) {
                    Some(Some(transform)) => steps.push(Step { name: name.clone(), condition, transform }),
                    Some(None) => {}
                    None => is_whole = false,
                }
            }
            _ => is_whole = false,
        }
    }
    is_whole &= predicates.iter().all(|(_, predicate)| predicate.is_some());
    Some(Transformation { transforms: Transforms::new(steps), tolerance: tolerance?, record_name }).filter(|_| is_whole)
}

fn read_predicate(reader: &mut Reader<'_>, name: &str) -> Option<Predicate> {
    let member = Member { prefix: format!("predicates.{name}.") };
    let class = member.require(reader, &PREDICATE_TYPE, "every predicate needs its type")?;
    let own: &[&dyn AnyProperty] = match class {
        PredicateClass::HasHeaderKey => &[&HEADER_NAME],
        PredicateClass::RecordIsTombstone => &[],
        PredicateClass::TopicNameMatches => &[&PATTERN],
    };
    member.check(reader, &[&[&PREDICATE_TYPE as &dyn AnyProperty], own].concat());
    Some(match class {
        PredicateClass::HasHeaderKey => Predicate::HasHeaderKey(member.need(reader, &HEADER_NAME)?),
        PredicateClass::RecordIsTombstone => Predicate::RecordIsTombstone,
        PredicateClass::TopicNameMatches => Predicate::TopicNameMatches(member.need(reader, &PATTERN)?),
    })
}

/// The condition of a transform, if it has one; `None` if it is wrong.
fn read_condition(
    reader: &mut Reader<'_>,
    member: &Member,
    predicates: &[(&String, Option<Predicate>)],
) -> Option<Option<Condition>> {
    let negate = member.get(reader, &NEGATE)?;
    let Some(wanted) = member.get(reader, &PREDICATE) else { return Some(None) };
    match predicates.iter().find(|(name, _)| **name == wanted) {
        Some((_, predicate)) => Some(Some(Condition { predicate: predicate.clone()?, negate })),
        None => {
            let names = predicates.iter().map(|(name, _)| name.as_str());
            let hint = super::suggest::nearest(&wanted, names).map(|name| format!("did you mean `{name}`?"));
            reader.invalid(&member.name(&PREDICATE), "one of the names in `predicates`", hint);
            None
        }
    }
}

/// One transform or predicate, whose properties begin with its name.
struct Member {
    prefix: String,
}

impl Member {
    fn name<T>(&self, property: &Property<T>) -> String {
        format!("{}{}", self.prefix, property.name())
    }

    fn get<T: Clone + Sync>(&self, reader: &mut Reader<'_>, property: &Property<T>) -> Option<T> {
        reader.get_named(property, &self.name(property))
    }

    fn require<T: Clone + Sync>(&self, reader: &mut Reader<'_>, property: &Property<T>, reason: &str) -> Option<T> {
        reader.require_named(property, &self.name(property), reason)
    }

    /// A property that the type makes necessary.
    fn need<T: Clone + Sync>(&self, reader: &mut Reader<'_>, property: &Property<T>) -> Option<T> {
        self.require(reader, property, "its type needs it")
    }

    /// Tells of properties that do not belong here.
    fn check(&self, reader: &mut Reader<'_>, known: &[&dyn AnyProperty]) {
        let known: Vec<_> = known.iter().map(|property| property.definition().name).collect();
        reader.check_names(&self.prefix, &known);
    }

    /// A transform, if the class is one that acts on records.
    fn transform(
        &self,
        reader: &mut Reader<'_>,
        class: Class,
        is_conditional: bool,
        record_name: &mut Option<String>,
    ) -> Option<Option<Box<dyn Transform>>> {
        let own: &[&dyn AnyProperty] = match class {
            Class::Cast(_) => &[&SPEC],
            Class::DropHeaders => &[&HEADERS],
            Class::ExtractField(_) => &[&FIELD, &FIELD_SYNTAX],
            Class::Filter => &[],
            Class::Flatten(_) => &[&DELIMITER],
            Class::HeaderFrom(_) => &[&FIELDS, &HEADERS, &OPERATION],
            Class::HoistField(_) => &[&FIELD],
            Class::InsertField(_) => {
                &[&TOPIC_FIELD, &PARTITION_FIELD, &OFFSET_FIELD, &TIMESTAMP_FIELD, &STATIC_FIELD, &STATIC_VALUE]
            }
            Class::InsertHeader => &[&HEADER, &LITERAL],
            Class::MaskField(_) => &[&FIELDS, &REPLACEMENT],
            Class::RegexRouter => &[&REGEX_PROPERTY, &REPLACEMENT],
            Class::ReplaceField(_) => &[&INCLUDE, &EXCLUDE, &RENAMES],
            Class::SetSchemaMetadata(_) => &[&SCHEMA_NAME, &SCHEMA_VERSION],
            Class::TimestampConverter(_) => &[&FIELD, &FIELD_SYNTAX, &TARGET_TYPE, &FORMAT, &PRECISION],
            Class::TimestampRouter => &[&TOPIC_FORMAT, &TIMESTAMP_FORMAT],
            Class::ValueToKey => &[&FIELDS],
        };
        self.check(reader, &[COMMON.as_slice(), own].concat());
        Some(Some(match class {
            Class::Cast(side) => Box::new(match self.need(reader, &SPEC)? {
                Casts::Whole(to) => Cast::Whole(side, to),
                Casts::Fields(fields) => Cast::Fields(side, fields),
            }),
            Class::DropHeaders => Box::new(DropHeaders { names: self.need(reader, &HEADERS)? }),
            Class::ExtractField(side) => {
                let field = self.need(reader, &FIELD);
                Box::new(ExtractField { side, field: self.path(reader, &field?)? })
            }
            Class::Filter => Box::new(Filter),
            Class::Flatten(side) => Box::new(Flatten { side, delimiter: self.get(reader, &DELIMITER)? }),
            Class::HeaderFrom(side) => {
                let (fields, headers) = (self.need(reader, &FIELDS), self.need(reader, &HEADERS));
                let moves = self.need(reader, &OPERATION);
                let (fields, headers) = (fields?, headers?);
                if fields.len() != headers.len() {
                    let expected = format!("a list of as many names as `{}`", self.name(&FIELDS));
                    reader.invalid(&self.name(&HEADERS), expected, None);
                    return None;
                }
                Box::new(HeaderFrom { side, fields: fields.into_iter().zip(headers).collect(), moves: moves? })
            }
            Class::HoistField(side) => Box::new(HoistField { side, field: self.need(reader, &FIELD)? }),
            Class::InsertField(side) => self.insert_field(reader, side)?,
            Class::InsertHeader => {
                let (name, value) = (self.need(reader, &HEADER), self.need(reader, &LITERAL));
                Box::new(InsertHeader { name: name?, value: value? })
            }
            Class::MaskField(side) => {
                let (fields, replacement) = (self.need(reader, &FIELDS), self.get(reader, &REPLACEMENT));
                Box::new(MaskField { side, fields: fields?, replacement })
            }
            Class::RegexRouter => {
                let (regex, replacement) = (self.need(reader, &REGEX_PROPERTY), self.need(reader, &REPLACEMENT));
                regex?;
                let (regex, replacement) = (reader.text(&self.name(&REGEX_PROPERTY))?, replacement?);
                match RegexRouter::new(&regex, &replacement)? {
                    Some(router) => Box::new(router),
                    None => {
                        let expected = "a replacement whose `$` are followed by a group of `regex`";
                        reader.invalid(&self.name(&REPLACEMENT), expected, None);
                        return None;
                    }
                }
            }
            Class::ReplaceField(side) => {
                let (include, exclude) = (self.get(reader, &INCLUDE), self.get(reader, &EXCLUDE));
                let renames = self.get(reader, &RENAMES).unwrap_or_default();
                let (include, exclude) = (include.unwrap_or_default(), exclude.unwrap_or_default());
                Box::new(ReplaceField { side, exclude, include, renames })
            }
            Class::SetSchemaMetadata(side) => {
                let name = self.get(reader, &SCHEMA_NAME);
                self.get(reader, &SCHEMA_VERSION);
                if side == Side::Value {
                    if is_conditional {
                        let reason = "is of a transform that acts on the schema, which is the same for all records";
                        reader.conflict(&self.name(&PREDICATE), reason, None);
                        return None;
                    }
                    *record_name = name.or_else(|| record_name.take());
                }
                return Some(None);
            }
            Class::TimestampConverter(side) => {
                let (target, format) = (self.need(reader, &TARGET_TYPE), self.get(reader, &FORMAT));
                let precision = self.get(reader, &PRECISION);
                let field = match self.get(reader, &FIELD) {
                    Some(field) => Some(self.path(reader, &field)?),
                    None => None,
                };
                let target = target?;
                if target == TimestampType::String && format.is_none() {
                    self.require(reader, &FORMAT, "it is needed because `target.type` is `string`");
                    return None;
                }
                Box::new(TimestampConverter { side, field, target, format, precision: precision? })
            }
            Class::TimestampRouter => {
                let (topic, timestamp) = (self.get(reader, &TOPIC_FORMAT), self.get(reader, &TIMESTAMP_FORMAT));
                Box::new(TimestampRouter { topic: topic?, timestamp: timestamp? })
            }
            Class::ValueToKey => Box::new(ValueToKey { fields: self.need(reader, &FIELDS)? }),
        }))
    }

    fn path(&self, reader: &mut Reader<'_>, field: &str) -> Option<Path> {
        if !self.get(reader, &FIELD_SYNTAX)? {
            return Some(Path::name(field));
        }
        let path = Path::nested(field);
        if path.is_none() {
            reader.invalid(&self.name(&FIELD), "names with dots between them; a backtick needs another", None);
        }
        path
    }

    fn insert_field(&self, reader: &mut Reader<'_>, side: Side) -> Option<Box<dyn Transform>> {
        let (topic, timestamp) = (self.get(reader, &TOPIC_FIELD), self.get(reader, &TIMESTAMP_FIELD));
        let (partition, offset) = (self.name(&PARTITION_FIELD), self.name(&OFFSET_FIELD));
        if reader.text(&partition).is_some() {
            tracing::info!(property = partition, "the property has no effect");
        }
        if reader.text(&offset).is_some() {
            reader.conflict(&offset, "cannot be honoured: a record of a source has no offset yet", None);
            return None;
        }
        let constant = match self.get(reader, &STATIC_FIELD) {
            Some(field) => {
                let reason = format!("it is needed because `{}` is set", self.name(&STATIC_FIELD));
                Some((field, self.require(reader, &STATIC_VALUE, &reason)?))
            }
            None => None,
        };
        Some(Box::new(InsertField { side, topic, timestamp, constant }))
    }
}
