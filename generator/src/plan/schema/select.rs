//! What a JSONPath (RFC 9535) selects from a value, by its schema.

use std::collections::BTreeSet;

use serde_json_path::JsonPath;

use super::{SchemaRef, Schemas, ShapeKind};
use crate::document::pointer;

/// How deep descendants are looked for in schemas without a name, which cannot hold themselves.
const DEEPEST: usize = 32;

/// A JSONPath, as far as schemas can follow it: whatever a filter asks, it lets through what it looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaPath(Vec<Segment>);

/// One step of a path (section 2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    /// Whether it also steps down from everything within.
    descends: bool,
    selectors: Vec<Selector>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Selector {
    /// A member.
    Name(String),
    /// An index or a slice: elements.
    Elements,
    /// A wildcard: elements or member values.
    All,
    /// Those elements or member values of which the expression is true.
    Filter(String),
}

/// One step of a path on which records can be laid out: see [`SchemaPath::steps`].
#[cfg(feature = "run")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// Into a member.
    Name(&'a str),
    /// Into elements, of which the expression is true if there is one.
    Elements(Option<&'a str>),
}

impl SchemaPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        JsonPath::parse(text).map_err(|error| error.to_string())?;
        // The text is well-formed: what follows only takes it apart.
        let mut rest = text.trim_start().strip_prefix('$').unwrap_or_default().trim_start();
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let descends = rest.starts_with("..");
            rest = if descends { &rest[2..] } else { rest };
            let selectors = match rest.strip_prefix('[') {
                Some(inner) => {
                    let end = top_level(inner, ']').next().unwrap_or(inner.len());
                    rest = inner.get(end + 1..).unwrap_or_default();
                    bracketed(&inner[..end])
                }
                None => {
                    let name = if descends { rest } else { rest.strip_prefix('.').unwrap_or(rest) };
                    let end = name.find(|c: char| ".[".contains(c) || c.is_whitespace()).unwrap_or(name.len());
                    rest = &name[end..];
                    vec![if &name[..end] == "*" { Selector::All } else { Selector::Name(name[..end].to_owned()) }]
                }
            };
            segments.push(Segment { descends, selectors });
            rest = rest.trim_start();
        }
        Ok(Self(segments))
    }

    /// The JSON Pointer of a path that only names members, and whether it ends with a wildcard after them.
    pub(in crate::plan) fn plain(&self) -> Option<(String, bool)> {
        let (names, all) = match self.0.split_last() {
            Some((Segment { descends: false, selectors }, names)) if *selectors == [Selector::All] => (names, true),
            _ => (self.0.as_slice(), false),
        };
        let mut place = String::new();
        for segment in names {
            match segment.selectors.as_slice() {
                [Selector::Name(name)] if !segment.descends => place = pointer::join(&place, name),
                _ => return None,
            }
        }
        Some((place, all))
    }

    /// The shortest way on which something is selected, if all of the records can be elements of one list on it.
    #[cfg(feature = "run")]
    pub(crate) fn steps(&self) -> Vec<Step<'_>> {
        let first = self.0.iter().filter_map(|segment| segment.selectors.first());
        first
            .map(|selector| match selector {
                Selector::Name(name) => Step::Name(name),
                Selector::Elements | Selector::All => Step::Elements(None),
                Selector::Filter(expression) => Step::Elements(Some(expression)),
            })
            .collect()
    }
}

/// Where `wanted` stands in a text outside of quotes and further brackets.
fn top_level(text: &str, wanted: char) -> impl Iterator<Item = usize> + '_ {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    text.char_indices().filter_map(move |(index, char)| {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if char == '\\' => escaped = true,
            Some(open) if char == open => quote = None,
            Some(_) => {}
            None if depth == 0 && char == wanted => return Some(index),
            None if char == '\'' || char == '"' => quote = Some(char),
            None if char == '[' || char == '(' => depth += 1,
            None if char == ']' || char == ')' => depth = depth.saturating_sub(1),
            None => {}
        }
        None
    })
}

/// What stands in brackets.
fn bracketed(text: &str) -> Vec<Selector> {
    let mut start = 0;
    let ends: Vec<usize> = top_level(text, ',').chain([text.len()]).collect();
    let parts = ends.into_iter().map(|end| {
        let part = text[start..end].trim();
        start = end + 1;
        part
    });
    parts
        .map(|part| match part.chars().next() {
            Some('*') => Selector::All,
            Some('?') => Selector::Filter(part[1..].trim().to_owned()),
            Some('\'' | '"') => literal(part).map_or(Selector::All, Selector::Name),
            _ => Selector::Elements,
        })
        .collect()
}

/// A text in either kind of quotes (section 2.3.1).
pub(crate) fn literal(text: &str) -> Option<String> {
    let text = match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(inner) => format!("\"{}\"", inner.replace("\\'", "'").replace('"', "\\\"")),
        None => text.to_owned(),
    };
    serde_json::from_str(&text).ok()
}

