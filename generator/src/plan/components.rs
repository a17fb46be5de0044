//! What a `$ref` to a component leads to (OAS 3.0.3 section 4.7.7).

use indexmap::IndexMap;
use openapiv3::{Components, Parameter, ReferenceOr, RequestBody, Response};

use crate::document::Document;

/// How many references lead on to one another at most. A bound only: circles of them have been refused.
const MOST: usize = 32;

/// What stands among the components of a document.
pub(super) trait Component: Sized {
    /// What leads to one of them, but for its name.
    const AT: &'static str;

    /// All of the kind.
    fn all(components: &Components) -> &IndexMap<String, ReferenceOr<Self>>;
}

impl Component for Parameter {
    const AT: &'static str = "#/components/parameters/";

    fn all(components: &Components) -> &IndexMap<String, ReferenceOr<Self>> {
        &components.parameters
    }
}

impl Component for RequestBody {
    const AT: &'static str = "#/components/requestBodies/";

    fn all(components: &Components) -> &IndexMap<String, ReferenceOr<Self>> {
        &components.request_bodies
    }
}

impl Component for Response {
    const AT: &'static str = "#/components/responses/";

    fn all(components: &Components) -> &IndexMap<String, ReferenceOr<Self>> {
        &components.responses
    }
}

/// What stands here, or where the reference that stands here leads.
pub(super) fn resolve<'a, T: Component>(document: &'a Document, item: &'a ReferenceOr<T>) -> Option<&'a T> {
    let mut item = item;
    for _ in 0..MOST {
        match item {
            ReferenceOr::Item(item) => return Some(item),
            ReferenceOr::Reference { reference } => {
                item = T::all(document.api.components.as_ref()?).get(reference.strip_prefix(T::AT)?)?;
            }
        }
    }
    None
}
