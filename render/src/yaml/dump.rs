//! Values to YAML as PyYAML's safe dumper writes them.

use crate::out::sorted;
use base64::Engine as _;
use brine_core::scalar::{self, Kind};
use brine_core::text::python_float;
use brine_protocol::Value;
use libyaml_safer as y;

/// PyYAML's `default_flow_style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Always block style.
    Block,
    /// Always flow style.
    Inline,
    /// Flow style for what holds nothing but scalars, else block style: PyYAML's `None`.
    Leaves,
}

impl Flow {
    /// Whether a list or map with these members is written in one line.
    fn is_inline<'v>(self, mut members: impl Iterator<Item = &'v Value>) -> bool {
        match self {
            Flow::Block => false,
            Flow::Inline => true,
            Flow::Leaves => {
                members.all(|member| !matches!(member, Value::List(_) | Value::Map(_) | Value::Bytes(_)))
            }
        }
    }
}

/// How to dump.
#[derive(Clone, Copy, Debug)]
pub struct DumpOptions {
    /// Block or flow style throughout.
    pub flow: Flow,
    /// Columns per level, 2 to 9; others mean 2.
    pub indent: Option<usize>,
    /// Keys in Python's order where they can be compared, else in the order they stand.
    pub sort_keys: bool,
    /// Text beyond ASCII stays as it is; else it is escaped.
    pub unicode: bool,
}

/// Text as `yaml.dump` with the safe dumper on libyaml's emitter gives it.
pub fn dump(value: &Value, options: DumpOptions) -> String {
    let far = Far::of(value);
    let mut out = Vec::new();
    // Writing to memory does not fail, and the events below are always in order.
    let _done = emit(value, options, &far, &mut out);
    far.restore(String::from_utf8(out).unwrap_or_default())
}

/// Characters beyond the basic plane: libyaml holds them for unprintable and writes `\UXXXXXXXX`, its port does not.
/// Lines break by columns, so two unprintable characters that take as much room stand for each until all is written.
struct Far {
    /// In the order in which they are written.
    chars: std::cell::RefCell<Vec<char>>,
    /// The second of the two, one that no text of the value has after U+FFFE.
    mark: char,
}

impl Far {
    fn of(value: &Value) -> Self {
        let mark = ('\x01'..='\x06').find(|mark| !contains(value, &format!("\u{fffe}{mark}")));
        Self { chars: std::cell::RefCell::default(), mark: mark.unwrap_or('\x0e') }
    }

    fn replace(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if beyond_bmp(c) {
                self.chars.borrow_mut().push(c);
                out.extend(['\u{fffe}', self.mark]);
            } else {
                out.push(c);
            }
        }
        out
    }

    fn restore(&self, text: String) -> String {
        let chars = self.chars.borrow();
        if chars.is_empty() {
            return text;
        }
        let standing = format!("\\uFFFE\\x{:02X}", self.mark as u32);
        let mut out = String::with_capacity(text.len());
        for (i, part) in text.split(&standing).enumerate() {
            if let Some(c) = i.checked_sub(1).and_then(|i| chars.get(i)) {
                out.push_str(&format!("\\U{:08X}", *c as u32));
            }
            out.push_str(part);
        }
        out
    }
}

fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::Str(s) => s.contains(text),
        Value::List(items) => items.iter().any(|item| contains(item, text)),
        Value::Map(map) => map.iter().any(|(k, v)| contains(k, text) || contains(v, text)),
        _ => false,
    }
}

fn beyond_bmp(c: char) -> bool {
    c as u32 > 0xffff
}

/// Salt's `safe_dump(value, default_flow_style=False)`.
pub fn safe_dump(value: &Value) -> String {
    dump(value, DumpOptions { flow: Flow::Block, indent: None, sort_keys: true, unicode: true })
}

