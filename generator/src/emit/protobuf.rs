//! Protobuf schemas (proto3): one file per record type, with everything it holds inside its message.
//!
//! The encoder of the runtime writes by these schemas. The record is the first message of its file, and its types are
//! messages inside it, so that the files of two records never define one name twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{EmitError, FileSet, Language, header, markdown, namespace, records, schema_path};
use crate::plan::model::{ConnectorPlan, Element, Field, Scalar, StructType, TypeId, TypeKind, UnionType};
use crate::plan::{UNMAPPED, UNMAPPED_NUMBER};

const TIMESTAMP: &str = ".google.protobuf.Timestamp";

pub(super) fn emit(plan: &ConnectorPlan, files: &mut FileSet) -> Result<(), EmitError> {
    for record in records(plan) {
        let Some(path) = schema_path(plan, record, Language::Protobuf) else { continue };
        let text = Messages::new(plan, record).file();
        check(&path, &text)?;
        files.add(path, text)?;
    }
    Ok(())
}

/// Compiles the file, with what it imports.
fn check(path: &str, text: &str) -> Result<(), EmitError> {
    struct One(String);

    impl protox::file::FileResolver for One {
        fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
            match name {
                "record.proto" => protox::file::File::from_source(name, &self.0),
                _ => protox::file::GoogleFileResolver::new().open_file(name),
            }
        }
    }

    let mut compiler = protox::Compiler::with_file_resolver(One(text.to_owned()));
    let compiled = compiler.include_imports(true).open_file("record.proto").map(drop);
    compiled.map_err(|source| EmitError::Protobuf { path: path.to_owned(), source: Box::new(source) })
}

/// The messages of one file.
struct Messages<'plan> {
    plan: &'plan ConnectorPlan,
    record: TypeId,
    /// Names that no message made here can have.
    taken: BTreeSet<&'plan str>,
    /// Messages that hold what cannot stand alone, by their names: the line of their one field.
    wrappers: BTreeMap<String, String>,
    /// Types of the plan that are messages inside the record, in the order in which they are met.
    inside: Vec<TypeId>,
    uses_timestamp: bool,
}

impl<'plan> Messages<'plan> {
    fn new(plan: &'plan ConnectorPlan, record: TypeId) -> Self {
        let taken = plan.types.iter().filter_map(|ty| match &ty.kind {
            TypeKind::Struct(it) => Some(it.names.avro.as_str()),
            TypeKind::Union(it) => Some(it.names.avro.as_str()),
            _ => None,
        });
        Self {
            plan,
            record,
            taken: taken.collect(),
            wrappers: BTreeMap::new(),
            inside: Vec::new(),
            uses_timestamp: false,
        }
    }

    fn file(mut self) -> String {
        let mut own = String::new();
        let mut inner = String::new();
        let mut name = "";
        let mut doc = String::new();
        if let Some((ty, TypeKind::Struct(it))) = self.plan.types.get(self.record.0).map(|ty| (ty, &ty.kind)) {
            name = &it.names.avro;
            comment(&mut doc, "", ty.doc.as_deref());
            self.fields(&mut own, "  ", it);
        }
        let mut next = 0;
        while let Some(id) = self.inside.get(next).copied() {
            self.message(&mut inner, id);
            next += 1;
        }
        for (name, field) in &self.wrappers {
            let _ = write!(inner, "  message {name} {{\n    {field}\n  }}\n\n");
        }
        comment(
            &mut own,
            "  ",
            Some("What the API sent and has no place above: JSON, by JSON Pointer from the record."),
        );
        let _ = writeln!(own, "  map<string, string> {UNMAPPED} = {UNMAPPED_NUMBER};");
        let import = if self.uses_timestamp { "\nimport \"google/protobuf/timestamp.proto\";\n" } else { "" };
        let (header, package) = (header(&self.plan.document), namespace(self.plan));
        format!(
            "// {header}\n\nsyntax = \"proto3\";\n\npackage {package};\n{import}\n{doc}message {name} {{\n{inner}{own}}}\n"
        )
    }

    /// A type of the plan as a message.
    fn message(&mut self, out: &mut String, id: TypeId) {
        let Some(ty) = self.plan.types.get(id.0) else { return };
        comment(out, "  ", ty.doc.as_deref());
        match &ty.kind {
            TypeKind::Struct(it) => {
                let _ = writeln!(out, "  message {} {{", it.names.avro);
                self.fields(out, "    ", it);
            }
            TypeKind::Union(it) => {
                let _ = writeln!(out, "  message {} {{", it.names.avro);
                self.branches(out, it);
            }
            _ => return,
        }
        out.push_str("  }\n\n");
    }

    fn fields(&mut self, out: &mut String, indent: &str, it: &StructType) {
        for (field, name) in it.fields.iter().zip(json_names(it)) {
            comment(out, indent, field.doc.as_deref());
            let ty = self.field_type(field.element.ty);
            let json_name = match name == json_name(&field.proto_name) {
                true => String::new(),
                false => format!(" [json_name = {}]", quoted(&name)),
            };
            let _ = writeln!(out, "{indent}{ty} {} = {}{json_name};", field.proto_name, field.number);
        }
        if let Some(additional) = &it.additional {
            comment(out, indent, Some("The fields whose names are data."));
            let value = self.element_type(additional.element);
            let _ = writeln!(out, "{indent}map<string, {value}> {} = {};", additional.proto_name, additional.number);
        }
    }

    fn branches(&mut self, out: &mut String, it: &UnionType) {
        out.push_str("    oneof value {\n");
        for variant in &it.variants {
            let ty = self.element_type(Element { ty: variant.ty, optional: false });
            let _ = writeln!(out, "      {ty} {} = {};", variant.proto_name, variant.number);
        }
        out.push_str("    }\n");
    }

