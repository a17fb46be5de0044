//! The operations of a document.

use std::collections::BTreeSet;

use heck::ToSnakeCase as _;
use openapiv3::{Link, MediaType, Operation, PathItem, ReferenceOr, Response, StatusCode};

use super::components::resolve;
use super::schema::{SchemaRef, Schemas, ShapeKind, schema_ref};
use crate::document::{Document, pointer};

/// An operation and where it is.
#[derive(Clone, Debug)]
pub(super) struct OperationRef<'a> {
    /// `operationId`, or method and path; unique.
    pub(super) id: String,
    /// HTTP method, in upper case.
    pub(super) method: String,
    pub(super) path: &'a str,
    /// JSON Pointer to the operation.
    pub(super) at: String,
    pub(super) item: &'a PathItem,
    pub(super) operation: &'a Operation,
}

/// All of them, in the document's order.
pub(super) fn operations(document: &Document) -> Vec<OperationRef<'_>> {
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for (path, item) in document.api.paths.iter() {
        let ReferenceOr::Item(item) = item else { continue };
        for (method, operation) in item.iter() {
            let at = pointer::join(&pointer::join("/paths", path), method);
            let base = operation.operation_id.clone().unwrap_or_else(|| format!("{method}{path}"));
            let mut id = base.clone();
            let mut number = 2;
            while !taken.insert(id.clone()) {
                id = format!("{base}-{number}");
                number += 1;
            }
            found.push(OperationRef { id, method: method.to_uppercase(), path, at, item, operation });
        }
    }
    found
}

/// What an operation answers when all is well.
pub(super) struct Answer<'a> {
    /// The schema of the JSON body; of JSON lines, that of a list of them.
    pub(super) schema: SchemaRef<'a>,
    /// The media type, if it is one of JSON lines.
    pub(super) lines: Option<&'a str>,
    /// Names of the documented headers.
    pub(super) headers: Vec<&'a str>,
    /// What the response leads to, by the links' names.
    pub(super) links: Vec<&'a Link>,
}

/// What the names of operations that read by POST say.
const READS: [&str; 8] = ["search", "query", "list", "find", "filter", "scroll", "lookup", "browse"];

impl<'a> OperationRef<'a> {
    /// Whether it can be one that reads, or why not: `is_wished` if a person says that it does. Otherwise a POST must have a
    /// name for it.
    pub(super) fn reads(&self, is_wished: bool) -> Result<(), String> {
        match self.method.as_str() {
            "GET" => Ok(()),
            "POST" if is_wished || self.is_called_reading() => Ok(()),
            "POST" => Err("its method is POST, and its name does not say that it reads".to_owned()),
            method => Err(format!("its method is {method}, neither GET nor POST")),
        }
    }

    /// Whether the end of its path is called as what reads is, as `/pages/search`, `/pages:query` or `/listPages`.
    fn is_called_reading(&self) -> bool {
        let end = self.path.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
        let words = end.to_snake_case();
        let words: Vec<&str> = words.split('_').collect();
        let is_one = |word: Option<&&str>| word.is_some_and(|word| READS.contains(word));
        is_one(words.first()) || is_one(words.last())
    }

