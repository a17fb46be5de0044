//! `$ref`s to documents in the network, as the command follows them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::process::Command;

use headwater_tests::{Answer, ScriptedApi, headwater};
use tempfile::TempDir;

const DOCUMENT: &str = r##"openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://shop.example"}]
paths:
  /orders:
    get:
      operationId: listOrders
      x-kafka-source: {}
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: array, items: {$ref: 'SERVER/shared/order.yaml#/Order'}}}}}
  /lines:
    get:
      operationId: listLines
      responses:
        "200": {description: ok, content: {application/json: {schema: {type: array, items: {$ref: 'SERVER/shared/order.yaml#/Line'}}}}}
"##;

/// Refers to its neighbour, whose extension says nothing.
const ORDER: &str = "Order: {type: object, required: [id], properties: {id: {type: string}, \
                     to: {$ref: '../common/address#/Address'}, line: {$ref: '#/Line'}}}\n\
                     Line: {type: object, properties: {sku: {type: string}}}\n";
const ADDRESS: &str = r##"{"Address": {"type": "object", "properties": {"town": {"type": "string"}, "order": {"$ref": "/shared/order.yaml#/Order"}}}}"##;

fn shop(api: &ScriptedApi) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shop.yaml"), DOCUMENT.replace("SERVER", &api.url())).unwrap();
    folder
}

/// What the command says, and its exit code.
fn run(folder: &TempDir, arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(headwater().unwrap()).args(arguments).current_dir(folder.path()).output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

/// An API whose folder `shared` has been moved.
fn documents(address: &'static str) -> ScriptedApi {
    ScriptedApi::start(move |request| match request.path() {
        "/shared/order.yaml" => Answer::new(302, "").header("location", "/v2/shared/order.yaml"),
        "/v2/shared/order.yaml" => Answer::from(ORDER),
        "/v2/common/address" => Answer::from(address),
        _ => Answer::new(404, ""),
    })
    .unwrap()
}

#[test]
fn the_network_is_asked_only_where_that_is_allowed() {
    let api = documents(ADDRESS);
    let (folder, url) = (shop(&api), api.url());
    let generate = ["generate", "shop.yaml", "--out", "out"];
    let (said, code) = run(&folder, &generate);
    let expected = format!(
        "error: the `$ref` to `{url}/shared/order.yaml#/Order` leads to the network\n \
         --> shop.yaml#/paths/~1orders/get/responses/200/content/application~1json/schema/items/$ref\n\
         hint: allow it with `--allow-http-refs`, or download it and refer to the file\n"
    );
    // Of the operation that is not annotated, a warning follows.
    assert!(said.starts_with(&expected) && code == Some(2), "{said}");
    assert_eq!(api.received().len(), 0);

    let allowed = [&generate[..], &["--allow-http-refs"]].concat();
    assert_eq!(run(&folder, &allowed), (String::new(), Some(0)));
    // Each once, although two operations and a neighbour refer to the first; what is relative is so to where it was found.
    let asked: Vec<_> = api.received().iter().map(|request| request.target.clone()).collect();
    assert_eq!(asked, ["/shared/order.yaml", "/v2/shared/order.yaml", "/v2/common/address"]);
    let schema = fs::read_to_string(folder.path().join("out/schemas/avro/order.avsc")).unwrap();
    assert!(schema.contains("\"town\"") && schema.contains("\"sku\""), "{schema}");
}

#[test]
fn every_command_follows_them() {
    let api = documents(ADDRESS);
    let folder = shop(&api);
    let out = ["--out", "out", "--allow-http-refs"];
    assert_eq!(run(&folder, &[&["generate", "shop.yaml"], &out[..]].concat()), (String::new(), Some(0)));
    assert_eq!(run(&folder, &[&["check", "shop.yaml"], &out[..]].concat()), (String::new(), Some(0)));
    for command in ["inspect", "init"] {
        assert_eq!(run(&folder, &[command, "shop.yaml", "--allow-http-refs"]), (String::new(), Some(0)), "{command}");
        let (said, _) = run(&folder, &[command, "shop.yaml"]);
        assert!(said.contains("`--allow-http-refs`"), "{command}: {said}");
    }
    assert_eq!(run(&folder, &["diff", "shop.yaml", "shop.yaml", "--allow-http-refs"]), (String::new(), Some(0)));
    // It ends by itself where it cannot listen: then the document has been read.
    let taken = api.url().replace("http://", "");
    let (said, code) = run(&folder, &["mock", "shop.yaml", "--allow-http-refs", "--listen", &taken]);
    assert!(said.starts_with(&format!("error: listening at {taken}: ")) && code == Some(1), "{said}");

    // What is fetched is part of what `check` compares: a description, of which no type knows, changes the hash.
    let changed = ScriptedApi::start(|request| match request.path() {
        "/shared/order.yaml" => Answer::from(ORDER),
        _ => Answer::from(ADDRESS.replace(r#""town""#, r#""city""#).as_str()),
    })
    .unwrap();
    let document = DOCUMENT.replace("SERVER", &changed.url());
    fs::write(folder.path().join("shop.yaml"), document).unwrap();
    let (said, code) = run(&folder, &[&["check", "shop.yaml"], &out[..]].concat());
    assert!(said.starts_with("error: out is not what `generate` would write: ") && code == Some(1), "{said}");
}

#[test]
fn what_cannot_be_had_says_why() {
    let endless = |request: &headwater_tests::Received| match request.path() {
        "/shared/order.yaml" => Answer::new(302, "").header("location", "/shared/order.yaml"),
        _ => Answer::new(404, ""),
    };
    let cases: [(ScriptedApi, &str); 4] = [
        (ScriptedApi::start(|_| Answer::new(503, "")).unwrap(), "the server answers 503"),
        (ScriptedApi::start(endless).unwrap(), "there are more than 5 redirects"),
        (
            ScriptedApi::start(|_| Answer::from(" ".repeat(64 * 1024 * 1024 + 1).as_str())).unwrap(),
            "the document has more than 64 MiB",
        ),
        (
            ScriptedApi::start(|_| Answer::from("a: [\n")).unwrap(),
            "the YAML cannot be read: did not find expected node content (SERVER/shared/order.yaml:2:1)",
        ),
    ];
    for (api, reason) in &cases {
        let (folder, url) = (shop(api), api.url());
        let (said, code) = run(&folder, &["generate", "shop.yaml", "--out", "out", "--allow-http-refs"]);
        let expected = format!(
            "error: the `$ref` to `{url}/shared/order.yaml#/Order` cannot be followed: {}\n \
             --> shop.yaml#/paths/~1orders/get/responses/200/content/application~1json/schema/items/$ref\n",
            reason.replace("SERVER", &url)
        );
        assert!(said.starts_with(&expected) && code == Some(2), "{said}");
    }
}

#[test]
fn a_fetched_document_reads_no_files() {
    let api = ScriptedApi::start(|_| Answer::from("Order: {$ref: 'file:///etc/hostname'}\nLine: {}\n")).unwrap();
    let folder = shop(&api);
    let (said, code) = run(&folder, &["generate", "shop.yaml", "--out", "out", "--allow-http-refs"]);
    let expected = "error: the `$ref` to `file:///etc/hostname` cannot be followed: the scheme `file` is not read\n";
    assert!(said.starts_with(expected) && code == Some(2), "{said}");
}
