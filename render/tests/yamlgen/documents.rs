//! Random YAML documents: well made ones, damaged ones, and mere heaps of tokens.

use super::Random;

const PLAIN: &[&str] = &[
    "a",
    "b",
    "key",
    "x y",
    "foo.bar",
    "salt://a/b",
    "1",
    "0",
    "-1",
    "+12",
    "010",
    "0644",
    "08",
    "0o17",
    "0x1F",
    "0b101",
    "1_000",
    "1:30",
    "190:20:30",
    "1.5",
    "-.5",
    ".5",
    "1.",
    "1e3",
    "1.0e+3",
    "6.8523015e+5",
    "1:30.5",
    ".inf",
    "-.INF",
    ".NaN",
    "~",
    "null",
    "Null",
    "NULL",
    "nUll",
    "true",
    "Yes",
    "no",
    "on",
    "Off",
    "y",
    "n",
    "yEs",
    "2020-01-02",
    "2020-1-2",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-15 2:59:43.10",
    "2020-13-45",
    "=",
    "<<",
    "é",
    "日本",
    "\u{1f600}",
    "a#b",
    "a: b",
    "a:b",
    "-",
    "- a",
    "?",
    "? a",
    "--",
    "...",
    "---",
    "a,b",
    "[",
    "]",
    "{a}",
    "*",
    "!",
    "&",
    "%a",
    "@a",
    "`",
    "'",
    "\"",
    "123456789012345678901234567890",
    "0_",
    "-0b1",
    "+0x_",
    "0x",
    "a  b",
    "trailing ",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\\",
    "a\tb",
    "null ",
    "1 2",
    "!a,b",
    "1__2",
    "_1",
    "0.0",
    "-0.0",
    "1e400",
    "1.0e+400",
    "00",
    "0000",
    "-00",
    "0b",
    "09:30",
    "12:60",
    "<<x",
];

const TAGS: &[&str] = &[
    "!!str",
    "!!int",
    "!!float",
    "!!bool",
    "!!null",
    "!!seq",
    "!!map",
    "!!set",
    "!!omap",
    "!!pairs",
    "!!binary",
    "!!timestamp",
    "!!python/unicode",
    "!!python/tuple",
    "!",
    "!local",
    "!encrypted",
    "!encryptedx",
    "!!strange",
    "!<tag:yaml.org,2002:str>",
    "!<!x>",
    "!e!x",
    "!!merge",
    "!!value",
    "!!yaml",
    "!a%20b",
    "!a%C3%A9",
];

const TOKENS: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n  ",
    "\n    ",
    "\n- ",
    "\n  - ",
    ": ",
    ":",
    ":\n",
    "- ",
    "? ",
    ", ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "&b",
    "*b ",
    "!!str ",
    "! ",
    "!!int",
    "|",
    ">",
    "|-\n",
    ">+\n",
    "|2\n",
    "#c",
    " # c\n",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "\\x41",
    "\\q",
    "\t",
    "%YAML 1.1\n",
    "%TAG ! tag:x,\n",
    "---",
    "--- ",
    "\n---\n",
    "\n...\n",
    "a",
    "b",
    "1",
    "key",
    "<<: ",
    "<<",
    "=",
    "= : ",
    "~",
    "\r\n",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "\u{1f600}",
    "@",
    "`",
    "%",
    "\u{7f}",
    "\u{0}",
];

/// A document.
pub(crate) fn document(random: &mut Random) -> String {
    match random.below(10) {
        0..=4 => made(random),
        5..=7 => {
            let text = made(random);
            damaged(random, &text)
        }
        _ => (0..random.below(14) + 1).map(|_| random.pick(TOKENS)).collect(),
    }
}

fn made(random: &mut Random) -> String {
    let mut maker = Maker { random, out: String::new(), anchors: 0 };
    if maker.random.one_in(12) {
        let head = maker.random.pick(&[
            "---\n",
            "--- ",
            "%YAML 1.1\n---\n",
            "# c\n",
            "\n",
            "%TAG !e! tag:e,1:\n---\n",
            "\u{feff}",
        ]);
        maker.out.push_str(head);
    }
    maker.block(0, 3);
    if maker.random.one_in(15) {
        let tail = maker.random.pick(&["...\n", "---\n", "--- x\n", "...", "# end", "\n\n"]);
        maker.out.push_str(tail);
    }
    if maker.random.one_in(8) {
        while maker.out.ends_with('\n') {
            maker.out.pop();
        }
    }
    maker.out
}

/// Changes a few characters.
fn damaged(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..random.below(3) + 1 {
        let at = random.below(chars.len() + 1);
        match random.below(4) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 => {
                for c in random.pick(TOKENS).chars().rev() {
                    chars.insert(at, c);
                }
            }
            2 => chars.truncate(at.max(1)),
            _ if at + 1 < chars.len() => chars.swap(at, at + 1),
            _ => {}
        }
    }
    chars.into_iter().collect()
}

struct Maker<'r> {
    random: &'r mut Random,
    out: String,
    anchors: usize,
}

