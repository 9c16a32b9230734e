//! A scalar: the text that Pallet Jack makes of every value, and what the value was.

use crate::finding::Place;
use std::sync::Arc;

/// A text that remembers what it was and where it stood.
#[derive(Clone, Debug)]
pub struct Scalar(Arc<Data>);

#[derive(Debug)]
struct Data {
    text: Box<str>,
    written: Option<Box<str>>,
    native: Native,
    quoted: bool,
    place: Place,
}

/// What YAML has for a scalar, as Ruby's reader types it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Native {
    /// Nothing, `~` or `null`.
    Null,
    /// `yes`, `Off`, `true` and the like.
    Bool(bool),
    /// A whole number: also octal, hexadecimal, binary and sexagesimal.
    Int(i64),
    /// A whole number too large for 64 bits; its decimal digits are the text.
    Big,
    /// A number with a point, `.inf` or `.nan`; sexagesimal too.
    Float(f64),
    /// A date; the text is as in ISO 8601.
    Date,
    /// A date with a time; the text is `2017-01-16 10:20:30 +0000`.
    Time,
    /// A Ruby symbol: the text has lost the colon before it.
    Symbol,
    /// A text.
    Str,
}

impl Scalar {
    pub(crate) fn new(text: &str, written: &str, native: Native, quoted: bool, place: Place) -> Self {
        let written = (written != text).then(|| written.into());
        Self(Arc::new(Data { text: text.into(), written, native, quoted, place }))
    }

    /// A text that was made inside the program, which Pallet Jack would emit in quotes where it looks like something else.
    pub(crate) fn made(text: &str, place: Place) -> Self {
        Self::new(text, text, Native::Str, true, place)
    }

    /// What Ruby's YAML reader and `String()` make of it: `0042` is `34`, `yes` is `true`, nothing is the empty text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What stood in the file, without quotes.
    #[must_use]
    pub fn written(&self) -> &str {
        self.0.written.as_deref().unwrap_or(&self.0.text)
    }

    /// What YAML has for it.
    #[must_use]
    pub fn native(&self) -> Native {
        self.0.native
    }

    /// Whether it was made inside the program (names of pallets, links and boxes): Pallet Jack emits such in quotes where needed, so
    /// that they stay texts; everything else it emits plain, so that who reads it types it anew.
    #[must_use]
    pub fn quoted(&self) -> bool {
        self.0.quoted
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Whether both are one and the same in memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: Native, b: Native| match (a, b) {
            (Native::Float(a), Native::Float(b)) => a.to_bits() == b.to_bits(),
            _ => a == b,
        };
        self.is(other)
            || self.text() == other.text()
                && self.quoted() == other.quoted()
                && self.written() == other.written()
                && same(self.native(), other.native())
    }
}