impl<'a> Schemas<'a> {
    /// The schemas of what `path` selects from a value of `schema`, each once; `None` if the document does not describe
    /// all that it looks at.
    pub(in crate::plan) fn select(&self, schema: &SchemaRef<'a>, path: &SchemaPath) -> Option<Vec<SchemaRef<'a>>> {
        let mut at = vec![schema.clone()];
        for segment in &path.0 {
            if segment.descends {
                at = self.within(at);
            }
            let mut next = Vec::new();
            for schema in &at {
                for selector in &segment.selectors {
                    match self.children(schema, selector, segment.descends) {
                        Some(found) => next.extend(found),
                        // Of what is anywhere, what is not described may hold no more.
                        None if segment.descends => {}
                        None => return None,
                    }
                }
            }
            at = self.distinct(next);
        }
        Some(at)
    }

    /// What a selector selects from a value of `schema`; `None` if the document does not describe it. A map has every name,
    /// but among descendants only what is called so on purpose is looked for.
    fn children(&self, schema: &SchemaRef<'a>, selector: &Selector, declared: bool) -> Option<Vec<SchemaRef<'a>>> {
        Some(match (self.shape(schema).kind, selector) {
            (ShapeKind::Any, _) | (ShapeKind::Array { items: None }, _) => return None,
            (ShapeKind::OneOf(branches), _) => {
                let found = branches.iter().map(|branch| self.children(branch, selector, declared));
                found.collect::<Option<Vec<_>>>()?.concat()
            }
            (ShapeKind::Array { items: Some(items) }, Selector::Elements | Selector::All | Selector::Filter(_)) => {
                vec![items]
            }
            (ShapeKind::Object { properties, additional, .. }, Selector::Name(name)) => {
                match (properties.get(name.as_str()), additional) {
                    (Some(property), _) => vec![property.schema.clone()],
                    (None, Some(additional)) if !declared => vec![additional],
                    (None, Some(_)) => Vec::new(),
                    (None, None) if properties.is_empty() => return None,
                    (None, None) => Vec::new(),
                }
            }
            (ShapeKind::Object { properties, additional, .. }, Selector::All | Selector::Filter(_)) => {
                properties.into_values().map(|property| property.schema).chain(additional).collect()
            }
            _ => Vec::new(),
        })
    }

    /// These and everything within them.
    fn within(&self, schemas: Vec<SchemaRef<'a>>) -> Vec<SchemaRef<'a>> {
        let mut open: Vec<_> = schemas.into_iter().map(|schema| (schema, 0)).collect();
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        while let Some((schema, depth)) = open.pop() {
            let schema = self.follow(schema).schema;
            if depth > DEEPEST || matches!(&schema, SchemaRef::Named(name) if !seen.insert(*name)) {
                continue;
            }
            open.extend(
                self.children(&schema, &Selector::All, true).into_iter().flatten().map(|child| (child, depth + 1)),
            );
            found.push(schema);
        }
        found
    }

    fn distinct(&self, schemas: Vec<SchemaRef<'a>>) -> Vec<SchemaRef<'a>> {
        let mut distinct: Vec<SchemaRef<'a>> = Vec::new();
        for schema in schemas {
            let schema = self.follow(schema).schema;
            let is_known = distinct.iter().any(|known| match (known, &schema) {
                (SchemaRef::Named(known), SchemaRef::Named(name)) => known == name,
                (SchemaRef::Inline(known), SchemaRef::Inline(schema)) => known == schema,
                _ => false,
            });
            if !is_known {
                distinct.push(schema);
            }
        }
        distinct
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Document;

    #[test]
    fn paths_of_plain_names_are_pointers() {
        let plain = |text: &str| SchemaPath::parse(text).unwrap().plain();
        for (path, pointer, all) in [
            ("$", "", false),
            ("$[*]", "", true),
            ("$.a.b[*]", "/a/b", true),
            ("$.a.*", "/a", true),
            ("$['a/b'][\"c\\u0064\"]", "/a~1b/cd", false),
            ("$['it\\'s \"x\"'] [*]", "/it's \"x\"", true),
        ] {
            assert_eq!(plain(path), Some((pointer.to_owned(), all)), "{path}");
        }
        for path in ["$.a[0]", "$..a", "$.a[*].b", "$['a','b']", "$.a[?@.b == ']']", "$.a[1:2]"] {
            assert_eq!(plain(path), None, "{path}");
        }
        assert!(SchemaPath::parse("$.a[").is_err());
    }

    #[test]
    fn schemas_are_followed_along_a_path() {
        let schemas = json!({
            "Order": {"type": "object", "properties": {"id": {"type": "string"}, "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}}},
            "Line": {"type": "object", "properties": {"sku": {"type": "string"}, "of": {"$ref": "#/components/schemas/Order"}}},
        });
        let response = json!({"type": "object", "properties": {
            "data": {"type": "array", "items": {"type": "object", "properties": {
                "type": {"type": "string"}, "item": {"$ref": "#/components/schemas/Order"}}}},
            "by_id": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Order"}},
            "free": {},
        }});
        let document = Document::of(response, schemas);
        let api = &document.api;
        let schemas = Schemas::new(api);
        let operation = &crate::plan::operations::operations(&document)[0];
        let answer = operation.answer(&document).unwrap();
        let named = |path: &str| {
            let found = schemas.select(&answer.schema, &SchemaPath::parse(path).unwrap())?;
            let names = found.iter().map(|schema| match schema {
                SchemaRef::Named(name) => *name,
                _ => "inline",
            });
            Some(names.collect::<Vec<_>>())
        };
        for (path, expected) in [
            ("$.data[*].item", vec!["Order"]),
            ("$.data[?@.type == 'order'].item", vec!["Order"]),
            ("$.data[0].item.lines[1:]", vec!["Line"]),
            ("$['data','by_id'][*]['item']", vec!["Order"]),
            ("$.by_id.*", vec!["Order"]),
            ("$..lines[*]", vec!["Line"]),
            ("$.data[*]", vec!["inline"]),
            ("$.dato[*].item", vec![]),
            ("$.data.item", vec![]),
        ] {
            assert_eq!(named(path), Some(expected), "{path}");
        }
        assert_eq!(named("$.free[*]"), None);
    }
}
