//! Jinja2's own filters, by name.

mod args;
mod html;
mod json;
mod lazy;
mod number;
mod sequence;
mod text;
mod urlize;
mod value;
mod wrap;

pub(crate) use args::only;
pub(crate) use sequence::random_below;

use crate::env::{Callee, Table};
use std::rc::Rc;

/// Every filter, in the order of their names.
const ALL: &[(&str, Callee)] = &[
    ("abs", number::abs),
    ("attr", value::attr),
    ("batch", lazy::batch),
    ("capitalize", text::capitalize),
    ("center", text::center),
    ("count", number::length),
    ("d", value::default),
    ("default", value::default),
    ("dictsort", sequence::dictsort),
    ("e", html::escape_filter),
    ("escape", html::escape_filter),
    ("filesizeformat", number::filesizeformat),
    ("first", sequence::first),
    ("float", number::to_float),
    ("forceescape", html::force_escape),
    ("format", text::format),
    ("groupby", sequence::groupby),
    ("indent", text::indent),
    ("int", number::to_int),
    ("items", lazy::items),
    ("join", sequence::join),
    ("last", sequence::last),
    ("length", number::length),
    ("list", sequence::list),
    ("lower", text::lower),
    ("map", lazy::map),
    ("max", sequence::max),
    ("min", sequence::min),
    ("pprint", value::pprint),
    ("random", sequence::random),
    ("reject", lazy::reject),
    ("rejectattr", lazy::rejectattr),
    ("replace", text::replace),
    ("reverse", sequence::reverse),
    ("round", number::round),
    ("safe", html::safe),
    ("select", lazy::select),
    ("selectattr", lazy::selectattr),
    ("slice", lazy::slice),
    ("sort", sequence::sort),
    ("string", text::string),
    ("striptags", text::strip_tags),
    ("sum", sequence::sum),
    ("title", text::title),
    ("tojson", json::tojson),
    ("trim", text::trim),
    ("truncate", text::truncate),
    ("unique", lazy::unique),
    ("upper", text::upper),
    ("urlencode", html::urlencode),
    ("urlize", urlize::urlize),
    ("wordcount", text::wordcount),
    ("wordwrap", wrap::wordwrap),
    ("xmlattr", html::xmlattr),
];

/// All of them, made once in each thread.
pub(crate) fn table() -> Rc<Table> {
    thread_local! {
        static TABLE: Rc<Table> = Rc::new(ALL.iter().copied().collect());
    }
    TABLE.with(Rc::clone)
}
