//! The methods of `Markup` that differ from those of `str`: they escape their arguments, and what they give is markup again.

use super::{Markup, escape, html, mark, striptags, unescape};
use brine_python::{
    Args, Bound, Formatter, Obj, Object, PyErr, R, Signature, call_method, find_attr, vformat,
};
use std::rc::Rc;

/// A method: how Python declares it, and what it does with the text.
pub(super) struct Method {
    name: &'static str,
    signature: Signature,
    run: fn(&Rc<str>, &Bound) -> R,
}

/// A method bound to its text.
struct BoundMethod {
    text: Rc<str>,
    method: &'static Method,
}

impl Object for BoundMethod {
    fn type_name(&self) -> &str {
        "method"
    }

    fn repr(&self) -> R<Option<String>> {
        let of = match self.method.name {
            "escape" => "<class 'markupsafe.Markup'>".into(),
            _ => brine_python::repr(&Markup::new(self.text.clone()))?,
        };
        Ok(Some(format!("<bound method Markup.{} of {of}>", self.method.name)))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        (self.method.run)(&self.text, &self.method.signature.bind(args)?).map(Some)
    }

    fn callable(&self) -> bool {
        true
    }

    fn eq(&self, other: &Obj) -> R<Option<bool>> {
        let Obj::Other(other) = other else { return Ok(Some(false)) };
        let same = |b: &BoundMethod| std::ptr::eq(b.method, self.method) && b.text == self.text;
        Ok(Some(other.downcast::<BoundMethod>().is_some_and(same)))
    }
}

/// A method by name, bound.
pub(super) fn find(text: &Rc<str>, name: &str) -> Option<Obj> {
    let method = METHODS.iter().find(|method| method.name == name)?;
    Some(Obj::other(BoundMethod { text: text.clone(), method }))
}

/// What the method of `str` gives.
fn plain(text: &Rc<str>, name: &str, args: impl IntoIterator<Item = Obj>) -> R {
    call_method(&Obj::Str(text.clone()), name, &Args::of(args))
}

/// The same as markup: text, or text in a list or tuple.
fn marked(out: &Obj) -> R {
    match out {
        Obj::List(items) => {
            let items = items.borrow().iter().map(mark).collect::<R<Vec<_>>>()?;
            Ok(Obj::list(items))
        }
        Obj::Tuple(items) => Ok(Obj::tuple(items.iter().map(mark).collect::<R<Vec<_>>>()?)),
        text => mark(text),
    }
}

/// Runs the method of `str` with what was given.
fn through(text: &Rc<str>, name: &str, args: impl IntoIterator<Item = Obj>) -> R {
    marked(&plain(text, name, args)?)
}

fn or(args: &Bound, at: usize, default: impl Into<Obj>) -> Obj {
    args.get(at).cloned().unwrap_or_else(|| default.into())
}

/// Rows of methods without arguments of their own.
macro_rules! same {
    ($name:literal) => {
        Method {
            name: $name,
            signature: Signature::new(concat!("Markup.", $name), 1, &["self"], 1).only(1),
            run: |text, _| through(text, $name, []),
        }
    };
}

/// Rows of methods with parameters.
macro_rules! method {
    ($name:literal, $params:expr, $required:literal, $only:literal, $run:expr) => {
        Method {
            name: $name,
            signature: Signature::new(concat!("Markup.", $name), 1, $params, $required).only($only),
            run: $run,
        }
    };
}

/// Methods that fill up to a width.
macro_rules! pad {
    ($name:literal) => {
        method!($name, &["self", "width", "fillchar"], 2, 3, |text, args| {
            through(text, $name, [args.at(0).clone(), escape(&or(args, 1, " "))?])
        })
    };
}

/// Methods that strip characters.
macro_rules! strip {
    ($name:literal) => {
        method!($name, &["self", "chars"], 1, 2, |text, args| through(text, $name, [args.at(0).clone()]))
    };
}

/// Methods that take one argument as it is.
macro_rules! one {
    ($name:literal, $param:literal, $only:literal) => {
        method!($name, &["self", $param], 2, $only, |text, args| through(text, $name, [args.at(0).clone()]))
    };
}

/// Methods that split at a separator.
macro_rules! split {
    ($name:literal) => {
        method!($name, &["self", "sep", "maxsplit"], 1, 1, |text, args| {
            through(text, $name, [args.at(0).clone(), or(args, 1, -1)])
        })
    };
}

