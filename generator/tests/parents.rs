//! Parents that annotations name: what is generated for them, and for their children.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

/// Shops, their orders, and the lines of these.
const DOCUMENT: &str = r##"openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://shop.example"}]
paths:
  /shops:
    get:
      operationId: listShops
      x-kafka-source: {pagination: {style: none}}
      responses: {"200": {$ref: '#/components/responses/Things'}}
  /shops/{shop}/orders:
    get:
      operationId: listOrders
      x-kafka-source:
        pagination: {style: none}
        parent: {operation: listShops, bind: {shop: /id}}
      parameters:
        - {name: shop, in: path, required: true, schema: {type: integer, format: int64}}
      responses: {"200": {$ref: '#/components/responses/Things'}}
  /shops/{shop}/orders/{order}/lines:
    get:
      operationId: listLines
      x-kafka-source:
        pagination: {style: none}
        parent: {operation: listOrders, bind: {order: /owner/name}}
      parameters:
        - {name: shop, in: path, required: true, schema: {type: string}}
        - {name: order, in: path, required: true, schema: {type: string}}
      responses: {"200": {$ref: '#/components/responses/Things'}}
components:
  responses:
    Things:
      description: Things.
      content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}
  schemas:
    Thing:
      type: object
      required: [id]
      properties:
        id: {type: integer, format: int64}
        owner: {type: object, properties: {name: {type: string}}}
"##;

fn generate(document: &str, folder: &Path) -> (String, bool) {
    std::fs::write(folder.join("shop.yaml"), document).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    let output = command.args(["generate", "shop.yaml", "--out", "out"]).current_dir(folder).output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.success())
}

/// A generated file on one line.
fn read(folder: &Path, path: &str) -> String {
    let text = std::fs::read_to_string(folder.join("out/src").join(path)).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn children_take_their_parameters_from_the_records_of_parents() {
    let folder = tempfile::tempdir().unwrap();
    let (said, is_done) = generate(DOCUMENT, folder.path());
    assert!(is_done && !said.contains("parent"), "{said}");

    let shops = read(folder.path(), "operations/list_shops.rs");
    assert!(shops.contains(r#"children.add("listOrders", [("shop", record.id.offset_value())]);"#), "{shops}");
    assert!(!shops.contains("Slicing"), "{shops}");
    let orders = read(folder.path(), "operations/list_orders.rs");
    assert!(orders.contains(r#"Slicing { parent: Some("listShops".into()), ..Slicing::default()"#), "{orders}");
    assert!(
        orders.contains(r#"children .add( "listLines", "#) || orders.contains(r#"children.add("listLines", "#),
        "{orders}"
    );
    assert!(orders.contains("record.owner.get().and_then(|value| value.name.offset_value())"), "{orders}");

    let connector = read(folder.path(), "connector.rs");
    assert!(connector.contains(r#"parameters.parse_slice::<i64>("shop", "an integer")?"#), "{connector}");
    // What the parent was asked with goes on to its children.
    assert!(connector.contains(r#"parameters.slice("shop")?"#), "{connector}");
    assert!(connector.contains(r#"parameters.slice("order")?"#), "{connector}");
    assert!(!connector.contains(".parameter("), "{connector}");
}

#[test]
fn a_parameter_that_is_set_keeps_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let set = "bind: {shop: /id}}\n        parameters: {shop: 7}";
    let (said, is_done) = generate(&DOCUMENT.replace("bind: {shop: /id}}", set), folder.path());
    assert!(is_done, "{said}");
    assert!(said.contains("`listOrders` is read with the parameters that are set, and not for each record"), "{said}");
    assert!(read(folder.path(), "connector.rs").contains("operations::ListOrders::new(7)"));
}

#[test]
fn a_parent_that_is_no_stream_gives_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let alone = DOCUMENT.replacen("      x-kafka-source: {pagination: {style: none}}\n", "", 1);
    let (said, is_done) = generate(&alone, folder.path());
    assert!(!is_done);
    let of = |parameter: &str, operation: &str| {
        format!(
            "the required parameter `{parameter}` of `{operation}` has no value: its `parent` is not one of the streams"
        )
    };
    assert!(said.contains(&of("shop", "listOrders")) && said.contains(&of("order", "listLines")), "{said}");
}
