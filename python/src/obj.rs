//! The value itself. What can be done with it is in the other files, by operation.

use crate::dict::{Dict, View};
use crate::iter::Iter;
use crate::list::{List, Tuple};
use crate::object::Object;
use crate::set::Set;
use crate::time::{Date, DateTime, Delta, Time, Zone};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use std::fmt;
use std::rc::Rc;

/// A Python value. Cloning it is cheap and shares what is mutable, as assignment does in Python.
#[derive(Clone, Default)]
pub enum Obj {
    /// `None`.
    #[default]
    None,
    /// `True` and `False`.
    Bool(bool),
    /// An `int` of 64 bits.
    Int(i64),
    /// An `int` that 64 bits cannot hold; never one that they can (see [`Obj::big`]).
    Big(Rc<BigInt>),
    /// A `float`.
    Float(f64),
    /// A `str`. Lone surrogates cannot be held.
    Str(Rc<str>),
    /// A `bytes`.
    Bytes(Rc<[u8]>),
    /// A `list`.
    List(Rc<List>),
    /// A `tuple`.
    Tuple(Rc<Tuple>),
    /// A `dict` or `OrderedDict`.
    Dict(Rc<Dict>),
    /// What `dict.keys()`, `.values()` and `.items()` give.
    View(Rc<View>),
    /// A `set` or `frozenset`.
    Set(Rc<Set>),
    /// A `range`.
    Range(Rc<crate::range::Range>),
    /// An iterator of any type.
    Iter(Iter),
    /// `datetime.date`.
    Date(Date),
    /// `datetime.time`.
    Time(Time),
    /// `datetime.datetime`.
    DateTime(Rc<DateTime>),
    /// `datetime.timedelta`.
    Delta(Delta),
    /// `datetime.timezone`.
    Zone(Rc<Zone>),
    /// What another crate adds.
    Other(Rc<dyn Object>),
}

impl Obj {
    /// An `int`, in its shortest form.
    pub fn big(n: BigInt) -> Self {
        n.to_i64().map_or_else(|| Obj::Big(Rc::new(n)), Obj::Int)
    }

    /// A `str`.
    pub fn str(text: impl AsRef<str>) -> Self {
        Obj::Str(Rc::from(text.as_ref()))
    }

