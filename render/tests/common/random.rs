//! Random data: every kind of value that a return can hold, and odd ones more often than life has them.

use brine_protocol::{DateTime, Map, Value};

/// A generator of numbers that gives the same ones for the same seed.
pub(crate) struct Random(u64);

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "yes",
    "no",
    "null",
    "~",
    "1",
    "1.5",
    "0x1",
    "010",
    "1e5",
    "2020-01-02",
    "12:30:45",
    "True",
    "None",
    "=",
    "<<",
    "some words here",
    "two\nlines",
    "three\n\nlines\n",
    "\nleading",
    "trailing  ",
    "  leading blanks",
    "x: y",
    "- a",
    "# c",
    "a #b",
    "a:b",
    "{a}",
    "{",
    "}",
    "{0}",
    "{{}}",
    "[a]",
    "'q'",
    "\"q\"",
    "it's",
    "%a",
    "@a",
    "`a",
    "|",
    ">",
    "?",
    ":",
    "-",
    "a\\b",
    "tab\there",
    "a\tb\n c",
    "cr\rlf\r\n",
    "\x1b[31mred\x1b[0m",
    "\x07",
    "\x00",
    "\x7f",
    "\u{e9}t\u{e9}",
    "\u{4e2d}\u{6587}",
    "\u{1f600}",
    "\u{a0}",
    "\u{85}",
    "a\u{2028}b",
    "\u{feff}bom",
    "\u{fffd}",
    "/etc/salt/minion.d/file.conf",
    "multi\n  indented\n",
    "!tag",
    "&anchor",
    "*alias",
    "a, b",
    "key: [1, 2]",
    "---",
    "...",
    "--- a",
    "-1",
    "+1",
    ".5",
    "1_000",
    "well-known state-of-the-art e-mail -- really",
    "web1.example.com",
    "_",
    "a_b_c",
    ",",
    "a\n\n\n\nb",
    "line \n with blank ends \n",
];
const WORDS: &[&str] = &[
    "the",
    "quick",
    "brown",
    "fox-like",
    "jumps",
    "over",
    "lazy",
    "dog,",
    "and",
    "again;",
    "/usr/share/doc/package/README.Debian",
    "\u{fc}ber",
    "a",
    "--",
    "x=1",
    "key:",
    "#",
    "'quoted'",
    "https://example.com/a/very/long/path?with=query",
    "\u{4e2d}\u{6587}",
    "I",
];

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 33) % n as u64).unwrap()
    }

    /// One in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }

    pub(crate) fn text(&mut self) -> String {
        match self.below(8) {
            0..=3 => self.pick(TEXTS).to_owned(),
            4 => self.words(30),
            5 => format!("{}\n{}", self.words(20), self.words(20)),
            6 => (0..self.below(12)).map(|_| self.pick(TEXTS)).collect(),
            _ => "x".repeat(self.below(120)),
        }
    }

    pub(crate) fn words(&mut self, most: usize) -> String {
        let words: Vec<&str> = (0..self.below(most)).map(|_| self.pick(WORDS)).collect();
        words.join(self.pick(&[" ", " ", " ", "  ", "\t"]))
    }

    pub(crate) fn float(&mut self) -> f64 {
        match self.below(8) {
            0 => [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -0.0][self.below(4)],
            1 => [1e16, 1e15, 1e-5, 1e-4, 1e22, 1.5e300, 5e-324, 123_456_789.123][self.below(8)],
            _ => (self.below(2_000_000) as f64 - 1e6) / [1.0, 10.0, 1000.0, 7.0][self.below(4)],
        }
    }

    pub(crate) fn int(&mut self) -> i128 {
        match self.below(6) {
            0 => [i128::from(i64::MAX), -1, i128::from(u64::MAX), 1 << 70, 20_261_125_170_102_123_456]
                [self.below(5)],
            _ => i128::try_from(self.below(1000)).unwrap() - 20,
        }
    }

    pub(crate) fn leaf(&mut self) -> Value {
        match self.below(16) {
            0 => Value::Nil,
            1 => self.one_in(2).into(),
            2 | 3 => Value::Int(self.int()),
            4 | 5 => Value::Float(self.float()),
            6 => Value::Bytes(self.text().into_bytes()),
            7 if self.one_in(3) => Value::Bytes((0..self.below(40)).map(|_| self.below(256) as u8).collect()),
            8 if self.one_in(4) => Value::DateTime(DateTime {
                year: 2026,
                month: 1 + self.below(12) as u8,
                day: 1 + self.below(28) as u8,
                hour: self.below(24) as u8,
                minute: self.below(60) as u8,
                second: self.below(2) as u8,
                micro: self.below(2) as u32 * 500,
            }),
            9 if self.one_in(2) => Value::List(Vec::new()),
            10 if self.one_in(2) => Map::new().into(),
            _ => self.text().into(),
        }
    }

    /// A key: text mostly, so that maps can be sorted.
    pub(crate) fn key(&mut self) -> Value {
        match self.below(40) {
            0 => Value::Nil,
            1 => Value::Int(2 + self.below(50) as i128),
            2 => Value::Float(0.5 + self.below(50) as f64),
            3 => self.one_in(2).into(),
            4 if self.one_in(3) => Value::Bytes(self.text().into_bytes()),
            5..=9 => self.text().into(),
            n => format!("{}{}", self.pick(&["key", "a key", "id", "\u{fc}", "K", "name_of", "x"]), n % 7)
                .into(),
        }
    }

    /// Nested data.
    pub(crate) fn value(&mut self, depth: usize) -> Value {
        if depth == 0 || self.one_in(3) {
            return self.leaf();
        }
        let n = self.below(5);
        if self.one_in(2) {
            (0..n).map(|_| self.value(depth - 1)).collect()
        } else {
            self.map(n, depth - 1).into()
        }
    }

    pub(crate) fn map(&mut self, n: usize, depth: usize) -> Map {
        if self.one_in(12) {
            // Numbers alone can be sorted as well.
            return (0..n).map(|_| (Value::Int(2 + self.below(99) as i128), self.value(depth))).collect();
        }
        (0..n).map(|_| (self.key(), self.value(depth))).collect()
    }
}
