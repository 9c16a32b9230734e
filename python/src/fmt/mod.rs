//! Text from values by format: `format(x, spec)`, `str.format`, and `%`.

mod field;
mod formatter;
mod number;
mod percent;
mod percent_bytes;
mod spec;

pub(crate) use field::{Lookup, format_text};
pub use formatter::{Formatter, vformat};
pub use percent::percent;
pub(crate) use percent_bytes::percent_bytes;

use crate::error::{PyErr, R};
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::repr;
use spec::Spec;

/// `format(x, spec)`.
///
/// # Errors
/// `ValueError` for a wrong spec, `TypeError` for values that take none, `Limit`.
pub fn format(obj: &Obj, text: &str) -> R<String> {
    if let Obj::Other(o) = obj
        && let Some(out) = o.format(text)?
    {
        return repr::str(&out);
    }
    if text.is_empty() {
        return repr::str(obj);
    }
    if let Some(own) = obj.as_str() {
        return Spec::parse(text, obj, '<')?.text(own);
    }
    match (num(obj), obj) {
        (Some(Num::Float(x)), _) => Spec::parse(text, obj, '>')?.float(x, obj),
        (Some(n), _) => Spec::parse(text, obj, '>')?.int(n, obj),
        (None, Obj::Date(_) | Obj::DateTime(_) | Obj::Time(_)) => crate::time::strftime(obj, text),
        _ => Err(PyErr::ty(format!("unsupported format string passed to {}.__format__", obj.type_name()))),
    }
}
