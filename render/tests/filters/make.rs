//! Random calls: values that a filter is made for, and others.

use crate::Random;
use crate::case::{Arg, Case};
use crate::pools::{ADDRESSES, FILTERS, OPTIONS, PATTERNS, PIECES, QUERIES, TEMPLATES, TEXTS};
use crate::values::{V, s};
use brine_python::Part;

fn number(r: &mut Random) -> V {
    match r.below(12) {
        0 => V::Bool(r.one_in(2)),
        1 => V::Int(
            ["9223372036854775808", "-9223372036854775809", "4294967296", "18446744073709551616"][r.below(4)],
        ),
        2 | 3 => V::Float([0.0, -0.0, 1.5, -2.0, 3.0, 1e16, f64::INFINITY, 0.1][r.below(8)]),
        _ => V::Small(r.below(12) as i64 - 3),
    }
}

fn text(r: &mut Random) -> V {
    s(r.pick(TEXTS))
}

fn key(r: &mut Random) -> V {
    match r.below(8) {
        0 => V::Small(r.below(4) as i64),
        1 => V::None,
        2 => V::Tuple(vec![V::Small(1), s("a")]),
        3 => text(r),
        _ => s(["a", "b", "c", "k"][r.below(4)]),
    }
}

fn items(r: &mut Random, depth: usize) -> Vec<V> {
    let like = r.below(4);
    (0..r.below(5))
        .map(|_| match like {
            0 => value(r, depth + 1),
            1 => V::Small(r.below(5) as i64),
            2 => number(r),
            _ => s(["a", "b", "ab", "B", "A", "None"][r.below(6)]),
        })
        .collect()
}

fn pairs(r: &mut Random, depth: usize) -> Vec<(V, V)> {
    let mut out: Vec<(V, V)> = Vec::new();
    for _ in 0..r.below(4) {
        let k = key(r);
        // Equal keys of one dict would have the first one's place.
        if out.iter().all(|(other, _)| other.py() != k.py()) {
            out.push((k, value(r, depth + 1)));
        }
    }
    out
}

fn value(r: &mut Random, depth: usize) -> V {
    if depth > 2 {
        return if r.one_in(2) { text(r) } else { number(r) };
    }
    match r.below(22) {
        0 => V::None,
        1..=4 => number(r),
        5..=8 => text(r),
        9 => V::Bytes(
            [&b""[..], b"a", b"ab c", b"\xff\x00", b"it's", b"aGVsbG8=", b"127.0.0.1", b"\x7f\x00\x00\x01"]
                [r.below(8)],
        ),
        10..=12 => V::List(items(r, depth)),
        13 => V::Tuple(items(r, depth)),
        14..=16 => V::Dict(pairs(r, depth)),
        17 => V::Ordered(pairs(r, depth)),
        18 => V::Set((0..5).filter(|_| r.one_in(2)).map(V::Small).collect(), r.one_in(3)),
        19 => V::Range(r.below(3) as i64, r.below(6) as i64, 1),
        20 => match r.below(4) {
            0 => V::Iter(items(r, depth)),
            _ => V::View([Part::Keys, Part::Values, Part::Items][r.below(3)], pairs(r, depth)),
        },
        _ => match r.below(3) {
            0 => V::Date(2020, 2, 29),
            1 => V::DateTime([2020, 2, 29, 12, 5, 0, 4500], [None, Some(0), Some(7200)][r.below(3)]),
            _ => V::Delta(1, 2, 3),
        },
    }
}

/// One that is known, or pieces in any order.
fn pattern(r: &mut Random) -> V {
    if r.one_in(2) {
        return s(r.pick(PATTERNS));
    }
    V::Str((0..1 + r.below(5)).map(|_| r.pick(PIECES)).collect())
}

/// A list of text, mostly.
fn texts(r: &mut Random, pool: &[&str]) -> V {
    let all = (0..r.below(4)).map(|_| if r.one_in(9) { value(r, 1) } else { s(r.pick(pool)) }).collect();
    if r.one_in(4) { V::Tuple(all) } else { V::List(all) }
}

