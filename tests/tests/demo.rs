//! The README's first command: the whole main job, with nothing installed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use headwater_tests::run_headwater;

#[test]
fn the_demo_shows_what_a_consumer_reads_back() {
    let output = run_headwater(&["demo"]).unwrap();
    let (shown, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{shown}{said}");
    let mut rest = shown.as_str();
    for part in [
        "[1/5] generated ",
        "[2/5] building ",
        "[3/5] mock API at http://127.0.0.1:",
        "[4/5] running ",
        "[5/5] reading back ",
        "\ntopic petstore.events: 5000 records\n",
        " 0           0        00000000-0000-4000-8000-000000000001   {\"id\":\"00000000-0000-4000-8000-000000000001\",",
        "\ntopic petstore.pets: 5000 records\n",
        " 0           0        1     {\"id\":1,",
        "\ntopic headwater-petstore-events-offsets: the position of each stream\n",
        "  [\"petstore-events\",{\"operation\":\"listEvents\"}] → {\"offset\":\"2024-01-01T09:43:13Z\",\"delivered\":[\"",
        // Pets are read from the beginning in each cycle: where they stand is written only if a transaction ended among them.
        // How many pages were asked for beyond the end is a matter of time.
        "\n10000 records from ",
    ] {
        let Some(at) = rest.find(part) else { panic!("no {part:?} in what comes last of:\n{shown}") };
        rest = &rest[at + part.len()..];
    }
}
