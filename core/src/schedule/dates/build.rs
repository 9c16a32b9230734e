//! From what a text told to a moment: the rest is today's, a day of the week is the next one, a zone is made ours.

use super::Told;
use crate::clock::{Clock, days_in};
use crate::schedule::moment::{DAY, Moment, SECOND};

/// None where there is no such date or time of day.
pub(super) fn moment(told: &Told, now: Moment) -> Option<Moment> {
    let nothing = told.year.is_none()
        && told.month.is_none()
        && told.day.is_none()
        && told.week_day.is_none()
        && told.hour.is_none()
        && told.minute.is_none()
        && told.second.is_none()
        && told.zone.is_none()
        && told.offset.is_none();
    if nothing {
        return None;
    }
    let (this_year, this_month, today) = now.date();
    let small = |value: Option<i64>| value.map_or(Some(0), |v| u32::try_from(v).ok());
    let year = told.year.unwrap_or(this_year);
    let month = told.month.map_or(Some(this_month), |m| u32::try_from(m).ok())?;
    let day = match told.day {
        Some(day) => u32::try_from(day).ok()?,
        // The 31st of a month that has none is its last day.
        None => today.min(days_in(year, month)),
    };
    let time = (small(told.hour)?, small(told.minute)?, small(told.second)?);
    let mut moment = Moment::new((year, month, day), time, small(told.micro)?)?;
    if let (Some(wanted), None | Some(0)) = (told.week_day, told.day) {
        let is = (moment.week_day() + 6) % 7;
        moment = moment.plus(i64::from((wanted + 7 - is) % 7) * DAY);
    }
    Some(match told.offset {
        Some(offset) if !ours(told, now) => Moment::local(moment.micros() - offset * SECOND),
        _ => moment,
    })
}

/// Whether the zone that is named is the machine's own.
fn ours(told: &Told, now: Moment) -> bool {
    let Some(name) = told.zone.as_deref() else { return false };
    let year = now.date().0;
    [1, 7].iter().any(|month| Clock::local(crate::clock::unix_of(year, *month, 1)).strftime("%Z") == name)
}
