//! Rows with the types of their columns.

use super::{MAX_REPLY, Pg, timed};
use crate::Fault;
use crate::cell::{Cell, Selected, date};
use brine_protocol::Value;
use std::sync::atomic::Ordering;
use tokio_postgres::types::{FromSql, Kind, ToSql, Type};

/// What was sent, whatever its type.
struct Raw(Option<Vec<u8>>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(raw.to_vec())))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Pg {
    /// A statement with a text for each `$1`, `$2`, ...; names of columns and rows of any type that is known here.
    pub fn select(&mut self, sql: &str, params: &[&str]) -> Result<Selected, Fault> {
        self.left.store(MAX_REPLY, Ordering::Relaxed);
        let client = self.client.as_ref().ok_or(Fault::Nonsense("no connection"))?;
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|text| text as &(dyn ToSql + Sync)).collect();
        let statement = timed(&self.runtime, client.prepare(sql))?.map_err(|e| self.fault(&e))?;
        let rows = timed(&self.runtime, client.query(&statement, &params))?.map_err(|e| self.fault(&e))?;
        let mut selected = Selected::default();
        let columns = statement.columns();
        selected.names = columns.iter().map(|column| column.name().to_owned()).collect();
        for row in rows {
            let mut cells = Vec::with_capacity(columns.len());
            for (i, column) in columns.iter().enumerate() {
                let raw: Raw = row.try_get(i).map_err(|_| Fault::Nonsense("a column that cannot be read"))?;
                cells.push(match raw.0 {
                    None => Value::Nil.into(),
                    Some(raw) => cell(column.type_(), &raw)?,
                });
            }
            selected.rows.push(cells);
        }
        Ok(selected)
    }
}

const SHORT: Fault = Fault::Nonsense("a value that is too short");

fn exact<const N: usize>(raw: &[u8]) -> Result<[u8; N], Fault> {
    raw.try_into().map_err(|_| SHORT)
}

fn text(raw: &[u8]) -> Result<String, Fault> {
    String::from_utf8(raw.to_vec()).map_err(|_| Fault::Nonsense("text that is not UTF-8"))
}

fn cell(kind: &Type, raw: &[u8]) -> Result<Cell, Fault> {
    Ok(match *kind {
        Type::JSON => Cell::Json(text(raw)?),
        Type::JSONB => Cell::Json(text(raw.get(1..).ok_or(SHORT)?)?),
        _ => value(kind, raw)?.into(),
    })
}

fn value(kind: &Type, raw: &[u8]) -> Result<Value, Fault> {
    Ok(match *kind {
        Type::BOOL => (raw.first() == Some(&1)).into(),
        Type::INT2 => Value::Int(i16::from_be_bytes(exact(raw)?).into()),
        Type::INT4 => Value::Int(i32::from_be_bytes(exact(raw)?).into()),
        Type::INT8 => Value::Int(i64::from_be_bytes(exact(raw)?).into()),
        Type::OID => Value::Int(u32::from_be_bytes(exact(raw)?).into()),
        // As the server prints it: the shortest text of the short number.
        Type::FLOAT4 => Value::Float(f32::from_be_bytes(exact(raw)?).to_string().parse().unwrap_or(f64::NAN)),
        Type::FLOAT8 => Value::Float(f64::from_be_bytes(exact(raw)?)),
        Type::NUMERIC => numeric(raw)?.into(),
        Type::BYTEA => Value::Bytes(raw.to_vec()),
        Type::UUID => uuid(exact(raw)?).into(),
        Type::DATE => {
            let days = i64::from(i32::from_be_bytes(exact(raw)?));
            Value::DateTime(date(days + EPOCH).ok_or(FAR)?)
        }
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(exact(raw)?);
            let (days, of_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
            let mut moment = date(days + EPOCH).ok_or(FAR)?;
            let part = |n: i64| u8::try_from(n).unwrap_or(0);
            let seconds = of_day / 1_000_000;
            (moment.hour, moment.minute, moment.second) =
                (part(seconds / 3600), part(seconds / 60 % 60), part(seconds % 60));
            moment.micro = u32::try_from(of_day % 1_000_000).unwrap_or(0);
            Value::DateTime(moment)
        }
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::XML => {
            text(raw)?.into()
        }
        _ => match kind.kind() {
            Kind::Enum(_) => text(raw)?.into(),
            Kind::Domain(of) => value(of, raw)?,
            Kind::Array(of) => array(of, raw)?,
            _ if kind.name() == "citext" => text(raw)?.into(),
            _ => {
                let text =
                    format!("a column has type {}, which cannot be read: cast it to text", kind.name());
                return Err(Fault::Refused { code: String::new(), text });
            }
        },
    })
}

