//! The schema registry: where it is, and how to authenticate to it.

use url::Url;

use super::kind::{Kind, http_url};
use super::property::{Property, properties};
use super::reader::Reader;
use crate::http::Auth;
use crate::registry::RegistrySettings;
use crate::secret::Secret;

/// The registry's URL. It may hold user and password, which are taken out of it.
const REGISTRY_URL: Kind<Url> = Kind::Text {
    type_name: "string",
    expected: "one absolute `http` or `https` URL without query and fragment",
    parse: |text| http_url(text).filter(|url| url.query().is_none() && url.fragment().is_none()),
};

/// Where user and password for the registry come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CredentialsSource {
    Url,
    UserInfo,
}

properties! {
    REGISTRY: Url = Property::new(
        "value.converter.schema.registry.url",
        REGISTRY_URL,
        "The schema registry's base URL. Not needed with `--dev`, or for `output.data.format=JSON`.",
    ).derived("none").high();
    CREDENTIALS_SOURCE: CredentialsSource = Property::new(
        "value.converter.basic.auth.credentials.source",
        Kind::OneOf(&[("USER_INFO", CredentialsSource::UserInfo), ("URL", CredentialsSource::Url)]),
        "Where user and password for the schema registry are: in the property for them, or in the URL.",
    ).aliases(&["value.converter.schema.registry.basic.auth.credentials.source"])
        .derived("whichever there is").low();
    USER_INFO: Secret = Property::secret(
        "value.converter.schema.registry.basic.auth.user.info",
        "User and password for the schema registry, as `user:password`.",
    ).aliases(&["value.converter.basic.auth.user.info"]);
    BEARER_TOKEN: Secret = Property::secret(
        "value.converter.schema.registry.bearer.auth.token",
        "The token for the schema registry.",
    ).aliases(&["value.converter.bearer.auth.token"]);
}

/// Reads what the user says of the schema registry, which `is_needed` unless no record has a schema.
pub(super) fn read(reader: &mut Reader<'_>, is_needed: bool) -> Option<Option<RegistrySettings>> {
    if !is_needed && !reader.is_set(&REGISTRY) {
        return Some(None);
    }
    let url = reader.require(&REGISTRY, "the records' schemas are kept there");
    let source = reader.get(&CREDENTIALS_SOURCE);
    let user_info = reader.get(&USER_INFO);
    let token = reader.get(&BEARER_TOKEN);
    if user_info.is_some() && token.is_some() {
        let reason = format!("is set beside `{}`", USER_INFO.name());
        reader.conflict(BEARER_TOKEN.name(), reason, Some("set only one of them".to_owned()));
    }
    if source == Some(CredentialsSource::UserInfo) {
        let reason = format!("it is needed because `{}` is `USER_INFO`", CREDENTIALS_SOURCE.name());
        reader.require(&USER_INFO, &reason);
    }
    let mut url = url?;
    let in_url = take_credentials(&mut url);
    let auth = match (user_info, token) {
        (Some(user_info), _) if source != Some(CredentialsSource::Url) => match user_info.expose().split_once(':') {
            Some((user, password)) => Auth::Basic { user: user.to_owned(), password: Secret::new(password) },
            None => {
                reader.conflict(USER_INFO.name(), "has no colon between user and password", None);
                return None;
            }
        },
        (_, Some(token)) => Auth::Bearer(token),
        _ => in_url.unwrap_or(Auth::None),
    };
    let mut settings = RegistrySettings::new(url);
    settings.auth = auth;
    Some(Some(settings))
}

/// Takes user and password out of a URL, so that it can be shown.
fn take_credentials(url: &mut Url) -> Option<Auth> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_decode(text);
    let auth =
        Auth::Basic { user: decode(url.username()), password: Secret::new(decode(url.password().unwrap_or_default())) };
    // Fails only for a URL without a host, which is none here.
    let _ = (url.set_username(""), url.set_password(None));
    Some(auth)
}

/// Undoes percent-encoding (RFC 3986 section 2.1).
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
                bytes.extend(u8::try_from(digit(*high) * 16 + digit(*low)));
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
