//! A learnt schema as an Avro schema (specification 1.12), and records in Avro's binary encoding, straight from their JSON.
//!
//! Every place is a union of `null` and the types that were seen there. A further field, a further branch, and `double` in
//! place of `long` are compatible with every earlier version, in the mode BACKWARD. A place where only `null` was seen is
//! no field yet.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::names::{Scope, legal, type_name};
use super::number::double;
use super::shape::{Shape, Type, is_integer};
use super::unmapped::{Step, Unmapped};
use super::{MAX_FIELDS, Widening};
use crate::format::{UNMAPPED, write_long};
use crate::record::Tree;

/// The schema of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    namespace: String,
    record: RecordType,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct RecordType {
    name: String,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    /// Its name in the API.
    json: String,
    name: String,
    place: Place,
}

/// What a value can be besides `null`, in the order of the union's branches.
#[derive(Clone, Debug, Default, PartialEq)]
struct Place {
    boolean: bool,
    number: Option<Number>,
    text: bool,
    list: Option<Box<Place>>,
    record: Option<RecordType>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Long,
    Double,
}

impl Schema {
    pub(super) fn new(namespace: String, name: String) -> Self {
        Self { namespace, record: RecordType { name, fields: Vec::new() } }
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
        if shape.has(Type::Object) {
            self.record.widen(shape, &mut types, widening);
        }
    }

    pub(super) fn text(&self) -> String {
        let mut fields: Vec<_> = self.record.fields.iter().map(Field::schema).collect();
        fields.push(json!({
            "name": UNMAPPED,
            "doc": "What the API sent and has no place above: JSON, by JSON Pointer from the record.",
            "type": { "type": "map", "values": "string" },
            "default": {},
        }));
        let name = &self.record.name;
        json!({ "type": "record", "name": name, "namespace": self.namespace, "fields": fields }).to_string()
    }

    /// Reads a schema that [`Schema::text`] wrote; `None` for any other.
    pub(super) fn restore(text: &str) -> Option<Self> {
        let written: Value = serde_json::from_str(text).ok()?;
        let mut root = written.clone();
        let namespace = root.get("namespace")?.as_str()?.to_owned();
        let fields = root.get_mut("fields")?.as_array_mut()?;
        fields.pop_if(|field| field.get("name").is_some_and(|name| name == UNMAPPED))?;
        let schema = Self { namespace, record: RecordType::restore(&root)? };
        // What it cannot express would be lost.
        let again: Value = serde_json::from_str(&schema.text()).ok()?;
        (again == written).then_some(schema)
    }

    /// Appends a record.
    pub(super) fn encode(&self, record: &Tree<'_>, out: &mut Vec<u8>) {
        let mut encoder = Encoder { out, unmapped: Unmapped::default() };
        match record {
            Tree::Object(members) => encoder.record(&self.record, members),
            _ => {
                encoder.record(&self.record, &[]);
                encoder.unmapped.note(record);
            }
        }
        encoder.end();
    }
}

