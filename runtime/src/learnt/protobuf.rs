//! A learnt schema as a Protobuf file (proto3), and records in Protobuf's binary encoding, straight from their JSON.
//!
//! A member has a field for each type that was seen in it, so that widening only ever adds fields, which is compatible with
//! every earlier version. The first has the member's name; a further one has its type's name behind it, in its `json_name`
//! after a `|`. A list whose items are of one type is `repeated`; for others a message for each item holds one of its fields,
//! or none for `null`. All messages stand in the record's, which is the first of its file. An empty list is no list, as
//! everywhere in Protobuf.

use std::borrow::Cow;
use std::fmt::Write as _;

use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{FileDescriptor, Kind as DescribedKind, MessageDescriptor};

use super::names::{Scope, legal, type_name};
use super::number::double;
use super::shape::{Shape, Type, is_integer};
use super::unmapped::{Step, Unmapped};
use super::{MAX_FIELDS, Widening, proto};
use crate::format::{UNMAPPED, UNMAPPED_NUMBER, proto_file};
use crate::record::Tree;

/// Field numbers that Protobuf keeps for itself (Language Guide, "Assigning Field Numbers").
const RESERVED: std::ops::RangeInclusive<u32> = 19_000..=19_999;

/// The schema of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    package: String,
    record: Message,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Message {
    name: String,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    /// The member's name in the API; empty in a message that holds an item.
    json: String,
    name: String,
    number: u32,
    /// Whether it stands beside another field of the same member.
    is_further: bool,
    is_list: bool,
    kind: Kind,
}

/// What a value, or each item of a list, is.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Boolean,
    Integer,
    Number,
    Text,
    Object(Message),
    /// Only of items: any of the fields of a message.
    Any(Message),
}

impl Kind {
    /// What stands for it in names of further fields.
    fn word(&self, is_list: bool) -> &'static str {
        match (self, is_list) {
            (Self::Boolean, false) => "boolean",
            (Self::Integer, false) => "integer",
            (Self::Number, false) => "number",
            (Self::Text, false) => "string",
            (Self::Object(_), false) => "object",
            (Self::Any(_), false) => "any",
            (Self::Boolean, true) => "booleans",
            (Self::Integer, true) => "integers",
            (Self::Number, true) => "numbers",
            (Self::Text, true) => "strings",
            (Self::Object(_), true) => "objects",
            (Self::Any(_), true) => "items",
        }
    }

    fn message(&self) -> Option<&Message> {
        match self {
            Self::Object(message) | Self::Any(message) => Some(message),
            Self::Boolean | Self::Integer | Self::Number | Self::Text => None,
        }
    }

    fn type_name(&self) -> &str {
        match self {
            Self::Boolean => "bool",
            Self::Integer => "int64",
            Self::Number => "double",
            Self::Text => "string",
            Self::Object(message) | Self::Any(message) => &message.name,
        }
    }

    fn of_type(of: Type) -> Option<Self> {
        match of {
            Type::Boolean => Some(Self::Boolean),
            Type::Integer => Some(Self::Integer),
            Type::Number => Some(Self::Number),
            Type::String => Some(Self::Text),
            Type::Null | Type::Array | Type::Object => None,
        }
    }

    fn takes(&self, value: &Tree<'_>) -> bool {
        match (self, value) {
            (Self::Boolean, Tree::Boolean(_)) | (Self::Number, Tree::Number(_)) | (Self::Text, Tree::String(_)) => true,
            (Self::Integer, Tree::Number(text)) => is_integer(text),
            (Self::Object(message), Tree::Object(members)) => message.takes(members),
            (Self::Any(message), value) => value.is_null() || message.takes_member("", value),
            _ => false,
        }
    }

    /// Whether a value can be written as this, what an object holds aside.
    fn holds(&self, value: &Tree<'_>) -> bool {
        match (self, value) {
            (Self::Integer, Tree::Number(text)) => text.parse::<i64>().is_ok(),
            (Self::Object(_), Tree::Object(_)) | (Self::Any(_), _) => true,
            (Self::Object(_), _) => false,
            _ => self.takes(value),
        }
    }
}

