//! Rows with the types of their columns.

use super::packet::Fields;
use super::{Client, Column};
use crate::Fault;
use crate::cell::{Cell, Selected};
use brine_protocol::{DateTime, Value};

/// The number of the character set that is none.
const BINARY: u16 = 63;
const UNSIGNED: u16 = 32;

impl Client {
    /// A statement with a text for each `?`; names of columns and rows of any type.
    pub fn select(&mut self, sql: &str, params: &[&str]) -> Result<Selected, Fault> {
        let result = self.selected(sql, params);
        self.noted(result)
    }

    fn selected(&mut self, sql: &str, params: &[&str]) -> Result<Selected, Fault> {
        let columns = self.run(sql, params)?;
        let rows = self.rows(&columns, cell)?;
        let null = |cell: Option<Cell>| cell.unwrap_or_else(|| Value::Nil.into());
        Ok(Selected {
            rows: rows.into_iter().map(|row| row.into_iter().map(null).collect()).collect(),
            names: columns.into_iter().map(|column| column.name).collect(),
        })
    }
}

/// A number of so many bytes.
fn integer(fields: &mut Fields<'_>, width: usize, column: &Column) -> Result<Value, Fault> {
    let bytes = fields.bytes(width)?;
    let negative = column.flags & UNSIGNED == 0 && bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 16];
    whole[..width].copy_from_slice(bytes);
    Ok(Value::Int(i128::from_le_bytes(whole)))
}

fn cell(fields: &mut Fields<'_>, column: &Column) -> Result<Cell, Fault> {
    let value = match column.kind {
        1 => integer(fields, 1, column)?,
        2 | 13 => integer(fields, 2, column)?,
        // A number of three bytes is sent as one of four.
        3 | 9 => integer(fields, 4, column)?,
        8 => integer(fields, 8, column)?,
        4 => {
            let bits = fields.u32()?;
            // As the server prints it: the shortest text of the short number.
            Value::Float(f32::from_bits(bits).to_string().parse().unwrap_or_default())
        }
        5 => {
            let (low, high) = (u64::from(fields.u32()?), u64::from(fields.u32()?));
            Value::Float(f64::from_bits(high << 32 | low))
        }
        7 | 10 | 12 => moment(fields)?,
        11 => time(fields)?,
        // BIT
        16 => Value::Bytes(fields.string()?.to_vec()),
        // JSON is text for stock, too; DECIMAL; names of ENUM and SET.
        0 | 0xf5 | 0xf6 => text(fields)?,
        0x0f | 0xf7..=0xfe if column.charset == BINARY => Value::Bytes(fields.string()?.to_vec()),
        0x0f | 0xf7..=0xfe => text(fields)?,
        _ => return Err(Fault::Nonsense("a column of an unknown type")),
    };
    Ok(value.into())
}

fn text(fields: &mut Fields<'_>) -> Result<Value, Fault> {
    let text = String::from_utf8(fields.string()?.to_vec());
    Ok(Value::Str(text.map_err(|_| Fault::Nonsense("text that is not UTF-8"))?))
}

fn moment(fields: &mut Fields<'_>) -> Result<Value, Fault> {
    let bytes = fields.string()?;
    let mut inner = Fields(bytes);
    if bytes.is_empty() {
        return Ok("0000-00-00".into());
    }
    let (year, month, day) = (inner.u16()?, inner.u8()?, inner.u8()?);
    let [hour, minute, second] = match bytes.len() {
        4 => [0; 3],
        _ => [inner.u8()?, inner.u8()?, inner.u8()?],
    };
    let micro = if bytes.len() > 7 { inner.u32()? } else { 0 };
    if year == 0 || month == 0 || day == 0 {
        return Ok(format!("{year:04}-{month:02}-{day:02}").into());
    }
    Ok(Value::DateTime(DateTime { year, month, day, hour, minute, second, micro }))
}

fn time(fields: &mut Fields<'_>) -> Result<Value, Fault> {
    let bytes = fields.string()?;
    if bytes.is_empty() {
        return Ok("0:00:00".into());
    }
    let mut inner = Fields(bytes);
    let (negative, days) = (inner.u8()? != 0, inner.u32()?);
    let (hour, minute, second) = (inner.u8()?, inner.u8()?, inner.u8()?);
    let sign = if negative { "-" } else { "" };
    Ok(format!("{sign}{}:{minute:02}:{second:02}", u64::from(days) * 24 + u64::from(hour)).into())
}
