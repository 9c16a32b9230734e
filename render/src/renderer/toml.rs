//! `toml`: TOML, dates as Python's. Stock has this renderer where the library `toml` is installed; errors are in words of our own.

use super::{Call, Data, Renderer};
use brine_python::time::{Date, DateTime, Time, Zone};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, call_method};
use std::rc::Rc;
use toml::value::{Datetime, Offset};

pub(super) const RENDERER: Renderer = Renderer { name: "toml", run };

fn run(_: &Call<'_>, data: Data) -> R<Data> {
    let table: toml::Table = data
        .read()?
        .parse()
        .map_err(|e: toml::de::Error| PyErr::new(Kind::Other("DeserializationError"), e.to_string()))?;
    dict(table).map(Data::Value)
}

fn dict(table: toml::Table) -> R {
    let dict = Dict::new();
    for (key, value) in table {
        dict.set(key.into(), object(value)?)?;
    }
    Ok(Obj::dict(dict))
}

fn object(value: toml::Value) -> R {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(x) => x.into(),
        toml::Value::Boolean(b) => b.into(),
        toml::Value::Datetime(moment) => date_time(&moment)?,
        toml::Value::Array(items) => Obj::list(items.into_iter().map(object).collect::<R<Vec<_>>>()?),
        toml::Value::Table(table) => dict(table)?,
    })
}

/// A date, a time, or both, with or without zone.
fn date_time(moment: &Datetime) -> R {
    let date = moment.date.map(|d| Date::new(d.year.into(), d.month.into(), d.day.into())).transpose()?;
    let time = moment
        .time
        .map(|t| {
            let micro = t.nanosecond.unwrap_or(0) / 1000;
            Time::new(t.hour.into(), t.minute.into(), t.second.unwrap_or(0).into(), micro.into())
        })
        .transpose()?;
    let naive = match (date, time) {
        (Some(date), Some(time)) => DateTime::naive(date, time.fields()),
        (Some(date), None) => return Ok(Obj::Date(date)),
        (None, Some(time)) => return Ok(Obj::Time(time)),
        (None, None) => return Ok(Obj::None),
    };
    let minutes = match moment.offset {
        None => return Ok(naive),
        Some(Offset::Z) => 0,
        Some(Offset::Custom { minutes }) => i32::from(minutes),
    };
    let zone = Zone::new(minutes * 60).ok_or_else(|| PyErr::value("offset must be less than a day"))?;
    let args = Args { pos: Vec::new(), kw: vec![("tzinfo".into(), Obj::Zone(Rc::new(zone)))] };
    call_method(&naive, "replace", &args)
}
