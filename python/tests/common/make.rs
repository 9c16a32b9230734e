//! Random cases.

use super::Random;
use super::cases::Case;
use super::pools::{FLOATS, FORMATS, FUNCTIONS, INTS, NAMES, OPS, PERCENTS, SPECS, TEXTS};
use super::values::{V, s};
use brine_python::{Cmp, Op, Part, Unary, method_names};

fn number(r: &mut Random) -> V {
    match r.below(10) {
        0 => V::Bool(r.one_in(2)),
        1 => V::Int(INTS[r.below(INTS.len())]),
        2..=4 => V::Float(r.pick(FLOATS)),
        5 => V::Float((r.below(2_000_000) as f64 - 1e6) / [1.0, 8.0, 10.0, 1000.0][r.below(4)]),
        6 => V::Small(r.below(1 << 40) as i64 - (1 << 39)),
        _ => V::Small(r.below(30) as i64 - 10),
    }
}

fn text(r: &mut Random) -> V {
    if r.one_in(4) {
        let n = r.below(6);
        let chars: Vec<char> =
            (0..n).map(|_| r.pick(&['a', 'b', ' ', ',', 'X', '1', 'é', '\n', '\''])).collect();
        return V::Str(chars.into_iter().collect());
    }
    s(r.pick(TEXTS))
}

fn key(r: &mut Random) -> V {
    match r.below(6) {
        0 => V::Small(r.below(5) as i64),
        1 => V::Float(r.below(4) as f64),
        2 => V::Bool(r.one_in(2)),
        3 => V::Tuple(vec![V::Small(1), s("a")]),
        _ => s(["a", "b", "c", "k"][r.below(4)]),
    }
}

fn items(r: &mut Random, depth: usize) -> Vec<V> {
    let mixed = r.one_in(3);
    let numbers = r.one_in(2);
    (0..r.below(5))
        .map(|_| match (mixed, numbers) {
            (true, _) => value(r, depth + 1),
            (_, true) => V::Small(r.below(6) as i64),
            _ => s(["a", "b", "ab", ""][r.below(4)]),
        })
        .collect()
}

fn pairs(r: &mut Random, depth: usize) -> Vec<(V, V)> {
    (0..r.below(4)).map(|_| (key(r), value(r, depth + 1))).collect()
}

/// The order of members is Python's own but for few small numbers.
fn set(r: &mut Random) -> V {
    let frozen = r.one_in(3);
    if r.one_in(2) {
        return V::Set((0..r.below(2)).map(|_| key(r)).collect(), frozen);
    }
    let members: Vec<V> = (0..5).filter(|_| r.one_in(2)).map(V::Small).collect();
    V::Set(members, frozen)
}

fn date(r: &mut Random) -> V {
    let day =
        [[2020, 2, 29], [1, 1, 1], [9999, 12, 31], [1999, 12, 31], [2021, 1, 3], [2024, 7, 15]][r.below(6)];
    let [y, m, d] = day;
    let time = [[0, 0, 0, 0], [23, 59, 59, 999_999], [12, 5, 0, 0], [1, 2, 3, 4500]][r.below(4)];
    match r.below(7) {
        6 => V::Zone([0, 7200, -34_200][r.below(3)]),
        0 | 1 => V::Date(y, m, d),
        2 => V::Time(time[0], time[1], time[2], time[3]),
        3 => V::Delta(r.below(500) as i64 - 250, r.below(90_000) as i64, r.below(3) as i64 * 250_000),
        _ => V::DateTime(
            [y, m, d, time[0], time[1], time[2], time[3]],
            [None, None, Some(0), Some(7200), Some(-34_200)][r.below(5)],
        ),
    }
}

