//! Random cases: what is called, with values that likely fit and with some that do not.

use crate::pools::{PARAMETERS, SIGNATURES, TESTS, TEXTS};
use crate::random::{
    Random, argument, items, mapping, number, record, sequence, subject, text, typed, value,
};
use crate::values::{V, s};

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
