//! A tree as YAML in the form that Pallet Jack writes: values of the warehouse stand plain wherever they can, whatever type their text
//! then has for a reader; texts made inside the program are quoted where they would be read as something else.

use crate::{Map, Node, Scalar};
use std::fmt::Write;

/// What is said beside a scalar: comment lines, of which the first goes onto its line. It is asked by the path with dots, of an item
/// of a list by that of the list and its number there.
pub type Aside<'a> = &'a dyn Fn(&str, &Scalar, Option<usize>) -> Vec<String>;

/// A tree as a block; ends in a line end. Empty text for an empty mapping.
pub fn block(node: &Node) -> String {
    annotated(node, &|_, _, _| Vec::new())
}

/// The same, with something said of each scalar.
pub fn annotated(node: &Node, aside: Aside<'_>) -> String {
    let mut writer = Writer { out: String::new(), aside };
    let at = At { path: "", item: None, indent: 0 };
    match node {
        Node::Map(map) => writer.mapping(map, at),
        Node::List(list) => writer.list(list.items(), at),
        Node::Scalar(s) => writer.leaf(s, at),
    }
    writer.out
}

struct Writer<'a> {
    out: String,
    aside: Aside<'a>,
}

/// Where the writer is.
#[derive(Clone, Copy)]
struct At<'a> {
    path: &'a str,
    item: Option<usize>,
    indent: usize,
}

impl Writer<'_> {
    fn mapping(&mut self, map: &Map, at: At<'_>) {
        for (key, value) in map {
            // The first key stands behind the dash of its list.
            if !self.out.ends_with("- ") {
                self.indent(at.indent);
            }
            self.out.push_str(&name(key));
            self.out.push(':');
            let path = if at.path.is_empty() { key.to_string() } else { format!("{}.{key}", at.path) };
            // What is within a list has no path of its own.
            let at = if at.item.is_some() { at } else { At { path: &path, ..at } };
            self.nested(value, at, at.indent);
        }
    }

    fn list(&mut self, items: &[Node], at: At<'_>) {
        for (i, item) in items.iter().enumerate() {
            self.indent(at.indent);
            self.out.push('-');
            let at = At { item: Some(at.item.unwrap_or(i)), ..at };
            match item {
                Node::Map(map) if !map.is_empty() => {
                    self.out.push(' ');
                    self.mapping(map, At { indent: at.indent + 2, ..at });
                }
                other => self.nested(other, at, at.indent + 2),
            }
        }
    }

    /// What follows a key or a dash; a list starts in the column of its key.
    fn nested(&mut self, value: &Node, at: At<'_>, list_indent: usize) {
        match value {
            Node::Map(map) if map.is_empty() => self.out.push_str(" {}\n"),
            Node::List(list) if list.items().is_empty() => self.out.push_str(" []\n"),
            Node::Map(map) => {
                self.out.push('\n');
                self.mapping(map, At { indent: at.indent + 2, ..at });
            }
            Node::List(list) => {
                self.out.push('\n');
                self.list(list.items(), At { indent: list_indent, ..at });
            }
            Node::Scalar(scalar) => self.leaf(scalar, at),
        }
    }

    fn leaf(&mut self, scalar: &Scalar, at: At<'_>) {
        let text = value(scalar);
        if !text.is_empty() {
            // At the start of a document there is nothing to be parted from.
            if !self.out.is_empty() {
                self.out.push(' ');
            }
            self.out.push_str(&text);
        }
        let mut said = (self.aside)(at.path, scalar, at.item).into_iter();
        if let Some(first) = said.next() {
            let _ = write!(self.out, "   # {first}");
        }
        self.out.push('\n');
        for line in said {
            self.indent(at.indent + 2);
            let _ = writeln!(self.out, "# {line}");
        }
    }

    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }
}

/// A scalar as it is written.
fn value(scalar: &Scalar) -> String {
    let text = scalar.text();
    if scalar.quoted() {
        return name(text);
    }
    if text.is_empty() || is_plain(text) { text.to_owned() } else { in_quotes(text) }
}

/// A key, or a text of the program: it is read as the text that it is.
fn name(text: &str) -> String {
    if is_plain(text) && is_text(text) { text.to_owned() } else { in_quotes(text) }
}

/// Whether no reader of YAML 1.1 takes a plain text for anything but text. Rather too few than too many.
fn is_text(text: &str) -> bool {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let lower = text.to_ascii_lowercase();
    text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '/'))
        && !WORDS.contains(&lower.trim_start_matches('.'))
}

/// Whether a text can stand without quotes, as libyaml's emitter decides for a value in block style: with one that it quotes a reader
/// sees text, else whatever the text looks like.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    let Some(first) = chars.peek().copied() else { return false };
    if text.starts_with("---") || text.starts_with("...") || text.ends_with([' ', '\t']) || first == ' ' {
        return false;
    }
    if "#,[]{}&*!|>'\"%@`".contains(first) {
        return false;
    }
    // These mean something only before a blank or the end.
    let second = text.chars().nth(1);
    if matches!(first, '-' | '?' | ':') && second.is_none_or(char::is_whitespace) {
        return false;
    }
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let ends = chars.peek().is_none_or(|c| c.is_whitespace());
        let printable = matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
            || c >= '\u{10000}';
        if !printable
            || matches!(c, '\u{2028}' | '\u{2029}')
            || (c == ':' && ends)
            || (c == '#' && before == ' ')
        {
            return false;
        }
        before = c;
    }
    true
}

/// Single quotes where the text is one printable line, else double ones with escapes.
fn in_quotes(text: &str) -> String {
    let simple =
        |c: char| matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}') && !matches!(c, '\u{2028}' | '\u{2029}');
    if text.chars().all(simple) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if simple(c) => out.push(c),
            c if u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_plain_is_what_libyaml_lets() {
        for plain in
            ["514", "2017-01-16 10:20:30 +0000", "::1", "-5", "~", ".inf", "a#b", "x:y", "=", "<<", "-", "?"]
        {
            assert_eq!(is_plain(plain), !matches!(plain, "-" | "?"), "{plain}");
        }
        for quoted in [
            "", "*", "a: b", "a #b", " a", "a ", "a\nb", "- x", "!x", "%x", "@x", "'x", "\"x", "{x", "a:",
            "---", "\u{7}",
        ] {
            assert!(!is_plain(quoted), "{quoted}");
        }
    }

    #[test]
    fn names_are_read_as_texts() {
        for (text, want) in [
            ("rack", "rack"),
            ("server-room-1", "server-room-1"),
            ("1", "'1'"),
            ("true", "'true'"),
            ("Y", "'Y'"),
            ("null", "'null'"),
            ("52:54:00", "'52:54:00'"),
            ("", "''"),
            ("it's", "it's"),
            ("'x", "'''x'"),
            ("a\nb", "\"a\\nb\""),
            ("ä\u{1b}", "\"ä\\x1b\""),
        ] {
            assert_eq!(name(text), want, "{text:?}");
        }
    }
}
