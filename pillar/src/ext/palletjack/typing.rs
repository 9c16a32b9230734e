//! Values of a warehouse as values of pillar.
//!
//! Pallet Jack writes its texts bare, so that Salt's loader gives them types anew; what Pallet Jack's program itself made, names of
//! pallets above all, it quotes, and so they stay text. Keys are always text.

use super::conf::Typing;
use brine_inventory::{Native, Node, Scalar};
use brine_python::{Dict, Obj};
use brine_render::yaml;

/// A tree with values of these types.
pub(super) fn obj(node: &Node, typing: Typing) -> Obj {
    match node {
        Node::Map(map) => {
            let dict = Dict::new();
            for (key, value) in map.iter() {
                dict.set_str(key, obj(value, typing));
            }
            dict.into()
        }
        Node::List(list) => Obj::list(list.items().iter().map(|item| obj(item, typing)).collect()),
        Node::Scalar(scalar) => value(scalar, typing),
    }
}

fn value(scalar: &Scalar, typing: Typing) -> Obj {
    let text = || Obj::str(scalar.text());
    match typing {
        Typing::Strings => text(),
        Typing::Retyped if scalar.quoted() => text(),
        // What has a form and no value, such as a number that is none, cannot be made by Salt either: it stays text.
        Typing::Retyped => yaml::plain_scalar(scalar.text()).unwrap_or_else(|_| text()),
        Typing::Native => match scalar.native() {
            Native::Null => Obj::None,
            Native::Bool(value) => Obj::Bool(value),
            Native::Int(value) => Obj::Int(value),
            Native::Float(value) => Obj::Float(value),
            Native::Big => brine_python::int(&text(), None).unwrap_or_else(|_| text()),
            Native::Date | Native::Time | Native::Symbol | Native::Str => text(),
        },
    }
}
