//! Shell patterns for tags, read once: every event of the bus is held against them, so that most are told apart by how they begin.

use brine_core::target::fnmatch;

/// A pattern as `fnmatch` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// How many bytes stand before what is no plain letter.
    plain: usize,
    /// What stands between stars, where nothing else is special; `None` where something is.
    parts: Option<Vec<String>>,
}

impl Glob {
    /// Reads a pattern; every text is one.
    pub fn new(text: &str) -> Self {
        let plain = text.find(['*', '?', '[']).unwrap_or(text.len());
        let parts = (!text.contains(['?', '['])).then(|| text.split('*').map(str::to_owned).collect());
        Self { text: text.to_owned(), plain, parts }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        if !text.as_bytes().starts_with(&self.text.as_bytes()[..self.plain]) {
            return false;
        }
        let Some(parts) = &self.parts else { return fnmatch(text, &self.text) };
        let [first, middle @ .., last] = parts.as_slice() else { return text == self.text };
        let Some(mut rest) = text.get(first.len()..) else { return false };
        for part in middle {
            // The leftmost place leaves most to those that follow.
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fnmatch() {
        let mut random = brine_testing::Random::new(7);
        for _ in 0..200_000 {
            let mut word = |letters: &[u8], most: usize| -> String {
                (0..random.below(most)).map(|_| char::from(letters[random.below(letters.len())])).collect()
            };
            let (pattern, text) = (word(b"ab/**?[]", 7), word(b"ab/", 9));
            assert_eq!(Glob::new(&pattern).fits(&text), fnmatch(&text, &pattern), "{pattern:?} {text:?}");
        }
        assert!(Glob::new("salt/job/*/ret/*").fits("salt/job/20261126000000000000/ret/m1"));
        assert!(!Glob::new("salt/job/*/ret/*").fits("salt/job/20261126000000000000/new"));
        assert!(Glob::new("\u{e5}*").fits("\u{e5}b") && !Glob::new("\u{e5}*").fits("b"));
    }
}
