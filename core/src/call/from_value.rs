//! Salt's loose coercions from what a command line or an SLS gives to what a function takes: here and nowhere
//! else.

use crate::text::python_str;
use brine_protocol::{Map, Value};

/// Conversion of an argument. The error says what was expected, as a noun with article (`a number`).
pub trait FromValue: Sized {
    /// Converts, or names what was expected.
    fn from_value(value: Value) -> Result<Self, &'static str>;
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, &'static str> {
        Ok(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, &'static str> {
        if value.is_nil() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl FromValue for String {
    /// Python's `str()` of scalars: names and commands may come as numbers from YAML.
    fn from_value(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Str(s) => Ok(s),
            Value::Bytes(_) | Value::List(_) | Value::Map(_) => Err("a string"),
            other => Ok(python_str(&other)),
        }
    }
}

impl FromValue for bool {
    /// Python's truth, as `if flag:` reads it; and text that plainly says false, as Salt's `is_true` reads it.
    fn from_value(value: Value) -> Result<Self, &'static str> {
        Ok(match &value {
            Value::Str(s) => {
                !matches!(s.to_ascii_lowercase().as_str(), "" | "false" | "none" | "no" | "0" | "off")
            }
            other => other.truthy(),
        })
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, &'static str> {
        match &value {
            Value::Bool(b) => Ok(f64::from(u8::from(*b))),
            Value::Str(s) => s.trim().parse().map_err(|_| "a number"),
            other => other.as_float().ok_or("a number"),
        }
    }
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl FromValue for $t {
            fn from_value(value: Value) -> Result<Self, &'static str> {
                let wide: i128 = match &value {
                    Value::Int(i) => *i,
                    Value::Bool(b) => i128::from(*b),
                    Value::Float(x) if x.is_finite() => *x as i128,
                    Value::Str(s) => s.trim().parse().map_err(|_| "an integer")?,
                    _ => return Err("an integer"),
                };
                <$t>::try_from(wide).map_err(|_| "an integer in range")
            }
        }
    )*};
}

integers!(i32, i64, i128, u8, u16, u32, u64, usize);

impl FromValue for Map {
    fn from_value(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Map(m) => Ok(m),
            Value::Nil => Ok(Map::new()),
            _ => Err("a dict"),
        }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    /// A list, or one value that stands for a list of one. Text with commas is one value: functions that split
    /// it say so by taking [`Value`].
    fn from_value(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::List(l) => l.into_iter().map(T::from_value).collect(),
            Value::Nil => Ok(Vec::new()),
            other => Ok(vec![T::from_value(other)?]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_numbers_meet_half_way() {
        assert_eq!(String::from_value(5.into()), Ok("5".into()));
        assert_eq!(String::from_value(true.into()), Ok("True".into()));
        assert_eq!(i64::from_value("12".into()), Ok(12));
        assert_eq!(f64::from_value("0.5".into()), Ok(0.5));
        assert_eq!(u8::from_value(300.into()), Err("an integer in range"));
        assert_eq!(bool::from_value("False".into()), Ok(false));
        assert_eq!(Vec::<String>::from_value("a,b".into()), Ok(vec!["a,b".into()]));
    }
}
