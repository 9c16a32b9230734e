//! Methods and attributes of `date`, `time`, `datetime` and `timedelta`.

use super::{Fun::Named, Fun::Nil, Method, row};
use crate::error::{PyErr, R};
use crate::obj::Obj;
use crate::seq::index;
use crate::time::{Date, DateTime, Time, strftime};
use std::rc::Rc;

pub(super) const DATE: &[Method] = &[
    row("isoformat", Nil(|me| Ok(crate::repr::str(me)?.into()))),
    row("isoweekday", Nil(|me| Ok((i64::from(date(me).weekday()) + 1).into()))),
    row(
        "replace",
        Named(&["year", "month", "day"], 0, |me, args| Ok(Obj::Date(new_date(date_parts(date(me), args)?)?))),
    ),
    row("strftime", Named(&["format"], 1, format)),
    row("toordinal", Nil(|me| Ok(date(me).ordinal().into()))),
    row("weekday", Nil(|me| Ok(i64::from(date(me).weekday()).into()))),
];

pub(super) const TIME: &[Method] = &[
    row(
        "isoformat",
        Named(&["timespec"], 0, |me, args| {
            let Obj::Time(time) = me else { return Ok(Obj::None) };
            Ok(spec(*time, &args[0])?.into())
        }),
    ),
    row(
        "replace",
        Named(&["hour", "minute", "second", "microsecond"], 0, |me, args| {
            let Obj::Time(time) = me else { return Ok(Obj::None) };
            Ok(Obj::Time(new_time(parts(args, time.fields().map(i64::from))?)?))
        }),
    ),
    row("strftime", Named(&["format"], 1, format)),
];

pub(super) const DATETIME: &[Method] = &[
    row("date", Nil(|me| Ok(Obj::Date(date(me))))),
    row("isoformat", Named(&["sep", "timespec"], 0, isoformat)),
    row(
        "replace",
        Named(
            &["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"],
            0,
            |me, args| {
                let Obj::DateTime(at) = me else { return Ok(Obj::None) };
                let date = date_parts(at.date, &args[..3])?;
                let time = parts(&args[3..7], at.time.fields().map(i64::from))?;
                let zone = match &args[7] {
                    None => at.zone.clone(),
                    Some(Obj::None) => None,
                    Some(Obj::Zone(zone)) => Some(zone.clone()),
                    Some(other) => {
                        return Err(PyErr::ty(format!(
                            "tzinfo argument must be None or of a tzinfo subclass, not type '{}'",
                            other.type_name()
                        )));
                    }
                };
                let (date, time) = (new_date(date)?, new_time(time)?);
                Ok(Obj::DateTime(Rc::new(DateTime { date, time, zone })))
            },
        ),
    ),
    row(
        "time",
        Nil(|me| {
            let Obj::DateTime(at) = me else { return Ok(Obj::None) };
            Ok(Obj::Time(at.time))
        }),
    ),
];

pub(super) const DELTA: &[Method] = &[row(
    "total_seconds",
    Nil(|me| {
        let Obj::Delta(delta) = me else { return Ok(Obj::None) };
        super::moment::seconds(delta.micros())
    }),
)];

/// Attributes of all of them.
pub(super) fn property(me: &Obj, name: &str) -> Option<Obj> {
    let (day, time) = match me {
        Obj::Date(date) => (Some(*date), None),
        Obj::DateTime(at) => (Some(at.date), Some(at.time)),
        Obj::Time(time) => (None, Some(*time)),
        Obj::Delta(delta) => {
            let (days, seconds, micros) = delta.parts();
            return match name {
                "days" => Some(days.into()),
                "seconds" => Some(seconds.into()),
                "microseconds" => Some(micros.into()),
                _ => None,
            };
        }
        _ => return None,
    };
    match (name, day, time, me) {
        ("year", Some(date), ..) => Some(date.year.into()),
        ("month", Some(date), ..) => Some(i64::from(date.month).into()),
        ("day", Some(date), ..) => Some(i64::from(date.day).into()),
        ("hour", _, Some(time), _) => Some(i64::from(time.hour).into()),
        ("minute", _, Some(time), _) => Some(i64::from(time.minute).into()),
        ("second", _, Some(time), _) => Some(i64::from(time.second).into()),
        ("microsecond", _, Some(time), _) => Some(i64::from(time.micro).into()),
        ("tzinfo", .., Obj::DateTime(at)) => Some(at.zone.clone().map_or(Obj::None, Obj::Zone)),
        ("tzinfo", _, Some(_), _) => Some(Obj::None),
        _ => None,
    }
}

