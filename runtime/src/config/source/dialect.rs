//! Other ways to write the same: the names of Confluent's HTTP Source V1, which has one API and perhaps several entities,
//! and those of the connector that AxonOps describes. They become those of HTTP Source V2 before anything is read.

use std::collections::BTreeMap;

use super::super::environment::{Environment, variable_name};
use super::super::names::api_name;
use super::super::raw::Entry;

/// What becomes of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Becomes {
    /// The same value by another name, of the connector.
    Global(&'static str),
    /// The same value by another name, of each API.
    OfApi(&'static str),
    /// The base URL, and the path of each API.
    Url,
    /// Headers, which are separated by commas.
    Headers,
    /// The JSON Pointer to an offset, from a field's name.
    Field,
    /// The names of entities, each of which is an API.
    Entities,
}

/// A property by its name in another dialect.
pub(super) struct Spelling {
    pub(super) name: &'static str,
    /// What it is unless set; `None` for nothing, or for what holds for the name that it becomes.
    pub(super) default: Option<&'static str>,
    becomes: Becomes,
}

const fn spelling(name: &'static str, default: Option<&'static str>, becomes: Becomes) -> Spelling {
    Spelling { name, default, becomes }
}

use Becomes::{Entities, Field, Global, Headers, OfApi, Url};

/// The names of HTTP Source V1.
const V1: &[Spelling] = &[
    spelling("url", None, Url),
    spelling("topic.name.pattern", None, OfApi("topics")),
    spelling("entity.names", None, Entities),
    spelling("http.request.method", Some("get"), OfApi("http.request.method")),
    spelling("http.request.headers", None, OfApi("http.request.headers")),
    spelling("http.request.sensitive.headers", None, OfApi("http.request.sensitive.headers")),
    spelling("http.request.headers.separator", Some("|"), OfApi("http.request.headers.separator")),
    spelling("http.request.parameters", None, OfApi("http.request.parameters")),
    spelling("http.request.parameters.separator", Some("&"), OfApi("http.request.parameters.separator")),
    spelling("http.request.body", None, OfApi("http.request.body")),
    spelling("http.initial.offset", None, OfApi("http.initial.offset")),
    spelling("http.offset.mode", Some("simple_incrementing"), OfApi("http.offset.mode")),
    spelling("http.response.data.json.pointer", None, OfApi("http.response.data.json.pointer")),
    spelling("http.offset.json.pointer", None, OfApi("http.offset.json.pointer")),
    spelling("http.next.page.json.pointer", None, OfApi("http.next.page.json.pointer")),
    spelling("max.retries", Some("10"), OfApi("max.retries")),
    spelling("retry.backoff.ms", Some("3000"), OfApi("retry.backoff.ms")),
    spelling("retry.on.status.codes", Some("400-"), OfApi("retry.on.status.codes")),
    spelling("request.interval.ms", None, OfApi("request.interval.ms")),
    spelling("oauth2.client.mode", Some("header"), Global("oauth2.client.auth.mode")),
];

/// The names of the connector that AxonOps describes.
const AXON_OPS: &[Spelling] = &[
    spelling("http.url", None, Url),
    spelling("http.method", Some("GET"), OfApi("http.request.method")),
    spelling("http.headers", None, Headers),
    spelling("kafka.topic", None, OfApi("topics")),
    spelling("http.auth.type", None, Global("auth.type")),
    spelling("http.auth.user", None, Global("connection.user")),
    spelling("http.auth.password", None, Global("connection.password")),
    spelling("http.oauth2.token.url", None, Global("oauth2.token.url")),
    spelling("http.oauth2.client.id", None, Global("oauth2.client.id")),
    spelling("http.oauth2.client.secret", None, Global("oauth2.client.secret")),
    spelling("http.oauth2.scope", None, Global("oauth2.client.scope")),
    spelling("http.timer.interval.ms", None, OfApi("request.interval.ms")),
    spelling("http.timer.cron.expression", None, OfApi("request.cron")),
    spelling("http.offset.field", None, Field),
    spelling("http.response.format", None, OfApi("http.response.format")),
    spelling("http.response.records.path", None, OfApi("http.response.data.json.pointer")),
    spelling("http.pagination.type", None, OfApi("http.pagination.type")),
    spelling("http.pagination.offset.param", None, OfApi("http.pagination.offset.param")),
    spelling("http.pagination.limit.param", None, OfApi("http.pagination.limit.param")),
    spelling("http.pagination.limit.value", None, OfApi("http.pagination.limit.value")),
    spelling("http.pagination.cursor.param", None, OfApi("http.pagination.cursor.param")),
    spelling("http.pagination.cursor.path", None, OfApi("http.pagination.cursor.path")),
    spelling("http.retry.max.attempts", None, OfApi("max.retries")),
    spelling("http.retry.backoff.ms", None, OfApi("retry.backoff.ms")),
    spelling("http.retry.backoff.max.ms", None, OfApi("retry.backoff.max.ms")),
];

/// Every name of another dialect.
pub(super) fn spellings() -> impl Iterator<Item = &'static Spelling> {
    V1.iter().chain(AXON_OPS)
}

