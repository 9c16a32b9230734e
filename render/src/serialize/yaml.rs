//! `yaml`: PyYAML's safe loader and dumper with `!encrypted`, with the keyword arguments of `yaml.dump`.

use super::options::Options;
use crate::yaml::{Class, DumpOptions, Dumper, Flow, Loader, Style, TEXT, YamlError, dump_obj, load_with};
use brine_python::{Kind, Obj, PyErr, R};

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    dump(value, options, Dumper::Serializer)
}

/// What PyYAML names bytes.
const BYTES: &str = "<byte string>";

/// `yaml.dump`, without the end of a document.
pub(super) fn dump(value: &Obj, options: &mut Options, dumper: Dumper) -> R {
    let flow = match options.some("default_flow_style") {
        None => Flow::Leaves,
        Some(flow) if brine_python::truth(&flow)? => Flow::Inline,
        Some(_) => Flow::Block,
    };
    let style = match options.some("default_style").as_ref().and_then(Obj::as_str) {
        Some("'") => Some(Style::SingleQuoted),
        Some("\"") => Some(Style::DoubleQuoted),
        Some("|") => Some(Style::Literal),
        Some(">") => Some(Style::Folded),
        _ => None,
    };
    let version =
        match options.some("version").map(|version| version.sequence().unwrap_or_default()).as_deref() {
            None => None,
            Some([Obj::Int(major), Obj::Int(minor)]) => Some((*major, *minor)),
            Some(_) => return Err(PyErr::value("not enough values to unpack (expected 2, got 1)")),
        };
    let line_break = match options.some("line_break").as_ref().and_then(Obj::as_str) {
        Some("\r") => "\r",
        Some("\r\n") => "\r\n",
        _ => "\n",
    };
    if options.some("encoding").is_some() {
        return Err(PyErr::ty("endswith first arg must be bytes or a tuple of bytes, not str"));
    }
    if options.some("tags").is_some() {
        return Err(PyErr::new(Kind::Other("EmitterError"), "%TAG directives are not written"));
    }
    let dump = DumpOptions {
        dumper,
        flow,
        style,
        indent: options.int("indent")?,
        width: options.int("width")?,
        sort_keys: options.truth("sort_keys", true)?,
        unicode: options.truth("allow_unicode", false)?,
        canonical: options.truth("canonical", false)?,
        explicit_start: options.truth("explicit_start", false)?,
        explicit_end: options.truth("explicit_end", false)?,
        version,
        line_break,
    };
    options.done("dump_all")?;
    let text = dump_obj(value, &dump)?;
    let text = text.strip_suffix("\n...\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text);
    Ok(text.into())
}

pub(super) fn deserialize(value: &Obj, options: &mut Options) -> R {
    options.done("load")?;
    let (text, name) = source(value)?;
    load_with(&text, name, Loader::Serializer).map_err(|e| error(&e))
}

/// The text to read, and its name in errors.
pub(super) fn source(value: &Obj) -> R<(String, &'static str)> {
    match (value, value.as_str()) {
        (_, Some(text)) => Ok((text.to_owned(), TEXT)),
        (Obj::Bytes(bytes), _) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok((text.to_owned(), BYTES)),
            Err(e) => {
                let at = e.valid_up_to();
                let octet = bytes.get(at).copied().unwrap_or_default();
                let problem = format!(
                    "'utf-8' codec can't decode byte #x{octet:02x}: invalid UTF-8\n  in \"{BYTES}\", position {at}"
                );
                Err(PyErr::new(Kind::Other("ReaderError"), problem))
            }
        },
        _ => Err(PyErr::ty("a string or stream input is required")),
    }
}

/// What stock makes of PyYAML's errors: the scanner's are not told.
pub(super) fn error(e: &YamlError) -> PyErr {
    if e.class == Class::Scanner {
        return PyErr::value("Unknown yaml render error");
    }
    e.to_py()
}
