//! Requests of generated builders, validated by Prism, which shares no code with ours.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use headwater_tests::corpus::documents;
use headwater_tests::corpus::prism::{self, Asked};
use headwater_tests::headwater;

#[test]
fn prism_finds_nothing_wrong_with_our_requests() {
    let Some(prism) = prism::prism().unwrap() else { return };
    for document in documents::own().unwrap() {
        let asked = prism::validate(&prism, headwater().unwrap(), &document).unwrap().unwrap();
        let Asked::Validated(validated) = asked else { panic!("{}: {asked:?}", document.name) };
        assert_eq!(validated.violations, Vec::<String>::new(), "{}", document.name);
        assert!(validated.requests > 0, "{}", document.name);
        assert_eq!(validated.valid, validated.requests, "{}", document.name);
    }
}
