//! Text as a YAML scalar in quotes, on one line, as PyYAML's emitter writes it.

use brine_jinja::{State, Table};
use brine_python::{Args, Kind, Obj, PyErr, R, Signature, float_repr, repr, str};

pub(super) fn add(table: &mut Table) {
    table.insert("yaml_dquote", |_, args| {
        let text = str(DQUOTE.bind(args)?.at(0))?;
        super::text::room(text.len() * 2)?;
        Ok(double(&text, false).into())
    });
    table.insert("yaml_squote", |_, args| {
        let text = str(SQUOTE.bind(args)?.at(0))?;
        super::text::room(text.len() * 2)?;
        Ok(single(&text).into())
    });
    table.insert("yaml_encode", yaml_encode);
}

const DQUOTE: Signature = Signature::new("yaml_dquote", 0, &["text"], 1);
const SQUOTE: Signature = Signature::new("yaml_squote", 0, &["text"], 1);

/// In double quotes.
pub(super) fn double(text: &str, unicode: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        let short = match c {
            '\0' => "0",
            '\u{7}' => "a",
            '\u{8}' => "b",
            '\t' => "t",
            '\n' => "n",
            '\u{b}' => "v",
            '\u{c}' => "f",
            '\r' => "r",
            '\u{1b}' => "e",
            '"' => "\"",
            '\\' => "\\",
            '\u{85}' => "N",
            '\u{a0}' if !unicode => "_",
            '\u{2028}' => "L",
            '\u{2029}' => "P",
            ' '..='~' => "",
            '\u{feff}' => "uFEFF",
            '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' if unicode => "",
            c => {
                let n = c as u32;
                out.push_str(&match n {
                    0..=0xff => format!("\\x{n:02X}"),
                    0x100..=0xffff => format!("\\u{n:04X}"),
                    _ => format!("\\U{n:08X}"),
                });
                continue;
            }
        };
        if short.is_empty() {
            out.push(c);
        } else {
            out.push('\\');
            out.push_str(short);
        }
    }
    out.push('"');
    out
}

/// In single quotes: a run of line ends that begins with `\n` gets one more.
fn single(text: &str) -> String {
    let ends = |c: char| matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\n' if !ends(before) => out.push_str("\n\n"),
            c => out.push(c),
        }
        before = c;
    }
    out.push('\'');
    out
}

fn yaml_encode(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("yaml_encode", 0, &["data"], 1);
    let a = SIG.bind(args)?;
    let data = a.at(0);
    Ok(match data {
        Obj::Str(text) => double(text, false).into(),
        Obj::None => Obj::str("null"),
        Obj::Bool(b) => Obj::str(if *b { "true" } else { "false" }),
        Obj::Int(_) | Obj::Big(_) | Obj::Date(_) | Obj::DateTime(_) => str(data)?.into(),
        Obj::Float(x) => float(*x).into(),
        Obj::Bytes(bytes) => lines(bytes).into(),
        Obj::List(_) | Obj::Tuple(_) | Obj::Dict(_) | Obj::Set(_) if plain(data) => {
            represented(data, 0)?;
            return Err(PyErr::ty(format!(
                "yaml_encode() only works with YAML scalar data; failed for {}",
                super::kinds::class(data)
            )));
        }
        _ => return Err(unknown(data)?),
    })
}

fn unknown(data: &Obj) -> R<PyErr> {
    let text = format!("('cannot represent an object', {})", repr(data)?);
    Ok(PyErr::new(Kind::Other("RepresenterError"), text))
}

/// Whether PyYAML's own representer knows all that is in it.
fn represented(data: &Obj, depth: usize) -> R<()> {
    if depth > 250 {
        return Err(PyErr::recursion(""));
    }
    match data {
        Obj::List(_) | Obj::Tuple(_) if plain(data) => {
            for item in data.sequence().unwrap_or_default() {
                represented(&item, depth + 1)?;
            }
        }
        Obj::Dict(dict) if plain(data) => {
            let pairs = dict.pairs().into_iter().map(|(k, v)| Obj::tuple(vec![k, v])).collect();
            let pairs = Obj::list(pairs);
            for pair in brine_python::sorted(&pairs, None, false).or_else(|_| pairs.items())? {
                for item in pair.items()? {
                    represented(&item, depth + 1)?;
                }
            }
        }
        Obj::Set(set) if plain(data) => {
            for item in set.to_vec() {
                represented(&item, depth + 1)?;
            }
        }
        Obj::Str(_)
        | Obj::None
        | Obj::Bool(_)
        | Obj::Int(_)
        | Obj::Big(_)
        | Obj::Float(_)
        | Obj::Bytes(_)
        | Obj::Date(_)
        | Obj::DateTime(_) => {}
        _ => return Err(unknown(data)?),
    }
    Ok(())
}

/// Whether PyYAML represents the very type, and not only a subclass of it.
fn plain(data: &Obj) -> bool {
    matches!(data.type_name(), "list" | "tuple" | "dict" | "set")
}

fn float(x: f64) -> String {
    if x.is_nan() {
        return ".nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let text = float_repr(x).to_lowercase();
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

/// Base64 in lines of 76 characters.
fn lines(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let line = |part: &[u8]| base64::engine::general_purpose::STANDARD.encode(part) + "\n";
    bytes.chunks(57).map(line).collect()
}
