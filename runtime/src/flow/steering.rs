//! What a running instance can be told about the whole connector: where it stands, to stand elsewhere, to stop and to go on.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::offsets::{merged, slicing_of, snapshots_of, write_to};
use super::shard::Common;
use super::state::State;
use super::{Handle, RunError};
use crate::clock;
use crate::error::chain;
use crate::kafka::{KafkaError, SourcePartition};

/// How often it is looked whether this instance has heard what all were told.
const HEARD_STEP: Duration = Duration::from_millis(20);

/// Positions as text, by what they belong to; `None` removes one.
pub type NewPositions = BTreeMap<SourcePartition, Option<String>>;

/// Why a connector does not do what it is told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotSteered {
    /// It has not been set up yet.
    #[error("the connector is not connected to Kafka yet")]
    NotStarted,
    /// It was started with a broker of its own, or to be read once.
    #[error("this instance runs alone: stop its process")]
    Alone,
    /// It runs.
    #[error("the connector must be stopped before its offsets can be changed: PUT /connectors/NAME/stop")]
    NotStopped,
    /// A position is of no operation.
    #[error("there is no operation `{operation}`")]
    UnknownOperation {
        /// What was named.
        operation: String,
    },
    /// A position is none that its operation can have.
    #[error("the offset of `{operation}`: {reason}")]
    Misfit {
        /// The operation.
        operation: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Kafka cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<KafkaError> for NotSteered {
    fn from(error: KafkaError) -> Self {
        Self::Run(error.into())
    }
}

impl Handle {
    /// The committed positions of the connector, whichever instance they are from.
    ///
    /// # Errors
    ///
    /// If Kafka cannot be used.
    pub async fn positions(&self) -> Result<BTreeMap<SourcePartition, String>, NotSteered> {
        let common = self.steered()?;
        let offsets = &common.offsets;
        Ok(merged(offsets.restore(&offsets.shards()).await?))
    }

    /// Sets positions, or removes all of them; gives them as they stood before. Instances that have not heard yet that the
    /// connector is stopped are fenced, and stop.
    ///
    /// # Errors
    ///
    /// [`NotSteered::NotStopped`] if the connector runs; [`NotSteered::UnknownOperation`] or [`NotSteered::Misfit`] if a position
    /// is not one of it, and then none is written; if Kafka cannot be used.
    pub async fn change_positions(
        &self,
        positions: Option<NewPositions>,
    ) -> Result<BTreeMap<SourcePartition, String>, NotSteered> {
        let common = self.steered()?;
        if !self.is_stopped() {
            return Err(NotSteered::NotStopped);
        }
        let positions = match positions {
            Some(positions) => checked(&common, positions)?,
            None => self.positions().await?.into_keys().map(|partition| (partition, None)).collect(),
        };
        if positions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (slicing, tracked) = (slicing_of(&common.streams), snapshots_of(&common.streams));
        let before = write_to(&common.target, &common.offsets, slicing, &positions, &tracked).await?;
        for (partition, position) in &positions {
            let before = before.get(partition).map_or("none", String::as_str);
            let (operation, slice) = (&partition.operation, &partition.slice);
            let after = position.as_deref().unwrap_or("none");
            tracing::info!(target: "audit", operation, %slice, before, after, "an offset was changed");
        }
        Ok(before)
    }

    /// Has all instances of the connector stop reading, or go on; they keep their shards.
    ///
    /// # Errors
    ///
    /// [`NotSteered::Alone`] if there can be no others; if Kafka cannot be used.
    pub async fn set_stopped(&self, is_stopped: bool) -> Result<(), NotSteered> {
        let common = self.steered()?;
        if !self.is_shared() {
            return Err(NotSteered::Alone);
        }
        common.offsets.say_stopped(is_stopped).await?;
        // So that who has told it can go on from there.
        while self.is_stopped() != is_stopped {
            clock::sleep(HEARD_STEP).await;
        }
        tracing::info!(target: "audit", is_stopped, "the connector was told to stop or to go on");
        Ok(())
    }
}

/// The positions as they are stored, if each is one of its operation.
fn checked(common: &Common, positions: NewPositions) -> Result<NewPositions, NotSteered> {
    let check = |(partition, position): (SourcePartition, Option<String>)| {
        let operation = partition.operation.clone();
        let Some(stream) = common.streams.iter().find(|stream| stream.id() == operation) else {
            return Err(NotSteered::UnknownOperation { operation });
        };
        let Some(text) = position else { return Ok((partition, None)) };
        let misfit = |reason| NotSteered::Misfit { operation: operation.clone(), reason };
        let state = State::parse(&text).map_err(|error| misfit(chain(&error).to_string()))?;
        stream.can_stand_at(&state.position).map_err(|error| misfit(error.to_string()))?;
        Ok((partition, Some(state.to_string())))
    };
    positions.into_iter().map(check).collect()
}
