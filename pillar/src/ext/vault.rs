//! `vault`: all keys under a path of HashiCorp Vault, whose name may hold `{minion}` and values of pillar. A value that is a list
//! makes as many paths, which are merged.

use super::{Asked, Source};
use brine_core::Value;
use brine_python::{
    Args, Dict, Formatter, Kind, Obj, PyErr, R, Signature, getattr, getitem, str, truth, vformat,
};
use brine_render::live::dictupdate::merge;
use brine_render::sdb::Secrets;
use brine_render::template::{call_error, py_error};

pub(super) const SOURCE: Source = Source { name: "vault", run };

fn run(asked: &Asked<'_>, args: &Args) -> R {
    const SIGNATURE: Signature = Signature::new(
        "ext_pillar",
        2,
        &["minion_id", "pillar", "conf", "nesting_key", "merge_strategy", "merge_lists", "extra_minion_data"],
        3,
    );
    let a = SIGNATURE.bind(args)?;
    if asked.extra.get("_vault_runner_is_compiling_pillar_templates").is_some_and(Value::truthy) {
        return Ok(Dict::new().into());
    }
    let Some(conf) = a.at(0).as_str() else { return Err(PyErr::attribute(a.at(0), "split")) };
    let Some(pattern) = conf.split_whitespace().find(|word| word.starts_with("path=")) else {
        tracing::error!("\"{conf}\" is not a valid Vault ext_pillar config");
        return Ok(Dict::new().into());
    };
    let opts = asked.opts();
    let strategy = match a.some(2) {
        Some(strategy) if truth(strategy)? => strategy.clone(),
        _ => opts.get("pillar_source_merging_strategy").map_or_else(|| Obj::str("smart"), Obj::from),
    };
    let lists = a.truth(3, false)? || opts.flag("pillar_merge_lists");
    let mappings = Dict::new();
    mappings.set_str("minion", Obj::str(asked.id));
    mappings.set_str("pillar", asked.pillar.clone());
    let mut found = Obj::from(Dict::new());
    let paths = named(&[pattern.replace("path=", "")], &mappings.into())?;
    if !paths.is_empty() {
        let secrets = Secrets::of(asked.cx(), asked.id, |patterns| {
            let mappings = Dict::new();
            mappings.set_str("minion", Obj::str(asked.id));
            mappings.set_str("grains", asked.session.grains().clone());
            mappings.set_str("pillar", asked.pillar.clone());
            let policies = named(&patterns, &mappings.into()).map_err(call_error)?;
            Ok(policies.into_iter().map(|policy| policy.to_lowercase()).collect())
        })
        .map_err(py_error)?;
        for path in paths {
            if let Some(data) = secrets.read(&path).map_err(py_error)? {
                found = merge(&found, &Obj::from(&data), &strategy, &Obj::str("yaml"), lists)?;
            }
        }
    }
    match a.some(1) {
        Some(key) if truth(key)? => {
            let outer = Dict::new();
            outer.set(key.clone(), found)?;
            Ok(outer.into())
        }
        _ => Ok(found),
    }
}

/// Patterns with their fields put in; those that name what is not there are logged and left out.
fn named(patterns: &[String], mappings: &Obj) -> R<Vec<String>> {
    struct Plain;
    impl Formatter for Plain {}
    let mut names = Vec::new();
    for pattern in patterns {
        let one = expanded(pattern, mappings, 0).and_then(|all| {
            for pattern in all {
                names.push(vformat(&Plain, &pattern, &[], mappings)?);
            }
            Ok(())
        });
        match one {
            Err(e) if e.kind() == Kind::KeyError => {
                tracing::warn!("Could not resolve pillar path pattern {pattern}");
            }
            other => other?,
        }
    }
    Ok(names)
}

/// How many fields may be lists.
const DEEPEST: usize = 8;

/// One pattern for each member of the lists that its fields name.
fn expanded(pattern: &str, mappings: &Obj, depth: usize) -> R<Vec<String>> {
    for field in fields(pattern) {
        if let Obj::List(list) = value(&field, mappings)? {
            if depth >= DEEPEST {
                return Err(PyErr::recursion(""));
            }
            let token = format!("{{{field}}}");
            let mut all = Vec::new();
            for member in list.borrow().clone() {
                all.extend(expanded(&pattern.replace(&token, &str(&member)?), mappings, depth + 1)?);
                brine_python::need_items(all.len(), 64)?;
            }
            return Ok(all);
        }
    }
    Ok(vec![pattern.to_owned()])
}

/// The names of the fields of a format, without what says how they are shown.
fn fields(pattern: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some(start) = rest.find(['{', '}']) {
        let here = &rest[start..];
        if here.starts_with("{{") || here.starts_with("}}") {
            rest = &here[2..];
            continue;
        }
        let Some(end) = here.find('}').filter(|_| here.starts_with('{')) else { break };
        let field = &here[1..end];
        found.push(field.split(['!', ':']).next().unwrap_or_default().to_owned());
        rest = &here[end + 1..];
    }
    found
}

/// What a field like `pillar[a].b` names.
fn value(field: &str, mappings: &Obj) -> R {
    let end = field.find(['.', '[']).unwrap_or(field.len());
    let (first, mut rest) = field.split_at(end);
    let mut at = getitem(mappings, &Obj::str(first))?;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, after) =
                inner.split_once(']').ok_or_else(|| PyErr::value("Missing ']' in format string"))?;
            let key = key.parse().map_or_else(|_| Obj::str(key), Obj::Int);
            (at, rest) = (getitem(&at, &key)?, after);
        } else {
            let name = rest.trim_start_matches('.');
            let end = name.find(['.', '[']).unwrap_or(name.len());
            at = getattr(&at, &name[..end])?;
            rest = &name[end..];
        }
    }
    Ok(at)
}
