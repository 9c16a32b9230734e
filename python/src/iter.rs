//! Iterators and generators as values, and `iter(x)`.

use crate::depth;
use crate::dict::View;
use crate::error::{PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::set::Set;
use crate::trash;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What an iterator does.
pub trait Next {
    /// The next item; after the end it is not asked again.
    ///
    /// # Errors
    /// Whatever making the item raises.
    fn next(&mut self) -> R<Option<Obj>>;
}

impl<F: FnMut() -> R<Option<Obj>>> Next for F {
    fn next(&mut self) -> R<Option<Obj>> {
        self()
    }
}

/// An iterator; clones share its place.
#[derive(Clone)]
pub struct Iter(Rc<Inner>);

struct Inner {
    name: &'static str,
    /// Of a generator, what it is called.
    function: Option<Rc<str>>,
    next: RefCell<Option<Box<dyn Next>>>,
    /// Items taken.
    taken: Cell<usize>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(next) = self.next.get_mut().take() {
            trash::free(next);
        }
    }
}

impl Iter {
    /// An iterator whose type has this name, for example `zip`.
    pub fn new(type_name: &'static str, next: impl Next + 'static) -> Self {
        Self::make(type_name, None, Box::new(next))
    }

    /// A generator of a function's name: `<generator object name at 0x...>`.
    pub fn generator(function: &str, next: impl Next + 'static) -> Self {
        Self::make("generator", Some(function.into()), Box::new(next))
    }

    fn make(name: &'static str, function: Option<Rc<str>>, next: Box<dyn Next>) -> Self {
        Self(Rc::new(Inner { name, function, next: RefCell::new(Some(next)), taken: Cell::new(0) }))
    }

    /// Over items that are there already.
    pub fn over(type_name: &'static str, items: Vec<Obj>) -> Self {
        let mut items = items.into_iter();
        Self::new(type_name, move || Ok(items.next()))
    }

    /// The next item.
    ///
    /// # Errors
    /// What making it raises, `RuntimeError` when the dict underneath changed, `Limit`.
    #[allow(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&self) -> R<Option<Obj>> {
        limit::steps(1)?;
        let Ok(mut state) = self.0.next.try_borrow_mut() else {
            return Err(PyErr::value(format!("{} already executing", self.0.name)));
        };
        let Some(next) = state.as_mut() else { return Ok(None) };
        let _level = depth::enter("")?;
        match next.next() {
            Ok(Some(item)) => {
                self.0.taken.set(self.0.taken.get() + 1);
                Ok(Some(item))
            }
            ended => {
                let done = state.take();
                drop(state);
                drop(done);
                ended
            }
        }
    }

    /// All that is left.
    ///
    /// # Errors
    /// As [`Iter::next`].
    pub fn collect(&self) -> R<Vec<Obj>> {
        let mut items = Vec::new();
        while let Some(item) = self.next()? {
            limit::bytes(size_of::<Obj>())?;
            items.push(item);
        }
        Ok(items)
    }

    /// How many items were taken.
    pub fn taken(&self) -> usize {
        self.0.taken.get()
    }

    pub(crate) fn type_name(&self) -> &'static str {
        self.0.name
    }

    pub(crate) fn address(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }

    pub(crate) fn is(&self, other: &Iter) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn repr(&self) -> String {
        match &self.0.function {
            Some(function) => format!("<generator object {function} at {:#x}>", self.address()),
            None => format!("<{} object at {:#x}>", self.0.name, self.address()),
        }
    }
}

/// Counts up through something whose items are made one by one.
fn counted(name: &'static str, mut at: impl FnMut(usize) -> R<Option<Obj>> + 'static) -> Iter {
    let mut i = 0;
    Iter::new(name, move || {
        let item = at(i)?;
        i += 1;
        Ok(item)
    })
}

/// Over a view of a dict; changing the dict's size meanwhile is an error.
fn over_view(view: View) -> Iter {
    let ordered = view.dict.is_ordered();
    let name = match (view.part, ordered) {
        (_, true) => "odict_iterator",
        (crate::dict::Part::Keys, _) => "dict_keyiterator",
        (crate::dict::Part::Values, _) => "dict_valueiterator",
        (crate::dict::Part::Items, _) => "dict_itemiterator",
    };
    let size = view.dict.len();
    counted(name, move |i| {
        if view.dict.len() != size {
            let text = if ordered {
                "OrderedDict mutated during iteration"
            } else {
                "dictionary changed size during iteration"
            };
            return Err(PyErr::new(crate::Kind::RuntimeError, text));
        }
        Ok(view.at(i))
    })
}

fn over_set(set: Rc<Set>) -> Iter {
    let size = set.len();
    counted("set_iterator", move |i| {
        if set.len() != size {
            return Err(PyErr::new(crate::Kind::RuntimeError, "Set changed size during iteration"));
        }
        Ok(set.borrow().get_index(i).map(|k| k.obj().clone()))
    })
}

