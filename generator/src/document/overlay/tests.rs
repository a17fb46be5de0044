use serde_json::json;

use super::*;

fn applied(document: Value, actions: Value) -> (Value, Vec<Origin>, Vec<String>) {
    let overlay = json!({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": actions});
    let (mut document, mut origins, mut diagnostics) = (document, Vec::new(), Diagnostics::default());
    apply(&mut document, &overlay, "o.yaml", Unmatched::Warned, &mut origins, &mut diagnostics);
    let said = diagnostics
        .iter()
        .map(|said| format!("{} --> {}", said.message, said.place.as_ref().map(Place::to_string).unwrap_or_default()))
        .collect();
    (document, origins, said)
}

#[test]
fn objects_merge_and_lists_grow() {
    let (document, _, said) = applied(
        json!({"a": {"b": {"c": 1, "d": [1]}, "e": [1]}}),
        json!([
            {"target": "$.a", "update": {"b": {"c": 2, "d": [2], "n": null}}},
            {"target": "$.a.e", "update": {"x": 1}},
            {"target": "$.a.e", "update": [3]}
        ]),
    );
    assert_eq!(document, json!({"a": {"b": {"c": 2, "d": [1, 2], "n": null}, "e": [1, {"x": 1}, 3]}}));
    assert_eq!(said, Vec::<String>::new());
}

#[test]
fn every_match_is_changed_and_actions_follow_one_another() {
    let (document, ..) = applied(
        json!({"p": [{"id": "a"}, {"id": "b"}, {"id": "a"}], "k": 1}),
        json!([
            {"target": "$.p[?@.id == 'a']", "remove": true},
            {"target": "$.p[*]", "update": {"seen": true}},
            {"target": "$.k", "remove": true}
        ]),
    );
    assert_eq!(document, json!({"p": [{"id": "b", "seen": true}]}));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let (_, _, said) = applied(
        json!({"paths": {"/pets": {"get": {}}}, "n": 1}),
        json!([
            {"target": "$.paths['/pet'].get", "update": {}},
            {"target": "$.paths[", "update": {}},
            {"target": "$.n", "update": {"a": 1}},
            {"target": "$.paths"},
            {"tarjet": "$"}
        ]),
    );
    assert_eq!(
        said,
        [
            "the target `$.paths['/pet'].get` matches nothing in the document --> o.yaml#/actions/0/target",
            "the target `$.paths[` is no JSONPath: it cannot be read from character 8 on --> o.yaml#/actions/1/target",
            "`/n` is neither an object nor a list, so nothing can be merged into it --> o.yaml#/actions/2/update",
            "action 3 has neither `update` nor `copy` nor `remove: true` --> o.yaml#/actions/3",
            "an action has no key `tarjet` --> o.yaml#/actions/4/tarjet",
            "action 4 has no `target` --> o.yaml#/actions/4",
        ]
    );
}

#[test]
fn targets_are_paths_of_every_kind() {
    let document = json!({
        "paths": {"/a": {"get": {"tags": ["x"], "n": 1}}, "/b": {"get": {"tags": ["y"], "n": 5}, "post": {"n": 7}}},
        "list": [{"i": 0}, {"i": 1}, {"i": 2}, {"i": 3}], "a": {"d": {"v": "abc"}, "e": {"v": "xbc"}}
    });
    for (target, expected) in [
        ("$.paths['/a'].get", vec!["/paths/~1a/get"]),
        ("$.paths.*.get", vec!["/paths/~1a/get", "/paths/~1b/get"]),
        ("$['list'][1:3]", vec!["/list/1", "/list/2"]),
        ("$.list[::-2]", vec!["/list/3", "/list/1"]),
        ("$.list[-1]", vec!["/list/3"]),
        ("$.list[0, 2]", vec!["/list/0", "/list/2"]),
        ("$.paths[*][?@.n > 4 && @.n < 7]", vec!["/paths/~1b/get"]),
        ("$.paths[*][?@.tags[?@ == 'x']]", vec!["/paths/~1a/get"]),
        ("$.paths[?!@.post]", vec!["/paths/~1a"]),
        ("$.paths[?count(@.*) == 2]", vec!["/paths/~1b"]),
        ("$.paths[*][?length(@.tags) == 1].tags", vec!["/paths/~1a/get/tags", "/paths/~1b/get/tags"]),
        ("$..[?match(@.v, 'a.c')]", vec!["/a/d"]),
        ("$.a[?search(@.v, 'bc')]", vec!["/a/d", "/a/e"]),
        ("$.paths[?value(@.*.n) == 1]", vec!["/paths/~1a"]),
        ("$.list[?@.i == $.paths['/a'].get.n]", vec!["/list/1"]),
    ] {
        assert_eq!(located(&JsonPath::parse(target).unwrap(), &document), expected, "{target}");
    }
}

#[test]
fn every_item_that_is_found_is_removed_once() {
    for target in ["$.p[0, 2]", "$.p[2, 0, 0]", "$.p[::2]"] {
        let (document, _, said) =
            applied(json!({"p": [0, 1, 2, 3]}), json!([{"target": target.replace("::2", ":3:2"), "remove": true}]));
        assert_eq!((document, said), (json!({"p": [1, 3]}), vec![]), "{target}");
    }
    let (_, _, said) = applied(json!({"p": 1}), json!([{"target": "$", "remove": true}]));
    assert_eq!(said, ["the document itself cannot be removed --> o.yaml#/actions/0/target"]);
}

#[test]
fn what_is_there_is_copied() {
    let (document, origins, said) = applied(
        json!({"a": {"x": {"d": 1, "l": [1]}, "y": {"l": [2]}}, "n": 1}),
        json!([
            {"target": "$.a.y", "copy": "$.a.x", "update": {"not": "used"}},
            {"target": "$.n", "copy": "$.a.x.d"},
            {"target": "$.a", "copy": "$.a.*"},
            {"target": "$.a", "copy": "$.z"},
            {"target": "$.n", "update": "two"}
        ]),
    );
    assert_eq!(document, json!({"a": {"x": {"d": 1, "l": [1]}, "y": {"l": [2, 1], "d": 1}}, "n": "two"}));
    assert_eq!(origin(&origins, "/a/y/d").unwrap().to_string(), "o.yaml#/actions/0/copy");
    assert_eq!(
        said,
        [
            "the copy `$.a.*` matches 2 places in the document, not one --> o.yaml#/actions/2/copy",
            "the copy `$.z` matches 0 places in the document, not one --> o.yaml#/actions/3/copy",
        ]
    );
}

#[test]
fn origins_lead_back_to_the_overlay() {
    let update = json!({"x-kafka-source": {"key": "/id"}});
    let (_, origins, _) =
        applied(json!({"paths": {"/a": {"get": {}}}}), json!([{"target": "$.paths['/a'].get", "update": update}]));
    let place = origin(&origins, "/paths/~1a/get/x-kafka-source/key").unwrap();
    assert_eq!(place.to_string(), "o.yaml#/actions/0/update/x-kafka-source/key");
    assert_eq!(origin(&origins, "/paths/~1a/get"), None);
}
