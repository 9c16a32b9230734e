//! Python's `str()` and `repr()` of plain values: error texts, outputters and templates all show values so.

use brine_protocol::Value;

/// Python's name of a value's type.
pub fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Nil => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) => "str",
        Value::Bytes(_) => "bytes",
        Value::List(_) => "list",
        Value::Map(_) => "dict",
        Value::DateTime(_) => "datetime.datetime",
    }
}

/// Python's `str(value)`.
pub fn python_str(value: &Value) -> String {
    match value {
        Value::Str(s) => s.clone(),
        Value::DateTime(d) => d.to_string(),
        other => python_repr(other),
    }
}

/// Python's `repr(value)`.
pub fn python_repr(value: &Value) -> String {
    let mut out = String::new();
    repr_into(&mut out, value);
    out
}

fn repr_into(out: &mut String, value: &Value) {
    match value {
        Value::Nil => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::Float(x) => out.push_str(&python_float(*x)),
        Value::Str(s) => repr_text(out, s),
        Value::Bytes(b) => repr_bytes(out, b),
        Value::List(l) => {
            out.push('[');
            for (i, v) in l.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                repr_into(out, v);
            }
            out.push(']');
        }
        Value::Map(m) => {
            out.push('{');
            for (i, (k, v)) in m.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                repr_into(out, k);
                out.push_str(": ");
                repr_into(out, v);
            }
            out.push('}');
        }
        Value::DateTime(d) => {
            out.push_str(&format!(
                "datetime.datetime({}, {}, {}, {}, {}",
                d.year, d.month, d.day, d.hour, d.minute
            ));
            if d.second != 0 || d.micro != 0 {
                out.push_str(&format!(", {}", d.second));
            }
            if d.micro != 0 {
                out.push_str(&format!(", {}", d.micro));
            }
            out.push(')');
        }
    }
}

/// Python's `text.splitlines(keepends)`.
pub fn splitlines(text: &str, keepends: bool) -> Vec<&str> {
    split_at_ends(text, keepends, |c| {
        matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
    })
}

/// The lines of a file that Python reads as text, or the `splitlines` of bytes: only `\n`, `\r` and both together end one.
pub fn file_lines(text: &str, keepends: bool) -> Vec<&str> {
    split_at_ends(text, keepends, |c| matches!(c, '\n' | '\r'))
}

fn split_at_ends(text: &str, keepends: bool, is_end: fn(char) -> bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((at, c)) = rest.char_indices().find(|(_, c)| is_end(*c)) else {
            lines.push(rest);
            break;
        };
        let end = if rest[at..].starts_with("\r\n") { at + 2 } else { at + c.len_utf8() };
        lines.push(&rest[..if keepends { end } else { at }]);
        rest = &rest[end..];
    }
    lines
}

/// Salt's `is_true`, for flags that may come as text.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Str(s) => s.eq_ignore_ascii_case("true") || s.parse::<f64>().is_ok_and(|x| x > 0.0),
        Value::Int(i) => *i > 0,
        Value::Float(x) => *x > 0.0,
        other => other.truthy(),
    }
}

/// Python's `a == b`: numbers and truth by their value, whatever their kind; dicts in any order.
pub fn python_eq(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Bool(b) => Some(Value::from(i64::from(*b))),
        Value::Int(_) | Value::Float(_) => Some(value.clone()),
        _ => None,
    };
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| python_eq(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get_key(key).is_some_and(|other| python_eq(value, other)))
        }
        _ => match (number(a), number(b)) {
            (Some(Value::Int(a)), Some(Value::Int(b))) => a == b,
            (Some(a), Some(b)) => a.as_float() == b.as_float(),
            _ => a == b,
        },
    }
}

