//! `key`: the lists of `salt-key`.

use super::python::sorted;
use super::{CannotPrint, Style};
use brine_core::text::python_str;
use brine_protocol::Value;
use std::fmt::Write as _;

/// A heading for each state of keys, then the names, with a fingerprint where there is one.
pub(super) fn output(data: &Value, style: &Style) -> Result<String, CannotPrint> {
    let colors = &style.colors;
    let indent = if style.multi_key { 4 } else { 0 };
    let endc = colors.endc;
    let strip = |text: String| if style.strip_colors { text.replace('\x1b', "?") } else { text };
    let mut out = String::new();
    for (status, keys) in sorted(data.as_map().ok_or(CannotPrint)?).ok_or(CannotPrint)? {
        let (light, color, heading) = match status.as_str() {
            Some("minions_pre") => (colors.light_red, colors.red, "Unaccepted Keys:"),
            Some("minions") => (colors.light_green, colors.green, "Accepted Keys:"),
            Some("minions_denied") => (colors.light_magenta, colors.magenta, "Denied Keys:"),
            Some("minions_rejected") => (colors.light_blue, colors.blue, "Rejected Keys:"),
            Some("local") => (colors.light_magenta, colors.magenta, "Local Keys:"),
            _ => return Err(CannotPrint),
        };
        let _infallible = writeln!(out, "{:indent$}{light}{heading}{endc}", "");
        match keys {
            Value::List(names) => {
                let mut names: Vec<String> = names.iter().map(python_str).collect();
                names.sort();
                for name in names {
                    let _infallible = writeln!(out, "{:indent$}{color}{}{endc}", "", strip(name));
                }
            }
            Value::Map(map) => {
                for (name, finger) in sorted(map).ok_or(CannotPrint)? {
                    let (name, finger) = (strip(python_str(name)), python_str(finger));
                    let _infallible = writeln!(out, "{:indent$}{color}{name}:  {finger}{endc}", "");
                }
            }
            Value::Str(_) => {}
            _ => return Err(CannotPrint),
        }
    }
    Ok(out)
}
