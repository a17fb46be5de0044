use super::*;

const SALT: &str = "a salt that nobody knows";

fn redaction(rules: &str) -> Redaction {
    Redaction::new(rules.parse().unwrap(), Some(&Secret::new(SALT)))
}

/// HMAC-SHA-256 (RFC 2104) in hexadecimal.
fn hash(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SALT.as_bytes());
    hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn redacted(rules: &str, record: &str) -> String {
    redaction(rules).record(record.as_bytes()).unwrap()
}

#[test]
fn rules_are_read_and_written() {
    let rules: Rules = " /email->hash ;/a~1b/*/c -> Drop; /x -> MASK;".parse().unwrap();
    assert_eq!(rules.to_string(), "/email -> HASH; /a~1b/*/c -> DROP; /x -> MASK");
    assert_eq!(rules.to_string().parse::<Rules>().unwrap(), rules);
    assert!(
        rules.hashes() && !"/x -> MASK".parse::<Rules>().unwrap().hashes() && "".parse::<Rules>().unwrap().is_empty()
    );
    for wrong in ["email -> HASH", "/email", "/email -> ENCRYPT", "-> DROP", "/a -> DROP -> MASK /b"] {
        let error = format!("/ok -> DROP; {wrong}").parse::<Rules>().unwrap_err();
        assert_eq!(error.to_string(), format!("`{wrong}` is no rule such as `/email -> HASH`"));
    }
}