impl Spelling {
    /// What it is said to mean.
    pub(super) fn meaning(&self) -> String {
        match self.becomes {
            Global(name) => format!("Another name for `{name}`."),
            OfApi(name) => format!("Another name for `apiN.{name}`, of a configuration with one API."),
            Url => {
                "The URL of the one API: another way to write `http.api.base.url` and `apiN.http.api.path`.".to_owned()
            }
            Headers => "Another way to write `apiN.http.request.headers`: `Name: value, Name: value`.".to_owned(),
            Field => {
                "Another way to write `apiN.http.offset.json.pointer`: the field's name, with dots between the names \
                      of objects that hold it."
                    .to_owned()
            }
            Entities => {
                "Names that stand for `${entityName}` in all properties of the one API, each with a stream of its \
                         own."
                    .to_owned()
            }
        }
    }
}

/// Entries by their names in HTTP Source V2, and by these the names that they were written by.
pub(super) struct Translated {
    pub(super) entries: Vec<Entry>,
    pub(super) written: BTreeMap<String, String>,
}

/// Lays the environment over what is written by the names of other dialects, before it is translated. Gives the variables
/// by these names.
pub(super) fn lay_over(entries: &mut Vec<Entry>, environment: &Environment) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for spelling in spellings() {
        let variable = variable_name(spelling.name);
        let Some(text) = environment.get(&variable).filter(|text| !text.trim().is_empty()) else { continue };
        entries.retain(|entry| entry.name != spelling.name);
        entries.push(Entry { name: spelling.name.to_owned(), text: text.to_owned(), line: 1 });
        variables.insert(spelling.name.to_owned(), variable);
    }
    variables
}

/// Translates entries of other dialects; those of HTTP Source V2 stay as they are.
pub(super) fn translate(entries: Vec<Entry>) -> Translated {
    let text = |name: &str| entries.iter().rfind(|entry| entry.name == name).map(|entry| entry.text.clone());
    let entities: Vec<_> = text("entity.names").map_or_else(
        || vec![String::new()],
        |names| names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
    );
    let is_set = |names: &[&str]| names.iter().any(|name| text(name).is_some());
    let mut translated = Translated { entries: Vec::new(), written: BTreeMap::new() };
    // What these dialects have by default, where HTTP Source V2 has something else.
    let mut defaults = Vec::new();
    if is_set(&["url", "http.url"]) && !is_set(&["output.data.format", "data.format", "value.converter"]) {
        defaults.push(("output.data.format".to_owned(), "JSON"));
    }
    if is_set(&["url"]) {
        for number in 1..=entities.len() {
            if !is_set(&["max.retries"]) {
                defaults.push((api_name(number, "max.retries"), "10"));
            }
            defaults.push((api_name(number, "retry.backoff.policy"), "CONSTANT_VALUE"));
        }
    }
    // What is missing is told by the names of the dialect that the configuration is written in.
    let dialects = [("url", V1), ("http.url", AXON_OPS)];
    for spelling in dialects.into_iter().filter(|(url, _)| is_set(&[url])).flat_map(|(_, spellings)| spellings) {
        translated.named(spelling, entities.len());
    }
    if is_set(&["entity.names"]) {
        translated.entries.push(Entry { name: "apis.num".to_owned(), text: entities.len().to_string(), line: 1 });
    }
    for (name, text) in defaults {
        translated.entries.push(Entry { name, text: text.to_owned(), line: 1 });
    }
    for entry in entries {
        // In HTTP Source V1 it stands for none.
        if entry.name == "http.proxy.port" && entry.text.trim() == "0" {
            continue;
        }
        match spellings().find(|spelling| spelling.name == entry.name) {
            Some(spelling) => translated.add(spelling.becomes, &entry, &entities),
            None => {
                translated.written.remove(&entry.name);
                translated.entries.push(entry);
            }
        }
    }
    translated
}

