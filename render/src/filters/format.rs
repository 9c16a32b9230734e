//! Data to text and back: `yaml`, `json`, `python`, `tojson`, `load_yaml` and their kin, of Salt's serializer extension.

use super::undefined::{guarded_function, unless};
use crate::{json, yaml};
use brine_jinja::{Markup, RUNTIME_ERROR, State, Table};
use brine_python::{
    Args, Bound, Dict, Kind, Obj, Op, PyErr, R, Set, Signature, binary, call_method, pformat, str, truth,
};
use std::rc::Rc;

pub(super) fn add(table: &mut Table) {
    table.insert("json", |s, a| method("format_json", s, a, format_json));
    table.insert("yaml", |s, a| method("format_yaml", s, a, format_yaml));
    table.insert("python", |s, a| method("format_python", s, a, format_python));
    table.insert("xml", |s, a| method("format_xml", s, a, super::xml::format_xml));
    table.insert("tojson", |s, a| guarded_function("tojson", s, a, tojson));
    table.insert("load_yaml", |s, a| method("load_yaml", s, a, load_yaml));
    table.insert("load_json", |s, a| method("load_json", s, a, load_json));
    table.insert("load_text", |s, a| method("load_text", s, a, load_text));
    table.insert("dict_to_sls_yaml_params", |s, a| {
        method("dict_to_sls_yaml_params", s, a, dict_to_sls_yaml_params)
    });
}

/// A method of the extension.
fn method(name: &str, state: &State, args: &Args, filter: fn(&State, &Args) -> R) -> R {
    guarded_function(&format!("SerializerExtension.{name}"), state, args, filter)
}

fn indentation(indent: Option<&Obj>) -> R<Option<String>> {
    Ok(match indent {
        None | Some(Obj::None) => None,
        Some(indent) => match indent.as_str() {
            Some(text) => Some(text.to_owned()),
            None => Some(str(&binary(Op::Mul, &Obj::str(" "), indent)?)?),
        },
    })
}

fn format_json(_: &State, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("SerializerExtension.format_json", 1, &["self", "value", "sort_keys", "indent"], 2);
    let a = SIG.bind(args)?;
    let options = json::Options {
        sort_keys: a.truth(1, true)?,
        indent: if a.at(0).as_str().is_some() { None } else { indentation(a.get(2))? },
        ..json::Options::salt()
    };
    let text = json::dumps(a.at(0), &options)?;
    Ok(Markup::new(text.trim_matches(blank)))
}

/// What Python's `strip()` takes away.
fn blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn tojson(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("tojson", 0, &["val", "indent"], 1).named();
    let a = SIG.bind(args)?;
    let mut options = json::Options::default();
    for (name, value) in &a.named {
        match &**name {
            "ensure_ascii" => options.ensure_ascii = truth(value)?,
            "sort_keys" => options.sort_keys = truth(value)?,
            "skipkeys" => options.skipkeys = truth(value)?,
            "allow_nan" => options.allow_nan = truth(value)?,
            "check_circular" => _ = truth(value)?,
            "separators" => {
                if !matches!(value, Obj::None) {
                    let pair = value.items()?;
                    let [items, keys] = pair.as_slice() else {
                        return Err(unpack(pair.len(), 2));
                    };
                    options.separators = Some((str(items)?, str(keys)?));
                }
            }
            name => {
                return Err(PyErr::ty(format!(
                    "JSONEncoder.__init__() got an unexpected keyword argument '{name}'"
                )));
            }
        }
    }
    // Text alone is written without a look at the indentation.
    if a.at(0).as_str().is_none() {
        options.indent = indentation(a.get(1))?;
    }
    let text = json::dumps(a.at(0), &options)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\'' => out.push_str("\\u0027"),
            c => out.push(c),
        }
    }
    Ok(out.into())
}

/// What taking apart says of too few or too many.
pub(super) fn unpack(given: usize, wanted: usize) -> PyErr {
    PyErr::value(if given > wanted {
        format!("too many values to unpack (expected {wanted})")
    } else {
        format!("not enough values to unpack (expected {wanted}, got {given})")
    })
}

