//! Schemas that are learnt from the records: one for each topic, kept in the registry, which every page can widen.

use tokio::sync::Mutex;

use crate::configured::Shape;
use crate::operation::Operation;
use crate::registry::{RegistryClient, RegistryError, SchemaId, SchemaType, wire_prefix};

use super::stream::StreamError;

/// The schema of a subject, as far as it is known.
pub(crate) struct Inference {
    registry: RegistryClient,
    subject: String,
    known: Mutex<Option<Known>>,
}

struct Known {
    shape: Shape,
    /// `None` until it is registered.
    id: Option<SchemaId>,
}

impl Inference {
    pub(crate) fn new(registry: RegistryClient, subject: String) -> Self {
        Self { registry, subject, known: Mutex::default() }
    }

    /// What the values of a response begin with: the id of a schema that takes them all. It is registered by then.
    pub(crate) async fn prefix(&self, operation: &dyn Operation, body: &[u8]) -> Result<Vec<u8>, StreamError> {
        let shape = operation.shape(body).map_err(StreamError::Decode)?;
        let Some(shape) = shape else { return Ok(Vec::new()) };
        let mut known = self.known.lock().await;
        let current = match known.take() {
            Some(current) => current,
            None => self.restore().await?,
        };
        let mut widened = current.shape.clone();
        widened.merge(shape);
        let id = match current.id.filter(|_| widened == current.shape) {
            Some(id) => id,
            None => self.registry.register(&self.subject, SchemaType::Json, &widened.to_schema()).await?,
        };
        *known = Some(Known { shape: widened, id: Some(id) });
        Ok(wire_prefix(id).to_vec())
    }

    /// What an earlier run has learnt. A schema that somebody else has registered is left to itself: what is learnt is a
    /// version of its own, if the registry takes it.
    async fn restore(&self) -> Result<Known, RegistryError> {
        let latest = self.registry.latest(&self.subject).await?;
        let restored =
            latest.and_then(|(id, schema)| Some(Known { shape: Shape::from_schema(&schema)?, id: Some(id) }));
        Ok(restored.unwrap_or(Known { shape: Shape::default(), id: None }))
    }
}
