//! What is sent.

use super::super::auth::secret_headers;
use super::super::kind::{Kind, SEPARATOR, TEXT};
use super::super::names::api_name;
use super::super::property::{Property, properties};
use super::super::reader::Reader;
use super::BOOLEAN;
use crate::configured::{BodyTemplate, QueryTemplate, RequestTemplate, Template, TimeFormat};
use crate::http::Method;
use crate::secret::Secret;

const METHOD: Kind<Method> = Kind::OneOf(&[
    ("GET", Method::Get),
    ("POST", Method::Post),
    ("PUT", Method::Put),
    ("PATCH", Method::Patch),
    ("DELETE", Method::Delete),
    ("OPTIONS", Method::Options),
]);

properties! {
    PATH: String = Property::new(
        "http.api.path",
        TEXT,
        "The path below the base URL, perhaps with a query after `?`. May hold variables: `${offset}`, `${primary_key}`, \
         `${start_time}`, `${end_time}`, `${now}`, `${uuid}`, `${config:NAME}`. What stands in their place is percent-encoded.",
    ).per_api().high();
    METHOD_PROPERTY: Method = Property::new("http.request.method", METHOD, "The method of the requests.")
        .per_api().default("GET").high();
    PATH_PARAMETERS: String = Property::new(
        "http.path.parameters",
        TEXT,
        "Values for places in the path that are written `{name}`, as `name:value|name:value`. May hold variables.",
    ).per_api();
    PATH_SEPARATOR: String = Property::new(
        "http.path.parameters.separator",
        SEPARATOR,
        "What stands between two of `http.path.parameters`.",
    ).per_api().default("|").low();
    QUERY: String = Property::new(
        "http.request.parameters",
        TEXT,
        "Query parameters, as `name=value&name=value`, whatever the method. May hold variables.",
    ).hidden().per_api();
    QUERY_SEPARATOR: String = Property::new(
        "http.request.parameters.separator",
        SEPARATOR,
        "What stands between two of `http.request.parameters`.",
    ).per_api().default("&").low();
    HEADERS: String = Property::new(
        "http.request.headers",
        TEXT,
        "Headers, as `Name:value|Name:value`. May hold variables.",
    ).hidden().per_api();
    HEADERS_SEPARATOR: String = Property::new(
        "http.request.headers.separator",
        SEPARATOR,
        "What stands between two of `http.request.headers`, and of `http.request.sensitive.headers`.",
    ).per_api().default("|").low();
    SENSITIVE_HEADERS: Secret = Property::secret(
        "http.request.sensitive.headers",
        "Headers that must not be seen, as `Name:value|Name:value`; in place of those of the same names in \
         `http.request.headers`. They hold no variables.",
    ).per_api();
    BODY: String = Property::new(
        "http.request.body",
        TEXT,
        "What requests carry, whatever the method. May hold variables; what stands in their place is escaped within the \
         strings of a JSON body and in a form, and put in as it is elsewhere. Its type is that of the header \
         `Content-Type`, or `application/json`.",
    ).hidden().per_api();
    COMPRESSION: bool = Property::new(
        "http.response.compression.enabled",
        BOOLEAN,
        "Whether responses may come compressed, by gzip, brotli or zstd.",
    ).per_api().default("true").low();
}

/// Headers whose values must not be seen.
pub(super) type SecretHeaders = Vec<(String, Secret)>;

/// Reads what is sent; `format` is how times are written unless a variable says otherwise.
pub(super) fn read(
    reader: &mut Reader<'_>,
    number: usize,
    format: Option<&TimeFormat>,
) -> Option<(RequestTemplate, SecretHeaders)> {
    let mut templates = Templates { number, format: format.cloned().unwrap_or(TimeFormat::UnixMillis) };
    let method = reader.get_of(number, &METHOD_PROPERTY);
    let path = reader.get_of(number, &PATH).unwrap_or_default();
    let path = templates.read(reader, &PATH, &path);
    let path_parameters = templates.pairs(reader, &PATH_PARAMETERS, &PATH_SEPARATOR, ':');
    let path = put(reader, number, path, path_parameters);
    let query = read_query(reader, &mut templates);
    let headers = templates.pairs(reader, &HEADERS, &HEADERS_SEPARATOR, ':');
    let sensitive = read_sensitive(reader, number);
    let body = reader.get_of(number, &BODY).map(|body| templates.read(reader, &BODY, &body));
    let (mut headers, sensitive) = (headers?, sensitive?);
    headers.retain(|(name, _)| sensitive.iter().all(|(other, _)| !other.eq_ignore_ascii_case(name)));
    let body = match body {
        Some(content) => {
            let content_type = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            let content_type = content_type.map(|at| headers.remove(at).1);
            // A media type with variables in it would be a strange thing.
            let written = content_type.map(|value| value.texts().collect::<String>());
            let content_type = written.unwrap_or_else(|| "application/json".to_owned());
            Some(BodyTemplate { content_type, content: content? })
        }
        None => None,
    };
    Some((RequestTemplate { method: method?, path: path?, query: query?, headers, body }, sensitive))
}