impl RecordType {
    /// Notes the names of the records inside.
    fn names(&self, types: &mut Scope) {
        types.take(&self.name);
        for field in &self.fields {
            field.place.names(types);
        }
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.json == name)
    }

    fn takes(&self, members: &[(Cow<'_, str>, Tree<'_>)]) -> bool {
        let mut next = 0;
        members.iter().all(|(name, value)| {
            // Members mostly come in the order of the fields.
            let at = match self.fields.get(next) {
                Some(field) if field.json == *name => Some(next),
                _ => self.fields.iter().position(|field| field.json == *name),
            };
            match at {
                Some(at) => {
                    next = at + 1;
                    self.fields[at].place.takes(value)
                }
                None => value.is_null() || self.fields.len() >= MAX_FIELDS,
            }
        })
    }

    fn widen(&mut self, shape: &Shape, types: &mut Scope, widening: &mut Widening) {
        for (name, shape) in &shape.members {
            widening.within(name, |widening| {
                if let Some(field) = self.fields.iter_mut().find(|field| field.json == *name) {
                    field.place.widen(shape, name, types, widening);
                    return;
                }
                let mut place = Place::default();
                place.widen(shape, name, types, widening);
                if place != Place::default() && self.fields.len() < MAX_FIELDS {
                    let mut names = Scope::default();
                    names.take(UNMAPPED);
                    self.fields.iter().for_each(|field| names.take(&field.name));
                    let field = names.unique(&legal(name));
                    self.fields.push(Field { json: name.clone(), name: field, place });
                }
            });
        }
    }

    fn schema(&self) -> Value {
        let fields: Vec<_> = self.fields.iter().map(Field::schema).collect();
        json!({ "type": "record", "name": self.name, "fields": fields })
    }

    fn restore(schema: &Value) -> Option<Self> {
        let fields = schema.get("fields")?.as_array()?.iter().map(Field::restore).collect::<Option<_>>()?;
        Some(Self { name: schema.get("name")?.as_str()?.to_owned(), fields })
    }
}

impl Field {
    fn schema(&self) -> Value {
        let mut schema = Map::from_iter([("name".to_owned(), json!(self.name))]);
        // Readers have no other way to learn what the API calls it.
        if self.name != self.json {
            schema.insert("jsonName".to_owned(), json!(self.json));
        }
        schema.insert("type".to_owned(), self.place.schema());
        schema.insert("default".to_owned(), Value::Null);
        Value::Object(schema)
    }

    fn restore(schema: &Value) -> Option<Self> {
        let name = schema.get("name")?.as_str()?;
        let json = schema.get("jsonName").map_or(Some(name), Value::as_str)?;
        Some(Self { json: json.to_owned(), name: name.to_owned(), place: Place::restore(schema.get("type")?)? })
    }
}

impl Place {
    fn names(&self, types: &mut Scope) {
        if let Some(items) = &self.list {
            items.names(types);
        }
        if let Some(record) = &self.record {
            record.names(types);
        }
    }

    fn takes(&self, value: &Tree<'_>) -> bool {
        match value {
            Tree::Null => true,
            Tree::Boolean(_) => self.boolean,
            Tree::Number(text) => match self.number {
                Some(Number::Double) => true,
                Some(Number::Long) => is_integer(text),
                None => false,
            },
            Tree::String(_) => self.text,
            Tree::List(items) => self.list.as_ref().is_some_and(|place| items.iter().all(|item| place.takes(item))),
            Tree::Object(members) => self.record.as_ref().is_some_and(|record| record.takes(members)),
        }
    }

    /// `name` is what a record here is named after.
    fn widen(&mut self, shape: &Shape, name: &str, types: &mut Scope, widening: &mut Widening) {
        let before = (self.boolean, self.number, self.text, self.list.is_some(), self.record.is_some());
        for of in &shape.types {
            match of {
                Type::Null => {}
                Type::Boolean => self.boolean = true,
                Type::Integer => self.number = self.number.or(Some(Number::Long)),
                Type::Number => self.number = Some(Number::Double),
                Type::String => self.text = true,
                Type::Array => drop(self.list.get_or_insert_default()),
                Type::Object if self.record.is_none() => {
                    self.record = Some(RecordType { name: types.unique(&type_name(name)), fields: Vec::new() });
                }
                Type::Object => {}
            }
        }
        if before != (self.boolean, self.number, self.text, self.list.is_some(), self.record.is_some()) {
            widening.note();
        }
        if let (Some(items), Some(shape)) = (&mut self.list, &shape.items) {
            widening.within("*", |widening| items.widen(shape, name, types, widening));
        }
        if let Some(record) = &mut self.record {
            record.widen(shape, types, widening);
        }
    }

