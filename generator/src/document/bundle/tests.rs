use std::fs;

use super::*;
use crate::document::read;

/// The document `a/api.yaml` of these files, bundled, and what was said, without the folder.
fn bundled(files: &[(&str, &str)]) -> (Value, Vec<String>, Sources, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let path = folder.path().join("a/api.yaml");
    let prefix = format!("{}/", folder.path().display());
    let mut document = read::read(&path).unwrap();
    let (mut sources, mut faults) = (Sources::new(&path.display().to_string()), Faults::default());
    bundle(&mut document, &path, None, &mut sources, &mut faults);
    let said = faults.iter().map(|said| {
        let (place, hint) = (said.place.as_ref().unwrap(), said.hint.as_deref().unwrap_or(""));
        format!("{} --> {place} ({hint})", said.message).replace(&prefix, "")
    });
    (document, said.collect(), sources, prefix)
}

#[test]
fn what_other_files_hold_becomes_components() {
    let (document, said, sources, prefix) = bundled(&[
        (
            "a/api.yaml",
            "paths:\n  /pets: {$ref: ./paths/pets.yaml}\n  /one: {$ref: '../b.json#/paths/~1one'}\n\
             components:\n  schemas:\n    Pet: {$ref: schemas/pet.yaml}\n    Tag: {type: string}\n",
        ),
        (
            "a/paths/pets.yaml",
            "get:\n  responses:\n    '200': {$ref: '../../b.json#/components/responses/Pets'}\n  parameters:\n  \
             - {$ref: '../api.yaml#/components/parameters/P'}\n",
        ),
        (
            "a/schemas/pet.yaml",
            "properties:\n  tag: {$ref: '#/definitions/Tag'}\n  self: {$ref: pet.yaml}\n  \
          free: {$ref: '../api.yaml#/components/schemas/Tag'}\ndefinitions:\n  Tag: {type: integer}\n",
        ),
        (
            "b.json",
            r##"{"paths": {"/one": {"get": {"responses": {"200": {"$ref": "#/components/responses/Pets"}}}}},
                "components": {"responses": {"Pets": {"content": {"application/json": {"schema": {
                "type": "array", "items": {"$ref": "a/schemas/pet.yaml"}}}}}}}}"##,
        ),
    ]);
    assert_eq!(said, Vec::<String>::new());
    let at = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or("nothing");
    assert_eq!(at("/paths/~1pets/get/responses/200/$ref"), "#/components/responses/Pets");
    assert_eq!(at("/paths/~1one/get/responses/200/$ref"), "#/components/responses/Pets");
    assert_eq!(at("/paths/~1pets/get/parameters/0/$ref"), "#/components/parameters/P");
    assert_eq!(
        at("/components/responses/Pets/content/application~1json/schema/items/$ref"),
        "#/components/schemas/Pet"
    );
    assert_eq!(at("/components/schemas/Pet/properties/self/$ref"), "#/components/schemas/Pet");
    assert_eq!(at("/components/schemas/Pet/properties/tag/$ref"), "#/components/schemas/pet-Tag");
    assert_eq!(at("/components/schemas/Pet/properties/free/$ref"), "#/components/schemas/Tag");
    assert_eq!(at("/components/schemas/pet-Tag/type"), "integer");
    let place = sources.place("/components/schemas/pet-Tag/type").to_string();
    assert_eq!(place.replace(&prefix, ""), "a/schemas/pet.yaml#/definitions/Tag/type");
}

#[test]
fn what_cannot_be_followed_is_told_of() {
    let (document, said, ..) = bundled(&[
        (
            "a/api.yaml",
            "paths: {}\ncomponents:\n  schemas:\n    A: {$ref: 'https://example.com/a.yaml#/A'}\n    \
             B: {$ref: no.yaml}\n    C: {$ref: 'c.yaml#/Dgo'}\n    D: {$ref: 'd.yaml'}\n    E: {$ref: 'c.yaml#/F'}\n",
        ),
        ("a/c.yaml", "Dog: {}\nF: {items: {$ref: gone.yaml}}\n"),
        ("a/d.yaml", "a: [\n"),
    ]);
    assert_eq!(
        said,
        [
            "the `$ref` to `https://example.com/a.yaml#/A` leads to the network --> \
             a/api.yaml#/components/schemas/A/$ref (allow it with `--allow-http-refs`, or download it and refer to the file)",
            "the `$ref` to `no.yaml` cannot be followed: the file `a/no.yaml` does not exist --> \
             a/api.yaml#/components/schemas/B/$ref ()",
            "the `$ref` to `c.yaml#/Dgo` leads nowhere --> a/api.yaml#/components/schemas/C/$ref (did you mean `#/Dog`?)",
            "the `$ref` to `d.yaml` cannot be followed: the YAML cannot be read: did not find expected node content \
             (a/d.yaml:2:1) --> a/api.yaml#/components/schemas/D/$ref ()",
            "the `$ref` to `gone.yaml` cannot be followed: the file `a/gone.yaml` does not exist --> \
             a/c.yaml#/F/items/$ref ()",
        ]
    );
    assert_eq!(document.pointer("/components/schemas/A/$ref").unwrap(), "#/x-headwater-fault/0");
}

#[test]
fn circles_come_to_an_end() {
    let (_, said, ..) = bundled(&[
        ("a/api.yaml", "paths:\n  /a: {$ref: 'b.yaml#/x'}\n  /c: {$ref: 'b.yaml#/y/z'}\n"),
        ("a/b.yaml", "x: {$ref: 'b.yaml#/x'}\ny: {$ref: '#/y'}\n"),
    ]);
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn discriminators_lead_to_the_same_components() {
    let (document, ..) = bundled(&[
        ("a/api.yaml", "paths: {}\ncomponents:\n  schemas:\n    A: {$ref: 'b.yaml#/A'}\n    Cat: {}\n"),
        (
            "a/b.yaml",
            "A: {discriminator: {propertyName: t, mapping: {c: '#/Cat', d: Dog}}, oneOf: [{$ref: '#/Cat'}]}\nCat: {}\n",
        ),
    ]);
    let schema = document.pointer("/components/schemas/A").unwrap();
    assert_eq!(
        schema.pointer("/discriminator/mapping").unwrap(),
        &json!({"c": "#/components/schemas/b-Cat", "d": "Dog"})
    );
    assert_eq!(schema.pointer("/oneOf/0/$ref").unwrap(), "#/components/schemas/b-Cat");
}