/// Whether responses may come compressed.
pub(super) fn read_compression(reader: &mut Reader<'_>, number: usize) -> Option<bool> {
    reader.get_of(number, &COMPRESSION)
}

struct Templates {
    number: usize,
    format: TimeFormat,
}

impl Templates {
    fn read(&mut self, reader: &mut Reader<'_>, property: &Property<String>, text: &str) -> Option<Template> {
        let name = api_name(self.number, property.name());
        match Template::parse(text, &self.format, &|other| reader.text(other)) {
            Ok(template) => Some(template),
            Err(error) => {
                reader.conflict(&name, error.to_string(), None);
                None
            }
        }
    }

    /// Names and values, each split at its first `mark`.
    fn pairs(
        &mut self,
        reader: &mut Reader<'_>,
        property: &Property<String>,
        separator: &Property<String>,
        mark: char,
    ) -> Option<Vec<(String, Template)>> {
        let separator = reader.get_of(self.number, separator);
        let Some(text) = reader.get_of(self.number, property) else { return Some(Vec::new()) };
        let mut pairs = Vec::new();
        for entry in text.split(separator?.as_str()).filter(|entry| !entry.trim().is_empty()) {
            let Some((name, value)) = entry.split_once(mark).filter(|(name, _)| !name.trim().is_empty()) else {
                let expected = format!("a list of names and values with `{mark}` between them");
                reader.invalid(&api_name(self.number, property.name()), expected, None);
                return None;
            };
            pairs.push((name.trim().to_owned(), self.read(reader, property, value.trim())?));
        }
        Some(pairs)
    }
}

fn put(
    reader: &mut Reader<'_>,
    number: usize,
    path: Option<Template>,
    parameters: Option<Vec<(String, Template)>>,
) -> Option<Template> {
    let (mut path, parameters) = (path?, parameters?);
    for (name, value) in &parameters {
        if !path.put(&format!("{{{name}}}"), value) {
            let reason = format!("names `{name}`, but `{}` holds no `{{{name}}}`", api_name(number, PATH.name()));
            reader.conflict(&api_name(number, PATH_PARAMETERS.name()), reason, None);
        }
    }
    let open = path.texts().find_map(|text| text.split_once('{')?.1.split_once('}').map(|(name, _)| name.to_owned()));
    if let Some(name) = open {
        let reason = format!("holds `{{{name}}}`, to which `{}` gives no value", PATH_PARAMETERS.name());
        reader.conflict(&api_name(number, PATH.name()), reason, None);
    }
    Some(path)
}

fn read_query(reader: &mut Reader<'_>, templates: &mut Templates) -> Option<Vec<QueryTemplate>> {
    let separator = reader.get_of(templates.number, &QUERY_SEPARATOR);
    let Some(text) = reader.get_of(templates.number, &QUERY) else { return Some(Vec::new()) };
    let mut query = Vec::new();
    for entry in text.trim_start_matches('?').split(separator?.as_str()).filter(|entry| !entry.trim().is_empty()) {
        let (name, value) = match entry.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (entry.trim(), None),
        };
        let value = match value {
            Some(value) => Some(templates.read(reader, &QUERY, value)?),
            None => None,
        };
        query.push(QueryTemplate { name: templates.read(reader, &QUERY, name)?, value });
    }
    Some(query)
}

fn read_sensitive(reader: &mut Reader<'_>, number: usize) -> Option<SecretHeaders> {
    let separator = reader.get_of(number, &HEADERS_SEPARATOR)?;
    let Some(text) = reader.get_of(number, &SENSITIVE_HEADERS) else { return Some(Vec::new()) };
    let pairs = secret_headers(&text, &separator);
    if pairs.is_none() {
        let name = api_name(number, SENSITIVE_HEADERS.name());
        reader.invalid(&name, "a list of names and values with `:` between them", None);
    }
    pairs
}
