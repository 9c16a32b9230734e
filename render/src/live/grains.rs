//! `grains`, as far as it reads them.

use super::dictupdate::deepcopy;
use super::filter;
use super::pillar::{copied, items_of};
use crate::filters::find;
use crate::template::Session;
use brine_python::{Args, Dict, Obj, R, Signature, float, int, sorted, str, truth};

fn lookup(session: &Session, key: &Obj) -> R<Option<Obj>> {
    find(session.grains(), key, None)
}

pub(super) fn get(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("get", 0, &["key", "default", "delimiter", "ordered"], 1);
    let a = SIG.bind(args)?;
    let found = find(session.grains(), a.at(0), a.get(2))?;
    match a.get(3) {
        // Without an order stock makes a copy.
        Some(ordered) if !matches!(ordered, Obj::Bool(true)) => {
            found.map_or_else(|| Ok(default(&a)), |found| deepcopy(&found))
        }
        _ => Ok(found.unwrap_or_else(|| default(&a))),
    }
}

fn default(a: &brine_python::Bound) -> Obj {
    a.get(1).cloned().unwrap_or_else(|| Obj::str(""))
}

pub(super) fn has_value(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("has_value", 0, &["key"], 1);
    Ok(lookup(session, SIG.bind(args)?.at(0))?.is_some().into())
}

pub(super) fn equals(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("equals", 0, &["key", "value"], 2);
    let a = SIG.bind(args)?;
    let found = lookup(session, a.at(0))?.unwrap_or_else(|| Obj::str(""));
    Ok((str(a.at(1))? == str(&found)?).into())
}

pub(super) fn ls(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("ls", 0, &[], 0);
    SIG.bind(args)?;
    Ok(Obj::list(sorted(session.grains(), None, false)?))
}

/// `salt.utils.data.is_true`.
fn is_true(value: &Obj) -> R<bool> {
    let value = int(value, None).unwrap_or_else(|_| value.clone());
    if let Ok(x) = float(&value) {
        return Ok(x > 0.0);
    }
    match value.as_str() {
        Some(text) => Ok(text.to_lowercase() == "true"),
        None => truth(&value),
    }
}

/// Hides what tells machines apart, in place.
fn sanitize(dict: &Dict) -> R<()> {
    if let Some(serial) = dict.get_str("serialnumber") {
        let serial = str(&serial)?;
        let n = serial.chars().count();
        let kept = n * 3 / 4;
        let shown: String = serial.chars().take(kept).collect();
        dict.set_str("serialnumber", shown + &"X".repeat(n - kept));
    }
    let instead = [
        ("domain", "DOMAINNAME"),
        ("fqdn", "MINION.DOMAINNAME"),
        ("id", "MINION.DOMAINNAME"),
        ("host", "MINION"),
        ("localhost", "MINION"),
        ("nodename", "MINION"),
    ];
    for (name, text) in instead {
        if dict.get_str(name).is_some() {
            dict.set_str(name, text);
        }
    }
    Ok(())
}

pub(super) fn items(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("items", 0, &["sanitize"], 0);
    let a = SIG.bind(args)?;
    let Obj::Dict(grains) = session.grains() else { return Ok(session.grains().clone()) };
    let out = copied(grains);
    if is_true(a.get(0).unwrap_or(&Obj::Bool(false)))?
        && let Obj::Dict(dict) = &out
    {
        sanitize(dict)?;
    }
    Ok(out)
}

pub(super) fn item(session: &Session, args: &Args) -> R {
    let default = args.named("default").cloned().unwrap_or_else(|| Obj::str(""));
    let out = items_of(session.grains(), &args.pos, &default, args.named("delimiter"))?;
    if is_true(args.named("sanitize").unwrap_or(&Obj::None))?
        && let Obj::Dict(dict) = &out
    {
        sanitize(dict)?;
    }
    Ok(out)
}

pub(super) fn filter_by(session: &Session, args: &Args) -> R {
    let a = filter::signature(&["lookup_dict", "grain", "merge", "default", "base"], 1).bind(args)?;
    filter::filter_by(&a, a.get(1).unwrap_or(&Obj::str("os_family")), session.grains())
}
