//! From what a text told to a moment: the rest is today's, a day of the week is the next one, a zone is made ours.

use super::{DateError, Told};
use crate::clock::{Clock, days_in};
use crate::schedule::moment::{DAY, Moment, SECOND};

/// The error: there is no such date or time of day.
pub(super) fn moment(told: &Told, now: Moment) -> Result<Moment, DateError> {
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
        return Err(DateError::Nothing);
    }
    let (this_year, this_month, today) = now.date();
    let year = told.year.unwrap_or(this_year);
    let within = |value: Option<i64>, otherwise: u32, from: i64, to: i64, wrong: &'static str| match value {
        None => Ok(otherwise),
        Some(value) if (from..=to).contains(&value) => {
            u32::try_from(value).map_err(|_| DateError::Range(wrong))
        }
        Some(_) => Err(DateError::Range(wrong)),
    };
    within(Some(year), 0, 1, 9999, "year is out of range")?;
    let month = within(told.month, this_month, 1, 12, "month must be in 1..12")?;
    let last = days_in(year, month);
    // The 31st of a month that has none is its last day.
    let day = within(told.day, today.min(last), 1, last.into(), "day is out of range for month")?;
    let time = (
        within(told.hour, 0, 0, 23, "hour must be in 0..23")?,
        within(told.minute, 0, 0, 59, "minute must be in 0..59")?,
        within(told.second, 0, 0, 59, "second must be in 0..59")?,
    );
    let micro = within(told.micro, 0, 0, 999_999, "microsecond must be in 0..999999")?;
    let mut moment = Moment::new((year, month, day), time, micro).ok_or(DateError::Unknown)?;
    if let (Some(wanted), None | Some(0)) = (told.week_day, told.day) {
        let is = (moment.week_day() + 6) % 7;
        moment = moment.plus(i64::from((wanted + 7 - is) % 7) * DAY);
    }
    Ok(match told.offset {
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
