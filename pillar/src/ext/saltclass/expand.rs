//! `${a:b}` in texts: what stands there in the merged pillar.

use brine_python::{Args, Dict, Obj, PyErr, R, call_method, contains, eq};

const DEEPEST: usize = 250;

/// The pillar with its variables replaced.
///
/// # Errors
/// What Python says of a variable that is no text.
pub(super) fn variables(pillar: &Obj) -> R {
    let Obj::Dict(dict) = pillar else { return Err(PyErr::attribute(pillar, "copy")) };
    let all = Dict::new();
    for (key, value) in dict.pairs() {
        all.set(key, value)?;
    }
    let all = Obj::from(all);
    inside(pillar, &all, 0)?;
    Ok(all)
}

fn inside(dict: &Obj, all: &Obj, depth: usize) -> R<()> {
    if depth > DEEPEST {
        return Err(PyErr::recursion(""));
    }
    let Obj::Dict(dict) = dict else { return Ok(()) };
    let keys: Vec<Obj> = dict.pairs().into_iter().map(|(key, _)| key).collect();
    for key in keys {
        let value = dict.get(&key)?.unwrap_or_default();
        match &value {
            Obj::Dict(_) => inside(&value, all, depth + 1)?,
            Obj::List(list) => {
                let mut at = 0;
                loop {
                    let Some(item) = list.borrow().get(at).cloned() else { break };
                    at += 1;
                    match &item {
                        Obj::Dict(_) => inside(&item, all, depth + 1)?,
                        item => {
                            if let Some(text) = item.as_str() {
                                in_text(text, None, all)?;
                            }
                        }
                    }
                }
            }
            value => {
                if let Some(text) = value.as_str() {
                    in_text(text, Some(text), all)?;
                }
            }
        }
    }
    Ok(())
}

/// The places in a text that look like variables, each with the character before it, if there is one.
fn places(text: &str) -> Vec<&str> {
    let closed = |from: usize| {
        let rest = text[from..].strip_prefix("${")?;
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        Some(from + 2 + line.find('}')? + 1)
    };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let end = Some(at)
            .filter(|at| *at == 0)
            .and_then(closed)
            .or_else(|| if c == '\n' { None } else { closed(at + c.len_utf8()) });
        match end {
            Some(end) => {
                found.push(&text[at..end]);
                at = end;
            }
            None => at += c.len_utf8(),
        }
    }
    found
}

fn replaced(text: &str, old: &str, new: &Obj) -> R<String> {
    let out = call_method(&Obj::str(text), "replace", &Args::of([Obj::str(old), new.clone()]))?;
    Ok(out.as_str().unwrap_or_default().to_owned())
}

/// Replaces the variables of one text wherever the text stands. `value` is the text as the value that it is, where it is no member
/// of a list.
fn in_text(text: &str, value: Option<&str>, all: &Obj) -> R<()> {
    let mut now = text.to_owned();
    let mut value = value.map(str::to_owned);
    for place in places(text) {
        if place.starts_with('\\') {
            let new = now.replace(place, place.trim_start_matches('\\'));
            everywhere(all, &now, &new, 0)?;
        } else if !place.starts_with('$') {
            let variable = &place[place.chars().next().map_or(0, char::len_utf8)..];
            let new = replaced(&now, variable, &looked_up(all, variable)?)?;
            everywhere(all, &now, &new, 0)?;
            now = new;
        } else {
            let new = replaced(value.as_deref().unwrap_or(&now), place, &looked_up(all, place)?)?;
            everywhere(all, &now, &new, 0)?;
            now.clone_from(&new);
            value = Some(new);
        }
    }
    Ok(())
}

/// What a variable names; itself if that is nothing.
fn looked_up(all: &Obj, variable: &str) -> R {
    let mut at = all.clone();
    for key in variable.get(2..variable.len() - 1).unwrap_or_default().split(':') {
        let key = Obj::str(key);
        if matches!(at, Obj::None) || !contains(&at, &key)? {
            return Ok(Obj::str(variable));
        }
        at = call_method(&at, "get", &Args::of([key]))?;
    }
    Ok(at)
}

/// Puts another text in the place of a text, as a value and as a member of lists.
fn everywhere(place: &Obj, old: &str, new: &str, depth: usize) -> R<()> {
    if depth > DEEPEST {
        return Err(PyErr::recursion(""));
    }
    let Obj::Dict(dict) = place else { return Ok(()) };
    let text = Obj::str(old);
    for (key, value) in dict.pairs() {
        match &value {
            Obj::Dict(_) => everywhere(&value, old, new, depth + 1)?,
            Obj::List(list) => {
                let members = list.borrow().clone();
                for (at, member) in members.iter().enumerate() {
                    if matches!(member, Obj::Dict(_)) {
                        everywhere(member, old, new, depth + 1)?;
                    } else if member.as_str() == Some(old)
                        && let Some(slot) = list.borrow_mut().get_mut(at)
                    {
                        *slot = Obj::str(new);
                    }
                }
            }
            _ => {}
        }
        if eq(&value, &text)? {
            dict.set(key, Obj::str(new))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn variables_are_found_as_by_pythons_expression() {
        assert_eq!(places("${a}"), ["${a}"]);
        assert_eq!(places("${a}${b} ${c}"), ["${a}", " ${c}"]);
        assert_eq!(places("x${a:b}y\\${c}"), ["x${a:b}", "\\${c}"]);
        assert_eq!(places("${a\n}"), Vec::<&str>::new());
        assert_eq!(places("\n${a} é${b}"), ["é${b}"]);
    }
}
