//! Random cases: what is called, with values that likely fit and with some that do not.

use crate::values::{V, s};

/// Small, repeatable random numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) args: Vec<V>,
    pub(crate) kw: Vec<(&'static str, V)>,
    /// 1: strict undefined values; 2: escaping.
    pub(crate) env: u8,
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "abc",
    "ab c",
    "Hello, World",
    "foo bar baz qux",
    "FooBar fooBar",
    "<b>bold</b> & \"q\" 'x'",
    "a\nb\n\n c\n",
    "line one\r\nline two\x0bthree",
    "  padded\t",
    "42",
    "-3.7",
    "0x1f",
    "1e3",
    "ß ŉ ǆ İstanbul ς Σ",
    "naïve café – dash",
    "a-b (c) [d] {e} <f>",
    "well-known half-baked x--y a-1 e-mail--dash",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "&lt;x&gt; &amp;amp; &copy; &notin; &#65; &#x41",
    "<!-- c --><p class='x'>a  b</p> <br/> < c",
    "%s",
    "%d %s",
    "%(a)s",
    "%5.2f%%",
    "%r %a",
    "{}",
    "{0} {a}",
    "{a.b} {a[b]} {!r:>5}",
    "{0.__class__} {a.__len__}",
    "{a[__class__]:x<3}{}",
    "{:>{}} {{x}}",
    "{0._x} {0.real}",
    "http://example.com",
    "see https://example.org/a?b=c#d, (www.foo.com) <a.b.net>",
    "mail me@example.com or mailto:x@y.org. ftp://h/x http://1.2.3.4:80/ http://[::1] x@y @a@b.c",
    "foo.com. bar.co.uk) http://localhost xn--abc.org EXAMPLE.COM http://ex.com/(a)(b))",
    "\u{1f600} \u{130}x.com \u{a0}z\u{2028}y",
    "a=b&c/d e?é",
];

const WORDS: &[&str] = &[
    "a", "b", "a.b", "0", "1", "b.0", "a,b", "x", "", " ", ",", ", ", "<", "...", "é", "ab", "-", "\n", "A",
];

const PARAMETERS: &[&str] = &[
    "value",
    "s",
    "d",
    "attribute",
    "default",
    "default_value",
    "boolean",
    "case_sensitive",
    "reverse",
    "by",
    "width",
    "first",
    "blank",
    "length",
    "killwords",
    "end",
    "leeway",
    "count",
    "old",
    "new",
    "precision",
    "method",
    "base",
    "binary",
    "slices",
    "linecount",
    "fill_with",
    "start",
    "autospace",
    "indent",
    "chars",
    "wrapstring",
    "break_long_words",
    "break_on_hyphens",
    "trim_url_limit",
    "nofollow",
    "target",
    "rel",
    "extra_schemes",
    "environment",
    "eval_ctx",
    "env",
    "context",
    "seq",
    "iterable",
    "name",
    "obj",
    "x",
    "num",
    "other",
    "sep",
    "maxsplit",
    "n",
    "html",
    "min",
    "max",
    "a",
    "self",
];

const TESTS: &[&str] = &[
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
    "nope",
];

fn number(r: &mut Random) -> V {
    match r.below(12) {
        0 => V::Bool(r.one_in(2)),
        1 => V::Big(r.pick(&[
            "18446744073709551616",
            "-9223372036854775809",
            "1000000000000000000000000000000",
        ])),
        2..=4 => V::Float(r.pick(&[
            0.0,
            -0.0,
            1.0,
            1.5,
            2.5,
            -2.5,
            0.125,
            1e16,
            1e300,
            42.55,
            999.9,
            1024.0,
            1e24,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            123456.789,
            3.0,
        ])),
        5 => V::Int(r.below(1 << 40) as i64),
        _ => V::Int(r.below(24) as i64 - 6),
    }
}

fn text(r: &mut Random) -> V {
    match r.below(8) {
        0 => V::Markup(r.pick(TEXTS).to_owned()),
        1 => s(&format!("{}{}", r.pick(TEXTS), r.pick(TEXTS))),
        2 => s(r.pick(WORDS)),
        3 => {
            let n = r.below(9);
            s(&(0..n)
                .map(|_| {
                    r.pick(&[
                        'a', 'b', ' ', '-', 'X', '1', 'é', '\n', '<', '&', '.', ':', '_', ';', '@', '(', '/',
                        '%', '{', '}', 'd', 's', '!', '[', ']',
                    ])
                })
                .collect::<String>())
        }
        _ => s(r.pick(TEXTS)),
    }
}

