//! `config`: values of options, grains and pillar as they are. What is in none of these is asked of the execution module itself,
//! which has the defaults.

use crate::filters::find;
use crate::template::{Session, py_error};
use brine_core::Map;
use brine_core::call::Args as CallArgs;
use brine_python::{Args, Bound, Dict, Obj, R, Signature, contains, getitem, to_value};

/// The function of the execution module, on copies.
fn registered(session: &Session, name: &str, args: &Args) -> R {
    let positional = args.pos.iter().map(to_value).collect::<R<Vec<_>>>()?;
    let mut keyword = Map::new();
    for (name, value) in &args.kw {
        keyword.insert(&**name, to_value(value)?);
    }
    let value = session.cx.call(name, CallArgs { positional, keyword }).map_err(py_error)?;
    Ok(Obj::from(&value))
}

fn master(session: &Session) -> Obj {
    let master = match session.pillar() {
        Obj::Dict(pillar) => pillar.get_str("master"),
        _ => None,
    };
    master.unwrap_or_else(|| Dict::new().into())
}

pub(super) fn get(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new(
        "get",
        0,
        &["key", "default", "delimiter", "merge", "omit_opts", "omit_pillar", "omit_master", "omit_grains"],
        1,
    );
    let a = SIG.bind(args)?;
    if a.some(3).is_none() {
        let places: [(usize, &dyn Fn() -> Obj); 4] = [
            (4, &|| session.opts().clone()),
            (7, &|| session.grains().clone()),
            (5, &|| session.pillar().clone()),
            (6, &|| master(session)),
        ];
        for (omitted, place) in places {
            if a.truth(omitted, false)? {
                continue;
            }
            match find(&place(), a.at(0), a.get(2))? {
                // What stock takes for nothing found.
                Some(found) if found.as_str() == Some("_|-") => {}
                Some(found) if found.as_str().is_some_and(|s| s.starts_with("sdb://")) => {
                    return session.call("sdb.get", &Args::of([found]));
                }
                Some(found) => return Ok(found),
                None => {}
            }
        }
    }
    let default = a.get(1).cloned().unwrap_or_else(|| Obj::str(""));
    or_default(session, "config.get", args, &a, default)
}

/// What the execution module has, or the very object that is the default: it may be one that is no data.
fn or_default(session: &Session, name: &str, args: &Args, a: &Bound, default: Obj) -> R {
    const NONE: &str = "\u{0}";
    let mut asked = Args { pos: args.pos.iter().take(1).cloned().collect(), kw: Vec::new() };
    if asked.pos.is_empty() {
        asked.pos.push(a.at(0).clone());
    }
    asked.kw.push(("default".into(), Obj::str(NONE)));
    let skip = ["key", "value", "default"];
    asked.kw.extend(args.kw.iter().filter(|(n, _)| !skip.contains(&&**n)).cloned());
    for (at, value) in args.pos.iter().enumerate().skip(2) {
        let names = if name == "config.get" {
            ["delimiter", "merge", "omit_opts", "omit_pillar", "omit_master", "omit_grains"]
        } else {
            ["omit_opts", "omit_grains", "omit_pillar", "omit_master", "omit_all", "wildcard"]
        };
        if let Some(name) = names.get(at - 2) {
            asked.kw.push(((*name).into(), value.clone()));
        }
    }
    let found = registered(session, name, &asked)?;
    Ok(if found.as_str() == Some(NONE) { default } else { found })
}

pub(super) fn option(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new(
        "option",
        0,
        &[
            "value",
            "default",
            "omit_opts",
            "omit_grains",
            "omit_pillar",
            "omit_master",
            "omit_all",
            "wildcard",
        ],
        1,
    );
    let a = SIG.bind(args)?;
    if a.truth(7, false)? {
        return registered(session, "config.option", args);
    }
    let all = a.truth(6, false)?;
    let places: [(usize, &dyn Fn() -> Obj); 4] = [
        (2, &|| session.opts().clone()),
        (3, &|| session.grains().clone()),
        (4, &|| session.pillar().clone()),
        (5, &|| master(session)),
    ];
    for (omitted, place) in places {
        if all || a.truth(omitted, false)? {
            continue;
        }
        let place = place();
        if contains(&place, a.at(0))? {
            return getitem(&place, a.at(0));
        }
    }
    let default = a.some(1).cloned().unwrap_or_else(|| Obj::str(""));
    or_default(session, "config.option", args, &a, default)
}

pub(super) fn merge(session: &Session, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("merge", 0, &["value", "default", "omit_opts", "omit_master", "omit_pillar"], 1);
    let a = SIG.bind(args)?;
    let places: [(usize, &dyn Fn() -> Obj); 3] =
        [(2, &|| session.opts().clone()), (3, &|| master(session)), (4, &|| session.pillar().clone())];
    let mut out: Option<Obj> = None;
    for (omitted, place) in places {
        let place = place();
        if a.truth(omitted, false)? || !contains(&place, a.at(0))? {
            continue;
        }
        let found = getitem(&place, a.at(0))?;
        out = Some(match out {
            None | Some(Obj::None) if found.as_str().is_some() => return Ok(found),
            None | Some(Obj::None) => found,
            Some(before) => match (&before, &found) {
                // Stock changes what it found: in the pillar itself.
                (Obj::Dict(_), Obj::Dict(dict)) => {
                    dict.update(&before)?;
                    found
                }
                _ => match (before.sequence(), found.sequence()) {
                    (Some(mut all), Some(more)) => {
                        all.extend(more);
                        Obj::list(all)
                    }
                    _ => before,
                },
            },
        });
    }
    match out {
        Some(out) if !matches!(out, Obj::None) => Ok(out),
        _ => {
            let default = a.get(1).cloned().unwrap_or_else(|| Obj::str(""));
            let asked = Args { pos: vec![a.at(0).clone()], kw: vec![("default".into(), Obj::str("\u{0}"))] };
            let found = registered(session, "config.merge", &asked)?;
            Ok(if found.as_str() == Some("\u{0}") { default } else { found })
        }
    }
}
