//! What a user's login needs to know of a configuration. Of Kafka and the schema registry it need say nothing.

use std::path::Path;

use super::names::Names;
use super::reader::Reader;
use super::{ConfigError, Environment, api, auth, connection, source};
use crate::connector::Connector;
use crate::http::ClientSettings;
use crate::login::{Authorization, Login};

/// The logins of a configuration.
#[derive(Debug)]
pub struct Logins {
    /// The ids of all operations.
    pub operations: Vec<String>,
    /// Those who need a login, each with the first operation that it is for.
    pub needed: Vec<(String, Login)>,
}

impl Logins {
    /// Reads the logins of a generated connector: all, or that of `operation`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; otherwise with everything that is wrong in what it says of them.
    pub fn of_connector(
        connector: &Connector,
        file: Option<&Path>,
        environment: &Environment,
        operation: Option<&str>,
    ) -> Result<Self, ConfigError> {
        super::load(connector, file, environment, |reader, names| read(reader, names, operation))
    }

    /// Reads the logins of a source: all, or that of `operation`.
    ///
    /// # Errors
    ///
    /// As [`Logins::of_connector`].
    pub fn of_source(file: &Path, environment: &Environment, operation: Option<&str>) -> Result<Self, ConfigError> {
        source::load(file, environment, |reader, names| read(reader, names, operation))
    }
}

fn read(reader: &mut Reader<'_>, names: &Names, operation: Option<&str>) -> Option<Logins> {
    let connection = connection::read(reader);
    let wanted = (1..).zip(names.operations()).filter(|(_, id)| operation.is_none_or(|wanted| wanted == *id));
    let read: Vec<_> = wanted
        .map(|(number, id)| {
            let (authorization, timeouts) = (auth::read_login(reader, number), api::read_timeouts(reader, number));
            Some((id.clone(), authorization?, timeouts?))
        })
        // Not straight into an `Option`, which would stop at the first that is wrong.
        .collect();
    let connection = connection?;
    let mut needed: Vec<(String, Login)> = Vec::new();
    for (id, authorization, timeouts) in read.into_iter().collect::<Option<Vec<_>>>()? {
        let is_new = |it: &Authorization| needed.iter().all(|(_, known)| known.authorization != *it);
        let Some(authorization) = authorization.filter(is_new) else { continue };
        let mut http = ClientSettings::new(authorization.endpoint.url.clone());
        connection.apply(&mut http);
        (http.connect_timeout, http.request_timeout) = timeouts;
        needed.push((id, Login { authorization, http }));
    }
    Some(Logins { operations: names.operations().to_vec(), needed })
}