fn nested(r: &mut Random, depth: usize) -> V {
    if depth > 3 || r.one_in(4) {
        return if r.one_in(2) { text(r) } else { number(r) };
    }
    if r.one_in(3) {
        V::List((0..r.below(4)).map(|_| nested(r, depth + 1)).collect())
    } else {
        let k = ["a", "b", "c"][r.below(3)];
        let second = [s("k"), V::Small(1), V::Bool(true), V::None][r.below(4)].clone();
        V::Dict(vec![(s(k), nested(r, depth + 1)), (second, nested(r, depth + 1))])
    }
}

fn path(r: &mut Random, pool: &[String]) -> V {
    if r.one_in(6) { text(r) } else { V::Str(pool[r.below(pool.len())].clone()) }
}

/// How many filters there are cases for.
pub(crate) fn names() -> &'static [&'static str] {
    FILTERS
}

fn fit(r: &mut Random, name: &str, files: &[String]) -> (V, Vec<V>, Vec<(&'static str, V)>) {
    let flags = |r: &mut Random| -> Vec<(&'static str, V)> {
        let mut out = Vec::new();
        if r.one_in(3) {
            out.push(("ignorecase", V::Bool(true)));
        }
        if r.one_in(4) {
            out.push(("multiline", V::Bool(true)));
        }
        out
    };
    let list = |r: &mut Random| if r.one_in(4) { value(r, 0) } else { V::List(items(r, 0)) };
    match name {
        "regex_search" | "regex_match" | "match" => (text(r), vec![pattern(r)], flags(r)),
        "regex_replace" => (text(r), vec![pattern(r), s(r.pick(TEMPLATES))], flags(r)),
        "is_ip" | "is_ipv4" | "is_ipv6" => {
            (s(r.pick(ADDRESSES)), if r.one_in(2) { vec![s(r.pick(OPTIONS))] } else { vec![] }, vec![])
        }
        "ipv4" | "ipv6" | "ipaddr" | "ip_host" | "network_size" | "ipwrap" => {
            let v = if r.one_in(2) { s(r.pick(ADDRESSES)) } else { texts(r, ADDRESSES) };
            let args = if name != "ipwrap" && r.one_in(3) { vec![s(r.pick(OPTIONS))] } else { vec![] };
            let version = matches!(name, "ip_host" | "network_size") && r.one_in(4);
            (v, args, if version { vec![("version", V::Small([4, 6, 5, 0][r.below(4)]))] } else { vec![] })
        }
        "network_hosts" => {
            const SMALL: &[&str] = &[
                "10.0.0.1/29",
                "10.0.0.0/30",
                "10.0.0.1/31",
                "10.0.0.1/32",
                "10.1.2.3",
                "2001:db8::/124",
                "fe80::1%e/128",
                "::1",
                "x",
            ];
            (if r.one_in(2) { s(r.pick(SMALL)) } else { texts(r, SMALL) }, vec![], vec![])
        }
        "filter_by_networks" => {
            let nets =
                texts(r, &["10.0.0.0/8", "192.168.1.0/24", "fe80::/64", "10.0.0.1/8", "::/0", "0.0.0.0/0"]);
            let ips = texts(r, &["10.1.2.3", "192.168.1.7", "fe80::1", "8.8.8.8", "x"]);
            let v = if r.one_in(3) { V::Dict(vec![(s("eth0"), ips)]) } else { ips };
            (v, vec![if r.one_in(8) { V::None } else { nets }], vec![])
        }
        "mac_str_to_bytes" => (
            s(r.pick(&[
                "00:16:3E:00:00:01",
                "00-16-3e-00-00-01",
                "00163e000001",
                "zz163e000001",
                "00:16",
                "00:16:3E:00:00-01",
            ])),
            vec![],
            vec![],
        ),
        "union" | "intersect" | "difference" | "symmetric_difference" | "compare_lists" => {
            let (a, b) = (list(r), list(r));
            (a, vec![b], vec![])
        }
        "compare_dicts" => (V::Dict(pairs(r, 1)), vec![V::Dict(pairs(r, 1))], vec![]),
        "exactly_n_true" => {
            (V::List(items(r, 0)), if r.one_in(2) { vec![number(r)] } else { vec![] }, vec![])
        }
        "flatten" => {
            let named = if r.one_in(2) {
                vec![(
                    "levels",
                    [V::Small(1), V::Small(0), V::Small(2), V::None, V::Float(1.5)][r.below(5)].clone(),
                )]
            } else {
                vec![]
            };
            let nulls = if r.one_in(3) { vec![("preserve_nulls", V::Bool(true))] } else { vec![] };
            (V::List((0..r.below(4)).map(|_| nested(r, 1)).collect()), vec![], [named, nulls].concat())
        }
        "substring_in_list" => (text(r), vec![texts(r, TEXTS)], vec![]),
        "sorted_ignorecase" => (texts(r, TEXTS), vec![], vec![]),
        "traverse" => {
            let path = s(r.pick(&[
                "a", "a:b", "a:b:c", "a:0", "a:1:b", "0", "1", "k", "a:k", "b:0:a", "a:", "", "True", "c:1.0",
            ]));
            let path = if r.one_in(6) {
                [V::Small(0), V::List(vec![s("a"), V::Small(0)]), V::None, V::Tuple(vec![s("a"), s("b")])]
                    [r.below(4)]
                .clone()
            } else {
                path
            };
            let mut named = vec![];
            if r.one_in(3) {
                named.push(("default", s("dflt")));
            }
            if r.one_in(5) {
                named.push(("delimiter", s(r.pick(&["/", ":", "", "a"]))));
            }
            (nested(r, 0), vec![path], named)
        }
        "mysql_to_dict" => {
            let lines: &[&str] = &["+---+", "| a | b |", "| 1 | x |", "| 2.5 | y |", "| 3 |", "", "|  | q |"];
            (
                V::List(
                    (0..r.below(6)).map(|i| s(if i == 1 { "| a | b |" } else { r.pick(lines) })).collect(),
                ),
                vec![s(r.pick(&["a", "b", "c"]))],
                vec![],
            )
        }
        "json_encode_dict" | "json_decode_dict" => (
            V::Dict(pairs(r, 0)),
            vec![],
            if r.one_in(5) { vec![("preserve_tuples", V::Bool(true))] } else { vec![] },
        ),
        "json_encode_list" | "json_decode_list" => {
            (V::List(items(r, 0)), if r.one_in(4) { vec![s("latin-1")] } else { vec![] }, vec![])
        }
        "to_bytes" => (
            text(r),
            if r.one_in(3) { vec![s(r.pick(&["ascii", "latin-1", "utf-16", "nope"]))] } else { vec![] },
            if r.one_in(4) { vec![("errors", s(r.pick(&["ignore", "replace", "x"])))] } else { vec![] },
        ),
        "method_call" => {
            let (method, args): (&str, Vec<V>) = [
                ("upper", vec![]),
                ("get", vec![s("a"), V::Small(1)]),
                ("nosuch", vec![V::None]),
                ("split", vec![s("b")]),
                ("keys", vec![]),
                ("append", vec![V::Small(1)]),
            ][r.below(6)]
            .clone();
            (value(r, 1), [vec![s(method)], args].concat(), vec![])
        }
        "set_dict_key_value"
        | "update_dict_key_value"
        | "append_dict_key_value"
        | "extend_dict_key_value" => {
            let path = s(r.pick(&["a", "a:b", "a:b:c", "k", "x:y", ":", "a:"]));
            let new = if r.one_in(2) {
                value(r, 1)
            } else if name.starts_with('e') {
                list(r)
            } else {
                V::Dict(pairs(r, 1))
            };
            let mut named = vec![];
            if r.one_in(5) {
                named.push(("delimiter", s("/")));
            }
            if r.one_in(5) {
                named.push(("ordered_dict", V::Bool(true)));
            }
            (if r.one_in(8) { value(r, 0) } else { nested(r, 0) }, vec![path, new], named)
        }
        "hmac" => (
            text(r),
            vec![
                text(r),
                if r.one_in(2) { s("eBWf9bstXg+NiP5AOwppB5HMvZiYMPzEM9W5YMm/AmQ=") } else { text(r) },
            ],
            vec![],
        ),
        "hmac_compute" => (text(r), vec![text(r)], vec![]),
        "file_hashsum" => (
            path(r, files),
            if r.one_in(2) {
                vec![s(r.pick(&[
                    "md5",
                    "sha1",
                    "sha512",
                    "sha3_256",
                    "blake2b",
                    "blake2s",
                    "nope",
                    "shake_128",
                    "sha224",
                    "sha384",
                ]))]
            } else {
                vec![]
            },
            vec![],
        ),
        "is_empty" | "is_text_file" | "is_bin_file" => (path(r, files), vec![], vec![]),
        "which" => (s(r.pick(&["sh", "ls", "no-such-program", "/bin/sh", "", "bin/sh"])), vec![], vec![]),
        "path_join" => (
            text(r),
            (0..r.below(3))
                .map(|_| s(r.pick(&["a", "/b", "../c", "", ".", "//d/", "a//b/../c", "é"])))
                .collect(),
            if r.one_in(4) { vec![(["use_posixpath", "x"][r.below(2)], V::Bool(true))] } else { vec![] },
        ),
        "get_uid" => (s(r.pick(&["root", "no-such-user", "daemon", ""])), vec![], vec![]),
        "strftime" | "date_format" => {
            let v = match r.below(6) {
                0 => V::DateTime([2020, 2, 29, 12, 5, 0, 4500], None),
                1 => V::Small(1_040_814_000),
                2 => V::Float([1.5, -1.0, 1e10, 1e20, 0.000_000_5][r.below(5)]),
                3 => V::Date(2020, 2, 29),
                4 => s(r.pick(&["1040814000", "1040814000.25", "2002/12/25", "", "٣"])),
                _ => value(r, 1),
            };
            // Now is another moment for either.
            let v = if matches!(v, V::None) { V::Small(0) } else { v };
            (
                v,
                if r.one_in(2) {
                    vec![s(r.pick(&["%Y-%m-%d", "%H:%M:%S.%f", "%A %B", "x", "%%", ""]))]
                } else {
                    vec![]
                },
                vec![],
            )
        }
        "check_whitelist_blacklist" => {
            let one = |r: &mut Random| {
                if r.one_in(3) {
                    s(r.pick(&["a*", "a|b", "[", "ab", ""]))
                } else {
                    texts(r, &["a*", "b", "a|b", "(", "x.*", "[ab]"])
                }
            };
            let (a, b) = (one(r), one(r));
            let mut named = vec![];
            if r.one_in(2) {
                named.push(("whitelist", if r.one_in(9) { value(r, 1) } else { a }));
            }
            if r.one_in(2) {
                named.push(("blacklist", if r.one_in(9) { value(r, 1) } else { b }));
            }
            (text(r), vec![], named)
        }
        "random_sample" => (
            V::Range(0, [3, 10, 40, 200][r.below(4)], 1),
            vec![
                V::Small(r.below(8) as i64),
                [s("seed"), V::Small(7), s("é"), V::Float(1.5), V::List(vec![])][r.below(5)].clone(),
            ],
            vec![],
        ),
        "random_shuffle" => {
            (list(r), vec![], vec![("seed", [s("seed"), V::Small(7), V::Bool(false)][r.below(3)].clone())])
        }
        "combinations" | "combinations_with_replacement" | "permutations" => {
            (list(r), vec![V::Small(r.below(4) as i64)], vec![])
        }
        "product" => (
            list(r),
            (0..r.below(2)).map(|_| list(r)).collect(),
            if r.one_in(3) { vec![("repeat", V::Small(r.below(3) as i64))] } else { vec![] },
        ),
        "compress" => (list(r), vec![list(r)], vec![]),
        "zip" => (
            list(r),
            (0..r.below(3)).map(|_| list(r)).collect(),
            if r.one_in(4) { vec![("strict", V::Bool(true))] } else { vec![] },
        ),
        "zip_longest" => (
            list(r),
            (0..r.below(3)).map(|_| list(r)).collect(),
            if r.one_in(3) { vec![("fillvalue", s("-"))] } else { vec![] },
        ),
        "json" => (
            value(r, 0),
            vec![],
            if r.one_in(3) {
                vec![(
                    ["indent", "sort_keys"][r.below(2)],
                    [V::Small(2), V::Bool(false), V::None][r.below(3)].clone(),
                )]
            } else {
                vec![]
            },
        ),
        "yaml" | "dict_to_sls_yaml_params" => (
            if r.one_in(2) { V::Dict(pairs(r, 0)) } else { nested(r, 0) },
            if r.one_in(2) { vec![V::Bool(r.one_in(2))] } else { vec![] },
            vec![],
        ),
        "tojson" => (
            value(r, 0),
            if r.one_in(3) { vec![V::Small(2)] } else { vec![] },
            if r.one_in(3) {
                vec![(
                    ["sort_keys", "ensure_ascii", "skipkeys", "allow_nan", "nope"][r.below(5)],
                    V::Bool(r.one_in(2)),
                )]
            } else {
                vec![]
            },
        ),
        "xml" => (V::Dict(vec![(s("root"), nested(r, 1))]), vec![], vec![]),
        "human_to_bytes" => (
            text(r),
            vec![],
            if r.one_in(3) {
                vec![(
                    ["default_unit", "handle_metric"][r.below(2)],
                    [s("k"), V::Bool(true), s("MiB")][r.below(3)].clone(),
                )]
            } else {
                vec![]
            },
        ),
        "to_camelcase" => (text(r), if r.one_in(2) { vec![V::Bool(true)] } else { vec![] }, vec![]),
        "json_query" => (nested(r, 0), vec![s(r.pick(QUERIES))], vec![]),
        "load_json" | "load_yaml" | "base64_decode" | "to_num" | "is_hex" => (text(r), vec![], vec![]),
        "equalto" => (value(r, 0), vec![value(r, 0)], vec![]),
        _ => (if r.one_in(3) { text(r) } else { value(r, 0) }, vec![], vec![]),
    }
}

/// Whether it would ask Python for more than a test should: memory for numbers beyond 32 bits, or files by number.
fn unfit(name: &str, arg: &Arg) -> bool {
    let Arg::V(v) = arg else { return false };
    match name {
        "is_empty" | "is_bin_file" | "is_text_file" | "file_hashsum" | "which" => {
            matches!(v, V::Small(_) | V::Bool(_) | V::Int(_))
        }
        "json" | "tojson" | "combinations_with_replacement" | "combinations" | "permutations" | "product" => {
            matches!(v, V::Int(_))
        }
        _ => false,
    }
}

pub(crate) fn case(r: &mut Random, files: &[String]) -> Case {
    if r.one_in(30) {
        return Case {
            kind: "print",
            name: "",
            args: vec![Arg::V(if r.one_in(2) { nested(r, 0) } else { value(r, 0) })],
            named: vec![],
        };
    }
    let (kind, name) = match r.below(25) {
        0 => ("test", ["match", "equalto", "list"][r.below(3)]),
        _ => ("filter", r.pick(FILTERS)),
    };
    let (mut value, args, mut named) = fit(r, name, files);
    if r.one_in(7) && name != "network_hosts" {
        value = self::value(r, 0);
    }
    let mut args: Vec<Arg> = std::iter::once(value).chain(args).map(Arg::V).collect();
    if r.one_in(40) {
        let extra = self::value(r, 1);
        args.push(Arg::V(extra));
    }
    if r.one_in(60) && args.len() > 1 {
        args.pop();
    }
    if r.one_in(60) {
        let extra = ["x", "value", "txt", "size"][r.below(4)];
        named.retain(|(name, _)| *name != extra);
        named.push((extra, V::Small(1)));
    }
    if args.len() > 1 && r.one_in(25) {
        let at = 1 + r.below(args.len() - 1);
        args[at] = Arg::V(self::value(r, 1));
    }
    if r.one_in(25) {
        let inside = self::value(r, 2);
        args[0] =
            [Arg::Undefined, Arg::Markup("<b>&it's".into()), Arg::Markup("a".into()), Arg::Holds(inside)]
                [r.below(4)]
            .clone();
    }
    if args.iter().any(|arg| unfit(name, arg)) {
        return case(r, files);
    }
    let named = named.into_iter().map(|(name, v)| (name, Arg::V(v))).collect();
    Case { kind, name, args, named }
}
