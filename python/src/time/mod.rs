//! `date`, `time`, `datetime`, `timedelta` and fixed `timezone`s, as far as YAML's timestamps and time filters need them.

mod civil;
mod strftime;
mod text;

pub(crate) use strftime::{local_offset, local_seconds, strftime};

use crate::error::{PyErr, R};
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::ops::Op;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive};
use std::rc::Rc;

/// `datetime.date`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    /// 1 to 9999.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

/// `datetime.time`, without zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999999.
    pub micro: u32,
}

/// `datetime.datetime`.
#[derive(Clone, Debug)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// The time of the day.
    pub time: Time,
    /// The zone, of an aware one.
    pub zone: Option<Rc<Zone>>,
}

/// `datetime.timedelta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delta(i128);

/// `datetime.timezone`: a fixed distance from UTC.
#[derive(Clone, Debug)]
pub struct Zone {
    seconds: i32,
}

const DAY: i128 = 86_400_000_000;

impl Date {
    /// A date that exists.
    ///
    /// # Errors
    /// `ValueError: month must be in 1..12` and its kin.
    pub fn new(year: i64, month: i64, day: i64) -> R<Self> {
        if !(1..=9999).contains(&year) {
            return Err(PyErr::value(format!("year {year} is out of range")));
        }
        if !(1..=12).contains(&month) {
            return Err(PyErr::value("month must be in 1..12"));
        }
        let (year, month) = (year as i32, month as u8);
        if day < 1 || day > i64::from(civil::days_in(year, month)) {
            return Err(PyErr::value("day is out of range for month"));
        }
        Ok(Self { year, month, day: day as u8 })
    }
}

impl Time {
    /// A time that exists.
    ///
    /// # Errors
    /// `ValueError: hour must be in 0..23` and its kin.
    pub fn new(hour: i64, minute: i64, second: i64, micro: i64) -> R<Self> {
        let parts = [("hour", hour, 23), ("minute", minute, 59), ("second", second, 59)];
        for (name, n, most) in parts.into_iter().chain([("microsecond", micro, 999_999)]) {
            if !(0..=most).contains(&n) {
                return Err(PyErr::value(format!("{name} must be in 0..{most}")));
            }
        }
        Ok(Self { hour: hour as u8, minute: minute as u8, second: second as u8, micro: micro as u32 })
    }

    /// Hour, minute, second, microsecond.
    pub fn fields(&self) -> [u32; 4] {
        [self.hour.into(), self.minute.into(), self.second.into(), self.micro]
    }

    fn micros(&self) -> i128 {
        let [hour, minute, second, micro] = self.fields().map(i128::from);
        ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    }
}

impl DateTime {
    /// One without zone; hour, minute, second and microsecond must exist.
    pub fn naive(date: Date, [hour, minute, second, micro]: [u32; 4]) -> Obj {
        let time = Time { hour: hour as u8, minute: minute as u8, second: second as u8, micro };
        Obj::DateTime(Rc::new(Self { date, time, zone: None }))
    }

    /// Microseconds since the first day of year 1, by the clock on the wall.
    pub(crate) fn micros(&self) -> i128 {
        i128::from(self.date.ordinal()) * DAY + self.time.micros()
    }

    /// The same in UTC, if there is a zone.
    pub(crate) fn utc_micros(&self) -> i128 {
        self.micros() - self.zone.as_ref().map_or(0, |z| i128::from(z.seconds) * 1_000_000)
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        self.zone.is_some() == other.zone.is_some() && self.utc_micros() == other.utc_micros()
    }

    /// From microseconds on the wall's clock.
    pub(crate) fn at(micros: i128, zone: Option<Rc<Zone>>) -> R<Self> {
        let date = Date::from_ordinal(i64::try_from(micros.div_euclid(DAY)).unwrap_or(-1))?;
        let rest = micros.rem_euclid(DAY);
        let (micro, seconds) = ((rest % 1_000_000) as u32, (rest / 1_000_000) as u32);
        let time = Time {
            hour: (seconds / 3600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            micro,
        };
        Ok(Self { date, time, zone })
    }

    /// Whole seconds since 1970 by the clock on the wall.
    pub(crate) fn wall_seconds(&self) -> i64 {
        (self.micros() - 719_163 * DAY).div_euclid(1_000_000) as i64
    }
}

impl Delta {
    /// One of so many microseconds.
    ///
    /// # Errors
    /// `OverflowError` beyond 999999999 days.
    pub fn of(micros: i128) -> R<Self> {
        let days = micros.div_euclid(DAY);
        if i32::try_from(days).is_err() {
            return Err(PyErr::overflow("Python int too large to convert to C int"));
        }
        if days.abs() > 999_999_999 {
            return Err(PyErr::overflow(format!("days={days}; must have magnitude <= 999999999")));
        }
        Ok(Self(micros))
    }

    /// All of it in microseconds.
    pub fn micros(&self) -> i128 {
        self.0
    }

    pub(crate) fn negated(&self) -> R<Self> {
        Self::of(-self.0)
    }

    /// Days, seconds and microseconds, the last two never negative.
    pub(crate) fn parts(&self) -> (i64, i64, i64) {
        let rest = self.0.rem_euclid(DAY);
        (self.0.div_euclid(DAY) as i64, (rest / 1_000_000) as i64, (rest % 1_000_000) as i64)
    }
}

impl Zone {
    /// A zone so many seconds east of UTC, less than a day away.
    pub fn new(seconds: i32) -> Option<Self> {
        (seconds.abs() < 86_400).then_some(Self { seconds })
    }

