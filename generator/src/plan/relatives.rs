//! Parents and children among the streams of a document.

use openapiv3::{Link, LinkOperation};

use super::fields::{self, Use};
use super::infer::parent::{self, Kin};
use super::model::{
    Binding, Inference, PaginationPlan, ParameterLocation, ParameterPlan, ParameterScalar, ParameterType, ParentPlan,
    Scalar, TypeId, TypeKind,
};
use super::operations::operations;
use super::streams::Draft;
use super::types::Types;
use crate::document::{Document, pointer};

/// Infers the parents of the streams whose annotations name none. Parents are among these streams.
pub(super) fn infer(document: &Document, types: &Types<'_>, drafts: &mut [Draft]) {
    let operations = operations(document);
    let reading = operations.iter().filter(|operation| operation.method == "GET");
    let paths = reading.map(|operation| operation.path.trim_end_matches('/')).collect();
    let all: Vec<Kin> = drafts.iter().map(|draft| kin(types, draft)).collect();
    for (draft, own) in drafts.iter_mut().zip(&all) {
        if draft.is_annotated || draft.stream.parent.is_some() {
            continue;
        }
        let Some(inferred) = parent::infer(own, &all, &paths) else { continue };
        draft.stream.inferences.push(Inference {
            subject: "parent",
            value: describe(&inferred.value),
            rule: inferred.rule,
            reason: inferred.reason,
        });
        draft.stream.parent = Some(inferred.value);
    }
}

/// A parent in words.
pub(super) fn describe(parent: &ParentPlan) -> String {
    let bind = parent.bind.iter().map(|Binding { parameter, pointer }| format!("{parameter} from {pointer}"));
    format!("{}: {}", parent.operation_id, bind.collect::<Vec<_>>().join(", "))
}

fn kin(types: &Types<'_>, draft: &Draft) -> Kin {
    let stream = &draft.stream;
    let names = match types.kind(stream.record) {
        Some(TypeKind::Struct(ty)) => ty.fields.iter().map(|field| field.wire_name.as_str()).collect(),
        _ => Vec::new(),
    };
    let is_value = |name: &&str| fields::resolve(types, stream.record, &pointer::join("", name), Use::Value).is_ok();
    let paths = stream.parameters.iter().filter(|plan| plan.location == ParameterLocation::Path);
    let is_number = |scalar: Scalar| matches!(scalar, Scalar::Int32 | Scalar::Int64);
    Kin {
        operation_id: stream.operation_id.clone(),
        path: stream.path.clone(),
        is_single: stream.is_single,
        key: stream.key.as_ref().map(|key| (key.pointer.clone(), !is_number(key.scalar))),
        nested: names.iter().flat_map(|name| inner(types, stream.record, name)).collect(),
        is_asked: stream.parameters.iter().any(|plan| is_asked(plan, stream.pagination == PaginationPlan::None)),
        values: names.into_iter().filter(is_value).map(str::to_owned).collect(),
        parameters: paths
            .map(|plan| (plan.wire_name.clone(), plan.ty == ParameterType::One(ParameterScalar::String)))
            .collect(),
        links: draft.links.clone(),
    }
}

/// The fields by which a thing within a record can be named.
fn inner(types: &Types<'_>, record: TypeId, name: &str) -> Vec<(String, String)> {
    let pointers = ["login", "slug", "name", "key", "id"].map(|field| pointer::join(&pointer::join("", name), field));
    let is_value = |pointer: &String| fields::resolve(types, record, pointer, Use::Value).is_ok();
    pointers.into_iter().filter(is_value).map(|pointer| (name.to_owned(), pointer)).collect()
}

/// Whether a parameter names what is wanted: required in the query, or a list of identifiers where all is on one page.
fn is_asked(parameter: &ParameterPlan, is_one_page: bool) -> bool {
    let is_list = matches!(parameter.ty, ParameterType::List { .. });
    let name = parameter.wire_name.to_lowercase();
    let is_of_ids = is_list && matches!(name.trim_end_matches("[]"), "id" | "ids");
    parameter.location == ParameterLocation::Query && (parameter.required || (is_of_ids && is_one_page))
}

/// The links of a response whose values come out of its records (OAS 3.0.3 sections 4.7.20 and 4.7.20.3).
pub(super) fn links(document: &Document, links: &[&Link], records: &str, is_single: bool) -> Vec<parent::Link> {
    let found = links.iter().filter_map(|link| {
        let operation_id = match &link.operation {
            LinkOperation::OperationId(id) => id.clone(),
            LinkOperation::OperationRef(reference) => {
                let at = reference.strip_prefix('#')?;
                operations(document).into_iter().find(|operation| operation.at == at)?.id
            }
        };
        let bind = link.parameters.iter().filter_map(|(name, value)| {
            let pointer = value.as_str()?.strip_prefix("$response.body#")?.strip_prefix(records)?;
            // Out of a list, any record will do.
            let pointer = match is_single {
                true => pointer,
                false => {
                    let (index, _) = pointer.strip_prefix('/')?.split_once('/')?;
                    pointer.strip_prefix('/')?.strip_prefix(index).filter(|_| index.parse::<u64>().is_ok())?
                }
            };
            let parameter = name.strip_prefix("path.").or(name.strip_prefix("query.")).unwrap_or(name);
            Some(Binding { parameter: parameter.to_owned(), pointer: pointer.to_owned() })
        });
        Some(parent::Link { operation_id, bind: bind.collect() })
    });
    found.collect()
}