    /// The 2xx response of the lowest code that has a JSON body, one that is described before one that is not; or why there
    /// is none. A range stands for the codes that are not told of, `default` for all where no 2xx is (OAS 3.0.3 section
    /// 4.7.16).
    pub(super) fn answer(&self, document: &'a Document) -> Result<Answer<'a>, String> {
        let schemas = Schemas::new(&document.api);
        let responses = &self.operation.responses;
        let is_success = |status: &StatusCode| matches!(status, StatusCode::Code(200..=299) | StatusCode::Range(2));
        let mut successes: Vec<_> = responses.responses.iter().filter(|(status, _)| is_success(status)).collect();
        successes.sort_by_key(|(status, _)| match status {
            StatusCode::Code(code) => (false, *code),
            StatusCode::Range(range) => (true, *range),
        });
        let mut answers: Vec<_> = successes.into_iter().map(|(status, response)| (Some(status), response)).collect();
        if answers.is_empty() {
            answers.extend(responses.default.iter().map(|response| (None, response)));
        }
        let none = if answers.is_empty() { "no 2xx response" } else { "no 2xx response has a JSON body" };
        let mut undescribed = None;
        for (status, response) in answers {
            let Some(response) = resolve(document, response) else { continue };
            let Some((schema, lines)) = body(status, response) else { continue };
            // The schema is that of one line, or of what all of them are together.
            let is_of_line = lines.is_some() && !matches!(schemas.shape(&schema).kind, ShapeKind::Array { .. });
            let schema = if is_of_line { SchemaRef::ListOf(Box::new(schema)) } else { schema };
            let headers = response.headers.keys().map(String::as_str).collect();
            let links = response.links.values().filter_map(|link| link.as_item()).collect();
            let answer = Answer { schema, lines, headers, links };
            if !schemas.is_undescribed(&answer.schema) && !schemas.is_undescribed_list(&answer.schema) {
                return Ok(answer);
            }
            undescribed = undescribed.or(Some(answer));
        }
        undescribed.ok_or_else(|| none.to_owned())
    }

    /// Whether an answer is 429, and the names of the headers that the answers have.
    pub(super) fn limits(&self, document: &'a Document) -> (bool, Vec<&'a str>) {
        let responses = &self.operation.responses.responses;
        let refuses = responses.keys().any(|status| *status == StatusCode::Code(429));
        let responses = responses.values().filter_map(|response| resolve(document, response));
        (refuses, responses.flat_map(|response| response.headers.keys().map(String::as_str)).collect())
    }
}

/// The schema of a response's body, and the media type if that is one of JSON lines. Of no status, the response is the
/// `default`.
fn body<'a>(status: Option<&StatusCode>, response: &'a Response) -> Option<(SchemaRef<'a>, Option<&'a str>)> {
    let schema_of = |content: &'a MediaType| {
        content.schema.as_ref().map_or_else(SchemaRef::of_anything, |schema| schema_ref(schema))
    };
    let json = response.content.iter().filter(|(media_type, _)| is_json(media_type));
    let json = json
        .min_by_key(|(media_type, content)| (content.schema.is_none(), *media_type != "application/json", *media_type));
    if let Some((_, content)) = json {
        return Some((schema_of(content), None));
    }
    if let Some((media_type, content)) = response.content.iter().find(|(media_type, _)| is_json_lines(media_type)) {
        return Some((schema_of(content), Some(media_type)));
    }
    // Content that is not spoken of may be there all the same, if the status does not say that it is not.
    let may_have_content = matches!(status, None | Some(StatusCode::Code(200 | 203) | StatusCode::Range(_)));
    (response.content.is_empty() && may_have_content).then(|| (SchemaRef::of_anything(), None))
}

/// `application/json`, with parameters or a structured suffix (RFC 6839 section 3.1).
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    matches!(essence.as_str(), "application/json" | "text/json" | "application/*" | "*/*") || essence.ends_with("+json")
}

/// A JSON text on each line, or a sequence of them (RFC 7464): what the runtime reads as a list.
fn is_json_lines(media_type: &str) -> bool {
    matches!(
        essence(media_type).as_str(),
        "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines"
            | "application/json-seq"
    )
}

