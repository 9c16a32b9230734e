//! What comes of a state: `{name, changes, result, comment}`.

use brine_protocol::{Map, Value, map};

/// The result of one state function.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What the state is about, as it was given.
    pub name: Value,
    /// What was changed; in test mode, what would be. Empty: nothing.
    pub changes: Map,
    /// `Some(true)`: as wished. `Some(false)`: failed. `None`: would be changed (test mode).
    pub result: Option<bool>,
    /// For people. The runner joins a list of lines.
    pub comment: Value,
    /// Keys that few states add, such as `warnings` or `pchanges`.
    pub more: Map,
}

impl Outcome {
    /// Nothing changed, nothing failed, nothing to say: what a function starts from.
    pub fn new(name: impl Into<Value>) -> Self {
        Self {
            name: name.into(),
            changes: Map::new(),
            result: Some(true),
            comment: "".into(),
            more: Map::new(),
        }
    }

    /// As wished.
    pub fn ok(name: impl Into<Value>, comment: impl Into<Value>) -> Self {
        Self { comment: comment.into(), ..Self::new(name) }
    }

    /// Failed.
    pub fn failed(name: impl Into<Value>, comment: impl Into<Value>) -> Self {
        Self { result: Some(false), comment: comment.into(), ..Self::new(name) }
    }

    /// Would be changed, were this not test mode.
    pub fn would(name: impl Into<Value>, comment: impl Into<Value>) -> Self {
        Self { result: None, comment: comment.into(), ..Self::new(name) }
    }

    /// The same with these changes.
    #[must_use]
    pub fn with_changes(mut self, changes: Map) -> Self {
        self.changes = changes;
        self
    }
}

impl From<Outcome> for Value {
    fn from(outcome: Outcome) -> Self {
        let mut all = map! {
            "name" => outcome.name,
            "changes" => outcome.changes,
            "result" => outcome.result.map_or(Value::Nil, Value::from),
            "comment" => outcome.comment,
        };
        for (key, value) in outcome.more {
            all.insert(key, value);
        }
        all.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_a_dict_of_what_stock_returns() {
        let outcome =
            Outcome { more: map! {"warnings" => vec!["w"]}, ..Outcome::would("/a", "would be made") };
        let value = Value::from(outcome.with_changes(map! {"/a" => "new"}));
        let all = value.as_map().unwrap();
        assert_eq!(all.get("result"), Some(&Value::Nil));
        assert_eq!(all.get("changes"), Some(&map! {"/a" => "new"}.into()));
        assert_eq!(all.get("warnings"), Some(&vec!["w"].into()));
    }
}
