//! The filter `xml`: dicts and lists as an indented XML document.

use super::format::unpack;
use brine_jinja::{Markup, RUNTIME_ERROR, State};
use brine_python::{Args, Kind, Obj, PyErr, R, Signature, getitem, need_bytes, repr, str};

struct Element {
    tag: Obj,
    attributes: Vec<(Obj, String)>,
    text: String,
    children: Vec<Element>,
}

pub(super) fn format_xml(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("SerializerExtension.format_xml", 1, &["self", "value"], 2);
    let a = SIG.bind(args)?;
    let mut top = Vec::new();
    tree(&pairs(a.at(0))?, &mut top, 0)?;
    let Some(root) = top.pop() else {
        return Err(PyErr::new(Kind::AttributeError, "'NoneType' object has no attribute 'iter'"));
    };
    root.check()?;
    let mut out = String::from("<?xml version=\"1.0\" ?>\n");
    root.write(&mut out, &mut Place::default(), 0)?;
    Ok(Markup::new(out))
}

/// What is iterated over as pairs: items of a dict; a sequence that begins with text as it is; nothing of other sequences.
fn pairs(value: &Obj) -> R<Vec<Obj>> {
    match value {
        Obj::List(_) | Obj::Tuple(_) => {
            let first = getitem(value, &Obj::Int(0))?;
            Ok(if first.as_str().is_some() { value.sequence().unwrap_or_default() } else { Vec::new() })
        }
        Obj::Dict(dict) => Ok(dict.pairs().into_iter().map(|(k, v)| Obj::tuple(vec![k, v])).collect()),
        _ => Err(PyErr::new(RUNTIME_ERROR, "Value is not a dict or list. Cannot render as XML")),
    }
}

fn two(pair: &Obj) -> R<(Obj, Obj)> {
    let Ok(items) = pair.items() else {
        return Err(PyErr::ty(format!("cannot unpack non-iterable {} object", super::kinds::short(pair))));
    };
    match items.as_slice() {
        [a, b] => Ok((a.clone(), b.clone())),
        more => Err(unpack(more.len(), 2)),
    }
}

/// Adds elements. At the top those of a list belong to nothing, as in stock.
fn tree(items: &[Obj], into: &mut Vec<Element>, depth: usize) -> R<()> {
    if depth > 200 {
        return Err(PyErr::recursion(""));
    }
    for pair in items {
        let (tag, value) = two(pair)?;
        if let Obj::List(list) = &value {
            let each = list.borrow().clone();
            for item in each {
                let pair = [Obj::tuple(vec![tag.clone(), item])];
                if depth == 0 {
                    tree(&pair, &mut Vec::new(), 0)?;
                } else {
                    tree(&pair, into, depth + 1)?;
                }
            }
        } else {
            let text = match &value {
                Obj::Bool(_) | Obj::Int(_) | Obj::Big(_) | Obj::Float(_) => str(&value)?,
                _ => value.as_str().unwrap_or_default().to_owned(),
            };
            need_bytes(size_of::<Element>() + text.len())?;
            into.push(Element { tag, attributes: Vec::new(), text, children: Vec::new() });
            if value.as_str().is_some()
                || matches!(value, Obj::Bool(_) | Obj::Int(_) | Obj::Big(_) | Obj::Float(_))
            {
                continue;
            }
        }
        let mut attributes = Vec::new();
        if let Obj::Dict(dict) = &value {
            for (name, value) in dict.pairs() {
                if !matches!(value, Obj::Dict(_) | Obj::List(_)) {
                    attributes.push((name, str(&value)?));
                }
            }
        }
        let mut nested = Vec::new();
        for item in pairs(&value)? {
            let second = getitem(&item, &Obj::Int(1))?;
            if matches!(second, Obj::Dict(_) | Obj::List(_)) {
                nested.push(item);
            }
        }
        let mut below = Vec::new();
        for item in nested {
            tree(&[item], &mut below, depth + 1)?;
        }
        if !matches!(value, Obj::List(_))
            && let Some(last) = into.last_mut()
        {
            last.attributes = attributes;
            last.children = below;
        }
    }
    Ok(())
}

