//! Characters as Python sees them. The facts are in `table`.

use super::table::{RUNS, ZEROS};

/// `str.isspace`, and `\s` of regular expressions.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The first place at or after `pos` that holds no blank.
pub(super) fn skip_space(text: &str, pos: usize) -> usize {
    text[pos..].find(|c| !is_space(c)).map_or(text.len(), |n| pos + n)
}

fn kind(c: char) -> u32 {
    let run = RUNS.partition_point(|run| run >> 3 <= c as u32);
    RUNS[run.saturating_sub(1)] & 7
}

/// May stand in a word of the lexer, if not in an identifier.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() { c == '_' || c.is_ascii_alphanumeric() } else { kind(c) & 3 != 0 }
}

/// `str.isidentifier`, of a word.
pub(super) fn is_identifier(word: &str) -> bool {
    if word.is_ascii() {
        return !word.starts_with(|c: char| c.is_ascii_digit());
    }
    word.starts_with(|c| kind(c) & 3 == 3) && word.chars().all(|c| kind(c) & 3 >= 2)
}

/// The value of a decimal digit of any script.
pub(super) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let next = ZEROS.partition_point(|&zero| zero <= c as u32);
    let zero = ZEROS[next.checked_sub(1)?];
    u8::try_from(c as u32 - zero).ok().filter(|&n| n < 10)
}

/// `repr` of a string of one character.
pub(super) fn repr(c: char) -> String {
    match c {
        '\'' => "\"'\"".into(),
        '\\' => "'\\\\'".into(),
        '\n' => "'\\n'".into(),
        '\r' => "'\\r'".into(),
        '\t' => "'\\t'".into(),
        c if kind(c) & 4 == 0 => format!("'{c}'"),
        c => match c as u32 {
            n @ 0..=0xff => format!("'\\x{n:02x}'"),
            n @ 0x100..=0xffff => format!("'\\u{n:04x}'"),
            n => format!("'\\U{n:08x}'"),
        },
    }
}
