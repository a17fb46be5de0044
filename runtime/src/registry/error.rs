//! What can go wrong with a schema registry.

use std::time::Duration;

use thiserror::Error;

use crate::http::HttpError;

/// A schema registry that did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry cannot be used as configured.
    #[error("the schema registry `{url}` cannot be used")]
    Settings {
        /// The registry's base URL.
        url: String,
        /// Why.
        source: Box<HttpError>,
    },
    /// The registry did not answer, or only that it cannot, for all the time that it was given.
    #[error("the schema registry `{url}` cannot be reached, tried for {waited:.1?}")]
    Unreachable {
        /// The registry's base URL.
        url: String,
        /// How long it was tried.
        waited: Duration,
        /// How the last try failed.
        source: Box<HttpError>,
    },
    /// The registry does not accept the credentials, or they do not allow this.
    #[error("the schema registry `{url}` does not accept the credentials")]
    Denied {
        /// The registry's base URL.
        url: String,
        /// What it answered.
        source: Box<HttpError>,
    },
    /// The schema breaks the compatibility rule of its subject.
    #[error("the schema of `{subject}` is not compatible with its earlier versions: {message}")]
    Incompatible {
        /// The subject.
        subject: String,
        /// What the registry says.
        message: String,
    },
    /// The registry does not take the schema for a valid one.
    #[error("the schema of `{subject}` is not valid: {message}")]
    Invalid {
        /// The subject.
        subject: String,
        /// What the registry says.
        message: String,
    },
    /// The registry answered with another failure.
    #[error("the schema registry `{url}` failed")]
    Failed {
        /// The registry's base URL.
        url: String,
        /// What it answered.
        source: Box<HttpError>,
    },
    /// The answer is not one that a schema registry gives.
    #[error("`{url}` does not answer as a schema registry does")]
    Answer {
        /// The registry's base URL.
        url: String,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
}

impl RegistryError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some("check that the registry runs, its URL, and the network"),
            Self::Denied { .. } => Some("check the credentials and what they are allowed to do"),
            Self::Incompatible { .. } => Some("change the schema compatibly, or the compatibility rule of the subject"),
            Self::Failed { source, .. } if source.status() == Some(404) => {
                Some("the URL may lack a path, such as `/apis/ccompat/v7` of Apicurio Registry")
            }
            Self::Answer { .. } => Some("the URL may lead to something else, or lack a path"),
            Self::Settings { .. } | Self::Invalid { .. } | Self::Failed { .. } => None,
        }
    }
}