impl Schema {
    pub(super) fn new(package: &str, name: String) -> Self {
        let package = package.split('.').map(field_name).collect::<Vec<_>>().join(".");
        Self { package, record: Message { name, fields: Vec::new() } }
    }

    pub(super) fn takes(&self, record: &Tree<'_>) -> bool {
        match record {
            Tree::Object(members) => self.record.takes(members),
            _ => true,
        }
    }

    pub(super) fn widen(&mut self, shape: &Shape, widening: &mut Widening) {
        let mut types = Scope::default();
        self.record.names(&mut types);
        // Messages stand beside these in one scope; they begin with capitals, and so do few fields.
        self.record.fields.iter().for_each(|field| types.take_exactly(&field.name));
        if shape.has(Type::Object) {
            self.record.widen(shape, &mut types, widening);
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text =
            format!("syntax = \"proto3\";\n\npackage {};\n\nmessage {} {{\n", self.package, self.record.name);
        self.record.write_fields(&mut text, "  ");
        text.push_str("  // What the API sent and has no place above: JSON, by JSON Pointer from the record.\n");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  map<string, string> {UNMAPPED} = {UNMAPPED_NUMBER};");
        let mut inside = Vec::new();
        self.record.inside(&mut inside);
        for message in inside {
            let _ = writeln!(text, "\n  message {} {{", message.name);
            message.write_fields(&mut text, "    ");
            text.push_str("  }\n");
        }
        text.push_str("}\n");
        text
    }

    /// Reads a schema that [`Schema::text`] wrote, whatever a registry has done to blanks and comments; `None` for any other.
    pub(super) fn restore(text: &str) -> Option<Self> {
        let written = proto_file::compile(text)?;
        let record = Message::restore(&written.messages().next()?)?;
        let schema = Self { package: written.package_name().to_owned(), record };
        // What it cannot express would be lost.
        let again = proto_file::compile(&schema.text())?;
        (without_places(&again) == without_places(&written)).then_some(schema)
    }

    /// Appends a record.
    pub(super) fn encode(&self, record: &Tree<'_>, out: &mut Vec<u8>) {
        let mut encoder = Encoder { out, unmapped: Unmapped::default() };
        match record {
            Tree::Object(members) => encoder.members(&self.record, members),
            _ => encoder.unmapped.note(record),
        }
        encoder.end();
    }
}

impl Message {
    /// A message of a member, or of its items.
    fn named_after(member: &str, what: &str, types: &mut Scope) -> Self {
        let wanted = match (member, what) {
            ("", what) => type_name(what),
            (member, "item") => format!("{}Item", type_name(member)),
            (member, _) => type_name(member),
        };
        Self { name: types.unique(&wanted), fields: Vec::new() }
    }

    /// Notes the names of all messages.
    fn names(&self, types: &mut Scope) {
        types.take(&self.name);
        self.fields.iter().filter_map(|field| field.kind.message()).for_each(|message| message.names(types));
    }

    /// The messages that its fields are of, and those inside them.
    fn inside<'a>(&'a self, found: &mut Vec<&'a Message>) {
        for message in self.fields.iter().filter_map(|field| field.kind.message()) {
            found.push(message);
            message.inside(found);
        }
    }