    fn schema(&self) -> Value {
        let number = self.number.map(|number| match number {
            Number::Long => "long",
            Number::Double => "double",
        });
        let list = self.list.as_ref().map(|items| json!({ "type": "array", "items": items.schema() }));
        let plain = [Some("null"), self.boolean.then_some("boolean"), number, self.text.then_some("string")];
        let branches = plain.into_iter().flatten().map(|name| json!(name));
        branches.chain(list).chain(self.record.as_ref().map(RecordType::schema)).collect()
    }

    fn restore(schema: &Value) -> Option<Self> {
        let mut place = Self::default();
        for branch in schema.as_array()? {
            match branch {
                Value::String(name) => match name.as_str() {
                    "null" => {}
                    "boolean" => place.boolean = true,
                    "long" => place.number = Some(Number::Long),
                    "double" => place.number = Some(Number::Double),
                    "string" => place.text = true,
                    _ => return None,
                },
                branch => match branch.get("type")?.as_str()? {
                    "array" => place.list = Some(Box::new(Self::restore(branch.get("items")?)?)),
                    "record" => place.record = Some(RecordType::restore(branch)?),
                    _ => return None,
                },
            }
        }
        Some(place)
    }

    /// Index of the branch that comes after so many kinds: `null`, and those of the kinds before it that there are.
    fn branch(&self, kind: usize) -> i64 {
        let before = [self.boolean, self.number.is_some(), self.text, self.list.is_some()];
        1 + before.iter().take(kind).filter(|is_there| **is_there).count() as i64
    }
}

/// Writes one record.
struct Encoder<'out, 'a> {
    out: &'out mut Vec<u8>,
    unmapped: Unmapped<'a>,
}

impl<'a> Encoder<'_, 'a> {
    fn long(&mut self, value: i64) {
        write_long(self.out, value);
    }

    fn text(&mut self, text: &str) {
        self.long(text.len() as i64);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A `null`, in place of a value that has no place.
    fn misfit(&mut self, value: &Tree<'_>) {
        self.long(0);
        self.unmapped.note(value);
    }

    fn record(&mut self, ty: &'a RecordType, members: &'a [(Cow<'a, str>, Tree<'a>)]) {
        let (mut next, mut found) = (0, 0);
        for field in &ty.fields {
            let at = match members.get(next) {
                // Members mostly come in the order of the fields.
                Some((name, _)) if *name == field.json => Some(next),
                _ => members.iter().position(|(name, _)| *name == field.json),
            };
            match at {
                Some(at) => {
                    (next, found) = (at + 1, found + 1);
                    self.unmapped.enter(Step::Member(&field.json));
                    self.place(&field.place, &members[at].1);
                    self.unmapped.leave();
                }
                None => self.long(0),
            }
        }
        if found < members.len() {
            for (name, value) in members.iter().filter(|(name, value)| !value.is_null() && ty.field(name).is_none()) {
                self.unmapped.enter(Step::Member(name));
                self.unmapped.note(value);
                self.unmapped.leave();
            }
        }
    }

    fn place(&mut self, place: &'a Place, value: &'a Tree<'a>) {
        match value {
            Tree::Null => self.long(0),
            Tree::Boolean(truth) if place.boolean => {
                self.long(place.branch(0));
                self.out.push(u8::from(*truth));
            }
            Tree::Number(text) => match place.number {
                Some(Number::Long) => match text.parse::<i64>() {
                    Ok(number) => {
                        self.long(place.branch(1));
                        self.long(number);
                    }
                    Err(_) => self.misfit(value),
                },
                Some(Number::Double) => {
                    let (number, is_exact) = double(text);
                    match number {
                        Some(number) => {
                            self.long(place.branch(1));
                            self.out.extend_from_slice(&number.to_le_bytes());
                        }
                        None => self.long(0),
                    }
                    if !is_exact {
                        self.unmapped.note(value);
                    }
                }
                None => self.misfit(value),
            },
            Tree::String(text) if place.text => {
                self.long(place.branch(2));
                self.text(text);
            }
            Tree::List(items) => match &place.list {
                Some(of_items) => {
                    self.long(place.branch(3));
                    if !items.is_empty() {
                        self.long(items.len() as i64);
                        for (index, item) in items.iter().enumerate() {
                            self.unmapped.enter(Step::Item(index));
                            self.place(of_items, item);
                            self.unmapped.leave();
                        }
                    }
                    self.long(0);
                }
                None => self.misfit(value),
            },
            Tree::Object(members) => match &place.record {
                Some(record) => {
                    self.long(place.branch(4));
                    self.record(record, members);
                }
                None => self.misfit(value),
            },
            Tree::Boolean(_) | Tree::String(_) => self.misfit(value),
        }
    }

    /// The last field: a `map` of `string`.
    fn end(mut self) {
        let found = self.unmapped.found().to_vec();
        if !found.is_empty() {
            self.long(found.len() as i64);
            for (pointer, sent) in &found {
                self.text(pointer);
                self.text(sent);
            }
        }
        self.long(0);
    }
}

