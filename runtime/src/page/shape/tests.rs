//! Pages, read by their shape.

use std::time::Duration;

use serde_json::json;

use super::super::{Boundary, DriftPolicy, OnDrift, Pagination, Wire};
use super::*;
use crate::codegen::{Object, Undeclared};
use crate::format::OutputFormat;
use crate::http::Request;
use crate::operation::{Incremental, IncrementalMode, KeyField, OffsetField, OffsetValue};
use crate::record::{DateTime, Field, Record, Text};
use crate::slice::Children;

#[derive(Default, Object)]
struct Event<'page> {
    #[field(number = 1, required)]
    id: Field<'page, i64>,
    #[field(number = 2)]
    at: Field<'page, DateTime<'page>>,
    #[field(number = 3)]
    note: Field<'page, Text<'page>>,
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

impl<'page> Record<'page> for Event<'page> {
    const AVRO_SCHEMA: &'static str = "{}";
    const PROTOBUF_SCHEMA: &'static str = "";
    const JSON_SCHEMA: &'static str = "{}";
}

fn page_with(prefix: &[u8]) -> Page {
    Page::new(&Wire {
        format: OutputFormat::Avro,
        prefix: prefix.to_vec(),
        on_drift: DriftPolicy::default(),
        redaction: None,
    })
}

struct ListEvents;

impl TypedOperation for ListEvents {
    type Record<'page> = Event<'page>;

    fn facts() -> OperationFacts {
        facts(
            "/data/events",
            Pagination::Cursor { pointer: "/meta/next".into(), parameter: "after".into(), initial: None },
        )
    }

    fn request(&self) -> Request {
        Request::get("/events")
    }

    fn key(record: &Event<'_>, out: &mut Vec<u8>) -> bool {
        record.id.write_key(out)
    }

    fn offset<'record>(record: &'record Event<'_>) -> Option<OffsetValue<'record>> {
        record.at.offset_value()
    }
}

fn facts(records: &'static str, pagination: Pagination) -> OperationFacts {
    OperationFacts {
        id: "listEvents".into(),
        topic: "events".into(),
        records: records.into(),
        records_required: true,
        pagination,
        incremental: Some(Incremental {
            mode: IncrementalMode::Timestamp,
            field: "/at".into(),
            parameter: "since".into(),
            initial: None,
            lookback: None,
        }),
        interval: Duration::from_secs(60),
    }
}

fn decode(body: &str, page: &mut Page) -> Result<(), DecodeError> {
    PageShape::new(&ListEvents::facts()).decode::<ListEvents>(body.as_bytes(), page)
}

fn keys(page: &Page) -> Vec<&str> {
    page.records().map(|record| std::str::from_utf8(record.key.unwrap()).unwrap()).collect()
}

#[test]
fn records_and_the_next_page_are_found_wherever_they_stand() {
    for body in [
        r#"{"data": {"events": [{"id": 1, "note": "a"}, {"id": 2, "note": "\u00e9"}], "n": 2}, "meta": {"next": "abc"}}"#,
        r#"{"meta": {"next": "abc", "y": [1]}, "data": {"events": [{"note": "a", "id": 1}, {"id": 2, "at": null, "note": "é"}]}}"#,
    ] {
        let mut page = page_with(&[0, 0, 0, 0, 7]);
        decode(body, &mut page).unwrap();
        assert_eq!(keys(&page), ["1", "2"]);
        assert_eq!(page.next.as_deref(), Some("abc"));
        let values: Vec<_> = page.records().map(|record| record.value).collect();
        // Schema id, id, no time, note, nothing unmapped.
        assert_eq!(values[0], [0, 0, 0, 0, 7, 2, 2, 0, 2, 2, b'a', 0]);
        assert_eq!(values[1], [0, 0, 0, 0, 7, 2, 4, 0, 2, 4, 0xc3, 0xa9, 0]);
    }
}

#[test]
fn what_is_no_text_is_told_of_where_it_stands() {
    let mut body = br#"{"data": {"events": [{"id": 1, "note": "a?"}]}, "meta": {}}"#.to_vec();
    let at = body.iter().position(|byte| *byte == b'?').unwrap();
    body[at] = 0xff;
    let mut page = page_with(&[]);
    let error = PageShape::new(&ListEvents::facts()).decode::<ListEvents>(&body, &mut page).unwrap_err();
    let DecodeError::Json { place: Place::Page, source } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), format!("invalid unicode code point at line 1 column {}", at + 1));
}

/// The same, of which even ones are left out, and the others have another key and note.
struct HookedEvents;

impl TypedOperation for HookedEvents {
    type Record<'page> = Event<'page>;

