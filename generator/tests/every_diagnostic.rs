//! Every diagnostic to the letter, in one table (`golden/diagnostics.txt`; `UPDATE_EXPECT=1` accepts it), and that none is
//! without a test. Those that take more than one wrong line are in `diagnostics.rs`, and beside what says them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What every case begins with. `PATHS` and `COMPONENTS` are where it adds to it.
const DOCUMENT: &str = r#"openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://shop.example"}]
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - {name: shop, in: query, schema: {type: string}}
        - {name: size, in: query, schema: {type: integer, format: int32}}
        - {name: only, in: query, style: deepObject, schema: {type: object, properties: {paid: {type: boolean}}}}
      responses:
        "200": {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Orders'}}}}
  /export:
    get:
      operationId: exportOrders
      responses: {"200": {description: ok, content: {text/csv: {}}}}
PATHS
components:
  schemas:
    Orders:
      type: object
      properties:
        orders: {type: array, items: {$ref: '#/components/schemas/Order'}}
        next: {type: string}
        extra: {}
    Order:
      type: object
      required: [id]
      properties:
        id: {type: string}
        paid: {type: boolean}
        total: {type: number}
        price: {type: string, format: decimal, x-precision: 9, x-scale: 2}
        lines: {type: array, items: {type: string}}
COMPONENTS
"#;

/// Wrong annotations of the one operation.
const ANNOTATIONS: [(&str, &str); 61] = [
    ("a body that no GET has", "{pagination: {style: cursor, pointer: /next, parameter: /after, in: body}}"),
    ("a place that no request has", "{pagination: {style: cursor, pointer: /next, parameter: shop, in: cellar}}"),
    (
        "a cursor in the path without a first",
        "{pagination: {style: cursor, pointer: /next, parameter: shop, in: path}}",
    ),
    ("the last record in the path", "{key: /id, pagination: {style: last-record, parameter: shop, in: path}}"),
    ("two ends of a cycle", "{pagination: {style: page, parameter: size, total: /next, has_more: /next}}"),
    (
        "two ends of a cycle, of which one is a short page",
        "{pagination: {style: page, parameter: size, total: /next, stop_on_short_page: true, limit: 9}}",
    ),
    ("a short page of no known size", "{pagination: {style: page, parameter: size, stop_on_short_page: true}}"),
    ("no truth value", "{pagination: {style: page, parameter: size, stop_on_short_page: 1}}"),
    ("a header that is not documented", "{pagination: {style: page, parameter: size, total: 'header:X-Total'}}"),
    ("a look back from a cursor", "{offset: {mode: cursor, field: /id, parameter: shop, lookback: 5m}}"),
    ("no object", "[a]"),
    ("no object within", "{pagination: page}"),
    ("no text", "{topic: [a]}"),
    ("no topic", "{topic: a b}"),
    ("no pointer", "{key: id}"),
    ("no whole number", "{pagination: {style: page, parameter: size, first: one}}"),
    ("no map", "{parameters: a}"),
    ("a key that is missing", "{pagination: {style: page}}"),
    ("no interval", "{schedule: {interval: soon}}"),
    ("an output that is not known", "{output: news}"),
    ("changes of what goes on", "{output: changes, offset: {mode: cursor, field: /id, parameter: shop}}"),
    ("what cannot be done with a field", "{redact: {/id: encrypt}}"),
    ("a redaction of what is no field", "{redact: {id: hash}}"),
    ("a key that is masked", "{parameters: {shop: a}, key: /id, redact: {/id: mask}}"),
    (
        "a position that is redacted",
        "{parameters: {shop: a}, offset: {mode: cursor, field: /id, parameter: shop}, redact: {/id: hash}}",
    ),
    (
        "a hash of what the next page is asked for by",
        "{key: /id, pagination: {style: last-record, parameter: shop}, redact: {/id: hash}}",
    ),
    ("a redaction of what there is not", "{parameters: {shop: a}, redact: {/linse: drop}}"),
    ("a hash of a number", "{parameters: {shop: a}, redact: {/total: hash}}"),
    ("no truth value for a hook", "{hook: always}"),
    ("no offset mode", "{offset: {mode: later, field: /id, parameter: shop}}"),
    ("a parent without bindings", "{parent: {operation: listOrders}}"),
    ("a binding that is no pointer", "{parent: {operation: listOrders, bind: {shop: id}}}"),
    ("no JSONPath", "{records: '$.orders['}"),
    ("a JSONPath to a list", "{records: $.orders}"),
    ("a JSONPath to nothing", "{records: '$.order[*].id'}"),
    ("a JSONPath to several things", "{records: '$.*'}"),
    ("a JSONPath into the unknown", "{records: '$.extra[*].a'}"),
    ("records that are missing", "{records: /order}"),
    ("records below what has none", "{records: /next/a}"),
    ("records that are not described", "{records: /extra/a}"),
    ("a key of records that are not described", "{records: /extra, key: /id}"),
    ("a cursor that is not described", "{pagination: {style: cursor, pointer: /extra/next, parameter: shop}}"),
    ("records that are text", "{records: /next}"),
    ("a key that is the whole record", "{key: ''}"),
    ("a key below what has no fields", "{key: /id/x}"),
    ("a key that has parts", "{key: /lines}"),
    ("a key that is a truth value", "{key: /paid}"),
    ("a key that is a number", "{key: /total}"),
    ("a key that is a decimal", "{key: /price}"),
    ("a time that is text", "{timestamp: /id}"),
    ("no name of a property", "{parameters: {shop: '${config:a b}'}}"),
    ("text around a property", "{parameters: {shop: 'x-${config:a}'}}"),
    ("no text for a parameter", "{parameters: {shop: {a: 1}}}"),
    ("no object for a parameter", "{parameters: {shop: a, only: a}}"),
    ("too large for a parameter", "{parameters: {shop: a, size: 3000000000}}"),
    ("a parameter that is not documented", "{parameters: {shop: a}, pagination: {style: page, parameter: pag}}"),
    (
        "a limit that is not documented",
        "{parameters: {shop: a}, pagination: {style: page, parameter: size, limit_parameter: l}}",
    ),
    ("a cursor that is missing", "{pagination: {style: cursor, pointer: /nxt, parameter: shop}}"),
    ("a property of every connector", "{parameters: {shop: '${config:name}'}}"),
    ("a key that is not known", "{topics: a}"),
    ("a style that is not known", "{pagination: {style: cursr}}"),
];

/// What else can be wrong with a document: what is replaced by what. All of it can be lived with, unless it says otherwise.
const DOCUMENTS: [(&str, &str, &str); 28] = [
    (
        "a parent whose values are set",
        "PATHS",
        "  /lines/{id}:
    get:
      operationId: listLines
      x-kafka-source: {parent: {operation: listOrders, bind: {id: /id}}, parameters: {id: a}}
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Orders'}}}}",
    ),
    (
        "changes of what is read for each record of another",
        "PATHS",
        "  /lines/{id}:
    get:
      operationId: listLines
      x-kafka-source: {parent: {operation: listOrders, bind: {id: /id}}, output: changes}
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Orders'}}}}",
    ),
    (
        "changes of what has no key",
        "PATHS",
        "  /words:
    get:
      operationId: listWords
      x-kafka-source: {output: changes}
      responses:
        '200':
          description: ok
          content:
            application/json: {schema: {type: array, items: {type: object, properties: {word: {type: boolean}}}}}",
    ),
    (
        "references in a circle",
        "COMPONENTS",
        "    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}",
    ),
    ("a mapping of more than texts", "COMPONENTS", "    A: {discriminator: {propertyName: a, mapping: {b: [c]}}}"),
    (
        "a parent that is no stream",
        "x-kafka-source: {",
        "x-kafka-source: {parent: {operation: exportOrders, bind: {size: /id}}, ",
    ),
    ("paths that are none", "paths:\n", "paths: [a]\nx-paths:\n"),
    ("no version", "openapi: 3.0.3", "title: a"),
    ("an older version", "openapi: 3.0.3", "swagger: '2.0'"),
    ("a later version", "openapi: 3.0.3", "openapi: 4.0.0"),
    ("a server's description that is no text", "servers: [{url: ", "servers: [{description: [a], url: "),
    ("a server's variables that are none", "servers: [{url: ", "servers: [{variables: a, url: "),
    ("a query in a path", "PATHS", "  /a?b=c:\n    get: {operationId: a, responses: {}}"),
    ("a template without a parameter", "PATHS", "  /a/{b}:\n    get: {operationId: a, responses: {}}"),
    (
        "a parameter that is not in the path",
        "PATHS",
        "  /a:\n    get: {operationId: a, responses: {}, parameters: [{name: b, in: path, required: true, schema: {}}]}",
    ),
    ("an operation without responses", "PATHS", "  /a:\n    get: {operationId: a}"),
    (
        "a parameter that cannot be written",
        "{name: size, in: query, schema: {type: integer, format: int32}}",
        "{name: size, in: query, schema: {type: object, properties: {a: {type: object, properties: {b: {}}}}}}",
    ),
    (
        "a required parameter that cannot be written",
        "{name: size, in: query, schema: {type: integer, format: int32}}",
        "{name: size, in: query, required: true, schema: {type: object, properties: {a: {type: object, properties: {b: {}}}}}}",
    ),
    ("OAuth 2.0 without flows", "COMPONENTS", "  securitySchemes: {a: {type: oauth2}}"),
    ("a scheme of HTTP without a name", "COMPONENTS", "  securitySchemes: {a: {type: http}}"),
    ("a scheme of Swagger 2.0", "COMPONENTS", "  securitySchemes: {a: {type: basic}}"),
    ("OpenID Connect without a URL", "COMPONENTS", "  securitySchemes: {a: {type: openIdConnect}}"),
    (
        "a URL that is no text",
        "COMPONENTS",
        "  securitySchemes: {a: {type: oauth2, flows: {clientCredentials: {tokenUrl: t, scopes: {}, refreshUrl: [a]}}}}",
    ),
    ("a parameter of the connector", "info:", "x-kafka-connector: {parameters: {size: many}}\ninfo:"),
    ("an annotation of the document that is no object", "info:", "x-kafka-connector: a\ninfo:"),
    ("a dangling reference", "schemas/Order'", "schemas/Oder'"),
    ("a reference to the network", "'#/components/schemas/Order'", "'https://a.example/b.yaml#/C'"),
    ("a reference by another scheme", "'#/components/schemas/Order'", "'file:///a.yaml#/C'"),
];

/// Wrong overlays.
const OVERLAYS: [(&str, &str); 8] = [
    ("an overlay without a version", "info: {}"),
    ("an overlay of another version", "overlay: 9.0.0\nactions: []"),
    ("an overlay without actions", "overlay: 1.0.0"),
    ("an action without a target", "overlay: 1.0.0\nactions: [{update: {}}]"),
    ("a copy of nothing", "overlay: 1.1.0\nactions: [{target: $.info, copy: [a]}]"),
    ("a list into an object", "overlay: 1.0.0\nactions: [{target: $.info, update: [a]}]"),
    ("a target with a dash", "overlay: 1.0.0\nactions: [{target: $.x-a, update: {}}]"),
    ("a target that is no JSONPath", "overlay: 1.0.0\nactions: [{target: paths, update: {}}]"),
];

/// What `headwater` says with these arguments, of these files.
fn said(arguments: &[&str], files: &[(&str, &[u8])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
    format!("{}exit code {}\n", String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

fn plain(document: &str) -> String {
    document.replace("PATHS\n", "").replace("COMPONENTS\n", "")
}

fn table() -> String {
    let mut table = String::new();
    let mut case = |name: &str, said: String| writeln!(table, "## {name}\n{said}").unwrap();
    let generate = ["generate", "shop.yaml", "--out", "out"];
    for (name, annotation) in ANNOTATIONS {
        let wanted = "operationId: listOrders\n";
        let annotated = DOCUMENT.replace(wanted, &format!("{wanted}      x-kafka-source: {annotation}\n"));
        case(name, said(&generate, &[("shop.yaml", plain(&annotated).as_bytes())]));
    }
    let wanted = "operationId: listOrders\n";
    let annotated = DOCUMENT.replace(wanted, &format!("{wanted}      x-kafka-source: {{parameters: {{shop: a}}}}\n"));
    for (name, from, to) in DOCUMENTS {
        assert!(annotated.contains(from), "{name}");
        let document = plain(&annotated.replacen(from, to, 1));
        case(name, said(&generate, &[("shop.yaml", document.as_bytes())]));
    }
    let document = plain(DOCUMENT);
    for (name, overlay) in OVERLAYS {
        let files: &[(&str, &[u8])] = &[("shop.yaml", document.as_bytes()), ("o.yaml", overlay.as_bytes())];
        let arguments = [&generate[..], &["--overlay", "o.yaml", "--operations", "listOrders"]].concat();
        case(name, said(&arguments, files));
    }
    let shop: &[(&str, &[u8])] = &[("shop.yaml", document.as_bytes()), ("out.yaml", b"")];
    case("a file that is no text", said(&generate, &[("shop.yaml", b"openapi: \xff\n")]));
    case("a folder in place of a file", said(&["generate", ".", "--out", "out"], &[]));
    case("an operation that is no stream", said(&[&generate[..], &["--operations", "exportOrders"]].concat(), shop));
    case("an operation that is not there", said(&[&generate[..], &["--operations", "listOrder"]].concat(), shop));
    let none = plain(DOCUMENT).replace("    get:", "    put:");
    case("no stream at all", said(&[&generate[..], &["--all"]].concat(), &[("shop.yaml", none.as_bytes())]));
    case("an overlay that is there", said(&["init", "shop.yaml", "--out", "out.yaml"], shop));
    case("an overlay in no folder", said(&["init", "shop.yaml", "--out", "no/out.yaml"], shop));
    if cfg!(feature = "run") {
        case("an address that is not ours", said(&["mock", "shop.yaml", "--listen", "192.0.2.1:1"], shop));
    }
    table
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/diagnostics.txt")
}

#[test]
fn every_mistake_is_told_of_to_the_letter() {
    let table = table();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(golden(), &table).unwrap();
    }
    let expected = fs::read_to_string(golden()).unwrap();
    let difference = similar::TextDiff::from_lines(&expected, &table).unified_diff().to_string();
    assert!(difference.is_empty(), "{difference}\nif this is as it should be: UPDATE_EXPECT=1 cargo test -p headwater");
}

/// Texts in the modules that speak to the user which are no diagnostics, or none that an input leads to.
const OTHERS: [&str; 22] = [
    // A header; what takes half a minute, or a document beyond all measure, to see.
    "application/yaml, application/json",
    "there is no answer within {} seconds",
    "the `$ref` leads to something that contains itself, and cannot be shared",
    // Never said, because the error beside it is.
    "` selects nothing in the response",
    // On standard output.
    " files written, ",
    " operations in the document, ",
    " schemas in the document, ",
    " pages served, ",
    "{folder}: {all} files are as `generate` would write them",
    "no answer of a generated operation needs it",
    "it cannot be read",
    // Faults of the program.
    "this is a fault of headwater: please report it with the document",
    // Why a type is not what it is decoded as: serde's, never seen.
    "any YAML value",
    // Reasons of inferences, which `inspect` shows.
    "the security requirements of the operation or the document say so",
    "the response is one object, which the end of the path names",
    "The parameter `{}`.",
    "nothing says where",
    "the response has nothing at",
    // Why a lint is not heeded.
    "the nearest is what is wanted",
    "the variants are the objects of OAS",
    "the response is a list",
    "is generated by another version",
];

/// The texts in a file, those of its tests apart.
#[derive(Default)]
struct Texts {
    own: Vec<String>,
    tests: Vec<String>,
}

impl Texts {
    fn collect(&mut self, tokens: TokenStream, in_tests: bool) {
        let mut tokens = tokens.into_iter().peekable();
        let mut before = String::new();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    // An attribute, or a comment that is documentation.
                    tokens.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '!'));
                    tokens.next_if(
                        |token| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket),
                    );
                }
                TokenTree::Group(group) => self.collect(group.stream(), in_tests || before == "tests"),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        if in_tests { &mut self.tests } else { &mut self.own }.push(text.value());
                    }
                }
                _ => {}
            }
            before = token.to_string();
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What stands for sure in whatever is made of a text: its longest part between placeholders.
fn fixed_part(text: &str) -> String {
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let parts = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    let longest = parts.max_by_key(|part| part.len()).unwrap_or_default();
    longest.replace('\u{1}', "{").replace('\u{2}', "}")
}

