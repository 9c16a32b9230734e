//! Contents of a file as a state gives them: text or lists of it, from pillar, from grains, as a template.

use brine_core::call::{Args, Cx, Result};
use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value};

/// What a state says of contents.
pub(super) struct Given<'a> {
    pub contents: Value,
    pub pillar: Value,
    pub grains: Value,
    pub delimiter: Value,
    pub newline: bool,
    pub allow_empty: bool,
    pub template: &'a Value,
    pub context: &'a Value,
    pub defaults: &'a Value,
    pub saltenv: &'a str,
}

/// A value by its path in pillar or grains; `None` where there is none.
fn found(cx: &Cx, function: &str, key: &Value, delimiter: &Value) -> Result<Option<Value>> {
    // No value of anybody's is like this.
    const NOTHING: &str = "\u{0}nothing\u{0}";
    let args = Args::positional([key.clone(), NOTHING.into()]).with("delimiter", delimiter.clone());
    let value = cx.call(function, args)?;
    Ok((value.as_str() != Some(NOTHING)).then_some(value))
}

/// All of a list, joined by line feeds, or one.
fn looked_up(
    cx: &Cx,
    function: &str,
    keys: &Value,
    delimiter: &Value,
    word: &str,
) -> Result<std::result::Result<Value, String>> {
    let Value::List(list) = keys else {
        let value = found(cx, function, keys, delimiter)?;
        return Ok(value.ok_or_else(|| format!("{word} {} does not exist", python_str(keys))));
    };
    let mut texts = Vec::new();
    for (at, key) in list.iter().enumerate() {
        match found(cx, function, key, delimiter)? {
            Some(Value::Str(text)) => texts.push(text),
            Some(other) => {
                let kind = brine_core::text::python_type(&other);
                let text = format!("sequence item {at}: expected str instance, {kind} found");
                return Err(brine_core::CallError::Arguments(text));
            }
            None => return Ok(Err(format!("{word} {} does not exist", python_str(key)))),
        }
    }
    Ok(Ok(texts.join("\n").into()))
}

/// The contents that there are to be; `Nil` where a state says nothing of them. Or why there are none: result and comment.
pub(super) fn given(cx: &Cx, wanted: Given<'_>) -> Result<std::result::Result<Value, (Option<bool>, Value)>> {
    let failed = |text: String| Ok(Err((Some(false), Value::from(text))));
    let (contents, id) = if !wanted.pillar.is_nil() {
        match looked_up(cx, "pillar.get", &wanted.pillar, &wanted.delimiter, "Pillar")? {
            Ok(found) => (found, format!("contents_pillar {}", python_str(&wanted.pillar))),
            Err(text) => return failed(text),
        }
    } else if !wanted.grains.is_nil() {
        match looked_up(cx, "grains.get", &wanted.grains, &wanted.delimiter, "Grain")? {
            Ok(found) => (found, format!("contents_grains {}", python_str(&wanted.grains))),
            Err(text) => return failed(text),
        }
    } else {
        (wanted.contents, "'contents'".to_owned())
    };
    if contents.is_nil() && wanted.pillar.is_nil() && wanted.grains.is_nil() {
        return Ok(Ok(Value::Nil));
    }
    if !wanted.allow_empty && !contents.truthy() {
        return failed(format!(
            "{id} value would result in empty contents. Set allow_empty to True to allow the managed file to be empty."
        ));
    }
    let mut contents = match parts(&contents) {
        Some(parts) if parts.is_empty() => {
            return failed(
                "Contents specified by contents/contents_pillar/contents_grains is not a string or list of strings, and is \
                 not binary data. SLS is likely malformed."
                    .into(),
            );
        }
        Some(parts) => Value::Str(lines(&parts, wanted.newline)),
        None if wanted.template.truthy() => {
            return failed(
                "Contents specified by contents/contents_pillar/contents_grains appears to be binary data, and as will not be \
                 able to be treated as a Jinja template."
                    .into(),
            );
        }
        None => contents,
    };
    if wanted.template.truthy() {
        let args = Args::positional([contents])
            .with("template", wanted.template.clone())
            .with("context", wanted.context.clone())
            .with("defaults", wanted.defaults.clone())
            .with("saltenv", wanted.saltenv);
        contents = cx.call("file.apply_template_on_contents", args)?;
        if let Value::Map(refused) = &contents {
            return Ok(Err(refusal(refused)));
        }
    }
    Ok(Ok(contents))
}

fn refusal(refused: &Map) -> (Option<bool>, Value) {
    let result = refused.get("result").filter(|result| !result.is_nil()).map(Value::truthy);
    let comment = refused.get("comment").cloned().unwrap_or_else(|| "Error while applying template on contents".into());
    (result, comment)
}

/// Texts as they are given: one, or a list of anything that can be shown; `None` for bytes that are no text.
fn parts(contents: &Value) -> Option<Vec<String>> {
    match contents {
        Value::Bytes(bytes) => String::from_utf8(bytes.clone()).ok().map(|text| vec![text]),
        Value::List(list) => Some(list.iter().map(python_str).collect()),
        other => Some(vec![python_str(other)]),
    }
}

/// Each line ended by one line feed; the last one too, if `newline`.
fn lines(parts: &[String], newline: bool) -> String {
    let mut out = String::new();
    for line in parts.iter().flat_map(|part| splitlines(part, false)) {
        out.push_str(line);
        out.push('\n');
    }
    if !newline {
        out.truncate(out.trim_end_matches('\n').trim_end_matches('\r').len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_alike() {
        let parts = |list: &[&str]| list.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_eq!(lines(&parts(&["a\r\nb", "c"]), true), "a\nb\nc\n");
        assert_eq!(lines(&parts(&["a\n\n"]), false), "a");
        assert_eq!(lines(&parts(&[""]), true), "");
        assert_eq!(super::parts(&Value::Bytes(vec![0xff])), None);
        assert_eq!(super::parts(&5.into()), Some(vec!["5".to_owned()]));
    }
}
