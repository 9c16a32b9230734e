//! Assigns, and unpacks what is assigned to several names.

use super::code::To;
use super::exec::Exec;
use crate::undefined::RUNTIME_ERROR;
use brine_python::{Kind, Obj, PyErr, R};

impl Exec {
    pub(super) fn check_namespaces(&self, to: &To) -> R<()> {
        match to {
            To::Place(_) => Ok(()),
            To::Attr(place, ..) => match self.act.get(*place) {
                Some(value) if crate::globals::is_namespace(&value) => Ok(()),
                _ => Err(PyErr::new(RUNTIME_ERROR, "cannot assign attribute on non-namespace object")),
            },
            To::Tuple(items) => items.iter().try_for_each(|i| self.check_namespaces(i)),
        }
    }

    /// Assigns, unpacking as Python does.
    pub(super) fn assign(&self, to: &To, value: Obj) -> R<()> {
        match to {
            To::Place(slot) => self.act.set(*slot, Some(value)),
            To::Attr(place, attr) => {
                let namespace = self.act.get(*place).unwrap_or_default();
                brine_python::setattr(&namespace, attr, value)?;
            }
            To::Tuple(items) => {
                let values = unpack(&value, items.len())?;
                for (to, value) in items.iter().zip(values) {
                    self.assign(to, value)?;
                }
            }
        }
        Ok(())
    }
}

/// As many values as there are targets.
fn unpack(value: &Obj, wanted: usize) -> R<Vec<Obj>> {
    if let Some(items) = value.sequence() {
        return match items.len() {
            n if n == wanted => Ok(items),
            n if n < wanted => Err(too_few(wanted, n)),
            _ => Err(too_many(wanted)),
        };
    }
    let iter = value.iter().map_err(|e| match e.kind() {
        Kind::TypeError => PyErr::ty(format!("cannot unpack non-iterable {} object", value.type_name())),
        _ => e,
    })?;
    let mut items = Vec::with_capacity(wanted);
    while items.len() < wanted {
        match iter.next()? {
            Some(item) => items.push(item),
            None => return Err(too_few(wanted, items.len())),
        }
    }
    if iter.next()?.is_some() { Err(too_many(wanted)) } else { Ok(items) }
}

fn too_few(wanted: usize, got: usize) -> PyErr {
    PyErr::value(format!("not enough values to unpack (expected {wanted}, got {got})"))
}

fn too_many(wanted: usize) -> PyErr {
    PyErr::value(format!("too many values to unpack (expected {wanted})"))
}
