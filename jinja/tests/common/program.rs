//! Random templates that run: few names, so that scopes meet; every statement, nested; other templates to include and import.

/// A generator of programs that gives the same ones for the same seed.
pub(crate) struct Program {
    state: u64,
    depth: u32,
    out: String,
    /// Within how many loops of the same function.
    loops: u32,
    macros: u32,
    files: bool,
    top: bool,
}

const NAMES: &[&str] = &["a", "b", "c", "x", "y"];

impl Program {
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
        state ^= state >> 29;
        Self { state: state | 1, depth: 0, out: String::new(), loops: 0, macros: 0, files: true, top: true }
    }

    fn below(&mut self, n: u32) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        ((self.state >> 33) as u32) % n
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len() as u32) as usize]
    }

    /// The templates of a program: `main` and the others that it may name.
    pub(crate) fn files(mut self) -> Vec<(&'static str, String)> {
        let mut files = Vec::new();
        self.files = false;
        for name in ["inc", "lib"] {
            self.out.clear();
            self.prelude();
            self.top = true;
            self.body(3);
            files.push((name, self.out.clone()));
        }
        self.out.clear();
        self.prelude();
        self.top = true;
        for block in ["p", "q"] {
            self.out.push_str(&format!("{{% block {block} %}}"));
            self.nested(2);
            self.out.push_str("{% endblock %}");
        }
        self.body(2);
        files.push(("base", self.out.clone()));
        self.files = true;
        self.out.clear();
        self.prelude();
        self.top = true;
        match self.below(8) {
            0 => self.child(),
            _ => {
                let n = 2 + self.below(4);
                self.body(n);
            }
        }
        files.push(("main", self.out.clone()));
        files
    }

    /// So that most of what follows has a meaning.
    fn prelude(&mut self) {
        if self.below(30) > 0 {
            self.out.push_str("{% set ns = namespace(n=0) %}");
        }
        if self.below(8) > 0 {
            self.out.push_str("{% set b, c, y = [4, 5], {'k': 6}, 'Y' %}");
        }
        if self.below(8) > 0 {
            self.out.push_str("{% macro m0(x=1) %}<{{ x }}{{ y }}>{% endmacro %}{% macro m1() %}[{{ caller is defined }}{{ kwargs }}]{% endmacro %}{% macro m2() %}{{ varargs }}{% endmacro %}");
        }
    }

    fn child(&mut self) {
        if self.below(4) == 0 {
            self.body(1);
        }
        let extends = match self.below(3) {
            0 => "{% if a %}{% extends 'base' %}{% endif %}",
            _ => "{% extends 'base' %}\n",
        };
        self.out.push_str(extends);
        self.body(1);
        for block in ["p", "q"] {
            if self.below(3) > 0 {
                self.out.push_str(&format!("{{% block {block} %}}"));
                if self.below(2) == 0 {
                    self.out.push_str("[{{ super() }}]");
                }
                self.nested(2);
                self.out.push_str("{% endblock %}");
            }
        }
        self.body(1);
    }

    /// Statements that are not at the top of a template.
    fn nested(&mut self, n: u32) {
        let top = std::mem::replace(&mut self.top, false);
        self.body(n);
        self.top = top;
    }

    /// Statements within another function of Python's.
    fn function(&mut self, n: u32) {
        let loops = std::mem::replace(&mut self.loops, 0);
        self.nested(n);
        self.loops = loops;
    }

    fn body(&mut self, n: u32) {
        self.depth += 1;
        let n = if self.depth > 2 { 1 } else { n };
        for _ in 0..n {
            if self.below(3) == 0 {
                let text = self.pick(&["\n", "t", " ", "\nu\n"]);
                self.out.push_str(text);
            }
            self.statement();
        }
        self.depth -= 1;
    }

    fn statement(&mut self) {
        let most = if self.depth > 3 { 8 } else { 26 };
        match self.below(most) {
            0..=2 => {
                let e = self.expr(3);
                self.out.push_str(&format!("{{{{ {e} }}}}"));
            }
            3..=4 => {
                let (name, e) = (self.target(), self.expr(3));
                self.out.push_str(&format!("{{% set {name} = {e} %}}"));
            }
            5 => {
                let e = self.expr(1);
                let call = match self.below(8) {
                    0..=2 => format!("b.append({e})"),
                    3..=5 => format!("c.update({{'k': {e}}})"),
                    6 => format!("{}.pop()", self.pick(NAMES)),
                    _ => format!("d.get({e})"),
                };
                self.out.push_str(&format!("{{% do {call} %}}"));
            }
            6 if self.loops > 0 => {
                let word = self.pick(&["break", "continue"]);
                let e = self.expr(2);
                self.out.push_str(&format!("{{% if {e} %}}{{% {word} %}}{{% endif %}}"));
            }
            6 | 7 => {
                let e = self.expr(1);
                self.out.push_str(&format!("{{{{ ns.n }}}}{{% set ns.n = {e} %}}"));
            }
            8..=10 => self.if_(),
            11..=14 => self.for_(),
            15..=16 => self.macro_(),
            17 => {
                let e = self.expr(1);
                let (params, given) = match self.below(3) {
                    0 => ("(x)", format!("m{}({e})", self.below(3))),
                    1 => ("", format!("m{}(y=1)", self.below(3))),
                    _ => ("(x, y=2)", format!("m{}()", self.below(3))),
                };
                self.out.push_str(&format!("{{% call{params} {given} %}}"));
                self.function(1);
                self.out.push_str("{% endcall %}");
            }
            18 => {
                let filter = self.pick(&["upper", "length|string", "replace('a', 'b')", "trim"]);
                self.out.push_str(&format!("{{% filter {filter} %}}"));
                self.nested(2);
                self.out.push_str("{% endfilter %}");
            }
            19 => {
                let name = self.pick(NAMES);
                let filter = self.pick(&["", " | upper", " | trim | length"]);
                self.out.push_str(&format!("{{% set {name}{filter} %}}"));
                self.nested(2);
                self.out.push_str("{% endset %}");
            }
            20 => {
                let (name, e) = (self.pick(NAMES), self.expr(2));
                let (other, f) = (self.pick(NAMES), self.expr(1));
                self.out.push_str(&format!("{{% with {name} = {e}, {other} = {f} %}}"));
                self.nested(2);
                self.out.push_str("{% endwith %}");
            }
            21 if self.files => {
                let which = self.pick(&["'inc'", "'lib'", "['none', 'inc']", "'none'", "x", "'in' ~ 'c'"]);
                let missing = self.pick(&["", " ignore missing"]);
                // Within what is captured, stock prints what is included without context to the wrong place.
                let context = self.pick(if self.depth == 1 && self.top {
                    &["", " without context", " with context"]
                } else {
                    &[""]
                });
                self.out.push_str(&format!("{{% include {which}{missing}{context} %}}"));
            }
            22 if self.files => {
                let context = self.pick(&["", " with context"]);
                let names = self.pick(&["a", "x, m0", "y as b, c", "m1 as m2"]);
                self.out.push_str(&format!("{{% from 'lib' import {names}{context} %}}"));
            }
            23 if self.files => {
                let context = self.pick(&["", " with context"]);
                let name = self.pick(NAMES);
                let use_ = self.pick(&["", "{{ l.x }}", "{{ l }}", "{{ l.m0() }}"]);
                self.out.push_str(&format!("{{% import 'lib' as {name}{context} %}}"));
                self.out.push_str(&use_.replace("l.", &format!("{name}.")).replace("{{ l }}", name));
            }
            24 => {
                let value = self.pick(&["true", "false"]);
                self.out.push_str(&format!("{{% autoescape {value} %}}<"));
                self.nested(2);
                self.out.push_str("{% endautoescape %}");
            }
            _ => {
                let name = format!("b{}", self.state % 1000);
                let scoped = self.pick(&["", " scoped"]);
                self.out.push_str(&format!("{{% block {name}{scoped} %}}"));
                self.function(2);
                self.out.push_str("{% endblock %}");
                if self.below(3) == 0 {
                    self.out.push_str(&format!("{{{{ self.{name}() }}}}"));
                }
            }
        }
    }

    fn if_(&mut self) {
        let e = self.expr(2);
        self.out.push_str(&format!("{{% if {e} %}}"));
        self.branch(2);
        if self.below(3) == 0 {
            let e = self.expr(2);
            self.out.push_str(&format!("\n{{% elif {e} %}}"));
            self.branch(1);
        }
        if self.below(2) == 0 {
            self.out.push_str("{% else %}");
            self.branch(1);
        }
        self.out.push_str("{% endif %}");
    }

    fn branch(&mut self, n: u32) {
        let n = self.below(n) + 1;
        self.body(n);
    }

    fn for_(&mut self) {
        let (name, items) = match self.below(6) {
            0 => ("x, y", "[[1, 2], 'ab', (3, 4)]".to_owned()),
            1 => ("x, y", "{'k': 1, 'l': [2]}.items()".to_owned()),
            2 => (self.pick(NAMES), "range(3)".to_owned()),
            3 => (self.pick(NAMES), format!("({})|string", self.expr(2))),
            _ => (self.pick(&["a", "x", "y"]), self.pick(&["[1, 2]", "'abc'", "l", "d", "[]"]).to_owned()),
        };
        let test = if self.below(4) == 0 { format!(" if {}", self.expr(2)) } else { String::new() };
        let recursive = self.below(8) == 0;
        self.out.push_str(&format!(
            "{{% for {name} in {items}{test}{} %}}",
            if recursive { " recursive" } else { "" }
        ));
        if self.below(3) == 0 {
            let what = self.pick(&[
                "index",
                "index0",
                "revindex",
                "revindex0",
                "first",
                "last",
                "length",
                "depth",
                "previtem",
                "nextitem",
                "cycle('o', 'e')",
                "changed(x)",
                "nothing",
                "index0 + 1",
            ]);
            self.out.push_str(&format!("{{{{ loop.{what} }}}}"));
        }
        if recursive && self.below(2) == 0 {
            self.out.push_str("{% if loop.depth < 3 %}{{ loop(l) }}{% endif %}");
        }
        self.loops += 1;
        self.nested(2);
        self.loops -= 1;
        if self.below(4) == 0 {
            self.out.push_str("{% else %}");
            self.nested(1);
        }
        self.out.push_str("{% endfor %}");
    }

    fn macro_(&mut self) {
        let name = format!("m{}", self.macros % 3);
        self.macros += 1;
        let params = match self.below(5) {
            0 => String::new(),
            1 => "x".to_owned(),
            2 => format!("a, x={}", self.expr(1)),
            3 => "x=a, y=x".to_owned(),
            _ => "caller=none".to_owned(),
        };
        self.out.push_str(&format!("{{% macro {name}({params}) %}}"));
        let special = self.pick(&[
            "",
            "",
            "",
            "",
            "",
            "{{ varargs }}",
            "{{ kwargs }}",
            "{{ caller() }}",
            "{{ caller(1) }}",
        ]);
        self.out.push_str(special);
        self.function(2);
        self.out.push_str("{% endmacro %}");
        if self.below(2) == 0 {
            let args = match self.below(4) {
                0 => String::new(),
                1 => self.expr(1),
                2 => format!("x={}", self.expr(1)),
                _ => format!("{}, {}", self.expr(1), self.expr(1)),
            };
            self.out.push_str(&format!("{{{{ {name}({args}) }}}}"));
        }
    }

    fn target(&mut self) -> String {
        match self.below(16) {
            0 => "a, b".into(),
            1 => "x, (y, c)".into(),
            2..=3 => self.pick(NAMES).into(),
            _ => self.pick(&["a", "x", "y"]).into(),
        }
    }

    /// An expression; one in forty may be wrong in any way, the others mostly have a value.
    fn expr(&mut self, depth: u32) -> String {
        if self.below(40) == 0 { self.wild(depth) } else { self.tame(depth) }
    }

    fn leaf(&mut self) -> String {
        match self.below(8) {
            0..=3 => self.pick(NAMES).into(),
            4 => self
                .pick(&["d", "l", "n", "s", "u", "ns.n", "d.k", "d['l']", "l[0]", "s.upper()", "n.real"])
                .into(),
            5 => self.pick(&["1", "2", "0", "1.5", "10**20", "none", "true", "false"]).into(),
            6 => self.pick(&["'a'", "'<b>'", "''", "\"é\"", "'k'"]).into(),
            _ => self
                .pick(&["[]", "[1, 'a']", "{}", "{'k': 1}", "(1, 2)", "()", "m0(x)", "m2(a, b)", "m0()"])
                .into(),
        }
    }

    fn tame(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.leaf();
        }
        match self.below(20) {
            0..=5 => self.leaf(),
            6..=7 => format!("{} ~ {}", self.part(depth), self.part(depth)),
            8 => {
                let op = self.pick(&["and", "or", "==", "!="]);
                format!("{} {op} {}", self.part(depth), self.part(depth))
            }
            9 => format!("not {}", self.part(depth)),
            10 => format!("{} if {} else {}", self.part(depth), self.part(depth), self.part(depth)),
            11 => format!("[{}, {}]", self.part(depth), self.part(depth)),
            12 => format!("{{'k': {}, 'l': {}}}", self.part(depth), self.part(depth)),
            13..=14 => {
                let test =
                    self.pick(&["defined", "none", "string", "mapping", "iterable", "number", "sameas none"]);
                format!("{} is {test}", self.part(depth))
            }
            15..=17 => {
                let filter = self.pick(&[
                    "default('D')",
                    "default('D', true)",
                    "string",
                    "upper",
                    "string|first|default('')",
                    "string|length",
                    "int",
                    "e",
                    "safe",
                    "string|reverse",
                    "default([])|string|sort|join('-')",
                    "tojson",
                ]);
                format!("{}|{filter}", self.part(depth))
            }
            18 => format!("'%s-' % ({},)", self.part(depth)),
            _ => format!("'{{}}-{{}}'.format({}, {})", self.part(depth), self.part(depth)),
        }
    }

    fn wild(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["d.nope", "d['nope']", "nope", "l[9]", "s.nope", "m1", "x.k", "loop", "self"])
                .into();
        }
        match self.below(10) {
            0..=1 => {
                let op = self.pick(&["+", "-", "*", "/", "//", "%", "<", ">=", "in", "not in"]);
                format!("{} {op} {}", self.part(depth), self.part(depth))
            }
            2 => format!("{} if {}", self.part(depth), self.part(depth)),
            // Not of constants: Jinja2 works those out when it reads the template, and then they fail without a place.
            3 => format!("{}[{}]", self.pick(NAMES), self.part(depth)),
            4 => format!("{}[{}:]", self.pick(NAMES), self.part(depth)),
            5 => format!("{}.k", self.pick(NAMES)),
            6 => format!("m{}({})", self.below(3), self.part(depth)),
            7 => {
                let filter =
                    self.pick(&["length", "list", "join", "first", "map('string')|list", "sort", "nope"]);
                format!("{}|{filter}", self.part(depth))
            }
            8 => format!("-{}", self.part(depth)),
            _ => self.wild(0),
        }
    }

    fn part(&mut self, depth: u32) -> String {
        let e = self.expr(depth - 1);
        let plain = e.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '\''));
        if plain && !e.starts_with(|c: char| c.is_ascii_digit()) { e } else { format!("({e})") }
    }
}
