//! `headwater diff`: what it finds, how it is classed, and its exit codes. `UPDATE_EXPECT=1` accepts what it prints.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater::diff::{Change, ChangeKind, Format, PlanDiff, Rule, Verdict, diff};
use headwater::document::Document;
use headwater::plan::{PlanOptions, Selection, plan};

/// Exit code, standard output and standard error.
fn headwater(arguments: &[&str]) -> (i32, String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/shop");
    let output = Command::new(env!("CARGO_BIN_EXE_headwater")).current_dir(folder).arg("diff").args(arguments).output();
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn assert_golden(name: &str, arguments: &[&str]) {
    let (code, printed, said) = headwater(arguments);
    assert_eq!((code, said.as_str()), (1, ""));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/diff").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &printed).unwrap();
    }
    assert_eq!(printed, fs::read_to_string(&golden).unwrap_or_default(), "UPDATE_EXPECT=1 accepts this");
}

#[test]
fn shows_all_changes_in_each_form() {
    assert_golden("shop.txt", &["old.yaml", "new.yaml"]);
    assert_golden("shop.md", &["old.yaml", "new.yaml", "--format", "markdown"]);
    assert_golden("shop.json", &["old.yaml", "new.yaml", "--format", "json", "--compatibility", "FULL"]);
}

#[test]
fn the_exit_code_tells_whether_something_breaks() {
    let scratch = tempfile::tempdir().unwrap();
    let with = |name: &str, schema: &str| document(scratch.path(), name, schema).to_str().unwrap().to_owned();
    let (less, more) = (with("less", "{a: {type: integer}}"), with("more", "{a: {type: integer}, b: {type: string}}"));
    assert_eq!(headwater(&[&less, &less]), (0, "No changes in 1 stream\n".to_owned(), String::new()));
    let (code, printed, _) = headwater(&[&less, &more]);
    assert!(code == 0 && printed.starts_with("1 change, 0 of them breaking, in 1 of 1 stream (Avro, "), "{printed}");
    // A registry refuses it for a JSON Schema.
    assert_eq!(headwater(&[&less, &more, "--value-format", "json-schema"]).0, 1);
    assert_eq!(headwater(&[&less, &more, "--value-format", "json-schema", "--compatibility", "FORWARD"]).0, 0);
    let text = with("text", "{a: {type: string}}");
    assert_eq!(headwater(&[&less, &text]).0, 1);
    assert_eq!(headwater(&[&less, &text, "--compatibility", "NONE"]).0, 0);

    let (code, printed, said) = headwater(&["old.yaml", "none.yaml"]);
    assert_eq!((code, printed.as_str()), (2, ""));
    assert!(said.starts_with("error: ") && said.contains("none.yaml"), "{said}");
    assert_eq!(headwater(&["old.yaml", "new.yaml", "--compatibility", "SOME"]).0, 2);
    let (code, _, said) = headwater(&["old.yaml", "new.yaml", "--operations", "listReviews"]);
    assert!(code == 2 && said.contains("new.yaml") && said.contains("no operation `listReviews`"), "{said}");
}

