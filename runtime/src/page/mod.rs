//! Pages: how one response is read, and how it leads to the next.

mod batch;
mod drift;
mod link;
mod pagination;
mod place;
mod shape;

pub(crate) use batch::{Boundary, Origin, Outgoing};
pub use batch::{DriftCounts, Page, PageRecord, Rejected, Wire};
pub use drift::{DriftPolicy, OnDrift};
pub(crate) use link::next_link;
pub use pagination::{Counted, Following, PageEnd, PageToken, Pagination, PaginationError, Until};
pub use place::{FoundIn, TokenIn};
pub(crate) use shape::PageShape;
