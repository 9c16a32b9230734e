//! `zip` and the combinatoric functions of Python's `itertools`, as filters. All are lazy, as in Python.

use super::undefined::guarded_function;
use brine_jinja::{State, Table};
use brine_python::{Args, Iter, Obj, PyErr, R, index, need_items, truth};

macro_rules! add {
    ($table:ident, $($name:literal => $filter:expr;)*) => {
        $($table.insert($name, |state, args| guarded_function($name, state, args, $filter));)*
    };
}

pub(super) fn add(table: &mut Table) {
    add! {
        table,
        "combinations" => |_, args| combinations("combinations", args, false);
        "combinations_with_replacement" => |_, args| combinations("combinations_with_replacement", args, true);
        "compress" => compress;
        "permutations" => permutations;
        "product" => product;
        "zip" => zip;
        "zip_longest" => zip_longest;
    }
}

fn pick(pool: &[Obj], places: &[usize]) -> R {
    need_items(places.len(), size_of::<Obj>())?;
    Ok(Obj::tuple(places.iter().map(|i| pool[*i].clone()).collect()))
}

/// A count that must not be negative, held to what memory could have.
fn count(obj: &Obj) -> R<usize> {
    usize::try_from(index(obj)?).map_err(|_| PyErr::value("r must be non-negative"))
}

fn combinations(name: &'static str, args: &Args, repeated: bool) -> R {
    let slots = args.bind(name, &["iterable", "r"], 2)?;
    let r = index(&slots[1].clone().unwrap_or_default())?;
    let pool = slots[0].clone().unwrap_or_default().items()?;
    let r = usize::try_from(r).map_err(|_| PyErr::value("r must be non-negative"))?;
    let n = pool.len();
    let none = if repeated { n == 0 && r > 0 } else { r > n };
    need_items(if none { 0 } else { r }, size_of::<usize>())?;
    let mut places: Option<Vec<usize>> =
        (!none).then(|| if repeated { vec![0; r] } else { (0..r).collect() });
    let type_name = match repeated {
        true => "itertools.combinations_with_replacement",
        false => "itertools.combinations",
    };
    Ok(Obj::Iter(Iter::new(type_name, move || {
        let Some(at) = &mut places else { return Ok(None) };
        let row = pick(&pool, at)?;
        let most = |i: usize| if repeated { n - 1 } else { i + n - r };
        match (0..r).rev().find(|i| at[*i] != most(*i)) {
            None => places = None,
            Some(i) => {
                let next = at[i] + 1;
                for (k, place) in at.iter_mut().enumerate().skip(i) {
                    *place = if repeated { next } else { next + k - i };
                }
            }
        }
        Ok(Some(row))
    })))
}

fn permutations(_: &State, args: &Args) -> R {
    let slots = args.bind("permutations", &["iterable", "r"], 1)?;
    let pool = slots[0].clone().unwrap_or_default().items()?;
    let n = pool.len();
    let r = match &slots[1] {
        None | Some(Obj::None) => n,
        Some(r @ (Obj::Int(_) | Obj::Bool(_) | Obj::Big(_))) => count(r)?,
        Some(_) => return Err(PyErr::ty("Expected int as r")),
    };
    let mut indices: Vec<usize> = (0..n).collect();
    let mut cycles: Vec<usize> = (0..r.min(n)).map(|i| n - i).collect();
    let (mut first, mut done) = (true, r > n);
    Ok(Obj::Iter(Iter::new("itertools.permutations", move || {
        if done {
            return Ok(None);
        }
        if first {
            first = false;
            return pick(&pool, &indices[..r]).map(Some);
        }
        for i in (0..r).rev() {
            cycles[i] -= 1;
            if cycles[i] == 0 {
                indices[i..].rotate_left(1);
                cycles[i] = n - i;
            } else {
                indices.swap(i, n - cycles[i]);
                return pick(&pool, &indices[..r]).map(Some);
            }
        }
        done = true;
        Ok(None)
    })))
}

