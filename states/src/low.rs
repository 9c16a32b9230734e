//! Low data: one dict for each function that is run, in the order in which they are. 3008's order is in `graph_order.rs`.

use crate::graph_order;
use crate::names::{first, is_in, item, starts};
use crate::semantics::{Semantics, disabled_by};
use brine_core::call::Cx;
use brine_python::{Dict, Obj, Op, R, binary, contains, getitem, str};
use brine_render::live::dictupdate::deepcopy;
use std::cell::Cell;
use std::rc::Rc;

/// Low data of high data, sorted, and what is wrong with it. What 3008 leaves out since it is disabled is counted.
pub(crate) fn compile(
    cx: &Cx,
    high: &Dict,
    semantics: Semantics,
    disabled: &[String],
    left_out: &Cell<i64>,
) -> R<(Vec<Obj>, Vec<String>)> {
    let newer = semantics.is_3008();
    let args = if newer { Args::OfStatesOf3008 } else { Args::OfStates };
    let mut chunks = Vec::new();
    let add = |chunks: &mut Vec<Rc<Dict>>, live: Rc<Dict>, functions: &[Obj]| -> R<()> {
        for function in functions {
            live.set_str("fun", function.clone());
            // 3008 takes the first that is not disabled, and no other.
            if newer && is_disabled(cx, &live)? {
                left_out.set(left_out.get() + 1);
                continue;
            }
            chunks.push(live.clone());
            if newer {
                break;
            }
        }
        Ok(())
    };
    for (id, body) in high.pairs() {
        if starts(&id, "__")? {
            continue;
        }
        for pair in brine_python::call_method(&body, "items", &brine_python::Args::default())?.items()? {
            let (state, run) = (getitem(&pair, &Obj::Int(0))?, getitem(&pair, &Obj::Int(1))?);
            if !starts(&state, "__")? {
                let each = |live, functions: &[Obj]| add(&mut chunks, live, functions);
                declaration(&id, &body, &state, &run, args, each)?;
            }
        }
    }
    let mut errors = Vec::new();
    if newer {
        (chunks, errors) = graph_order::order(cx, chunks, disabled)?;
    } else {
        order(&mut chunks)?;
    }
    Ok((chunks.into_iter().map(Obj::Dict).collect(), errors))
}

/// Low data of reactions, sorted. Stock orders them twice, which gives those with several names their places.
pub(crate) fn reactions(high: &Dict) -> R<Vec<Rc<Dict>>> {
    let mut chunks = Vec::new();
    for (id, body) in high.pairs() {
        let Obj::Dict(declared) = &body else { continue };
        if starts(&id, "__")? {
            continue;
        }
        for (state, run) in declared.pairs() {
            if starts(&state, "__")? {
                continue;
            }
            declaration(&id, &body, &state, &run, Args::OfReactions, |live: Rc<Dict>, functions: &[Obj]| {
                for function in functions {
                    live.set_str("fun", function.clone());
                    chunks.push(live.clone());
                }
                Ok(())
            })?;
        }
    }
    order(&mut chunks)?;
    order(&mut chunks)?;
    Ok(chunks)
}

/// How arguments become parts of a chunk.
#[derive(Clone, Copy, PartialEq)]
enum Args {
    /// One by one; neither the state nor a name that is none is replaced.
    OfStates,
    /// The same for 3008, whose order writes into them.
    OfStatesOf3008,
    /// As they are, each with all that stands beside it.
    OfReactions,
}

/// The chunks of one declaration: each that `add` is given, for the functions it is given with.
fn declaration(
    id: &Obj,
    body: &Obj,
    state: &Obj,
    run: &Obj,
    args: Args,
    mut add: impl FnMut(Rc<Dict>, &[Obj]) -> R<()>,
) -> R<()> {
    let chunk = Dict::new();
    chunk.set_str("state", state.clone());
    chunk.set_str("name", id.clone());
    for key in ["__sls__", "__env__", "__sls_included_from__"] {
        let key = Obj::str(key);
        if contains(body, &key)? {
            chunk.set(key.clone(), getitem(body, &key)?)?;
        }
    }
    chunk.set_str("__id__", id.clone());
    let (mut functions, mut names): (Vec<Obj>, Vec<Obj>) = (Vec::new(), Vec::new());
    for arg in run.items()? {
        if arg.as_str().is_some() {
            if !functions.iter().any(|other| other.as_str() == arg.as_str()) {
                functions.push(arg);
            }
            continue;
        }
        let Obj::Dict(arg) = arg else { continue };
        for (key, value) in arg.pairs() {
            match key.as_str() {
                Some("names") => {
                    for name in value.items()? {
                        if !is_in(&names, &name)? {
                            names.push(name);
                        }
                    }
                }
                _ if args == Args::OfReactions => chunk.update(&Obj::Dict(arg.clone()))?,
                // A state is not replaced.
                Some("state") => {}
                // What cannot be a name.
                Some("name") if value.as_str().is_none() => drop(chunk.set(key, id.clone())?),
                _ => drop(chunk.set(key, value)?),
            }
        }
    }
    let chunk = Obj::from(chunk);
    let copy = || -> R<Rc<Dict>> {
        match deepcopy(&chunk)? {
            Obj::Dict(dict) => Ok(dict),
            _ => Ok(Rc::new(Dict::new())),
        }
    };
    if names.is_empty() {
        // 3006 changes nothing within what chunks share with the files.
        match &chunk {
            Obj::Dict(chunk) if args == Args::OfStates => add(chunk.clone(), &functions)?,
            _ => add(copy()?, &functions)?,
        }
    }
    for (at, entry) in names.iter().enumerate() {
        let live = copy()?;
        if let Obj::Dict(_) = entry {
            let name = first(entry)?;
            live.set_str("name", name.clone());
            for more in getitem(entry, &name)?.items()? {
                live.update(&more)?;
            }
        } else {
            live.set_str("name", entry.clone());
        }
        live.set_str("name_order", Obj::Int(at as i64 + 1));
        add(live, &functions)?;
    }
    Ok(())
}

