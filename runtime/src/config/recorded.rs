//! A configuration as it is kept with a recording: what says how the API is read, and nothing of Kafka, of the registry,
//! of connections and of who asks, which a replay has none of.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::OperationSettings;
use super::environment::{Environment, variable_name};
use super::kind::NOT_EMPTY;
use super::property::{AnyProperty, Scope};
use super::raw::{self, Entry, ReadError};
use super::{addresses, auth, connection, kafka, listener, reference, registry};
use crate::http::{Auth, ClientSettings, Grant, Proof};
use crate::secret::Secret;

/// What a file and the environment say, as it is written: references are not resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedConfig {
    /// The properties of the file.
    pub configuration: BTreeMap<String, String>,
    /// The environment variables that override them, or that they refer to.
    pub environment: BTreeMap<String, String>,
}

/// Configured values that must not be found in a recording.
#[derive(Clone, Debug, Default)]
pub struct ConfiguredSecrets(Vec<Secret>);

impl RecordedConfig {
    /// Reads what is to be kept. Whatever is referred to and is free text counts as a secret: nobody refers to it for
    /// another reason than not to write it down.
    pub(super) fn read(
        file: Option<&Path>,
        environment: &Environment,
        properties: impl Iterator<Item = &'static dyn AnyProperty>,
    ) -> Result<(Self, ConfiguredSecrets), ReadError> {
        let properties: Vec<_> = properties.collect();
        let mut recorded = Self::default();
        let mut secrets = ConfiguredSecrets::default();
        for Entry { name, text, .. } in file.map(raw::read).transpose()?.unwrap_or_default() {
            if !has_no_part(|property| is_named(&name, property)) {
                let found = properties.iter().find(|property| is_named(&name, **property));
                let text = recorded.refer(&text, environment, found.copied(), &mut secrets);
                recorded.configuration.insert(name, text);
            }
        }
        for (variable, text) in environment.overrides() {
            if !has_no_part(|property| overrides(variable, property)) {
                let found = properties.iter().find(|property| overrides(variable, **property));
                let text = recorded.refer(text, environment, found.copied(), &mut secrets);
                recorded.environment.insert(variable.to_owned(), text);
            }
        }
        Ok((recorded, secrets))
    }

    /// Takes note of what a text refers to. References to variables stay as they are, and the variables are kept; others
    /// are replaced by what they stand for.
    fn refer(
        &mut self,
        text: &str,
        environment: &Environment,
        property: Option<&'static dyn AnyProperty>,
        secrets: &mut ConfiguredSecrets,
    ) -> String {
        let is_text = property.is_none_or(|property| property.expected() == NOT_EMPTY);
        let mut text = text.to_owned();
        // What leads nowhere has been told of by who has loaded this.
        for (written, value) in reference::found(&text, environment) {
            if is_text {
                secrets.add(Secret::new(value.clone()));
            }
            match written.strip_prefix("${env:").and_then(|rest| rest.strip_suffix('}')) {
                Some(variable) => drop(self.environment.insert(variable.to_owned(), value)),
                None => text = text.replace(&written, &value),
            }
        }
        text
    }

