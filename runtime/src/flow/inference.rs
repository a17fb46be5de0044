//! Schemas that are learnt from the records: one for each topic, kept in the registry, which every page can widen.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use thiserror::Error;
use tokio::sync::Mutex;

use super::stream::StreamError;
use crate::learnt::{Learnt, Shape};
use crate::record::{Tree, TreeError};
use crate::registry::{RegistryClient, RegistryError, SchemaId, SchemaType, value_subject, wire_prefix};

/// How the schemas of some streams are learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learning {
    /// The language that they are written in.
    pub language: SchemaType,
    /// The registry's context that their subjects are in; `None` is the one without a name.
    pub context: Option<String>,
    /// The full name of the records in a new schema; otherwise they are named after their topic.
    pub record_name: Option<String>,
    /// Whether a record that the schema does not take is an error, so that it never widens.
    pub is_strict: bool,
}

impl Learning {
    /// The subject of the schema of a topic's values.
    fn subject(&self, topic: &str) -> String {
        let subject = value_subject(topic);
        match &self.context {
            None => subject,
            Some(context) => format!(":.{context}:{subject}"),
        }
    }
}

/// A record that its schema does not take, or that is none.
#[derive(Debug, Error)]
pub enum InferenceError {
    /// It departs from the schema, which must not widen.
    #[error(
        "record {index} of the page has something at `{pointer}` that the schema of `{subject}` has no place for, which \
         `http.response.schema.enforce=STRICT` refuses"
    )]
    Strict {
        /// Which record of the page, from 0.
        index: usize,
        /// JSON Pointer from the record, with `*` for items of lists.
        pointer: String,
        /// The schema's subject.
        subject: String,
    },
    /// There is no schema to hold records against.
    #[error(
        "`{subject}` has no schema that was learnt from records, and `http.response.schema.enforce=STRICT` needs one: run \
         once with `EVOLVE`"
    )]
    NoSchema {
        /// The subject.
        subject: String,
    },
    /// It cannot be read.
    #[error("reading record {index} of the page")]
    Record {
        /// Which record of the page, from 0.
        index: usize,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl InferenceError {
    pub(super) fn record(index: usize, source: TreeError) -> Self {
        Self::Record { index, source: Box::new(source) }
    }
}

/// The schemas of all subjects, as far as they are known.
pub(crate) struct Inference {
    registry: RegistryClient,
    subjects: std::sync::Mutex<HashMap<String, Arc<Mutex<Option<Known>>>>>,
}

/// The schema of a subject.
#[derive(Clone)]
struct Known {
    schema: Arc<Learnt>,
    /// `None` until it is registered.
    id: Option<SchemaId>,
}

impl Inference {
    pub(crate) fn new(registry: RegistryClient) -> Self {
        Self { registry, subjects: std::sync::Mutex::default() }
    }

    /// What writes these records of a topic, each with its place in the page: a schema that takes them all. It is
    /// registered by then.
    pub(super) async fn writer(
        &self,
        learning: &Learning,
        topic: &str,
        records: &[(usize, &Tree<'_>)],
    ) -> Result<Writer, StreamError> {
        let subject = learning.subject(topic);
        let slot = {
            let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(subjects.entry(subject.clone()).or_default())
        };
        let mut known = slot.lock().await;
        let mut current = match known.take() {
            Some(current) => current,
            None => self.restore(learning, topic, &subject).await?,
        };
        if learning.is_strict && current.id.is_none() {
            return Err(InferenceError::NoSchema { subject }.into());
        }
        let mut unknown = Shape::default();
        for &(index, record) in records.iter().filter(|(_, record)| !current.schema.takes(record)) {
            if learning.is_strict {
                let mut shape = Shape::default();
                shape.learn(record);
                let pointer = current.schema.as_ref().clone().widen(&shape).unwrap_or_default();
                *known = Some(current);
                return Err(InferenceError::Strict { index, pointer, subject }.into());
            }
            unknown.learn(record);
        }
        let id = match current.id.filter(|_| unknown == Shape::default()) {
            Some(id) => id,
            None => {
                let mut widened = current.schema.as_ref().clone();
                widened.widen(&unknown);
                let id = self.registry.register(&subject, learning.language, &widened.text()).await?;
                current = Known { schema: Arc::new(widened), id: Some(id) };
                id
            }
        };
        let schema = Arc::clone(&current.schema);
        *known = Some(current);
        let mut prefix = wire_prefix(id).to_vec();
        if learning.language == SchemaType::Protobuf {
            // The record is the first message of its file, which is written so.
            prefix.push(0);
        }
        Ok(Writer { prefix, schema })
    }

    /// What an earlier run has learnt. A schema that somebody else has registered is left to itself: what is learnt is a
    /// version of its own, if the registry takes it.
    async fn restore(&self, learning: &Learning, topic: &str, subject: &str) -> Result<Known, RegistryError> {
        let latest = self.registry.latest(subject).await?;
        let restored = latest.and_then(|(id, schema)| {
            Some(Known { schema: Arc::new(Learnt::restore(learning.language, &schema)?), id: Some(id) })
        });
        Ok(restored.unwrap_or_else(|| Known {
            schema: Arc::new(Learnt::new(learning.language, learning.record_name.as_deref(), topic)),
            id: None,
        }))
    }
}

/// Writes records by a schema that takes them.
pub(super) struct Writer {
    prefix: Vec<u8>,
    schema: Arc<Learnt>,
}

impl Writer {
    /// Appends a record; `sent` is its JSON as the API wrote it, unless it was changed.
    pub(super) fn write(&self, sent: Option<&[u8]>, record: &Tree<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.prefix);
        match (&*self.schema, sent) {
            (Learnt::Json(_), Some(sent)) => out.extend_from_slice(sent),
            (schema, _) => schema.encode(record, out),
        }
    }
}
