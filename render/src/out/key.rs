//! `key`: the lists of `salt-key`.

use super::python::{decode, sorted, sorted_list};
use super::{CannotPrint, Style};
use brine_core::Opts;
use brine_core::text::python_str;
use brine_protocol::Value;
use std::fmt::Write as _;

/// A heading for each state of keys, then the names, with a fingerprint where there is one.
pub(super) fn output(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let colors = &style.colors;
    let indent = if style.multi_key { 4 } else { 0 };
    let endc = &colors.endc;
    let name_of = |name: &Value| match decode(name) {
        Some(Value::Str(text)) if style.strip_colors => Ok(text.replace('\x1b', "?")),
        Some(other) => Ok(python_str(&other)),
        None => Err(CannotPrint::Data),
    };
    let mut out = String::new();
    for (status, keys) in sorted(data.as_map().ok_or(CannotPrint::Data)?).ok_or(CannotPrint::Data)? {
        let (light, color, heading) = match status.as_str() {
            Some("minions_pre") => (&colors.light_red, &colors.red, "Unaccepted Keys:"),
            Some("minions") => (&colors.light_green, &colors.green, "Accepted Keys:"),
            Some("minions_denied") => (&colors.light_magenta, &colors.magenta, "Denied Keys:"),
            Some("minions_rejected") => (&colors.light_blue, &colors.blue, "Rejected Keys:"),
            Some("local") => (&colors.light_magenta, &colors.magenta, "Local Keys:"),
            _ => return Err(CannotPrint::Data),
        };
        let _infallible = writeln!(out, "{:indent$}{light}{heading}{endc}", "");
        match keys {
            Value::List(names) => {
                for name in sorted_list(names).ok_or(CannotPrint::Data)? {
                    let _infallible = writeln!(out, "{:indent$}{color}{}{endc}", "", name_of(name)?);
                }
            }
            Value::Map(map) => {
                for (name, finger) in sorted(map).ok_or(CannotPrint::Data)? {
                    let (name, finger) = (name_of(name)?, python_str(finger));
                    let _infallible = writeln!(out, "{:indent$}{color}{name}:  {finger}{endc}", "");
                }
            }
            Value::Str(_) | Value::Bytes(_) => {}
            _ => return Err(CannotPrint::Data),
        }
    }
    Ok(out)
}
