//! Deciding what each operation is, as a stream.

pub mod model;
