//! What the offsets topic holds of a slice: its position, and what else there is to know of it after a crash.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::position::{Position, PositionError};
use crate::slice::{Covered, Slice};

/// The slices of a stream that have something to remember.
pub(crate) type States = BTreeMap<Arc<Slice>, State>;

/// What is remembered of a slice. A stream that is read as a whole has nothing but its position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) position: Position,
    pub(crate) todo: Todo,
}

/// What there is to do with a slice besides reading on from its position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Todo {
    /// Whether a record of the parent calls for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due: Option<Due>,
    /// The last cycle that it was read to the end in; of the whole stream, the last one that all slices were. 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) finished: u64,
    /// What of its time is read, if there is more to read than the cycles do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backfill: Option<Covered>,
}

/// When a slice is to be read that a record of the parent calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Due {
    /// In this cycle.
    Now,
    /// In this cycle, and once more: a record has called for it while it was being read.
    Again,
    /// In the next cycle, because it has failed in this one.
    NextCycle,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references over")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl State {
    /// A slice that stands here, with nothing else to remember.
    pub(crate) fn at(position: Position) -> Self {
        Self { position, todo: Todo::default() }
    }

    /// Reads what is stored.
    ///
    /// # Errors
    ///
    /// If the text is none of this version.
    pub(crate) fn parse(text: &str) -> Result<Self, PositionError> {
        let failed = |source| PositionError::new(text, source);
        let mut members: Map<String, Value> = serde_json::from_str(text).map_err(failed)?;
        let todo =
            ["due", "finished", "backfill"].into_iter().filter_map(|name| members.shift_remove_entry(name)).collect();
        let todo: Todo = serde_json::from_value(Value::Object(todo)).map_err(failed)?;
        let position: Position = serde_json::from_value(Value::Object(members)).map_err(failed)?;
        Ok(Self { position, todo })
    }
}

/// As it is stored: the position, with the rest among its members.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.todo == Todo::default() {
            return self.position.fmt(f);
        }
        #[derive(Serialize)]
        struct Stored<'a> {
            #[serde(flatten)]
            todo: &'a Todo,
            #[serde(flatten)]
            position: &'a Position,
        }
        let stored = Stored { todo: &self.todo, position: &self.position };
        f.write_str(&serde_json::to_string(&stored).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stored_as_a_position_with_members_of_its_own() {
        let position = Position::starting_at(Some("7".to_owned()));
        let state = State::at(position.clone());
        assert_eq!(state.to_string(), position.to_string());
        let todo = Todo { due: Some(Due::NextCycle), finished: 3, backfill: None };
        let state = State { position, todo };
        assert_eq!(state.to_string(), r#"{"due":"next_cycle","finished":3,"offset":"7"}"#);
        assert_eq!(State::parse(&state.to_string()).unwrap(), state);
        assert_eq!(State::parse("{}").unwrap(), State::default());
        assert!(State::parse(r#"{"ofset": 1}"#).is_err());
        assert!(State::parse(r#"{"due": "soon"}"#).is_err());
    }
}