fn product(_: &State, args: &Args) -> R {
    let repeat = match args.kw.as_slice() {
        [] => 1,
        [(name, n)] if &**name == "repeat" => index(n)?,
        [(name, _)] => {
            return Err(PyErr::ty(format!("'{name}' is an invalid keyword argument for product()")));
        }
        more => {
            let given = more.len();
            return Err(PyErr::ty(format!("product() takes at most 1 keyword argument ({given} given)")));
        }
    };
    let Ok(repeat) = usize::try_from(repeat) else {
        return Err(PyErr::value("repeat argument cannot be negative"));
    };
    let mut once = Vec::new();
    if repeat > 0 {
        for iterable in &args.pos {
            once.push(std::rc::Rc::new(iterable.items()?));
        }
    }
    if once.len().checked_mul(repeat).is_none_or(|n| n > (isize::MAX as usize) / 8) {
        return Err(PyErr::overflow("repeat argument too large"));
    }
    need_items(once.len() * repeat, size_of::<Obj>())?;
    let pools: Vec<_> = std::iter::repeat_n(once, repeat).flatten().collect();
    let mut places: Option<Vec<usize>> = pools.iter().all(|p| !p.is_empty()).then(|| vec![0; pools.len()]);
    Ok(Obj::Iter(Iter::new("itertools.product", move || {
        let Some(at) = &mut places else { return Ok(None) };
        need_items(at.len(), size_of::<Obj>())?;
        let row = Obj::tuple(pools.iter().zip(at.iter()).map(|(pool, i)| pool[*i].clone()).collect());
        let mut more = false;
        for (place, pool) in at.iter_mut().zip(&pools).rev() {
            *place += 1;
            if *place < pool.len() {
                more = true;
                break;
            }
            *place = 0;
        }
        if !more {
            places = None;
        }
        Ok(Some(row))
    })))
}

fn compress(_: &State, args: &Args) -> R {
    let slots = args.bind("compress", &["data", "selectors"], 2)?;
    let data = slots[0].clone().unwrap_or_default().iter()?;
    let selectors = slots[1].clone().unwrap_or_default().iter()?;
    Ok(Obj::Iter(Iter::new("itertools.compress", move || {
        loop {
            let Some(item) = data.next()? else { return Ok(None) };
            let Some(selector) = selectors.next()? else { return Ok(None) };
            if truth(&selector)? {
                return Ok(Some(item));
            }
        }
    })))
}

/// The iterators of all arguments.
fn iters(args: &Args) -> R<Vec<Iter>> {
    args.pos.iter().map(Obj::iter).collect()
}

fn zip(_: &State, args: &Args) -> R {
    let mut strict = false;
    if args.kw.len() > 1 {
        let given = args.kw.len();
        return Err(PyErr::ty(format!("zip() takes at most 1 keyword argument ({given} given)")));
    }
    for (name, value) in &args.kw {
        match &**name {
            "strict" => strict = truth(value)?,
            name => {
                return Err(PyErr::ty(format!("'{name}' is an invalid keyword argument for zip()")));
            }
        }
    }
    if !strict {
        return Ok(Obj::Iter(brine_python::zip(&args.pos)?));
    }
    let iters = iters(args)?;
    Ok(Obj::Iter(Iter::new("zip", move || {
        let mut row = Vec::with_capacity(iters.len());
        for (at, iter) in iters.iter().enumerate() {
            match iter.next()? {
                Some(item) => row.push(item),
                None if at == 0 => {
                    for (at, iter) in iters.iter().enumerate().skip(1) {
                        if iter.next()?.is_some() {
                            return Err(uneven(at, "longer"));
                        }
                    }
                    return Ok(None);
                }
                None => return Err(uneven(at, "shorter")),
            }
        }
        Ok((!row.is_empty()).then(|| Obj::tuple(row)))
    })))
}

fn uneven(at: usize, how: &str) -> PyErr {
    let than = if at == 1 { " 1".to_owned() } else { format!("s 1-{at}") };
    PyErr::value(format!("zip() argument {} is {how} than argument{than}", at + 1))
}

fn zip_longest(_: &State, args: &Args) -> R {
    let mut fill = Obj::None;
    for (name, value) in &args.kw {
        if &**name != "fillvalue" {
            return Err(PyErr::ty("zip_longest() got an unexpected keyword argument"));
        }
        fill = value.clone();
    }
    let mut iters: Vec<Option<Iter>> = iters(args)?.into_iter().map(Some).collect();
    let mut left = iters.len();
    Ok(Obj::Iter(Iter::new("itertools.zip_longest", move || {
        let mut row = Vec::with_capacity(iters.len());
        if left == 0 {
            return Ok(None);
        }
        for iter in &mut iters {
            let item = match iter {
                Some(items) => items.next()?,
                None => None,
            };
            if item.is_none() && iter.take().is_some() {
                left -= 1;
                if left == 0 {
                    return Ok(None);
                }
            }
            row.push(item.unwrap_or_else(|| fill.clone()));
        }
        Ok(Some(Obj::tuple(row)))
    })))
}
