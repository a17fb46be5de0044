//! Where metrics, health and status are served.

use std::fmt;

use super::kind::Kind;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::secret::Secret;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// A name or an address of this machine.
    pub host: String,
    /// The port; 0 stands for any free one.
    pub port: u16,
    /// User and password, with a colon between them, that everything but health asks for (RFC 7617). `None`: everyone may
    /// read, and only this machine may change anything.
    pub credentials: Option<Secret>,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "http://[{}]:{}", self.host, self.port),
            false => write!(f, "http://{}:{}", self.host, self.port),
        }
    }
}

/// An address in the form of Kafka's listeners.
const LISTENER: Kind<Listener> = Kind::Text {
    type_name: "string",
    expected: "an address such as `http://:8083` (every interface) or `http://127.0.0.1:8083`",
    parse: |text| {
        let (host, port) = text.trim().strip_prefix("http://")?.trim_end_matches('/').rsplit_once(':')?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address,
            None if host.is_empty() => "0.0.0.0",
            None => host,
        };
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_');
        let host = Some(host).filter(|host| host.bytes().all(legal))?.to_owned();
        Some(Listener { host, port: port.parse().ok()?, credentials: None })
    },
};

properties! {
    LISTENERS: Listener = Property::new(
        "listeners",
        LISTENER,
        "Where metrics (`/metrics`, for Prometheus), health (`/healthy`, `/ready`) and status (`/connectors/NAME/status`, as \
         Kafka Connect's) are served, and cycles begun (`POST /connectors/NAME/streams/STREAM/cycle`). Without \
         `rest.basic.auth.user.info`, whoever reaches it can read, and only an address of this machine itself, such as \
         `127.0.0.1`, lets anyone change something.",
    ).derived("nowhere");
    USER_INFO: Secret = Property::new(
        "rest.basic.auth.user.info",
        Kind::Text {
            type_name: "password",
            expected: "a user and a password with a colon between them",
            parse: |text| text.split_once(':').filter(|(user, _)| !user.is_empty()).map(|_| Secret::new(text)),
        },
        "User and password, as `user:password`, that everything at `listeners` but health asks for (RFC 7617).",
    ).hidden();
}

/// Reads where to listen, if anywhere.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Listener> {
    let credentials = reader.get(&USER_INFO);
    Some(Listener { credentials, ..reader.get(&LISTENERS)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown() {
        let read = |text| Property::new("listeners", LISTENER, "").parse(text).map(|it: Listener| it.to_string());
        for (text, shown) in [
            ("http://:8083", Some("http://0.0.0.0:8083")),
            (" http://localhost:0/ ", Some("http://localhost:0")),
            ("http://[::1]:80", Some("http://[::1]:80")),
            ("http://10.0.0.1:80", Some("http://10.0.0.1:80")),
            ("https://a:80", None),
            ("a:80", None),
            ("http://a", None),
            ("http://a:99999", None),
            ("http://a/b:80", None),
            ("http://a:80,http://b:80", None),
        ] {
            assert_eq!(read(text).as_deref(), shown, "{text}");
        }
    }
}
