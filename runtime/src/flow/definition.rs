//! A stream before it is known which slice of it is read.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::demand::Demands;
use super::output::Output;
use super::snapshot::{Snapshot, SnapshotTopic};
use super::start::{self, StartError};
use super::stream::Stream;
use crate::config::OperationSettings;
use crate::http::Client;
use crate::memory::Budget;
use crate::metrics::StreamMetrics;
use crate::operation::SlicedOperation;
use crate::page::{Page, Wire};
use crate::position::{Position, PositionMisfit};
use crate::slice::{Slice, SliceError, Slicing};

/// An operation and what is configured of it: all that its slices have in common.
pub(crate) struct Definition {
    operation: Box<dyn SlicedOperation>,
    client: Client,
    settings: OperationSettings,
    wire: Wire,
    output: Output,
    metrics: StreamMetrics,
    budget: Budget,
    /// As many as requests of its slices may be under way, whichever shards these belong to.
    turns: Arc<Semaphore>,
    demands: Demands,
    /// Where it stands what its topic holds, if it is read for what changes of that.
    snapshots: Option<SnapshotTopic>,
}

impl Definition {
    pub(crate) fn new(
        operation: Box<dyn SlicedOperation>,
        settings: OperationSettings,
        wire: Wire,
        output: Output,
        metrics: StreamMetrics,
        budget: Budget,
    ) -> Result<Self, StartError> {
        let (client, turns) = (Client::new(settings.http.clone())?, Arc::new(Semaphore::new(settings.max_in_flight)));
        let demands = Demands::default();
        Ok(Self { client, operation, settings, wire, output, metrics, budget, turns, demands, snapshots: None })
    }

    /// Has its cycles begin when they are asked for by this.
    pub(crate) fn on_demand(self, demands: Demands) -> Self {
        Self { demands, ..self }
    }

    /// By what its cycles are asked for.
    pub(crate) fn demands(&self) -> &Demands {
        &self.demands
    }

    /// The same, with where it stands what the stream's topic holds.
    pub(crate) fn with_snapshots(self, topic: SnapshotTopic) -> Self {
        Self { snapshots: Some(topic), ..self }
    }

    /// Where it stands what its topic holds, if it is read for what changes of that.
    pub(crate) fn snapshots(&self) -> Option<&SnapshotTopic> {
        self.snapshots.as_ref()
    }

    /// The operation's id.
    pub(crate) fn id(&self) -> &str {
        &self.operation.facts().id
    }

    /// What makes the slices.
    pub(crate) fn slicing(&self) -> &Slicing {
        self.operation.slicing()
    }

    /// Whether a position is one that it can have.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn can_stand_at(&self, position: &Position) -> Result<(), PositionMisfit> {
        self.operation.can_stand_at(position)
    }

    pub(crate) fn settings(&self) -> &OperationSettings {
        &self.settings
    }

    /// Waits until a request of one of its slices may be made; it is under way as long as what this gives is held.
    pub(crate) fn turn(&self) -> impl Future<Output = Option<OwnedSemaphorePermit>> + Send + 'static {
        let turns = Arc::clone(&self.turns);
        // Nobody closes it.
        async move { turns.acquire_owned().await.ok() }
    }

    /// What is counted of all its slices.
    pub(crate) fn metrics(&self) -> &StreamMetrics {
        &self.metrics
    }

    /// Where a slice without a stored position begins: by a backfill at this time, if there is one.
    pub(crate) fn start(&self, backfill: Option<Timestamp>) -> Position {
        let offset = backfill.and_then(|time| self.operation.offset_at(time));
        Position::starting_at(offset.or_else(|| self.settings.initial_offset.clone()))
    }

    /// A page without records.
    pub(crate) fn empty_page(&self) -> Page {
        Page::new(&self.wire)
    }

    /// What reads a slice.
    ///
    /// # Errors
    ///
    /// If the values of the slice do not fit the requests.
    pub(crate) fn stream(&self, slice: &Slice) -> Result<Arc<Stream>, SliceError> {
        let (mut client, mut settings) = (self.client.clone(), self.settings.clone());
        if slice.range().is_some() {
            client = client.after_others();
        }
        if !self.slicing().is_whole() {
            // It is slices that are read at the same time, and not the pages of each.
            settings.max_in_flight = 1;
        }
        settings.provenance = settings.provenance.of_slice(slice);
        let operation = self.operation.slice(slice)?;
        let (wire, output, metrics) = (self.wire.clone(), self.output.clone(), self.metrics.clone());
        let snapshot = self.snapshots.clone().zip(settings.snapshot);
        let snapshot = snapshot.map(|(topic, settings)| Snapshot::new(topic, self.id(), settings));
        let stream = start::stream(operation, client, settings, wire, output, metrics, self.budget.clone());
        let redacted_at = self.wire.redaction.as_ref().and_then(|_| self.operation.records());
        Ok(Arc::new(Stream { snapshot, redacted_at, ..stream }))
    }
}
