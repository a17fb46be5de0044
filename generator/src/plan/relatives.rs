//! Parents and children among the streams of a document.

use openapiv3::{Link, LinkOperation};

use std::collections::BTreeSet;

use super::fields::{self, Use};
use super::infer::parent::{self, Kin};
use super::model::{
    Binding, ChildPlan, Inference, PaginationPlan, ParameterLocation, ParameterPlan, ParameterScalar, ParameterType,
    ParameterValue, ParentPlan, Scalar, TypeId, TypeKind,
};
use super::operations::operations;
use super::parameters;
use super::streams::Draft;
use super::types::Types;
use crate::document::{Document, pointer};

/// Finds the parents of the streams among them, and has their records give their children's parameters their values: those of
/// annotated parents, and of inferred ones that are sure. Required parameters that still have no value become configuration
/// properties if `configures_missing`; those that an annotation has bound do not.
pub(super) fn relate(document: &Document, types: &Types<'_>, drafts: &mut [Draft], configures_missing: bool) {
    let sure = infer(document, types, drafts);
    follow(types, drafts, &sure, configures_missing);
}

/// Infers the parents of the streams whose annotations name none; the ids of the children that can follow them.
fn infer(document: &Document, types: &Types<'_>, drafts: &mut [Draft]) -> BTreeSet<String> {
    let mut sure = BTreeSet::new();
    let operations = operations(document);
    let reading = operations.iter().filter(|operation| operation.method == "GET");
    let paths = reading.map(|operation| operation.path.trim_end_matches('/')).collect();
    let all: Vec<Kin> = drafts.iter().map(|draft| kin(types, draft)).collect();
    for (draft, own) in drafts.iter_mut().zip(&all) {
        if draft.is_annotated || draft.stream.parent.is_some() {
            continue;
        }
        let Some(inferred) = parent::infer(own, &all, &paths) else { continue };
        let record = parent_record(&all, &inferred.value);
        if parent::is_sure(inferred.rule)
            && record.is_some_and(|record| gives_all(types, record, draft, &inferred.value))
        {
            sure.insert(draft.stream.operation_id.clone());
        }
        draft.stream.inferences.push(Inference {
            subject: "parent",
            value: describe(&inferred.value),
            rule: inferred.rule,
            reason: inferred.reason,
        });
        draft.stream.parent = Some(inferred.value);
    }
    sure
}

fn parent_record(all: &[Kin], parent: &ParentPlan) -> Option<TypeId> {
    all.iter().find(|kin| kin.operation_id == parent.operation_id).map(|kin| kin.record)
}

/// Whether everything that is bound is open, and has a field of its type in the parent's record.
fn gives_all(types: &Types<'_>, record: TypeId, child: &Draft, parent: &ParentPlan) -> bool {
    parent.bind.iter().all(|binding| {
        let parameter = child.stream.parameters.iter().find(|plan| plan.wire_name == binding.parameter);
        let field = fields::resolve(types, record, &binding.pointer, Use::Value);
        match (parameter, field) {
            (Some(ParameterPlan { value: None, ty: ParameterType::One(scalar), .. }), Ok(field)) => match scalar {
                ParameterScalar::String => true,
                ParameterScalar::Int32 | ParameterScalar::Int64 => is_integer(field.scalar),
                ParameterScalar::Boolean | ParameterScalar::Double | ParameterScalar::Json => false,
            },
            _ => false,
        }
    })
}

fn is_integer(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::Int32 | Scalar::Int64)
}

