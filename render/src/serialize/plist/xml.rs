//! A property list as XML.

use super::super::shown_class;
use super::{DEEP, Pairs, key};
use base64::Engine as _;
use brine_python::{Obj, PyErr, R, float_repr, need_bytes};
use num_bigint::BigInt;

const HEADER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";

pub(super) fn write(value: &Obj, pairs: &Pairs) -> R<Vec<u8>> {
    let mut writer = Writer { out: HEADER.to_owned(), level: 0, pairs };
    writer.line("<plist version=\"1.0\">");
    writer.value(value)?;
    writer.line("</plist>");
    Ok(writer.out.into_bytes())
}

struct Writer<'p> {
    out: String,
    level: usize,
    pairs: &'p Pairs,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n('\t', self.level));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn element(&mut self, name: &str, text: &str) {
        self.line(&format!("<{name}>{text}</{name}>"));
    }

    fn value(&mut self, value: &Obj) -> R<()> {
        need_bytes(16)?;
        if self.level > DEEP {
            return Err(PyErr::recursion(""));
        }
        match value {
            Obj::Bool(b) => self.line(if *b { "<true/>" } else { "<false/>" }),
            Obj::Int(i) => self.element("integer", &i.to_string()),
            Obj::Big(n) => {
                if **n >= BigInt::from(1u128 << 64) || **n < BigInt::from(i64::MIN) {
                    return Err(PyErr::overflow(brine_python::str(value)?));
                }
                self.element("integer", &brine_python::str(value)?);
            }
            Obj::Float(x) => self.element("real", &float_repr(*x)),
            Obj::Dict(dict) => {
                let pairs = dict.pairs();
                if pairs.is_empty() {
                    self.line("<dict/>");
                    return Ok(());
                }
                self.line("<dict>");
                self.level += 1;
                for (name, value) in self.pairs.of(pairs)? {
                    let name = escape(key(&name)?)?;
                    self.element("key", &name);
                    self.value(&value)?;
                }
                self.level -= 1;
                self.line("</dict>");
            }
            Obj::Bytes(bytes) => self.bytes(bytes),
            Obj::DateTime(d) => {
                let [hour, minute, second, _] = d.time.fields();
                let (year, month, day) = (d.date.year, d.date.month, d.date.day);
                self.element(
                    "date",
                    &format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
                );
            }
            Obj::List(_) | Obj::Tuple(_) => {
                let items = value.sequence().unwrap_or_default();
                if items.is_empty() {
                    self.line("<array/>");
                    return Ok(());
                }
                self.line("<array>");
                self.level += 1;
                for item in &items {
                    self.value(item)?;
                }
                self.level -= 1;
                self.line("</array>");
            }
            _ => match value.as_str() {
                Some(text) => {
                    let text = escape(text)?;
                    self.element("string", &text);
                }
                None => return Err(PyErr::ty(format!("unsupported type: {}", shown_class(value)))),
            },
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.line("<data>");
        // Three bytes are four characters.
        let most = 76usize.saturating_sub(8 * self.level).max(16) / 4 * 3;
        for chunk in bytes.chunks(most) {
            let text = base64::engine::general_purpose::STANDARD.encode(chunk);
            self.line(&text);
        }
        self.line("</data>");
    }
}

fn escape(text: &str) -> R<String> {
    if text.chars().any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(PyErr::value("strings can't contain control characters; use bytes instead"));
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Ok(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}
