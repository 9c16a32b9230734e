//! To and from [`brine_protocol::Value`], the plain data of the wire and of files.

use crate::depth;
use crate::dict::Dict;
use crate::error::{PyErr, R};
use crate::limit;
use crate::num::num;
use crate::obj::Obj;
use crate::repr;
use crate::time::{Date, DateTime};
use brine_protocol::{Map, Value};
use num_traits::ToPrimitive;

impl From<&Value> for Obj {
    /// Lists and maps become new lists and dicts.
    fn from(value: &Value) -> Self {
        match value {
            Value::Nil => Obj::None,
            Value::Bool(b) => Obj::Bool(*b),
            Value::Int(i) => (*i).into(),
            Value::Float(x) => Obj::Float(*x),
            Value::Str(s) => Obj::str(s),
            Value::Bytes(b) => Obj::bytes(b),
            Value::List(items) => Obj::list(items.iter().map(Obj::from).collect()),
            Value::Map(map) => Obj::dict(Dict::from(map)),
            Value::DateTime(d) => DateTime::naive(
                Date { year: d.year.into(), month: d.month, day: d.day },
                [d.hour.into(), d.minute.into(), d.second.into(), d.micro],
            ),
        }
    }
}

impl From<&Map> for Dict {
    fn from(map: &Map) -> Self {
        let dict = Dict::new();
        for (key, value) in map {
            // A list as a key, which the wire can have, is a tuple here.
            let key = match key {
                Value::List(items) => Obj::tuple(items.iter().map(Obj::from).collect()),
                key => Obj::from(key),
            };
            // The rest that cannot be a key in Python is left out, as no Python could have sent it.
            if let Ok(key) = crate::key::Key::new(key) {
                dict.borrow_mut().insert(key, value.into());
            }
        }
        dict
    }
}

/// Plain data as Salt's msgpack has it: tuples and sets are lists, dates are dates with time, numbers beyond 128 bits are their text.
///
/// # Errors
/// `RecursionError` for cycles and for what is nested too deep, `TypeError` for what is no data, `Limit`.
pub fn to_value(obj: &Obj) -> R<Value> {
    limit::within(|| value_of(obj))
}

fn value_of(obj: &Obj) -> R<Value> {
    limit::bytes(size_of::<Value>())?;
    let _level = depth::enter("")?;
    Ok(match obj {
        Obj::None => Value::Nil,
        Obj::Bool(b) => Value::Bool(*b),
        Obj::Int(i) => Value::Int((*i).into()),
        Obj::Big(n) => {
            n.to_i128().map_or_else(|| crate::int::to_text(n).map(Value::Str), |i| Ok(i.into()))?
        }
        Obj::Float(x) => Value::Float(*x),
        Obj::Str(s) => {
            limit::bytes(s.len())?;
            Value::Str(s.to_string())
        }
        Obj::Bytes(b) => {
            limit::bytes(b.len())?;
            Value::Bytes(b.to_vec())
        }
        Obj::List(_) | Obj::Tuple(_) => list_of(obj.sequence().unwrap_or_default())?,
        Obj::Set(set) => list_of(set.to_vec())?,
        Obj::View(view) => list_of(view.members())?,
        Obj::Range(_) => list_of(obj.items()?)?,
        Obj::Dict(dict) => map_of(dict.pairs())?,
        Obj::Date(d) => Value::DateTime(date_value(*d, [0; 4])),
        Obj::DateTime(d) => Value::DateTime(date_value(d.date, d.time.fields())),
        Obj::Other(o) => match (o.as_str(), o.pairs()?) {
            (Some(text), _) => Value::Str(text.to_owned()),
            (None, Some(pairs)) => map_of(pairs)?,
            (None, None) => return Err(no_data(obj)),
        },
        Obj::Iter(_) | Obj::Time(_) | Obj::Delta(_) | Obj::Zone(_) => return Err(no_data(obj)),
    })
}

/// A loop, as the closures of `collect` take much of the stack.
fn list_of(items: Vec<Obj>) -> R<Value> {
    let mut out = Vec::with_capacity(items.len());
    for item in &items {
        out.push(value_of(item)?);
    }
    Ok(Value::List(out))
}

fn no_data(obj: &Obj) -> PyErr {
    let shown = repr::repr(obj).unwrap_or_default();
    PyErr::ty(format!("can not serialize '{}' object: {shown}", obj.type_name()))
}

fn map_of(pairs: Vec<(Obj, Obj)>) -> R<Value> {
    let mut map = Map::with_capacity(pairs.len());
    let mut texts = true;
    for (key, value) in pairs {
        texts &= matches!(key, Obj::Str(_));
        let (key, value) = (value_of(&key)?, value_of(&value)?);
        if texts {
            map.push(key, value);
        } else {
            // `True` and `1` are one key in Python, so that nothing is lost here.
            map.insert(key, value);
        }
    }
    Ok(Value::Map(map))
}

fn date_value(date: Date, [hour, minute, second, micro]: [u32; 4]) -> brine_protocol::value::DateTime {
    brine_protocol::value::DateTime {
        year: date.year as u16,
        month: date.month,
        day: date.day,
        hour: hour as u8,
        minute: minute as u8,
        second: second as u8,
        micro,
    }
}

/// The number as plain data can have it, for callers that want one.
///
/// # Errors
/// `TypeError` for what is no whole number.
pub fn to_int(obj: &Obj) -> R<i128> {
    num(obj)
        .filter(|n| !matches!(n, crate::num::Num::Float(_)))
        .and_then(|n| n.to_big().to_i128())
        .ok_or_else(|| PyErr::ty(format!("'{}' object cannot be interpreted as an integer", obj.type_name())))
}
