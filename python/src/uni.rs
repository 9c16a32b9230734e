//! What Python says of single characters.

use crate::uni_tables::{DIGITS, FOLD, NUMERIC, TITLE, ZEROS};
use unicode_properties::{GeneralCategory as Cat, GeneralCategoryGroup as Group, UnicodeGeneralCategory};

fn within(table: &[(u32, u32)], c: char) -> bool {
    let n = u32::from(c);
    table
        .binary_search_by(|(a, b)| {
            if *b < n {
                std::cmp::Ordering::Less
            } else if *a > n {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

/// `c.isspace()`, and what `strip` and `split` take for space.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The words of `text.split()`.
pub fn split_whitespace(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Where `splitlines` splits.
pub fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `c.isprintable()`.
pub(crate) fn is_printable(c: char) -> bool {
    c == ' ' || !matches!(c.general_category_group(), Group::Other | Group::Separator)
}

/// `c.isalpha()`.
pub(crate) fn is_alpha(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { c.general_category_group() == Group::Letter }
}

/// `c.isdecimal()`.
pub fn is_decimal(c: char) -> bool {
    decimal(c).is_some()
}

/// The value of a decimal digit of any script.
fn decimal(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let n = u32::from(c);
    let at = ZEROS.partition_point(|zero| *zero <= n).checked_sub(1)?;
    Some(n - ZEROS[at]).filter(|d| *d < 10)
}

/// A decimal digit of any script as an ASCII one; other characters as they are.
pub(crate) fn to_ascii_digit(c: char) -> char {
    decimal(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c)
}

/// `c.isdigit()`.
pub fn is_digit(c: char) -> bool {
    is_decimal(c) || within(DIGITS, c)
}

/// `c.isnumeric()`.
pub(crate) fn is_numeric(c: char) -> bool {
    is_digit(c) || c.is_numeric() || within(NUMERIC, c)
}

/// `c.isalnum()`.
pub fn is_alnum(c: char) -> bool {
    is_alpha(c) || is_numeric(c)
}

/// A letter like `ǅ`.
pub(crate) fn is_title(c: char) -> bool {
    !c.is_ascii() && c.general_category() == Cat::TitlecaseLetter
}

/// Whether it has case at all.
pub(crate) fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || is_title(c)
}

fn look(table: &[(char, &'static str)], c: char) -> Option<&'static str> {
    table.binary_search_by_key(&c, |(c, _)| *c).ok().map(|at| table[at].1)
}

/// Adds the title case of a character.
pub(crate) fn push_title(out: &mut String, c: char) {
    match look(TITLE, c) {
        Some(text) => out.push_str(text),
        None => out.extend(c.to_uppercase()),
    }
}

/// Adds the folded case of a character.
pub(crate) fn push_fold(out: &mut String, c: char) {
    match look(FOLD, c) {
        Some(text) => out.push_str(text),
        None => out.extend(c.to_lowercase()),
    }
}