/// Gives children their values, from the first generation on, and the streams that are none or whose parent is not followed
/// theirs from the configuration. A parameter that is set to something keeps that.
fn follow(types: &Types<'_>, drafts: &mut [Draft], sure: &BTreeSet<String>, configures_missing: bool) {
    let id = |draft: &Draft| draft.stream.operation_id.clone();
    let is_child = |draft: &Draft| match draft.is_annotated {
        true => draft.stream.parent.is_some(),
        false => sure.contains(&draft.stream.operation_id),
    };
    let configure = |draft: &mut Draft| {
        if configures_missing {
            configure_missing(draft);
        }
    };
    let mut settled = BTreeSet::new();
    for draft in drafts.iter_mut().filter(|draft| !is_child(draft)) {
        configure(draft);
        settled.insert(id(draft));
    }
    loop {
        let parent = |draft: &Draft| draft.stream.parent.as_ref().map(|parent| parent.operation_id.clone());
        let is_next = |draft: &Draft| {
            !settled.contains(&draft.stream.operation_id)
                && parent(draft).is_some_and(|parent| settled.contains(&parent))
        };
        let Some(child) = drafts.iter().position(is_next) else { break };
        follow_one(types, drafts, child);
        if let Some(draft) = drafts.get_mut(child) {
            configure(draft);
            settled.insert(id(draft));
        }
    }
    // Those whose parents are not there, or go in a circle.
    drafts.iter_mut().filter(|draft| !settled.contains(&draft.stream.operation_id)).for_each(configure);
}

/// Has the required parameters that nothing has set configured. Those that an annotation has bound to a parent have their
/// values from there.
fn configure_missing(draft: &mut Draft) {
    let Draft { stream, is_annotated, .. } = draft;
    let bind = stream.parent.iter().filter(|_| *is_annotated).flat_map(|parent| &parent.bind);
    let bound: Vec<&str> = bind.map(|binding| binding.parameter.as_str()).collect();
    let path = &stream.path;
    for plan in stream.parameters.iter_mut().filter(|plan| !bound.contains(&plan.wire_name.as_str())) {
        if plan.required && plan.value.is_none() {
            plan.value = Some(parameters::configured_value(plan, path));
        }
    }
}

fn follow_one(types: &Types<'_>, drafts: &mut [Draft], child: usize) {
    let Some(plan) = drafts.get(child).and_then(|child| child.stream.parent.clone()) else { return };
    let Some(parent) = drafts.iter().position(|draft| draft.stream.operation_id == plan.operation_id) else { return };
    let Some(above) = drafts.get(parent).map(|parent| parent.stream.clone()) else { return };
    let Some(child) = drafts.get_mut(child) else { return };
    let mut bind = Vec::new();
    for parameter in child.stream.parameters.iter_mut().filter(|parameter| parameter.ty != ParameterType::Object) {
        let name = &parameter.wire_name;
        let bound = plan.bind.iter().find(|binding| binding.parameter == *name);
        let inherited = above.parameters.iter().find(|other| other.wire_name == *name);
        let inherited = inherited.and_then(|parameter| match &parameter.value {
            // The parent's slice says which of them it is.
            Some(ParameterValue::Each(_)) => Some(ParameterValue::Slice(name.clone())),
            value => value.clone(),
        });
        match (bound, inherited) {
            (Some(binding), _) if parameter.value.is_none() => {
                // What leads nowhere is told where parents are checked.
                let Ok(field) = fields::resolve(types, above.record, &binding.pointer, Use::Value) else { continue };
                parameter.value = Some(ParameterValue::Slice(name.clone()));
                bind.push((name.clone(), field));
            }
            (None, Some(value)) if parameter.value.is_none() && parameter.required => parameter.value = Some(value),
            _ => {}
        }
    }
    if !bind.is_empty() {
        let child = ChildPlan { operation_id: child.stream.operation_id.clone(), bind };
        drafts.iter_mut().skip(parent).take(1).for_each(|parent| parent.stream.children.push(child.clone()));
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
    Kin {
        operation_id: stream.operation_id.clone(),
        path: stream.path.clone(),
        record: stream.record,
        is_single: stream.is_single,
        key: stream.key.as_ref().map(|key| (key.pointer.clone(), !is_integer(key.scalar))),
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

/// Whether a parameter names what is wanted: required in the query or the body, or a list of identifiers where all is on one page.
fn is_asked(parameter: &ParameterPlan, is_one_page: bool) -> bool {
    let is_list = matches!(parameter.ty, ParameterType::List { .. });
    let name = parameter.wire_name.to_lowercase();
    let is_of_ids = is_list && matches!(name.trim_end_matches("[]"), "id" | "ids");
    parameter.location.asks() && (parameter.required || (is_of_ids && is_one_page))
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
