//! Outputters: what the commands print of a return.
//!
//! A table of functions by Salt's names. `highstate`, `table`, `progress` and the rest are not here yet; a name that
//! is not here falls back to `nested`, as an unknown one does in stock.

mod color;
mod json;
mod key;
mod nested;
mod pprint;
mod python;
mod simple;
mod yaml;

pub use color::Colors;
pub use json::dumps as json_dumps;
pub use nested::nested;
pub(crate) use python::sorted;

use brine_core::Opts;
use brine_protocol::Value;

/// How an outputter is to print.
#[derive(Clone, Debug)]
pub struct Style {
    /// The colours, all empty when there are none.
    pub colors: Colors,
    /// Escape characters in values become `?`.
    pub strip_colors: bool,
    /// The option `output_indent`, absent when it is not set.
    pub indent: Option<Value>,
    /// Columns that nested output starts at.
    pub nested_indent: usize,
    /// The return code of the job: a failed one is red.
    pub retcode: i64,
    /// `salt-key` lists within a question.
    pub multi_key: bool,
}

impl Style {
    /// The style that options ask for. Colours: `force_color` wins, then `no_color`, then `color`, then whether
    /// standard output is a terminal.
    pub fn new(opts: &Opts, is_terminal: bool) -> Self {
        let color = if opts.flag("force_color") {
            true
        } else if opts.flag("no_color") {
            false
        } else {
            opts.get("color").map_or(is_terminal, Value::truthy)
        };
        Self {
            colors: Colors::new(color),
            strip_colors: opts.get("strip_colors").is_none_or(Value::truthy),
            indent: opts.get("output_indent").cloned(),
            nested_indent: opts.int("nested_indent").and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            retcode: 0,
            multi_key: opts.flag("__multi_key"),
        }
    }
}

/// What an outputter cannot print: stock's falls over it, and `nested` is tried.
struct CannotPrint;

type Outputter = fn(&Value, &Style) -> Result<String, CannotPrint>;

const OUTPUTTERS: &[(&str, Outputter)] = &[
    ("json", json::output),
    ("key", key::output),
    ("nested", |data, style| Ok(nested(data, style))),
    ("newline_values_only", simple::newline_values_only),
    ("no_return", simple::no_return),
    ("pprint", pprint::output),
    ("quiet", |_, _| Ok(String::new())),
    ("raw", |data, _| Ok(brine_core::text::python_str(data))),
    ("txt", simple::txt),
    ("yaml", yaml::output),
];

/// The names of the outputters there are.
pub fn names() -> impl Iterator<Item = &'static str> {
    OUTPUTTERS.iter().map(|(name, _)| *name)
}

/// The text that `out` makes of data, without white space at its end; print it with a line end unless it is empty.
///
/// `out` is what the return or the caller asks for; the option `output` (`--out`) goes before it unless it is
/// `highstate`. `text` means `txt`, none `nested`.
pub fn format(data: &Value, out: Option<&str>, opts: &Opts, style: &Style) -> String {
    let chosen = match opts.str("output") {
        "" | "highstate" => out.unwrap_or(""),
        named => named,
    };
    let name = match chosen {
        "text" => "txt",
        "" => "nested",
        name => name,
    };
    let outputter = OUTPUTTERS.iter().find(|(n, _)| *n == name);
    if outputter.is_none() && !matches!(name, "grains" | "highstate") {
        tracing::error!("Invalid outputter {name} specified, fall back to nested");
    }
    let text =
        outputter.and_then(|(_, print)| print(data, style).ok()).unwrap_or_else(|| nested(data, style));
    python::rstrip(&text).to_owned()
}

/// [`format()`] without escape sequences, as templates use it.
pub fn string_format(data: &Value, out: Option<&str>, opts: &Opts, style: &Style) -> String {
    let text = format(data, out, opts, style);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('\x1b') {
        clean.push_str(&rest[..start]);
        match rest[start..].find('m') {
            Some(end) => rest = &rest[start + end + 1..],
            None => {
                clean.push_str(&rest[start..]);
                rest = "";
            }
        }
    }
    clean.push_str(rest);
    clean
}
