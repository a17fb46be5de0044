//! `headwater mock`, as a client sees it.

#![cfg(feature = "run")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A mock of operations, one for each way that a page leads to the next, and one that asks for a key.
struct Mock {
    child: Child,
    lines: Vec<String>,
    _folder: TempDir,
}

const RECORDS: u64 = 57;

fn operation(parameters: &[&str], records: Option<&str>, more: Value, source: Value) -> Value {
    let list = json!({"type": "array", "items": {"$ref": "#/components/schemas/Thing"}});
    let schema = match records {
        None => list,
        Some(name) => {
            let mut schema = json!({"type": "object", "properties": more});
            schema["properties"][name] = list;
            schema
        }
    };
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| match *name {
            "since" => json!({"name": name, "in": "query", "schema": {"type": "string", "format": "date-time"}}),
            "cursor" => json!({"name": name, "in": "query", "schema": {"type": "string"}}),
            _ => json!({"name": name, "in": "query", "schema": {"type": "integer"}}),
        })
        .collect();
    json!({"get": {"parameters": parameters, "x-kafka-source": source, "responses": {"200": {
        "description": "ok", "content": {"application/json": {"schema": schema}}}}}})
}

impl Mock {
    fn start() -> Self {
        let text = json!({"type": "string"});
        let mut paths = json!({
            "/link/{owner}": operation(&["since", "per_page"], None, json!({}), json!({"pagination": {"style": "link-header"}})),
            "/url": operation(&["limit"], Some("data"), json!({"next": text}), json!({"pagination": {"style": "next-url", "pointer": "/next"}})),
            "/cursor": operation(&["cursor", "limit"], Some("items"), json!({"next_cursor": text}), json!({"pagination":
                {"style": "cursor", "pointer": "/next_cursor", "parameter": "cursor"}})),
            "/offset": operation(&["offset", "limit"], None, json!({}), json!({"pagination": {"style": "offset", "parameter": "offset"}})),
            "/page": operation(&["page", "size"], None, json!({}), json!({"pagination": {"style": "page", "parameter": "page", "first": 0}})),
            "/last": operation(&["starting_after", "limit"], Some("data"), json!({"has_more": {"type": "boolean"}}), json!({"key": "/id",
                "pagination": {"style": "last-record", "parameter": "starting_after", "has_more": "/has_more"}})),
            "/none": operation(&[], None, json!({}), json!({"pagination": {"style": "none"}})),
            "/key": operation(&[], None, json!({}), json!({})),
        });
        paths["/link/{owner}"]["get"]["parameters"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "owner", "in": "path", "required": true, "schema": {"type": "string"}}));
        paths["/link/{owner}"]["get"]["operationId"] = json!("link");
        paths["/key"]["get"]["security"] = json!([{"key": []}]);
        let document = json!({
            "openapi": "3.0.3", "info": {"title": "Styles", "version": "1"}, "security": [{"token": []}], "paths": paths,
            "components": {
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer"},
                    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                },
                "schemas": {"Thing": {"type": "object", "required": ["id", "updated_at"], "properties": {
                    "id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}}},
            },
        });
        let folder = tempfile::tempdir().unwrap();
        let spec = folder.path().join("openapi.json");
        std::fs::write(&spec, document.to_string()).unwrap();
        Self::serve(&spec, folder)
    }

    fn serve(spec: &Path, folder: TempDir) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .arg("mock")
            .arg(spec)
            .args(["--listen", "127.0.0.1:0", "--records", &RECORDS.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = (0..9).map(|_| out.next().unwrap().unwrap()).collect();
        Self { child, lines, _folder: folder }
    }

    fn url(&self) -> &str {
        self.lines.first().unwrap().strip_prefix("listening at ").unwrap()
    }

    fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let url = if target.starts_with('/') { format!("{}{target}", self.url()) } else { target.to_owned() };
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = headers.iter().fold(agent.get(&url), |request, (name, value)| request.header(*name, *value));
        let mut response = request.call().unwrap();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, link, retry_after) = (response.status().as_u16(), header("link"), header("retry-after"));
        let mut body = Vec::new();
        let read = response.body_mut().as_reader().read_to_end(&mut body);
        let body = read.ok().map(|_| serde_json::from_slice(&body).unwrap());
        Answer { status, link, retry_after, body }
    }

    fn page(&self, target: &str) -> Answer {
        let answer = self.get(target, &[("authorization", "Bearer any")]);
        assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
        answer
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    link: Option<String>,
    retry_after: Option<String>,
    /// Nothing if it ended early.
    body: Option<Value>,
}

impl Answer {
    fn ids(&self, pointer: &str) -> Vec<u64> {
        let records = self.body.as_ref().unwrap().pointer(pointer).unwrap().as_array().unwrap();
        records.iter().map(|record| record["id"].as_u64().unwrap()).collect()
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.body.as_ref().unwrap().pointer(pointer)?.as_str()
    }

