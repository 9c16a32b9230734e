//! From the syntax of Python's `re` to that of `fancy-regex`.

use super::RegexError;

/// Stands for an unescaped `$` in translated text; no pattern holds it.
pub(super) const DOLLAR: char = '\u{10ffff}';

pub(super) struct Translation {
    pub(super) text: String,
    pub(super) verbose: bool,
    pub(super) multiline: bool,
    /// `(?a)`: classes mean ASCII only.
    ascii: bool,
    /// Groups not yet closed.
    depth: usize,
    last: Last,
}

/// What stands before the place that is read: whether it can be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing, or a place such as `^`.
    Nothing,
    Atom,
    Repeat,
}

impl Translation {
    pub(super) fn of(pattern: &str) -> Result<Self, RegexError> {
        let bad = |why: &str| Err(RegexError::Invalid(why.into()));
        let chars: Vec<char> = pattern.chars().filter(|c| *c != DOLLAR).collect();
        let text = String::with_capacity(pattern.len() + 8);
        let (depth, last) = (0, Last::Nothing);
        let mut out = Self { text, verbose: false, multiline: false, ascii: false, depth, last };
        let mut i = 0;
        while let Some(&c) = chars.get(i) {
            i += 1;
            if out.verbose && (c.is_whitespace() || c == '#') {
                out.text.push(c);
                while c == '#' && chars.get(i).is_some_and(|c| *c != '\n') {
                    out.text.push(chars[i]);
                    i += 1;
                }
                continue;
            }
            let mut last = Last::Atom;
            match c {
                '^' => {
                    out.text.push('^');
                    last = Last::Nothing;
                }
                '$' => {
                    out.text.push(DOLLAR);
                    last = Last::Nothing;
                }
                '|' => {
                    out.text.push('|');
                    last = Last::Nothing;
                }
                '\\' => {
                    let Some(&e) = chars.get(i) else { return bad("bad escape (end of pattern)") };
                    i += 1;
                    out.escape(e, &chars, &mut i)?;
                    if matches!(e, 'A' | 'Z' | 'b' | 'B') {
                        last = Last::Nothing;
                    }
                }
                '[' => out.set(&chars, &mut i)?,
                '*' | '+' | '?' => {
                    out.text.push(c);
                    last = out.repeated(&chars, &mut i)?;
                }
                '{' => match repeat(&chars, i) {
                    Some((text, end)) => {
                        out.text.push_str(&text);
                        i = end;
                        last = out.repeated(&chars, &mut i)?;
                    }
                    None => out.text.push_str(r"\{"),
                },
                '}' => out.text.push_str(r"\}"),
                '(' => {
                    if chars.get(i) != Some(&'?') {
                        out.depth += 1;
                        out.text.push('(');
                    } else if !out.group(&chars, &mut i)? {
                        continue;
                    }
                    last = Last::Nothing;
                }
                ')' => {
                    out.depth = match out.depth.checked_sub(1) {
                        Some(depth) => depth,
                        None => return bad("unbalanced parenthesis"),
                    };
                    out.text.push(')');
                }
                c => out.text.push(c),
            }
            out.last = last;
        }
        if out.depth > 0 { bad("missing ), unterminated subpattern") } else { Ok(out) }
    }

    /// A repeat was read: there must be something to repeat, and it may be lazy or possessive.
    fn repeated(&mut self, chars: &[char], i: &mut usize) -> Result<Last, RegexError> {
        match self.last {
            Last::Nothing => return Err(RegexError::Invalid("nothing to repeat".into())),
            Last::Repeat => return Err(RegexError::Invalid("multiple repeat".into())),
            Last::Atom => {}
        }
        if let Some(c @ ('?' | '+')) = chars.get(*i) {
            self.text.push(*c);
            *i += 1;
        }
        Ok(Last::Repeat)
    }

    fn escape(&mut self, e: char, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        match e {
            'Z' => self.text.push_str(r"\z"),
            'd' if self.ascii => self.text.push_str("[0-9]"),
            'D' if self.ascii => self.text.push_str("[^0-9]"),
            's' if self.ascii => self.text.push_str(r"[ \t\n\r\f\v]"),
            'S' if self.ascii => self.text.push_str(r"[^ \t\n\r\f\v]"),
            'w' if self.ascii => self.text.push_str("[0-9A-Za-z_]"),
            'W' if self.ascii => self.text.push_str("[^0-9A-Za-z_]"),
            'A' | 'b' | 'B' | 'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' => {
                self.text.push('\\');
                self.text.push(e);
            }
            'x' | 'u' | 'U' => self.hex(e, chars, i)?,
            '0' => self.octal(chars, i),
            '1'..='9' => {
                self.text.push('\\');
                self.text.push(e);
            }
            c if c.is_ascii_alphabetic() => {
                return Err(RegexError::Invalid(format!("bad escape \\{c}")));
            }
            c => self.literal(c),
        }
        Ok(())
    }