#[cfg(test)]
mod tests {
    use apache_avro::reader::datum::GenericDatumReader;
    use apache_avro::types::Value as Avro;

    use super::*;

    /// A schema that has learnt from records, one after the other.
    fn learnt(records: &[&str]) -> Schema {
        let mut schema = Schema::new("my_orders".to_owned(), "MyOrders".to_owned());
        for record in records {
            let tree = Tree::parse(record).unwrap();
            let mut shape = Shape::default();
            shape.learn(&tree);
            let mut widening = Widening::default();
            let taken = schema.takes(&tree);
            schema.widen(&shape, &mut widening);
            assert_eq!(taken, widening.changed.is_none(), "{record}");
            assert!(schema.takes(&tree), "{record}");
        }
        schema
    }

    fn read(schema: &Schema, record: &str) -> Value {
        let parsed = apache_avro::Schema::parse_str(&schema.text()).unwrap();
        let mut out = Vec::new();
        schema.encode(&Tree::parse(record).unwrap(), &mut out);
        let mut rest = out.as_slice();
        let value = GenericDatumReader::builder(&parsed).build().unwrap().read_value(&mut rest).unwrap();
        assert!(rest.is_empty(), "{record}");
        plain(value)
    }

    /// A value without its types.
    fn plain(value: Avro) -> Value {
        match value {
            Avro::Null => Value::Null,
            Avro::Boolean(value) => json!(value),
            Avro::Long(value) => json!(value),
            Avro::Double(value) => json!(value),
            Avro::String(value) => json!(value),
            Avro::Union(_, value) => plain(*value),
            Avro::Array(items) => items.into_iter().map(plain).collect(),
            Avro::Map(entries) => {
                let mut entries: Vec<_> = entries.into_iter().map(|(name, value)| (name, plain(value))).collect();
                entries.sort_by(|one, other| one.0.cmp(&other.0));
                Value::Object(entries.into_iter().collect())
            }
            Avro::Record(fields) => fields.into_iter().map(|(name, value)| (name, plain(value))).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_learnt_is_written_and_read_by_another_reader() {
        let record = r#"{"id": 7, "at-time": "x", "ok": true, "price": 1.50, "none": null,
            "user": {"name": "a", "tags": ["x", null, 1, {"k": "v"}, [true]]}, "empty": {}, "list": []}"#;
        let schema = learnt(&[record]);
        assert_eq!(
            read(&schema, record),
            json!({
                "id": 7, "at_time": "x", "ok": true, "price": 1.5,
                "user": { "name": "a", "tags": ["x", null, 1, { "k": "v" }, [true]] },
                "empty": {}, "list": [], "unmapped": {},
            })
        );
        let text: Value = serde_json::from_str(&schema.text()).unwrap();
        assert_eq!((&text["namespace"], &text["name"]), (&json!("my_orders"), &json!("MyOrders")));
        assert_eq!(text["fields"][1]["jsonName"], "at-time");
        assert_eq!(text["fields"][0]["type"], json!(["null", "long"]));
        let nothing = read(&schema, "{}");
        assert_eq!((&nothing["id"], &nothing["unmapped"]), (&Value::Null, &json!({})));
    }

    #[test]
    fn a_place_widens_to_all_that_was_seen_there() {
        let records = [
            r#"{"v": null}"#,
            r#"{"v": 1}"#,
            r#"{"v": 2.5}"#,
            r#"{"v": "x"}"#,
            r#"{"v": {"v": {"a": 1}}, "V": 1}"#,
            r#"{"v": [[{"b": 1}]], "@v": true, "_v": false}"#,
            r#"{"v": true, "w": 3}"#,
        ];
        let schema = learnt(&records[1..]);
        for record in records {
            let mut expected: Value = serde_json::from_str(record).unwrap();
            let sent = expected["v"].take();
            let value = read(&schema, record)["v"].take();
            match sent {
                Value::Number(number) => assert_eq!(value.as_f64(), number.as_f64()),
                sent => assert_eq!(value, sent),
            }
        }
        assert_eq!(read(&schema, records[5])["unmapped"], json!({}));
    }

    #[test]
    fn numbers_that_do_not_fit_are_kept_beside() {
        let record = r#"{"big": 18446744073709551616, "d": 0.10000000000000000000001, "e": 1E400, "l": [1.0, 9007199254740993]}"#;
        let value = read(&learnt(&[record]), record);
        assert_eq!((&value["big"], &value["d"], &value["e"]), (&Value::Null, &json!(0.1), &Value::Null));
        assert_eq!(
            value["unmapped"],
            json!({
                "/big": "18446744073709551616", "/d": "0.10000000000000000000001", "/e": "1E400",
                "/l/1": "9007199254740993",
            })
        );
    }

    #[test]
    fn what_has_no_place_is_kept_beside() {
        let schema = learnt(&[r#"{"a": 1, "o": {"x": 1}}"#]);
        let value = read(&schema, r#"{"a": "1", "a/b": [1], "o": {"y~": {}}, "n": null, "o2": 1}"#);
        assert_eq!(value["unmapped"], json!({ "/a": "\"1\"", "/a~1b": "[1]", "/o/y~0": "{}", "/o2": "1" }));
        for record in ["7", "[1]", "\"x\"", "null"] {
            assert_eq!(read(&schema, record)["unmapped"], json!({ "": record }));
        }
        assert_eq!(read(&schema, r#"{"a": 1, "a": 2}"#)["a"], 2, "the last counts");
    }

    #[test]
    fn a_written_schema_is_read_back_and_a_foreign_one_is_not() {
        let schema = learnt(&[r#"{"a-b": [{"x": 1}, "s"], "o": {"o": {}}, "n": 1.5}"#, r#"{"a_b": null, "o": true}"#]);
        assert_eq!(Schema::restore(&schema.text()), Some(schema));
        let foreign = r#"{"type": "record", "name": "A", "namespace": "a", "fields": [{"name": "x", "type": "int"}]}"#;
        assert_eq!(Schema::restore(foreign), None);
        assert_eq!(Schema::restore("\"string\""), None);
    }

    #[test]
    fn names_that_are_data_do_not_go_on_for_ever() {
        let member = |index: usize| format!("\"k{index}\":{index}");
        let record = format!("{{{}}}", (0..MAX_FIELDS + 5).map(member).collect::<Vec<_>>().join(","));
        let schema = learnt(&[&record]);
        let value = read(&schema, &record);
        assert_eq!(value["unmapped"].as_object().unwrap().len(), 5);
        assert_eq!(value["unmapped"][&format!("/k{MAX_FIELDS}")], MAX_FIELDS.to_string());
    }
}
