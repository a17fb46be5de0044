//! Who says which shards are this instance's.

use std::collections::BTreeSet;

use crate::kafka::{Change, Confirmation, Following, Group, KafkaError};

/// Who says which shards are this instance's.
pub(super) enum Membership {
    /// Nobody: all are. Whoever else has one is fenced, and does not get it back.
    Alone {
        /// All shards, until that is told.
        shards: Option<BTreeSet<i32>>,
    },
    /// The consumer group of all instances, which follow whether the connector is stopped.
    Group(Group, Following),
}

impl Membership {
    /// All of these shards are this instance's.
    pub(super) fn alone(shards: BTreeSet<i32>) -> Self {
        Self::Alone { shards: Some(shards) }
    }

    /// What changes next; `None`: whether the connector is stopped.
    ///
    /// # Errors
    ///
    /// If the group does not take this instance.
    pub(super) async fn next(&mut self) -> Result<Option<Change>, KafkaError> {
        match self {
            Self::Alone { shards } => match shards.take() {
                Some(shards) => Ok(Some(Change::Assigned(shards))),
                None => std::future::pending().await,
            },
            Self::Group(group, following) => tokio::select! {
                change = group.next() => change.map(Some),
                () = following.changed() => Ok(None),
            },
        }
    }

    /// Whether the connector is stopped.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self, Self::Group(_, following) if following.is_stopped())
    }

    /// Says that the shards that were asked for are free.
    ///
    /// # Errors
    ///
    /// If the group did not ask for any.
    pub(super) async fn release(&self) -> Result<(), KafkaError> {
        match self {
            Self::Alone { .. } => Ok(()),
            Self::Group(group, _) => group.release().await,
        }
    }

    /// By what to see whether a shard is still this instance's after it was fenced; `None`: it is not.
    pub(super) fn confirmation(&self) -> Option<Confirmation> {
        match self {
            Self::Alone { .. } => None,
            Self::Group(group, _) => Some(group.confirmation()),
        }
    }

    /// Whether there are others.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Group(..))
    }

    /// Leaves the others.
    pub(super) async fn leave(self) {
        if let Self::Group(group, _) = self {
            group.leave().await;
        }
    }
}