fn dumped(value: &Obj, flow: Option<&Obj>, default: yaml::Flow) -> R {
    let flow = match flow {
        None => default,
        Some(Obj::None) => yaml::Flow::Leaves,
        Some(flow) if truth(flow)? => yaml::Flow::Inline,
        Some(_) => yaml::Flow::Block,
    };
    let options = yaml::DumpOptions { flow, ..yaml::DumpOptions::default() };
    let text = yaml::dump_obj(value, &options)?;
    let text = text.trim_matches(blank);
    Ok(Markup::new(text.strip_suffix("\n...").unwrap_or(text)))
}

fn format_yaml(_: &State, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("SerializerExtension.format_yaml", 1, &["self", "value", "flow_style"], 2);
    let a = SIG.bind(args)?;
    dumped(a.at(0), a.get(1), yaml::Flow::Inline)
}

fn dict_to_sls_yaml_params(_: &State, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("SerializerExtension.dict_to_sls_yaml_params", 1, &["self", "value", "flow_style"], 2);
    let a = SIG.bind(args)?;
    let mut params = Vec::new();
    for pair in call_method(a.at(0), "items", &Args::default())?.items()? {
        let pair = pair.items()?;
        let [key, value] = pair.as_slice() else { return Err(unpack(pair.len(), 2)) };
        let one = Dict::new();
        one.set(key.clone(), value.clone())?;
        params.push(one.into());
    }
    unless(&Args::of([Obj::list(params)]), |args| {
        dumped(args.pos.first().unwrap_or(&Obj::None), a.get(1), yaml::Flow::Block)
    })
}

fn only(name: &'static str, args: &Args) -> R<Bound> {
    Signature::new(name, 1, &["self", "value"], 2).bind(args)
}

fn format_python(_: &State, args: &Args) -> R {
    let a = only("SerializerExtension.format_python", args)?;
    Ok(Markup::new(pformat(a.at(0))?.trim_matches(blank)))
}

/// A template that was imported or a macro's text counts as the text that it is.
fn loaded(obj: &Obj) -> R {
    match obj {
        Obj::Other(_) if super::kinds::short(obj) == "TemplateModule" => Ok(str(obj)?.into()),
        _ => Ok(obj.clone()),
    }
}

fn runtime(text: String) -> PyErr {
    PyErr::new(RUNTIME_ERROR, text)
}

fn load_yaml(_: &State, args: &Args) -> R {
    let a = only("SerializerExtension.load_yaml", args)?;
    let value = loaded(a.at(0))?;
    let text = match &value {
        Obj::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Obj::str(text),
            Err(e) => {
                return Err(runtime(format!(
                    "Encountered error loading yaml: {}",
                    no_utf8(bytes, e.valid_up_to())
                )));
            }
        },
        Obj::Str(_) => value.clone(),
        _ => return Err(PyErr::ty("a string or stream input is required")),
    };
    let name = if matches!(value, Obj::Bytes(_)) { "<byte string>" } else { yaml::TEXT };
    match yaml::load_obj(text.as_str().unwrap_or_default(), name) {
        Ok(data) => decode(&data, &mut Vec::new()),
        Err(e) if e.class.is_yaml() => Err(runtime(format!("Encountered error loading yaml: {e}"))),
        Err(e) => match e.to_py() {
            e if e.kind() == Kind::AttributeError => {
                Err(runtime(format!("Unable to load yaml from {}", str(&value)?)))
            }
            e => Err(e),
        },
    }
}