/// A media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or(media_type).trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_answers_where_nothing_else_does() {
        let answer = |responses: serde_json::Value| {
            let document = Document::of_operation(serde_json::json!({ "responses": responses }), serde_json::json!({}));
            operations(&document)[0].answer(&document).map(|_| ())
        };
        let json = |name: &str| serde_json::json!({"description": "", "content": {name: {"schema": {}}}});
        assert_eq!(answer(serde_json::json!({"default": json("application/json")})), Ok(()));
        assert_eq!(answer(serde_json::json!({"2XX": json("application/hal+json")})), Ok(()));
        assert_eq!(
            answer(serde_json::json!({"204": {"description": ""}, "206": json("*/*"), "default": json("a/b")})),
            Ok(())
        );
        let none = Err("no 2xx response has a JSON body".to_owned());
        assert_eq!(answer(serde_json::json!({"200": json("text/csv"), "default": json("text/json")})), none);
        assert_eq!(answer(serde_json::json!({})), Err("no 2xx response".to_owned()));
        // What is said of no content.
        for (status, expected) in [("200", Ok(())), ("203", Ok(())), ("2XX", Ok(())), ("default", Ok(()))] {
            assert_eq!(answer(serde_json::json!({status: {"description": ""}})), expected, "{status}");
        }
        for status in ["201", "204", "205", "206"] {
            assert_eq!(answer(serde_json::json!({status: {"description": ""}})), none, "{status}");
        }
    }

    /// The answer's schema as text, in a document with these responses.
    fn answered(responses: serde_json::Value) -> (String, Option<String>) {
        let document = Document::of_operation(serde_json::json!({ "responses": responses }), serde_json::json!({}));
        let answer = operations(&document)[0].answer(&document).unwrap();
        let name =
            |schema: &SchemaRef<'_>| Schemas::new(&document.api).shape(schema).doc.unwrap_or("nothing").to_owned();
        let schema = match &answer.schema {
            SchemaRef::ListOf(line) => format!("a list of {}", name(line)),
            schema => name(schema),
        };
        (schema, answer.lines.map(str::to_owned))
    }

    #[test]
    fn what_is_described_goes_first() {
        let content = |content: serde_json::Value| serde_json::json!({"description": "", "content": content});
        let schema = |name: &str| serde_json::json!({"schema": {"description": name, "type": "object", "properties": {"a": {}}}});
        let free = serde_json::json!({"schema": {"description": "free"}});
        for (responses, expected) in [
            (
                serde_json::json!({"200": {"description": ""}, "202": content(serde_json::json!({"a/b+json": schema("a")}))}),
                "a",
            ),
            (
                serde_json::json!({
                    "200": content(serde_json::json!({"application/json": free})),
                    "2XX": content(serde_json::json!({"application/json": {}})),
                }),
                "free",
            ),
            (serde_json::json!({"200": content(serde_json::json!({"application/json": {}, "*/*": schema("b")}))}), "b"),
        ] {
            assert_eq!(answered(responses.clone()), (expected.to_owned(), None), "{responses}");
        }
    }

    #[test]
    fn a_schema_of_json_lines_is_that_of_a_line() {
        let of =
            |content: serde_json::Value| answered(serde_json::json!({"200": {"description": "", "content": content}}));
        let line = serde_json::json!({"schema": {"description": "lines", "type": "object", "properties": {"a": {}}}});
        let list = serde_json::json!({"schema": {"description": "a whole", "type": "array", "items": {}}});
        let lines = |schema: &str, media_type: &str| (schema.to_owned(), Some(media_type.to_owned()));
        for media_type in ["application/x-ndjson", "application/jsonl; charset=utf-8", "application/json-seq"] {
            assert_eq!(of(serde_json::json!({media_type: line})), lines("a list of lines", media_type));
        }
        assert_eq!(of(serde_json::json!({"application/ndjson": list})), lines("a whole", "application/ndjson"));
        assert_eq!(of(serde_json::json!({"application/ndjson": {}})), lines("a list of nothing", "application/ndjson"));
        let both = serde_json::json!({"application/ndjson": line, "application/json": list});
        assert_eq!(of(both), ("a whole".to_owned(), None));
    }

    #[test]
    fn what_reads_by_post_is_called_so() {
        let reads = |method: &str, path: &str, is_wished: bool| {
            let mut document = Document::of_operation(serde_json::json!({"responses": {}}), serde_json::json!({}));
            let Some((_, ReferenceOr::Item(item))) = document.api.paths.paths.shift_remove_index(0) else {
                panic!("a path")
            };
            document.api.paths.paths.insert(path.to_owned(), ReferenceOr::Item(item));
            let operation = OperationRef { method: method.to_owned(), ..operations(&document)[0].clone() };
            operation.reads(is_wished).is_ok()
        };
        for path in ["/search", "/databases/{id}/query", "/pages:search", "/v1/listPages", "/files/list_folder", "/x/"]
        {
            assert!(reads("GET", path, false), "{path}");
            assert_eq!(reads("POST", path, false), path != "/x/", "{path}");
            assert!(reads("POST", path, true), "{path}");
            assert!(!reads("PUT", path, true), "{path}");
        }
    }

    #[test]
    fn json_has_many_names() {
        for media_type in ["application/json", "application/json; charset=utf-8", "application/vnd.api+json", "*/*"] {
            assert!(is_json(media_type), "{media_type}");
        }
        for media_type in ["text/plain", "application/xml", "application/jsonp"] {
            assert!(!is_json(media_type), "{media_type}");
        }
    }
}
