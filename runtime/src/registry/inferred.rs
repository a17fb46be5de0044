//! What schemas that are learnt from records need of a registry besides.

use serde::{Deserialize, Serialize};

use super::client::{MEDIA_TYPE, RegistryClient, SchemaId};
use super::error::RegistryError;
use crate::http::Request;

impl RegistryClient {
    /// Makes a JSON Schema the latest version of a subject unless it is a version of it already, and returns its id.
    ///
    /// # Errors
    ///
    /// If the registry cannot be reached or refuses.
    pub async fn register_json(&self, subject: &str, schema: &str) -> Result<SchemaId, RegistryError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Question<'a> {
            schema_type: &'static str,
            schema: &'a str,
        }
        #[derive(Deserialize)]
        struct Answer {
            id: SchemaId,
        }
        let question =
            serde_json::to_vec(&Question { schema_type: "JSON", schema }).map_err(|source| self.answer(source))?;
        let request = Request::post("/subjects/{subject}/versions")
            .path("subject", &subject.to_owned())
            .body(MEDIA_TYPE, question);
        let response = self.send(request, Some(subject)).await?;
        let Answer { id } = serde_json::from_slice(&response.body).map_err(|source| self.answer(source))?;
        Ok(id)
    }

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
