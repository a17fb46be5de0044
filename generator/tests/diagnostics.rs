//! What the command says of wrong input, to the letter.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

const DOCUMENT: &str = r#"openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://shop.example"}]
paths:
  /shops/{shop}/orders:
    get:
      operationId: listOrders
      parameters:
        - {name: shop, in: path, required: true, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer}}
        - {name: cursor, in: query, schema: {type: string}}
      responses:
        "200":
          description: Orders.
          content:
            application/json:
              schema:
                type: object
                required: [orders]
                properties:
                  orders: {type: array, items: {$ref: '#/components/schemas/Order'}}
                  next_cursor: {type: string}
components:
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: {type: string}
        created_at: {type: string, format: date-time}
        paid: {type: boolean}
"#;

/// An overlay that annotates the one operation.
fn annotation(annotation: &str) -> String {
    format!(
        "overlay: 1.0.0\ninfo: {{title: t, version: '1'}}\nactions:\n  - target: $.paths['/shops/{{shop}}/orders'].get\n    \
         update: {{x-kafka-source: {annotation}}}\n"
    )
}

/// What `headwater generate`, with `arguments` more, says of these files, and its exit code.
fn said(files: &[(&str, &str)], arguments: &[&str]) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    run(folder.path(), &[&["generate", "shop.yaml", "--out", "out"], arguments].concat())
}

fn run(folder: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_headwater")).args(arguments).current_dir(folder).output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

fn assert_said(files: &[(&str, &str)], arguments: &[&str], expected: &str) {
    let (text, code) = said(files, arguments);
    assert_eq!(text, expected);
    assert_eq!(code, Some(2));
}

fn assert_annotation_said(text: &str, expected: &str) {
    let overlay = annotation(text);
    assert_said(&[("shop.yaml", DOCUMENT), ("o.yaml", &overlay)], &["--overlay", "o.yaml"], expected);
}

#[test]
fn a_missing_file() {
    assert_said(&[], &[], "error: the file `shop.yaml` does not exist\n --> shop.yaml\n");
}

#[test]
fn every_missing_file_at_once() {
    assert_said(
        &[],
        &["--overlay", "o.yaml"],
        "error: the file `shop.yaml` does not exist\n --> shop.yaml\n\
         error: the file `o.yaml` does not exist\n --> o.yaml\n",
    );
}

#[test]
fn an_error_of_yaml() {
    assert_said(
        &[("shop.yaml", "openapi: 3.0.3\ninfo:\n  title: a: b\n")],
        &[],
        "error: the YAML cannot be read: mapping values are not allowed in this context\n --> shop.yaml:3:11\n",
    );
}

#[test]
fn a_dangling_reference() {
    let document = DOCUMENT.replace("schemas/Order'", "schemas/Ordr'");
    let overlay = annotation("{parameters: {shop: a}}");
    assert_said(
        &[("shop.yaml", &document), ("o.yaml", &overlay)],
        &["--overlay", "o.yaml"],
        "error: the `$ref` to `#/components/schemas/Ordr` leads nowhere\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/responses/200/content/application~1json/schema/properties/orders/items/$ref\n\
         hint: did you mean `#/components/schemas/Order`?\n",
    );
}

/// What is wrong with `DOCUMENT` so changed, where the annotated operation does and does not need it.
fn assert_fault(change: impl Fn(&str) -> String, message: &str, at: &str, hint: &str) {
    let overlay = annotation("{parameters: {shop: a}}");
    let annotated = ["--overlay", "o.yaml"];
    // Of use to no operation.
    let document = change("    Zone:\n");
    let (text, code) = said(&[("shop.yaml", &document), ("o.yaml", &overlay)], &annotated);
    assert_eq!(text, format!("warning: {message}\n --> shop.yaml#/components/schemas/Zone{at}\n{hint}"));
    assert_eq!(code, Some(0));
    // Of use to the one operation, which is annotated.
    let document = change("    Zone: {}\n    Order:\n").replacen("    Order:\n      type: object\n", "    Older:\n", 1);
    let error = format!("error: {message}\n --> shop.yaml#/components/schemas/Order{at}\n{hint}");
    assert_said(&[("shop.yaml", &document), ("o.yaml", &overlay)], &annotated, &error);
    // The operation is not annotated, but everything is asked for.
    let warning = error.replacen("error", "warning", 1);
    let (text, code) = said(&[("shop.yaml", &document)], &["--all"]);
    assert!(text.starts_with(&warning), "{text}");
    assert_eq!(code, Some(2));
}

#[test]
fn all_has_missing_values_configured() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), DOCUMENT).unwrap();
    let (text, code) = run(folder.path(), &["generate", "shop.yaml", "--out", "out", "--all"]);
    assert_eq!((text.as_str(), code), ("", Some(0)));
    let example = std::fs::read_to_string(folder.path().join("out/connector.example.json")).unwrap();
    assert!(example.contains("\"shop\""), "{example}");
}