fn value(r: &mut Random, depth: usize) -> V {
    if depth > 2 {
        return if r.one_in(2) { text(r) } else { number(r) };
    }
    match r.below(20) {
        0 => V::None,
        1..=5 => number(r),
        6..=9 => text(r),
        10 => V::Bytes(
            [
                &b""[..],
                b"a",
                b"ab c",
                b"\xff\x00",
                b"it's",
                b"1 2\n3",
                "é".as_bytes(),
                b"\xe2\x82",
                b"\xf0\x9f",
            ][r.below(9)],
        ),
        11 | 12 => V::List(items(r, depth)),
        13 => V::Tuple(items(r, depth)),
        14 => V::Dict(pairs(r, depth)),
        15 => V::Ordered(pairs(r, depth)),
        16 => set(r),
        17 => V::Range(r.below(6) as i64 - 2, r.below(8) as i64, [1, 2, -1, 3][r.below(4)]),
        18 => match r.below(3) {
            0 => V::Iter(items(r, depth)),
            n => V::View(
                if n == 1 { Part::Keys } else { [Part::Values, Part::Items][r.below(2)] },
                pairs(r, depth),
            ),
        },
        _ => date(r),
    }
}

/// A value that likely goes with another.
fn partner(r: &mut Random, other: &V) -> V {
    if r.one_in(3) {
        return value(r, 0);
    }
    match other {
        V::Str(_) => text(r),
        V::Int(_) | V::Small(_) | V::Float(_) | V::Bool(_) => number(r),
        V::List(_) => V::List(items(r, 0)),
        V::Tuple(_) => V::Tuple(items(r, 0)),
        V::Dict(_) | V::Ordered(_) | V::View(..) => {
            [V::Dict(pairs(r, 0)), V::View(Part::Keys, pairs(r, 0)), V::Ordered(pairs(r, 0))][r.below(3)]
                .clone()
        }
        V::Set(..) => set(r),
        V::Range(..) => V::Range(r.below(6) as i64 - 2, r.below(8) as i64, [1, 2, -1][r.below(3)]),
        V::Date(..) | V::Time(..) | V::DateTime(..) | V::Delta(..) => {
            if r.one_in(4) {
                number(r)
            } else {
                date(r)
            }
        }
        _ => value(r, 0),
    }
}

fn place(r: &mut Random) -> V {
    match r.below(12) {
        0..=2 => V::None,
        3 => V::Int("1000000000000000000000000000000"),
        4 => V::Bool(true),
        5 => value(r, 1),
        _ => V::Small(r.below(14) as i64 - 6),
    }
}