    fn of_member(&self, name: &str) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.json == name)
    }

    fn takes(&self, members: &[(Cow<'_, str>, Tree<'_>)]) -> bool {
        members.iter().all(|(name, value)| value.is_null() || has_no_field(name) || self.takes_member(name, value))
    }

    fn takes_member(&self, name: &str, value: &Tree<'_>) -> bool {
        let taken = match value {
            Tree::List(items) if items.is_empty() => true,
            Tree::List(items) => {
                self.of_member(name).any(|field| field.is_list && items.iter().all(|item| field.kind.takes(item)))
            }
            _ => self.of_member(name).any(|field| !field.is_list && field.kind.takes(value)),
        };
        taken || self.is_full() && self.of_member(name).next().is_none()
    }

    fn is_full(&self) -> bool {
        self.fields.len() >= MAX_FIELDS
    }

    /// Widens the fields of all members.
    fn widen(&mut self, shape: &Shape, types: &mut Scope, widening: &mut Widening) {
        for (name, shape) in shape.members.iter().filter(|(name, _)| !has_no_field(name)) {
            widening.within(name, |widening| self.widen_member(name, shape, types, widening));
        }
    }

    /// Widens the fields of a member, whose name is empty in a message that holds an item.
    fn widen_member(&mut self, name: &str, shape: &Shape, types: &mut Scope, widening: &mut Widening) {
        if self.of_member(name).next().is_none() && self.is_full() {
            return;
        }
        for of in &shape.types {
            match of {
                Type::Null => {}
                Type::Array => self.widen_list(name, shape, types, widening),
                Type::Object => {
                    let new = || Kind::Object(Message::named_after(name, "object", types));
                    let at = self.place(name, false, |kind| matches!(kind, Kind::Object(_)), widening, new);
                    if let Kind::Object(message) = &mut self.fields[at].kind {
                        message.widen(shape, types, widening);
                    }
                }
                of => {
                    if let Some(kind) = Kind::of_type(*of) {
                        self.place(name, false, |known| is_wide_enough(known, &kind), widening, || kind.clone());
                    }
                }
            }
        }
    }

    fn widen_list(&mut self, name: &str, shape: &Shape, types: &mut Scope, widening: &mut Widening) {
        let Some(items) = &shape.items else { return };
        let is_any = |kind: &Kind| matches!(kind, Kind::Any(_));
        let has_any = self.of_member(name).any(|field| field.is_list && is_any(&field.kind));
        let only = items.types.iter().next().filter(|_| items.types.len() == 1 && !has_any);
        match only {
            Some(Type::Object) => {
                let new = || Kind::Object(Message::named_after(name, "object", types));
                let at = self.place(name, true, |kind| matches!(kind, Kind::Object(_)), widening, new);
                if let Kind::Object(message) = &mut self.fields[at].kind {
                    widening.within("*", |widening| message.widen(items, types, widening));
                }
            }
            Some(of) if Kind::of_type(*of).is_some() => {
                if let Some(kind) = Kind::of_type(*of) {
                    self.place(name, true, |known| is_wide_enough(known, &kind), widening, || kind.clone());
                }
            }
            _ => {
                if !has_any {
                    // Of lists that hold nothing but `null` or empty lists, there is nothing to say yet.
                    let mut probe = Self::default();
                    probe.widen_member("", items, &mut Scope::default(), &mut Widening::default());
                    if probe.fields.is_empty() {
                        return;
                    }
                }
                let new = || Kind::Any(Message::named_after(name, "item", types));
                let at = self.place(name, true, is_any, widening, new);
                if let Kind::Any(message) = &mut self.fields[at].kind {
                    widening.within("*", |widening| message.widen_member("", items, types, widening));
                }
            }
        }
    }

    /// The place of a member's field of some kind, which is made if there is none.
    fn place(
        &mut self,
        json: &str,
        is_list: bool,
        is_it: impl Fn(&Kind) -> bool,
        widening: &mut Widening,
        make: impl FnOnce() -> Kind,
    ) -> usize {
        let known =
            self.fields.iter().position(|field| field.json == json && field.is_list == is_list && is_it(&field.kind));
        if let Some(at) = known {
            return at;
        }
        widening.note();
        let kind = make();
        let is_further = self.of_member(json).next().is_some() || json.is_empty();
        let wanted = match (json, is_further) {
            ("", _) => kind.word(is_list).to_owned(),
            (json, false) => field_name(json),
            (json, true) => format!("{}_{}", field_name(json), kind.word(is_list)),
        };
        let mut names = Scope::default();
        names.take(UNMAPPED);
        self.fields.iter().for_each(|field| names.take(&field.name));
        // In the record's scope are messages too.
        let mut types = Vec::new();
        self.inside(&mut types);
        types.into_iter().chain(kind.message()).for_each(|message| names.take_exactly(&message.name));
        let name = names.unique(&wanted);
        let last = self.fields.iter().map(|field| field.number).max().unwrap_or_default();
        let number = if RESERVED.contains(&(last + 1)) { RESERVED.end() + 1 } else { last + 1 };
        self.fields.push(Field { json: json.to_owned(), name, number, is_further, is_list, kind });
        self.fields.len() - 1
    }

    fn write_fields(&self, text: &mut String, indent: &str) {
        for field in &self.fields {
            let label = if field.is_list { "repeated" } else { "optional" };
            let _ = write!(text, "{indent}{label} {} {} = {}", field.kind.type_name(), field.name, field.number);
            let json = field.json_name();
            if json != proto::default_json_name(&field.name) {
                let _ = write!(text, " [json_name = {}]", proto::quoted(&json));
            }
            text.push_str(";\n");
        }
    }

    fn restore(written: &MessageDescriptor) -> Option<Self> {
        let mut fields = Vec::with_capacity(written.fields().len());
        for field in written.fields().filter(|field| field.number() != UNMAPPED_NUMBER) {
            let (json, is_further) = match member_of_further(field.json_name()) {
                Some(member) => (member.to_owned(), true),
                None => (field.json_name().to_owned(), false),
            };
            let is_list = field.is_list();
            let kind = match field.kind() {
                DescribedKind::Bool => Kind::Boolean,
                DescribedKind::Int64 => Kind::Integer,
                DescribedKind::Double => Kind::Number,
                DescribedKind::String => Kind::Text,
                DescribedKind::Message(message) => {
                    let message = Self::restore(&message)?;
                    let is_item =
                        !message.fields.is_empty() && message.fields.iter().all(|field| field.json.is_empty());
                    if is_list && is_item { Kind::Any(message) } else { Kind::Object(message) }
                }
                _ => return None,
            };
            fields.push(Field {
                json,
                name: field.name().to_owned(),
                number: field.number(),
                is_further,
                is_list,
                kind,
            });
        }
        Some(Self { name: written.name().to_owned(), fields })
    }
}

