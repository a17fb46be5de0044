//! Lines for the person who runs the tests.

use std::io::Write;

use super::HarnessError;

/// Prints one line. Straight to the stream: the test runner captures what the print macros write.
pub(crate) fn say(line: &str) {
    let text = format!("{line}\n");
    // In one write, so that lines of concurrent tests do not mix; nothing to be done if stderr is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// What a test sees of something shared that this machine may be unable to offer: `None`, and one line that says so.
pub(crate) fn available<T>(
    shared: &'static Result<T, HarnessError>,
) -> Result<Option<&'static T>, &'static HarnessError> {
    match shared {
        Ok(thing) => Ok(Some(thing)),
        Err(HarnessError::Unavailable(reason)) => {
            let thread = std::thread::current();
            say(&format!("skipped {}: {reason}", thread.name().unwrap_or("test")));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
