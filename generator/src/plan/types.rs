//! Schemas → types. They live in an arena: a type has its id before its body, so one that contains itself is no special
//! case.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::model::{
    Element, EnumType, EnumValue, Field, Scalar, StructType, Type, TypeId, TypeKind, TypeNames, UnionType, UnionVariant,
};
use super::names::{self, Scope};
use super::schema::{Property, SchemaRef, Schemas, Shape, ShapeKind};

mod finish;
#[cfg(test)]
mod tests;

/// Schemas nested deeper than this in one another are kept as JSON.
const DEEPEST: usize = 48;

/// The arena under construction: names are wanted, not yet given.
pub(super) struct Types<'a> {
    schemas: Schemas<'a>,
    types: Vec<Type>,
    /// Whether a type was wanted under this name by a component, which then has it before others.
    is_component: BTreeSet<TypeId>,
    components: BTreeMap<&'a str, TypeId>,
    scalars: Vec<(Scalar, TypeId)>,
    /// Components that have an id and no body yet.
    pending: Vec<(TypeId, &'a str, Shape<'a>)>,
    depth: usize,
}

/// A schema's type, and what was said where it is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lowered<'a> {
    pub(super) ty: TypeId,
    pub(super) nullable: bool,
    pub(super) doc: Option<&'a str>,
}

impl<'a> Types<'a> {
    pub(super) fn new(schemas: Schemas<'a>) -> Self {
        Self {
            schemas,
            types: Vec::new(),
            is_component: BTreeSet::new(),
            components: BTreeMap::new(),
            scalars: Vec::new(),
            pending: Vec::new(),
            depth: 0,
        }
    }

    /// What a type is.
    pub(super) fn kind(&self, id: TypeId) -> Option<&TypeKind> {
        self.types.get(id.0).map(|ty| &ty.kind)
    }

