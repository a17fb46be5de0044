//! Schemas that say nothing of what values hold.

use super::{SchemaRef, Schemas, ShapeKind};

impl<'a> Schemas<'a> {
    /// Whether the document says of a value of `schema` at most that it is an object.
    pub(in crate::plan) fn is_undescribed(&self, schema: &SchemaRef<'a>) -> bool {
        !self.shape(schema).has_branches && self.has_no_fields(schema)
    }

    /// Whether a value of `schema` can be an object, and no field of it is known.
    pub(in crate::plan) fn has_no_fields(&self, schema: &SchemaRef<'a>) -> bool {
        match self.shape(schema).kind {
            ShapeKind::Any => true,
            ShapeKind::Object { properties, additional, .. } => {
                let is_anything = |schema: SchemaRef<'a>| matches!(self.shape(&schema).kind, ShapeKind::Any);
                properties.is_empty() && additional.is_none_or(is_anything)
            }
            _ => false,
        }
    }

    /// Whether a value of `schema` is one of several things, some of which are objects or lists.
    pub(in crate::plan) fn is_one_of_several(&self, schema: &SchemaRef<'a>) -> bool {
        let holds = |branch: &SchemaRef<'a>| {
            matches!(self.shape(branch).kind, ShapeKind::Any | ShapeKind::Object { .. } | ShapeKind::Array { .. })
        };
        matches!(self.shape(schema).kind, ShapeKind::OneOf(branches) if branches.iter().any(holds))
    }

    /// Whether a value of `schema` is a list.
    pub(in crate::plan) fn is_list(&self, schema: &SchemaRef<'a>) -> bool {
        matches!(self.shape(schema).kind, ShapeKind::Array { .. })
    }

    /// Whether a value of `schema` is a list, of which the document says at most that it holds objects.
    pub(in crate::plan) fn is_undescribed_list(&self, schema: &SchemaRef<'a>) -> bool {
        match self.shape(schema).kind {
            ShapeKind::Array { items } => items.is_none_or(|items| self.is_undescribed(&items)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::Document;
    use crate::plan::operations::operations;

    #[test]
    fn what_says_nothing_is_undescribed() {
        let is = |schema: Value| {
            let document = Document::of(
                schema,
                json!({"Loop": {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}}}),
            );
            let schemas = Schemas::new(&document.api);
            let answer = operations(&document)[0].answer(&document).unwrap();
            (schemas.is_undescribed(&answer.schema), schemas.is_undescribed_list(&answer.schema))
        };
        let text = json!({"type": "string"});
        for (schema, expected) in [
            (json!({}), (true, false)),
            (json!({"type": "object"}), (true, false)),
            (json!({"type": "object", "additionalProperties": true}), (true, false)),
            (json!({"type": "object", "additionalProperties": {}}), (true, false)),
            (json!({"type": "object", "additionalProperties": text}), (false, false)),
            (json!({"type": "object", "properties": {"a": {}}}), (false, false)),
            (json!({"type": "array", "items": {}}), (false, true)),
            (json!({"type": "array", "items": {"type": "object"}}), (false, true)),
            (json!({"type": "array", "items": text}), (false, false)),
            (json!({"type": "array", "items": {"type": "array", "items": {}}}), (false, false)),
            (json!({"$ref": "#/components/schemas/Loop"}), (false, false)),
            (json!({"oneOf": [{"type": "object"}, text]}), (false, false)),
            (json!({"type": "object", "oneOf": [{"type": "object"}, text]}), (false, false)),
            (
                json!({"type": "array", "items": {"type": "object", "oneOf": [{"type": "object"}, text]}}),
                (false, false),
            ),
            (text.clone(), (false, false)),
        ] {
            assert_eq!(is(schema.clone()), expected, "{schema}");
        }
    }
}