const METHODS: &[Method] = &[
    same!("capitalize"),
    same!("title"),
    same!("lower"),
    same!("upper"),
    same!("swapcase"),
    same!("casefold"),
    pad!("ljust"),
    pad!("rjust"),
    pad!("center"),
    strip!("lstrip"),
    strip!("rstrip"),
    strip!("strip"),
    split!("split"),
    split!("rsplit"),
    one!("translate", "table", 2),
    one!("zfill", "width", 2),
    one!("removeprefix", "prefix", 2),
    one!("removesuffix", "suffix", 0),
    one!("partition", "sep", 2),
    one!("rpartition", "sep", 2),
    method!("splitlines", &["self", "keepends"], 1, 1, |text, args| {
        through(text, "splitlines", [or(args, 0, false)])
    }),
    method!("expandtabs", &["self", "tabsize"], 1, 1, |text, args| {
        through(text, "expandtabs", [or(args, 0, 8)])
    }),
    method!("replace", &["self", "old", "new", "count"], 3, 4, |text, args| {
        through(text, "replace", [args.at(0).clone(), escape(args.at(1))?, or(args, 2, -1)])
    }),
    method!("join", &["self", "iterable"], 2, 2, |text, args| {
        let mut items = Vec::new();
        let iter = args.at(0).iter()?;
        while let Some(item) = iter.next()? {
            items.push(escape(&item)?);
        }
        through(text, "join", [Obj::list(items)])
    }),
    method!("unescape", &["self"], 1, 1, |text, _| Ok(unescape(text).into())),
    method!("striptags", &["self"], 1, 1, |text, _| Ok(striptags(text).into())),
    method!("escape", &["cls", "s"], 2, 2, |_, args| escape(args.at(0))),
    method!("__html__", &["self"], 1, 1, |text, _| Ok(Markup::new(text.clone()))),
    method!("__html_format__", &["self", "format_spec"], 2, 2, |text, args| {
        html_format(text, args.at(0).as_str().unwrap_or_default())
    }),
    Method {
        name: "format",
        signature: Signature::new("Markup.format", 1, &["self"], 1).rest().named(),
        run: |text, args| {
            let named = brine_python::Dict::new();
            for (name, value) in &args.named {
                named.set(Obj::Str(name.clone()), value.clone())?;
            }
            Ok(Markup::new(vformat(&Escaping(&Plain), text, &args.rest, &Obj::dict(named))?))
        },
    },
    method!("format_map", &["self", "mapping"], 2, 2, |text, args| {
        Ok(Markup::new(vformat(&Escaping(&Plain), text, &[], args.at(0))?))
    }),
];

fn html_format(text: &Rc<str>, spec: &str) -> R {
    if spec.is_empty() {
        return Ok(Markup::new(text.clone()));
    }
    Err(PyErr::value("Unsupported format specification for Markup."))
}

/// Lookups as Python has them.
struct Plain;

impl Formatter for Plain {}

/// `EscapeFormatter`: what is put in is escaped; lookups are another formatter's.
pub(crate) struct Escaping<'a>(pub(crate) &'a dyn Formatter);

impl Formatter for Escaping<'_> {
    fn attribute(&self, value: &Obj, name: &str) -> R {
        self.0.attribute(value, name)
    }

    fn item(&self, value: &Obj, key: &Obj) -> R {
        self.0.item(value, key)
    }

    fn format(&self, value: &Obj, spec: &str) -> R<String> {
        let out = if let Some(markup) = Markup::find(value) {
            html_format(&markup.0, spec)?
        } else if let Some(method) = special(value, "__html_format__")? {
            brine_python::call(&method, &Args::of([spec.into()]))?
        } else if special(value, "__html__")?.is_some() {
            if !spec.is_empty() {
                return Err(PyErr::value(format!(
                    "Format specifier {spec} given, but <class '{}.{}'> does not define __html_format__. A class that \
                     defines __html__ must define __html_format__ to work with format specifiers.",
                    value.module(),
                    value.type_name()
                )));
            }
            html(value)?.unwrap_or_default()
        } else {
            brine_python::format(value, spec)?.into()
        };
        brine_python::str(&escape(&out)?)
    }
}

fn special(value: &Obj, name: &str) -> R<Option<Obj>> {
    match value {
        Obj::Other(_) => find_attr(value, name),
        _ => Ok(None),
    }
}
