//! Ruby's regular expressions on fancy-regex: what the two spell differently is translated, what cannot be is refused.
//!
//! In Ruby `^` and `$` are at lines always, `(?m)` lets a dot match a line end, and `\d`, `\w` and `\s` know ASCII alone, while
//! `[[:alpha:]]` knows every script.

use fancy_regex::{Regex, RegexBuilder};

/// The longest expression, in bytes.
const LONGEST: usize = 16 << 10;
/// How large one may become when it is compiled, in bytes.
const LARGEST: usize = 4 << 20;
/// How many steps back one match may take.
const MOST_STEPS: usize = 200_000;

/// Compiles one of Ruby's expressions; the error says why it cannot be.
pub(super) fn compile(ruby: &str) -> Result<Regex, String> {
    if ruby.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let translated = translate(ruby)?;
    RegexBuilder::new(&translated)
        .backtrack_limit(MOST_STEPS)
        .delegate_size_limit(LARGEST)
        .build()
        .map_err(|e| e.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// The expression as fancy-regex spells it.
fn translate(ruby: &str) -> Result<String, String> {
    let mut out = String::from("(?m)");
    let mut rest = ruby;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escape(after, false, &mut out)?,
            '[' => class(after, &mut out)?,
            '(' => group(after, &mut out)?,
            '{' => interval(after, &mut out)?,
            // Behind the last line end no line begins. At the start of an expression that can be left out, since a match at the
            // beginning of the text comes first.
            '^' if rest.len() < ruby.len() => {
                out.push_str(r"(?:\A|^(?!\z))");
                after
            }
            _ => {
                out.push(c);
                after
            }
        };
    }
    Ok(out)
}

/// What follows a brace. In Ruby an interval with `+` is repeated, here it would never give back what it has.
fn interval<'r>(rest: &'r str, out: &mut String) -> Result<&'r str, String> {
    out.push('{');
    let digits = |c: char| c.is_ascii_digit();
    let counts = rest.split_once('}').filter(|(counts, _)| {
        let (least, most) = counts.split_once(',').unwrap_or((counts, "0"));
        counts.contains(digits) && least.chars().all(digits) && most.chars().all(digits)
    });
    let Some((counts, after)) = counts else { return Ok(rest) };
    if after.starts_with(['+', '*', '{']) {
        return Err("a repeated interval is not known here".into());
    }
    let none = if counts.starts_with(',') { "0" } else { "" };
    out.push_str(&format!("{none}{counts}}}"));
    Ok(after)
}

/// What follows a backslash.
fn escape<'r>(rest: &'r str, in_class: bool, out: &mut String) -> Result<&'r str, String> {
    let c = rest.chars().next().ok_or("a backslash ends it")?;
    let (outside, inside) = match c {
        'd' => ("[0-9]", "0-9"),
        'w' => ("[a-zA-Z0-9_]", "a-zA-Z0-9_"),
        's' => (r"[ \t\r\n\f\x0B]", r" \t\r\n\f\x0B"),
        'h' => ("[0-9a-fA-F]", "0-9a-fA-F"),
        'D' => ("[^0-9]", "[^0-9]"),
        'W' => ("[^a-zA-Z0-9_]", "[^a-zA-Z0-9_]"),
        'S' => (r"[^ \t\r\n\f\x0B]", r"[^ \t\r\n\f\x0B]"),
        'H' => ("[^0-9a-fA-F]", "[^0-9a-fA-F]"),
        'e' => (r"\x1B", r"\x1B"),
        'b' if in_class => ("", r"\x08"),
        'Z' if !in_class => (r"(?=\n?\z)", ""),
        'A' | 'z' | 'b' | 'B' | 'k' | 'K' if !in_class => return Ok(kept(rest, c, out)),
        'n' | 't' | 'r' | 'f' | 'v' | 'a' | 'x' | 'u' | 'p' | 'P' => return Ok(kept(rest, c, out)),
        '1'..='9' if !in_class => return Ok(kept(rest, c, out)),
        c if c.is_ascii_alphanumeric() => return Err(format!("\\{c} is not known here")),
        c => {
            if c.is_ascii_punctuation() && c != '<' && c != '>' {
                out.push('\\');
            }
            out.push(c);
            return Ok(&rest[c.len_utf8()..]);
        }
    };
    out.push_str(if in_class { inside } else { outside });
    Ok(&rest[c.len_utf8()..])
}

fn kept<'r>(rest: &'r str, c: char, out: &mut String) -> &'r str {
    out.extend(['\\', c]);
    &rest[c.len_utf8()..]
}

