//! Numbers of which it is not known yet which is year, month and day.

use super::NoDate;
use crate::clock::days_in;

/// What a number is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    Month,
}

/// Up to three numbers of a date, in the order they were written.
#[derive(Debug, Default)]
pub(super) struct Ymd {
    numbers: Vec<i64>,
    year: Option<usize>,
    month: Option<usize>,
    /// A year was written with its century.
    pub(super) century: bool,
}

/// Year, month and day as far as they are known.
pub(super) type Resolved = (Option<i64>, Option<i64>, Option<i64>);

impl Ymd {
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether a number could still be the day.
    pub(super) fn could_be_day(&self, value: i64) -> bool {
        let at = |i: Option<usize>| i.and_then(|i| self.numbers.get(i)).copied();
        let most = match (at(self.month), at(self.year)) {
            (None, _) => 31,
            (Some(month), year) => days_in(year.unwrap_or(2000), u32::try_from(month).unwrap_or(0)),
        };
        (1..=i64::from(most)).contains(&value)
    }

    /// A number as it was written.
    pub(super) fn push_text(&mut self, text: &str, part: Option<Part>) -> Result<(), NoDate> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let value: i64 = text.parse().map_err(|_| NoDate)?;
        self.push_labelled(value, part, digits && text.len() > 2)
    }

    /// A number.
    pub(super) fn push(&mut self, value: i64, part: Option<Part>) -> Result<(), NoDate> {
        self.push_labelled(value, part, value > 100)
    }

    fn push_labelled(&mut self, value: i64, part: Option<Part>, is_year: bool) -> Result<(), NoDate> {
        let part = match part {
            None | Some(Part::Year) if is_year => Some(Part::Year),
            Some(_) if is_year => return Err(NoDate),
            other => other,
        };
        self.century |= is_year;
        self.numbers.push(value);
        let place = match part {
            Some(Part::Year) => &mut self.year,
            Some(Part::Month) => &mut self.month,
            None => return Ok(()),
        };
        if place.is_some() {
            return Err(NoDate);
        }
        *place = Some(self.numbers.len() - 1);
        Ok(())
    }

    /// Which is which. Of what is open, the month comes first, as in American dates, unless a number is too large for it.
    pub(super) fn resolve(&self) -> Result<Resolved, NoDate> {
        let n = &self.numbers;
        let known = [self.year, self.month].iter().flatten().count();
        if (n.len() == known && known > 0) || (n.len() == 3 && known == 2) {
            return self.by_what_is_known();
        }
        let ymd = |y: i64, m: i64, d: i64| (Some(y), Some(m), Some(d));
        Ok(match (n.as_slice(), self.month) {
            ([], _) => (None, None, None),
            ([one], Some(_)) => (None, Some(*one), None),
            ([one], None) if *one > 31 => (Some(*one), None, None),
            ([one], None) => (None, None, Some(*one)),
            ([a, b], Some(at)) => {
                let (month, other) = if at == 0 { (*a, *b) } else { (*b, *a) };
                if other > 31 { (Some(other), Some(month), None) } else { (None, Some(month), Some(other)) }
            }
            ([a, b], None) if *a > 31 => (Some(*a), Some(*b), None),
            ([a, b], None) if *b > 31 => (Some(*b), Some(*a), None),
            ([a, b], None) => (None, Some(*a), Some(*b)),
            ([a, b, c], Some(0)) if *b > 31 => ymd(*b, *a, *c),
            ([a, b, c], Some(0)) => ymd(*c, *a, *b),
            ([a, b, c], Some(1)) if *a > 31 => ymd(*a, *b, *c),
            ([a, b, c], Some(1)) => ymd(*c, *b, *a),
            ([a, b, c], Some(_)) if *b > 31 => ymd(*b, *c, *a),
            ([a, b, c], Some(_)) => ymd(*a, *c, *b),
            ([a, b, c], None) if *a > 31 || self.year == Some(0) => ymd(*a, *b, *c),
            ([a, b, c], None) if *a > 12 => ymd(*c, *b, *a),
            ([a, b, c], None) => ymd(*c, *a, *b),
            _ => return Err(NoDate),
        })
    }

    /// All but at most one are known.
    fn by_what_is_known(&self) -> Result<Resolved, NoDate> {
        let mut places = [self.year, self.month, None];
        if self.numbers.len() == 3 {
            let free = (0..3).find(|i| !places.contains(&Some(*i)));
            if let Some(open) = places.iter_mut().find(|p| p.is_none()) {
                *open = free;
            }
        }
        let value = |place: Option<usize>| place.and_then(|i| self.numbers.get(i)).copied();
        Ok((value(places[0]), value(places[1]), value(places[2])))
    }
}