/// What a file says, wherever in it that stands.
fn without_places(file: &FileDescriptor) -> FileDescriptorProto {
    FileDescriptorProto { source_code_info: None, ..file.file_descriptor_proto().clone() }
}

/// Whether values of one kind can be written as another, so that it needs no field of its own.
fn is_wide_enough(known: &Kind, kind: &Kind) -> bool {
    known == kind || (matches!(known, Kind::Number) && matches!(kind, Kind::Integer))
}

/// The member that a further field is of, by its `json_name`.
fn member_of_further(json: &str) -> Option<&str> {
    const WORDS: [&str; 11] = [
        "boolean", "integer", "number", "string", "object", "booleans", "integers", "numbers", "strings", "objects",
        "items",
    ];
    json.rsplit_once('|').filter(|(_, word)| WORDS.contains(word)).map(|(member, _)| member)
}

/// Whether members of this name have no field, because they would be taken for something else.
fn has_no_field(name: &str) -> bool {
    name.is_empty() || member_of_further(name).is_some()
}

/// A name of a field or a package: it begins with a letter.
fn field_name(text: &str) -> String {
    let name = legal(text);
    if name.starts_with('_') { format!("x{name}") } else { name }
}

impl Field {
    fn json_name(&self) -> String {
        if self.is_further { format!("{}|{}", self.json, self.kind.word(self.is_list)) } else { self.json.clone() }
    }
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const DELIMITED: u32 = 2;

/// Writes one record.
struct Encoder<'out, 'a> {
    out: &'out mut Vec<u8>,
    unmapped: Unmapped<'a>,
}

impl<'a> Encoder<'_, 'a> {
    fn varint(&mut self, mut rest: u64) {
        while rest >= 0x80 {
            self.out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.out.push(rest as u8);
    }

    fn tag(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    fn text(&mut self, number: u32, text: &str) {
        self.tag(number, DELIMITED);
        self.varint(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A message: its length stands before it and is known after it.
    fn message(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        self.tag(number, DELIMITED);
        let start = self.out.len();
        self.out.push(0);
        write(self);
        let mut length = self.out.len() - start - 1;
        let mut varint = Vec::with_capacity(1);
        while length >= 0x80 {
            varint.push(length as u8 | 0x80);
            length >>= 7;
        }
        varint.push(length as u8);
        self.out.splice(start..=start, varint);
    }

    fn members(&mut self, message: &'a Message, members: &'a [(Cow<'a, str>, Tree<'a>)]) {
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            self.unmapped.enter(Step::Member(name));
            self.member(message, name, value);
            self.unmapped.leave();
        }
    }

    /// A value, in the first field that holds it.
    fn member(&mut self, message: &'a Message, name: &str, value: &'a Tree<'a>) {
        if let Tree::List(items) = value {
            let holds = |field: &&Field| field.is_list && items.iter().all(|item| field.kind.holds(item));
            match message.of_member(name).find(holds) {
                Some(field) => {
                    for (index, item) in items.iter().enumerate() {
                        self.unmapped.enter(Step::Item(index));
                        self.value(field, item);
                        self.unmapped.leave();
                    }
                }
                None if items.is_empty() => {}
                None => self.unmapped.note(value),
            }
            return;
        }
        match message.of_member(name).find(|field| !field.is_list && field.kind.holds(value)) {
            Some(field) => self.value(field, value),
            None => self.unmapped.note(value),
        }
    }

    fn value(&mut self, field: &'a Field, value: &'a Tree<'a>) {
        match (&field.kind, value) {
            (Kind::Boolean, Tree::Boolean(truth)) => {
                self.tag(field.number, VARINT);
                self.out.push(u8::from(*truth));
            }
            (Kind::Integer, Tree::Number(text)) => {
                self.tag(field.number, VARINT);
                // What cannot be parsed is not held.
                self.varint(text.parse::<i64>().unwrap_or_default() as u64);
            }
            (Kind::Number, Tree::Number(text)) => {
                let (number, is_exact) = double(text);
                // An item must not be left out.
                if let Some(number) = number.or_else(|| text.parse().ok().filter(|_| field.is_list)) {
                    self.tag(field.number, FIXED64);
                    self.out.extend_from_slice(&number.to_le_bytes());
                }
                if !is_exact {
                    self.unmapped.note(value);
                }
            }
            (Kind::Text, Tree::String(text)) => self.text(field.number, text),
            (Kind::Object(message), Tree::Object(members)) => {
                self.message(field.number, |encoder| encoder.members(message, members));
            }
            (Kind::Any(message), value) => self.message(field.number, |encoder| {
                if !value.is_null() {
                    encoder.member(message, "", value);
                }
            }),
            _ => self.unmapped.note(value),
        }
    }

    /// The last field: a map of strings.
    fn end(mut self) {
        let found = self.unmapped.found().to_vec();
        for (pointer, sent) in &found {
            self.message(UNMAPPED_NUMBER, |encoder| {
                encoder.text(1, pointer);
                encoder.text(2, sent);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use prost_reflect::{DescriptorPool, DynamicMessage};
    use serde_json::{Value, json};

    use super::*;

    /// A schema that has learnt from records, one after the other.
    fn learnt(records: &[&str]) -> Schema {
        let mut schema = Schema::new("my_orders", "MyOrders".to_owned());
        for record in records {
            let tree = Tree::parse(record).unwrap();
            let mut shape = Shape::default();
            shape.learn(&tree);
            let mut widening = Widening::default();
            let taken = schema.takes(&tree);
            schema.widen(&shape, &mut widening);
            assert!(!taken || widening.changed.is_none(), "{record}");
            assert_eq!(Schema::restore(&schema.text()).as_ref(), Some(&schema), "{}", schema.text());
        }
        schema
    }

    fn pool(schema: &Schema) -> DescriptorPool {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.proto");
        std::fs::write(&path, schema.text()).unwrap();
        let compiled = protox::compile([&path], [directory.path()]);
        let files = compiled.unwrap_or_else(|error| panic!("{error}\n{}", schema.text()));
        DescriptorPool::from_file_descriptor_set(files).unwrap()
    }

    fn read(schema: &Schema, record: &str) -> Value {
        let pool = pool(schema);
        let descriptor = pool.all_messages().find(|message| message.name() == "MyOrders").unwrap();
        let mut out = Vec::new();
        schema.encode(&Tree::parse(record).unwrap(), &mut out);
        let message = DynamicMessage::decode(descriptor, out.as_slice()).unwrap();
        assert_eq!(message.unknown_fields().count(), 0);
        let options = prost_reflect::SerializeOptions::new().stringify_64_bit_integers(false);
        message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
    }

    #[test]
    fn what_was_learnt_is_written_and_read_by_another_reader() {
        let record = r#"{"id": 7, "@time": "x", "ok": false, "price": 1.50, "none": null, "user_name": "n",
            "user": {"name": "a", "User": {"x": 0}}, "tags": ["x", ""], "rows": [{"a": 1}, {}], "n": [1, 2.5],
            "empty": {}, "list": [], "message": "m"}"#;
        let schema = learnt(&[record]);
        assert_eq!(
            read(&schema, record),
            json!({
                "id": 7, "@time": "x", "ok": false, "price": 1.5, "user_name": "n",
                "user": { "name": "a", "User": { "x": 0 } }, "tags": ["x", ""], "rows": [{ "a": 1 }, {}],
                "n": [1.0, 2.5], "empty": {}, "message": "m",
            })
        );
        assert!(schema.text().contains("  optional string x_time = 2 [json_name = \"@time\"];\n"), "{}", schema.text());
        assert_eq!(read(&schema, "{}"), json!({}));
    }

    #[test]
    fn a_member_has_a_field_for_each_type() {
        let records = [
            r#"{"v": 1, "l": [1]}"#,
            r#"{"v": 2.5, "l": ["x"]}"#,
            r#"{"v": "x", "l": [1, null, "y", {"a": 1}, [true, [0.5]]]}"#,
            r#"{"v": {"v": true}, "l": [{"a": 2}]}"#,
            r#"{"v": [3], "l": [[false]]}"#,
            r#"{"v": true, "v_number": 1}"#,
        ];
        let schema = learnt(&records);
        let further = |index: usize| read(&schema, records[index]);
        assert_eq!(further(0), json!({ "v": 1, "l": [1] }));
        assert_eq!(further(1), json!({ "v|number": 2.5, "l|strings": ["x"] }));
        let items = json!([
            { "|integer": 1 }, {}, { "|string": "y" }, { "|object": { "a": 1 } },
            { "|items": [{ "|boolean": true }, { "|numbers": [0.5] }] },
        ]);
        assert_eq!(further(2), json!({ "v|string": "x", "l|items": items }));
        assert_eq!(further(3), json!({ "v|object": { "v": true }, "l|items": [{ "|object": { "a": 2 } }] }));
        assert_eq!(further(4), json!({ "v|integers": [3], "l|items": [{ "|items": [{ "|boolean": false }] }] }));
        assert_eq!(further(5), json!({ "v|boolean": true, "v_number": 1 }));
    }

    #[test]
    fn blanks_comments_and_full_names_make_no_difference() {
        let schema = learnt(&[r#"{"id": 7, "@\"\\ \té": "x", "user": {"name": "a"}, "rows": [{"a": 1}]}"#]);
        let text = schema.text();
        let messy = text
            .replace("package", "// a { comment\npackage")
            .replace(" = ", "\n=  /* { */")
            .replace("optional User user", "optional my_orders.MyOrders.User user");
        assert_ne!(messy, text);
        assert_eq!(Schema::restore(&messy), Some(schema));
        for foreign in [
            text.replace("optional int64 id", "optional int32 id"),
            text.replace("optional int64 id", "int64 id"),
            text.replace("proto3", "proto2"),
            format!("{text} message Other {{}}"),
            text.replace("message MyOrders {", "message MyOrders { reserved 99;"),
        ] {
            assert_ne!(foreign, text);
            assert_eq!(Schema::restore(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn numbers_of_fields_stay() {
        let first = learnt(&[r#"{"a": 1, "o": {"x": 1}}"#]);
        let mut second = Schema::restore(&first.text()).unwrap();
        let mut shape = Shape::default();
        shape.learn(&Tree::parse(r#"{"0": 1, "o": {"w": 1}, "a": "s"}"#).unwrap());
        second.widen(&shape, &mut Widening::default());
        for line in ["optional int64 a = 1;", "optional O o = 2;", "optional int64 x = 1;", "optional int64 w = 2;"] {
            assert!(first.text().contains(line) || line.contains('w'), "{line}");
            assert!(second.text().contains(line), "{line} in {}", second.text());
        }
        let mut out = Vec::new();
        first.encode(&Tree::parse(r#"{"a": 5, "o": {"x": 6}}"#).unwrap(), &mut out);
        assert_eq!(out, [8, 5, 18, 2, 8, 6]);
    }

    #[test]
    fn what_has_no_place_is_kept_beside() {
        let schema = learnt(&[r#"{"a": 1, "f": 1.5, "g": [2.5], "o": {"x": 1}, "l": [7]}"#]);
        let record = r#"{"a": 18446744073709551616, "f": 0.10000000000000000000001, "g": [1E400, 1], "o": {"y~": [null]},
            "x": "new", "": 1, "a|number": 2, "l": [9223372036854775808], "n": null}"#;
        let value = read(&schema, record);
        assert_eq!((&value["f"], &value["g"]), (&json!(0.1), &json!(["Infinity", 1.0])));
        assert_eq!(
            value["unmapped"],
            json!({
                "/a": "18446744073709551616", "/f": "0.10000000000000000000001", "/g/0": "1E400", "/o/y~0": "[null]",
                "/x": "\"new\"", "/": "1", "/a|number": "2", "/l": "[9223372036854775808]",
            })
        );
        for record in ["7", "[1]", "\"x\"", "null"] {
            assert_eq!(read(&schema, record), json!({ "unmapped": { "": record } }));
        }
    }

    #[test]
    fn many_members_skip_the_numbers_that_protobuf_keeps() {
        let member = |index: usize| format!("\"k{index}\":{index}");
        let record = format!("{{{}}}", (0..MAX_FIELDS + 5).map(member).collect::<Vec<_>>().join(","));
        let schema = learnt(&[&record]);
        assert_eq!(read(&schema, &record)["unmapped"].as_object().unwrap().len(), 5);
        let mut message = Message::default();
        message.fields.push(Field {
            json: "a".to_owned(),
            name: "a".to_owned(),
            number: 18_999,
            is_further: false,
            is_list: false,
            kind: Kind::Boolean,
        });
        message.place("b", false, |_| false, &mut Widening::default(), || Kind::Boolean);
        assert_eq!(message.fields[1].number, 20_000);
    }

    #[test]
    fn a_foreign_file_is_not_read() {
        for foreign in [
            "",
            "syntax = \"proto3\"; message A { optional int64 a = 1; }",
            "syntax = \"proto3\"; package a; message A { int32 a = 1; map<string, string> unmapped = 536870911; }",
            "syntax = \"proto3\"; package a; import \"x.proto\"; message A { map<string, string> unmapped = 536870911; }",
        ] {
            assert_eq!(Schema::restore(foreign), None, "{foreign}");
        }
    }
}
