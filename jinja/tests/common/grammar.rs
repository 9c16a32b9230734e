//! Random templates: every statement and expression there is, odd ones more often than life has them, and broken ones.

use brine_jinja::{Newline, Syntax};

/// A generator of templates that gives the same ones for the same seed.
pub(crate) struct Grammar<'a> {
    state: u64,
    syntax: &'a Syntax,
}

/// The syntaxes that are tried.
pub(crate) fn syntaxes() -> Vec<Syntax> {
    let plain = Syntax::default;
    let some = |text: &str| Some(text.to_owned());
    let trimming = || Syntax { trim_blocks: true, lstrip_blocks: true, ..plain() };
    let delimited =
        |[block_start, block_end, variable_start, variable_end, comment_start, comment_end]: [&str; 6]| {
            Syntax {
                block_start: block_start.into(),
                block_end: block_end.into(),
                variable_start: variable_start.into(),
                variable_end: variable_end.into(),
                comment_start: comment_start.into(),
                comment_end: comment_end.into(),
                ..plain()
            }
        };
    vec![
        plain(),
        trimming(),
        Syntax { lstrip_blocks: true, keep_trailing_newline: true, ..plain() },
        Syntax { trim_blocks: true, newline_sequence: Newline::CrLf, ..plain() },
        Syntax { line_statement_prefix: some("#"), line_comment_prefix: some("##"), ..plain() },
        Syntax { line_statement_prefix: some("%"), line_comment_prefix: some("//"), ..trimming() },
        Syntax { newline_sequence: Newline::Cr, line_comment_prefix: some("#"), ..plain() },
        delimited(["<%", "%>", "<%=", "%>", "<%#", "%>"]),
        Syntax { trim_blocks: true, ..delimited(["[%", "%]", "${", "}", "<!--", "-->"]) },
        Syntax { lstrip_blocks: true, ..delimited(["«", "»", "‹", "›", "(*", "*)"]) },
    ]
}

const NAMES: &[&str] = &[
    "a",
    "b",
    "x1",
    "_u",
    "é",
    "名",
    "in",
    "is",
    "not",
    "and",
    "if",
    "else",
    "with",
    "context",
    "true",
    "None",
    "loop",
    "salt",
    "none",
    "recursive",
    "ignore",
    "missing",
    "as",
    "endfor",
    "caller",
];
const PLAIN: &[&str] = &["a", "b", "c", "x1", "ns", "salt", "grains", "long_name", "é"];
const CONSTS: &[&str] = &[
    "1",
    "0",
    "42",
    "0x1F",
    "0b101",
    "0o17",
    "1_000",
    "00",
    "1.5",
    "1e3",
    "2.5E-3",
    "1_0.0_1",
    "9223372036854775808",
    "0xffffffffffffffffff",
    "123456789012345678901234567890",
    "1e999",
    "1e-320",
    "0.0",
    "'s'",
    "\"t\"",
    "''",
    "'a' 'b' \"c\"",
    "'it\\'s'",
    "\"\\n\\t\\x41\\u00e9\\U0001F600\\101\\q\"",
    "'é\\é'",
    "'two\nlines'",
    "'a\\\nb'",
    "true",
    "False",
    "none",
    "'{{ }} %} #}'",
    "1१",
    "0x१f",
    "5.e",
    "'\\\\'",
    "1if",
    "0777",
    "1__0",
    "3.",
    "'\\a\\b\\f\\v\\0\\8'",
];
const TEXTS: &[&str] = &[
    "text", " ", "\n", "\n\n", "  \n  ", "\t", "key: ", "- x\n", "#", "%", "{", "}", "$", "<", "é", "\r\n",
    "\r", "\u{b}", "\u{a0}", "\u{2028}", "\u{1f}", "{ %", "} }", "## c", "// c", "-", "+", "'", "\"", "\\",
];
/// What is put into templates to break them.
const PIECES: &[&str] = &[
    "{%",
    "%}",
    "{{",
    "}}",
    "{#",
    "#}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "|",
    ".",
    ",",
    ":",
    "=",
    "==",
    "!",
    "@",
    "§",
    "~",
    "*",
    "**",
    "-",
    "+",
    "//",
    "if",
    "else",
    "endif",
    "for",
    "endfor",
    "in",
    "not",
    "is",
    "and",
    "set",
    "endset",
    "macro",
    "endmacro",
    "block",
    "raw",
    "endraw",
    "%}{%",
    "{%-",
    "-%}",
    "+%}",
    "{%+",
    "\n",
    " ",
    ";",
    "?",
    "\\",
    "'\\x4'",
    "'\\u12'",
    "'\\U00110000'",
    "'\\N'",
    "'\\ud83d\\ude00'",
    "'\\N{'",
    "$",
    "`",
    "\u{301}",
    "1e",
    "१",
    "℘",
    "²",
    "٣.٤",
    "1.٤",
    "\u{200b}",
    "{% endfor %}",
    "{% x %}",
    "{% call %}",
    "\u{7f}",
    "{% if a %}",
    "{% endif %}",
    "{% from 'a' import _b %}",
    "{% block a-b %}",
    "{% for",
    "as",
    "without context",
    "recursive",
    "<%",
    "%>",
    "[%",
    "${",
    "«",
    "»",
    "‹",
    "›",
    "#",
    "##",
    "%",
    "\u{feff}",
];