    /// The type of a schema; one without a name of its own is called `wanted`.
    pub(super) fn lower(&mut self, schema: SchemaRef<'a>, wanted: &str) -> Lowered<'a> {
        let lowered = self.lower_one(schema, wanted);
        while let Some((id, name, shape)) = self.pending.pop() {
            self.fill(id, shape, &names::type_name(name));
        }
        lowered
    }

    fn lower_one(&mut self, schema: SchemaRef<'a>, wanted: &str) -> Lowered<'a> {
        let followed = self.schemas.follow(schema);
        let shape = self.schemas.shape(&followed.schema);
        let nullable = followed.nullable || shape.nullable;
        if self.depth >= DEEPEST {
            return Lowered { ty: self.scalar(Scalar::Json), nullable, doc: followed.doc };
        }
        self.depth += 1;
        let lowered = match followed.schema {
            SchemaRef::Named(name) => Lowered { ty: self.component(name, shape), nullable, doc: followed.doc },
            SchemaRef::Inline(_) | SchemaRef::All(_) => {
                let doc = followed.doc.or(shape.doc);
                let id = match scalar_of(&shape.kind) {
                    Some(scalar) => self.scalar(scalar),
                    None => {
                        let id = self.reserve(doc);
                        self.fill(id, shape, wanted);
                        id
                    }
                };
                Lowered { ty: id, nullable, doc }
            }
        };
        self.depth -= 1;
        lowered
    }

    fn component(&mut self, name: &'a str, shape: Shape<'a>) -> TypeId {
        if let Some(id) = self.components.get(name) {
            return *id;
        }
        if let Some(scalar) = scalar_of(&shape.kind) {
            return self.scalar(scalar);
        }
        let id = self.reserve(shape.doc);
        self.components.insert(name, id);
        self.is_component.insert(id);
        self.pending.push((id, name, shape));
        id
    }

    fn reserve(&mut self, doc: Option<&str>) -> TypeId {
        self.add(doc, TypeKind::Scalar(Scalar::Json))
    }

    fn add(&mut self, doc: Option<&str>, kind: TypeKind) -> TypeId {
        self.types.push(Type { doc: doc.map(str::to_owned), kind, borrows: false });
        TypeId(self.types.len() - 1)
    }

    fn scalar(&mut self, scalar: Scalar) -> TypeId {
        if let Some((_, id)) = self.scalars.iter().find(|(known, _)| *known == scalar) {
            return *id;
        }
        let id = self.add(None, TypeKind::Scalar(scalar));
        self.scalars.push((scalar, id));
        id
    }

    fn fill(&mut self, id: TypeId, shape: Shape<'a>, wanted: &str) {
        let kind = match shape.kind {
            ShapeKind::String { values, .. } => enum_of(wanted, &values),
            ShapeKind::Array { items } => TypeKind::List(self.element(items, &names::singular(wanted))),
            ShapeKind::Object { properties, additional, .. } if properties.is_empty() => {
                TypeKind::Map(self.element(additional, &format!("{wanted}Value")))
            }
            ShapeKind::Object { properties, .. } => self.struct_of(wanted, properties),
            ShapeKind::OneOf(branches) => self.union_of(wanted, branches),
            ShapeKind::Any | ShapeKind::Boolean | ShapeKind::Integer { .. } | ShapeKind::Number { .. } => return,
        };
        if let Some(ty) = self.types.get_mut(id.0) {
            ty.kind = kind;
        }
    }

    /// What a list or a map holds; anything, if the document does not say.
    fn element(&mut self, schema: Option<SchemaRef<'a>>, wanted: &str) -> Element {
        match schema {
            Some(schema) => {
                let lowered = self.lower_one(schema, wanted);
                Element { ty: lowered.ty, optional: lowered.nullable }
            }
            None => Element { ty: self.scalar(Scalar::Json), optional: false },
        }
    }

    fn struct_of(&mut self, wanted: &str, properties: IndexMap<&'a str, Property<'a>>) -> TypeKind {
        let (mut rust, mut avro) = (Scope::default(), BTreeSet::new());
        let fields = properties.into_iter().map(|(name, property)| {
            let lowered = self.lower_one(property.schema, &format!("{wanted}{}", names::type_name(name)));
            Field {
                wire_name: name.to_owned(),
                rust_name: names::field_name(name, &mut rust),
                avro_name: names::avro_field_name(name, &mut avro),
                doc: lowered.doc.map(str::to_owned),
                element: Element { ty: lowered.ty, optional: !property.required || lowered.nullable },
                boxed: false,
            }
        });
        let fields = fields.collect();
        TypeKind::Struct(StructType { names: wanted_names(wanted), fields })
    }

    /// One of several types: told apart by the kind of JSON value, or else kept as JSON.
    fn union_of(&mut self, wanted: &str, branches: Vec<SchemaRef<'a>>) -> TypeKind {
        let mut leaves = Vec::new();
        self.leaves(branches, &mut leaves, 0);
        let mut by_kind: IndexMap<&'static str, Vec<SchemaRef<'a>>> = IndexMap::new();
        for leaf in leaves {
            let Some(kind) = json_kind(&self.schemas.shape(&leaf).kind) else {
                return TypeKind::Scalar(Scalar::Json);
            };
            by_kind.entry(kind).or_default().push(leaf);
        }
        let mut variants = Vec::new();
        for (kind, mut branches) in by_kind {
            let scalar = match (kind, branches.as_slice()) {
                ("String", [one]) => match self.schemas.shape(one).kind {
                    ShapeKind::String { values, .. } if !values.is_empty() => None,
                    _ => Some(Scalar::String),
                },
                ("String", _) => Some(Scalar::String),
                ("Number", [_, _, ..]) => Some(self.wider(&branches)),
                ("Boolean", [_, _, ..]) => Some(Scalar::Boolean),
                (_, [_]) => None,
                // Two kinds of object or list: nothing in the value itself says which.
                _ => return TypeKind::Scalar(Scalar::Json),
            };
            let ty = match (scalar, branches.pop()) {
                (Some(scalar), _) => self.scalar(scalar),
                (None, Some(branch)) => self.lower_one(branch, &format!("{wanted}{kind}")).ty,
                (None, None) => continue,
            };
            // Free JSON is written as text, and then no text beside it could be told from it.
            if matches!(self.kind(ty), Some(TypeKind::Scalar(Scalar::Json))) {
                return TypeKind::Scalar(Scalar::Json);
            }
            variants.push(UnionVariant { rust_name: kind.to_owned(), ty });
        }
        match variants.as_slice() {
            [] => TypeKind::Scalar(Scalar::Json),
            // Several branches of one scalar; one branch alone has been followed to what it is.
            [one] => self.kind(one.ty).cloned().unwrap_or(TypeKind::Scalar(Scalar::Json)),
            _ => TypeKind::Union(UnionType { names: wanted_names(wanted), variants }),
        }
    }

    /// The branches, with those of branches that are unions themselves in their place.
    fn leaves(&self, branches: Vec<SchemaRef<'a>>, into: &mut Vec<SchemaRef<'a>>, depth: usize) {
        for branch in branches {
            match self.schemas.shape(&branch).kind {
                ShapeKind::OneOf(inner) if depth < DEEPEST => self.leaves(inner, into, depth + 1),
                _ => into.push(self.schemas.follow(branch).schema),
            }
        }
    }

    fn wider(&self, numbers: &[SchemaRef<'a>]) -> Scalar {
        let is_integer = |schema| matches!(self.schemas.shape(schema).kind, ShapeKind::Integer { .. });
        if numbers.iter().all(is_integer) { Scalar::Int64 } else { Scalar::Double }
    }
}

fn wanted_names(wanted: &str) -> TypeNames {
    TypeNames { rust: wanted.to_owned(), module: String::new(), avro: String::new() }
}

fn enum_of(wanted: &str, values: &[&str]) -> TypeKind {
    let mut scope = Scope::default();
    let mut seen = BTreeSet::new();
    let values = values
        .iter()
        .filter(|value| seen.insert(**value))
        .map(|value| EnumValue { wire_name: (*value).to_owned(), rust_name: names::variant_name(value, &mut scope) })
        .collect();
    TypeKind::Enum(EnumType { names: wanted_names(wanted), values })
}

/// The scalar that a shape is, if it is one.
fn scalar_of(kind: &ShapeKind<'_>) -> Option<Scalar> {
    Some(match kind {
        ShapeKind::Any => Scalar::Json,
        ShapeKind::Boolean => Scalar::Boolean,
        ShapeKind::Integer { is_int32: true } => Scalar::Int32,
        ShapeKind::Integer { is_int32: false } => Scalar::Int64,
        ShapeKind::Number { is_float: true } => Scalar::Float,
        ShapeKind::Number { is_float: false } => Scalar::Double,
        ShapeKind::String { values, .. } if !values.is_empty() => return None,
        ShapeKind::String { format, .. } => match format {
            Some("date") => Scalar::Date,
            Some("date-time") => Scalar::DateTime,
            Some("uuid") => Scalar::Uuid,
            Some("byte") => Scalar::Base64,
            _ => Scalar::String,
        },
        ShapeKind::Object { properties, additional: None, .. } if properties.is_empty() => Scalar::Json,
        ShapeKind::Object { .. } | ShapeKind::Array { .. } | ShapeKind::OneOf(_) => return None,
    })
}

/// The kind of JSON value, if it is one; also the name of the variant that holds it.
fn json_kind(kind: &ShapeKind<'_>) -> Option<&'static str> {
    match kind {
        ShapeKind::Boolean => Some("Boolean"),
        ShapeKind::Integer { .. } | ShapeKind::Number { .. } => Some("Number"),
        ShapeKind::String { .. } => Some("String"),
        ShapeKind::Array { .. } => Some("Array"),
        ShapeKind::Object { .. } => Some("Object"),
        ShapeKind::Any | ShapeKind::OneOf(_) => None,
    }
}
