//! Filters on lists and other things that can be iterated.

use super::kinds::hashable;
use brine_jinja::{State, Table};
use brine_python::{
    Args, Dict, Kind, Obj, Op, PyErr, R, Set, Signature, binary, call_method, compare, contains, eq, float,
    int, len, need_items, sum, truth,
};
use std::collections::HashMap;
use std::rc::Rc;

pub(super) fn add(table: &mut Table) {
    table.insert("unique", |_, args| unique(one("unique", args)?.at(0)));
    table.insert("min", |_, args| brine_python::min(OBJ_MIN.bind(args)?.at(0)));
    table.insert("max", |_, args| brine_python::max(OBJ_MAX.bind(args)?.at(0)));
    table.insert("avg", avg);
    table.insert("union", |_, args| {
        let a = two("union", args)?;
        union(a.at(0), a.at(1))
    });
    table.insert("intersect", |_, args| {
        let a = two("intersect", args)?;
        intersect(a.at(0), a.at(1))
    });
    table.insert("difference", difference);
    table.insert("symmetric_difference", symmetric_difference);
    table.insert("is_list", is_list);
    table.insert("is_iter", is_iter);
    table.insert("sorted_ignorecase", sorted_ignorecase);
    table.insert("substring_in_list", substring_in_list);
    table.insert("flatten", flatten);
    table.insert("exactly_n_true", exactly_n_true);
    table.insert("exactly_one_true", exactly_one_true);
    table.insert("compare_lists", compare_lists);
}

const OBJ_MIN: Signature = Signature::new("lst_min", 0, &["obj"], 1);
const OBJ_MAX: Signature = Signature::new("lst_max", 0, &["obj"], 1);

fn one(name: &'static str, args: &Args) -> R<brine_python::Bound> {
    Signature::new(name, 0, &["values"], 1).bind(args)
}

fn two(name: &'static str, args: &Args) -> R<brine_python::Bound> {
    Signature::new(name, 0, &["lst1", "lst2"], 2).bind(args)
}

fn set_of(obj: &Obj) -> R {
    Ok(Obj::Set(Rc::new(Set::of(obj, false)?)))
}

fn unique(values: &Obj) -> R {
    if hashable(values) {
        return set_of(values);
    }
    let kept = Obj::list(Vec::new());
    let iter = values.iter()?;
    while let Some(value) = iter.next()? {
        if !contains(&kept, &value)?
            && let Obj::List(list) = &kept
        {
            need_items(1, size_of::<Obj>())?;
            list.borrow_mut().push(value);
        }
    }
    Ok(kept)
}

fn avg(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("lst_avg", 0, &["lst"], 1);
    let a = SIG.bind(args)?;
    let list = a.at(0);
    if hashable(list) {
        return float(list).map(Obj::Float);
    }
    let total = sum(list, None)?;
    float(&binary(Op::Div, &total, &Obj::from(len(list)?))?).map(Obj::Float)
}

fn both_hashable(a: &Obj, b: &Obj) -> bool {
    hashable(a) && hashable(b)
}

fn sets(op: Op, a: &Obj, b: &Obj) -> R {
    binary(op, &set_of(a)?, &set_of(b)?)
}

fn union(a: &Obj, b: &Obj) -> R {
    if both_hashable(a, b) {
        return sets(Op::Or, a, b);
    }
    unique(&binary(Op::Add, a, b)?)
}

/// The members of the first that are, or are not, in the second.
fn members(a: &Obj, b: &Obj, kept: bool) -> R<Vec<Obj>> {
    let mut out = Vec::new();
    let iter = a.iter()?;
    while let Some(item) = iter.next()? {
        if contains(b, &item)? == kept {
            need_items(1, size_of::<Obj>())?;
            out.push(item);
        }
    }
    Ok(out)
}

fn intersect(a: &Obj, b: &Obj) -> R {
    if both_hashable(a, b) {
        return sets(Op::And, a, b);
    }
    unique(&Obj::list(members(a, b, true)?))
}

fn difference(_: &State, args: &Args) -> R {
    let bound = two("difference", args)?;
    let (a, b) = (bound.at(0), bound.at(1));
    if both_hashable(a, b) {
        return sets(Op::Sub, a, b);
    }
    unique(&Obj::list(members(a, b, false)?))
}

fn symmetric_difference(_: &State, args: &Args) -> R {
    let bound = two("symmetric_difference", args)?;
    let (a, b) = (bound.at(0), bound.at(1));
    if both_hashable(a, b) {
        return sets(Op::Xor, a, b);
    }
    let all = union(a, b)?;
    if !truth(&all)? {
        return Ok(Obj::list(Vec::new()));
    }
    // Python makes the intersection anew for each member; what it holds is the same each time.
    let both = intersect(a, b)?;
    unique(&Obj::list(members(&all, &both, false)?))
}

fn is_list(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("is_list", 0, &["value"], 1);
    Ok(matches!(SIG.bind(args)?.at(0), Obj::List(_)).into())
}

/// The test `list`: the same function.
pub(super) fn list_test(state: &State, args: &Args) -> R {
    is_list(state, args)
}

/// Whether it can be iterated and is no text.
fn iterable(obj: &Obj) -> R<bool> {
    if obj.as_str().is_some() {
        return Ok(false);
    }
    match obj.iter() {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == Kind::TypeError => Ok(false),
        Err(e) => Err(e),
    }
}