/// Days from 1970 to 2000, where PostgreSQL counts from.
const EPOCH: i64 = 10_957;
const DAY: i64 = 86_400_000_000;
const FAR: Fault = Fault::Nonsense("a date outside of the years 1 to 9999");

fn uuid(raw: [u8; 16]) -> String {
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Takes a number off the front.
fn int(raw: &mut &[u8]) -> Result<i32, Fault> {
    let (now, rest) = raw.split_at_checked(4).ok_or(SHORT)?;
    *raw = rest;
    Ok(i32::from_be_bytes(exact(now)?))
}

fn array(of: &Type, mut raw: &[u8]) -> Result<Value, Fault> {
    let (dimensions, _, _) = (int(&mut raw)?, int(&mut raw)?, int(&mut raw)?);
    if dimensions == 0 {
        return Ok(Value::List(Vec::new()));
    }
    if dimensions != 1 {
        return Err(Fault::Nonsense("an array of several dimensions"));
    }
    let (count, _) = (int(&mut raw)?, int(&mut raw)?);
    let mut members = Vec::new();
    for _ in 0..count {
        let length = int(&mut raw)?;
        let Ok(length) = usize::try_from(length) else {
            members.push(Value::Nil);
            continue;
        };
        let (now, rest) = raw.split_at_checked(length).ok_or(SHORT)?;
        members.push(value(of, now)?);
        raw = rest;
    }
    Ok(Value::List(members))
}

/// A decimal number as its text: groups of four digits, of which `weight + 1` stand before the point.
fn numeric(raw: &[u8]) -> Result<String, Fault> {
    let short = |at: usize| -> Result<u16, Fault> {
        Ok(u16::from_be_bytes(exact(raw.get(at..at + 2).ok_or(SHORT)?)?))
    };
    let (count, weight, sign, scale) =
        (usize::from(short(0)?), short(2)?.cast_signed(), short(4)?, usize::from(short(6)?));
    match sign {
        0xc000 => return Ok("NaN".into()),
        0xd000 => return Ok("Infinity".into()),
        0xf000 => return Ok("-Infinity".into()),
        _ => {}
    }
    let group = |place: i32| -> Result<u16, Fault> {
        match usize::try_from(place).ok().filter(|place| *place < count) {
            Some(place) => short(8 + place * 2),
            None => Ok(0),
        }
    };
    let weight = i32::from(weight);
    let mut out = String::new();
    for place in 0..=weight {
        out.push_str(&format!("{:04}", group(place)?));
    }
    let whole = out.trim_start_matches('0');
    let mut text =
        format!("{}{}", if sign == 0x4000 { "-" } else { "" }, if whole.is_empty() { "0" } else { whole });
    if scale > 0 {
        let mut digits = String::new();
        let mut place = weight + 1;
        while digits.len() < scale {
            digits.push_str(&format!("{:04}", group(place)?));
            place += 1;
        }
        digits.truncate(scale);
        text.push('.');
        text.push_str(&digits);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parts: &[u16]) -> String {
        numeric(&parts.iter().flat_map(|part| part.to_be_bytes()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn decimal_numbers_are_texts() {
        // The groups, the weight of the first, the sign, digits after the point, then the groups themselves.
        assert_eq!(shown(&[2, 0, 0, 2, 12, 5000]), "12.50");
        assert_eq!(shown(&[1, 1, 0x4000, 0, 1]), "-10000");
        assert_eq!(shown(&[1, 0xfffe, 0, 6, 100]), "0.000001");
        assert_eq!(shown(&[0, 0, 0, 0]), "0");
        assert_eq!(shown(&[0, 0, 0, 3]), "0.000");
        assert_eq!(shown(&[0, 0, 0xc000, 0]), "NaN");
        assert!(numeric(&[0, 1]).is_err());
        assert!(numeric(&[0, 9, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