impl<'a> Grammar<'a> {
    pub(crate) fn new(seed: u64, syntax: &'a Syntax) -> Self {
        Self { state: (seed.wrapping_mul(2) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), syntax }
    }

    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    /// A template, broken in two of five cases.
    pub(crate) fn template(&mut self) -> String {
        let mut text = self.body(2);
        while self.below(5) < 2 {
            self.damage(&mut text);
        }
        text
    }

    /// Breaks a template in one place, mostly.
    pub(crate) fn damage(&mut self, text: &mut String) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (from, to) = (self.below(places.len()), self.below(4));
        let at = places[from];
        let end = places[(from + to).min(places.len() - 1)];
        match self.below(5) {
            0 => text.replace_range(at..end, ""),
            1 => text.truncate(at),
            2 => {
                let again = text[at..end].to_owned();
                text.insert_str(at, &again);
            }
            3 => text.replace_range(at..end, self.pick(PIECES)),
            _ => text.insert_str(at, self.pick(PIECES)),
        }
    }

    fn blank(&mut self) -> &'static str {
        self.pick(&["", " ", " ", " ", " ", "  ", "\n", "\t", "\n  ", " \r\n"])
    }

    fn sign(&mut self) -> &'static str {
        self.pick(&["", "", "", "-", "+"])
    }

    fn tag(&mut self, inside: &str) -> String {
        let syntax = self.syntax;
        if let Some(prefix) = &syntax.line_statement_prefix
            && self.one_in(2)
        {
            let blank = self.pick(&["", " ", "  ", "\t"]);
            let sign = self.sign();
            let end = self.pick(&["", ":", " "]);
            return format!("\n{blank}{prefix}{sign} {inside}{end}\n");
        }
        let (before, after) = (self.sign(), self.sign());
        let (from, to) = (self.blank(), self.blank());
        format!("{}{before}{from}{inside}{to}{after}{}", syntax.block_start, syntax.block_end)
    }

    fn body(&mut self, depth: usize) -> String {
        (0..self.below(4)).map(|_| self.piece(depth)).collect()
    }

    fn piece(&mut self, depth: usize) -> String {
        let syntax = self.syntax;
        match self.below(12) {
            0..3 => (0..1 + self.below(3)).map(|_| self.pick(TEXTS)).collect(),
            3..6 => {
                let (before, after) = (self.sign(), self.pick(&["", "", "-"]));
                let (from, to) = (self.blank(), self.blank());
                let inside = self.expressions(2);
                format!("{}{before}{from}{inside}{to}{after}{}", syntax.variable_start, syntax.variable_end)
            }
            6 => {
                let (before, after) = (self.sign(), self.sign());
                let inside = self.pick(TEXTS);
                format!("{}{before}{inside}{after}{}", syntax.comment_start, syntax.comment_end)
            }
            7 if self.one_in(2) => {
                let (raw, inside, end) = (self.tag("raw"), self.body(0), self.tag("endraw"));
                format!("{raw}{inside}{end}")
            }
            7 => match &syntax.line_comment_prefix {
                Some(prefix) => format!("{}{prefix} c\n", self.pick(&["", " ", "x", "\n", "x \t"])),
                None => String::new(),
            },
            _ if depth == 0 => self.flat(),
            8 => self.flat(),
            _ => self.nested(depth - 1),
        }
    }

    fn context(&mut self) -> &'static str {
        self.pick(&["", "", " with context", " without context", " with", " 'with' context"])
    }

    fn flat(&mut self) -> String {
        let inside = match self.below(16) {
            0 | 1 => format!("set {} = {}", self.targets(true), self.expressions(2)),
            2 | 3 => format!("do {}", self.expressions(2)),
            4 => self.pick(&["break", "continue"]).into(),
            5 => format!("extends {}", self.expression(1)),
            6 => format!(
                "include {}{}{}",
                self.expression(1),
                self.pick(&["", " ignore missing", " ignore"]),
                self.context()
            ),
            7 => format!("import {} as {}{}", self.expression(1), self.name(), self.context()),
            8 | 9 => {
                let template = self.expression(1);
                let names: Vec<String> = (0..self.below(3) + 1)
                    .map(|_| match self.below(3) {
                        0 => format!("{} as {}", self.name(), self.name()),
                        _ => self.name().into(),
                    })
                    .collect();
                format!("from {template} import {}{}", names.join(", "), self.context())
            }
            10..13 => format!(
                "import_{} {} as {}{}",
                self.pick(&["yaml", "json", "text"]),
                self.expression(1),
                self.name(),
                self.context()
            ),
            13 => format!("print {}, {}", self.expression(1), self.expression(1)),
            _ => format!("set {} = {}", self.pick(PLAIN), self.expression(3)),
        };
        self.tag(&inside)
    }

    fn name(&mut self) -> &'static str {
        if self.one_in(6) { self.pick(NAMES) } else { self.pick(PLAIN) }
    }

    fn targets(&mut self, namespace: bool) -> String {
        match self.below(9) {
            0 => format!("{}, {}", self.name(), self.name()),
            1 => format!("({}, {}), {}", self.name(), self.name(), self.name()),
            2 if namespace => format!("{}.{}", self.name(), self.name()),
            3 if namespace => format!("{}, {}.{}", self.name(), self.name(), self.name()),
            4 if self.one_in(2) => self.primary(1),
            5 => format!("{},", self.name()),
            _ => self.name().into(),
        }
    }

    fn signature(&mut self) -> String {
        let args: Vec<String> = (0..self.below(4))
            .map(|_| match self.below(3) {
                0 => format!("{}={}", self.name(), self.expression(1)),
                _ => self.name().into(),
            })
            .collect();
        format!("({})", args.join(", "))
    }

    fn nested(&mut self, depth: usize) -> String {
        let filters = |this: &mut Self| -> String {
            (0..this.below(3)).map(|_| format!("|{}", this.filter(1))).collect()
        };
        let (begin, end) = match self.below(14) {
            0..3 => {
                let test = if self.one_in(3) { format!(" if {}", self.expression(1)) } else { String::new() };
                let recursive = self.pick(&["", "", " recursive"]);
                let begin =
                    format!("for {} in {}{test}{recursive}", self.targets(false), self.expressions(1));
                (begin, "endfor")
            }
            3..6 => (format!("if {}", self.expressions(2)), "endif"),
            6 => (format!("macro {}{}", self.name(), self.signature()), "endmacro"),
            7 => {
                let signature = if self.one_in(2) { self.signature() } else { String::new() };
                (format!("call{signature} {}({})", self.name(), self.args(1)), "endcall")
            }
            8 => {
                let more = filters(self);
                (format!("filter {}{more}", self.filter(1)), "endfilter")
            }
            9 => {
                let marks = self.pick(&["", "", " scoped", " required", " scoped required", "-x"]);
                (format!("block {}{marks}", self.name()), "endblock")
            }
            10 => {
                let more = filters(self);
                (format!("set {}{more}", self.targets(true)), "endset")
            }
            11 => {
                let vars: Vec<String> = (0..self.below(3))
                    .map(|_| format!("{} = {}", self.targets(false), self.expression(1)))
                    .collect();
                (format!("with {}", vars.join(", ")), "endwith")
            }
            12 => {
                let format = self.pick(&["yaml", "json", "text"]);
                (format!("load_{format} as {}", self.targets(true)), "endload")
            }
            _ if self.one_in(2) => (format!("autoescape {}", self.expression(1)), "endautoescape"),
            _ => (format!("profile as {}", self.expression(1)), "endprofile"),
        };
        let mut text = self.tag(&begin);
        text.push_str(&self.body(depth));
        while matches!(end, "endif" | "endfor") && self.one_in(3) {
            let between = if end == "endif" && self.one_in(2) {
                format!("elif {}", self.expression(1))
            } else {
                "else".into()
            };
            text.push_str(&self.tag(&between));
            text.push_str(&self.body(depth));
        }
        text.push_str(&self.tag(end));
        text
    }

    fn expressions(&mut self, depth: usize) -> String {
        match self.below(8) {
            0 => format!("{}, {}", self.expression(depth), self.expression(depth)),
            1 => format!("{},", self.expression(depth)),
            _ => self.expression(depth),
        }
    }

    fn filter(&mut self, depth: usize) -> String {
        let name = self.pick(&["upper", "default", "join", "load_yaml", "a.b", "json", "not"]);
        if self.one_in(2) { format!("{name}({})", self.args(depth.saturating_sub(1))) } else { name.into() }
    }

    fn args(&mut self, depth: usize) -> String {
        let args: Vec<String> = (0..self.below(4))
            .map(|_| match self.below(8) {
                0 | 1 => format!("{}={}", self.name(), self.expression(depth)),
                2 => format!("*{}", self.expression(depth)),
                3 => format!("**{}", self.expression(depth)),
                _ => self.expression(depth),
            })
            .collect();
        let comma = if self.one_in(6) { "," } else { "" };
        args.join(", ") + comma
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.primary(0);
        }
        let depth = depth - 1;
        match self.below(15) {
            0 | 1 => {
                let op = self.pick(&[
                    "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "and", "or",
                    "in", "not in", "not",
                ]);
                let blank = self.blank();
                format!("{}{blank} {op}{blank} {}", self.expression(depth), self.expression(depth))
            }
            2 => {
                let more: Vec<String> = (0..1 + self.below(4)).map(|_| self.primary(depth)).collect();
                let op = self
                    .pick(&[" + ", " ~ ", " < ", " and\n", "\nor ", " ** ", "\n- ", " in ", "\n~\n", "\n* "]);
                more.join(op)
            }
            3 => format!("not {}", self.expression(depth)),
            4 => format!("{}{}", self.pick(&["-", "+", "- -", "-+"]), self.expression(depth)),
            5 => format!(
                "{} if {} else {}",
                self.expression(depth),
                self.expression(depth),
                self.expression(depth)
            ),
            6 => format!("{} if {}", self.expression(depth), self.expression(depth)),
            7 | 8 => format!("{}{}|{}", self.expression(depth), self.blank(), self.filter(depth)),
            9 => {
                let test = self.pick(&[
                    "defined",
                    "none",
                    "divisibleby 3",
                    "sameas none",
                    "in [1]",
                    "a.b",
                    "eq(1, x=2)",
                    "is",
                    "lt 1.a",
                ]);
                format!("{} is {}{test}", self.expression(depth), self.pick(&["", "not "]))
            }
            10 => format!("({})", self.expressions(depth)),
            _ => self.primary(depth),
        }
    }

    fn primary(&mut self, depth: usize) -> String {
        let mut text = match self.below(if depth == 0 { 8 } else { 13 }) {
            0..4 => self.name().to_owned(),
            4..8 => self.pick(CONSTS).to_owned(),
            8 => format!("({})", self.expressions(depth - 1)),
            9 => "()".into(),
            10 => {
                let items: Vec<String> = (0..self.below(4)).map(|_| self.expression(depth - 1)).collect();
                format!("[{}{}]", items.join(", "), self.pick(&["", ","]))
            }
            _ => {
                let pairs: Vec<String> = (0..self.below(3))
                    .map(|_| format!("{}: {}", self.expression(depth - 1), self.expression(depth - 1)))
                    .collect();
                format!("{{{}{}}}", pairs.join(",\n"), self.pick(&["", ","]))
            }
        };
        while self.one_in(3) {
            let inner = depth.saturating_sub(1);
            let more = match self.below(8) {
                0 | 1 => format!(".{}", self.name()),
                2 => format!(".{}", self.pick(&["0", "1.2", "1.a", "0x1"])),
                3 => format!("[{}]", self.expression(inner)),
                4 => format!("[{}:{}]", self.primary(0), self.pick(&["", "1", ":2", "a:b", ":"])),
                5 => format!("[{}, {}]", self.pick(&[":", "::", ":1", "1"]), self.primary(0)),
                6 => "[]".into(),
                _ => format!("({})", self.args(inner)),
            };
            text.push_str(&more);
        }
        text
    }
}