    /// The properties, as if a file had them.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |(name, text): (&String, &String)| Entry { name: name.clone(), text: text.clone(), line: 1 };
        self.configuration.iter().map(entry).collect()
    }

    /// The environment that the properties were written for.
    pub(super) fn environment(&self) -> Environment {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

impl ConfiguredSecrets {
    /// All of them, each once.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }

    /// Adds what an operation's client authenticates by, and what its records are hashed with.
    pub(super) fn of_operation(&mut self, settings: &OperationSettings) {
        self.of_client(&settings.http);
        let salt = settings.redaction.as_ref().and_then(|redaction| redaction.salt());
        salt.into_iter().for_each(|salt| self.add(salt.clone()));
    }

    /// Adds what a client authenticates by, and the headers that must not be seen.
    fn of_client(&mut self, settings: &ClientSettings) {
        match &settings.auth {
            Auth::None => {}
            Auth::Basic { user, password } => {
                self.add(password.clone());
                // As it is sent (RFC 7617 section 2).
                self.add(Secret::new(BASE64_STANDARD.encode(format!("{user}:{}", password.expose()))));
            }
            Auth::Bearer(token) => self.add(token.clone()),
            Auth::HeaderKey { key, .. } | Auth::QueryKey { key, .. } => self.add(key.clone()),
            // What it shows is known when it has been shown.
            Auth::Own(_) => {}
            Auth::OAuth2(oauth) => {
                if let Some(Proof::Secret(secret, _)) = oauth.endpoint.client.as_ref().map(|client| &client.proof) {
                    self.add(secret.clone());
                }
                if let Grant::Password { password: secret, .. } | Grant::RefreshToken { token: secret, .. } =
                    &oauth.grant
                {
                    self.add(secret.clone());
                }
                oauth.endpoint.headers.iter().for_each(|(_, value)| self.add(value.clone()));
            }
        }
        for (name, value) in &settings.headers {
            // They are said to be sensitive, but these can be no secrets, and responses hold them too.
            if !["accept", "content-type", "user-agent"].iter().any(|harmless| name.eq_ignore_ascii_case(harmless)) {
                self.add(value.clone());
            }
        }
    }

    fn add(&mut self, secret: Secret) {
        if !self.0.contains(&secret) {
            self.0.push(secret);
        }
    }
}

/// Whether one of the properties that a recording leaves out is one for which `is_it` holds.
fn has_no_part(is_it: impl Fn(&'static dyn AnyProperty) -> bool) -> bool {
    let left_out =
        [auth::PROPERTIES, connection::PROPERTIES, addresses::PROPERTIES, registry::PROPERTIES, listener::PROPERTIES];
    let left_out = left_out.into_iter().flatten().copied();
    left_out.chain(kafka::properties()).any(is_it)
}

/// Whether a name in a file is one of a property.
fn is_named(name: &str, property: &dyn AnyProperty) -> bool {
    let definition = property.definition();
    let own = name.split_once('.').filter(|(api, _)| is_api(api)).map_or(name, |(_, own)| own);
    let mut spellings = [definition.name].into_iter().chain(definition.aliases.iter().copied());
    spellings.any(|spelling| match definition.scope {
        Scope::Global => name == spelling,
        Scope::PerApi | Scope::Overridable => own == spelling,
        Scope::Family => name.starts_with(spelling),
        Scope::PerApiFamily => own.starts_with(spelling),
        Scope::Named(prefix) => {
            name.starts_with(prefix.trim_end_matches("NAME.")) && name.ends_with(&format!(".{spelling}"))
        }
    })
}

/// Whether an environment variable overrides a property.
fn overrides(variable: &str, property: &dyn AnyProperty) -> bool {
    let definition = property.definition();
    let own = variable.strip_prefix("HEADWATER_").and_then(|rest| rest.split_once('_'));
    let own = own.filter(|(api, _)| is_api(&api.to_ascii_lowercase())).map(|(_, own)| format!("HEADWATER_{own}"));
    let own = own.as_deref().unwrap_or(variable);
    let mut spellings = [definition.name].into_iter().chain(definition.aliases.iter().copied()).map(variable_name);
    spellings.any(|spelling| match definition.scope {
        Scope::Global => variable == spelling,
        Scope::PerApi | Scope::Overridable => own == spelling,
        Scope::Family => variable.starts_with(&spelling),
        Scope::PerApiFamily => own.starts_with(&spelling),
        Scope::Named(prefix) => variable.starts_with(&variable_name(prefix.trim_end_matches("NAME."))),
    })
}

/// Whether a text is `api` and a number.
fn is_api(text: &str) -> bool {
    text.strip_prefix("api").is_some_and(|number| number.parse::<usize>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_of_the_api_and_knows_what_is_referred_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.properties");
        let text = "name=n\nbootstrap.servers=k:9092\nsasl.jaas.config=${env:JAAS}\nssl.key.password=p4ssw0rd\n\
                    http.api.base.url=${env:URL}\nbearer.token=${env:TOKEN}\nowner=${env:OWNER}\nmax.retries=3\n\
                    https.ssl.keystore.password=k3y\nproducer.override.linger.ms=5\nlisteners=http://:1\n";
        std::fs::write(&file, text).unwrap();
        let environment: Environment = [
            ("URL", "http://api.test"),
            ("TOKEN", "t0ken"),
            ("OWNER", "apache"),
            ("JAAS", "jaas"),
            ("HEADWATER_API1_MAX_RETRIES", "4"),
            ("HEADWATER_API1_BEARER_TOKEN", "t0ken2"),
            ("HEADWATER_KAFKA_API_SECRET", "k4fka"),
        ]
        .into_iter()
        .collect();
        let (recorded, secrets) = RecordedConfig::read(Some(&file), &environment, super::super::properties()).unwrap();
        let names: Vec<_> = recorded.configuration.keys().map(String::as_str).collect();
        assert_eq!(names, ["http.api.base.url", "max.retries", "name", "owner"]);
        assert_eq!(recorded.configuration["owner"], "${env:OWNER}");
        let variables: Vec<_> = recorded.environment.keys().map(String::as_str).collect();
        assert_eq!(variables, ["HEADWATER_API1_MAX_RETRIES", "OWNER", "URL"]);
        // What requests authenticate by is taken from where it was loaded.
        let secrets: Vec<_> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(secrets, ["apache"]);
    }
}
