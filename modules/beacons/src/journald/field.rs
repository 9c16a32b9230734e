//! One entry of the journal: its fields as Python's library of systemd reads them, and as events show them.

use brine_core::clock::Clock;
use brine_core::{Map, Value};
use serde_json::Value as Json;

/// An entry.
pub(super) struct Entry {
    /// What configurations are compared with: numbers and texts.
    pub(super) values: Map,
    /// What is told: all else as Python shows it.
    pub(super) shown: Map,
}

const NUMBERS: [&str; 22] = [
    "PRIORITY", "LEADER", "SESSION_ID", "USERSPACE_USEC", "INITRD_USEC", "KERNEL_USEC", "_UID", "_GID", "_PID",
    "SYSLOG_FACILITY", "SYSLOG_PID", "_AUDIT_SESSION", "_AUDIT_LOGINUID", "_SYSTEMD_SESSION", "_SYSTEMD_OWNER_UID",
    "CODE_LINE", "ERRNO", "EXIT_STATUS", "COREDUMP_PID", "COREDUMP_UID", "COREDUMP_GID", "COREDUMP_SIGNAL",
];
const IDS: [&str; 3] = ["MESSAGE_ID", "_MACHINE_ID", "_BOOT_ID"];
const TIMES: [&str; 3] = ["__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "COREDUMP_TIMESTAMP"];

/// How a field is read.
enum Field {
    /// A number or a text.
    Plain(Value),
    /// Something else, as Python's `repr` shows it.
    Shown(String),
}

/// Reads a line of `journalctl --output=json`.
pub(super) fn entry(line: &str) -> Option<Entry> {
    let Json::Object(fields) = serde_json::from_str(line).ok()? else { return None };
    let (mut values, mut shown) = (Map::new(), Map::new());
    for (name, json) in &fields {
        // Later versions number their entries, which the library does not tell.
        if name.starts_with("__SEQNUM") {
            continue;
        }
        let value: Value = if name == "__MONOTONIC_TIMESTAMP" {
            let boot = fields.get("_BOOT_ID").and_then(Json::as_str).unwrap_or_default();
            vec![Value::from(span(json.as_str()?)?), id(boot)?.into()].into()
        } else {
            match json {
                Json::Array(list) if !list.iter().all(Json::is_number) => {
                    list.iter().map(|one| field(name, one)).map(show).collect::<Vec<_>>().into()
                }
                one => match field(name, one) {
                    Field::Plain(value) => {
                        values.insert(name.as_str(), value.clone());
                        value
                    }
                    other => show(other),
                },
            }
        };
        shown.insert(name.as_str(), value);
    }
    Some(Entry { values, shown })
}

fn show(field: Field) -> Value {
    match field {
        Field::Plain(value) => value,
        Field::Shown(text) => text.into(),
    }
}

fn field(name: &str, json: &Json) -> Field {
    let Some(text) = json.as_str() else {
        let bytes = json.as_array().into_iter().flatten().filter_map(|n| u8::try_from(n.as_u64()?).ok()).collect();
        return Field::Shown(brine_core::text::python_repr(&Value::Bytes(bytes)));
    };
    let read = if NUMBERS.contains(&name) {
        text.trim().parse::<i64>().ok().map(|n| Field::Plain(n.into()))
    } else if IDS.contains(&name) {
        id(text).map(Field::Shown)
    } else if TIMES.contains(&name) {
        time(text).map(Field::Shown)
    } else if name == "_SOURCE_MONOTONIC_TIMESTAMP" {
        span(text).map(Field::Shown)
    } else {
        Some(Field::Plain(text.into()))
    };
    // What does not read as what it should be stays the bytes it is.
    read.unwrap_or_else(|| Field::Shown(brine_core::text::python_repr(&Value::Bytes(text.into()))))
}

/// `UUID('00112233-4455-6677-8899-aabbccddeeff')`
fn id(text: &str) -> Option<String> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    let whole = hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let hex = hex.to_ascii_lowercase();
    whole.then(|| {
        format!("UUID('{}-{}-{}-{}-{}')", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    })
}

/// Microseconds after 1970 as a local time: `datetime.datetime(2026, 11, 26, 22, 13, 37, 123456, tzinfo=...)`
fn time(text: &str) -> Option<String> {
    let micros: i64 = text.trim().parse().ok()?;
    let (unix, micro) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let at = Clock::local(unix);
    let mut out = at.strftime("datetime.datetime(%Y, %-m, %-d, ");
    out.push_str(&format!("{}, {}", at.hour, at.minute));
    if at.second != 0 || micro != 0 {
        out.push_str(&format!(", {}", at.second));
    }
    if micro != 0 {
        out.push_str(&format!(", {micro}"));
    }
    let zone = at.strftime("%Z");
    out.push_str(&format!(", tzinfo=datetime.timezone({}, '{zone}'))", length(at.offset * 1_000_000)));
    Some(out)
}

/// Microseconds as a length of time.
fn span(text: &str) -> Option<String> {
    text.trim().parse().ok().map(length)
}

/// `datetime.timedelta(days=1, seconds=2, microseconds=3)`
fn length(micros: i64) -> String {
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let parts = [("days", seconds.div_euclid(86_400)), ("seconds", seconds.rem_euclid(86_400)), ("microseconds", micros)];
    let parts: Vec<String> =
        parts.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!("{name}={n}")).collect();
    format!("datetime.timedelta({})", if parts.is_empty() { "0".to_owned() } else { parts.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_shown_as_python_shows_them() {
        let line = r#"{"PRIORITY":"6","MESSAGE":"hi","_PID":"12","_BOOT_ID":"00112233445566778899aabbccddeeff",
            "__MONOTONIC_TIMESTAMP":"90000000001","B":[104,255],"TWO":["a","b"],"__SEQNUM":"9","ERRNO":"x"}"#;
        let entry = entry(line).unwrap();
        let shown = |name: &str| entry.shown.get(name).cloned().unwrap();
        assert_eq!(shown("PRIORITY"), 6.into());
        assert_eq!(entry.values.get("_PID"), Some(&12.into()));
        assert_eq!(shown("_BOOT_ID"), "UUID('00112233-4455-6677-8899-aabbccddeeff')".into());
        assert!(entry.values.get("_BOOT_ID").is_none());
        assert_eq!(
            shown("__MONOTONIC_TIMESTAMP"),
            vec!["datetime.timedelta(days=1, seconds=3600, microseconds=1)", "UUID('00112233-4455-6677-8899-aabbccddeeff')"].into()
        );
        assert_eq!(shown("B"), "b'h\\xff'".into());
        assert_eq!(shown("TWO"), vec!["a", "b"].into());
        assert_eq!(shown("ERRNO"), "b'x'".into());
        assert!(!entry.shown.contains("__SEQNUM"));
    }
}
