//! `configparser`: sections of keys and values, as Python's `ConfigParser` reads and writes them.

mod interpolate;
mod read;

use super::options::Options;
use brine_python::{Dict, Kind, Obj, PyErr, R, is_space, repr, str};

/// Keys and values; some keys have none.
type Pairs = Vec<(String, Option<String>)>;

/// A parser's settings and what it holds.
struct Parser {
    allow_no_value: bool,
    delimiters: Vec<String>,
    comment_prefixes: Vec<String>,
    inline_comment_prefixes: Vec<String>,
    strict: bool,
    empty_lines_in_values: bool,
    default_section: String,
    interpolates: bool,
    defaults: Pairs,
    sections: Vec<(String, Pairs)>,
}

/// Texts of a tuple, list or one text, whose characters are meant.
fn texts(value: &Obj) -> R<Vec<String>> {
    value.items()?.iter().map(str).collect()
}

impl Parser {
    fn new(options: &mut Options) -> R<Self> {
        let list = |options: &mut Options, name: &str, default: &[&str]| match options.take(name) {
            None => Ok(default.iter().map(|text| (*text).to_owned()).collect()),
            Some(Obj::None) => Ok(Vec::new()),
            Some(value) => texts(&value),
        };
        let interpolates = !matches!(options.take("interpolation"), Some(Obj::None));
        let defaults = options.some("defaults");
        let mut parser = Self {
            allow_no_value: options.truth("allow_no_value", false)?,
            delimiters: list(options, "delimiters", &["=", ":"])?,
            comment_prefixes: list(options, "comment_prefixes", &["#", ";"])?,
            inline_comment_prefixes: list(options, "inline_comment_prefixes", &[])?,
            strict: options.truth("strict", true)?,
            empty_lines_in_values: options.truth("empty_lines_in_values", true)?,
            default_section: options.text("default_section", "DEFAULT")?,
            interpolates,
            defaults: Pairs::new(),
            sections: Vec::new(),
        };
        options.done("RawConfigParser.__init__")?;
        if let Some(Obj::Dict(dict)) = defaults {
            for (key, value) in dict.pairs() {
                let value = if matches!(value, Obj::None) { None } else { Some(str(&value)?) };
                put(&mut parser.defaults, str(&key)?.to_lowercase(), value);
            }
        }
        Ok(parser)
    }

    fn section(&mut self, name: &str) -> Option<&mut Pairs> {
        self.sections.iter_mut().find(|(n, _)| n == name).map(|(_, pairs)| pairs)
    }
}

/// Sets a key; one that is there keeps its place.
fn put(pairs: &mut Pairs, key: String, value: Option<String>) {
    match pairs.iter_mut().find(|(k, _)| *k == key) {
        Some(pair) => pair.1 = value,
        None => pairs.push((key, value)),
    }
}

fn error(class: &'static str, text: String) -> PyErr {
    PyErr::new(Kind::Other(class), text)
}

/// `repr` of a text.
fn shown(text: &str) -> String {
    repr(&text.into()).unwrap_or_default()
}

fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    let Obj::Dict(dict) = value else {
        let class = super::shown_class(value);
        return Err(PyErr::ty(format!("configparser can only serialize dictionaries, not {class}")));
    };
    let mut parser = Parser::new(options)?;
    for (name, keys) in dict.pairs() {
        let name = str(&name)?;
        if name != "DEFAULT" {
            if name == parser.default_section {
                return Err(PyErr::value(format!("Invalid section name: {}", shown(&name))));
            }
            if parser.section(&name).is_some() {
                return Err(error(
                    "DuplicateSectionError",
                    format!("Section {} already exists", shown(&name)),
                ));
            }
            parser.sections.push((name.clone(), Pairs::new()));
        }
        let Obj::Dict(keys) = &keys else { return Err(PyErr::attribute(&keys, "items")) };
        for (key, value) in keys.pairs() {
            let key = str(&key)?.to_lowercase();
            let value = if matches!(value, Obj::None) { None } else { Some(str(&value)?) };
            if value.is_none() && !parser.allow_no_value {
                return Err(PyErr::ty("option values must be strings"));
            }
            if let (true, Some(value)) = (parser.interpolates, &value) {
                interpolate::check(value)?;
            }
            let is_default = name.is_empty() || name == parser.default_section;
            let pairs = if is_default { Some(&mut parser.defaults) } else { parser.section(&name) };
            match pairs {
                Some(pairs) => put(pairs, key, value),
                None => return Err(error("NoSectionError", format!("No section: {}", shown(&name)))),
            }
        }
    }
    let mut out = String::new();
    let delimiter = format!(" {} ", parser.delimiters.first().map_or("", String::as_str));
    if !parser.defaults.is_empty() {
        write(&mut out, &parser.default_section, &parser.defaults, &delimiter);
    }
    for (name, pairs) in &parser.sections {
        write(&mut out, name, pairs, &delimiter);
    }
    Ok(out.into())
}

fn write(out: &mut String, name: &str, pairs: &Pairs, delimiter: &str) {
    out.push_str(&format!("[{name}]\n"));
    for (key, value) in pairs {
        out.push_str(key);
        if let Some(value) = value {
            out.push_str(delimiter);
            out.push_str(&value.replace('\n', "\n\t"));
        }
        out.push('\n');
    }
    out.push('\n');
}

pub(super) fn deserialize(value: &Obj, options: &mut Options) -> R {
    let mut parser = Parser::new(options)?;
    let Some(text) = value.as_str() else {
        let e = match value {
            Obj::Bytes(_) => "initial_value must be str or None, not bytes".to_owned(),
            other => format!("'{}' object is not iterable", other.type_name()),
        };
        return Err(PyErr::ty(e));
    };
    read::read(&mut parser, text)?;
    let data = Dict::new();
    for (name, own) in &parser.sections {
        let mut all = parser.defaults.clone();
        for (key, value) in own {
            put(&mut all, key.clone(), value.clone());
        }
        let section = Dict::new();
        for (key, value) in &all {
            match (value, parser.interpolates) {
                (None, false) => section.set_str(key, Obj::None),
                (None, true) => section.set_str(key, ""),
                (Some(value), false) => section.set_str(key, value.as_str()),
                (Some(value), true) => {
                    section.set_str(key, interpolate::value(key, name, value, &all)?);
                }
            }
        }
        data.set_str(name, Obj::dict(section));
    }
    Ok(Obj::dict(data))
}
