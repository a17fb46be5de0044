//! Every schema that is emitted, parsed by programs that share no code with ours.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::path::Path;

use headwater_tests::corpus::{Document, Generated, documents, schemas};
use headwater_tests::{headwater, python, workspace};

#[test]
fn other_parsers_take_every_schema() {
    let Some(python) = python().unwrap() else { return };
    let mut all = documents::own().unwrap();
    let quirks = documents::documents(&workspace().join("generator/tests/quirks")).unwrap();
    assert!(quirks.len() > 50, "{}", quirks.len());
    all.extend(quirks);
    if documents::shared().is_dir() {
        all.extend(documents::documents(&documents::shared()).unwrap());
    } else {
        eprintln!("skipped: no {}", documents::shared().display());
    }
    let crates: Vec<Generated> = all.iter().map(generated).collect();
    let folders: Vec<&Path> = crates.iter().map(|generated| generated.folder.as_path()).collect();
    let parsed = schemas::parse(python, &folders).unwrap();
    assert_eq!(parsed.problems, Vec::<String>::new());
    assert!(parsed.avro >= all.len(), "{parsed:?}");
    assert_eq!((parsed.protobuf, parsed.json), (parsed.avro, parsed.avro), "every record has all three");
    eprintln!("{} schemas in each of three languages", parsed.avro);
}

fn generated(document: &Document) -> Generated {
    let name = format!("schemas-{}", document.name);
    let generated = Generated::new(headwater().unwrap(), document, &name, &["--all"]).unwrap();
    assert!(generated.generate.status.success(), "{}: {}", document.name, generated.generate.output);
    generated
}

#[test]
fn the_parsers_do_refuse() {
    let Some(python) = python().unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("avro/twice.avsc", r#"["string", "string"]"#),
        ("protobuf/keyword.proto", "syntax = \"proto3\";\nmessage M { string a = 1; string b = 1; }\n"),
        ("json/type.json", r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "text"}"#),
        ("json/dialect.json", r#"{"type": "string"}"#),
    ] {
        let file = folder.path().join("schemas").join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let parsed = schemas::parse(python, &[folder.path()]).unwrap();
    assert_eq!((parsed.avro, parsed.protobuf, parsed.json), (1, 1, 2));
    assert_eq!(parsed.problems.len(), 4, "{:?}", parsed.problems);
}