fn date(me: &Obj) -> Date {
    match me {
        Obj::Date(date) => *date,
        Obj::DateTime(at) => at.date,
        _ => Date { year: 1, month: 1, day: 1 },
    }
}

/// Numbers for those that are given, the old ones for the rest.
fn parts<const N: usize>(args: &[Option<Obj>], old: [i64; N]) -> R<[i64; N]> {
    let mut out = old;
    for (n, arg) in out.iter_mut().zip(args) {
        let Some(arg) = arg else { continue };
        if matches!(arg, Obj::Big(_)) {
            return Err(PyErr::overflow("Python int too large to convert to C long"));
        }
        *n = index(arg)?;
        if i32::try_from(*n).is_err() {
            let what = if *n > 0 { "greater than maximum" } else { "less than minimum" };
            return Err(PyErr::overflow(format!("signed integer is {what}")));
        }
    }
    Ok(out)
}

fn date_parts(old: Date, args: &[Option<Obj>]) -> R<[i64; 3]> {
    parts(args, [old.year.into(), old.month.into(), old.day.into()])
}

fn new_date([year, month, day]: [i64; 3]) -> R<Date> {
    Date::new(year, month, day)
}

fn new_time([hour, minute, second, micro]: [i64; 4]) -> R<Time> {
    Time::new(hour, minute, second, micro)
}

fn format(me: &Obj, args: &[Option<Obj>]) -> R {
    let format = args[0].as_ref().unwrap_or(&Obj::None);
    match format.as_str() {
        Some(format) => Ok(strftime(me, format)?.into()),
        None => Err(PyErr::ty(format!("strftime() argument 1 must be str, not {}", super::given(format)))),
    }
}

fn isoformat(me: &Obj, args: &[Option<Obj>]) -> R {
    let Obj::DateTime(at) = me else { return Ok(Obj::None) };
    let sep = match &args[0] {
        None => 'T',
        Some(sep) => {
            let mut chars = sep.as_str().unwrap_or_default().chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => c,
                _ => {
                    return Err(PyErr::ty(format!(
                        "isoformat() argument 1 must be a unicode character, not {}",
                        super::given(sep)
                    )));
                }
            }
        }
    };
    let time = spec(at.time, &args[1])?;
    let zone = at.zone.as_ref().map_or(String::new(), |z| z.offset(":"));
    Ok(format!("{}{sep}{time}{zone}", at.date).into())
}

/// The time in as much detail as is asked for.
fn spec(time: Time, spec: &Option<Obj>) -> R<String> {
    let spec = match spec {
        None => "auto",
        Some(spec) => super::text(spec, "isoformat() argument 2")?,
    };
    let Time { hour, minute, second, micro } = time;
    Ok(match spec {
        "auto" => time.to_string(),
        "hours" => format!("{hour:02}"),
        "minutes" => format!("{hour:02}:{minute:02}"),
        "seconds" => format!("{hour:02}:{minute:02}:{second:02}"),
        "milliseconds" => format!("{hour:02}:{minute:02}:{second:02}.{:03}", micro / 1000),
        "microseconds" => format!("{hour:02}:{minute:02}:{second:02}.{micro:06}"),
        _ => return Err(PyErr::value("Unknown timespec value")),
    })
}
