//! Where in its SLS file an id is declared. It is looked for when somebody wants to know, in the file as it is written: what is
//! rendered has other lines.

use std::path::PathBuf;

/// An SLS file.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it lies on this machine.
    pub(crate) path: PathBuf,
    /// What it is called: its address in the tree, if it is from there.
    pub(crate) name: String,
}

impl Place {
    /// File and line of an id, or the file alone where its line is not to be seen, in words.
    pub(crate) fn of(&self, id: &str) -> String {
        let text = std::fs::read(&self.path).unwrap_or_default();
        match line_of(&String::from_utf8_lossy(&text), id) {
            Some(line) => format!("{}, line {line}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The line, counted from 1, whose key is nearest to an id. What a template fills in may be anything.
fn line_of(text: &str, id: &str) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    for (at, line) in text.lines().enumerate() {
        let Some(weight) = key(line).and_then(|key| weight(&key, id)) else { continue };
        if best.is_none_or(|(_, heaviest)| heaviest < weight) {
            best = Some((at + 1, weight));
        }
    }
    best.map(|(line, _)| line)
}

/// A piece of a key: text, or what a template fills in.
#[derive(PartialEq)]
enum Piece {
    Text(String),
    Filled,
}

/// The key of a line that begins a declaration.
fn key(line: &str) -> Option<Vec<Piece>> {
    let mut rest = line.trim_end();
    if rest.starts_with([' ', '\t', '#', '-']) {
        return None;
    }
    let quote = rest.chars().next().filter(|first| ['\'', '"'].contains(first));
    if quote.is_some() {
        rest = &rest[1..];
    }
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut ended = false;
    while let Some(letter) = rest.chars().next() {
        let tag =
            [("{{", "}}"), ("{%", "%}"), ("{#", "#}")].into_iter().find(|(begin, _)| rest.starts_with(begin));
        if let Some((begin, end)) = tag {
            rest = rest.split_once(end)?.1;
            if begin == "{{" {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Filled);
            }
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        ended = match quote {
            Some(quote) => letter == quote && rest.starts_with(':'),
            None => letter == ':' && (rest.is_empty() || rest.starts_with([' ', '\t'])),
        };
        if ended {
            break;
        }
        text.push(letter);
    }
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    (ended && !pieces.is_empty()).then_some(pieces)
}

/// How much of an id a key says, if it can be its key.
fn weight(key: &[Piece], id: &str) -> Option<usize> {
    let (mut rest, mut weight, mut filled) = (id, 0, false);
    for (at, piece) in key.iter().enumerate() {
        let Piece::Text(text) = piece else {
            filled = true;
            continue;
        };
        rest = match filled {
            // What is last has to be at the end.
            true if at + 1 == key.len() => rest.ends_with(text.as_str()).then_some("")?,
            true => &rest[rest.find(text.as_str())? + text.len()..],
            false => rest.strip_prefix(text.as_str())?,
        };
        weight += text.len();
        filled = false;
    }
    (rest.is_empty() || filled).then_some(weight)
}

/// The id and the SLS file that a fault names, if it does.
pub(crate) fn named(fault: &str) -> Option<(&str, &str)> {
    let after = |words: &[&str]| {
        let at = words.iter().filter_map(|word| Some(fault.find(word)? + word.len())).min()?;
        fault[at..].split_once(['\'', '"']).map(|(name, _)| name)
    };
    let id = after(&["ID '", "ID \"", "State '", "state '", "state \""])?;
    let sls = after(&["SLS '", "SLS \""])?;
    Some((id, sls.rsplit_once(':').map_or(sls, |(_, sls)| sls)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# vim:
{% set x = {'a': 1} %}
include:
  - a
vim:
  pkg.installed
'a b': test.nop
{% for n in x %}
{{ n }}:
  test.nop
{{ n }}-conf: &c
  test.nop
/etc/{{ n }}/x.conf:
  file.managed
http://a:80/:
  test.nop
{% endfor %}
";

    #[test]
    fn ids_are_found_as_written_or_as_a_template_fills_them_in() {
        let line = |id: &str| line_of(TEXT, id);
        assert_eq!(line("vim"), Some(5));
        assert_eq!(line("a b"), Some(7));
        assert_eq!(line("other"), Some(9), "anything");
        assert_eq!(line("b-conf"), Some(11));
        assert_eq!(line("/etc/b/x.conf"), Some(13));
        assert_eq!(line("http://a:80/"), Some(15));
        assert_eq!(line_of("vim:\n", "vi"), None);
        assert_eq!(line_of("a{{ n }}b:\n", "ab"), Some(1));
        assert_eq!(line_of("a{{ n }}b:\n", "ba"), None);
    }

    #[test]
    fn faults_name_ids_and_files() {
        assert_eq!(named("ID '5' in SLS 'a.b' is not formed"), Some(("5", "a.b")));
        assert_eq!(named("State 'x' in SLS 'base:a' is not formed as a list"), Some(("x", "a")));
        assert_eq!(named("The function \"a b\" in state \"x\" in SLS \"a\" has"), Some(("x", "a")));
        assert_eq!(named("No matching sls found for 'x' in env 'base'"), None);
    }
}
