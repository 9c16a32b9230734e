//! Methods of dates and times that place them: in the calendar's weeks, in zones, since 1970.

use super::{Fun::Named, Fun::Nil, Fun::One, Method, row};
use crate::error::{PyErr, R};
use crate::list::{Fields, Tuple};
use crate::obj::Obj;
use crate::ops::{Op, binary};
use crate::time::{Date, DateTime, Delta, Time, Zone, local_seconds, strftime};
use std::rc::Rc;

/// Microseconds of a day.
const DAY: i128 = 86_400_000_000;

static WEEK: Fields = Fields {
    name: "datetime.IsoCalendarDate",
    module: "builtins",
    names: &["year", "week", "weekday"],
    shown: true,
};

static MOMENT: Fields = Fields {
    name: "time.struct_time",
    module: "builtins",
    names: &["tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"],
    shown: true,
};

fn named(items: impl IntoIterator<Item = i64>, fields: &'static Fields) -> Obj {
    Obj::Tuple(Rc::new(Tuple::named(items.into_iter().map(Obj::Int).collect(), fields)))
}

/// The date and time of a date, which is midnight, or of a datetime.
fn moment(me: &Obj) -> DateTime {
    match me {
        Obj::DateTime(at) => DateTime::clone(at),
        Obj::Date(date) => DateTime { date: *date, time: Time::default(), zone: None },
        _ => DateTime { date: Date { year: 1, month: 1, day: 1 }, time: Time::default(), zone: None },
    }
}

fn struct_time(at: &DateTime, is_dst: i64) -> Obj {
    let [hour, minute, second, _] = at.time.fields().map(i64::from);
    let (year, month, day) = (i64::from(at.date.year), i64::from(at.date.month), i64::from(at.date.day));
    let (weekday, of_year) = (i64::from(at.date.weekday()), i64::from(at.date.day_of_year()));
    named([year, month, day, hour, minute, second, weekday, of_year, is_dst], &MOMENT)
}

fn delta(seconds: i32) -> R {
    Ok(Obj::Delta(Delta::of(i128::from(seconds) * 1_000_000)?))
}

pub(super) const DATE: &[Method] = &[
    row(
        "ctime",
        Nil(|me| Ok(format!("{} {:04}", strftime(me, "%a %b %e %H:%M:%S")?, moment(me).date.year).into())),
    ),
    row(
        "isocalendar",
        Nil(|me| {
            let (year, week, day) = moment(me).date.iso_calendar();
            Ok(named([i64::from(year), i64::from(week), i64::from(day)], &WEEK))
        }),
    ),
    row("timetuple", Nil(|me| Ok(struct_time(&moment(me), -1)))),
];

pub(super) const DATETIME: &[Method] = &[
    row("astimezone", Named(&["tz"], 0, |me, args| astimezone(&moment(me), args[0].as_ref()))),
    row("dst", Nil(|_| Ok(Obj::None))),
    row("timestamp", Nil(|me| timestamp(&moment(me)))),
    row("tzname", Nil(|me| Ok(moment(me).zone.map_or(Obj::None, |zone| zone.name().into())))),
    row("utcoffset", Nil(|me| moment(me).zone.map_or(Ok(Obj::None), |zone| delta(zone.seconds())))),
    row(
        "utctimetuple",
        Nil(|me| {
            let at = moment(me);
            Ok(struct_time(&DateTime::at(at.utc_micros(), None)?, 0))
        }),
    ),
];

pub(super) const TIME: &[Method] = &[
    row("dst", Nil(|_| Ok(Obj::None))),
    row("tzname", Nil(|_| Ok(Obj::None))),
    row("utcoffset", Nil(|_| Ok(Obj::None))),
];

pub(super) const ZONE: &[Method] = &[
    row("dst", One(|_, at| about(at, "dst").map(|()| Obj::None))),
    row(
        "tzname",
        One(|me, at| about(at, "tzname").map(|()| zone(me).map_or(Obj::None, |z| z.name().into()))),
    ),
    row(
        "utcoffset",
        One(|me, at| about(at, "utcoffset").and_then(|()| delta(zone(me).map_or(0, |z| z.seconds())))),
    ),
];

