//! The process's environment, and which of its variables override properties.

use std::collections::BTreeMap;

use super::reference::SECRETS_DIR;
use crate::telemetry;

/// What the names of overriding variables begin with.
const PREFIX: &str = "HEADWATER_";

/// What the names of variables begin with that are for tests and never override anything.
const TEST_PREFIX: &str = "HEADWATER_TEST_";

/// Environment variables as they were when the program began.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process; those that are not Unicode are left out.
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The variables that may override properties.
    pub(super) fn overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX))
            .filter(|(name, _)| ![telemetry::FILTER, telemetry::FORMAT, SECRETS_DIR].contains(name))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Environment {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// The variable that overrides a property: `HEADWATER_`, and the name in upper case with `_` for `.` and `-`.
pub fn variable_name(property: &str) -> String {
    let rest = property.chars().map(|char| if matches!(char, '.' | '-') { '_' } else { char.to_ascii_uppercase() });
    PREFIX.chars().chain(rest).collect()
}

/// What a variable's name says after the prefix and the `family` of properties, as the end of a property's name.
pub(super) fn family_member(variable: &str, family: &str) -> Option<String> {
    let rest = variable.strip_prefix(&variable_name(family))?;
    (!rest.is_empty()).then(|| rest.to_ascii_lowercase().replace('_', "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_one_rule() {
        assert_eq!(variable_name("bearer.token"), "HEADWATER_BEARER_TOKEN");
        assert_eq!(variable_name("api1.http.api.path"), "HEADWATER_API1_HTTP_API_PATH");
        assert_eq!(variable_name("page-size"), "HEADWATER_PAGE_SIZE");
        assert_eq!(
            family_member("HEADWATER_PRODUCER_OVERRIDE_LINGER_MS", "producer.override."),
            Some("linger.ms".to_owned())
        );
        assert_eq!(family_member("HEADWATER_PRODUCER_OVERRIDE_", "producer.override."), None);
    }

    #[test]
    fn logging_secrets_and_tests_override_nothing() {
        let environment: Environment = [
            ("HEADWATER_LOG", "debug"),
            ("HEADWATER_LOG_FORMAT", "json"),
            ("HEADWATER_SECRETS_DIR", "/s"),
            ("HEADWATER_TEST_BOOTSTRAP", "b"),
            ("HEADWATER_NAME", "n"),
            ("PATH", "/"),
        ]
        .into_iter()
        .collect();
        assert_eq!(environment.overrides().collect::<Vec<_>>(), [("HEADWATER_NAME", "n")]);
    }
}