fn word(r: &mut Random) -> V {
    let word = r.pick(WORDS);
    if r.one_in(8) { V::Markup(word.into()) } else { s(word) }
}

fn key(r: &mut Random) -> V {
    match r.below(9) {
        0 => V::Int(r.below(3) as i64),
        1 => V::Bool(r.one_in(2)),
        2 => V::Tuple(vec![V::Int(1), s("a")]),
        3 => V::Markup("a".into()),
        4 => V::Float(1.5),
        5 => V::None,
        _ => s(r.pick(&["a", "b", "A", "x", "c d", "class"])),
    }
}

fn pairs(r: &mut Random, depth: usize) -> Vec<(V, V)> {
    let same = r.one_in(2);
    (0..r.below(4))
        .map(|_| {
            let key = if same { s(r.pick(&["a", "b", "A", "x"])) } else { key(r) };
            (key, value(r, depth + 1))
        })
        .collect()
}

fn record(r: &mut Random, depth: usize) -> V {
    let inner = V::Dict(vec![(s("b"), if r.one_in(3) { V::List(vec![number(r)]) } else { word(r) })]);
    let mut all = vec![
        (
            s("a"),
            if r.one_in(3) {
                inner
            } else if r.one_in(2) {
                word(r)
            } else {
                V::Int(r.below(3) as i64)
            },
        ),
        (s("b"), if r.one_in(3) { value(r, depth + 1) } else { V::Int(r.below(3) as i64) }),
    ];
    if r.one_in(5) {
        all.pop();
    }
    V::Dict(all)
}

fn items(r: &mut Random, depth: usize) -> Vec<V> {
    let kind = r.below(6);
    (0..r.below(6))
        .map(|_| match kind {
            0 => V::Int(r.below(6) as i64),
            1 => word(r),
            2 => record(r, depth),
            3 => number(r),
            4 => V::Tuple(vec![word(r), V::Int(r.below(3) as i64)]),
            _ => value(r, depth + 1),
        })
        .collect()
}

fn sequence(r: &mut Random, depth: usize) -> V {
    match r.below(10) {
        0 => V::Tuple(items(r, depth)),
        1 => V::Range(0, r.below(7) as i64),
        2 => V::Generator(items(r, depth)),
        3 => V::Items(pairs(r, depth)),
        4 => V::Set((0..4).filter(|_| r.one_in(2)).map(V::Int).collect()),
        _ => V::List(items(r, depth)),
    }
}

fn mapping(r: &mut Random, depth: usize) -> V {
    if r.one_in(4) { V::Ordered(pairs(r, depth)) } else { V::Dict(pairs(r, depth)) }
}

pub(crate) fn value(r: &mut Random, depth: usize) -> V {
    if depth > 2 {
        return if r.one_in(2) { word(r) } else { number(r) };
    }
    match r.below(22) {
        0 => V::None,
        1..=4 => number(r),
        5..=8 => text(r),
        9 => V::Bytes(r.pick(&[
            &b""[..],
            b"a",
            b"a b/c",
            b"\xff\x00<",
            b"long enough to be broken up somewhere, I should think, or so it seems",
        ])),
        10..=12 => sequence(r, depth),
        13 | 14 => mapping(r, depth),
        15 => V::Undefined(r.pick(&["u", "v"])),
        16 => record(r, depth),
        17 => r.pick(&[V::Date, V::DateTime, V::Delta]),
        18 => V::List((0..12 + r.below(6)).map(|_| text(r)).collect()),
        _ => word(r),
    }
}

