//! Jinja2's own globals, by name.

mod class;
mod helpers;
mod lipsum;
mod namespace;

pub use namespace::is_namespace;

use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Range, Signature};
pub use class::Method;
use class::{Class, Function};

/// The longest range that a sandbox allows.
const MAX_RANGE: u64 = 100_000;

/// All of them, with the bounded `range` of a sandbox; made once in each thread.
pub fn table() -> Vec<(&'static str, Obj)> {
    thread_local! {
        static TABLE: Vec<(&'static str, Obj)> = make();
    }
    TABLE.with(Vec::clone)
}

fn make() -> Vec<(&'static str, Obj)> {
    let class = |name, make, sample| Obj::other(Class { name, make, sample });
    vec![
        ("range", Obj::other(Function { name: "safe_range", run: safe_range })),
        ("dict", class("dict", dict, Some(|| Obj::dict(Dict::new())))),
        ("lipsum", Obj::other(Function { name: "generate_lorem_ipsum", run: lipsum::lipsum })),
        ("cycler", class("jinja2.utils.Cycler", helpers::cycler, None)),
        ("joiner", class("jinja2.utils.Joiner", helpers::joiner, None)),
        ("namespace", class("jinja2.utils.Namespace", namespace::namespace, None)),
    ]
}

fn safe_range(args: &Args) -> R {
    let args = Signature::new("safe_range", 0, &[], 0).rest().bind(args)?;
    let range = Range::of(&args.rest)?;
    match &range {
        Obj::Range(r) if i64::try_from(r.len()).is_err() => {
            Err(PyErr::overflow("Python int too large to convert to C ssize_t"))
        }
        Obj::Range(r) if r.len() > MAX_RANGE => Err(PyErr::new(
            Kind::OverflowError,
            format!("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE})."),
        )),
        _ => Ok(range),
    }
}

/// `dict(...)`.
fn dict(args: &Args) -> R {
    let dict = Dict::new();
    match args.pos.as_slice() {
        [] => {}
        [from] => dict.update(from)?,
        more => return Err(PyErr::ty(format!("dict expected at most 1 argument, got {}", more.len()))),
    }
    for (name, value) in &args.kw {
        dict.set(Obj::Str(name.clone()), value.clone())?;
    }
    Ok(Obj::dict(dict))
}
