//! `nacl`: every text `NACL[...]`, wherever it stands in the data, is opened with the key of the configuration.

use super::{Call, Data, Renderer};
use crate::nacl::{Config, dec};
use brine_python::{Obj, PyErr, R};

pub(super) const RENDERER: Renderer = Renderer { name: "nacl", run };

/// Arguments of the compilation that choose a key.
const CHOICES: [&str; 8] = ["box_type", "sk", "sk_file", "pk", "pk_file", "key", "keyfile", "opts"];

fn run(call: &Call<'_>, data: Data) -> R<Data> {
    let mut config = Config::of(&call.session.cx.opts);
    for name in CHOICES {
        if let Some(value) = call.kwarg(name) {
            config.set(name, &brine_python::str(value)?);
        }
    }
    Ok(Data::Value(object(call, &config, data.into_value(), 0)?))
}

/// A value with everything in it, in place. What was opened is bytes, as in stock.
fn object(call: &Call<'_>, config: &Config, value: Obj, depth: usize) -> R {
    if depth > 300 {
        return Err(PyErr::recursion(""));
    }
    match &value {
        Obj::Dict(dict) => {
            for (key, old) in dict.pairs() {
                let new = object(call, config, old, depth + 1)?;
                dict.set(key, new)?;
            }
        }
        Obj::List(list) => {
            let old = list.borrow().clone();
            for (at, old) in old.into_iter().enumerate() {
                let new = object(call, config, old, depth + 1)?;
                if let Some(place) = list.borrow_mut().get_mut(at) {
                    *place = new;
                }
            }
        }
        other => {
            if let Some(cipher) = other.as_str().and_then(cipher) {
                let clear = dec(config, cipher.as_bytes())?;
                call.decrypted();
                return Ok(Obj::bytes(&clear[..]));
            }
        }
    }
    Ok(value)
}

/// What is in `NACL[...]`, which must be the whole text, on one line.
fn cipher(text: &str) -> Option<&str> {
    let inner = text.strip_suffix('\n').unwrap_or(text).strip_prefix("NACL[")?.strip_suffix(']')?;
    if inner.contains('\n') { None } else { Some(inner) }
}