impl Translated {
    /// Has messages use a name of another dialect, unless something else is written.
    fn named(&mut self, spelling: &Spelling, apis: usize) {
        let names = match spelling.becomes {
            Global(name) => vec![name.to_owned()],
            OfApi(name) => (1..=apis).map(|number| api_name(number, name)).collect(),
            Url | Headers | Field | Entities => Vec::new(),
        };
        self.written.extend(names.into_iter().map(|name| (name, spelling.name.to_owned())));
    }

    fn add(&mut self, becomes: Becomes, entry: &Entry, entities: &[String]) {
        let text = entry.text.as_str();
        match becomes {
            Global(name) => self.set(name.to_owned(), text, entry),
            OfApi(name) => self.of_apis(name, text, entry, entities),
            Url => {
                let (base, path) = split_url(text);
                self.set("http.api.base.url".to_owned(), base, entry);
                if !path.is_empty() {
                    self.of_apis("http.api.path", path, entry, entities);
                }
            }
            Headers => {
                self.of_apis("http.request.headers", &split_headers(text).join("\n"), entry, entities);
                self.of_apis("http.request.headers.separator", "\n", entry, entities);
            }
            Field => {
                let names: Vec<_> = text.trim().trim_start_matches("$.").split('.').collect();
                self.of_apis("http.offset.json.pointer", &format!("/{}", names.join("/")), entry, entities);
            }
            Entities => {}
        }
    }

    fn of_apis(&mut self, name: &str, text: &str, entry: &Entry, entities: &[String]) {
        for (number, entity) in (1..).zip(entities) {
            self.set(api_name(number, name), &text.replace("${entityName}", entity), entry);
        }
    }

    fn set(&mut self, name: String, text: &str, entry: &Entry) {
        self.written.insert(name.clone(), entry.name.clone());
        self.entries.push(Entry { name, text: text.to_owned(), line: entry.line });
    }
}

/// Splits a URL where its path begins.
fn split_url(url: &str) -> (&str, &str) {
    let url = url.trim();
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(host..).and_then(|rest| rest.find(['/', '?'])).map_or(url.len(), |at| host + at);
    url.split_at(path)
}

/// Splits headers at the commas that the name of another header follows. Others belong to a value.
fn split_headers(text: &str) -> Vec<String> {
    let is_name = |text: &str| {
        let name = text.split_once(':').map(|(name, _)| name.trim());
        name.is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
    };
    let mut headers: Vec<String> = Vec::new();
    for part in text.split(',') {
        match headers.last_mut() {
            Some(last) if !is_name(part) => {
                last.push(',');
                last.push_str(part);
            }
            _ => headers.push(part.trim().to_owned()),
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        let entries =
            entries.iter().map(|(name, text)| Entry { name: (*name).to_owned(), text: (*text).to_owned(), line: 1 });
        translate(entries.collect()).entries.into_iter().map(|entry| (entry.name, entry.text)).collect()
    }

    #[test]
    fn a_url_is_split_where_its_path_begins() {
        for (url, split) in [
            ("https://a.test/b/${offset}?c=d", ("https://a.test", "/b/${offset}?c=d")),
            ("http://a:8080", ("http://a:8080", "")),
            ("http://a?x=1", ("http://a", "?x=1")),
            ("nothing", ("nothing", "")),
        ] {
            assert_eq!(split_url(url), split);
        }
    }

    #[test]
    fn headers_are_split_at_commas_before_names() {
        assert_eq!(split_headers("Accept: a, X-B: c"), ["Accept: a", "X-B: c"]);
        assert_eq!(split_headers("Accept: a/b, c/d;q=0.5, X: 1"), ["Accept: a/b, c/d;q=0.5", "X: 1"]);
        assert_eq!(split_headers("Authorization: ${secrets:a/b}"), ["Authorization: ${secrets:a/b}"]);
    }

    #[test]
    fn each_entity_is_an_api() {
        let properties = translated(&[
            ("url", "https://a.test/${entityName}/list"),
            ("topic.name.pattern", "t-${entityName}"),
            ("entity.names", "users, orders"),
            ("max.retries", "3"),
        ]);
        assert_eq!(properties["apis.num"], "2");
        assert_eq!(properties["http.api.base.url"], "https://a.test");
        assert_eq!((&*properties["api2.http.api.path"], &*properties["api2.topics"]), ("/orders/list", "t-orders"));
        assert_eq!(
            (&*properties["api1.max.retries"], &*properties["api1.retry.backoff.policy"]),
            ("3", "CONSTANT_VALUE")
        );
        assert_eq!(properties["output.data.format"], "JSON");
        assert!(!properties.contains_key("url"));
    }
}