fn over_text(text: Rc<str>) -> Iter {
    let name = if text.is_ascii() { "str_ascii_iterator" } else { "str_iterator" };
    let mut at = 0;
    Iter::new(name, move || {
        let Some(c) = text[at..].chars().next() else { return Ok(None) };
        at += c.len_utf8();
        Ok(Some(c.into()))
    })
}

impl Obj {
    /// `iter(x)`.
    ///
    /// # Errors
    /// `TypeError: 'int' object is not iterable`.
    pub fn iter(&self) -> R<Iter> {
        Ok(match self {
            Obj::Iter(iter) => iter.clone(),
            Obj::List(list) => {
                let list = list.clone();
                counted("list_iterator", move |i| Ok(list.get(i)))
            }
            Obj::Tuple(tuple) => {
                let tuple = tuple.clone();
                counted("tuple_iterator", move |i| Ok(tuple.get(i).cloned()))
            }
            Obj::Str(text) => over_text(text.clone()),
            Obj::Bytes(bytes) => {
                let bytes = bytes.clone();
                counted("bytes_iterator", move |i| Ok(bytes.get(i).map(|b| Obj::Int((*b).into()))))
            }
            Obj::Dict(dict) => over_view(View { dict: dict.clone(), part: crate::dict::Part::Keys }),
            Obj::View(view) => over_view(View { dict: view.dict.clone(), part: view.part }),
            Obj::Set(set) => over_set(set.clone()),
            Obj::Range(range) => {
                let range = range.clone();
                counted("range_iterator", move |i| Ok(range.get(i as u64)))
            }
            Obj::Other(o) => match (o.iter(self)?, o.as_str()) {
                (Some(Obj::Other(same)), _) if std::ptr::addr_eq(Rc::as_ptr(&same), Rc::as_ptr(o)) => {
                    return Err(not_iterable(self));
                }
                (Some(iterable), _) => iterable.iter()?,
                (None, Some(text)) => over_text(text.into()),
                (None, None) => return Err(not_iterable(self)),
            },
            _ => return Err(not_iterable(self)),
        })
    }

    /// All items of an iterable.
    ///
    /// # Errors
    /// As [`Obj::iter`] and [`Iter::next`].
    pub fn items(&self) -> R<Vec<Obj>> {
        match self.sequence() {
            Some(items) => {
                limit::items(items.len(), size_of::<Obj>())?;
                limit::steps(items.len() as u64)?;
                Ok(items)
            }
            None => self.iter()?.collect(),
        }
    }
}

fn not_iterable(obj: &Obj) -> PyErr {
    PyErr::ty(format!("'{}' object is not iterable", obj.type_name()))
}

/// `reversed(x)`.
///
/// # Errors
/// `TypeError: 'set' object is not reversible`.
pub fn reversed(obj: &Obj) -> R<Iter> {
    let back = |name, len: usize, at: Box<dyn Fn(usize) -> Option<Obj>>| {
        counted(name, move |i| Ok(len.checked_sub(i + 1).and_then(&at)))
    };
    let keys = |view: View, name| {
        let size = view.dict.len();
        counted(name, move |i| {
            if view.dict.len() != size {
                let text = "dictionary changed size during iteration";
                return Err(PyErr::new(crate::Kind::RuntimeError, text));
            }
            Ok(size.checked_sub(i + 1).and_then(|i| view.at(i)))
        })
    };
    Ok(match obj {
        Obj::List(list) => {
            let list = list.clone();
            back("list_reverseiterator", list.len(), Box::new(move |i| list.get(i)))
        }
        Obj::Tuple(tuple) => {
            let tuple = tuple.clone();
            back("reversed", tuple.len(), Box::new(move |i| tuple.get(i).cloned()))
        }
        Obj::Range(range) => {
            let (range, len) = (range.clone(), range.len());
            counted("range_iterator", move |i| Ok(len.checked_sub(i as u64 + 1).and_then(|i| range.get(i))))
        }
        Obj::Dict(dict) => {
            let name = if dict.is_ordered() { "odict_iterator" } else { "dict_reversekeyiterator" };
            keys(View { dict: dict.clone(), part: crate::dict::Part::Keys }, name)
        }
        Obj::View(view) => {
            let name = match (view.part, view.dict.is_ordered()) {
                (_, true) => "odict_iterator",
                (crate::dict::Part::Keys, _) => "dict_reversekeyiterator",
                (crate::dict::Part::Values, _) => "dict_reversevalueiterator",
                (crate::dict::Part::Items, _) => "dict_reverseitemiterator",
            };
            keys(View { dict: view.dict.clone(), part: view.part }, name)
        }
        Obj::Bytes(_) | Obj::Str(_) => {
            let mut items = obj.items()?;
            items.reverse();
            Iter::over("reversed", items)
        }
        Obj::Other(o) if o.as_str().is_some() => reversed(&Obj::str(o.as_str().unwrap_or_default()))?,
        _ => return Err(PyErr::ty(format!("'{}' object is not reversible", obj.type_name()))),
    })
}