fn emit(value: &Value, options: DumpOptions, far: &Far, out: &mut Vec<u8>) -> y::Result<()> {
    let mut emitter = y::Emitter::new();
    emitter.set_output_string(out);
    emitter.set_unicode(options.unicode);
    if let Some(indent) = options.indent {
        emitter.set_indent(i32::try_from(indent).unwrap_or(2));
    }
    emitter.emit(y::Event::stream_start(y::Encoding::Utf8))?;
    emitter.emit(y::Event::document_start(None, &[], true))?;
    node(&mut emitter, value, options, far)?;
    emitter.emit(y::Event::document_end(true))?;
    emitter.emit(y::Event::stream_end())?;
    emitter.flush()
}

fn node(emitter: &mut y::Emitter<'_>, value: &Value, options: DumpOptions, far: &Far) -> y::Result<()> {
    match value {
        Value::List(items) => {
            let inline = options.flow.is_inline(items.iter());
            let style = if inline { y::SequenceStyle::Flow } else { y::SequenceStyle::Block };
            emitter.emit(y::Event::sequence_start(None, None, true, style))?;
            for item in items {
                node(emitter, item, options, far)?;
            }
            emitter.emit(y::Event::sequence_end())
        }
        Value::Map(map) => {
            let inline = options.flow.is_inline(map.values());
            let style = if inline { y::MappingStyle::Flow } else { y::MappingStyle::Block };
            emitter.emit(y::Event::mapping_start(None, None, true, style))?;
            let entries = if options.sort_keys { sorted(map) } else { None };
            for (key, value) in entries.unwrap_or_else(|| map.iter().collect()) {
                node(emitter, key, options, far)?;
                node(emitter, value, options, far)?;
            }
            emitter.emit(y::Event::mapping_end())
        }
        Value::Nil => plain(emitter, "null"),
        Value::Bool(b) => plain(emitter, if *b { "true" } else { "false" }),
        Value::Int(i) => plain(emitter, &i.to_string()),
        Value::Float(x) => plain(emitter, &float(*x)),
        Value::DateTime(d) => plain(emitter, &d.to_string()),
        Value::Str(s) => text(emitter, s, far),
        Value::Bytes(b) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(b);
            // Python breaks the text after 76 characters, and ends it with a line end.
            let mut lines = String::new();
            for chunk in encoded.as_bytes().chunks(76) {
                lines.push_str(&String::from_utf8_lossy(chunk));
                lines.push('\n');
            }
            let tag = Some("tag:yaml.org,2002:binary");
            emitter.emit(y::Event::scalar(None, tag, &lines, false, false, y::ScalarStyle::Literal))
        }
    }
}

fn plain(emitter: &mut y::Emitter<'_>, text: &str) -> y::Result<()> {
    emitter.emit(y::Event::scalar(None, None, text, true, false, y::ScalarStyle::Plain))
}

/// Text is plain only where it reads back as text.
fn text(emitter: &mut y::Emitter<'_>, text: &str, far: &Far) -> y::Result<()> {
    let as_text = scalar::resolve(text) == Kind::Str;
    if text.chars().any(beyond_bmp) {
        let style = y::ScalarStyle::DoubleQuoted;
        return emitter.emit(y::Event::scalar(None, None, &far.replace(text), as_text, true, style));
    }
    let style = if as_text { y::ScalarStyle::Any } else { y::ScalarStyle::SingleQuoted };
    emitter.emit(y::Event::scalar(None, None, text, as_text, true, style))
}

/// PyYAML's doubles: an exponent without point gets one, for `1e17` would read back as text.
fn float(x: f64) -> String {
    if x.is_nan() {
        return ".nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let text = python_float(x);
    if !text.contains('.') && text.contains('e') { text.replacen('e', ".0e", 1) } else { text }
}

/// As [`dump`], of a value of templates.
///
/// # Errors
/// `RecursionError` for what is nested too deep.
pub fn dump_obj(value: &brine_python::Obj, options: &DumpOptions) -> brine_python::R<String> {
    Ok(dump(&brine_python::to_value(value)?, *options))
}