/// Something that fills more than one line.
fn deep(r: &mut Random, depth: usize) -> V {
    if depth > 3 || depth > 0 && r.one_in(4) {
        return value(r, 2);
    }
    let count = r.below(6);
    let kind = r.below(8);
    let items = |r: &mut Random| (0..count).map(|_| deep(r, depth + 1)).collect::<Vec<_>>();
    match kind {
        0 | 1 => V::List(items(r)),
        2 => V::Tuple(items(r)),
        3 => V::Ordered((0..count).map(|_| (key(r), deep(r, depth + 1))).collect()),
        4 => s(&(0..count * 3).map(|_| r.pick(TEXTS)).collect::<Vec<_>>().join(r.pick(&[" ", "\n", ""]))),
        5 => V::Set((0..8 * count as i64).map(V::Int).collect()),
        6 => V::Bytes(
            b"\x00\x01 some bytes that do not fit on a line of eighty columns, however they are shown",
        ),
        _ => V::Dict((0..count).map(|_| (key(r), deep(r, depth + 1))).collect()),
    }
}

/// What a filter likely takes.
fn subject(r: &mut Random, name: &str) -> V {
    if r.one_in(9) && name != "random" {
        return value(r, 0);
    }
    match name {
        "abs" | "round" | "filesizeformat" | "int" | "float" | "odd" | "even" | "divisibleby" => {
            if r.one_in(3) { text(r) } else { number(r) }
        }
        "dictsort" | "items" | "xmlattr" => mapping(r, 0),
        "urlencode" => {
            if r.one_in(2) {
                text(r)
            } else {
                mapping(r, 0)
            }
        }
        "tojson" | "pprint" if r.one_in(2) => deep(r, 0),
        "tojson" | "pprint" | "default" | "d" | "attr" | "mapping" | "sequence" | "iterable" => value(r, 0),
        "batch" | "first" | "groupby" | "join" | "last" | "list" | "map" | "max" | "min" | "reject"
        | "rejectattr" | "reverse" | "select" | "selectattr" | "slice" | "sort" | "sum" | "unique"
        | "length" | "count" => sequence(r, 0),
        "random" => {
            r.pick(&[V::List(vec![V::Int(3)]), s("x"), s(""), V::List(vec![]), V::Dict(vec![]), V::None])
        }
        _ if TESTS.contains(&name) => value(r, 0),
        _ => text(r),
    }
}

fn argument(r: &mut Random, name: &str, at: usize) -> V {
    if r.one_in(9) {
        return value(r, 1);
    }
    match name {
        "map" if at == 0 => {
            s(r.pick(&["upper", "int", "default", "replace", "join", "nope", "length", "escape", "sum"]))
        }
        "select" | "reject" if at == 0 => s(r.pick(TESTS)),
        "selectattr" | "rejectattr" if at == 1 => s(r.pick(TESTS)),
        "groupby" | "selectattr" | "rejectattr" if at == 0 => word(r),
        "round" if at == 1 => s(r.pick(&["common", "ceil", "floor", "x"])),
        "round" => V::Int(r.below(9) as i64 - 4),
        "dictsort" if at == 1 => s(r.pick(&["key", "value", "x"])),
        "default" | "d" if at == 0 => value(r, 1),
        "urlize" if at == 4 => V::List(vec![s(r.pick(&["ftp:", "ftp://", "x", "tel:"]))]),
        "attr" => s(r.pick(&["a", "upper", "items", "append", "real", "count"])),
        _ => match r.below(7) {
            0 => V::Bool(r.one_in(2)),
            1 | 2 => word(r),
            3 => V::None,
            4 => V::Big("1000000000000000000000000000000"),
            _ => V::Int(r.below(30) as i64 - 3),
        },
    }
}

/// Numbers that would make Python build gigabytes, or go on for ever.
fn endless(name: &str, v: &V) -> bool {
    let most = match name {
        "round" => 3,
        "lipsum" => 100,
        _ => 400,
    };
    match v {
        V::Big(_) => matches!(name, "round" | "batch" | "range" | "lipsum"),
        V::Int(n) => n.abs() > most,
        V::Float(x) => name == "lipsum" || name == "round" && x.abs() > 300.0,
        V::List(items) | V::Tuple(items) => items.iter().any(|v| endless(name, v)),
        V::Dict(pairs) => pairs.iter().any(|(_, v)| endless(name, v)),
        _ => false,
    }
}

