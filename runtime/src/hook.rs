//! What a generated crate's own `src/hooks.rs` is written with: a function of each record, and the values in it.
//!
//! ```
//! use headwater_runtime::hook::{Field, Text, Verdict};
//!
//! struct Issue<'page> {
//!     title: Field<'page, Text<'page>>,
//! }
//!
//! fn list_issues(issue: &mut Issue<'_>) -> Verdict {
//!     let Some(title) = issue.title.get() else { return Verdict::Drop };
//!     issue.title = Text::from(title.to_uppercase()).into();
//!     Verdict::Keep
//! }
//!
//! let mut issue = Issue { title: Text::from("broken").into() };
//! assert_eq!(list_issues(&mut issue), Verdict::Keep);
//! assert_eq!(issue.title.get().map(Text::as_str), Some("BROKEN"));
//! ```

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use crate::record::{
    Base64, Date, DateTime, Decimal, DecimalNumber, Field, Json, JsonKind, Map, Number, Text, Undeclared, Uuid,
};

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is written as the hook has left it.
    Keep,
    /// It is not written, nor are other operations read for it. The stream goes on behind it.
    Drop,
}

/// Calls a hook; if it panics, says with what.
pub(crate) fn call<R>(hook: fn(&mut R) -> Verdict, record: &mut R) -> Result<Verdict, String> {
    // Whatever it has left of the record is thrown away.
    catch_unwind(AssertUnwindSafe(|| hook(record))).map_err(|panic| said(panic.as_ref()))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "something".to_owned())
}
