//! The serializers of stock (`salt.serializers`): values to text or bytes and back, with their options and error texts.
//!
//! `toml` is not here, as stock's packages come without the library that its serializer needs.

mod configparser;
mod json;
mod keyvalue;
mod msgpack;
mod options;
mod plist;
mod python;
mod yaml;
mod yamlex;

use brine_python::{Kind, Obj, PyErr, R};
use options::Options;

type Function = fn(&Obj, &mut Options) -> R;

/// One serializer.
pub struct Serializer {
    /// Its name.
    pub name: &'static str,
    serialize: Function,
    deserialize: Option<Function>,
}

impl Serializer {
    /// A value as text, or as bytes for `msgpack` and `plist`. `options` is a dict of keyword arguments.
    ///
    /// # Errors
    /// `SerializationError` with the text of what went wrong; `Limit`. The `python` serializer lets errors through.
    pub fn serialize(&self, value: &Obj, options: &Obj) -> R {
        let out = (self.serialize)(value, &mut Options::of(options)?);
        if self.name == "python" { out } else { out.map_err(|e| wrap("SerializationError", &e)) }
    }

    /// The value of text or bytes.
    ///
    /// # Errors
    /// `DeserializationError` with the text of what went wrong; `Limit`; `AttributeError` where there is no way back.
    pub fn deserialize(&self, text: &Obj, options: &Obj) -> R {
        let Some(deserialize) = self.deserialize else {
            let name = self.name;
            let e = format!("module 'salt.serializers.{name}' has no attribute 'deserialize'");
            return Err(PyErr::new(Kind::AttributeError, e));
        };
        deserialize(text, &mut Options::of(options)?).map_err(|e| wrap("DeserializationError", &e))
    }

    /// Whether it can read, too.
    pub fn reads(&self) -> bool {
        self.deserialize.is_some()
    }
}

/// All, by name.
pub const SERIALIZERS: &[Serializer] = &[
    Serializer {
        name: "configparser",
        serialize: configparser::serialize,
        deserialize: Some(configparser::deserialize),
    },
    Serializer { name: "json", serialize: json::serialize, deserialize: Some(json::deserialize) },
    Serializer { name: "keyvalue", serialize: keyvalue::serialize, deserialize: Some(keyvalue::deserialize) },
    Serializer { name: "msgpack", serialize: msgpack::serialize, deserialize: Some(msgpack::deserialize) },
    Serializer { name: "plist", serialize: plist::serialize, deserialize: Some(plist::deserialize) },
    Serializer { name: "python", serialize: python::serialize, deserialize: None },
    Serializer { name: "yaml", serialize: yaml::serialize, deserialize: Some(yaml::deserialize) },
    Serializer { name: "yamlex", serialize: yamlex::serialize, deserialize: Some(yamlex::deserialize) },
];

/// A serializer by its name.
pub fn find(name: &str) -> Option<&'static Serializer> {
    SERIALIZERS.iter().find(|serializer| serializer.name == name)
}

/// [`Serializer::serialize`] of a named one.
///
/// # Errors
/// `KeyError` for a name that there is not; else as there.
pub fn serialize(name: &str, value: &Obj, options: &Obj) -> R {
    find(name).ok_or_else(|| PyErr::key(&name.into()))?.serialize(value, options)
}

/// [`Serializer::deserialize`] of a named one.
///
/// # Errors
/// `KeyError` for a name that there is not; else as there.
pub fn deserialize(name: &str, text: &Obj, options: &Obj) -> R {
    find(name).ok_or_else(|| PyErr::key(&name.into()))?.deserialize(text, options)
}

/// What stock raises for an error within. A limit stays one.
fn wrap(class: &'static str, e: &PyErr) -> PyErr {
    if e.kind() == Kind::Limit {
        return e.clone();
    }
    PyErr::new(Kind::Other(class), e.to_string())
}

/// The text of a `str`, or of bytes in UTF-8.
fn text_of(value: &Obj) -> R<Option<Obj>> {
    match value {
        Obj::Bytes(_) => {
            brine_python::call_method(value, "decode", &brine_python::Args::of(["utf-8".into()])).map(Some)
        }
        _ if value.as_str().is_some() => Ok(Some(value.clone())),
        _ => Ok(None),
    }
}

/// Python's `x.__class__.__name__`.
fn class(obj: &Obj) -> &str {
    let name = obj.type_name();
    name.rsplit('.').next().unwrap_or(name)
}

/// Python's `str(type(x))`.
fn shown_class(obj: &Obj) -> String {
    match obj {
        Obj::Other(o) if o.module() != "builtins" => format!("<class '{}.{}'>", o.module(), o.type_name()),
        _ => format!("<class '{}'>", obj.type_name()),
    }
}
