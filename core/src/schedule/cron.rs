//! Cron expressions by croniter's rules, which stock uses: five fields, a sixth for seconds, a seventh for years; names,
//! ranges (also wrapped ones), steps, `l`, `5#2`, `l5`, `15w`, `@daily` and the like. Not croniter's `h` and `r`, whose
//! value changes each time they are read.

mod field;

use super::moment::{DAY, Moment, SECOND};
use crate::clock::days_in;
use field::{DOM, DOW, Field, HOUR, MINUTE, MONTH, Nth, SECONDS, YEAR};

/// How many years from now the next time may be.
const MOST_YEARS: i64 = 50;
/// How long an expression may be.
const LONGEST: usize = 1000;

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Cron {
    fields: Vec<Field>,
    nth: Vec<(u32, Nth)>,
    nearest: Option<u32>,
}

impl Cron {
    /// None: croniter would refuse the expression.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let lower = text.to_lowercase();
        let expression = match lower.as_str() {
            "@midnight" | "@daily" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        let words: Vec<&str> = expression.split_ascii_whitespace().collect();
        if !(5..=7).contains(&words.len()) {
            return None;
        }
        let mut cron = Self { fields: Vec::new(), nth: Vec::new(), nearest: None };
        for index in 0..words.len() {
            let field = field::parse(&words, index, &mut cron.nth, &mut cron.nearest)?;
            cron.fields.push(field);
        }
        let dow = &cron.fields[DOW];
        let mixed = dow.values.iter().any(|day| !cron.nth.iter().any(|(d, _)| d == day));
        if !cron.nth.is_empty() && mixed && dow.values.len() != 7 {
            return None;
        }
        Some(cron)
    }

    /// The first time after a moment that the expression names; None if there is none in the next 50 years.
    pub fn after(&self, moment: Moment) -> Option<Moment> {
        let step = if self.fields.len() > 5 { SECOND } else { 60 * SECOND };
        let first = moment.micros() - moment.micros().rem_euclid(step) + step;
        let first = Moment::from_micros(first);
        let last_year = first.date().0 + MOST_YEARS;
        let mut day = first.midnight();
        loop {
            let (year, month, _) = day.date();
            if year > last_year || year > 9998 {
                return None;
            }
            if !self.has(YEAR, year as u32) {
                day = Moment::new((year + 1, 1, 1), (0, 0, 0), 0)?;
                continue;
            }
            if !self.has(MONTH, month) {
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                day = Moment::new((year, month, 1), (0, 0, 0), 0)?;
                continue;
            }
            if self.has_day(day)
                && let Some(found) = self.time_of(day, first)
            {
                return Some(found);
            }
            day = day.plus(DAY);
        }
    }

    /// The first time of a day that is not before `first`.
    fn time_of(&self, day: Moment, first: Moment) -> Option<Moment> {
        for hour in (0..24).filter(|h| self.has(HOUR, *h)) {
            let at = day.plus(i64::from(hour) * 3600 * SECOND);
            if at.plus(3600 * SECOND) <= first {
                continue;
            }
            for minute in (0..60).filter(|m| self.has(MINUTE, *m)) {
                let at = at.plus(i64::from(minute) * 60 * SECOND);
                if self.fields.len() == 5 {
                    if at >= first {
                        return Some(at);
                    }
                    continue;
                }
                let second = (0..60).filter(|s| self.has(SECONDS, *s));
                let mut times = second.map(|s| at.plus(i64::from(s) * SECOND));
                if let Some(found) = times.find(|t| *t >= first) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Whether a field has a value; a field that is not there has all.
    fn has(&self, field: usize, value: u32) -> bool {
        self.fields.get(field).is_none_or(|f| f.star || f.values.contains(&value))
    }

    /// Where neither the day of the month nor that of the week is left open, one of them is enough.
    fn has_day(&self, day: Moment) -> bool {
        let (dom, dow) = (&self.fields[DOM], &self.fields[DOW]);
        if dom.star || dow.star {
            return self.has_dom(day, dom.star) && self.has_dow(day, dow.star);
        }
        (self.has_dom(day, false) && self.has_dow(day, true))
            || (self.has_dom(day, true) && self.has_dow(day, false))
    }

    fn has_dom(&self, day: Moment, any: bool) -> bool {
        let (year, month, date) = day.date();
        if let Some(nearest) = self.nearest {
            return date == nearest_weekday(day, nearest);
        }
        let field = &self.fields[DOM];
        any || field.values.contains(&date) || (field.last && date == days_in(year, month))
    }

    fn has_dow(&self, day: Moment, any: bool) -> bool {
        if self.nth.is_empty() {
            return any || self.fields[DOW].values.contains(&day.week_day());
        }
        let (year, month, date) = day.date();
        self.nth.iter().any(|(week_day, nth)| {
            *week_day == day.week_day()
                && match nth {
                    Nth::Number(n) => (date - 1) / 7 + 1 == *n,
                    Nth::Last => date + 7 > days_in(year, month),
                }
        })
    }
}

/// The day from Monday to Friday that is nearest to a day of a month, without leaving the month.
fn nearest_weekday(in_month: Moment, wanted: u32) -> u32 {
    let (year, month, _) = in_month.date();
    let last = days_in(year, month);
    let wanted = wanted.min(last);
    let week_day = Moment::new((year, month, wanted), (0, 0, 0), 0).map_or(1, Moment::week_day);
    match week_day {
        6 if wanted > 1 => wanted - 1,
        6 => wanted + 2,
        0 if wanted < last => wanted + 1,
        0 => wanted - 2,
        _ => wanted,
    }
}
