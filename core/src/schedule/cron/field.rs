//! One field of a cron expression: its list of values, ranges and steps written out.

use std::collections::BTreeSet;

pub(super) const MINUTE: usize = 0;
pub(super) const HOUR: usize = 1;
pub(super) const DOM: usize = 2;
pub(super) const MONTH: usize = 3;
pub(super) const DOW: usize = 4;
pub(super) const SECONDS: usize = 5;
pub(super) const YEAR: usize = 6;

/// Least and greatest value of each field.
const RANGES: [(u32, u32); 7] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6), (0, 59), (1970, 2099)];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What a field allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    pub(super) values: BTreeSet<u32>,
    /// Every value.
    pub(super) star: bool,
    /// The last day of the month.
    pub(super) last: bool,
}

/// Which of the days of the week of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nth {
    Number(u32),
    Last,
}

/// Reads the field at an index. What it says of days of a month's weeks, and of the nearest working day, goes into the last
/// two.
pub(super) fn parse(
    words: &[&str],
    index: usize,
    nth_days: &mut Vec<(u32, Nth)>,
    nearest: &mut Option<u32>,
) -> Option<Field> {
    let mut text = words[index];
    if text.contains('?') {
        if text != "?" || !matches!(index, DOM | DOW) {
            return None;
        }
        text = "*";
    }
    let mut field = Field::default();
    let members: Vec<&str> = text.split(',').collect();
    for member in &members {
        let (member, nth) = if index == DOW { nth_of(member)? } else { (*member, None) };
        if index == DOM
            && let Some(day) = working_day(member)
        {
            if members.len() > 1 || !(1..=31).contains(&day) {
                return None;
            }
            *nearest = Some(day);
            field.values.insert(day);
            continue;
        }
        if member == "*" {
            if let Some(nth) = nth {
                nth_days.extend((0..7).map(|day| (day, nth)));
            }
            field.star = true;
        } else if member == "l" && index == DOM {
            field.last = true;
        } else {
            for value in values(member, index)? {
                field.values.insert(value);
                if let Some(nth) = nth {
                    nth_days.push((value, nth));
                }
            }
        }
    }
    let (low, high) = RANGES[index];
    let all = field.values.len() + usize::from(field.last) == (high - low + 1) as usize;
    // All days written out leave the field open only beside a field that is left open.
    let beside = match index {
        DOM => words[DOW].contains('*'),
        DOW => words[DOM].contains('*'),
        _ => true,
    };
    field.star |= all && beside;
    Some(field)
}

/// `5#2` and `l5`: a day of the week, and which of the month's. None: which there can be none of.
fn nth_of(member: &str) -> Option<(&str, Option<Nth>)> {
    if let Some(day) = member.strip_prefix('l').filter(|d| digits(d)) {
        return Some((day, Some(Nth::Last)));
    }
    match member.split_once('#') {
        Some((day, n)) if digits(n) => {
            let n = n.parse().ok().filter(|n| (1..=5).contains(n))?;
            Some((day, Some(Nth::Number(n))))
        }
        Some(_) => None,
        None => Some((member, None)),
    }
}

/// `15w`, `w15`
fn working_day(member: &str) -> Option<u32> {
    let day = member.strip_suffix('w').or_else(|| member.strip_prefix('w'))?;
    if digits(day) { day.parse().ok() } else { None }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A number or a name.
fn value(text: &str, index: usize) -> Option<u32> {
    if digits(text) {
        let value = text.parse().ok()?;
        return Some(if index == DOW && value == 7 { 0 } else { value });
    }
    match index {
        MONTH => MONTHS.iter().position(|m| *m == text).map(|i| i as u32 + 1),
        DOW => DAYS.iter().position(|d| *d == text).map(|i| i as u32),
        _ => None,
    }
}

/// The values of `5`, `1-5`, `*/2`, `1-9/2`, `10/5`.
fn values(member: &str, index: usize) -> Option<Vec<u32>> {
    let (low_most, high_most) = RANGES[index];
    let within = |v: u32| (low_most..=high_most).contains(&v);
    let (range, step) = match member.split_once('/') {
        Some((range, step)) if digits(step) => (range, Some(step.parse::<usize>().ok()?)),
        Some(_) => return None,
        None => (member, None),
    };
    if step == Some(0) {
        return None;
    }
    let by = step.unwrap_or(1);
    let (low, high, written) = match (range, range.split_once('-')) {
        ("*", _) => (low_most, high_most, true),
        (_, Some((low, "l"))) if index == DOM => (value(low, index)?, 31, true),
        (_, Some((low, high))) => (value(low, index)?, value(high, index)?, true),
        (one, None) => (value(one, index)?, high_most, false),
    };
    if !within(low) || high > high_most {
        return None;
    }
    if !written && (step.is_none() || low == high) {
        return Some(vec![low]);
    }
    // A range that ends where it begins is the whole field.
    let (low, high) = if low == high { (low_most, high_most) } else { (low, high) };
    if low <= high {
        return Some((low..=high).step_by(by).filter(|v| within(*v)).collect());
    }
    // Round the end of the field.
    let mut list: Vec<u32> = (low..=high_most).step_by(by).collect();
    let last = *list.last()?;
    let (left, place, size) = (high_most - last, last - low_most, high_most - low_most + 1);
    let by = by as u32;
    let skip = if place + by > size && left < by { by - left } else { 0 };
    list.extend((low_most + skip..=high).step_by(by as usize));
    Some(list)
}
