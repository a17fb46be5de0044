//! Errors as text.

use std::error::Error;
use std::fmt::Write as _;

/// An error and its sources on one line. Each error says only its own sentence, so that nothing is said twice.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a `String` cannot fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
