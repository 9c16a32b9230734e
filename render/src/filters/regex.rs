//! Filters and the test that use regular expressions, with what Python's `re` says of wrong ones.

use brine_core::target::{Anchor, Flags, Regex, RegexError, Template, TemplateError};
use brine_jinja::{State, Table};
use brine_python::{Args, Bound, Dict, Kind, Obj, PyErr, R, Signature, call_method, callable, hash};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// `re.error`.
pub(super) const RE_ERROR: Kind = Kind::Other("error");

/// How many compiled patterns are kept.
const KEPT: usize = 128;

pub(super) fn add(filters: &mut Table, tests: &mut Table) {
    filters.insert("regex_escape", regex_escape);
    filters.insert("regex_search", |_, args| groups(&SEARCH, Anchor::Search, args));
    filters.insert("regex_match", |_, args| groups(&MATCH, Anchor::Match, args));
    filters.insert("regex_replace", regex_replace);
    tests.insert("match", test_match);
}

const SEARCH: Signature = Signature::new("regex_search", 0, &["txt", "rgx", "ignorecase", "multiline"], 2);
const MATCH: Signature = Signature::new("regex_match", 0, &["txt", "rgx", "ignorecase", "multiline"], 2);
const TEST: Signature = Signature::new("test_match", 0, &["txt", "rgx", "ignorecase", "multiline"], 2);
const REPLACE: Signature =
    Signature::new("regex_replace", 0, &["txt", "rgx", "val", "ignorecase", "multiline"], 3);

/// `expected string or bytes-like object, got 'int'`.
pub(super) fn not_text(obj: &Obj) -> PyErr {
    match obj {
        Obj::Bytes(_) => PyErr::ty("cannot use a string pattern on a bytes-like object"),
        _ => PyErr::ty(format!("expected string or bytes-like object, got '{}'", obj.type_name())),
    }
}

/// Text, or bytes as text of as many characters.
struct Text {
    text: Rc<str>,
    bytes: bool,
}

impl Text {
    fn of(obj: &Obj) -> Option<Self> {
        match obj {
            Obj::Str(text) => Some(Self { text: text.clone(), bytes: false }),
            Obj::Bytes(bytes) => {
                let text: String = bytes.iter().map(|b| *b as char).collect();
                Some(Self { text: text.into(), bytes: true })
            }
            _ => obj.as_str().map(|text| Self { text: text.into(), bytes: false }),
        }
    }

    fn obj(&self, part: &str) -> Obj {
        if self.bytes { part.chars().map(|c| c as u8).collect::<Vec<u8>>().into() } else { Obj::str(part) }
    }
}

/// By pattern, flags and whether only the start of text is looked at.
type Compiled = HashMap<(Rc<str>, Flags, bool), Rc<Regex>>;

thread_local! {
    static COMPILED: RefCell<Compiled> = RefCell::default();
}

/// A regular expression failed: in Python's words, or as a limit of ours.
fn failed(e: RegexError) -> PyErr {
    match e {
        RegexError::Invalid(why) => PyErr::new(RE_ERROR, why),
        RegexError::Steps => PyErr::new(Kind::Limit, "regular expression takes too many steps"),
    }
}

fn compile(pattern: &Text, anchor: Anchor, flags: Flags) -> R<Rc<Regex>> {
    let key = (pattern.text.clone(), flags, anchor == Anchor::Match);
    if let Some(regex) = COMPILED.with(|all| all.borrow().get(&key).cloned()) {
        return Ok(regex);
    }
    let regex = Rc::new(Regex::with(&pattern.text, anchor, flags).map_err(failed)?);
    COMPILED.with(|all| {
        let mut all = all.borrow_mut();
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(key, regex.clone());
    });
    Ok(regex)
}

fn pattern_of(obj: &Obj, anchor: Anchor, flags: Flags) -> R<(Rc<Regex>, bool)> {
    let Some(text) = Text::of(obj) else {
        hash(obj)?;
        return Err(PyErr::ty("first argument must be string or compiled pattern"));
    };
    Ok((compile(&text, anchor, flags)?, text.bytes))
}