    fn facts() -> OperationFacts {
        ListEvents::facts()
    }

    fn request(&self) -> Request {
        ListEvents.request()
    }

    fn key(record: &Event<'_>, out: &mut Vec<u8>) -> bool {
        record.id.write_key(out)
    }

    fn offset<'record>(record: &'record Event<'_>) -> Option<OffsetValue<'record>> {
        record.at.offset_value()
    }

    fn children(record: &Event<'_>, children: &mut Children) {
        children.add("children", [("id", record.id.offset_value())]);
    }

    fn hook() -> Option<fn(&mut Event<'_>) -> Verdict> {
        Some(|record| {
            let id = record.id.get().copied().unwrap_or_default();
            assert!(id < 100, "{id} is too much");
            record.id = (10 * id).into();
            record.at = Field::Absent;
            record.note = Text::from("hooked").into();
            if id % 2 == 0 { Verdict::Drop } else { Verdict::Keep }
        })
    }
}

#[test]
fn a_hook_changes_and_drops_records_and_the_stream_stands_where_they_were() {
    let body = |last: i64| {
        let event = |id: i64| json!({ "id": id, "at": format!("2024-01-0{}T00:00:00Z", id % 9 + 1), "note": "sent" });
        json!({ "data": { "events": [event(1), event(2), event(3), event(last)] }, "meta": { "next": "abc" } })
            .to_string()
    };
    let decode = |body: &str, page: &mut Page| {
        page.track(IncrementalMode::Timestamp, None, boundary(None, vec![]), boundary(None, vec![]));
        PageShape::new(&ListEvents::facts()).decode::<HookedEvents>(body.as_bytes(), page)
    };
    let mut page = page_with(&[7]);
    decode(&body(4), &mut page).unwrap();
    assert_eq!(keys(&page), ["10", "30"]);
    assert_eq!((page.len(), page.received, page.filtered()), (2, 4, 2));
    let value = page.records().next().unwrap().value;
    assert_eq!(value, [&[7, 2, 20, 0, 2, 12][..], b"hooked", &[0]].concat());
    // As it was sent: the next page may be asked for by it.
    assert_eq!(page.last_key().as_deref(), Some("4"));
    let children: Vec<_> = page.children.iter().map(|(_, slice)| slice.to_string()).collect();
    assert_eq!(children, [r#"{"id":"10"}"#, r#"{"id":"30"}"#]);
    assert_eq!(page.reached().unwrap().value.as_deref(), Some("2024-01-05T00:00:00Z"));

    // What came twice is recognised by what was sent, and what departs from the document is told of that too.
    let mut plain = page_with(&[7]);
    plain.track(IncrementalMode::Timestamp, None, boundary(None, vec![]), boundary(None, vec![]));
    PageShape::new(&ListEvents::facts()).decode::<ListEvents>(body(4).as_bytes(), &mut plain).unwrap();
    let mut again = page_with(&[7]);
    decode(&body(4), &mut again).unwrap();
    assert_eq!(plain.reached().unwrap().records, again.reached().unwrap().records);
    let mut odd = page_with(&[]);
    decode(r#"{"data": {"events": [{"id": 1, "at": "2024-01-01T00:00:00Z", "note": 5}]}}"#, &mut odd).unwrap();
    assert_eq!(odd.drift().len(), 1);
    assert_eq!(keys(&odd), ["10"]);
}

#[test]
fn a_hook_that_panics_stops_the_page() {
    let body =
        r#"{"data": {"events": [{"id": 1, "at": "2024-01-01T00:00:00Z"}, {"id": 100, "at": "2024-01-01T00:00:00Z"}]}}"#;
    let error = PageShape::new(&ListEvents::facts()).decode::<HookedEvents>(body.as_bytes(), &mut page_with(&[]));
    let error = error.unwrap_err().to_string();
    assert_eq!(error, r#"reading record 1 of the page: its hook in `src/hooks.rs` panicked with "100 is too much""#);
}

#[test]
fn one_object_is_one_record_and_null_is_none() {
    let mut page = page_with(&[]);
    decode(r#"{"data": {"events": {"id": 5, "note": ""}}}"#, &mut page).unwrap();
    assert_eq!(keys(&page), ["5"]);
    let mut page = page_with(&[]);
    decode(r#"{"data": {"events": null}, "meta": {"next": 17}}"#, &mut page).unwrap();
    assert!(page.is_empty());
    assert_eq!(page.next.as_deref(), Some("17"));
}

#[test]
fn the_root_can_be_the_array() {
    let mut page = page_with(&[]);
    PageShape::new(&facts("", Pagination::LinkHeader))
        .decode::<ListEvents>(br#"[{"id": 1, "note": ""}]"#, &mut page)
        .unwrap();
    assert_eq!(page.len(), 1);
}

/// Whatever the API answers, where the document does not say what.
#[derive(Clone, Debug, Default, PartialEq, Object)]
struct Anything<'page> {
    #[field(undeclared)]
    undeclared: Undeclared<'page>,
}

impl<'page> Record<'page> for Anything<'page> {
    const AVRO_SCHEMA: &'static str = "{}";
    const PROTOBUF_SCHEMA: &'static str = "";
    const JSON_SCHEMA: &'static str = "{}";
}

struct GetAnything;

impl TypedOperation for GetAnything {
    type Record<'page> = Anything<'page>;

    fn facts() -> OperationFacts {
        OperationFacts { incremental: None, ..facts("", Pagination::None) }
    }

    fn request(&self) -> Request {
        Request::get("/anything")
    }
}

#[test]
fn a_whole_response_is_a_list_of_records_or_one() {
    for (body, records, rejected) in [
        (r#"[{"id":1},{}]"#, vec![r#"{"id":1}"#, "{}"], vec![]),
        (r#"{"data":[{"id":1}],"next":null}"#, vec![r#"{"data":[{"id":1}],"next":null}"#], vec![]),
        ("[]", vec![], vec![]),
        ("null", vec![], vec![]),
        (r#"[{"id":1},"a"]"#, vec![r#"{"id":1}"#], vec![r#""a""#]),
        (r#""a""#, vec![], vec![r#""a""#]),
    ] {
        let wire = Wire {
            format: OutputFormat::Json,
            prefix: Vec::new(),
            on_drift: DriftPolicy::all(OnDrift::Stop),
            redaction: None,
        };
        let mut page = Page::new(&wire);
        PageShape::new(&GetAnything::facts()).decode::<GetAnything>(body.as_bytes(), &mut page).unwrap();
        let found: Vec<_> = page.records().map(|it| std::str::from_utf8(it.value).unwrap()).collect();
        assert_eq!(found, records, "{body}");
        let refused: Vec<_> = page.rejected().iter().map(|it| std::str::from_utf8(&it.sent).unwrap()).collect();
        assert_eq!(refused, rejected, "{body}");
    }
}

#[test]
fn a_path_selects_records_as_they_were_sent() {
    let select = |path: &'static str, body: &str| {
        let mut page = page_with(&[]);
        let pagination = Pagination::Cursor { pointer: "/meta/next".into(), parameter: "after".into(), initial: None };
        let facts = OperationFacts { records_required: false, ..facts(path, pagination) };
        PageShape::new(&facts).decode::<ListEvents>(body.as_bytes(), &mut page).map(|()| page)
    };
    let body = r#"{"data": [{"type": "a", "item": {"id": 1}}, {"type": "b", "item": {"id": 2}},
        {"type": "a", "item": {"id": "3", "x": 9007199254740993.10}}, {"type": "a", "item": [7]}, {"type": "a"}],
        "meta": {"next": "abc"}}"#;
    for (path, expected, rejected) in [
        ("$.data[*].item", vec!["1", "2", "3"], vec!["[7]"]),
        ("$.data[?@.type == 'a'].item", vec!["1", "3"], vec!["[7]"]),
        ("$..item", vec!["1", "2", "3"], vec!["[7]"]),
        ("$.none[*]", vec![], vec![]),
    ] {
        let page = select(path, body).unwrap();
        assert_eq!(keys(&page), expected, "{path}");
        let refused: Vec<_> = page.rejected().iter().map(|it| std::str::from_utf8(&it.sent).unwrap()).collect();
        assert_eq!(refused, rejected, "{path}");
        assert_eq!(page.next.as_deref(), Some("abc"), "{path}");
    }
    assert!(select("$.data[*].item", "{\"data\": [").is_err());
    let error = select("$.data[", body).unwrap_err();
    assert_eq!(error.to_string(), "the response has nothing at `$.data[`, where its records should be");
}

#[test]
fn what_cannot_be_read_is_named() {
    for (body, message) in [
        (r#"{"data": {"events": [{"id": 1, "note": "a"}"#, "reading the page"),
        (r#"{"data": {"events": [{"id": "1"}, {"id": 2,}]}}"#, "reading the page"),
        (r#"{"data": []}"#, "the response has nothing at `/data/events`, where its records should be"),
        (r#"{"data": {"items": []}}"#, "the response has nothing at `/data/events`, where its records should be"),
        (r#"{"data": 7}"#, "reading the page"),
        ("<html>", "reading the page"),
    ] {
        let error = decode(body, &mut page_with(&[])).unwrap_err();
        assert!(error.to_string().starts_with(message), "{body}: {error}");
    }
}

#[test]
fn a_record_that_is_not_as_declared_stops_no_other() {
    let body = r#"{"data": {"events": [
        {"id": 1, "note": "a"}, {"id": "2", "note": 7}, {"id": [3], "at": "soon"}, "none", null, {"id": 5, "x": {}}
    ]}, "meta": {"next": "abc"}}"#;
    let mut page = page_with(&[]);
    decode(body, &mut page).unwrap();
    assert_eq!(keys(&page), ["1", "2", "[3]", "5"]);
    assert_eq!((page.received, page.next.as_deref()), (6, Some("abc")));
    let rejected: Vec<_> =
        page.rejected().iter().map(|it| (it.index, std::str::from_utf8(&it.sent).unwrap(), &*it.reason)).collect();
    assert_eq!(
        rejected,
        [
            (3, "\"none\"", "a record is an object, and this is a string"),
            (4, "null", "a record is an object, and this is `null`"),
        ]
    );
    let drift: Vec<_> = page.drift().iter().map(|((kind, place), count)| format!("{place}: {kind} {count}")).collect();
    assert_eq!(
        drift,
        [
            "/x: undeclared field 1",
            "/id: value in another form 1",
            "/note: value in another form 1",
            "/at: value of another type 1",
            "/id: value of another type 1",
        ]
    );
}

#[test]
fn what_departs_can_be_refused() {
    for (record, message) in [
        (r#"{"id": 1, "x": 1}"#, "reading record 0 of the page: undeclared field at `/x`"),
        (r#"{"id": "1"}"#, "reading record 0 of the page: value in another form at `/id`"),
        (r#"{"note": "a"}"#, "reading record 0 of the page: missing field at `/id`"),
        (r#"{"id": null}"#, "reading record 0 of the page: null in a required field at `/id`"),
    ] {
        let wire = Wire {
            format: OutputFormat::Avro,
            prefix: Vec::new(),
            on_drift: DriftPolicy::all(OnDrift::Stop),
            redaction: None,
        };
        let body = format!(r#"{{"data": {{"events": [{record}]}}}}"#);
        let error = decode(&body, &mut Page::new(&wire)).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

fn boundary(value: Option<&str>, records: Vec<u64>) -> Boundary {
    Boundary { value: value.map(str::to_owned), records }
}

fn tracked(body: &str, seen: &Boundary) -> (Vec<String>, Boundary) {
    let mut page = page_with(&[]);
    page.track(IncrementalMode::Timestamp, None, seen.clone(), seen.clone());
    decode(body, &mut page).unwrap();
    let keys = keys(&page).iter().map(|&key| key.to_owned()).collect();
    (keys, page.reached().unwrap())
}

#[test]
fn what_comes_again_at_the_boundary_is_dropped_once() {
    let first = r#"{"data": {"events": [
        {"id": 1, "at": "2024-01-01T00:00:00Z", "note": "a"},
        {"id": 3, "at": "2024-01-02T00:00:00Z", "note": "c"},
        {"id": 2, "at": "2024-01-02T01:00:00+01:00", "note": "b"}]}}"#;
    let (keys, reached) = tracked(first, &boundary(None, vec![]));
    assert_eq!(keys, ["1", "3", "2"]);
    assert_eq!(reached.value.as_deref(), Some("2024-01-02T00:00:00Z"));
    assert_eq!(reached.records.len(), 2);

    let again = r#"{"data": {"events": [
        {"id": 3, "at": "2024-01-02T00:00:00Z", "note": "c"},
        {"id": 2, "at": "2024-01-02T00:00:00Z", "note": "changed within the second"},
        {"id": 4, "at": "2024-01-02T00:00:00Z", "note": "late"}]}}"#;
    let (keys, reached_again) = tracked(again, &reached);
    assert_eq!(keys, ["2", "4"]);
    assert_eq!(reached_again.value, reached.value);
    assert_eq!(reached_again.records.len(), 4);
    assert_eq!(tracked(again, &reached_again).0, Vec::<String>::new());
}

#[test]
fn a_record_without_its_offset_is_an_error() {
    let mut page = page_with(&[]);
    page.track(IncrementalMode::Timestamp, None, boundary(None, vec![]), boundary(None, vec![]));
    let error = decode(r#"{"data": {"events": [{"id": 1, "note": "a"}]}}"#, &mut page).unwrap_err();
    assert_eq!(error.to_string(), "reading record 0 of the page: the offset field `/at` is missing");
}