#[test]
fn a_schema_that_cannot_be_read() {
    assert_fault(
        |name| format!("{DOCUMENT}{name}      a thing\n"),
        "the document is not as OpenAPI has it: a single value stands where an object should",
        "",
        "",
    );
}

#[test]
fn a_dangling_reference_within_a_schema() {
    assert_fault(
        |name| format!("{DOCUMENT}{name}      items: {{$ref: '#/components/schemas/Zones'}}\n"),
        "the `$ref` to `#/components/schemas/Zones` leads nowhere",
        "/items/$ref",
        "hint: did you mean `#/components/schemas/Zone`?\n",
    );
}

#[test]
fn an_operation_that_cannot_be_read_leaves_the_others() {
    let other = "  /broken:\n    get: {operationId: listBroken, responses: [a]}\ncomponents:\n";
    let document = DOCUMENT.replace("components:\n", other);
    let overlay = annotation("{parameters: {shop: a}}");
    let (text, code) = said(&[("shop.yaml", &document), ("o.yaml", &overlay)], &["--overlay", "o.yaml"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with("\n --> shop.yaml#/paths/~1broken/get/responses\n"), "{text}");
    let (text, code) = said(&[("shop.yaml", &document)], &["--operations", "listBroken"]);
    assert_eq!(code, Some(2));
    assert!(text.starts_with("error: the document is not as OpenAPI has it: "), "{text}");
}

#[test]
fn an_overlay_that_matches_nothing() {
    let overlay = annotation("{}").replace("orders'", "oders'");
    assert_said(
        &[("shop.yaml", DOCUMENT), ("o.yaml", &overlay)],
        &["--overlay", "o.yaml"],
        "warning: the target `$.paths['/shops/{shop}/oders'].get` matches nothing in the document\n \
         --> o.yaml#/actions/0/target\n\
         hint: did you mean `/shops/{shop}/orders`?\n\
         error: no operation is selected\n --> shop.yaml#/paths\n\
         hint: annotate operations with `x-kafka-source`, or name them with `--operations`; \
         `headwater inspect` lists what can be a stream\n",
    );
}

#[test]
fn a_field_that_the_schema_lacks() {
    assert_annotation_said(
        r#"{key: /ids, timestamp: /paid, parameters: {shop: a}}"#,
        "error: `/ids`: the schema of `Order` has no field `ids`\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/key \
         (written by o.yaml#/actions/0/update/x-kafka-source/key)\n\
         hint: did you mean `id`?\n\
         error: `/paid` leads to a truth value, not to an instant (`type: string, format: date-time`)\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/timestamp \
         (written by o.yaml#/actions/0/update/x-kafka-source/timestamp)\n",
    );
}

#[test]
fn a_key_that_annotations_do_not_have() {
    assert_annotation_said(
        r#"{topics: a, parameters: {shop: a}, pagination: {style: cursr}}"#,
        "error: there is no style of pagination called `cursr`\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/pagination/style \
         (written by o.yaml#/actions/0/update/x-kafka-source/pagination/style)\n\
         hint: did you mean `cursor`?\n\
         error: `x-kafka-source` has no key `topics`\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/topics \
         (written by o.yaml#/actions/0/update/x-kafka-source/topics)\n\
         hint: did you mean `topic`?\n",
    );
}

#[test]
fn a_parent_that_cannot_be_followed() {
    let at = "shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source";
    let from = "o.yaml#/actions/0/update/x-kafka-source";
    assert_annotation_said(
        "{parent: {operation: listOrder, bind: {shop: /id}}, parameters: {shop: a}}",
        &format!(
            "error: the document has no operation `listOrder`\n --> {at}/parent/operation (written by {from}/parent/operation)\n\
             hint: did you mean `listOrders`?\n"
        ),
    );
    assert_annotation_said(
        "{parent: {operation: listOrders, bind: {shop: /id}}}",
        &format!(
            "error: the required parameter `shop` of `listOrders` has no value: its `parent` is not one of the streams\n \
             --> {at} (written by {from})\n\
             hint: add it to `x-kafka-source` under `parameters`: a literal, or \"${{config:shop}}\" to have it configured\n"
        ),
    );
    assert_annotation_said(
        "{parent: {operation: listOrders, bind: {shop: /ids, x: /id}}, parameters: {shop: a}}",
        &format!(
            "error: the operation has no parameter `x`\n --> {at}/parent/bind/x (written by {from}/parent/bind/x)\n\
             error: `/ids`: the schema of `Order` has no field `ids`\n --> {at}/parent/bind/shop \
             (written by {from}/parent/bind/shop)\nhint: did you mean `id`?\n"
        ),
    );
}

#[test]
fn the_last_record_without_a_key() {
    let overlay = annotation("{pagination: {style: last-record, parameter: cursor}, parameters: {shop: a}}");
    let document = DOCUMENT.replace("required: [id]", "required: [paid]");
    assert_said(
        &[("shop.yaml", &document), ("o.yaml", &overlay)],
        &["--overlay", "o.yaml"],
        "error: the style `last-record` sends the key of the last record, and the stream has no key\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/pagination/style \
         (written by o.yaml#/actions/0/update/x-kafka-source/pagination/style)\n\
         hint: say with `key` which field it is\n",
    );
}

#[test]
fn slices_that_cannot_be() {
    let at = "shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/slices";
    let from = "o.yaml#/actions/0/update/x-kafka-source/slices";
    let parameter = "        - {name: limit";
    let more = "        - {name: of, in: query, schema: {type: string}}\n        - {name: by, in: query, style: deepObject, \
                schema: {type: object, properties: {x: {type: string}}}}\n";
    let document = DOCUMENT.replacen(parameter, &format!("{more}{parameter}"), 1);
    for (name, values, reason) in [
        ("shops", "[a]", "the operation has no parameter `shops`"),
        ("shop", "[]", "the parameter `shop`: `[]` is no list of values, nor `${config:NAME}`"),
        ("shop", "[a, b, a]", "the parameter `shop`: `a` is there twice"),
        ("limit", "[1, x]", "the parameter `limit`: `\"x\"` is not an integer"),
        (
            "shop",
            r#""${config:name}""#,
            "the parameter `shop`: `name` is a property of every connector; choose another name",
        ),
        ("cursor", "[a]", "the parameter `cursor`: `parameters` sets it, too"),
        ("of", "[a]", "the parameter `of`: `parent` binds it, too"),
        ("by", "[a]", "the parameter `by`: it is an object, and a slice has one value for it"),
    ] {
        let overlay = annotation(&format!(
            "{{slices: {{{name}: {values}}}, parameters: {{cursor: b}}, pagination: {{style: none}}, \
             parent: {{operation: listOrders, bind: {{of: /id}}}}}}"
        ));
        let (text, code) = said(&[("shop.yaml", document.as_str()), ("o.yaml", &overlay)], &["--overlay", "o.yaml"]);
        let expected = format!("error: {reason}\n --> {at}/{name} (written by {from}/{name})\n");
        assert!(text.starts_with(&expected), "{text}");
        assert_eq!(code, Some(2));
    }
}

#[test]
fn backfills_that_cannot_be() {
    let at = "shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source";
    let from = "o.yaml#/actions/0/update/x-kafka-source";
    const OFFSET: &str = "offset: {mode: timestamp, field: /created_at, parameter: since}";
    for (backfill, rest, place, reason) in [
        ("{start: 2024-01-01}", OFFSET, "/backfill", "`until` is missing"),
        ("{until: cursor, start: yesterday}", OFFSET, "/backfill/start", "`yesterday` is no time"),
        ("{until: cursor, step: 1 month}", OFFSET, "/backfill/step", "`1 month` is no step of a backfill"),
        ("{until: cursor, step: -P1D}", OFFSET, "/backfill/step", "`-P1D` is no step of a backfill"),
        (
            "{until: cursor, start: 2024-02-01, end: 2024-01-31T00:00:00Z}",
            OFFSET,
            "/backfill/end",
            "`end` is not after `start`, which is 2024-02-01",
        ),
        (
            "{until: cursor}",
            "offset: {mode: none}",
            "/backfill",
            "`backfill`: there is no `offset` of the mode `timestamp`, whose parameter says where a step begins",
        ),
        (
            "{until: cursor}",
            "offset: {mode: timestamp, field: /created_at, parameter: since, lookback: 1h}",
            "/backfill",
            "`backfill`: `offset` has a `lookback`, by which each step would bring some of the one before",
        ),
        (
            "{until: since}",
            OFFSET,
            "/backfill/until",
            "`backfill.until`: it is the parameter of `offset`, where a step begins",
        ),
        (
            "{until: cursor}",
            "offset: {mode: timestamp, field: /created_at, parameter: since}, parameters: {cursor: x}",
            "/backfill/until",
            "the parameter `cursor`: what is new is asked for without it, so it can neither be required nor have a value",
        ),
    ] {
        let overlay = annotation(&format!("{{backfill: {backfill}, {rest}, pagination: {{style: none}}}}"));
        let (text, code) = said(&[("shop.yaml", DOCUMENT), ("o.yaml", &overlay)], &["--overlay", "o.yaml"]);
        let expected = format!("error: {reason}\n --> {at}{place} (written by {from}{place})\n");
        assert!(text.contains(&expected), "no {expected} in:\n{text}");
        assert_eq!(code, Some(2));
    }
}

#[test]
fn a_property_of_every_connector() {
    let at = "shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/parameters/shop";
    assert_annotation_said(
        r#"{parameters: {shop: "${config:name}"}}"#,
        &format!(
            "error: the parameter `shop`: `name` is a property of every connector; choose another name\n \
             --> {at} (written by o.yaml#/actions/0/update/x-kafka-source/parameters/shop)\n\
             error: the required parameter `shop` of `listOrders` has no value\n \
             --> shop.yaml#/paths/~1shops~1{{shop}}~1orders/get/x-kafka-source \
             (written by o.yaml#/actions/0/update/x-kafka-source)\n\
             hint: add it to `x-kafka-source` under `parameters`: a literal, or \"${{config:shop}}\" to have it configured\n"
        ),
    );
}

#[test]
fn a_required_parameter_without_a_value() {
    assert_annotation_said(
        "{}",
        "error: the required parameter `shop` of `listOrders` has no value\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source \
         (written by o.yaml#/actions/0/update/x-kafka-source)\n\
         hint: add it to `x-kafka-source` under `parameters`: a literal, or \"${config:shop}\" to have it configured\n",
    );
}

#[test]
fn parameters_that_do_not_fit() {
    assert_annotation_said(
        r#"{parameters: {shop: a, limit: many, curser: x}, records: /order, pagination: {style: none}}"#,
        "error: `/order`: the schema of the response has no field `order`\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/records \
         (written by o.yaml#/actions/0/update/x-kafka-source/records)\n\
         hint: did you mean `orders`?\n",
    );
    assert_annotation_said(
        r#"{parameters: {shop: a, limit: many, curser: x}, pagination: {style: none}}"#,
        "error: the parameter `limit`: `\"many\"` is not an integer\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/parameters/limit \
         (written by o.yaml#/actions/0/update/x-kafka-source/parameters/limit)\n\
         error: the operation has no parameter `curser`\n \
         --> shop.yaml#/paths/~1shops~1{shop}~1orders/get/x-kafka-source/parameters/curser \
         (written by o.yaml#/actions/0/update/x-kafka-source/parameters/curser)\n\
         hint: did you mean `cursor`?\n",
    );
}

#[test]
fn an_operation_that_is_not_there() {
    assert_said(
        &[("shop.yaml", DOCUMENT)],
        &["--operations", "listOrder"],
        "error: the document has no operation `listOrder`\n --> shop.yaml#/paths\nhint: did you mean `listOrders`?\n",
    );
}

#[test]
fn a_version_that_is_not_read() {
    assert_said(
        &[("shop.yaml", &DOCUMENT.replace("openapi: 3.0.3", "openapi: 4.0.0"))],
        &[],
        "error: the document is of OpenAPI version `4.0.0`; 3.x is what is read\n --> shop.yaml#/openapi\n\
         hint: convert the document to OpenAPI 3\n",
    );
}

#[test]
fn nothing_selected() {
    assert_said(
        &[("shop.yaml", DOCUMENT)],
        &[],
        "error: no operation is selected\n --> shop.yaml#/paths\n\
         hint: annotate operations with `x-kafka-source`, or name them with `--operations`; \
         `headwater inspect` lists what can be a stream\n",
    );
}

#[test]
fn a_crate_that_differs_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), DOCUMENT).unwrap();
    std::fs::write(folder.path().join("o.yaml"), annotation("{parameters: {shop: a}}")).unwrap();
    let arguments = ["shop.yaml", "--overlay", "o.yaml", "--out", "out"];
    let with = |command| run(folder.path(), &[&[command], &arguments[..]].concat());
    assert_eq!(with("generate"), (String::new(), Some(0)));
    assert_eq!(with("check"), (String::new(), Some(0)));
    std::fs::write(folder.path().join("out/src/lib.rs"), "// changed\n").unwrap();
    let (text, code) = with("check");
    assert_eq!(code, Some(1));
    assert!(text.starts_with("error: out is not what `generate` would write: 1 of "), "{text}");
}