/// The parameters that filters, tests, globals and methods have behind the value.
const SIGNATURES: &[(&str, &[&str])] = &[
    ("attr", &["name"]),
    ("batch", &["linecount", "fill_with"]),
    ("center", &["width"]),
    ("d", &["default_value", "boolean"]),
    ("default", &["default_value", "boolean"]),
    ("dictsort", &["case_sensitive", "by", "reverse"]),
    ("divisibleby", &["num"]),
    ("filesizeformat", &["binary"]),
    ("float", &["default"]),
    ("groupby", &["attribute", "default", "case_sensitive"]),
    ("indent", &["width", "first", "blank"]),
    ("int", &["default", "base"]),
    ("join", &["d", "attribute"]),
    ("max", &["case_sensitive", "attribute"]),
    ("min", &["case_sensitive", "attribute"]),
    ("replace", &["old", "new", "count"]),
    ("round", &["precision", "method"]),
    ("slice", &["slices", "fill_with"]),
    ("sort", &["reverse", "case_sensitive", "attribute"]),
    ("sum", &["attribute", "start"]),
    ("tojson", &["indent"]),
    ("trim", &["chars"]),
    ("truncate", &["length", "killwords", "end", "leeway"]),
    ("unique", &["case_sensitive", "attribute"]),
    ("urlize", &["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"]),
    ("wordwrap", &["width", "break_long_words", "wrapstring", "break_on_hyphens"]),
    ("xmlattr", &["autospace"]),
    ("joiner", &["sep"]),
    ("lipsum", &["n", "html", "min", "max"]),
    ("split", &["sep", "maxsplit"]),
    ("rsplit", &["sep", "maxsplit"]),
    ("ljust", &["width", "chars"]),
    ("rjust", &["width", "chars"]),
    ("strip", &["chars"]),
    ("lstrip", &["chars"]),
    ("rstrip", &["chars"]),
    ("zfill", &["width"]),
    ("expandtabs", &["width"]),
    ("partition", &["sep"]),
    ("rpartition", &["sep"]),
    ("removeprefix", &["sep"]),
    ("removesuffix", &["sep"]),
    ("find", &["old"]),
    ("startswith", &["old"]),
    ("escape", &["old"]),
    ("splitlines", &["binary"]),
    ("range", &["slices", "linecount"]),
];

/// What a parameter of a name likely takes.
fn typed(r: &mut Random, parameter: &str) -> V {
    match parameter {
        "attribute" => s(r.pick(&["a", "b", "a", "b", "a.b", "0", "1", "b.0", "a,b", "x"])),
        "by" => s(r.pick(&["key", "value", "key", "value", "x"])),
        "method" => s(r.pick(&["common", "ceil", "floor", "ceil", "floor", "x"])),
        "name" => s(r.pick(&["a", "upper", "items", "append", "real", "count", "__class__", "_x"])),
        "case_sensitive" | "reverse" | "first" | "blank" | "killwords" | "boolean" | "nofollow"
        | "binary" | "html" | "break_long_words" | "break_on_hyphens" | "autospace" => V::Bool(r.one_in(2)),
        "default" | "default_value" | "fill_with" | "start" => {
            if r.one_in(2) {
                value(r, 1)
            } else {
                r.pick(&[V::Int(0), V::Int(2), s("x"), V::None])
            }
        }
        "precision" => V::Int(r.below(8) as i64 - 4),
        "base" => V::Int(r.pick(&[0, 2, 8, 10, 16, 36, 37])),
        "linecount" | "slices" | "num" => V::Int(r.below(6) as i64),
        "count" | "maxsplit" | "leeway" => V::Int(r.below(5) as i64 - 1),
        "length" | "width" | "trim_url_limit" | "n" | "min" | "max" => V::Int(r.below(30) as i64),
        "indent" => r.pick(&[V::None, V::Int(0), V::Int(1), V::Int(2), s("\t"), s("--")]),
        "extra_schemes" => V::List(vec![s(r.pick(&["ftp:", "ftp://", "x", "tel:"]))]),
        "wrapstring" => r.pick(&[V::None, s("\n"), s("|"), V::Markup("<br>".into())]),
        "target" | "rel" => r.pick(&[V::None, s("_blank"), s("a b"), s("<")]),
        _ => word(r),
    }
}

fn parameters(name: &str) -> &'static [&'static str] {
    SIGNATURES.iter().find(|(n, _)| *n == name).map_or(&[], |(_, parameters)| parameters)
}

