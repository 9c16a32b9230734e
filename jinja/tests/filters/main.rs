//! Filters, tests, globals, markup and formats against stock 3006.28's own Jinja2, in one process: the same value, or the same error.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod make;
mod pools;
mod random;
mod stock;
mod values;

use brine_jinja::{Behaviour, Context, Environment, State, Syntax, Undefined, globals};
use brine_python::{Args, Dict, Kind, Limits, Obj, Op, PyErr, R, binary, call, getitem, repr, slice};
use make::{Case, case};
use random::Random;
use std::collections::BTreeMap;
use std::rc::Rc;
use stock::Stock;
use values::V;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn state(env: u8) -> State {
    let mut environment = Environment::new(Syntax::default());
    environment.sandboxed = true;
    environment.undefined = behaviour(env);
    environment.autoescape = env & 2 != 0;
    State {
        env: Rc::new(environment),
        context: Rc::new(Context::new(Rc::new(Dict::new()), None, env & 2 != 0)),
        autoescape: env & 2 != 0,
    }
}

fn behaviour(env: u8) -> Behaviour {
    if env & 1 != 0 { Behaviour::Strict } else { Behaviour::Lenient }
}

fn said(e: &PyErr) -> String {
    format!("{e:?}")
}

/// As `show` in `stock.py`.
fn show(obj: &Obj, deep: usize) -> R<String> {
    let all = |items: &[Obj]| -> R<String> {
        Ok(items.iter().map(|item| show(item, deep + 1)).collect::<R<Vec<_>>>()?.join(", "))
    };
    if let Some(undefined) = Undefined::find(obj) {
        return Ok(format!("undefined {}", undefined.message()));
    }
    Ok(match obj {
        Obj::Set(set) => {
            let mut all = set.to_vec().iter().map(repr).collect::<R<Vec<_>>>()?;
            all.sort();
            let all = all.into_iter().map(Obj::from).collect();
            format!("{}{}", obj.type_name(), repr(&Obj::list(all))?)
        }
        Obj::List(items) if deep < 3 => format!("[{}]", all(&items.borrow().clone())?),
        Obj::Tuple(items) if deep < 3 => format!("{}({})", obj.type_name(), all(items)?),
        Obj::Iter(_) if deep > 0 => "iterator".into(),
        Obj::Iter(iter) => {
            let mut out = repr(obj)?;
            for _ in 0..40 {
                match iter.next() {
                    Ok(Some(item)) => out += &format!(", {}", show(&item, 1)?),
                    Ok(None) => break,
                    Err(e) if e.kind() == Kind::Limit => return Err(e),
                    Err(e) => {
                        out += &format!("; {}", said(&e));
                        break;
                    }
                }
            }
            out
        }
        _ => repr(obj)?,
    })
}

/// Without addresses.
fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("0x") {
        let after = &rest[at + 2..];
        let digits = after.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        out.push_str(&rest[..at + 2]);
        rest = if digits >= 6 { &after[digits..] } else { after };
    }
    out += rest;
    let mut parts = out.split("id=");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |all, part| all + "id=" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

fn run(case: &Case, state: &State, args: Args) -> R {
    let two = |op| binary(op, &args.pos[0], &args.pos[1]);
    match case.kind {
        "filter" => state.call_filter(&case.name.as_str().into(), &args),
        "test" => state.call_test(&case.name.as_str().into(), &args),
        "global" => {
            let all = globals();
            let (_, callee) = all.iter().find(|(name, _)| *name == case.name).unwrap();
            let out = call(callee, &args)?;
            match out.as_str() {
                Some(text) if case.name == "lipsum" => {
                    Ok(format!("{} of {} lines", out.type_name(), text.lines().count()).into())
                }
                _ => Ok(out),
            }
        }
        "method" => {
            let method = state.getattr(&args.pos[0], &case.name)?;
            call(&method, &Args { pos: args.pos[1..].to_vec(), kw: args.kw })
        }
        "+" => two(Op::Add),
        "*" => two(Op::Mul),
        "%" => two(Op::Mod),
        "[]" => getitem(&args.pos[0], &args.pos[1]),
        _ => slice(&args.pos[0], &args.pos[1], &args.pos[2], &args.pos[3]),
    }
}

