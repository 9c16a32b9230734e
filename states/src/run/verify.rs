//! What is looked at in a chunk before it is run: `verify_data`.

use super::Runner;
use super::words::full_name;
use brine_core::call::{CallError, ParamKind, Result};
use brine_core::target::fnmatch;
use brine_core::text::{python_repr, python_str, python_type};
use brine_core::{Map, Value};
use std::sync::Arc;

impl Runner {
    /// What is wrong with a chunk, in stock's words. It makes a number of `umask`, and of `watch` a `require` where the
    /// states cannot be told of changes.
    ///
    /// # Errors
    /// Where stock's check fails itself.
    pub fn verify(&mut self, low: &mut Arc<Map>) -> Result<Vec<String>> {
        let mut errors = Vec::new();
        for key in ["state", "fun", "name"] {
            if !low.contains(key) {
                errors.push(format!("Missing \"{key}\" data"));
            }
        }
        let Some(name) = low.get("name") else {
            return Err(CallError::exception("KeyError", "'name'"));
        };
        if name.truthy() && name.as_str().is_none() {
            let place = low.get("__sls__").map(|sls| format!("in SLS '{}' ", python_str(sls)));
            errors.push(format!(
                "ID '{}' {}is not formed as a string, but is a {}",
                python_str(name),
                place.unwrap_or_default(),
                python_type(name)
            ));
        }
        if low.contains("umask") {
            let low = Arc::make_mut(low);
            let umask = low.remove("umask").unwrap_or_default();
            match octal(&python_str(&umask)) {
                Some(mask) => drop(low.insert("__umask__", mask)),
                None => errors.push(format!("Invalid umask: {}", python_str(&umask))),
            }
        }
        if !errors.is_empty() {
            return Ok(errors);
        }
        let full = full_name(low);
        match self.function(&full) {
            Ok(function) => {
                for param in function.params.iter().filter(|p| matches!(p.kind, ParamKind::Required)) {
                    if !low.contains(param.name) {
                        errors.push(format!("Missing parameter {} for state {full}", param.name));
                    }
                }
            }
            Err(reason) => match low.get("__sls__") {
                Some(sls) => {
                    errors.push(format!("State '{full}' was not found in SLS '{}'", python_str(sls)));
                    errors.push(format!("Reason: {reason}"));
                }
                None => errors.push(format!("Specified state '{full}' was not found")),
            },
        }
        if self.semantics.is_3008() {
            return Ok(errors);
        }
        let requisite = if low.contains("watch") {
            if self.has(&format!("{}.mod_watch", low.get_str("state").unwrap_or_default())) {
                "watch"
            } else {
                watch_is_require(Arc::make_mut(low), "watch", "require");
                "require"
            }
        } else {
            "require"
        };
        self_required(low, requisite, &mut errors)?;
        Ok(errors)
    }
}

/// Python's `int(text, 8)`.
fn octal(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix("0O")).unwrap_or(text);
    i64::from_str_radix(digits, 8).ok()
}

/// Moves the entries of one requisite to another.
pub(super) fn watch_is_require(low: &mut Map, watch: &str, require: &str) {
    let moved = low.remove(watch).unwrap_or_default();
    match (low.get_mut(require), moved) {
        (Some(Value::List(all)), Value::List(more)) => all.extend(more),
        (Some(_), _) => {}
        (None, moved) => drop(low.insert(require, moved)),
    }
}

/// Finds chunks that require themselves.
fn self_required(low: &Map, requisite: &str, errors: &mut Vec<String>) -> Result<()> {
    let Some(Value::List(entries)) = low.get(requisite) else { return Ok(()) };
    for entry in entries {
        let Value::Map(of) = entry else { continue };
        let Some((state, wanted)) = of.iter().next() else { continue };
        if low.get("state") != Some(state) {
            continue;
        }
        let Some(wanted) = wanted.as_str() else {
            return Err(CallError::exception(
                "TypeError",
                format!("expected str, bytes or os.PathLike object, not {}", python_type(wanted)),
            ));
        };
        let is = |key: &str| low.get_str(key).is_some_and(|own| fnmatch(own, wanted));
        if is("name") || is("__id__") {
            errors.push(format!(
                "Recursive require detected in SLS {} for require {} in ID {}",
                low.get("__sls__").map(python_str).unwrap_or_default(),
                python_repr(entry),
                low.get("__id__").map(python_str).unwrap_or_default(),
            ));
        }
    }
    Ok(())
}
