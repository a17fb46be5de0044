//! Real OpenAPI documents, and what the generator makes of each: what the command `corpus` measures.
//!
//! The documents are not ours and not in this repository; where their folder is missing there is nothing to measure.

pub mod crates;
pub mod documents;
pub mod drain;
pub mod examples;
pub mod measure;
pub mod prism;
pub mod requests;
pub mod sample;
pub mod schemas;
pub mod synthetic;
pub mod table;

pub use crates::{Checked, Generated};
pub use documents::{Document, documents};
pub use measure::{Measured, measure};
pub use sample::Sample;
