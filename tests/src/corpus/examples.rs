//! Values for the parameters of a document's GET operations, by what the document says of them.

use serde_json::{Value, json};

use super::Document;
use crate::HarnessError;

/// How many `$ref`s may follow one another.
const REFERENCES: usize = 16;

/// A document, asked for examples. References to other files are not followed.
pub struct Examples {
    document: Value,
}

impl Examples {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn new(document: &Document) -> Result<Self, HarnessError> {
        let failed =
            |error: &dyn std::fmt::Display| HarnessError::Setup(format!("{}: {error}", document.path.display()));
        let text = std::fs::read_to_string(&document.path).map_err(|error| failed(&error))?;
        let is_json = document.path.extension().is_some_and(|extension| extension == "json");
        let document = match is_json {
            true => serde_json::from_str(&text).map_err(|error| failed(&error))?,
            false => serde_yaml::from_str(&text).map_err(|error| failed(&error))?,
        };
        Ok(Self { document })
    }

    /// A value for a parameter of the GET operation at `path`, if one can be made up.
    pub fn parameter(&self, path: &str, name: &str) -> Option<Value> {
        let item = &self.document["paths"][path];
        let own = item["get"]["parameters"].as_array().into_iter().flatten();
        let shared = item["parameters"].as_array().into_iter().flatten();
        let parameter = own.chain(shared).map(|it| self.resolve(it)).find(|it| it["name"] == name)?;
        let schema = self.resolve(&parameter["schema"]);
        let given = self.given(parameter).or_else(|| self.given(schema));
        // Some documents give what their own schema does not allow.
        if let Some(value) = given.filter(|value| self.fits(schema, value)) {
            return Some(value);
        }
        self.of_schema(schema)
    }

    /// What the document itself gives as an example.
    fn given(&self, of: &Value) -> Option<Value> {
        let first = |examples: &Value| match examples {
            Value::Object(examples) => examples.values().next().map(|example| self.resolve(example)["value"].clone()),
            Value::Array(examples) => examples.first().cloned(),
            _ => None,
        };
        of.get("example").cloned().or_else(|| first(&of["examples"])).filter(|value| !value.is_null())
    }

    /// Whether a value is of the format that its schema asks for; of a list, its items.
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().all(|item| self.fits(self.resolve(&schema["items"]), item)),
            value if schema["type"] == "array" => self.fits(self.resolve(&schema["items"]), value),
            Value::String(text) if schema["format"] == "uuid" => is_uuid(text),
            _ => true,
        }
    }

    fn of_schema(&self, schema: &Value) -> Option<Value> {
        let schema = self.resolve(schema);
        let given = schema.get("const").or_else(|| schema["enum"].get(0)).or_else(|| schema.get("default"));
        if let Some(value) = given.filter(|value| !value.is_null()) {
            return Some(value.clone());
        }
        for branches in ["oneOf", "anyOf", "allOf"] {
            if let Some(branch) = schema[branches].get(0) {
                return self.of_schema(branch);
            }
        }
        let ty = match &schema["type"] {
            Value::Array(types) => types.iter().find(|ty| *ty != "null")?,
            ty => ty,
        };
        match ty.as_str()? {
            "integer" | "number" => {
                let least = schema["minimum"].as_f64().unwrap_or(1.0).max(1.0);
                let value = schema["maximum"].as_f64().map_or(least, |most| least.min(most));
                Some(json!(value as i64))
            }
            "boolean" => Some(json!(true)),
            "array" => self.given(schema).or_else(|| self.list(schema)),
            "string" => text(schema),
            _ => None,
        }
    }

    /// Two items where two may be: what stands between them is a part of the request too.
    fn list(&self, schema: &Value) -> Option<Value> {
        let items = self.resolve(&schema["items"]);
        let most = schema["maxItems"].as_u64().unwrap_or(2).min(2) as usize;
        if let Some(listed) = items["enum"].as_array() {
            return Some(listed.iter().take(most).cloned().collect());
        }
        let item = self.of_schema(items)?;
        let count = if schema["uniqueItems"] == true { 1 } else { most };
        Some(vec![item; count].into())
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..REFERENCES {
            let reference = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
            match reference.and_then(|pointer| self.document.pointer(pointer)) {
                Some(target) => value = target,
                None => return value,
            }
        }
        value
    }

    /// Headers that let a request to the GET operation at `path` in: those of the first way that the document names.
    pub fn credentials(&self, path: &str) -> Vec<(String, String)> {
        let own = self.document["paths"][path]["get"].get("security");
        let Some(ways) = own.or_else(|| self.document.get("security")).and_then(Value::as_array) else {
            return Vec::new();
        };
        let names = ways.first().and_then(Value::as_object).into_iter().flat_map(|way| way.keys());
        let schemes = names.map(|name| self.resolve(&self.document["components"]["securitySchemes"][name]));
        let headers = schemes.filter_map(|scheme| {
            let text = |name: &str| scheme[name].as_str().unwrap_or_default().to_ascii_lowercase();
            let name = scheme["name"].as_str().unwrap_or_default();
            match (text("type").as_str(), text("scheme").as_str(), text("in").as_str()) {
                ("http", "basic", _) => Some(("authorization".to_owned(), "Basic YW55OmFueQ==".to_owned())),
                ("http" | "oauth2" | "openidconnect", ..) => {
                    Some(("authorization".to_owned(), "Bearer any".to_owned()))
                }
                ("apikey", _, "header") => Some((name.to_ascii_lowercase(), "any".to_owned())),
                ("apikey", _, "cookie") => Some(("cookie".to_owned(), format!("{name}=any"))),
                _ => None,
            }
        });
        headers.collect()
    }
}

/// RFC 9562 section 4.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hexadecimal = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hexadecimal)
}

/// Text of a format. Of a pattern none is made up.
fn text(schema: &Value) -> Option<Value> {
    if schema.get("pattern").is_some() {
        return None;
    }
    Some(match schema["format"].as_str().unwrap_or_default() {
        "date-time" => json!("2024-01-01T00:00:00Z"),
        "date" => json!("2024-01-01"),
        "uuid" => json!("6e8bc430-9c3a-11d9-9669-0800200c9a66"),
        "uri" => json!("https://example.com/"),
        "email" => json!("a@example.com"),
        _ => {
            let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
            json!("a".repeat(schema["minLength"].as_u64().unwrap_or(3).max(1).min(most) as usize))
        }
    })
}
