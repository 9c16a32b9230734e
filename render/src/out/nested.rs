//! `nested`, the default: data indented, one leaf a line.

use super::Style;
use super::python::{sorted, splitlines};
use brine_core::text::{python_repr, python_str};
use brine_protocol::{Map, Value};

/// Data as nested lines, without a line end at the end.
pub fn nested(data: &Value, style: &Style) -> String {
    let mut display = Display { style, out: String::new() };
    display.value(data, style.nested_indent, "");
    display.out.pop();
    display.out
}

struct Display<'a> {
    style: &'a Style,
    out: String,
}

impl Display<'_> {
    fn line(&mut self, indent: usize, color: &str, text: &str, prefix: &str, suffix: &str) {
        self.out.extend(std::iter::repeat_n(' ', indent));
        for part in [color, prefix, text, &self.style.colors.endc, suffix, "\n"] {
            self.out.push_str(part);
        }
    }

    fn value(&mut self, value: &Value, indent: usize, prefix: &str) {
        let colors = &self.style.colors;
        let failed = self.style.retcode != 0;
        match value {
            Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                self.line(indent, &colors.light_yellow, &python_repr(value), prefix, "");
            }
            Value::Str(text) => self.text(text, indent, prefix),
            Value::Bytes(bytes) => {
                // Bytes that are no text print nothing.
                if let Ok(text) = std::str::from_utf8(bytes) {
                    self.text(text, indent, prefix);
                }
            }
            Value::List(items) => {
                let color = if failed { &colors.red } else { &colors.green };
                for item in items {
                    match item {
                        Value::List(_) => {
                            self.line(indent, color, "|_", "", "");
                            self.value(item, indent + 2, "- ");
                        }
                        Value::Map(_) => {
                            self.line(indent, color, "|_", "", "");
                            self.value(item, indent + 2, "");
                        }
                        _ => self.value(item, indent, "- "),
                    }
                }
            }
            Value::Map(map) => self.map(map, indent, prefix),
            // No type that stock's knows.
            Value::DateTime(_) => {}
        }
    }

    fn map(&mut self, map: &Map, indent: usize, prefix: &str) {
        let colors = &self.style.colors;
        let color = if self.style.retcode != 0 { &colors.red } else { &colors.cyan };
        if indent > 0 {
            self.line(indent, color, "----------", "", "");
        }
        let texts: Map;
        let entries = match sorted(map) {
            Some(entries) => entries,
            // Keys that do not compare become text, and the last of two that become the same stays.
            None => {
                texts = map.iter().map(|(k, v)| (python_str(k), v.clone())).collect();
                sorted(&texts).unwrap_or_default()
            }
        };
        for (key, value) in entries {
            self.line(indent, color, &python_str(key), prefix, ":");
            self.value(value, indent + 4, "");
        }
    }

    fn text(&mut self, text: &str, indent: usize, prefix: &str) {
        let color = &self.style.colors.green;
        let blank = " ".repeat(prefix.len());
        for (i, line) in splitlines(text, false).into_iter().enumerate() {
            let prefix = if i == 0 { prefix } else { &blank };
            if self.style.strip_colors {
                self.line(indent, color, &line.replace('\x1b', "?"), prefix, "");
            } else {
                self.line(indent, color, line, prefix, "");
            }
        }
    }
}