/// What ElementTree writes and expat reads again, as far as places of errors need it: lines, and the bytes of the last one.
#[derive(Default)]
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    fn add(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => (self.line, self.column) = (self.line + 1, 0),
                c if c.is_ascii() => self.column += 1,
                // A reference such as `&#233;`.
                c => self.column += 3 + u32::from(c).to_string().len(),
            }
        }
    }

    fn fail(&self, what: &str) -> PyErr {
        let (line, column) = (self.line + 1, self.column);
        PyErr::new(Kind::Other("ExpatError"), format!("{what}: line {line}, column {column}"))
    }

    /// A name; what is no name is found at the character where it ends.
    fn name(&mut self, obj: &Obj) -> R<String> {
        let name = str(obj)?;
        let begins = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
        let fits =
            |(at, c): (usize, char)| begins(c) || at > 0 && (c.is_ascii_digit() || matches!(c, '-' | '.'));
        let good = name.char_indices().take_while(|c| fits(*c)).count();
        self.add(&name[..good]);
        if good < name.len() || name.is_empty() {
            return Err(self.fail("not well-formed (invalid token)"));
        }
        Ok(name)
    }

    /// Text: what XML does not have is an error at its place.
    fn text(&mut self, text: &str, attribute: bool) -> R<()> {
        for c in text.chars() {
            match c {
                '&' => self.add("&amp;"),
                '<' => self.add("&lt;"),
                '>' => self.add("&gt;"),
                '"' if attribute => self.add("&quot;"),
                '\n' if attribute => self.add("&#10;"),
                '\r' if attribute => self.add("&#13;"),
                '\t' if attribute => self.add("&#09;"),
                '\t' | '\n' | '\r' => self.add(c.encode_utf8(&mut [0; 4])),
                '\0'..='\u{1f}' => return Err(self.fail("not well-formed (invalid token)")),
                '\u{fffe}' | '\u{ffff}' => return Err(self.fail("reference to invalid character number")),
                c => self.add(c.encode_utf8(&mut [0; 4])),
            }
        }
        Ok(())
    }
}

fn escaped(out: &mut String, text: &str, attribute: bool) -> R<()> {
    need_bytes(text.len())?;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' if !attribute => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            c => out.push(c),
        }
    }
    Ok(())
}

impl Element {
    /// ElementTree looks at all names before it writes anything: what can be sliced passes as an attribute's, and `None`
    /// always.
    fn check(&self) -> R<()> {
        let fits = |name: &Obj| name.as_str().is_some() || matches!(name, Obj::None);
        let sliced = |name: &Obj| matches!(name, Obj::Tuple(_) | Obj::Bytes(_));
        let attributes = self.attributes.iter().map(|(name, _)| name);
        let wrong = Some(&self.tag).filter(|tag| !fits(tag));
        if let Some(name) = wrong.or_else(|| attributes.into_iter().find(|n| !fits(n) && !sliced(n))) {
            let class = super::kinds::short(name).to_owned();
            return Err(PyErr::ty(format!("cannot serialize {} (type {class})", repr(name)?)));
        }
        self.children.iter().try_for_each(Element::check)
    }

    fn write(&self, out: &mut String, place: &mut Place, depth: usize) -> R<()> {
        place.add("<");
        let tag = place.name(&self.tag)?;
        let margin = " ".repeat(depth);
        out.push_str(&format!("{margin}<{tag}"));
        for (attribute, value) in &self.attributes {
            place.add(" ");
            out.push_str(&format!(" {}=\"", place.name(attribute)?));
            place.add("=\"");
            place.text(value, true)?;
            place.add("\"");
            escaped(out, value, true)?;
            out.push('"');
        }
        if !self.text.is_empty() {
            place.add(">");
            place.text(&self.text, false)?;
            out.push('>');
            escaped(out, &self.text, false)?;
            out.push_str(&format!("</{tag}>\n"));
        } else if self.children.is_empty() {
            place.add(" />");
            out.push_str("/>\n");
            return Ok(());
        } else {
            place.add(">");
            out.push_str(">\n");
            for child in &self.children {
                child.write(out, place, depth + 1)?;
            }
            out.push_str(&format!("{margin}</{tag}>\n"));
        }
        place.add(&format!("</{tag}>"));
        Ok(())
    }
}
