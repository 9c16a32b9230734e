//! Outputters: what the commands print of a return.
//!
//! A table of functions by Salt's names. A name that is not here falls back to `nested`, as an unknown one does in
//! stock. `progress` is here in so far as it is text; who draws it counts and measures.

mod color;
mod event;
mod highstate;
mod json;
mod key;
mod nested;
mod pprint;
mod profile;
mod progress;
mod pyformat;
mod python;
mod simple;
mod table;
mod wrap;
mod yaml;

pub use color::{Code, Colors};
pub use event::EventLines;
pub use json::dumps as json_dumps;
pub use nested::nested;
pub use progress::{DEFAULT_COLUMNS, Progress};
pub(crate) use python::is_decimal;
pub use wrap::fill;

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
    /// The style that options ask for. Colours: `force_color` wins, then `no_color`, then `color` (which may name the
    /// one that stands for all), then whether standard output is a terminal; a theme is read from its file.
    pub fn new(opts: &Opts, is_terminal: bool) -> Self {
        let color = if opts.flag("force_color") {
            true.into()
        } else if opts.flag("no_color") {
            false.into()
        } else {
            opts.get("color").cloned().unwrap_or(Value::Bool(is_terminal))
        };
        Self {
            colors: Colors::chosen(&color, opts.str("color_theme")),
            strip_colors: opts.get("strip_colors").is_none_or(Value::truthy),
            indent: opts.get("output_indent").cloned(),
            nested_indent: opts.int("nested_indent").and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            retcode: 0,
            multi_key: opts.flag("__multi_key"),
        }
    }
}

/// What an outputter cannot print: stock's falls over it, and `nested` is tried.
enum CannotPrint {
    /// The data as they came.
    Data,
    /// The data as the outputter left them.
    Changed(Value),
}

type Outputter = fn(&Value, &Opts, &Style) -> Result<String, CannotPrint>;

const OUTPUTTERS: &[(&str, Outputter)] = &[
    ("highstate", highstate::output),
    ("json", json::output),
    ("key", key::output),
    ("nested", |data, _, style| Ok(nested(data, style))),
    ("newline_values_only", simple::newline_values_only),
    ("no_return", simple::no_return),
    ("overstatestage", simple::overstatestage),
    ("pprint", pprint::output),
    ("profile", profile::output),
    // A bar needs a count of returns; data alone are shown nested.
    ("progress", |_, _, _| Err(CannotPrint::Data)),
    ("quiet", |_, _, _| Ok(String::new())),
    ("raw", |data, _, _| Ok(brine_core::text::python_str(data))),
    ("table", table::output),
    ("txt", simple::txt),
    ("virt_query", simple::virt_query),
    ("yaml", yaml::output),
];

/// Outputters of stock that there are not, and why.
const REFUSED: &[(&str, &str)] = &[
    ("dson", "it is the Python package dogeon's"),
    ("pony", "it runs the program ponysay on terminal output"),
];

/// The names of the outputters there are.
pub fn names() -> impl Iterator<Item = &'static str> {
    OUTPUTTERS.iter().map(|(name, _)| *name)
}

/// The text that `out` makes of data, without white space at its end; print it with a line end unless it is empty.
///
/// `out` is what the return or the caller asks for; the option `output` (`--out`) goes before it unless it is
/// `highstate`. `text` means `txt`, none `nested`; but with `static` a state function without either is a highstate.
pub fn format(data: &Value, out: Option<&str>, opts: &Opts, style: &Style) -> String {
    let name = match chosen(out, opts) {
        "text" => "txt",
        "" => "nested",
        name => name,
    };
    let outputter = OUTPUTTERS.iter().find(|(n, _)| *n == name);
    if outputter.is_none() && name != "grains" {
        let why =
            REFUSED.iter().find(|(n, _)| *n == name).map(|(_, why)| format!(" ({why})")).unwrap_or_default();
        tracing::error!("Invalid outputter {name} specified, fall back to nested{why}");
    }
    let text = match outputter.map(|(_, print)| print(data, opts, style)) {
        Some(Ok(text)) => text,
        Some(Err(CannotPrint::Changed(left))) => nested(&left, style),
        Some(Err(CannotPrint::Data)) | None => nested(data, style),
    };
    python::rstrip(&text).to_owned()
}

fn chosen<'a>(out: Option<&'a str>, opts: &'a Opts) -> &'a str {
    if opts.flag("progress") {
        return "progress";
    }
    let out = out.unwrap_or("");
    match opts.str("output") {
        "" | "highstate" if !out.is_empty() => out,
        "" if opts.flag("static") && opts.str("fun").split('.').next() == Some("state") => "highstate",
        "highstate" if opts.flag("static") => "highstate",
        "highstate" => "",
        named => named,
    }
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