/// An overlay for the older document finds nothing to change in the newer one: that is a stream that is gone.
#[test]
fn what_an_overlay_no_longer_finds_is_gone() {
    let scratch = tempfile::tempdir().unwrap();
    let old = document(scratch.path(), "old", "{a: {type: string}}");
    let new = scratch.path().join("new.yaml");
    fs::write(&new, fs::read_to_string(&old).unwrap().replace("/things", "/items")).unwrap();
    let overlay = scratch.path().join("overlay.yaml");
    let actions = "[{target: \"$.paths['/things'].get\", update: {x-kafka-source: {topic: things}}}]";
    fs::write(&overlay, format!("overlay: 1.0.0\ninfo: {{title: o, version: '1'}}\nactions: {actions}\n")).unwrap();
    let [old, new, overlay] = [&old, &new, &overlay].map(|path| path.to_str().unwrap());
    let (code, printed, said) = headwater(&[old, new, "--overlay", overlay]);
    assert_eq!((code, said.as_str()), (1, ""));
    assert!(printed.contains("list → things\n") && printed.contains("stream removed: GET /things"), "{printed}");
    let (code, printed, said) = headwater(&[new, old, "--overlay", overlay]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(printed.contains("stream added: GET /things"), "{printed}");
}

/// A document with one list of records, whose properties these are.
fn document(folder: &Path, name: &str, properties: &str) -> PathBuf {
    let path = folder.join(format!("{name}.yaml"));
    let text = format!(
        "openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\nservers: [{{url: 'https://a.example'}}]\npaths:\n  /things:\n    \
         get:\n      operationId: list\n      responses:\n        '200':\n          description: All.\n          content:\n            \
         application/json:\n              schema:\n                type: array\n                items:\n                  \
         $ref: '#/components/schemas/Thing'\ncomponents:\n  schemas:\n    Thing:\n      type: object\n      \
         required: [a]\n      properties: {properties}\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn compare(old: &Document, new: &Document, selection: Selection) -> PlanDiff {
    let options = PlanOptions { selection, configures_missing: true, ..PlanOptions::default() };
    diff(&plan(old, &options).unwrap().plan, &plan(new, &options).unwrap().plan, Rule::Backward).unwrap()
}

/// Under BACKWARD, whether each format's new schema reads what the old one wrote.
#[test]
fn a_change_of_type_is_classed_for_each_format() {
    let scratch = tempfile::tempdir().unwrap();
    let of =
        |name: &str, ty: &str| Document::load(&document(scratch.path(), name, &format!("{{a: {ty}}}")), &[]).unwrap();
    let (int, long, number) =
        ("{type: integer, format: int32}", "{type: integer, format: int64}", "{type: number, format: double}");
    let (text, date, list) = ("{type: string}", "{type: string, format: date}", "{type: array, items: {type: string}}");
    let listed = "{type: string, enum: [x, y]}";
    let bool = "{type: boolean}";
    for (old, new, expected) in [
        (int, long, "avro protobuf json"),
        (long, int, "protobuf json"),
        (int, number, "avro json"),
        (long, number, "avro json"),
        (number, int, ""),
        (int, bool, "protobuf"),
        (int, text, ""),
        (text, int, ""),
        (text, date, "protobuf json"),
        (text, listed, "avro protobuf json"),
        (listed, text, "avro protobuf json"),
        (text, "{type: string, format: uuid}", "avro protobuf json"),
        (text, list, ""),
        (list, text, ""),
        (text, "{}", "avro protobuf json"),
        (int, "{}", "json"),
        (list, "{type: object, additionalProperties: {type: string}}", ""),
        (text, "{oneOf: [{type: string}, {type: integer}]}", "avro json"),
    ] {
        let found = compare(&of("old", old), &of("new", new), Selection::All);
        let changes: Vec<_> = found.changes().collect();
        let [change] = changes[..] else { panic!("{old} → {new}: {changes:?}") };
        assert_eq!((change.kind, change.subject.as_str()), (ChangeKind::FieldType, "/a"), "{old} → {new}");
        let verdicts = [("avro", change.avro), ("protobuf", change.protobuf), ("json", change.json_schema)];
        let compatible = verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Compatible);
        let compatible: Vec<_> = compatible.map(|(name, _)| *name).collect();
        assert_eq!(compatible.join(" "), expected, "{old} → {new}");
    }
}

/// What refers to itself is compared to its end, and once.
#[test]
fn recursive_types_are_compared_once() {
    let scratch = tempfile::tempdir().unwrap();
    let of = |name: &str, more: &str| {
        let properties = format!(
            "{{a: {{type: string}}, parent: {{$ref: '#/components/schemas/Thing'}}, \
             children: {{type: array, items: {{$ref: '#/components/schemas/Thing'}}}}{more}}}"
        );
        Document::load(&document(scratch.path(), name, &properties), &[]).unwrap()
    };
    let found = compare(&of("old", ""), &of("new", ", b: {type: string}"), Selection::All);
    let changes: Vec<_> = found.changes().map(|change| (change.kind, change.subject.as_str())).collect();
    assert_eq!(changes, [(ChangeKind::FieldAdded, "/b")]);
}

const CHANGES: &str = "
overlay: 1.0.0
info: {title: Changes, version: '1'}
actions:
  - target: $.components.schemas.PoolResponse.properties
    update: {slots: {type: string}, paused: {type: boolean}}
  - target: $.components.schemas.PoolResponse.properties.team_name
    remove: true
  - target: $.paths['/api/v2/plugins']
    remove: true
";

/// A real document, against itself with a few things changed by an overlay.
#[test]
fn a_real_document_differs_by_what_an_overlay_changes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs/airflow-v2.yaml");
    if !path.is_file() {
        eprintln!("skipped: no {}", path.display());
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let overlay = scratch.path().join("overlay.yaml");
    fs::write(&overlay, CHANGES).unwrap();
    let (old, new) = (Document::load(&path, &[]).unwrap(), Document::load(&path, &[overlay]).unwrap());
    let found = compare(&old, &new, Selection::All);
    assert!(found.unchanged > 10 && found.connector.is_empty(), "{found:?}");
    let [pools, pool, plugins] = &found.streams[..] else { panic!("{:?}", found.streams) };
    let of = |changes: &[Change]| -> Vec<_> {
        changes
            .iter()
            .map(|change| (change.kind, change.subject.clone(), change.is_breaking(&[Format::Avro])))
            .collect()
    };
    assert_eq!((pools.operation_id.as_str(), plugins.operation_id.as_str()), ("get_pools", "get_plugins"));
    assert_eq!(of(&pool.changes), of(&pools.changes), "one pool is as each of many");
    let field = |kind, name: &str, breaks| (kind, name.to_owned(), breaks);
    let expected = [
        field(ChangeKind::FieldType, "/slots", true),
        field(ChangeKind::FieldRemoved, "/team_name", false),
        field(ChangeKind::FieldAdded, "/paused", false),
    ];
    let mut changes = of(&pools.changes);
    changes.sort_by_key(|(kind, ..)| expected.iter().position(|(expected, ..)| expected == kind));
    assert_eq!(changes, expected);
    assert_eq!(of(&plugins.changes), [field(ChangeKind::StreamRemoved, "", true)]);
}
