//! Random values: of all types, and those that likely fit a filter or a parameter.

use crate::pools::{TESTS, TEXTS, WORDS};
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
pub(crate) fn number(r: &mut Random) -> V {
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

pub(crate) fn text(r: &mut Random) -> V {
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

pub(crate) fn word(r: &mut Random) -> V {
    let word = r.pick(WORDS);
    if r.one_in(8) { V::Markup(word.into()) } else { s(word) }
}

pub(crate) fn key(r: &mut Random) -> V {
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

pub(crate) fn pairs(r: &mut Random, depth: usize) -> Vec<(V, V)> {
    let same = r.one_in(2);
    (0..r.below(4))
        .map(|_| {
            let key = if same { s(r.pick(&["a", "b", "A", "x"])) } else { key(r) };
            (key, value(r, depth + 1))
        })
        .collect()
}

pub(crate) fn record(r: &mut Random, depth: usize) -> V {
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

pub(crate) fn items(r: &mut Random, depth: usize) -> Vec<V> {
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

pub(crate) fn sequence(r: &mut Random, depth: usize) -> V {
    match r.below(10) {
        0 => V::Tuple(items(r, depth)),
        1 => V::Range(0, r.below(7) as i64),
        2 => V::Generator(items(r, depth)),
        3 => V::Items(pairs(r, depth)),
        4 => V::Set((0..4).filter(|_| r.one_in(2)).map(V::Int).collect()),
        _ => V::List(items(r, depth)),
    }
}

pub(crate) fn mapping(r: &mut Random, depth: usize) -> V {
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
pub(crate) fn subject(r: &mut Random, name: &str) -> V {
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

pub(crate) fn argument(r: &mut Random, name: &str, at: usize) -> V {
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

/// What a parameter of a name likely takes.
pub(crate) fn typed(r: &mut Random, parameter: &str) -> V {
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
