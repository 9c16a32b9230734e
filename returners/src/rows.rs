//! What the databases' rows say: texts in one order of columns, JSON among them, in the tables that stock's modules share.

use crate::common::map_of;
use crate::describe::describe_jid;
use crate::loads::loads;
use brine_core::call::Result;
use brine_core::{Map, Value};
pub(crate) use brine_dial::Row;

/// The first two texts of a row.
pub(crate) fn pair(row: Row) -> (String, String) {
    let mut row = row.into_iter().map(Option::unwrap_or_default);
    (row.next().unwrap_or_default(), row.next().unwrap_or_default())
}

/// Of rows of one load each the first; empty where there is none.
pub(crate) fn load(rows: Vec<Row>) -> Result<Map> {
    rows.into_iter().next().map_or(Ok(Map::new()), |row| map_of(&pair(row).0))
}

/// Rows of a minion and its return, by minion. Of two the later counts.
pub(crate) fn returns(rows: Vec<Row>) -> Result<Map> {
    rows.into_iter().map(pair).map(|(minion, full)| Ok((minion, loads(&full)?))).collect()
}

/// Rows of a job id and its load, described as `get_jids` shows them.
pub(crate) fn jobs(rows: Vec<Row>) -> Result<Map> {
    let described = |(jid, load): (String, String)| {
        let job = describe_jid(&jid, &map_of(&load)?);
        Ok((jid, job))
    };
    rows.into_iter().map(pair).map(described).collect()
}

/// Rows of a minion each.
pub(crate) fn minions(rows: Vec<Row>) -> Vec<Value> {
    rows.into_iter().map(|row| pair(row).0.into()).collect()
}