/// Python's shortest representation of a double: `1.0`, `1e+16`, `1e-05`, `inf`, `nan`.
pub fn python_float(x: f64) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let sci = format!("{x:e}");
    let (mantissa, exp) = sci.split_once('e').unwrap_or((&sci, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    if (-4..16).contains(&exp) {
        let plain = format!("{x}");
        if plain.contains('.') { plain } else { format!("{plain}.0") }
    } else {
        format!("{mantissa}e{}{:02}", if exp < 0 { '-' } else { '+' }, exp.abs())
    }
}

/// Text with quotes, escaped as Python does it (single quotes unless only double ones avoid escaping).
fn repr_text(out: &mut String, s: &str) {
    let quote = if s.contains('\'') && !s.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in s.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_unprintable(c) => match c as u32 {
                n @ 0..=0xff => out.push_str(&format!("\\x{n:02x}")),
                n @ 0x100..=0xffff => out.push_str(&format!("\\u{n:04x}")),
                n => out.push_str(&format!("\\U{n:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// What `str.isprintable` denies beyond ASCII: controls, formats, separators other than space, private use; and of
/// what no character has been assigned to only the ends of planes. Python denies all of that, as of its Unicode.
fn is_unprintable(c: char) -> bool {
    matches!(c as u32,
        0x80..=0xa0 | 0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890 | 0x891 | 0x8e2 | 0x1680 | 0x180e
        | 0x2000..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f | 0x3000 | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb
        | 0xfffe | 0xffff | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0x323b0..=0xe00ff | 0xe01f0..=0x10ffff)
}

fn repr_bytes(out: &mut String, b: &[u8]) {
    let quote = if b.contains(&b'\'') && !b.contains(&b'"') { b'"' } else { b'\'' };
    out.push('b');
    out.push(char::from(quote));
    for &c in b {
        match c {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(char::from(c));
            }
            0x20..=0x7e => out.push(char::from(c)),
            c => out.push_str(&format!("\\x{c:02x}")),
        }
    }
    out.push(char::from(quote));
}

/// Python's `str(OSError)` of a file: `[Errno 2] No such file or directory: 'x'`.
pub fn python_os_error(e: &std::io::Error, file: &str) -> String {
    let text = python_strerror(e);
    match e.raw_os_error() {
        Some(code) => format!("[Errno {code}] {text}: {}", python_repr(&file.into())),
        None => text,
    }
}

/// Python's `exc.strerror`.
pub fn python_strerror(e: &std::io::Error) -> String {
    let text = e.to_string();
    let code = e.raw_os_error().map(|code| format!(" (os error {code})")).unwrap_or_default();
    text.strip_suffix(&code).unwrap_or(&text).to_owned()
}

/// `re.escape`.
pub fn re_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Salt's guess whether a file is text: by its first 512 bytes.
pub fn is_text(bytes: &[u8]) -> bool {
    let block = &bytes[..bytes.len().min(512)];
    if block.contains(&0) {
        return false;
    }
    if std::str::from_utf8(block).is_ok() {
        return true;
    }
    let odd = block.iter().filter(|b| !matches!(b, 32..=126 | b'\n' | b'\r' | b'\t' | 0x0c | 0x08)).count();
    odd * 10 <= block.len() * 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn lines_end_in_many_ways() {
        assert_eq!(splitlines("a\r\nb\rc\u{2028}d", false), ["a", "b", "c", "d"]);
        assert_eq!(splitlines("a\r\nb\u{85}", true), ["a\r\n", "b\u{85}"]);
        assert_eq!(file_lines("a\u{85}\r\n\rb", true), ["a\u{85}\r\n", "\r", "b"]);
        assert!(splitlines("", true).is_empty());
    }

    #[test]
    fn text_is_told_from_other_files() {
        assert!(is_text(b"") && is_text("é".as_bytes()) && is_text(b"plain \xe9t\xe9"));
        assert!(!is_text(b"a\0") && !is_text(b"\xff\xfe\xfd"));
    }

    #[test]
    fn patterns_are_escaped_as_in_python() {
        assert_eq!(re_escape("a.b c"), r"a\.b\ c");
    }

    #[test]
    fn equality_is_pythons() {
        let one: [Value; 3] = [1.into(), true.into(), 1.0.into()];
        assert!(one.iter().all(|a| one.iter().all(|b| python_eq(a, b))));
        assert!(python_eq(
            &map! {"a" => 1, "b" => vec![Value::from(0)]}.into(),
            &map! {"b" => vec![Value::from(false)], "a" => 1.0}.into()
        ));
        assert!(!python_eq(&"1".into(), &1.into()));
        assert!(!python_eq(&Value::Nil, &false.into()));
    }

    #[test]
    fn repr_is_pythons() {
        let cases = [
            (Value::from("it's"), "\"it's\""),
            ("a'b\"c".into(), "'a\\'b\"c'"),
            ("\u{e9}\n\u{1}".into(), "'\u{e9}\\n\\x01'"),
            (1.0.into(), "1.0"),
            (1e16.into(), "1e+16"),
            (123456789012345680.0.into(), "1.2345678901234568e+17"),
            (0.00001.into(), "1e-05"),
            (0.0001.into(), "0.0001"),
            ((-0.0).into(), "-0.0"),
            (vec![0xffu8, b'a', b'\''].into(), "b\"\\xffa'\""),
            (map! {"a" => vec![Value::Nil, true.into()]}.into(), "{'a': [None, True]}"),
        ];
        for (v, text) in cases {
            assert_eq!(python_repr(&v), text);
        }
    }
}
