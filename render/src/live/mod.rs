//! Execution functions that give templates live objects, or change those they are given. One file per module of Salt's.

use crate::template::Live;

/// By full name.
const TABLE: &[(&str, Live)] = &[];

/// The function of that full name, if it is one of these.
pub fn find(name: &str) -> Option<Live> {
    TABLE.iter().find(|(n, _)| *n == name).map(|(_, live)| *live)
}