/// Our answer; `None` when a limit was passed.
fn ours(case: &Case, state: &State) -> Option<String> {
    let behaviour = behaviour(case.env);
    let args = Args {
        pos: case.args.iter().map(|v| v.obj(behaviour)).collect(),
        kw: case.kw.iter().map(|(name, v)| ((*name).into(), v.obj(behaviour))).collect(),
    };
    let first = args.pos.first().cloned();
    let limits = Limits { bytes: 64 << 20, steps: 1_000_000 };
    let limited = |e: &PyErr| e.kind() == Kind::Limit;
    let shown = |out: Obj| match out.as_str() {
        Some(text) if case.name == "lipsum" => Ok(text.to_owned()),
        _ => show(&out, 0),
    };
    let mut out = match limits.enter(|| run(case, state, args).and_then(shown)) {
        Ok(out) => out,
        Err(e) if limited(&e) => return None,
        Err(e) => said(&e),
    };
    if let Some(first) = first {
        match show(&first, 1) {
            Ok(text) => out += &format!(" ; {text}"),
            Err(e) => out += &format!(" ; {}", said(&e)),
        }
    }
    Some(clean(&out))
}

/// Whether it asks whether equal numbers or texts are one object, which here they are.
fn asks_identity(case: &Case) -> bool {
    let names = [
        ">",
        ">=",
        "<",
        "<=",
        "gt",
        "ge",
        "lt",
        "le",
        "greaterthan",
        "lessthan",
        "sort",
        "sameas",
        "in",
        "==",
        "!=",
        "eq",
        "ne",
        "equalto",
        "unique",
        "groupby",
        "select",
        "selectattr",
        "reject",
        "rejectattr",
    ];
    names.contains(&case.name.as_str())
        && (case.args.iter().any(|v| v.py().contains("nan") || v.py().contains("NaN"))
            || (format!("{:?}", case.args).contains("sameas") || case.name == "sameas")
                && case.args.iter().all(V::has_no_identity))
}

#[test]
fn names_are_those_of_stock() {
    let stock = Stock::start();
    let env = Environment::new(Syntax::default());
    let sorted = |table: &brine_jinja::Table| {
        let mut names: Vec<String> = table.keys().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(sorted(&env.filters), stock.filters);
    assert_eq!(sorted(&env.tests), stock.tests);
    let names: Vec<String> = globals().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names, stock.globals);
}

#[test]
fn everything_is_as_in_stock() {
    let seed = number("BRINE_SEED", 1);
    let mut random = Random::new(seed);
    let mut stock = Stock::start();
    let (filters, tests) = (stock.filters.clone(), stock.tests.clone());
    let states: Vec<State> = (0..4).map(state).collect();
    let (mut left, mut compared, mut skipped, mut failing) = (number("BRINE_CASES", 20_000), 0, 0, 0);
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    while left > 0 {
        let mut cases = Vec::new();
        while cases.len() < left.min(20_000) as usize {
            cases.push(case(&mut random, &filters, &tests));
        }
        left -= cases.len() as u64;
        let answers = stock.ask(&cases);
        for (case, answer) in cases.iter().zip(answers) {
            let (Some(answer), Some(ours)) = (answer, ours(case, &states[case.env as usize])) else {
                skipped += 1;
                continue;
            };
            // An address that is treated as text; JSON that is indented by markup, which escapes its own text.
            let text = [
                "replace",
                "title",
                "upper",
                "capitalize",
                "wordcount",
                "wordwrap",
                "urlize",
                "center",
                "trim",
                "truncate",
                "indent",
                "map",
            ];
            let generator = |v: &V| v.py().contains("(lambda a:");
            let by_chance = case.name == "urlize" && answer.contains("not supported between instances of")
                || case.args.iter().any(|v| matches!(v, V::Str(name) if name == "sameas"));
            let odd = by_chance
                || answer.contains("0X7F")
                || case.args.iter().any(generator) && text.contains(&case.name.as_str())
                || case.name == "tojson" && case.args[1..].iter().any(|v| matches!(v, V::Markup(_)))
                || case.name == "tojson" && case.kw.iter().any(|(_, v)| matches!(v, V::Markup(_)));
            if asks_identity(case) || odd {
                skipped += 1;
                continue;
            }
            compared += 1;
            failing += usize::from(answer.contains("Error: "));
            if ours != answer {
                let text = format!("{}\n    stock {answer}\n    ours  {ours}", stock::source(case));
                let kept =
                    wrong.entry(format!("{} {}", case.kind, case.name)).or_insert_with(|| (0, text.clone()));
                kept.0 += 1;
                if text.len() < kept.1.len() {
                    kept.1 = text;
                }
            }
        }
    }
    println!("seed {seed}: {compared} cases compared, {failing} of them errors, {skipped} not");
    let shown: Vec<String> = wrong.values().map(|(n, text)| format!("{n} like {text}")).collect();
    assert!(wrong.is_empty(), "seed {seed}: {} kinds differ:\n{}", wrong.len(), shown.join("\n"));
}