    /// What stands before a field's name.
    fn field_type(&mut self, id: TypeId) -> String {
        match self.plan.types.get(id.0).map(|ty| &ty.kind) {
            Some(TypeKind::List(item)) => format!("repeated {}", self.element_type(*item)),
            Some(TypeKind::Map(value)) => format!("map<string, {}>", self.element_type(*value)),
            _ => format!("optional {}", self.plain_type(id)),
        }
    }

    /// The type of what a list, a map or a union holds. What can be absent or several is wrapped into a message.
    fn element_type(&mut self, element: Element) -> String {
        let kind = self.plan.types.get(element.ty.0).map(|ty| &ty.kind);
        let is_several = matches!(kind, Some(TypeKind::List(_) | TypeKind::Map(_)));
        if !element.optional && !is_several {
            return self.plain_type(element.ty);
        }
        let (name, ty) = match kind {
            Some(TypeKind::List(item)) => {
                let item = self.element_type(*item);
                (format!("{}List", word(&item)), format!("repeated {item}"))
            }
            Some(TypeKind::Map(value)) => {
                let value = self.element_type(*value);
                (format!("{}Map", word(&value)), format!("map<string, {value}>"))
            }
            _ => {
                let plain = self.plain_type(element.ty);
                (format!("Optional{}", word(&plain)), format!("optional {plain}"))
            }
        };
        self.wrapper(&name, format!("{ty} value = 1;"))
    }

    fn wrapper(&mut self, wanted: &str, field: String) -> String {
        let mut name = wanted.to_owned();
        while self.taken.contains(name.as_str()) || self.wrappers.get(&name).is_some_and(|known| *known != field) {
            name.push('_');
        }
        self.wrappers.insert(name.clone(), field);
        name
    }

    fn plain_type(&mut self, id: TypeId) -> String {
        let Some(ty) = self.plan.types.get(id.0) else { return String::new() };
        match &ty.kind {
            TypeKind::Struct(it) => self.named(id, &it.names.avro),
            TypeKind::Union(it) => self.named(id, &it.names.avro),
            TypeKind::Scalar(Scalar::Boolean) => "bool".to_owned(),
            TypeKind::Scalar(Scalar::Int32) => "int32".to_owned(),
            TypeKind::Scalar(Scalar::Int64) => "int64".to_owned(),
            TypeKind::Scalar(Scalar::Number) => "double".to_owned(),
            TypeKind::Scalar(Scalar::Base64) => "bytes".to_owned(),
            TypeKind::Scalar(Scalar::DateTime) => {
                self.uses_timestamp = true;
                TIMESTAMP.to_owned()
            }
            TypeKind::List(_) | TypeKind::Map(_) => self.element_type(Element { ty: id, optional: false }),
            // Not a Protobuf enum: that could not carry a value that the document does not list.
            TypeKind::Enum(_)
            | TypeKind::Scalar(Scalar::String | Scalar::Date | Scalar::Uuid | Scalar::Decimal(_) | Scalar::Json) => {
                "string".to_owned()
            }
        }
    }

    fn named(&mut self, id: TypeId, name: &str) -> String {
        if id != self.record && !self.inside.contains(&id) {
            self.inside.push(id);
        }
        name.to_owned()
    }
}

/// A type's name as a part of another: `string` as `String`.
fn word(ty: &str) -> String {
    let ty = ty.rsplit('.').next().unwrap_or(ty);
    let mut chars = ty.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// The fields' names in JSON: what the API calls them, since readers have no other way to learn it, where Protobuf takes that and
/// no other field is called so.
fn json_names(it: &StructType) -> Vec<String> {
    let additional = it.additional.as_ref().map(|additional| json_name(&additional.proto_name));
    let unnamed = it.fields.iter().filter(|field| !is_json_name(&field.wire_name));
    let mut taken: BTreeSet<String> = unnamed.map(|field| json_name(&field.proto_name)).collect();
    taken.extend(additional.into_iter().chain([UNMAPPED.to_owned()]));
    let name = |field: &Field| {
        if !is_json_name(&field.wire_name) {
            return json_name(&field.proto_name);
        }
        let (mut name, mut number) = (field.wire_name.clone(), 2);
        while !taken.insert(name.clone()) {
            name = format!("{}_{number}", field.wire_name);
            number += 1;
        }
        name
    };
    it.fields.iter().map(name).collect()
}

/// The name that Protobuf itself gives a field in JSON ("JSON name").
fn json_name(proto_name: &str) -> String {
    let mut name = String::new();
    let mut is_start = false;
    for c in proto_name.chars() {
        match c {
            '_' => is_start = true,
            c if is_start => {
                name.push(c.to_ascii_uppercase());
                is_start = false;
            }
            c => name.push(c),
        }
    }
    name
}

/// Whether Protobuf takes a text as a field's JSON name.
fn is_json_name(text: &str) -> bool {
    let is_extension = text.starts_with('[') && text.ends_with(']');
    !text.is_empty() && !text.contains('\0') && !is_extension
}

/// A string literal ("strLit").
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => {
                let _ = write!(quoted, "\\{:03o}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn comment(out: &mut String, indent: &str, doc: Option<&str>) {
    for line in doc.map(str::trim).filter(|doc| !doc.is_empty()).into_iter().flat_map(str::lines) {
        let line = markdown::clean(line.trim_end());
        let _ = writeln!(out, "{}", format!("{indent}// {line}").trim_end());
    }
}
