//! Which attributes with two underscores a value has in Python. Here they are only names: what closes them wants to say so.

use crate::obj::Obj;

/// Those of every object.
const OBJECT: &str = "class delattr dir doc eq format ge getattribute getstate gt hash init init_subclass le lt ne new \
reduce reduce_ex repr setattr sizeof str subclasshook";

const INT: &str = "abs add and bool ceil divmod float floor floordiv getnewargs index int invert lshift mod mul neg or pos \
pow radd rand rdivmod rfloordiv rlshift rmod rmul ror round rpow rrshift rshift rsub rtruediv rxor sub truediv trunc xor";

const FLOAT: &str = "abs add bool ceil divmod float floor floordiv getformat getnewargs int mod mul neg pos pow radd rdivmod \
rfloordiv rmod rmul round rpow rsub rtruediv sub truediv trunc";

const TEXT: &str = "add contains getitem getnewargs iter len mod mul rmod rmul";

const SET: &str = "and class_getitem contains iter len or rand ror rsub rxor sub xor";

/// What a type has beside.
fn of(obj: &Obj) -> &'static [&'static str] {
    match obj {
        Obj::None => &["bool"],
        Obj::Bool(_) | Obj::Int(_) | Obj::Big(_) => &[INT],
        Obj::Float(_) => &[FLOAT],
        Obj::Str(_) => &[TEXT],
        Obj::Bytes(_) => &[TEXT, "bytes"],
        Obj::List(_) => {
            &["add class_getitem contains delitem getitem iadd imul iter len mul reversed rmul setitem"]
        }
        Obj::Tuple(_) => &["add class_getitem contains getitem getnewargs iter len mul rmul"],
        Obj::Dict(dict) => {
            const DICT: &str = "class_getitem contains delitem getitem ior iter len or reversed ror setitem";
            if dict.is_ordered() { &[DICT, "dict"] } else { &[DICT] }
        }
        Obj::Set(set) if set.frozen() => &[SET],
        Obj::Set(_) => &[SET, "iand ior isub ixor"],
        Obj::Range(_) => &["bool contains getitem iter len reversed"],
        Obj::View(view) if view.is_values() => &["iter len reversed"],
        Obj::View(_) => &["and contains iter len or rand reversed ror rsub rxor sub xor"],
        Obj::Iter(_) if obj.type_name() == "generator" => &["del iter name next qualname"],
        Obj::Iter(_) => &["iter next"],
        Obj::Date(_) | Obj::DateTime(_) => &["add radd rsub sub"],
        Obj::Time(_) => &[],
        Obj::Delta(_) => &[
            "abs add bool divmod floordiv mod mul neg pos radd rdivmod rfloordiv rmod rmul rsub rtruediv sub truediv",
        ],
        Obj::Zone(_) => &["getinitargs"],
        Obj::Other(o) => match o.type_name() {
            "function" => &[
                "annotations builtins call closure code defaults dict get globals kwdefaults module name qualname wrapped",
            ],
            "method" => &["call func get self"],
            "builtin_function_or_method" => &["call module name qualname self text_signature"],
            "type" => &[
                "abstractmethods annotations base bases basicsize call dict dictoffset flags instancecheck itemsize \
                module mro name or prepare qualname ror subclasscheck subclasses text_signature weakrefoffset",
            ],
            _ if o.as_str().is_some() => &[TEXT, "html html_format module radd slots"],
            // What is undefined answers to all operators.
            _ if o.subscriptable() && o.callable() => &[
                "add bool call complex float floordiv getattr getitem int iter len mod module mul neg pos pow radd \
                 rfloordiv rmod rmul rpow rsub rtruediv slots sub truediv",
            ],
            _ => &["dict module weakref"],
        },
    }
}

/// Whether a value has an attribute of this name in Python, if the name is one of those with two underscores around.
pub fn has_special(obj: &Obj, name: &str) -> bool {
    let Some(name) = name.strip_prefix("__").and_then(|name| name.strip_suffix("__")) else { return false };
    !name.is_empty()
        && of(obj).iter().chain([&OBJECT]).any(|names| names.split_ascii_whitespace().any(|own| own == name))
}
