//! One record of a login: `struct utmp` of Linux with glibc, and the names that stock's events give its fields.

use brine_core::{Map, Value, map};

/// The length of a record.
pub(crate) const SIZE: usize = 384;

/// The fields. Stock counts the two halves of `ut_exit` as two fields, so that names from `session` on are those of the field
/// before: `session` has the exit code, `time` the session, and `addr` the time in seconds.
pub(crate) fn parse(raw: &[u8; SIZE]) -> Map {
    let text = |from: usize, length: usize| -> Value {
        let text = String::from_utf8_lossy(&raw[from..from + length]);
        text.trim_matches('\0').into()
    };
    let short = |at: usize| i16::from_ne_bytes([raw[at], raw[at + 1]]);
    let int = |at: usize| i32::from_ne_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]);
    map! {
        "type" => i64::from(short(0)),
        "PID" => i64::from(int(4)),
        "line" => text(8, 32),
        "inittab" => text(40, 4),
        "user" => text(44, 32),
        "hostname" => text(76, 256),
        "exit_status" => i64::from(short(332)),
        "session" => i64::from(short(334)),
        "time" => i64::from(int(336)),
        "addr" => i64::from(int(340)),
    }
}
