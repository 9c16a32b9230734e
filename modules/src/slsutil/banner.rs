//! `slsutil.banner`: a box of comments around a title and a text.

use brine_core::Value;
use brine_core::call::{CallError, Result, exec};
use brine_core::text::python_str;
use brine_python::{Args, Obj, R, call_method};
use brine_render::out::fill;
use brine_render::template::call_error;

/// Wider banners are a mistake.
const WIDEST: i64 = 1 << 16;

fn chars(text: &str) -> i64 {
    text.chars().count() as i64
}

fn repeated(text: &str, count: i64) -> String {
    text.repeat(usize::try_from(count).unwrap_or(0))
}

/// A text as Python's method of that name gives it.
fn by_method(text: &str, method: &str, args: Args) -> R<String> {
    Ok(call_method(&Obj::str(text), method, &args)?.as_str().unwrap_or_default().to_owned())
}

/// Create a standardized comment block to include in a templated file.
///
/// CLI Example: salt '*' slsutil.banner width=60
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn banner(
    #[default(72)] width: i64,
    #[default("#")] commentchar: String,
    #[default("#")] borderchar: String,
    blockstart: Option<Value>,
    blockend: Option<Value>,
    title: Option<Value>,
    text: Option<Value>,
    #[default(false)] newline: Value,
) -> Result<String> {
    let or =
        |value: Option<Value>, default: &str| value.map_or_else(|| default.to_owned(), |v| python_str(&v));
    let title = or(title, "THIS FILE IS MANAGED BY SALT - DO NOT EDIT");
    let text = or(
        text,
        "The contents of this file are managed by Salt. Any changes to this file may be overwritten automatically and \
         without warning.",
    );
    let left = by_method(&commentchar, "rstrip", Args::default()).map_err(call_error)?;
    let right = by_method(&commentchar, "strip", Args::default()).map_err(call_error)?;
    let (left_gutter, right_gutter) = (format!("{left} "), format!(" {right}"));
    let room = width - chars(&left_gutter) - chars(&right_gutter);
    if room <= 0 {
        return Err(CallError::execution("Width is too small to render banner"));
    }
    if width > WIDEST {
        return Err(CallError::exception("MemoryError", ""));
    }
    let border: String = borderchar.chars().take(1).collect();
    let border = format!("{commentchar}{}{right}", repeated(&border, width - chars(&left) - chars(&right)));
    let spacer = format!("{commentchar}{}{commentchar}", repeated(" ", width - chars(&commentchar) * 2));
    let lines = |text: &str| -> Vec<String> {
        let filled = fill(text, room as usize, 0);
        if filled.is_empty() { Vec::new() } else { filled.split('\n').map(str::to_owned).collect() }
    };
    let mut block: Vec<String> = blockstart.iter().map(python_str).collect();
    block.extend([border.clone(), spacer.clone()]);
    for line in lines(&title) {
        let centered = by_method(&line, "center", Args::of([Obj::Int(room)])).map_err(call_error)?;
        block.push(format!("{left_gutter}{centered}{right_gutter}"));
    }
    block.push(spacer);
    for line in lines(&text) {
        block.push(format!("{left_gutter}{line}{}{right_gutter}", repeated(" ", room - chars(&line))));
    }
    block.push(border);
    block.extend(blockend.iter().map(python_str));
    let mut out = block.join("\n");
    if newline.truthy() {
        out.push('\n');
    }
    Ok(out)
}