#[test]
fn none_is_without_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut own, mut tested) = (BTreeSet::new(), fs::read_to_string(golden()).unwrap());
    let mut all = Vec::new();
    for folder in ["src", "tests", "../tests/tests"] {
        files(&root.join(folder), &mut all);
    }
    const SPEAKERS: [&str; 8] = [
        "src/document/",
        "src/cli",
        "src/report.rs",
        "src/fetch.rs",
        "src/plan/annotations.rs",
        "src/plan/select.rs",
        "src/plan/streams/",
        "src/plan/fields.rs",
    ];
    for file in all.iter().filter(|file| !file.ends_with("every_diagnostic.rs")) {
        let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let tokens: TokenStream = fs::read_to_string(file).unwrap().parse().unwrap();
        let mut texts = Texts::default();
        texts.collect(tokens, name.ends_with("tests.rs") || !name.starts_with("src/"));
        texts.tests.iter().for_each(|text| {
            tested.push_str(text);
            tested.push('\n');
        });
        if SPEAKERS.iter().any(|speaker| name.starts_with(speaker)) || name == "src/plan/parameters.rs" {
            own.extend(texts.own.into_iter().map(|text| (name.clone(), text)));
        }
    }
    let is_sentence = |text: &str| text.len() >= 14 && text.matches(' ').count() >= 2;
    let is_other = |text: &str| OTHERS.iter().any(|other| text.contains(other));
    let spoken: Vec<_> = own.iter().filter(|(_, text)| is_sentence(text) && !is_other(text)).collect();
    let is_tested = |text: &str| tested.contains(fixed_part(text).trim());
    let untested: Vec<_> = spoken.iter().filter(|(_, text)| !is_tested(text)).collect();
    assert!(untested.is_empty(), "no test has these texts: {untested:#?}");
    assert!(spoken.len() > 150, "only {} texts were found", spoken.len());
}