    fn hex(&mut self, kind: char, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        let width = match kind {
            'x' => 2,
            'u' => 4,
            _ => 8,
        };
        let digits: String = chars.iter().skip(*i).take(width).collect();
        let c = (digits.len() == width)
            .then(|| u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32))
            .flatten()
            .ok_or_else(|| RegexError::Invalid(format!("incomplete escape \\{kind}{digits}")))?;
        *i += width;
        self.literal(c);
        Ok(())
    }

    fn octal(&mut self, chars: &[char], i: &mut usize) {
        let mut n = 0;
        for _ in 0..2 {
            let Some(d) = chars.get(*i).and_then(|c| c.to_digit(8)) else { break };
            n = n * 8 + d;
            *i += 1;
        }
        self.literal(char::from_u32(n).unwrap_or('\0'));
    }

    /// A character that means itself, in verbose mode and within sets too.
    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() {
            self.text.push(c);
        } else {
            self.text.push_str(&format!("\\x{{{:x}}}", c as u32));
        }
    }

    /// A set: Python knows no nested sets and no set operators.
    fn set(&mut self, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        self.text.push('[');
        if chars.get(*i) == Some(&'^') {
            self.text.push('^');
            *i += 1;
        }
        let mut first = true;
        loop {
            let Some(&c) = chars.get(*i) else {
                return Err(RegexError::Invalid("unterminated character set".into()));
            };
            *i += 1;
            match c {
                ']' if !first => break,
                '\\' => {
                    let Some(&e) = chars.get(*i) else {
                        return Err(RegexError::Invalid("bad escape (end of pattern)".into()));
                    };
                    *i += 1;
                    match e {
                        'b' => self.text.push_str(r"\x08"),
                        'A' | 'B' | 'Z' => return Err(RegexError::Invalid(format!("bad escape \\{e}"))),
                        '0'..='7' => {
                            *i -= 1;
                            let mut n = 0;
                            for _ in 0..3 {
                                let Some(d) = chars.get(*i).and_then(|c| c.to_digit(8)) else { break };
                                n = n * 8 + d;
                                *i += 1;
                            }
                            self.literal(char::from_u32(n).unwrap_or('\0'));
                        }
                        e => self.escape(e, chars, i)?,
                    }
                }
                // A hyphen between characters makes a range; doubled it would be an operator.
                '-' if chars.get(*i) == Some(&'-') => self.text.push_str(r"\x{2d}"),
                '-' => self.text.push('-'),
                c => self.literal(c),
            }
            first = false;
        }
        self.text.push(']');
        Ok(())
    }

    /// After `(`, at `?`: only what Python knows is let through. Whether anything but a comment was read.
    fn group(&mut self, chars: &[char], i: &mut usize) -> Result<bool, RegexError> {
        let bad = |why: &str| Err(RegexError::Invalid(why.into()));
        let next = chars.get(*i + 1).copied();
        match next {
            Some('#') => {
                let Some(end) = (*i..chars.len()).find(|&k| chars[k] == ')') else {
                    return bad("missing ), unterminated comment");
                };
                *i = end + 1;
                return Ok(false);
            }
            Some(':' | '=' | '!' | '>' | '(') => {}
            Some('<') if matches!(chars.get(*i + 2), Some('=' | '!')) => {}
            Some('P') if chars.get(*i + 2) == Some(&'<') => {}
            Some('P') if chars.get(*i + 2) == Some(&'=') => {
                // A reference is a whole; copied so that its end does not close a group.
                let Some(end) = (*i..chars.len()).find(|&k| chars[k] == ')') else {
                    return bad("missing ), unterminated name");
                };
                self.text.push('(');
                self.text.extend(&chars[*i..=end]);
                *i = end + 1;
                self.last = Last::Atom;
                return Ok(false);
            }
            Some(c) if "aiLmsux-".contains(c) => return self.flags(chars, i).map(|()| true),
            _ => return bad("unknown extension"),
        }
        self.depth += 1;
        // The letters and signs up to here are no pattern.
        let head = match next {
            Some('(') => (*i..chars.len()).find(|&k| chars[k] == ')'),
            Some('P') => (*i..chars.len()).find(|&k| chars[k] == '>'),
            Some('<') => Some(*i + 2),
            _ => Some(*i + 1),
        };
        let Some(end) = head else { return bad("missing ), unterminated subpattern") };
        self.text.push('(');
        self.text.extend(&chars[*i..=end]);
        *i = end + 1;
        Ok(true)
    }

    fn flags(&mut self, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        let Some(end) = (*i..chars.len()).find(|&k| matches!(chars[k], ')' | ':')) else {
            return Err(RegexError::Invalid("missing -, : or )".into()));
        };
        if chars[end] == ')' && *i != 1 {
            return Err(RegexError::Invalid("global flags not at the start of the expression".into()));
        }
        let (mut on, mut off, mut negated) = (String::new(), String::new(), false);
        for &flag in &chars[*i + 1..end] {
            match flag {
                '-' => negated = true,
                'i' | 'm' | 's' | 'x' if negated => off.push(flag),
                'i' | 'm' | 's' | 'x' => {
                    self.verbose |= flag == 'x';
                    self.multiline |= flag == 'm';
                    on.push(flag);
                }
                'a' => self.ascii = true,
                'u' | 'L' => {}
                _ => return Err(RegexError::Invalid("unknown flag".into())),
            }
        }
        self.text.push_str("(?");
        self.text.push_str(&on);
        if !off.is_empty() {
            self.text.push('-');
            self.text.push_str(&off);
        }
        if on.is_empty() && off.is_empty() && chars[end] == ')' {
            // Flags that change nothing: an empty group.
            self.text.push(':');
        }
        self.text.push(chars[end]);
        self.depth += usize::from(chars[end] == ':');
        *i = end + 1;
        Ok(())
    }
}

/// `{m}`, `{m,}`, `{,n}`, `{m,n}` after a `{`, in the engine's form; anything else is literal text in Python.
fn repeat(chars: &[char], start: usize) -> Option<(String, usize)> {
    let end = (start..chars.len()).find(|&k| !(chars[k].is_ascii_digit() || chars[k] == ','))?;
    let body: String = chars[start..end].iter().collect();
    if chars[end] != '}' || body.is_empty() || body.matches(',').count() > 1 {
        return None;
    }
    let text = match body.strip_prefix(',') {
        Some(most) => format!("{{0,{most}}}"),
        None => format!("{{{body}}}"),
    };
    Some((text, end + 1))
}