/// Whether the minion's grains disable the state function of a chunk.
fn is_disabled(cx: &Cx, chunk: &Dict) -> R<bool> {
    let part = |key: &str| chunk.get_str(key).map_or(Ok(String::new()), |value| str(&value));
    Ok(disabled_by(cx, &format!("{}.{}", part("state")?, part("fun")?)).is_some())
}

/// A number as Python compares it.
pub(crate) fn number(value: &Obj) -> Option<f64> {
    match value {
        Obj::Int(n) => Some(*n as f64),
        Obj::Bool(b) => Some(f64::from(u8::from(*b))),
        Obj::Float(f) => Some(*f),
        _ => None,
    }
}

/// Puts `cap` above the number that a chunk says: those that say none come after all that do.
pub(crate) fn raise(cap: &mut i64, chunk: &Dict) {
    let order = match chunk.get_str("order") {
        Some(Obj::Int(n)) => n,
        Some(Obj::Bool(b)) => i64::from(b),
        _ => return,
    };
    if order > *cap - 1 && order > 0 {
        *cap = order + 100;
    }
}

/// An order as a number: itself, or what a word stands for.
pub(crate) fn numbered(order: Obj, cap: i64) -> Obj {
    if number(&order).is_some() {
        return order;
    }
    Obj::Int(match order.as_str() {
        Some("last") => cap + 1_000_000,
        Some("first") => 0,
        _ => cap,
    })
}

/// Gives a chunk the number that its order comes to: with the place of its name, and from the end if it is negative.
pub(crate) fn settle(chunk: &Dict, order: Obj, cap: i64) -> R {
    let mut order = numbered(order, cap);
    if let Some(name_order) = chunk.remove(&Obj::str("name_order"))? {
        let part = binary(Op::Div, &name_order, &Obj::Float(10000.0))?;
        order = binary(Op::Add, &order, &part)?;
    }
    if number(&order).is_some_and(|n| n < 0.0) {
        order = binary(Op::Add, &Obj::Int(cap + 1_000_000), &order)?;
    }
    chunk.set_str("order", order.clone());
    Ok(order)
}

/// What sorts chunks of one number.
pub(crate) fn label(chunk: &Rc<Dict>) -> R<String> {
    let mut label = String::new();
    for key in ["state", "name", "fun"] {
        match chunk.get_str(key) {
            Some(Obj::Str(text)) => label.push_str(&text),
            _ => label.push_str(&str(&item(&Obj::Dict(chunk.clone()), key)?)?),
        }
    }
    Ok(label)
}

/// Numbers all chunks, and sorts them by number and then by what they are.
fn order(chunks: &mut [Rc<Dict>]) -> R<()> {
    let mut cap = 1;
    chunks.iter().for_each(|chunk| raise(&mut cap, chunk));
    for chunk in chunks.iter() {
        match chunk.get_str("order") {
            None => chunk.set_str("order", Obj::Int(cap)),
            Some(own) => drop(settle(chunk, own, cap)?),
        }
    }
    let mut keyed = Vec::with_capacity(chunks.len());
    for chunk in chunks.iter() {
        let order = chunk.get_str("order").as_ref().and_then(number).unwrap_or(0.0);
        keyed.push((order, label(chunk)?, chunk.clone()));
    }
    // Python sorts text by code points, as bytes of UTF-8 sort.
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    for (place, (_, _, chunk)) in chunks.iter_mut().zip(keyed) {
        *place = chunk;
    }
    Ok(())
}