/// What is searched: text for a pattern of text, bytes for one of bytes.
fn searched(obj: &Obj, bytes: bool) -> R<Text> {
    match Text::of(obj) {
        Some(text) if text.bytes == bytes => Ok(text),
        Some(_) if bytes => Err(PyErr::ty("cannot use a bytes pattern on a string-like object")),
        _ => Err(not_text(obj)),
    }
}

fn flags(bound: &Bound, at: usize) -> R<Flags> {
    Ok(Flags {
        ignore_case: bound.truth(at, false)?,
        multiline: bound.truth(at + 1, false)?,
        ..Flags::default()
    })
}

fn groups(signature: &Signature, anchor: Anchor, args: &Args) -> R {
    let a = signature.bind(args)?;
    let (regex, bytes) = pattern_of(a.at(1), anchor, flags(&a, 2)?)?;
    let text = searched(a.at(0), bytes)?;
    let Some(spans) = regex.find(&text.text, 0).map_err(failed)? else { return Ok(Obj::None) };
    let group = |span: &Option<(usize, usize)>| {
        span.map_or(Obj::None, |(start, end)| text.obj(&text.text[start..end]))
    };
    Ok(Obj::tuple(spans.iter().skip(1).map(group).collect()))
}

fn test_match(_: &State, args: &Args) -> R {
    let a = TEST.bind(args)?;
    let (regex, bytes) = pattern_of(a.at(1), Anchor::Match, flags(&a, 2)?)?;
    let text = searched(a.at(0), bytes)?;
    Ok(regex.find(&text.text, 0).map_err(failed)?.is_some().into())
}

fn regex_escape(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("regex_escape", 0, &["value"], 1);
    let a = SIG.bind(args)?;
    let Some(text) = Text::of(a.at(0)) else {
        return Err(PyErr::ty(format!(
            "decoding to str: need a bytes-like object, {} found",
            a.at(0).type_name()
        )));
    };
    super::text::room(text.text.len() * 2)?;
    const SPECIAL: &str = "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}";
    if let Obj::Other(_) = a.at(0) {
        // A subclass of text translates itself.
        let map = Dict::new();
        for c in SPECIAL.chars() {
            map.set(Obj::Int(i64::from(u32::from(c))), Obj::from(format!("\\{c}")))?;
        }
        return call_method(a.at(0), "translate", &Args::of([map.into()]));
    }
    let mut out = String::with_capacity(text.text.len());
    for c in text.text.chars() {
        if SPECIAL.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(text.obj(&out))
}

fn regex_replace(_: &State, args: &Args) -> R {
    let a = REPLACE.bind(args)?;
    let (regex, bytes) = pattern_of(a.at(1), Anchor::Search, flags(&a, 3)?)?;
    let value = a.at(2);
    if callable(value) && value.as_str().is_none() {
        return Err(PyErr::ty("a function that replaces is not supported"));
    }
    let Some(with) = Text::of(value) else {
        hash(value)?;
        return Err(PyErr::ty(format!(
            "decoding to str: need a bytes-like object, {} found",
            value.type_name()
        )));
    };
    let template = Template::read(&with.text, &regex).map_err(|e| match &e {
        TemplateError::Bad(_) => PyErr::new(RE_ERROR, e.to_string()),
        TemplateError::Unknown(_) => PyErr::new(Kind::IndexError, e.to_string()),
    })?;
    let text = searched(a.at(0), bytes)?;
    let found = regex.find_all(&text.text).map_err(failed)?;
    if found.is_empty() {
        return Ok(text.obj(&text.text));
    }
    if with.bytes != bytes {
        let (wanted, got) = if bytes {
            ("a bytes-like object is required, not", "str")
        } else {
            ("expected str instance,", "bytes found")
        };
        let at = usize::from(found[0][0].is_some_and(|(start, _)| start > 0));
        return Err(PyErr::ty(if bytes {
            format!("sequence item {at}: expected a bytes-like object, str found")
        } else {
            format!("sequence item {at}: {wanted} {got}")
        }));
    }
    let (mut out, mut done) = (String::new(), 0);
    for spans in &found {
        let (start, end) = spans[0].unwrap_or_default();
        let before = out.len();
        out.push_str(&text.text[done..start]);
        template.fill(&mut out, &text.text, spans);
        super::text::room(out.len() - before)?;
        done = end;
    }
    out.push_str(&text.text[done..]);
    Ok(text.obj(&out))
}
