//! A notice in the queue: with its id, and as the text that the file has.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{at_millis, millis};
use crate::{Labels, Notice, Status};

/// A notice on its way to one sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its place in the order.
    pub seq: i64,
    /// What receivers know it by: the same whenever it is sent again, and no other notice has it.
    pub id: String,
    /// How often it was tried before.
    pub tries: u32,
    /// When it was put.
    pub put_at: SystemTime,
    /// The notice.
    pub notice: Notice,
}

fn object(labels: &Labels) -> Value {
    Value::Object(labels.iter().map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect())
}

/// A notice as text.
pub fn body_of(notice: &Notice) -> String {
    let firing = notice.status == Status::Firing;
    json!({
        "firing": firing, "labels": object(&notice.labels), "annotations": object(&notice.annotations),
        "starts": millis(notice.starts_at), "ends": notice.ends_at.map(millis),
    })
    .to_string()
}

/// What [`body_of`] made a text of; `None` of another text.
pub fn notice_of(text: &str) -> Option<Notice> {
    let value: Map<String, Value> = serde_json::from_str(text).ok()?;
    let labels = |key: &str| -> Option<Labels> {
        let pairs = value.get(key)?.as_object()?;
        pairs.iter().map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
    };
    Some(Notice {
        status: if value.get("firing")?.as_bool()? { Status::Firing } else { Status::Resolved },
        labels: labels("labels")?,
        annotations: labels("annotations")?,
        starts_at: at_millis(value.get("starts")?.as_i64()?),
        ends_at: value.get("ends").and_then(Value::as_i64).map(at_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    proptest! {
        #[test]
        fn a_notice_comes_back_as_it_was(
            firing: bool,
            labels in proptest::collection::btree_map(".{0,9}", ".{0,9}", 0..4),
            annotations in proptest::collection::btree_map(".{0,9}", ".{0,9}", 0..4),
            starts in 0u64..1 << 42,
            ends in proptest::option::of(0u64..1 << 42),
        ) {
            let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
            let status = if firing { Status::Firing } else { Status::Resolved };
            let notice = Notice { status, labels, annotations, starts_at: at(starts), ends_at: ends.map(at) };
            prop_assert_eq!(notice_of(&body_of(&notice)), Some(notice));
        }
    }

    #[test]
    fn what_is_no_notice_is_none() {
        for text in ["", "{}", "[]", r#"{"firing": 1, "labels": {}, "annotations": {}, "starts": 1}"#] {
            assert_eq!(notice_of(text), None, "{text}");
        }
    }
}
