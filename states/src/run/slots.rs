//! Slots: arguments that are calls (`__slot__:salt:test.echo(text)`), made when the state is run.

use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::target::traverse;
use brine_core::{Map, Value};
use std::collections::VecDeque;

const SLOT: &str = "__slot__:";

/// Fills the slots of arguments: of their own text, and of what stands in them one level deep.
///
/// # Errors
/// What the functions raise.
pub(super) fn format(cx: &Cx, args: &mut Map) -> Result<()> {
    for (_, value) in args.iter_mut() {
        argument(cx, value)?;
    }
    Ok(())
}

/// The same for a list of arguments.
///
/// # Errors
/// What the functions raise.
pub(super) fn format_list(cx: &Cx, args: &mut [Value]) -> Result<()> {
    args.iter_mut().try_for_each(|value| argument(cx, value))
}

fn argument(cx: &Cx, value: &mut Value) -> Result<()> {
    match value {
        Value::Str(_) => text(cx, value),
        Value::Map(map) => map.iter_mut().try_for_each(|(_, value)| text(cx, value)),
        Value::List(list) => list.iter_mut().try_for_each(|value| match value {
            Value::Map(map) => map.iter_mut().try_for_each(|(_, value)| text(cx, value)),
            other => text(cx, other),
        }),
        _ => Ok(()),
    }
}

fn text(cx: &Cx, value: &mut Value) -> Result<()> {
    let Some(slot) = value.as_str().filter(|text| text.starts_with(SLOT)).map(str::to_owned) else {
        return Ok(());
    };
    *value = eval(cx, &slot)?;
    Ok(())
}

/// What a slot stands for; itself where it is malformed.
fn eval(cx: &Cx, slot: &str) -> Result {
    let parts: Vec<&str> = slot.splitn(3, ':').collect();
    let [_, "salt", call] = parts.as_slice() else {
        tracing::warn!("Malformed slot: {slot}");
        return Ok(slot.into());
    };
    let parsed = parse(call)?.filter(|(name, ..)| cx.registry.get(name).is_some());
    let Some((name, positional, keyword)) = parsed else {
        tracing::warn!("Malformed slot: {slot}");
        tracing::warn!(
            "Execution module should be specified in a function call format: test.arg('arg', kw='kwarg')"
        );
        return Ok(slot.into());
    };
    let mut result = cx.call(&name, Args { positional, keyword })?;
    let (call, appended) = match call.split_once('~') {
        Some((call, appended)) => (call, Some(appended.trim())),
        None => (*call, None),
    };
    let path = call.rfind(')').and_then(|end| call.get(end + 1..)).unwrap_or_default();
    if let Some((_, path)) = path.split_once('.') {
        result = traverse(&result, path.trim(), ".").cloned().unwrap_or_default();
    }
    if let Some(appended) = appended {
        let quoted = |quote: char| appended.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        let appended = quoted('"').or_else(|| quoted('\'')).unwrap_or(appended);
        match &mut result {
            Value::Str(text) => text.push_str(appended),
            _ => tracing::error!("Ignoring slot append, slot result is not a string"),
        }
    }
    Ok(result)
}

type Call = (String, Vec<Value>, Map);