fn method(r: &mut Random) -> Case {
    let mut me = value(r, 0);
    if r.one_in(3) {
        me = text(r);
    }
    let names = method_names(&me.obj());
    if names.is_empty() || r.one_in(60) {
        return Case::Attribute(me, r.pick(NAMES));
    }
    let name = r.pick(&names);
    let mut args: Vec<V> = Vec::new();
    let count = [0, 0, 1, 1, 1, 1, 2, 2, 3][r.below(9)];
    for at in 0..count {
        args.push(match r.below(9) {
            0 => value(r, 1),
            1 | 2 => place(r),
            3 => key(r),
            4 if at == 0 => V::Tuple(items(r, 1)),
            5 if at == 0 => V::List(items(r, 1)),
            6 if at == 0 => partner(r, &me),
            _ => match &me {
                V::Bytes(_) => V::Bytes([&b""[..], b"a", b" ", b"\x00", b"b c"][r.below(5)]),
                V::Str(_) => s([
                    "a",
                    "",
                    " ",
                    "b",
                    "X",
                    ",",
                    "é",
                    "ab",
                    "=",
                    "utf-8",
                    "ascii",
                    "latin-1",
                    "utf-16-le",
                    "ignore",
                    "replace",
                ][r.below(15)]),
                _ => key(r),
            },
        });
    }
    match name {
        "format" => {
            me = s(r.pick(FORMATS));
            args = (0..r.below(4)).map(|_| value(r, 1)).collect();
        }
        "format_map" => me = s(r.pick(FORMATS)),
        "strftime" => {
            args = vec![s(r.pick(&[
                "%Y-%m-%d %H:%M:%S.%f",
                "%a %A %b %B %c",
                "%C %D %e %F %g %G",
                "%I %j %k %l %p %P",
                "%r %R %T %u %U %V %w %W %x %X %y",
                "%-d/%_m/%^a/%05d/%z/%Z",
                "%Q %% %",
                "%n%t|%h",
                "%#p %Ey %Od",
            ]))]
        }
        "isoformat" if !args.is_empty() => {
            args = vec![
                s(r.pick(&["T", " ", "", "xx"])),
                s(r.pick(&["auto", "hours", "minutes", "seconds", "milliseconds", "microseconds", "x"])),
            ]
        }
        "encode" if r.one_in(2) => {
            args = vec![
                s(r.pick(&[
                    "utf-8",
                    "ascii",
                    "latin-1",
                    "UTF8",
                    "utf_16",
                    "utf-32-be",
                    "utf-8-sig",
                    "nope",
                    "cp1252",
                    "Windows-1250",
                    "iso8859-15",
                    "koi8-r",
                    "cp037",
                    "hex",
                    "cp437",
                ])),
                s(r.pick(&["strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace"])),
            ]
        }
        "decode" if r.one_in(2) => {
            args = vec![
                s(r.pick(&[
                    "utf-8",
                    "ascii",
                    "latin-1",
                    "utf-16",
                    "utf-16-le",
                    "utf-32",
                    "nope",
                    "cp1252",
                    "iso-8859-2",
                    "mac roman",
                    "cp037",
                    "base64",
                    "cp1253",
                ])),
                s(r.pick(&["strict", "ignore", "replace", "backslashreplace"])),
            ]
        }
        "maketrans" | "translate" if r.one_in(2) => {
            args = vec![V::Dict(vec![
                (V::Small(97), [V::None, s("xy"), V::Small(98), V::Float(1.5)][r.below(4)].clone()),
                (s("b"), s("c")),
            ])]
        }
        // Places of iterators of arbitrary sets.
        "pop" if matches!(me, V::Set(..)) => me = V::Set(vec![V::Small(1)], false),
        _ => {}
    }
    let mut named = Vec::new();
    if r.one_in(8) {
        let pool = [
            "sep",
            "maxsplit",
            "keepends",
            "reverse",
            "key",
            "default",
            "encoding",
            "errors",
            "tabsize",
            "last",
            "year",
            "day",
            "hour",
            "x",
            "a",
            "signed",
            "byteorder",
            "length",
        ];
        named.push((pool[r.below(pool.len())], if r.one_in(2) { place(r) } else { text(r) }));
    }
    if name == "replace" && !matches!(me, V::Str(_) | V::Bytes(_)) {
        // Python looks at the values before it looks for unknown names.
        named.clear();
    }
    if name == "format" && r.one_in(2) {
        named = vec![("a", value(r, 1))];
    }
    if name == "format" {
        // They may become widths, and Python would take the memory.
        let large = |v: &V| v.is_large() || matches!(v, V::Float(x) if x.abs() > 1e6);
        args.retain(|v| !large(v));
        named.retain(|(_, v)| !large(v));
    }
    if matches!(name, "ljust" | "rjust" | "center" | "zfill" | "expandtabs" | "to_bytes") {
        let large = |v: &V| v.is_large() && !matches!(v, V::Int("1000000000000000000000000000000"));
        args.retain(|v| !large(v));
        named.retain(|(_, v)| !large(v));
    }
    // Python looks for the local time on the day before, which is none in the first year.
    if matches!(name, "astimezone" | "timestamp") && matches!(me, V::DateTime([1, ..], None)) {
        return Case::Attribute(me, "year");
    }
    if name == "astimezone" && named.is_empty() {
        // The zone of this machine has a name in Python.
        let zone = if r.one_in(6) { V::Small(1) } else { V::Zone([0, 7200, -34_200][r.below(3)]) };
        args = vec![zone];
    }
    Case::Method(me, name, args, named)
}