    /// Seconds east of UTC.
    pub fn seconds(&self) -> i32 {
        self.seconds
    }
}

/// `n / d`, rounded to the nearest, halves to even.
fn divide_nearest(n: &BigInt, d: &BigInt) -> BigInt {
    let (q, r): (BigInt, BigInt) = n.div_mod_floor(d);
    let twice: BigInt = r.abs() * 2;
    match twice.cmp(&d.abs()) {
        std::cmp::Ordering::Greater => q + 1,
        std::cmp::Ordering::Equal if q.is_odd() => q + 1,
        _ => q,
    }
}

/// `n` times or through the exact value of a double.
fn by_float(n: i128, x: f64, divide: bool) -> BigInt {
    let (mantissa, exponent, negative) = crate::float::parts(x);
    let mantissa = if negative { -BigInt::from(mantissa) } else { BigInt::from(mantissa) };
    let power = BigInt::from(1) << exponent.unsigned_abs();
    let (top, bottom) = if exponent >= 0 { (mantissa * power, 1.into()) } else { (mantissa, power) };
    let (top, bottom) = if divide { (bottom, top) } else { (top, bottom) };
    divide_nearest(&(top * n), &bottom)
}

/// Arithmetic with dates; `None` where there is none for these types.
pub(crate) fn binary(op: Op, a: &Obj, b: &Obj) -> R<Option<Obj>> {
    let delta = |micros: i128| Delta::of(micros).map(Obj::Delta);
    Ok(Some(match (op, a, b) {
        (Op::Add, Obj::Delta(_), Obj::Date(_) | Obj::DateTime(_)) => return binary(op, b, a),
        (Op::Add | Op::Sub, Obj::Date(date), Obj::Delta(d)) => {
            let days = d.parts().0;
            // Only whole days count, and -1 day is more than what is taken off for a second.
            let days = if op == Op::Add { days } else { -days };
            Obj::Date(Date::from_ordinal(date.ordinal() + days)?)
        }
        (Op::Add | Op::Sub, Obj::DateTime(x), Obj::Delta(d)) => {
            let micros = if op == Op::Add { d.0 } else { -d.0 };
            Obj::DateTime(Rc::new(DateTime::at(x.micros() + micros, x.zone.clone())?))
        }
        (Op::Sub, Obj::Date(x), Obj::Date(y)) => delta(i128::from(x.ordinal() - y.ordinal()) * DAY)?,
        (Op::Sub, Obj::DateTime(x), Obj::DateTime(y)) => {
            if x.zone.is_some() != y.zone.is_some() {
                return Err(PyErr::ty("can't subtract offset-naive and offset-aware datetimes"));
            }
            delta(x.utc_micros() - y.utc_micros())?
        }
        (Op::Add, Obj::Delta(x), Obj::Delta(y)) => delta(x.0 + y.0)?,
        (Op::Sub, Obj::Delta(x), Obj::Delta(y)) => delta(x.0 - y.0)?,
        (Op::Div | Op::FloorDiv | Op::Mod, Obj::Delta(x), Obj::Delta(y)) => {
            if y.0 == 0 {
                let text = match op {
                    Op::Div => "division by zero",
                    Op::Mod => "integer modulo by zero",
                    _ => "integer division or modulo by zero",
                };
                return Err(PyErr::zero(text));
            }
            let floor = x.0.div_euclid(y.0) - i128::from(y.0 < 0 && x.0.rem_euclid(y.0) != 0);
            match op {
                Op::Div => Obj::Float(x.0 as f64 / y.0 as f64),
                Op::FloorDiv => floor.into(),
                _ => delta(x.0 - floor * y.0)?,
            }
        }
        (Op::Mul, Obj::Delta(_), _) => return scaled(op, a, b),
        (Op::Mul, _, Obj::Delta(_)) => return scaled(op, b, a),
        (Op::Div | Op::FloorDiv, Obj::Delta(_), _) => return scaled(op, a, b),
        _ => return Ok(None),
    }))
}

/// A duration times or through a number.
fn scaled(op: Op, a: &Obj, b: &Obj) -> R<Option<Obj>> {
    let (Obj::Delta(d), Some(n)) = (a, num(b)) else { return Ok(None) };
    let micros = match (op, n) {
        (_, Num::Int(0)) if op != Op::Mul => {
            return Err(PyErr::zero("integer division or modulo by zero"));
        }
        (Op::Mul, Num::Int(_) | Num::Big(_)) => (n.to_big() * d.0).to_i128(),
        (Op::Div, Num::Int(_) | Num::Big(_)) => divide_nearest(&d.0.into(), &n.to_big()).to_i128(),
        (_, Num::Int(_) | Num::Big(_)) => BigInt::from(d.0).div_floor(&n.to_big()).to_i128(),
        (Op::FloorDiv, Num::Float(_)) => return Ok(None),
        (_, Num::Float(x)) if x.is_nan() => return Err(PyErr::value("cannot convert NaN to integer ratio")),
        (_, Num::Float(x)) if x.is_infinite() => {
            return Err(PyErr::overflow("cannot convert Infinity to integer ratio"));
        }
        (Op::Div, Num::Float(0.0)) => return Err(PyErr::zero("integer division or modulo by zero")),
        (_, Num::Float(x)) => by_float(d.0, x, op == Op::Div).to_i128(),
    };
    match micros {
        Some(micros) => Ok(Some(Obj::Delta(Delta::of(micros)?))),
        None => Err(PyErr::overflow("Python int too large to convert to C int")),
    }
}