    /// A `bytes`.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Obj::Bytes(Rc::from(bytes.as_ref()))
    }

    /// A new `list`.
    pub fn list(items: Vec<Obj>) -> Self {
        Obj::List(Rc::new(List::new(items)))
    }

    /// A `tuple`.
    pub fn tuple(items: Vec<Obj>) -> Self {
        Obj::Tuple(Rc::new(Tuple::new(items)))
    }

    /// A `dict`.
    pub fn dict(dict: Dict) -> Self {
        Obj::Dict(Rc::new(dict))
    }

    /// What another crate adds.
    pub fn other(object: impl Object) -> Self {
        Obj::Other(Rc::new(object))
    }

    /// Python's `type(x).__name__`, for dates with their module, as error texts have it.
    pub fn type_name(&self) -> &str {
        match self {
            Obj::None => "NoneType",
            Obj::Bool(_) => "bool",
            Obj::Int(_) | Obj::Big(_) => "int",
            Obj::Float(_) => "float",
            Obj::Str(_) => "str",
            Obj::Bytes(_) => "bytes",
            Obj::List(_) => "list",
            Obj::Tuple(t) => t.fields().map_or("tuple", |fields| fields.name),
            Obj::Dict(d) => d.type_name(),
            Obj::View(v) => v.type_name(),
            Obj::Set(s) => s.type_name(),
            Obj::Range(_) => "range",
            Obj::Iter(i) => i.type_name(),
            Obj::Date(_) => "datetime.date",
            Obj::Time(_) => "datetime.time",
            Obj::DateTime(_) => "datetime.datetime",
            Obj::Delta(_) => "datetime.timedelta",
            Obj::Zone(_) => "datetime.timezone",
            Obj::Other(o) => o.type_name(),
        }
    }

    /// Python's `type(x).__module__`, of those that [`Obj::type_name`] leaves without one.
    pub fn module(&self) -> &str {
        match self {
            Obj::Tuple(t) => t.fields().map_or("builtins", |fields| fields.module),
            Obj::Other(o) => o.module(),
            _ => "builtins",
        }
    }

    /// The text of a `str` or of a subclass of it.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Obj::Str(s) => Some(s),
            Obj::Other(o) => o.as_str(),
            _ => None,
        }
    }

    /// The members of a list or tuple at this moment.
    pub fn sequence(&self) -> Option<Vec<Obj>> {
        match self {
            Obj::List(l) => Some(l.borrow().clone()),
            Obj::Tuple(t) => Some(t.to_vec()),
            _ => None,
        }
    }

    /// Whether both are the same object: Python's `is`. Numbers and text have no identity here, so equal ones of one type are the same.
    pub fn is(&self, other: &Obj) -> bool {
        match (self, other) {
            (Obj::None, Obj::None) => true,
            (Obj::Bool(a), Obj::Bool(b)) => a == b,
            (Obj::Int(a), Obj::Int(b)) => a == b,
            (Obj::Big(a), Obj::Big(b)) => a == b,
            (Obj::Float(a), Obj::Float(b)) => a.to_bits() == b.to_bits(),
            (Obj::Str(a), Obj::Str(b)) => a == b,
            (Obj::Bytes(a), Obj::Bytes(b)) => a == b,
            (Obj::Date(a), Obj::Date(b)) => a == b,
            (Obj::Time(a), Obj::Time(b)) => a == b,
            (Obj::Delta(a), Obj::Delta(b)) => a == b,
            (Obj::List(a), Obj::List(b)) => Rc::ptr_eq(a, b),
            (Obj::Tuple(a), Obj::Tuple(b)) => Rc::ptr_eq(a, b) || (a.is_empty() && b.is_empty()),
            (Obj::Dict(a), Obj::Dict(b)) => Rc::ptr_eq(a, b),
            (Obj::View(a), Obj::View(b)) => Rc::ptr_eq(a, b),
            (Obj::Set(a), Obj::Set(b)) => Rc::ptr_eq(a, b),
            (Obj::Range(a), Obj::Range(b)) => Rc::ptr_eq(a, b),
            (Obj::Iter(a), Obj::Iter(b)) => a.is(b),
            (Obj::DateTime(a), Obj::DateTime(b)) => Rc::ptr_eq(a, b),
            (Obj::Zone(a), Obj::Zone(b)) => Rc::ptr_eq(a, b),
            (Obj::Other(a), Obj::Other(b)) => std::ptr::addr_eq(Rc::as_ptr(a), Rc::as_ptr(b)),
            _ => false,
        }
    }

    /// An address for `<x object at 0x...>`; 0 for what has none.
    pub fn address(&self) -> usize {
        match self {
            Obj::List(x) => Rc::as_ptr(x).addr(),
            Obj::Tuple(x) => Rc::as_ptr(x).addr(),
            Obj::Dict(x) => Rc::as_ptr(x).addr(),
            Obj::View(x) => Rc::as_ptr(x).addr(),
            Obj::Set(x) => Rc::as_ptr(x).addr(),
            Obj::Range(x) => Rc::as_ptr(x).addr(),
            Obj::DateTime(x) => Rc::as_ptr(x).addr(),
            Obj::Zone(x) => Rc::as_ptr(x).addr(),
            Obj::Big(x) => Rc::as_ptr(x).addr(),
            Obj::Iter(x) => x.address(),
            Obj::Str(x) => Rc::as_ptr(x).cast::<u8>().addr(),
            Obj::Bytes(x) => Rc::as_ptr(x).cast::<u8>().addr(),
            Obj::Other(x) => Rc::as_ptr(x).cast::<u8>().addr(),
            _ => 0,
        }
    }
}

impl fmt::Debug for Obj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match crate::repr::repr(self) {
            Ok(text) => f.write_str(&text),
            Err(e) => write!(f, "<{}: {e:?}>", self.type_name()),
        }
    }
}

macro_rules! from {
    ($($from:ty => |$x:ident| $to:expr;)*) => {$(
        impl From<$from> for Obj {
            fn from($x: $from) -> Self { $to }
        }
    )*};
}

from! {
    () => |_x| Obj::None;
    bool => |x| Obj::Bool(x);
    i32 => |x| Obj::Int(x.into());
    u32 => |x| Obj::Int(x.into());
    i64 => |x| Obj::Int(x);
    u64 => |x| Obj::big(x.into());
    usize => |x| Obj::big(x.into());
    i128 => |x| Obj::big(x.into());
    BigInt => |x| Obj::big(x);
    f64 => |x| Obj::Float(x);
    &str => |x| Obj::Str(x.into());
    String => |x| Obj::Str(x.into());
    char => |x| Obj::str(x.encode_utf8(&mut [0; 4]));
    Vec<u8> => |x| Obj::Bytes(x.into());
    Vec<Obj> => |x| Obj::list(x);
    Dict => |x| Obj::dict(x);
}
