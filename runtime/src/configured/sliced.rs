//! Operations from configuration alone, read in slices.

use std::sync::Arc;

use super::paging::RecordView;
use super::{ConfiguredOperation, OperationPlan, Paging, Pointer, RecordsAt, facts};
use crate::format::OutputFormat;
use crate::operation::{DecodeError, Operation, OperationFacts, SlicedOperation};
use crate::position::{Position, PositionMisfit};
use crate::slice::{Children, Slice, SliceError, Slicing};

/// An operation that is read for each record of another.
#[derive(Clone, Debug)]
pub struct ChildPlan {
    /// Its id.
    pub operation: String,
    /// The values that its slices take out of a record: their names, and where they are.
    pub bind: Vec<(String, Pointer)>,
}

impl ChildPlan {
    /// Has the slice read that a record calls for. A record that lacks one of the values calls for none.
    pub(super) fn call_for(&self, record: &RecordView<'_>, children: &mut Children) -> Result<(), DecodeError> {
        let mut slice = Slice::whole();
        for (name, pointer) in &self.bind {
            let Some(value) = record.text(pointer)? else { return Ok(()) };
            slice = slice.with(name, value);
        }
        children.push(&self.operation, slice);
        Ok(())
    }
}

/// An operation from configuration alone, before it is known which slice of it is read.
pub struct ConfiguredSource {
    facts: OperationFacts,
    plan: Arc<OperationPlan>,
}

impl ConfiguredSource {
    /// Makes an operation.
    pub fn new(plan: OperationPlan) -> Self {
        Self { facts: facts(&plan), plan: Arc::new(plan) }
    }
}

impl SlicedOperation for ConfiguredSource {
    fn facts(&self) -> &OperationFacts {
        &self.facts
    }

    fn slicing(&self) -> &Slicing {
        &self.plan.slicing
    }

    fn schema(&self, _: OutputFormat) -> Option<&str> {
        None
    }

    fn records(&self) -> Option<RecordsAt> {
        Some(self.plan.records.clone())
    }

    fn can_stand_at(&self, position: &Position) -> Result<(), PositionMisfit> {
        match (&self.plan.paging, position.check_configured()?) {
            (Paging::Increment { .. }, Some(offset))
                if self.plan.newest.is_none() && offset.trim().parse::<i128>().is_err() =>
            {
                Err(PositionMisfit::NoNumber { offset: offset.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn slice(&self, slice: &Slice) -> Result<Arc<dyn Operation>, SliceError> {
        if slice.is_whole() && self.plan.request.slice_values().is_empty() {
            return Ok(Arc::new(ConfiguredOperation::new(Arc::clone(&self.plan))));
        }
        let windows = self.plan.windows.clone().map(|windows| windows.of_slice(slice));
        let plan = OperationPlan { request: self.plan.request.of_slice(slice)?, windows, ..(*self.plan).clone() };
        Ok(Arc::new(ConfiguredOperation::new(Arc::new(plan))))
    }
}