    fn next_link(&self) -> Option<String> {
        Some(self.link.as_ref()?.strip_prefix('<')?.split_once('>')?.0.to_owned())
    }
}

/// Follows the pages until `next` has none; how many there were.
fn walk(mock: &Mock, first: &str, records: &str, next: impl Fn(&Answer, usize) -> Option<String>) -> (Vec<u64>, usize) {
    let (mut ids, mut pages, mut target) = (Vec::new(), 0, Some(first.to_owned()));
    while let Some(at) = target {
        assert!(pages < 50, "{first}: too many pages");
        let answer = mock.page(&at);
        ids.extend(answer.ids(records));
        pages += 1;
        target = next(&answer, pages);
    }
    (ids, pages)
}

#[test]
fn every_style_walks_all_records_exactly_once() {
    let mock = Mock::start();
    let all: Vec<u64> = (1..=RECORDS).collect();
    // 57 records on pages of 10.
    let walked = walk(&mock, "/link/me?per_page=10", "", |answer, _| answer.next_link());
    assert_eq!(walked, (all.clone(), 6));
    let walked = walk(&mock, "/url?limit=10", "/data", |answer, _| answer.text("/next").map(str::to_owned));
    assert_eq!(walked, (all.clone(), 6));
    let walked = walk(&mock, "/cursor?limit=10", "/items", |answer, _| {
        answer.text("/next_cursor").map(|cursor| format!("/cursor?limit=10&cursor={cursor}"))
    });
    assert_eq!(walked, (all.clone(), 6));
    let more = |answer: &Answer| answer.ids("").len() == 10;
    let walked = walk(&mock, "/offset?limit=10", "", |answer, pages| {
        more(answer).then(|| format!("/offset?limit=10&offset={}", pages * 10))
    });
    assert_eq!(walked, (all.clone(), 6));
    let walked =
        walk(&mock, "/page?size=10", "", |answer, pages| more(answer).then(|| format!("/page?size=10&page={pages}")));
    assert_eq!(walked, (all.clone(), 6));
    let walked = walk(&mock, "/last?limit=10", "/data", |answer, _| {
        let more = answer.body.as_ref().unwrap()["has_more"].as_bool().unwrap();
        let last = answer.ids("/data").pop().unwrap();
        more.then(|| format!("/last?limit=10&starting_after={last}"))
    });
    assert_eq!(walked, (all.clone(), 6));
    assert_eq!(walk(&mock, "/none", "", |_, _| None), (all.clone(), 1));
    // Record 11 is 70 seconds after the first.
    let walked = walk(&mock, "/link/me?per_page=10&since=2024-01-01T00:01:10Z", "", |answer, _| answer.next_link());
    assert_eq!(walked, (all[10..].to_vec(), 5));
}

#[test]
fn requests_need_the_credential_that_the_document_asks_for() {
    let mock = Mock::start();
    let refused = mock.get("/none", &[]);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.body, Some(json!({"message": "the request has no credential; any value will do"})));
    assert_eq!(mock.get("/key", &[("authorization", "Bearer any")]).status, 401);
    assert_eq!(mock.get("/key", &[("x-key", "any")]).status, 200);
}

#[test]
fn faults_come_when_asked_for() {
    let mock = Mock::start();
    let fault = |name: &str| mock.get("/none", &[("authorization", "Bearer any"), ("x-mock-fault", name)]);
    assert_eq!(fault("500").status, 500);
    let limited = fault("429");
    assert_eq!((limited.status, limited.retry_after.as_deref()), (429, Some("1")));
    assert_eq!(fault("slow").ids("").len() as u64, RECORDS);
    let cut = fault("cut");
    assert_eq!((cut.status, cut.body), (200, None));
    assert_eq!(fault("flood").body, Some(json!({"message": "the mock has no fault `flood`"})));
    assert_eq!(mock.get("/none?mock_fault=500", &[("authorization", "Bearer any")]).status, 500);
}

#[test]
fn it_says_what_it_serves_and_ends_when_told_to() {
    let mut mock = Mock::start();
    let url = mock.url().to_owned();
    assert!(mock.lines.contains(&format!("link: {url}/link/owner (auth: bearer)")), "{:?}", mock.lines);
    assert!(
        mock.lines.contains(&format!("get/key: {url}/key (auth: API key in the header X-Key)")),
        "{:?}",
        mock.lines
    );
    assert_eq!(mock.lines.iter().collect::<BTreeSet<_>>().len(), 9);
    let killed = Command::new("kill").args(["-TERM", &mock.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(mock.child.wait().unwrap().code(), Some(0));
}
