//! Stage 2: document → plan. Decides what each operation is, as a stream: what the annotations say, and by rules that
//! have names what they do not.

mod annotations;
mod auth;
mod duration;
mod fields;
mod infer;
pub mod model;
mod names;
mod operations;
mod parameters;
mod schema;
mod select;
mod streams;
pub mod survey;
mod types;

pub use select::{LeftOut, PlanOptions, Planned, SchemaCount, Selection, plan};
pub use survey::survey;