/// `name(arg, kw=arg)`: `parse_function`. All arguments are text.
fn parse(text: &str) -> Result<Option<Call>> {
    let mut words = Words { chars: text.chars().collect() };
    let mut name = String::new();
    loop {
        match words.next()? {
            None => return Ok(None),
            Some(word) if word == "(" => break,
            Some(word) => name += &word,
        }
    }
    if name.is_empty() {
        return Ok(None);
    }
    let (mut positional, mut keyword) = (Vec::new(), Map::new());
    let (mut word, mut has_word, mut key): (String, bool, Option<String>) = (String::new(), false, None);
    let mut brackets: Vec<String> = Vec::new();
    while let Some(token) = words.next()? {
        match token.as_str() {
            // Nothing between quotes is found in every text, and so among the brackets.
            "" | "[" | "{" | "(" => {
                word += &token;
                has_word = true;
                brackets.push(token);
            }
            "," | ")" if brackets.is_empty() => {
                match key.take() {
                    Some(key) if !key.is_empty() => drop(keyword.insert(key, std::mem::take(&mut word))),
                    _ if has_word => positional.push(std::mem::take(&mut word).into()),
                    _ => {}
                }
                if token == ")" {
                    return Ok(Some((name, positional, keyword)));
                }
                word.clear();
                has_word = false;
            }
            "]" | "}" | ")" => {
                let fits = match brackets.pop().as_deref() {
                    Some("[") => token == "]",
                    Some("{") => token == "}",
                    Some("(") => token == ")",
                    Some(_) => return Err(CallError::exception("KeyError", "''")),
                    None => false,
                };
                if !fits {
                    return Ok(None);
                }
                word += &token;
                has_word = true;
            }
            "=" if brackets.is_empty() => {
                key = Some(std::mem::take(&mut word));
                has_word = false;
            }
            _ => {
                word += &token;
                has_word = true;
            }
        }
    }
    Ok(None)
}

/// Python's `shlex.shlex(text, posix=True)`, with both quotes letting backslashes escape.
struct Words {
    chars: VecDeque<char>,
}

impl Words {
    fn next(&mut self) -> Result<Option<String>> {
        let mut token = String::new();
        let mut quoted = false;
        // What the next letter belongs to: a quote, or a word, or nothing yet.
        let mut quote: Option<char> = None;
        let mut in_word = false;
        loop {
            let Some(letter) = self.chars.pop_front() else {
                if quote.is_some() {
                    return Err(CallError::exception("ValueError", "No closing quotation"));
                }
                return Ok((quoted || !token.is_empty()).then_some(token));
            };
            match quote {
                Some(end) if letter == end => {
                    quote = None;
                    in_word = true;
                }
                Some(end) if letter == '\\' => {
                    let escaped = self.escaped()?;
                    if escaped != '\\' && escaped != end {
                        token.push('\\');
                    }
                    token.push(escaped);
                }
                Some(_) => token.push(letter),
                None => match letter {
                    ' ' | '\t' | '\r' | '\n' => {
                        in_word = false;
                        if quoted || !token.is_empty() {
                            return Ok(Some(token));
                        }
                    }
                    '#' => {
                        while self.chars.pop_front().is_some_and(|letter| letter != '\n') {}
                        in_word = false;
                        if quoted || !token.is_empty() {
                            return Ok(Some(token));
                        }
                    }
                    '\'' | '"' => {
                        quote = Some(letter);
                        quoted = true;
                    }
                    '\\' => {
                        token.push(self.escaped()?);
                        in_word = true;
                    }
                    letter if letter == '_' || is_word(letter) => {
                        token.push(letter);
                        in_word = true;
                    }
                    letter if in_word => {
                        self.chars.push_front(letter);
                        in_word = false;
                        if quoted || !token.is_empty() {
                            return Ok(Some(token));
                        }
                    }
                    letter => return Ok(Some(letter.to_string())),
                },
            }
        }
    }

    fn escaped(&mut self) -> Result<char> {
        self.chars.pop_front().ok_or_else(|| CallError::exception("ValueError", "No escaped character"))
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || (('\u{c0}'..='\u{ff}').contains(&letter) && letter != '×' && letter != '÷')
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn calls_are_read_as_stock_reads_them() {
        let call = |text: &str| parse(text).unwrap();
        let (name, positional, keyword) = call("test.arg(a, 'b c', k=\"v\\\"w\", l=[1, 2])").unwrap();
        assert_eq!(name, "test.arg");
        assert_eq!(positional, [Value::from("a"), "b c".into()]);
        assert_eq!(keyword, map! {"k" => "v\"w", "l" => "[1,2]"});
        assert_eq!(call("test.ping()").unwrap().1, Vec::<Value>::new());
        assert!(call("test.ping").is_none());
        assert!(call("test.ping(a").is_none());
        assert!(call("f(/a/b.c)").is_some_and(|(_, args, _)| args == [Value::from("/a/b.c")]));
        assert!(parse("f('a").is_err());
    }
}