fn zone(me: &Obj) -> Option<&Rc<Zone>> {
    if let Obj::Zone(zone) = me { Some(zone) } else { None }
}

/// A zone is asked about a moment, or about none.
fn about(at: &Obj, name: &str) -> R<()> {
    match at {
        Obj::None | Obj::DateTime(_) => Ok(()),
        other => {
            let given = other.type_name();
            Err(PyErr::ty(format!("{name}(dt) argument must be a datetime instance or None, not {given}")))
        }
    }
}

/// Seconds since 1970; one without zone is of this machine's.
fn timestamp(at: &DateTime) -> R {
    match at.zone {
        Some(_) => seconds(at.utc_micros() - 719_163 * DAY),
        None => Ok(Obj::Float(local_seconds(at) as f64 + f64::from(at.time.micro) / 1e6)),
    }
}

/// Microseconds as seconds, rounded once.
pub(super) fn seconds(micros: i128) -> R {
    binary(Op::Div, &micros.into(), &Obj::Int(1_000_000))
}

fn astimezone(at: &DateTime, to: Option<&Obj>) -> R {
    let micros = match at.zone {
        Some(_) => at.utc_micros(),
        None => (i128::from(local_seconds(at)) + 719_163 * 86_400) * 1_000_000 + i128::from(at.time.micro),
    };
    let to = match to {
        Some(Obj::Zone(zone)) => Some(zone.clone()),
        None | Some(Obj::None) => {
            let local = crate::time::local_offset(((micros - 719_163 * DAY) / 1_000_000) as i64);
            i32::try_from(local).ok().and_then(Zone::new).map(Rc::new)
        }
        Some(other) => {
            return Err(PyErr::ty(format!(
                "tzinfo argument must be None or of a tzinfo subclass, not type '{}'",
                other.type_name()
            )));
        }
    };
    let ahead = to.as_ref().map_or(0, |zone| i128::from(zone.seconds()) * 1_000_000);
    Ok(Obj::DateTime(Rc::new(DateTime::at(micros + ahead, to)?)))
}

/// The bounds of a type, its smallest step, and what a value does not carry.
pub(super) fn property(me: &Obj, name: &str) -> Option<Obj> {
    let first = Date { year: 1, month: 1, day: 1 };
    let last = Date { year: 9999, month: 12, day: 31 };
    let end = Time { hour: 23, minute: 59, second: 59, micro: 999_999 };
    let step = |micros: i128| Delta::of(micros).ok().map(Obj::Delta);
    match (me, name) {
        (Obj::DateTime(_), "min") => {
            Some(Obj::DateTime(Rc::new(DateTime { date: first, time: Time::default(), zone: None })))
        }
        (Obj::DateTime(_), "max") => {
            Some(Obj::DateTime(Rc::new(DateTime { date: last, time: end, zone: None })))
        }
        (Obj::Date(_), "min") => Some(Obj::Date(first)),
        (Obj::Date(_), "max") => Some(Obj::Date(last)),
        (Obj::Time(_), "min") => Some(Obj::Time(Time::default())),
        (Obj::Time(_), "max") => Some(Obj::Time(end)),
        (Obj::Delta(_), "min") => step(-999_999_999 * DAY),
        (Obj::Delta(_), "max") => step(1_000_000_000 * DAY - 1),
        (Obj::Date(_), "resolution") => step(DAY),
        (Obj::DateTime(_) | Obj::Time(_) | Obj::Delta(_), "resolution") => step(1),
        (Obj::DateTime(_) | Obj::Time(_), "fold") => Some(Obj::Int(0)),
        (Obj::Zone(_), "min") => Zone::new(-86_340).map(|zone| Obj::Zone(Rc::new(zone))),
        (Obj::Zone(_), "max") => Zone::new(86_340).map(|zone| Obj::Zone(Rc::new(zone))),
        (Obj::Zone(_), "utc") => Zone::new(0).map(|zone| Obj::Zone(Rc::new(zone))),
        (Obj::Tuple(t), "tm_zone" | "tm_gmtoff") if t.fields().is_some_and(|f| f.name == MOMENT.name) => {
            Some(Obj::None)
        }
        _ => None,
    }
}