/// A set, of what follows its bracket.
fn class<'r>(mut rest: &'r str, out: &mut String) -> Result<&'r str, String> {
    out.push('[');
    let mut depth = 1;
    let mut first = true;
    let mut before = '[';
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '^' if first => {
                out.push('^');
                rest = after;
                continue;
            }
            ']' if first => out.push_str("\\]"),
            ']' => {
                out.push(']');
                depth -= 1;
                if depth == 0 {
                    return Ok(after);
                }
            }
            '[' => {
                if let Some((name, after)) = after.strip_prefix(':').and_then(|rest| rest.split_once(":]")) {
                    out.push_str(posix(name)?);
                    (rest, first, before) = (after, false, ']');
                    continue;
                }
                out.push('[');
                depth += 1;
                (rest, first, before) = (after, true, '[');
                continue;
            }
            '\\' => {
                rest = escape(after, true, out)?;
                (first, before) = (false, 'e');
                continue;
            }
            // Two of them mean something to fancy-regex alone.
            '-' if before == '-' => out.push_str("\\-"),
            '~' => out.push_str("\\~"),
            c => out.push(c),
        }
        (rest, first, before) = (after, false, c);
    }
    Err("a set has no end".into())
}

/// A set by its name in POSIX.
fn posix(name: &str) -> Result<&'static str, String> {
    Ok(match name {
        "alpha" => r"\p{Alphabetic}",
        "^alpha" => r"\P{Alphabetic}",
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "digit" => r"\p{Nd}",
        "^digit" => r"\P{Nd}",
        "upper" => r"\p{Uppercase}",
        "lower" => r"\p{Lowercase}",
        "space" => r"\s",
        "^space" => r"\S",
        "blank" => r"\t\p{Zs}",
        "punct" => r"\p{P}$+<=>^`|\~",
        "cntrl" => r"\p{Cc}",
        "xdigit" => "0-9a-fA-F",
        "word" => r"\w",
        "ascii" => r"\x00-\x7F",
        other => return Err(format!("[:{other}:] is not known here")),
    })
}

/// A group, of what follows its parenthesis.
fn group<'r>(rest: &'r str, out: &mut String) -> Result<&'r str, String> {
    out.push('(');
    let Some(inner) = rest.strip_prefix('?') else { return Ok(rest) };
    if let Some(name) = inner.strip_prefix('\'') {
        let (name, after) = name.split_once('\'').ok_or("a name has no end")?;
        out.push_str(&format!("?<{name}>"));
        return Ok(after);
    }
    if let Some(comment) = inner.strip_prefix('#') {
        let (_, after) = comment.split_once(')').ok_or("a comment has no end")?;
        out.push_str("?:)");
        return Ok(after);
    }
    if inner.starts_with(['~', '(']) {
        return Err(format!("(?{} is not known here", &inner[..1]));
    }
    let flags = inner.bytes().take_while(|b| matches!(b, b'i' | b'm' | b'x' | b'-')).count();
    out.push('?');
    if flags > 0 && inner[flags..].starts_with([')', ':']) {
        // A dot matches a line end by `m` there, by `s` here; lines are always on.
        out.push_str(&inner[..flags].replace('m', "s"));
        return Ok(&inner[flags..]);
    }
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(ruby: &str, text: &str, name: &str) -> Option<String> {
        let regexp = compile(ruby).unwrap_or_else(|e| panic!("{ruby}: {e}"));
        let found = regexp.captures(text).unwrap()?;
        found.name(name).map(|m| m.as_str().to_owned())
    }

    #[test]
    fn what_ruby_spells_differently_means_the_same() {
        let is = |ruby: &str, text: &str, x: Option<&str>| {
            assert_eq!(named(ruby, text, "x").as_deref(), x, "{ruby} on {text:?}");
        };
        is("^(?<x>b)$", "a\nb\nc", Some("b"));
        is(r"\A(?<x>b)", "a\nb", None);
        is(r"(?<x>a)\Z", "a\n", Some("a"));
        is(r"(?<x>a)\z", "a\n", None);
        is("(?<x>a.b)", "a\nb", None);
        is("(?m)(?<x>a.b)", "a\nb", Some("a\nb"));
        is("(?m:(?<x>a.b))", "a\nb", Some("a\nb"));
        is(r"(?<x>\d+)", "\u{663}4", Some("4"));
        is(r"(?<x>\w+)", "\u{e9}a", Some("a"));
        is(r"(?<x>[[:alpha:]]+)", "\u{e9}a", Some("\u{e9}a"));
        is(r"(?<x>\h+)", "xyz1F", Some("1F"));
        is("(?<x>a{,2})b", "aab", Some("aa"));
        is("(?'x'a)", "ba", Some("a"));
        is("(?#why)(?<x>a)", "a", Some("a"));
        is("(?<x>[^:-]*)-", "ab-c", Some("ab"));
        is("(?<x>[+--~]+)", "a,-~", Some(",-~"));
        is(r"(?<x>[]a]+)", "]a", Some("]a"));
        is(r"\<(?<x>.)\>", "<q>", Some("q"));
        is("(?i)(?<x>A)", "a", Some("a"));
        is("(?<x>(?<y>a|b)\\k<y>)", "abb", Some("bb"));
    }

    #[test]
    fn what_cannot_be_translated_is_refused() {
        for ruby in ["(", "(?<x>a", "[a", "a\\", r"\G", r"\g<x>", "(?~a)", "[[:nonsense:]]"] {
            assert!(compile(ruby).is_err(), "{ruby}");
        }
        assert!(compile(&"a".repeat(LONGEST + 1)).is_err());
        assert!(compile(r"(?<x>\p{L}{1000}{1000})").is_err());
    }
}