/// A call that likely fits.
fn fitting(r: &mut Random, kind: &'static str, name: &str, subject: Option<V>) -> Case {
    let mut args: Vec<V> = subject.into_iter().collect();
    let mut kw: Vec<(&'static str, V)> = Vec::new();
    let operator = [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "eq",
        "equalto",
        "ne",
        "lt",
        "lessthan",
        "le",
        "gt",
        "greaterthan",
        "ge",
    ];
    match name {
        "map" if r.one_in(2) => {
            kw.push(("attribute", typed(r, "attribute")));
            if r.one_in(2) {
                kw.push(("default", typed(r, "default")));
            }
        }
        "map" => {
            let filter = r.pick(&[
                "upper", "int", "default", "replace", "join", "length", "escape", "sum", "indent", "round",
            ]);
            args.push(s(filter));
            let count = r.below(parameters(filter).len() + 1);
            args.extend(parameters(filter)[..count].iter().map(|p| typed(r, p)));
        }
        "select" | "reject" | "selectattr" | "rejectattr" => {
            if name.ends_with("attr") {
                args.push(typed(r, "attribute"));
            }
            if !r.one_in(3) {
                let test = r.pick(TESTS);
                args.push(s(test));
                if operator.contains(&test) || matches!(test, "in" | "sameas" | "divisibleby") {
                    args.push(if test == "in" { sequence(r, 1) } else { number(r) });
                }
            }
        }
        "format" => {
            args.extend((0..r.below(3)).map(|_| value(r, 1)));
            if args.len() == 1 && r.one_in(2) {
                kw.push(("a", value(r, 1)));
            }
        }
        "in" => args.push(sequence(r, 0)),
        "sameas" => {
            let same = args.first().cloned().unwrap_or(V::None);
            args.push(if r.one_in(2) { same } else { value(r, 0) });
        }
        _ if operator.contains(&name) => args.push(value(r, 0)),
        "dict" | "namespace" => {
            args = (0..r.below(2)).map(|_| mapping(r, 0)).collect();
            if r.one_in(2) {
                kw.push(("a", value(r, 1)));
            }
        }
        "cycler" => args = items(r, 0),
        "translate" => args.push(V::Dict(vec![(V::Int(97), s("<")), (V::Int(98), V::None)])),
        _ => {
            let all = parameters(name);
            let count = r.below(all.len() + 1);
            args.extend(all[..count].iter().map(|p| typed(r, p)));
            for parameter in &all[count..] {
                if r.one_in(3) {
                    kw.push((parameter, typed(r, parameter)));
                }
            }
            // What must be given mostly is.
            let least = match name {
                "attr" | "batch" | "groupby" | "slice" | "divisibleby" | "range" | "partition"
                | "rpartition" | "ljust" | "rjust" | "zfill" | "removeprefix" | "removesuffix" | "find"
                | "startswith" | "escape" => 1,
                "replace" => 2,
                _ => 0,
            };
            if count < least && kind != "method" {
                kw.clear();
                args.truncate(1);
                args.extend(all[..least].iter().map(|p| typed(r, p)));
            }
        }
    }
    let skip = usize::from(kind != "global");
    let wild = |(at, v): (usize, &V)| at >= skip && endless(name, v);
    if args.iter().enumerate().any(wild) || kw.iter().any(|(_, v)| endless(name, v)) {
        args.truncate(1);
        kw.clear();
    }
    Case { kind, name: name.to_owned(), args, kw, env: r.below(4) as u8 }
}

fn call(r: &mut Random, kind: &'static str, name: &str, subject: Option<V>) -> Case {
    if !r.one_in(6) {
        return fitting(r, kind, name, subject);
    }
    let mut args: Vec<V> = subject.into_iter().collect();
    let count = r.pick(&[0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6]);
    args.extend((0..count).map(|at| argument(r, name, at)).filter(|v| !endless(name, v)));
    let mut kw: Vec<(&'static str, V)> = Vec::new();
    while r.one_in(4) {
        let own = parameters(name);
        let parameter = if own.is_empty() || r.one_in(4) { r.pick(PARAMETERS) } else { r.pick(own) };
        let v = if r.one_in(3) { argument(r, name, 9) } else { typed(r, parameter) };
        if kw.iter().all(|(n, _)| *n != parameter) && !endless(name, &v) {
            kw.push((parameter, v));
        }
    }
    Case { kind, name: name.to_owned(), args, kw, env: r.below(4) as u8 }
}

/// A method of markup, or `format` of any text, as a sandbox gives it.
fn method(r: &mut Random) -> Case {
    const METHODS: &[&str] = &[
        "capitalize",
        "title",
        "lower",
        "upper",
        "swapcase",
        "casefold",
        "ljust",
        "rjust",
        "center",
        "lstrip",
        "rstrip",
        "strip",
        "split",
        "rsplit",
        "translate",
        "zfill",
        "removeprefix",
        "removesuffix",
        "partition",
        "rpartition",
        "splitlines",
        "expandtabs",
        "replace",
        "join",
        "unescape",
        "striptags",
        "escape",
        "format",
        "format_map",
        "find",
        "count",
        "startswith",
        "encode",
        "isupper",
    ];
    let plain = r.one_in(3);
    let (name, me) = match text(r) {
        V::Str(t) | V::Markup(t) if plain => (r.pick(&["format", "format_map"]), V::Str(t)),
        V::Str(t) | V::Markup(t) => (r.pick(METHODS), V::Markup(t)),
        other => ("format", other),
    };
    let mut case = call(r, "method", name, Some(me));
    if name.starts_with("format") {
        let more: Vec<V> = (0..r.below(3)).map(|_| value(r, 1)).collect();
        case.args.truncate(1);
        match name {
            "format" => {
                case.args.extend(more.into_iter().filter(|v| !endless(name, v)));
                case.kw.push(("a", record(r, 0)));
                case.kw.dedup_by_key(|(name, _)| *name);
            }
            _ => {
                case.args.push(if r.one_in(6) { value(r, 0) } else { V::Dict(vec![(s("a"), record(r, 0))]) })
            }
        }
    } else if name == "join" && r.one_in(2) {
        case.args.truncate(1);
        case.args.push(sequence(r, 0));
    }
    if case.kw.iter().enumerate().any(|(i, (name, _))| case.kw[..i].iter().any(|(other, _)| other == name)) {
        case.kw.clear();
    }
    case
}

fn operator(r: &mut Random) -> Case {
    let kind = r.pick(&["+", "+", "*", "%", "%", "[]", "[:]"]);
    let markup = V::Markup(r.pick(TEXTS).to_owned());
    let place = |r: &mut Random| if r.one_in(4) { V::None } else { V::Int(r.below(9) as i64 - 4) };
    let args = match kind {
        "[]" => vec![markup, if r.one_in(4) { value(r, 1) } else { V::Int(r.below(9) as i64 - 4) }],
        "[:]" => vec![markup, place(r), place(r), place(r)],
        "*" => {
            let times = if r.one_in(3) { value(r, 1) } else { V::Int(r.below(5) as i64 - 1) };
            if r.one_in(3) { vec![times, markup] } else { vec![markup, times] }
        }
        _ => {
            let other = if kind == "%" && r.one_in(3) {
                V::Tuple((0..1 + r.below(2)).map(|_| value(r, 1)).collect())
            } else if kind == "%" && r.one_in(3) {
                V::Dict(vec![(s("a"), value(r, 1))])
            } else {
                value(r, 0)
            };
            if kind == "+" && r.one_in(3) { vec![other, markup] } else { vec![markup, other] }
        }
    };
    // A number that is repeated is no matter of markup.
    if args.iter().any(|v| matches!(v, V::Big(_)) && kind == "*" || endless("", v)) {
        return operator(r);
    }
    Case { kind, name: String::new(), args, kw: Vec::new(), env: r.below(4) as u8 }
}

/// A case.
pub(crate) fn case(r: &mut Random, filters: &[String], tests: &[String]) -> Case {
    match r.below(20) {
        0..=11 => {
            let name = r.pick(filters);
            let subject = subject(r, &name);
            call(r, "filter", &name, Some(subject))
        }
        12..=14 => {
            let name = r.pick(tests);
            let subject = subject(r, &name);
            call(r, "test", &name, Some(subject))
        }
        15 => {
            let name = r.pick(&["range", "dict", "namespace", "cycler", "joiner", "lipsum"]);
            call(r, "global", name, None)
        }
        16 | 17 => method(r),
        _ => operator(r),
    }
}
