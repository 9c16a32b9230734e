//! Which notices are next: the oldest that are due and that no older one of the same alert keeps waiting.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, params};

use super::item::notice_of;
use super::{Item, Waiting, at_millis, millis};

/// A notice that was tried so often with others goes alone: it may be what is wrong with them.
const ALONE_AFTER: u32 = 3;

/// What there is to do for a sink.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// Notices to tell together, in order. They stay in the queue until it is told what became of them.
    Items(Vec<Item>),
    /// Nothing before this time.
    Later(SystemTime),
    /// Nothing at all.
    Nothing,
}

/// When the first notice of a sink is due, where all of them are later: so it is while a group gathers, however many come, and each
/// of them makes somebody look.
fn all_later(db: &Connection, sink: &str, now: i64, longest: i64) -> rusqlite::Result<Option<i64>> {
    let mut ends = db.prepare_cached(
        "SELECT (SELECT min(due) FROM waiting WHERE sink = ?1), (SELECT max(due) FROM waiting WHERE sink = ?1)",
    )?;
    let (first, last): (Option<i64>, Option<i64>) =
        ends.query_row(params![sink], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.filter(|first| *first > now && last.is_some_and(|last| last - now <= longest)))
}

/// What is next. A time that is further away than `longest` is of another clock, and past.
pub(super) fn take(
    db: &Connection,
    sink: &str,
    how: &Waiting,
    longest: Duration,
    now: SystemTime,
) -> rusqlite::Result<Taken> {
    let (now, longest) = (millis(now), i64::try_from(longest.as_millis()).unwrap_or(i64::MAX));
    if let Some(first) = all_later(db, sink, now, longest)? {
        return Ok(Taken::Later(at_millis(first)));
    }
    let mut rows = db.prepare_cached(
        "SELECT seq, alert, party, due, tries, put_at, id, body FROM waiting WHERE sink = ? ORDER BY seq",
    )?;
    let mut rows = rows.query(params![sink])?;
    let (mut items, mut party, mut blocked) = (Vec::new(), None::<String>, HashSet::new());
    let mut next: Option<i64> = None;
    while let Some(row) = rows.next()? {
        if items.len() >= how.batch.max(1) {
            break;
        }
        let (alert, due): (String, i64) = (row.get(1)?, row.get(3)?);
        if blocked.contains(&alert) {
            continue;
        }
        if due > now && due - now <= longest {
            next = Some(next.map_or(due, |other| other.min(due)));
            blocked.insert(alert);
            continue;
        }
        let (of, tries): (String, u32) = (row.get(2)?, row.get(4)?);
        let grouped = how.group_by.is_some();
        if grouped && party.as_ref().is_some_and(|party| *party != of)
            || !grouped && !items.is_empty() && tries >= ALONE_AFTER
        {
            blocked.insert(alert);
            continue;
        }
        let body: String = row.get(7)?;
        let Some(notice) = notice_of(&body) else {
            // Only another program can have written that. It stays where people can look at it.
            blocked.insert(alert);
            continue;
        };
        let (seq, put_at, id) = (row.get(0)?, at_millis(row.get(5)?), row.get(6)?);
        party.get_or_insert(of);
        items.push(Item { seq, id, tries, put_at, notice });
        if !grouped && tries >= ALONE_AFTER {
            break;
        }
    }
    Ok(match (items.is_empty(), next) {
        (false, _) => Taken::Items(items),
        (true, Some(next)) => Taken::Later(at_millis(next)),
        (true, None) => Taken::Nothing,
    })
}
