//! Python's data model without Python: values, operators, text formats and methods, with Python 3.11's results and error texts.
//!
//! Templates of Salt work on these. It knows neither templates nor Salt, and does no input or output. What Python does with
//! classes, attributes of types, complex numbers and lone surrogates is not here.
//!
//! Where it differs from Python: sets keep the order in which members came (Python's differs from run to run); equal numbers and
//! texts are one object, so NaN is found in a list; a power that would be complex is a `ValueError`; what is
//! nested more than 300 deep is a `RecursionError`, what is larger than [`Limits`] a `MemoryError`.
//!
//! Values are of one thread (`Rc`), cheap to clone, and mutable ones are shared as in Python. A container that holds itself is
//! never freed, as nothing collects cycles.

mod args;
mod attr;
mod builtins;
mod cmp;
mod conv;
mod depth;
mod dict;
mod error;
mod float;
mod fmt;
mod int;
mod iter;
mod key;
mod limit;
mod list;
mod methods;
mod num;
mod obj;
mod object;
mod ops;
mod pprint;
mod range;
mod repr;
mod seq;
mod set;
mod signature;
pub mod time;
mod trash;
mod uni;
mod uni_tables;
mod value;

pub use args::Args;
pub use attr::{call, call_method, callable, find as find_attr, find_method, getattr, setattr};
pub use builtins::{enumerate, map, max, min, sorted, sum, zip};
pub use cmp::{Cmp, compare, contains, eq, sort, truth};
pub use conv::{abs, float, int, round};
pub use dict::{Dict, Part, Table, View};
pub use error::{Kind, PyErr, R};
pub use float::repr as float_repr;
pub use fmt::{Formatter, format, percent, vformat};
pub use iter::{Iter, Next, reversed};
pub use key::{Carried, CarriedHasher, Key, hash};
pub use limit::{Limits, bytes as need_bytes, items as need_items, steps as take_steps};
pub use list::{Fields, List, Tuple};
pub use methods::{Method, decode_utf8, has_special, names as method_names};
pub use obj::Obj;
pub use object::Object;
pub use ops::{Op, Unary, binary, len, unary};
pub use pprint::{pformat, pformat_within};
pub use range::Range;
pub use repr::{ascii, repr, str, to_str};
pub use seq::{getitem, index, setitem, slice};
pub use set::{Members, Set};
pub use signature::{Bound, Signature};
pub use uni::{is_alnum, is_decimal, is_digit, is_line_end, is_space, split_whitespace};
pub use value::{to_int, to_value};