#[test]
fn the_hash_is_an_hmac() {
    // RFC 4231 section 4.3, test case 2.
    let redaction = Redaction::new("/a -> HASH".parse().unwrap(), Some(&Secret::new("Jefe")));
    let hashed = redaction.record(br#"{"a": "what do ya want for nothing?"}"#).unwrap();
    assert_eq!(hashed, r#"{"a":"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}"#);
}

#[test]
fn each_action_does_what_it_says_to_each_type() {
    let record = r#"{"t": "x", "n": 7, "d": 1.50, "b": true, "z": null, "l": [1, "a"], "o": {"k": "v"}}"#;
    let all = |action: &str| ["t", "n", "d", "b", "z", "l", "o"].map(|name| format!("/{name} -> {action}")).join(";");
    assert_eq!(redacted(&all("MASK"), record), r#"{"t":"","n":0,"d":0.0,"b":false,"z":null,"l":[],"o":{}}"#);
    assert_eq!(redacted(&all("DROP"), record), "{}");
    let [t, n, d, b] = ["x", "7", "1.50", "true"].map(hash);
    let [one, a, v] = ["1", "a", "v"].map(hash);
    assert_eq!(
        redacted(&all("HASH"), record),
        format!(r#"{{"t":"{t}","n":"{n}","d":"{d}","b":"{b}","z":null,"l":["{one}","{a}"],"o":{{"k":"{v}"}}}}"#)
    );
}

#[test]
fn what_no_rule_is_about_is_as_it_was_sent() {
    let record = r#"{"id": 12345678901234567890, "a\u0062": [ 1.50 , {"x" : null} ], "email": "e", "email": "f"}"#;
    assert_eq!(
        redacted("/email -> MASK; /none/x -> DROP", record),
        r#"{"id":12345678901234567890,"ab":[ 1.50 , {"x" : null} ],"email":"","email":""}"#
    );
}

#[test]
fn rules_reach_into_lists_and_maps() {
    let record = r#"{"phones": [{"n": "1", "k": "a"}, {"n": "2"}], "by": {"x": {"n": "3"}, "y": {"n": "4", "m": 5}}}"#;
    let expected = r#"{"phones":[{"n":"","k":"a"},{"n":""}],"by":{"x":{"n":""},"y":{"n":"","m":5}}}"#;
    assert_eq!(redacted("/phones/*/n -> MASK; /by/*/n -> MASK", record), expected);
    // A name is looked for in each element.
    assert_eq!(redacted("/phones/n -> MASK; /by/*/n -> MASK", record), expected);
    assert_eq!(redacted("/phones/1 -> DROP; /by -> DROP", record), r#"{"phones":[{"n": "1", "k": "a"}]}"#);
    assert_eq!(redacted("/by/*/n -> MASK; /by/x -> DROP", record).matches("by\":{\"y\"").count(), 1);
    assert_eq!(redacted("/tags/* -> DROP", r#"{"tags": ["a", "b"]}"#), r#"{"tags":[]}"#);
    assert_eq!(redacted("/a~1b/~0 -> DROP", r#"{"a/b": {"~": 1, "x": 2}}"#), r#"{"a/b":{"x":2}}"#);
}

#[test]
fn what_is_of_another_shape_than_the_rule_says_is_redacted_all_the_same() {
    for (rules, record, expected) in [
        // Text where an object was expected.
        ("/address/city -> MASK", r#"{"address": "12 Main St"}"#, r#"{"address":""}"#),
        ("/address/city -> DROP; /address/zip -> HASH", r#"{"address": "12 Main St"}"#, "{}"),
        ("/address/city -> MASK", r#"{"address": null}"#, r#"{"address":null}"#),
        ("/address/city -> MASK", r#"{"address": ["12 Main St", {"city": "x"}]}"#, r#"{"address":["",{"city":""}]}"#),
        // A record that is no object.
        ("/email -> DROP", r#""a@test.dev""#, r#""""#),
        ("/email -> HASH", "[\"a\", 5]", &format!("[\"{}\",\"{}\"]", hash("a"), hash("5"))),
        ("/email -> DROP", "null", "null"),
    ] {
        assert_eq!(redacted(rules, record), expected, "{rules}: {record}");
    }
    let odd = redacted("/a -> HASH", r#"{"a": "\ud800"}"#);
    assert!(!odd.contains("ud800") && odd.len() > 64, "{odd}");
}

#[test]
fn a_document_is_redacted_where_its_records_are() {
    let rules = "/e -> MASK";
    for (at, document, expected) in [
        ("", r#"[{"e": "a"}, {"e": "b"}]"#, r#"[{"e":""},{"e":""}]"#),
        ("", r#"{"e": "a"}"#, r#"{"e":""}"#),
        ("/d/r", r#"{"e": "a", "d": {"r": [{"e": "b"}], "e": "c"}}"#, r#"{"e":"a","d":{"r":[{"e":""}],"e":"c"}}"#),
        ("/d", r#"{"d": [{"e": "a"}], "d": [{"e": "b"}]}"#, r#"{"d":[{"e":""}],"d":[{"e":""}]}"#),
        ("/d", r#"{"d": null}"#, r#"{"d":null}"#),
        ("/d", r#"{"d": "a"}"#, r#"{"d":""}"#),
        ("/d/r", r#"{"d": "a"}"#, r#"{"d":"a"}"#),
        ("$.d[*]", r#"{"d": {"x": {"e": "a"}, "y": "b"}}"#, r#"{"d":{"x":{"e":""},"y":""}}"#),
        (
            "$.d[?@.t == 1].r",
            r#"{"d": [{"t": 1, "r": {"e": "a"}}, {"t": 2, "r": 5}]}"#,
            r#"{"d":[{"t":1,"r":{"e":""}},{"t": 2, "r": 5}]}"#,
        ),
        ("$..r", r#"{"r": {"e": "a", "r": {"e": "b"}}}"#, r#"{"r":{"e":"","r":{"e":""}}}"#),
        ("", " ", ""),
        ("", "\u{feff}{\"e\": 5}", r#"{"e":0}"#),
    ] {
        let redacted = redaction(rules).document(document.as_bytes(), &RecordsAt::parse(at).unwrap()).unwrap();
        assert_eq!(redacted, expected, "{at}: {document}");
    }
    let error = |at: &str, document: &[u8]| {
        redaction(rules).document(document, &RecordsAt::parse(at).unwrap()).unwrap_err().to_string()
    };
    assert_eq!(error("", br#"{"e": a@test.dev}"#), "the response is not JSON: line 1, column 7");
    assert_eq!(error("", b"\xff"), "the response is not UTF-8, which JSON is (RFC 8259 section 8.1)");
    assert_eq!(
        error("$[?@.e == 'a']", br#"[{"e": "a"}]"#),
        "`$[?@['e']=='a']` selects records by a field that `record.redact` changes"
    );
}

#[test]
fn what_is_changed_can_be_told() {
    let rules: Rules = "/a/b -> HASH; /l/*/x -> DROP; /p/n -> MASK".parse().unwrap();
    for (place, is_changed) in [
        ("/a/b", true),
        ("/a", true),
        ("/a/b/c", true),
        ("/a/c", false),
        ("/l/0/x", true),
        ("/l/0/y", false),
        ("/p/0/n", true),
        ("/p/n", true),
        ("/p/0/m", false),
        ("/ab", false),
    ] {
        assert_eq!(rules.change(&Pointer::parse(place).unwrap()).is_some(), is_changed, "{place}");
    }
}

#[test]
fn what_is_hashed_already_is_not_hashed_again() {
    let redaction = redaction("/a -> HASH; /b -> MASK; /c -> HASH");
    let again = redaction.after(&"/a -> HASH".parse().unwrap());
    let record = again.record(br#"{"a": "h", "b": "x", "c": "y"}"#).unwrap();
    assert_eq!(record, format!(r#"{{"a":"h","b":"","c":"{}"}}"#, hash("y")));
}

#[test]
fn the_salt_is_not_printed() {
    let redaction = redaction("/a -> HASH");
    assert_eq!(format!("{redaction:?}"), r#"Redaction("/a -> HASH")"#);
    // Without a salt, nothing is told by a hash that anybody could make.
    let unsalted = Redaction::new("/a -> HASH".parse().unwrap(), None);
    assert_eq!(unsalted.record(br#"{"a": "x"}"#).unwrap(), r#"{"a":""}"#);
}
