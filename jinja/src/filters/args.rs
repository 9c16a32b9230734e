//! What filters have in common: paths of attributes, sorting keys, and arguments in Python's words.

use crate::env::State;
use crate::markup::{Markup, is_markup};
use crate::undefined::is_undefined;
use brine_python::{Args, Kind, Obj, PyErr, R, call_method};

/// Raised when a filter is used with arguments that make no sense.
pub(crate) const FILTER_ERROR: Kind = Kind::Other("FilterArgumentError");

/// A `FilterArgumentError`.
pub(super) fn filter_error(text: impl Into<String>) -> PyErr {
    PyErr::new(FILTER_ERROR, text)
}

/// `make_attrgetter`: looks up a path of attributes by the rules of the environment.
#[derive(Clone)]
pub(super) struct Getter {
    parts: Vec<Obj>,
    /// What stands for an undefined value on the way.
    default: Option<Obj>,
    /// Whether text is made lower case.
    fold: bool,
}

impl Getter {
    /// Of a path as text, one key, or `None` for the item itself.
    ///
    /// # Errors
    /// `ValueError` for digits that are no number.
    pub(super) fn new(attribute: Option<&Obj>, fold: bool) -> R<Self> {
        Ok(Self { parts: parts(attribute)?, default: None, fold })
    }

    /// With a default for undefined values.
    pub(super) fn or(mut self, default: Option<&Obj>) -> Self {
        self.default = default.cloned();
        self
    }

    /// The value of an item.
    ///
    /// # Errors
    /// What looking up raises.
    pub(super) fn get(&self, state: &State, item: &Obj) -> R {
        let mut item = item.clone();
        for part in &self.parts {
            item = state.getitem(&item, part)?;
            if let Some(default) = &self.default
                && is_undefined(&item)
            {
                item = default.clone();
            }
        }
        if self.fold { ignore_case(&item) } else { Ok(item) }
    }
}

fn parts(attribute: Option<&Obj>) -> R<Vec<Obj>> {
    let Some(attribute) = attribute else { return Ok(Vec::new()) };
    let Some(path) = attribute.as_str() else {
        return Ok(if matches!(attribute, Obj::None) { Vec::new() } else { vec![attribute.clone()] });
    };
    path.split('.')
        .map(|part| {
            let digits = !part.is_empty() && part.chars().all(brine_python::is_digit);
            if digits { brine_python::int(&part.into(), None) } else { Ok(part_of(attribute, part)) }
        })
        .collect()
}

/// A part of text, which is of the same type.
fn part_of(whole: &Obj, part: &str) -> Obj {
    if is_markup(whole) { Markup::new(part) } else { part.into() }
}

/// `make_multi_attrgetter`: several paths, with commas between.
pub(super) struct MultiGetter(Vec<Getter>);

impl MultiGetter {
    /// As [`Getter::new`] for each.
    pub(super) fn new(attribute: Option<&Obj>, fold: bool) -> R<Self> {
        let getters = match attribute.and_then(|attribute| Some((attribute, attribute.as_str()?))) {
            Some((attribute, paths)) => paths
                .split(',')
                .map(|path| Getter::new(Some(&part_of(attribute, path)), fold))
                .collect::<R<Vec<_>>>()?,
            None => vec![Getter::new(attribute, fold)?],
        };
        Ok(Self(getters))
    }

    /// The values of an item, as a list.
    pub(super) fn get(&self, state: &State, item: &Obj) -> R {
        Ok(Obj::list(self.0.iter().map(|getter| getter.get(state, item)).collect::<R<Vec<_>>>()?))
    }
}

/// Text in lower case; other values as they are.
pub(super) fn ignore_case(value: &Obj) -> R {
    if value.as_str().is_some() { call_method(value, "lower", &Args::default()) } else { Ok(value.clone()) }
}

/// Sorts by keys that are made first, as `sorted(items, key=..., reverse=...)`.
pub(super) fn sorted_by(items: &Obj, key: impl Fn(&Obj) -> R, reverse: Option<&Obj>) -> R<Vec<Obj>> {
    let items = items.items()?;
    let reverse = reverse.map_or(Ok(false), flag)?;
    let mut pairs = items.into_iter().map(|item| Ok((key(&item)?, item))).collect::<R<Vec<_>>>()?;
    brine_python::sort(&mut pairs, |(key, _)| key, reverse)?;
    Ok(pairs.into_iter().map(|(_, item)| item).collect())
}

/// A flag that C has as `int`.
fn flag(value: &Obj) -> R<bool> {
    let too_large = || PyErr::overflow("Python int too large to convert to C int");
    match value {
        Obj::Big(_) => Err(too_large()),
        _ => i32::try_from(brine_python::index(value)?).map(|n| n != 0).map_err(|_| too_large()),
    }
}

/// The two members of an item that is unpacked into two names.
///
/// # Errors
/// `TypeError` for what cannot be iterated, `ValueError` for another number of members.
pub(super) fn unpack2(item: &Obj) -> R<(Obj, Obj)> {
    let iter = match item.iter() {
        Ok(iter) => iter,
        Err(e) if e.kind() == Kind::TypeError => {
            return Err(PyErr::ty(format!("cannot unpack non-iterable {} object", item.type_name())));
        }
        Err(e) => return Err(e),
    };
    let few = |n: usize| PyErr::value(format!("not enough values to unpack (expected 2, got {n})"));
    let first = iter.next()?.ok_or_else(|| few(0))?;
    let second = iter.next()?.ok_or_else(|| few(1))?;
    match iter.next()? {
        None => Ok((first, second)),
        Some(_) => Err(PyErr::value("too many values to unpack (expected 2)")),
    }
}

/// The only argument of a function that is built in.
///
/// # Errors
/// `TypeError` for any other number.
pub(crate) fn only<'a>(name: &str, args: &'a Args) -> R<&'a Obj> {
    if !args.kw.is_empty() {
        return Err(PyErr::ty(format!("{name}() takes no keyword arguments")));
    }
    match args.pos.as_slice() {
        [one] => Ok(one),
        all => Err(PyErr::ty(format!("{name}() takes exactly one argument ({} given)", all.len()))),
    }
}
