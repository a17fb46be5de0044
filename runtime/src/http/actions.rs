//! What is done with an answer that needs something else than its status says.

use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use super::status::StatusRanges;

/// What is done with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The request is tried again, as if the network had failed.
    Retry,
    /// The request has failed for good.
    Fail,
    /// It counts as a page without records.
    Empty,
    /// The token is got anew, and the request is tried again.
    Refresh,
    /// Something else is asked for.
    Detour(Detour),
}

/// What is asked for in place of a page that the API does not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detour {
    /// The page after it.
    Skip,
    /// The same, of half as many records.
    Shrink,
    /// The first half of its time window.
    Split,
    /// The first page of the cycle, or of the time window.
    Restart,
}

impl std::fmt::Display for Detour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Skip => "SKIP",
            Self::Shrink => "SHRINK",
            Self::Split => "SPLIT",
            Self::Restart => "RESTART",
        })
    }
}

/// Which answers a rule is about, beside their status.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Predicate {
    /// All of them.
    Any,
    /// Those whose content has this text in it.
    Contains(String),
    /// Those whose content is JSON with this text, number or word at a JSON Pointer (RFC 6901).
    Equals { pointer: String, value: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    statuses: StatusRanges,
    predicate: Predicate,
    action: Action,
}

/// Rules of which the first that an answer meets decides. Their text is `STATUSES -> ACTION`, `STATUSES ~TEXT -> ACTION` or
/// `STATUSES /POINTER=VALUE -> ACTION`, with `;` between rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(Vec<Rule>);

/// A rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{rule}` is no rule")]
pub struct ActionsError {
    rule: String,
}

const ACTIONS: [(&str, Action); 8] = [
    ("RETRY", Action::Retry),
    ("FAIL", Action::Fail),
    ("EMPTY", Action::Empty),
    ("REFRESH", Action::Refresh),
    ("SKIP", Action::Detour(Detour::Skip)),
    ("SHRINK", Action::Detour(Detour::Shrink)),
    ("SPLIT", Action::Detour(Detour::Split)),
    ("RESTART", Action::Detour(Detour::Restart)),
];

impl Actions {
    /// What is asked for in place of other things, by any of the rules.
    pub(crate) fn detours(&self) -> impl Iterator<Item = Detour> {
        self.0.iter().filter_map(|rule| match rule.action {
            Action::Detour(detour) => Some(detour),
            _ => None,
        })
    }

    /// What is done with an answer; `None`: what its status says.
    pub(super) fn of(&self, status: u16, body: &[u8]) -> Option<Action> {
        let rule = self.0.iter().find(|rule| rule.statuses.contains(status) && rule.predicate.is_met(body))?;
        Some(rule.action)
    }
}

impl Predicate {
    fn is_met(&self, body: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Contains(text) => body.windows(text.len()).any(|window| window == text.as_bytes()),
            Self::Equals { pointer, value } => {
                let Ok(json) = serde_json::from_slice::<Value>(body) else { return false };
                match json.pointer(pointer) {
                    Some(Value::String(text)) => text == value,
                    Some(other) => other.to_string().as_str() == value,
                    None => false,
                }
            }
        }
    }
}

impl FromStr for Actions {
    type Err = ActionsError;

    fn from_str(text: &str) -> Result<Self, ActionsError> {
        let rules = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
        rules
            .map(|text| rule(text).ok_or_else(|| ActionsError { rule: text.to_owned() }))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn rule(text: &str) -> Option<Rule> {
    let (condition, action) = text.rsplit_once("->")?;
    let (_, action) = *ACTIONS.iter().find(|(word, _)| word.eq_ignore_ascii_case(action.trim()))?;
    let at = condition.find(['~', '/']).unwrap_or(condition.len());
    let (statuses, predicate) = condition.split_at(at);
    let predicate = predicate.trim();
    let predicate = match predicate.strip_prefix('~') {
        None if predicate.is_empty() => Predicate::Any,
        None => {
            let (pointer, value) = predicate.split_once('=')?;
            Predicate::Equals { pointer: pointer.trim().to_owned(), value: value.trim().to_owned() }
        }
        Some(text) => Predicate::Contains(Some(text.trim()).filter(|text| !text.is_empty())?.to_owned()),
    };
    let statuses = Some(statuses.trim()).filter(|statuses| !statuses.is_empty())?.parse().ok()?;
    Some(Rule { statuses, predicate, action })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_is_met_decides() {
        let rules = "404 -> EMPTY; 400,409 /error/code=busy -> retry; 400 /error/count=0 -> EMPTY; 403 ~ quota -> RETRY;\
                     200 /status=error -> FAIL; 413 -> shrink; 400- -> REFRESH;";
        let rules: Actions = rules.parse().unwrap();
        for (status, body, action) in [
            (404, "", Some(Action::Empty)),
            (400, r#"{"error": {"code": "busy"}}"#, Some(Action::Retry)),
            (400, r#"{"error": {"count": 0}}"#, Some(Action::Empty)),
            (400, r#"{"error": {"code": "other"}}"#, Some(Action::Refresh)),
            (400, "not JSON", Some(Action::Refresh)),
            (403, "over quota", Some(Action::Retry)),
            (200, r#"{"status": "error"}"#, Some(Action::Fail)),
            (200, r#"{"status": "ok"}"#, None),
            (413, "", Some(Action::Detour(Detour::Shrink))),
        ] {
            assert_eq!(rules.of(status, body.as_bytes()), action, "{status} {body}");
        }
        assert_eq!("".parse(), Ok(Actions::default()));
    }

    #[test]
    fn refuses_anything_else() {
        for text in ["404", "404 -> AGAIN", "-> EMPTY", "4xx -> EMPTY", "404 /a -> EMPTY", "404 ~ -> EMPTY"] {
            assert!(text.parse::<Actions>().is_err(), "{text}");
        }
    }
}
