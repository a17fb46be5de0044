use super::*;

fn fields(wire: &[&str]) -> Vec<String> {
    let mut scope = Scope::default();
    wire.iter().map(|wire| field_name(wire, &mut scope)).collect()
}

#[test]
fn fields_are_snake_case_and_raw_where_they_are_keywords() {
    assert_eq!(
        fields(&["id", "createdAt", "HTMLUrl", "type", "self", "Self", "crate", "match", "node_id", "async", "gen"]),
        [
            "id",
            "created_at",
            "html_url",
            "r#type",
            "self_",
            "self_2",
            "crate_",
            "r#match",
            "node_id",
            "r#async",
            "r#gen"
        ]
    );
}

#[test]
fn odd_field_names_become_names() {
    assert_eq!(
        fields(&["+1", "-1", "2fa", "@type", "$ref", "", "é", "a-b", "a.b", "a b", "日本", "*", "_links", "__v"]),
        [
            "plus_1", "minus_1", "_2fa", "r#type", "r#ref", "value", "value_2", "a_b", "a_b_2", "a_b_3", "value_3",
            "value_4", "links", "v"
        ]
    );
}

#[test]
fn fields_that_differ_in_case_only_stay_apart() {
    assert_eq!(fields(&["Foo", "foo", "FOO", "foo_2"]), ["foo", "foo_2", "foo_3", "foo_2_2"]);
}

#[test]
fn avro_fields_keep_their_names_where_avro_lets_them() {
    let mut taken = BTreeSet::new();
    let names: Vec<_> =
        ["id", "createdAt", "type", "+1", "-1", "2fa", "@type", "a-b", "a.b", "é", "", "_x", "Id", "a__b"]
            .iter()
            .map(|wire| avro_field_name(wire, &mut taken))
            .collect();
    assert_eq!(
        names,
        [
            "id",
            "createdAt",
            "type",
            "plus_1",
            "minus_1",
            "_2fa",
            "type_2",
            "a_b",
            "a_b_2",
            "_",
            "__2",
            "_x",
            "Id",
            "a__b"
        ]
    );
}

#[test]
fn types_are_camel_case() {
    for (text, name) in [
        ("simple-user", "SimpleUser"),
        ("nullable-simple-user", "NullableSimpleUser"),
        ("io.k8s.api.core.v1.Pod", "IoK8sApiCoreV1Pod"),
        ("SimpleUser", "SimpleUser"),
        ("200Response", "N200response"),
        ("", "Value"),
        ("Список", "Value"),
        ("Pet_tag", "PetTag"),
    ] {
        assert_eq!(type_name(text), name);
    }
}

#[test]
fn items_are_unique_by_name_and_by_module() {
    let mut items = Items::default();
    let mut of = |wanted: &str| {
        let item = items.of_type(wanted);
        format!("{} {}", item.rust, item.module)
    };
    assert_eq!(of("Pet"), "Pet pet");
    assert_eq!(of("Pet"), "Pet2 pet2");
    assert_eq!(of("PET"), "PET3 pet3");
    assert_eq!(of("Type"), "Type type_");
    assert_eq!(of("Option"), "OptionModel option_model");
    assert_eq!(of("DateTime"), "DateTimeModel date_time_model");
    assert_eq!(of("Request"), "RequestModel request_model");
}

#[test]
fn modules_that_would_be_one_file_are_two() {
    let mut items = Items::default();
    assert_eq!(items.of_type("ABTest").module, "ab_test");
    assert_eq!(items.of_type("AbTest"), Item { rust: "AbTest2".to_owned(), module: "ab_test2".to_owned() });
    assert_eq!(items.of_type("A1").module, "a1");
}

#[test]
fn the_longest_names_are_files_and_stay_apart() {
    let mut items = Items::default();
    let long = "ab".repeat(400);
    let wanted = [type_name(&long), type_name(&format!("{long}c"))];
    let items = wanted.map(|wanted| items.of_type(&wanted));
    assert_ne!(items[0], items[1]);
    assert!(items.iter().all(|item| item.module.len() + ".rs".len() < 256), "{items:?}");
}

#[test]
fn an_operation_gives_way_to_a_type() {
    let mut items = Items::default();
    items.of_type("Pets");
    assert_eq!(items.of_operation("pets").rust, "PetsOperation");
    assert_eq!(items.of_operation("issues/list-for-repo").rust, "IssuesListForRepo");
    assert_eq!(items.of_operation("request").rust, "RequestOperation");
    assert_eq!(items.of_operation("listPets").module, "list_pets");
}

#[test]
fn variants_are_unique_and_never_unknown() {
    let mut scope = Scope::default();
    let names: Vec<_> = ["open", "OPEN", "unknown", "self", "", "+1", "-1", "1", "<=", ">=", "not_planned", "a b"]
        .iter()
        .map(|wire| variant_name(wire, &mut scope))
        .collect();
    assert_eq!(
        names,
        [
            "Open",
            "Open2",
            "UnknownValue",
            "SelfValue",
            "Empty",
            "Plus1",
            "Minus1",
            "N1",
            "Value",
            "Value2",
            "NotPlanned",
            "AB"
        ]
    );
}

#[test]
fn builders_keep_new_for_themselves() {
    assert_eq!(field_name("new", &mut builder_scope()), "new_2");
}

#[test]
fn packages_and_topics() {
    assert_eq!(package_name("GitHub v3 REST API"), "github-v3-rest-api");
    assert_eq!(package_name("petstore-events"), "petstore-events");
    assert_eq!(package_name("3scale"), "n3scale");
    assert_eq!(package_name("!"), "connector");
    assert_eq!(topic_name("issues/list-for-repo"), "issues.list-for-repo");
    assert_eq!(topic_name("listPetEvents"), "list-pet-events");
}

#[test]
fn one_of_several() {
    for (plural, one) in [
        ("labels", "label"),
        ("categories", "category"),
        ("addresses", "address"),
        ("statuses", "status"),
        ("status", "status"),
        ("boxes", "box"),
        ("issues", "issue"),
        ("branches", "branch"),
        ("series", "series"),
        ("data", "data"),
        ("s", "s"),
    ] {
        assert_eq!(singular(plural), one);
    }
}
