//! Mocks of real APIs, read to their end by the connectors that were generated from the same documents.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use headwater_tests::corpus::drain::{Drain, drain};
use headwater_tests::corpus::{Document, documents};
use headwater_tests::headwater;

/// Documents of others whose streams have every way of paging between them. The command `corpus --drain` takes them all.
const OTHERS: [&str; 3] = ["confluent-openapi", "iceberg-rest-catalog-open-api", "twilio_messaging_v1"];

/// More than two pages of the mock.
const RECORDS: u64 = 250;

#[test]
fn what_a_mock_serves_is_in_kafka() {
    let mut all = documents::own().unwrap();
    if documents::shared().is_dir() {
        let others = documents::documents(&documents::shared()).unwrap();
        all.extend(others.into_iter().filter(|document| OTHERS.contains(&document.name.as_str())));
    } else {
        eprintln!("skipped: no {}", documents::shared().display());
    }
    for document in &all {
        let drained = drain(headwater().unwrap(), document, RECORDS).unwrap();
        assert_eq!(drained.problems(), Vec::<String>::new(), "{}", document.name);
        assert_paged(document, &drained);
    }
}

/// Every stream whose pages follow one another took more than one.
fn assert_paged(document: &Document, drained: &Drain) {
    let Drain::Done(streams) = drained else { panic!("{}: {drained:?}", document.name) };
    for stream in streams {
        // A record of a parent calls for less than a page.
        let is_paged = stream.depth == 0 && !matches!(stream.pagination.as_str(), "none" | "single");
        let is_once = stream.depth == 0 && !is_paged;
        assert!(!is_paged || stream.pages > 1, "{}: {stream:?}", document.name);
        assert!(!is_once || stream.pages == 1, "{}: {stream:?}", document.name);
    }
}