/// What PyYAML says of bytes that are no UTF-8, from a place on.
fn no_utf8(bytes: &[u8], at: usize) -> String {
    let lead = bytes.get(at).copied().unwrap_or_default();
    let width = match lead {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 0,
    };
    let rest = bytes.get(at + 1..).unwrap_or_default();
    let trailing = rest.iter().take(width - usize::from(width > 0)).position(|b| b & 0xc0 != 0x80);
    let (value, why, at) = match trailing {
        _ if width == 0 => (format!("{lead:04x}"), "invalid leading UTF-8 octet", at),
        _ if rest.len() + 1 < width => ("-001".into(), "incomplete UTF-8 octet sequence", at),
        Some(n) => (format!("{:04x}", rest[n]), "invalid trailing UTF-8 octet", at + 1 + n),
        None => {
            let first = u32::from(lead) & (0x7f >> width);
            let code = rest.iter().take(width - 1).fold(first, |n, b| n << 6 | u32::from(b & 0x3f));
            let least = [0, 0, 0x80, 0x800, 0x1_0000][width];
            if code < least {
                ("-001".into(), "invalid length of a UTF-8 sequence", at)
            } else {
                (format!("{code:04x}"), "invalid Unicode character", at)
            }
        }
    };
    format!("unacceptable character #x{value}: {why}\n  in \"<byte string>\", position {at}")
}

/// `salt.utils.data.decode`: a copy of plain dicts and lists, with bytes as text; what holds itself ends in `None`.
///
/// # Errors
/// `UnicodeDecodeError` for bytes that are no text; `Limit`.
pub(crate) fn decode(data: &Obj, open: &mut Vec<usize>) -> R {
    let address = data.address();
    let container = matches!(data, Obj::List(_) | Obj::Tuple(_) | Obj::Dict(_) | Obj::Set(_));
    if !container {
        return match data {
            Obj::Bytes(_) => super::text::text_of(data),
            _ => Ok(data.clone()),
        };
    }
    if open.contains(&address) {
        return Ok(Obj::None);
    }
    if open.len() > 250 {
        return Err(PyErr::recursion(""));
    }
    open.push(address);
    brine_python::need_bytes(size_of::<Obj>() * 2)?;
    let out = match data {
        Obj::Dict(dict) => {
            let out = Dict::new();
            for (key, value) in dict.pairs() {
                let key = decode(&key, open)?;
                out.set(key, decode(&value, open)?)?;
            }
            out.into()
        }
        Obj::Set(set) => Obj::Set(Rc::new(Set::new(set.borrow().clone(), set.frozen()))),
        other => {
            let items = other.sequence().unwrap_or_default();
            Obj::list(items.iter().map(|item| decode(item, open)).collect::<R<Vec<_>>>()?)
        }
    };
    open.pop();
    Ok(out)
}

fn load_json(_: &State, args: &Args) -> R {
    let a = only("SerializerExtension.load_json", args)?;
    let value = loaded(a.at(0))?;
    json::loads_obj(&value).or_else(|e| match e.kind() {
        Kind::RecursionError | Kind::Limit => Err(e),
        _ => Err(runtime(format!("Unable to load json from {}", str(&value)?))),
    })
}

fn load_text(_: &State, args: &Args) -> R {
    let a = only("SerializerExtension.load_text", args)?;
    loaded(a.at(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text() {
        for (bytes, why) in [
            (&b"\xff\x00"[..], "#x00ff: invalid leading UTF-8 octet 0"),
            (b"ab\xe2\x82", "#x-001: incomplete UTF-8 octet sequence 2"),
            (b"\xe2\x28\xa1", "#x0028: invalid trailing UTF-8 octet 1"),
            (b"a\xc0\x80", "#x-001: invalid length of a UTF-8 sequence 1"),
            (b"\xed\xa0\x80", "#xd800: invalid Unicode character 0"),
            (b"\xf4\x90\x80\x80", "#x110000: invalid Unicode character 0"),
        ] {
            let at = std::str::from_utf8(bytes).unwrap_err().valid_up_to();
            let said = no_utf8(bytes, at).replace("\n  in \"<byte string>\", position", "");
            assert_eq!(said, format!("unacceptable character {why}"));
        }
    }

    #[test]
    fn what_holds_itself_ends() {
        let list = Obj::list(Vec::new());
        if let Obj::List(l) = &list {
            l.borrow_mut().push(list.clone());
        }
        assert_eq!(brine_python::repr(&decode(&list, &mut Vec::new()).unwrap()).unwrap(), "[None]");
        if let Obj::List(l) = &list {
            l.borrow_mut().clear();
        }
    }
}