#[test]
fn what_is_left_out_is_counted() {
    let operation = |method: &str, answer: &str| {
        format!(
            "    {method}:\n      parameters: [{{$ref: '#/components/parameters/Shop'}}]\n      responses: {answer}\n"
        )
    };
    let csv = "{'200': {description: ok, content: {text/csv: {}}}}";
    let broken = "{'200': {$ref: '#/components/responses/None'}}";
    let item = [operation("post", "{}"), operation("put", "{}"), operation("delete", csv)].concat();
    let other = [operation("get", csv), operation("put", "{}")].concat();
    let paths =
        format!("  /shops/{{shop}}:\n{item}  /exports/{{shop}}:\n{other}  /b/{{shop}}:\n{}", operation("get", broken));
    let parameter = "  parameters:\n    Shop: {name: shop, in: path, required: true, schema: {type: string}}\n";
    let more = "    Zone: {type: string}\n    Text: {type: string}\n    Broken: {$ref: '#/components/schemas/Gone'}\n";
    let document = DOCUMENT.replace("components:\n", &format!("{paths}components:\n{parameter}")) + more;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), document).unwrap();
    std::fs::write(folder.path().join("o.yaml"), annotation("{parameters: {shop: a}}")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["generate", "shop.yaml", "--overlay", "o.yaml", "--out", "out", "--all"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, counts) = text.split_once('\n').unwrap();
    assert_eq!(
        counts,
        "7 operations in the document, 1 generated, 6 left out\n\
         \x20    2 its method is PUT, neither GET nor POST: put/shops/{shop}, put/exports/{shop}\n\
         \x20    1 its method is DELETE, neither GET nor POST: delete/shops/{shop}\n\
         \x20    1 its method is POST, and its name does not say that it reads: post/shops/{shop}\n\
         \x20    1 no 2xx response has a JSON body: get/exports/{shop}\n\
         \x20    1 the `$ref` to `#/components/responses/None` leads nowhere \
         (shop.yaml#/paths/~1b~1{shop}/get/responses/200/$ref): get/b/{shop}\n\
         4 schemas in the document, 1 needed, 3 left out\n\
         \x20    2 no answer of a generated operation needs it\n\
         \x20    1 it cannot be read\n"
    );
}
