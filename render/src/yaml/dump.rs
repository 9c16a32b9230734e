//! Values to YAML as PyYAML's safe dumper writes them.

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
}

/// Text as `yaml.dump(value, default_flow_style=..., indent=..)` of PyYAML's pure-Python dumper gives it, keys in
/// their order, non-ASCII text escaped unless `unicode`.
pub fn dump(value: &Value, flow: Flow, indent: Option<usize>, unicode: bool) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail, and the events below are always in order.
    let _done = emit(value, flow, indent, unicode, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Salt's `safe_dump(value, default_flow_style=False)`.
pub fn safe_dump(value: &Value) -> String {
    dump(value, Flow::Block, None, true)
}

fn emit(value: &Value, flow: Flow, indent: Option<usize>, unicode: bool, out: &mut Vec<u8>) -> y::Result<()> {
    let mut emitter = y::Emitter::new();
    emitter.set_output_string(out);
    emitter.set_unicode(unicode);
    if let Some(indent) = indent {
        emitter.set_indent(i32::try_from(indent).unwrap_or(2));
    }
    emitter.emit(y::Event::stream_start(y::Encoding::Utf8))?;
    emitter.emit(y::Event::document_start(None, &[], true))?;
    node(&mut emitter, value, flow)?;
    emitter.emit(y::Event::document_end(true))?;
    emitter.emit(y::Event::stream_end())?;
    emitter.flush()
}

fn node(emitter: &mut y::Emitter<'_>, value: &Value, flow: Flow) -> y::Result<()> {
    match value {
        Value::List(items) => {
            let style = if flow == Flow::Inline { y::SequenceStyle::Flow } else { y::SequenceStyle::Block };
            emitter.emit(y::Event::sequence_start(None, None, true, style))?;
            for item in items {
                node(emitter, item, flow)?;
            }
            emitter.emit(y::Event::sequence_end())
        }
        Value::Map(map) => {
            let style = if flow == Flow::Inline { y::MappingStyle::Flow } else { y::MappingStyle::Block };
            emitter.emit(y::Event::mapping_start(None, None, true, style))?;
            for (key, value) in map {
                node(emitter, key, flow)?;
                node(emitter, value, flow)?;
            }
            emitter.emit(y::Event::mapping_end())
        }
        Value::Nil => plain(emitter, "null"),
        Value::Bool(b) => plain(emitter, if *b { "true" } else { "false" }),
        Value::Int(i) => plain(emitter, &i.to_string()),
        Value::Float(x) => plain(emitter, &float(*x)),
        Value::DateTime(d) => plain(emitter, &d.to_string()),
        Value::Str(s) => text(emitter, s),
        Value::Bytes(b) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(b);
            // Python breaks the text after 76 characters, and ends it with a line end.
            let mut lines = String::new();
            for chunk in encoded.as_bytes().chunks(76) {
                lines.push_str(&String::from_utf8_lossy(chunk));
                lines.push('\n');
            }
            emitter.emit(y::Event::scalar(
                None,
                Some("tag:yaml.org,2002:binary"),
                &lines,
                false,
                false,
                y::ScalarStyle::Literal,
            ))
        }
    }
}

fn plain(emitter: &mut y::Emitter<'_>, text: &str) -> y::Result<()> {
    emitter.emit(y::Event::scalar(None, None, text, true, false, y::ScalarStyle::Plain))
}

/// Text is plain only where it reads back as text.
fn text(emitter: &mut y::Emitter<'_>, text: &str) -> y::Result<()> {
    let as_text = scalar::resolve(text) == Kind::Str;
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
