//! Pages: how one response is read, and how it leads to the next.

mod batch;
mod link;
mod pagination;
mod shape;

pub(crate) use batch::Boundary;
pub use batch::{DriftCounts, Page, PageRecord, Rejected, Wire};
pub(crate) use link::next_link;
pub use pagination::{PageEnd, PageToken, Pagination, PaginationError};
pub(crate) use shape::PageShape;