/// A random case; `None` for what Python would take forever for.
pub(crate) fn case(r: &mut Random) -> Option<Case> {
    let a = value(r, 0);
    Some(match r.below(20) {
        0..=3 => {
            let b = partner(r, &a);
            let op = r.pick(OPS);
            if matches!(op, Op::Mul | Op::Pow) && (a.is_large() || b.is_large()) {
                let plain = |v: &V| matches!(v, V::Int(_) | V::Small(_) | V::Float(_) | V::Bool(_));
                if op == Op::Pow && b.is_large() || !plain(&a) || !plain(&b) {
                    return None;
                }
            }
            Case::Binary(op, a, b)
        }
        4 => Case::Unary(r.pick(&[Unary::Neg, Unary::Pos, Unary::Invert]), a),
        5 => {
            let b = partner(r, &a);
            Case::Compare(r.pick(&[Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge]), a, b)
        }
        6 => {
            let b = if r.one_in(3) { a.clone() } else { partner(r, &a) };
            Case::Equal(a, b)
        }
        7 => Case::In(if r.one_in(2) { key(r) } else { partner(r, &a) }, a),
        8 => {
            let k = if r.one_in(3) { key(r) } else { place(r) };
            Case::Item(a, k)
        }
        9 => {
            let a = if r.one_in(3) { text(r) } else { a };
            let (b, c, d) = (place(r), place(r), place(r));
            if matches!(a, V::Range(..)) && d.is_large() {
                return None;
            }
            Case::Slice(a, b, c, d)
        }
        10 => Case::Attribute(a, r.pick(NAMES)),
        11 | 12 => Case::Function(r.pick(FUNCTIONS), a),
        13 => match r.below(4) {
            0 => Case::Function2("round", number(r), V::Small(r.below(24) as i64 - 9)),
            1 => {
                let base = [
                    V::Small(0),
                    V::Small(2),
                    V::Small(8),
                    V::Small(10),
                    V::Small(16),
                    V::Small(36),
                    V::Small(37),
                ][r.below(7)]
                .clone();
                Case::Function2("int", if r.one_in(4) { a } else { text(r) }, base)
            }
            2 => {
                let start = partner(r, &a);
                Case::Function2("sum", V::List(vec![a.clone(), a]), start)
            }
            _ => {
                let b = if r.one_in(2) { number(r) } else { partner(r, &a) };
                Case::Function2("key", a, b)
            }
        },
        14 => Case::Sorted(
            if r.one_in(2) {
                a
            } else {
                V::List((0..r.below(12)).map(|_| if r.one_in(40) { text(r) } else { number(r) }).collect())
            },
            r.one_in(2),
        ),
        15 => {
            let a = if r.one_in(3) { a } else { number(r) };
            Case::Format(a, r.pick(SPECS).to_owned())
        }
        16 => {
            let a = match r.below(5) {
                0 => a,
                1 => V::Dict(vec![(s("a"), a), (s("b"), text(r))]),
                2 => V::Tuple(vec![number(r), number(r)]),
                _ => number(r),
            };
            let text = r.pick(PERCENTS);
            if let (V::Tuple(all), true) = (&a, text.contains('*')) {
                let modest = |v: &V| !v.is_large() || matches!(v, V::Int(n) if n.len() > 18);
                if !all.iter().all(modest) {
                    return None;
                }
            }
            if text.is_ascii() && text.chars().all(|c| c >= ' ' && c != '\'' && c != '\\') && r.one_in(3) {
                let a = match r.below(4) {
                    0 => V::Dict(vec![(V::Bytes(b"a"), a), (V::Bytes(b"b"), value(r, 1))]),
                    1 => V::Tuple(vec![V::Bytes(b"x y"), a]),
                    2 => V::Bytes(b"\xffq"),
                    _ => a,
                };
                return Some(Case::PercentBytes(text.to_owned(), a));
            }
            Case::Percent(text.to_owned(), a)
        }
        _ => method(r),
    })
}