impl Maker<'_> {
    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Anchor and tag, now and then.
    fn properties(&mut self) {
        if self.random.one_in(14) {
            let tag = self.random.pick(TAGS);
            self.out.push_str(tag);
            self.out.push(' ');
        }
        if self.random.one_in(9) {
            self.anchors += 1;
            self.out.push_str(&format!("&a{} ", self.anchors));
        }
    }

    fn end(&mut self) {
        let end = if self.random.one_in(25) {
            self.random.pick(&[" # c\n", " \n", "\n\n", "\r\n", "\n# c\n", "\t\n"])
        } else {
            "\n"
        };
        self.out.push_str(end);
    }

    fn alias(&mut self) -> bool {
        if self.anchors > 0 && self.random.one_in(8) {
            let which = self.random.below(self.anchors) + 1;
            self.out.push_str(&format!("*a{which}"));
            return true;
        }
        false
    }

    fn scalar(&mut self, flow: bool) {
        if self.alias() {
            return;
        }
        self.properties();
        match self.random.below(10) {
            0 => self.quoted('\''),
            1 => self.quoted('"'),
            2 if !flow && self.random.one_in(8) => {
                let (one, two) = (self.random.pick(PLAIN), self.random.pick(PLAIN));
                let gap = self.random.pick(&["\n      ", "\n\n        ", "\n  ", "\n\t"]);
                self.out.push_str(one);
                self.out.push_str(gap);
                self.out.push_str(two);
            }
            _ => {
                let text = if self.random.one_in(3) {
                    self.random.pick(PLAIN)
                } else {
                    self.random.pick(&PLAIN[..66])
                };
                self.out.push_str(text);
            }
        }
    }

    fn quoted(&mut self, quote: char) {
        self.out.push(quote);
        for _ in 0..self.random.below(4) {
            let text = self.random.pick(PLAIN).replace(['\'', '"', '\\'], "");
            self.out.push_str(&text);
            let more: &[&str] = if quote == '"' {
                &[
                    " ",
                    "\\n",
                    "\\\\",
                    "\\t",
                    "\\x41",
                    "\\u00e9",
                    "\\U0001F600",
                    "\n   ",
                    "\\\n   ",
                    "\n\n  ",
                    "\\\"",
                    "\\0",
                    "\\ ",
                    "'",
                    "\\ud83d",
                    "\\L",
                    "\\_",
                    "\\e",
                ]
            } else {
                &[" ", "''", "\n   ", "\n\n  ", "\"", "\\", "  "]
            };
            let more = self.random.pick(more);
            self.out.push_str(more);
        }
        self.out.push(quote);
    }

    fn flow(&mut self, depth: usize) {
        if depth == 0 || self.random.one_in(3) {
            self.scalar(true);
            return;
        }
        self.properties();
        let list = self.random.one_in(2);
        self.out.push(if list { '[' } else { '{' });
        for i in 0..self.random.below(4) {
            if i > 0 {
                let comma = self.random.pick(&[", ", ",", ",\n   ", " ,"]);
                self.out.push_str(comma);
            }
            if list && !self.random.one_in(6) {
                self.flow(depth - 1);
            } else {
                if self.random.one_in(25) {
                    self.out.push_str("? ");
                }
                self.key();
                if !self.random.one_in(10) {
                    let colon = self.random.pick(&[": ", ": ", ": ", ":", " : "]);
                    self.out.push_str(colon);
                    self.flow(depth - 1);
                }
            }
        }
        if self.random.one_in(20) {
            self.out.push(',');
        }
        self.out.push(if list { ']' } else { '}' });
    }

    fn key(&mut self) {
        match self.random.below(20) {
            0 => self.out.push_str("<<"),
            1 => self.scalar(true),
            2 if self.random.one_in(4) => self.flow(1),
            3 => self.out.push('='),
            _ => {
                let key = self.random.pick(&[
                    "a", "b", "c", "k1", "k2", "k3", "foo", "1", "true", "1.0", "x y", "'q'", "\"d\"", "~",
                ]);
                self.out.push_str(key);
            }
        }
    }

    /// A block node at the current place; the text ends with a line end.
    fn block(&mut self, indent: usize, depth: usize) {
        match self.random.below(if depth == 0 { 4 } else { 12 }) {
            0 | 1 => {
                self.scalar(false);
                self.end();
            }
            2 => {
                self.flow(3);
                self.end();
            }
            3 => self.text(indent),
            4..=6 => {
                for i in 0..self.random.below(3) + 1 {
                    if i > 0 {
                        self.pad(indent);
                    }
                    self.out.push_str("- ");
                    self.block(indent + 2, depth - 1);
                }
            }
            _ => {
                for i in 0..self.random.below(4) + 1 {
                    if i > 0 {
                        self.pad(indent);
                    }
                    self.pair(indent, depth);
                }
            }
        }
    }

    fn pair(&mut self, indent: usize, depth: usize) {
        if self.random.one_in(30) {
            self.out.push_str("? ");
            self.block(indent + 2, 0);
            self.pad(indent);
        } else {
            self.key();
        }
        match self.random.below(12) {
            0 => self.out.push_str(":\n"),
            1..=5 => {
                self.out.push_str(": ");
                self.block(indent + 2, 0);
            }
            6 => {
                self.out.push_str(": ");
                self.properties();
                self.out.push('\n');
                self.pad(indent + 2);
                self.block(indent + 2, depth - 1);
            }
            7 => {
                // A list at the indentation of its key.
                self.out.push_str(":\n");
                self.pad(indent);
                self.out.push_str("- ");
                self.block(indent + 2, depth - 1);
            }
            _ => {
                let step = self.random.pick(&[2, 2, 2, 4, 1]);
                self.out.push_str(":\n");
                self.pad(indent + step);
                self.block(indent + step, depth - 1);
            }
        }
    }

    /// A block scalar.
    fn text(&mut self, indent: usize) {
        self.properties();
        let head = self.random.pick(&["|", ">", "|-", ">-", "|+", ">+", "|2", ">1-", "|+1", "| # c", ">3"]);
        self.out.push_str(head);
        self.out.push('\n');
        for _ in 0..self.random.below(4) {
            if self.random.one_in(6) {
                self.out.push('\n');
                continue;
            }
            let more = self.random.pick(&[1, 1, 1, 1, 2, 3, 0]);
            self.pad(indent + more);
            let text = self.random.pick(PLAIN);
            self.out.push_str(text);
            self.out.push('\n');
        }
    }
}
