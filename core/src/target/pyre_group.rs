//! What stands behind `(?` in Python's regular expressions: groups of all kinds, flags, comments.

use super::RegexError;
use super::pyre_syntax::{Last, Translation, bad};

impl Translation {
    /// After `(`, at `?`: only what Python knows is let through. Whether anything but a comment was read.
    pub(super) fn group(&mut self, chars: &[char], i: &mut usize) -> Result<bool, RegexError> {
        let at = *i;
        let next = chars.get(at + 1).copied();
        let after = chars.get(at + 2).copied();
        // The letters and signs up to `head` are no pattern.
        let (head, numbered) = match (next, after) {
            (Some('#'), _) => {
                let Some(end) = (at..chars.len()).find(|&k| chars[k] == ')') else {
                    return bad("missing ), unterminated comment", at - 1, chars);
                };
                *i = end + 1;
                return Ok(false);
            }
            (Some(':' | '=' | '!' | '>'), _) => (at + 1, false),
            (Some('('), _) => {
                let (name, end) = name_until(chars, at + 2, ')')?;
                if name.bytes().all(|b| b.is_ascii_digit()) {
                    match name.parse().unwrap_or(usize::MAX) {
                        0 => return bad("bad group number", at + 2, chars),
                        group => self.asked.push((group, at + 2)),
                    }
                } else {
                    check_name(&name, at + 2, chars)?;
                    if !self.names.iter().any(|(n, _)| *n == name) {
                        return bad(format!("unknown group name '{name}'"), at + 2, chars);
                    }
                }
                (end, false)
            }
            (Some('<'), Some('=' | '!')) => (at + 2, false),
            (Some('P'), Some('<')) => {
                let (name, end) = name_until(chars, at + 3, '>')?;
                check_name(&name, at + 3, chars)?;
                let number = self.groups + 1;
                if let Some((_, was)) = self.names.iter().find(|(n, _)| *n == name) {
                    let why =
                        format!("redefinition of group name '{name}' as group {number}; was group {was}");
                    return bad(why, at + 3, chars);
                }
                self.names.push((name, number));
                (end, true)
            }
            (Some('P'), Some('=')) => {
                // A reference is a whole; copied so that its end does not close a group.
                let (name, end) = name_until(chars, at + 3, ')')?;
                check_name(&name, at + 3, chars)?;
                let Some((_, number)) = self.names.iter().find(|(n, _)| *n == name) else {
                    return bad(format!("unknown group name '{name}'"), at + 3, chars);
                };
                if self.open.iter().any(|(_, open)| *open == Some(*number)) {
                    return bad("cannot refer to an open group", at + 3, chars);
                }
                self.begun = true;
                self.text.push('(');
                self.text.extend(&chars[at..=end]);
                *i = end + 1;
                self.last = Last::Atom;
                return Ok(false);
            }
            (Some(c), _) if "aiLmsux-".contains(c) => return self.flags(chars, i).map(|()| true),
            (None, _) | (Some('P' | '<'), None) => {
                return bad("unexpected end of pattern", chars.len(), chars);
            }
            (Some(c @ ('P' | '<')), Some(then)) => {
                return bad(format!("unknown extension ?{c}{then}"), at, chars);
            }
            (Some('\\'), Some(then)) => return bad(format!("unknown extension ?\\{then}"), at, chars),
            (Some(c), _) => return bad(format!("unknown extension ?{c}"), at, chars),
        };
        if numbered {
            self.groups += 1;
        }
        self.begun = true;
        self.open.push((at - 1, numbered.then_some(self.groups)));
        self.text.push_str(if looks_around(chars, at - 1) { "(?:(" } else { "(" });
        self.text.extend(&chars[at..=head]);
        *i = head + 1;
        Ok(true)
    }

    fn flags(&mut self, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        let Some(end) = (*i..chars.len()).find(|&k| matches!(chars[k], ')' | ':')) else {
            return bad("missing -, : or )", chars.len(), chars);
        };
        if chars[end] == ')' && self.begun {
            return bad("global flags not at the start of the expression", *i - 1, chars);
        }
        let (mut on, mut off, mut negated) = (String::new(), String::new(), false);
        for (at, &flag) in chars.iter().enumerate().take(end).skip(*i + 1) {
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
                _ => return bad("unknown flag", at, chars),
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
        if chars[end] == ':' {
            self.begun = true;
            self.open.push((*i - 1, None));
        }
        *i = end + 1;
        Ok(())
    }
}

/// Whether the group that begins there looks ahead or behind.
pub(super) fn looks_around(chars: &[char], start: usize) -> bool {
    let after = |n: usize| chars.get(start + n).copied();
    after(1) == Some('?')
        && (matches!(after(2), Some('=' | '!'))
            || after(2) == Some('<') && matches!(after(3), Some('=' | '!')))
}

/// Whether a repeat stands there, or behind comments.
pub(super) fn is_repeated(chars: &[char], mut at: usize) -> bool {
    while chars[at.min(chars.len())..].starts_with(&['(', '?', '#']) {
        let Some(end) = chars[at..].iter().position(|c| *c == ')') else { return false };
        at += end + 1;
    }
    matches!(chars.get(at), Some('*' | '+' | '?' | '{'))
}

/// A name up to a sign, and where that is.
fn name_until(chars: &[char], from: usize, end: char) -> Result<(String, usize), RegexError> {
    match chars[from.min(chars.len())..].iter().position(|c| *c == end) {
        Some(0) => bad("missing group name", from, chars),
        Some(length) => Ok((chars[from..from + length].iter().collect(), from + length)),
        None if from >= chars.len() => bad("missing group name", chars.len(), chars),
        None => bad(format!("missing {end}, unterminated name"), from, chars),
    }
}

fn check_name(name: &str, at: usize, chars: &[char]) -> Result<(), RegexError> {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if begins && letters.all(|c| c.is_alphanumeric() || c == '_') {
        return Ok(());
    }
    bad(format!("bad character in group name '{name}'"), at, chars)
}
