//! What schemas that are learnt from records need of a registry besides.

use serde::Deserialize;

use super::client::{RegistryClient, SchemaId};
use super::error::RegistryError;
use crate::http::Request;

impl RegistryClient {
    /// The latest schema of a subject, with its id; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the registry cannot be reached or refuses.
    pub async fn latest(&self, subject: &str) -> Result<Option<(SchemaId, String)>, RegistryError> {
        #[derive(Deserialize)]
        struct Answer {
            id: SchemaId,
            schema: String,
        }
        let request = Request::get("/subjects/{subject}/versions/latest").path("subject", &subject.to_owned());
        match self.send(request, Some(subject)).await {
            Ok(response) => {
                let Answer { id, schema } =
                    serde_json::from_slice(&response.body).map_err(|source| self.answer(source))?;
                Ok(Some((id, schema)))
            }
            Err(RegistryError::Failed { source, .. }) if source.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