fn is_iter(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("is_iter", 0, &["thing", "ignore"], 1);
    let a = SIG.bind(args)?;
    match a.get(1) {
        None => Ok(iterable(a.at(0))?.into()),
        Some(ignore) if truth(ignore)? => {
            Err(PyErr::ty("isinstance() arg 2 must be a type, a tuple of types, or a union"))
        }
        Some(_) => Ok((a.at(0).as_str().is_some() || iterable(a.at(0))?).into()),
    }
}

fn sorted_ignorecase(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("sorted_ignorecase", 0, &["to_sort"], 1);
    let items = SIG.bind(args)?.at(0).items()?;
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = call_method(&item, "lower", &Args::default())?;
        keyed.push((key, item));
    }
    brine_python::sort(&mut keyed, |(key, _)| key, false)?;
    Ok(Obj::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn substring_in_list(_: &State, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("substr_in_list", 0, &["string_to_search_for", "list_to_search"], 2);
    let a = SIG.bind(args)?;
    let iter = a.at(1).iter()?;
    while let Some(text) = iter.next()? {
        if contains(&text, a.at(0))? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn flatten(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("flatten", 0, &["data", "levels", "preserve_nulls", "_ids"], 1);
    let a = SIG.bind(args)?;
    if a.some(3).is_some() {
        return Err(PyErr::attribute(a.at(3), "add"));
    }
    let mut out = Vec::new();
    Flatten { keep_nulls: a.truth(2, false)?, seen: HashMap::new() }.run(a.at(0), a.some(1), &mut out, 0)?;
    Ok(Obj::list(out))
}

struct Flatten {
    keep_nulls: bool,
    /// What was descended into, by address; held so that no address comes twice.
    seen: HashMap<usize, Obj>,
}

impl Flatten {
    fn run(&mut self, data: &Obj, levels: Option<&Obj>, out: &mut Vec<Obj>, depth: usize) -> R<()> {
        let address = match data {
            // There is one empty tuple, and one empty `bytes`.
            Obj::Tuple(t) if t.is_empty() => 1,
            Obj::Bytes(b) if b.is_empty() => 2,
            Obj::Range(range) => Rc::as_ptr(range).addr(),
            data => data.address(),
        };
        if address != 0 && self.seen.insert(address, data.clone()).is_some() {
            return Err(PyErr::new(Kind::RecursionError, "Reference cycle detected. Check input list."));
        }
        if depth > 250 {
            return Err(PyErr::recursion(""));
        }
        let iter = data.iter()?;
        while let Some(item) = iter.next()? {
            if !self.keep_nulls && is_null(&item)? {
                continue;
            }
            let descends = iterable(&item)?;
            match levels {
                None if descends => self.run(&item, None, out, depth + 1)?,
                Some(left) if descends && compare(brine_python::Cmp::Ge, left, &Obj::Int(1))? => {
                    let left = binary(Op::Sub, &int(left, None)?, &Obj::Int(1))?;
                    self.run(&item, Some(&left), out, depth + 1)?;
                }
                _ => {
                    need_items(1, size_of::<Obj>())?;
                    out.push(item);
                }
            }
        }
        Ok(())
    }
}

/// `element in (None, "None", "null")`.
fn is_null(item: &Obj) -> R<bool> {
    if matches!(item, Obj::None) {
        return Ok(true);
    }
    if let Some(text) = item.as_str() {
        return Ok(matches!(text, "None" | "null"));
    }
    match item {
        Obj::Other(_) => Ok(eq(item, &Obj::None)? || eq(item, &Obj::str("None"))?),
        _ => Ok(false),
    }
}

/// `any(i)`: takes items up to the first that is true.
fn any(iter: &brine_python::Iter) -> R<bool> {
    while let Some(item) = iter.next()? {
        if truth(&item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn exactly(iterable: &Obj, amount: &Obj) -> R {
    let iter = iterable.iter()?;
    // More rounds than there can be items end with the items.
    let amount = match amount {
        Obj::Big(n) => Obj::Int(if n.sign() == num_bigint::Sign::Plus { i64::MAX } else { 0 }),
        other => other.clone(),
    };
    let rounds = brine_python::Range::of(&[amount])?.iter()?;
    while rounds.next()?.is_some() {
        if !any(&iter)? {
            return Ok(false.into());
        }
    }
    Ok((!any(&iter)?).into())
}

fn exactly_n_true(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("exactly_n", 0, &["iterable", "amount"], 1);
    let a = SIG.bind(args)?;
    exactly(a.at(0), a.get(1).unwrap_or(&Obj::Int(1)))
}

fn exactly_one_true(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("exactly_one", 0, &["iterable"], 1);
    exactly(SIG.bind(args)?.at(0), &Obj::Int(1))
}

fn compare_lists(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("compare_lists", 0, &["old", "new"], 0);
    let a = SIG.bind(args)?;
    let (old, new) = (a.at(0), a.at(1));
    let out = Dict::new();
    for (name, from, other) in [("new", new, old), ("old", old, new)] {
        let only = members(from, other, false)?;
        if !only.is_empty() {
            out.set_str(name, Obj::list(only));
        }
    }
    Ok(out.into())
}
