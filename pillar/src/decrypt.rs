//! Values of pillar that are decrypted when all the rest is done (`decrypt_pillar`).

use crate::compile::Compiler;
use brine_core::Value;
use brine_core::target::DEFAULT_TARGET_DELIM;
use brine_core::text::python_str;
use brine_python::{Dict, Kind, Obj, PyErr, R};
use brine_render::renderer::{Data, run_one};

impl Compiler {
    /// Decrypts what the options name, in place; the errors as texts.
    pub(crate) fn decrypt(&self, pillar: &Obj) -> Vec<String> {
        let Some(option) = self.cx.opts.get("decrypt_pillar").filter(|option| option.truthy()) else {
            return Vec::new();
        };
        let Some(named) = named(option) else {
            return vec!["decrypt_pillar config option is malformed".into()];
        };
        let mut errors = Vec::new();
        for (name, renderer) in named {
            if let Err(e) = self.decrypt_one(pillar, &name, renderer) {
                let text = format!("Failed to decrypt pillar key '{name}': {e}");
                tracing::error!("{text}");
                errors.push(text);
            }
        }
        errors
    }

    fn decrypt_one(&self, pillar: &Obj, name: &str, renderer: Option<&Value>) -> R<()> {
        let delimiter = match self.cx.opts.str("decrypt_pillar_delimiter") {
            "" => DEFAULT_TARGET_DELIM,
            given => given,
        };
        let mut path: Vec<&str> = name.split(delimiter).collect();
        let Some(child) = path.pop() else { return Ok(()) };
        let parent = path.into_iter().try_fold(pillar.clone(), |at, key| inside(&at, key));
        let found = parent.and_then(|parent| Some((inside(&parent, child)?, parent)));
        let Some((value, Obj::Dict(parent))) = found.filter(|(value, _)| !matches!(value, Obj::None)) else {
            tracing::debug!("Pillar key {name} not present");
            return Ok(());
        };
        let decrypted = self.decrypted(value, renderer.filter(|r| r.truthy()))?;
        parent.set_str(child, decrypted);
        Ok(())
    }

    fn decrypted(&self, value: Obj, renderer: Option<&Value>) -> R {
        let renderer = renderer.or_else(|| self.cx.opts.get("decrypt_pillar_default"));
        let renderer = renderer.map(python_str).unwrap_or_default();
        let invalid = |text: String| PyErr::new(Kind::Other("salt.exceptions.SaltInvocationError"), text);
        let allowed = self.cx.opts.get("decrypt_pillar_renderers").filter(|allowed| allowed.truthy());
        let allowed: Option<Vec<String>> =
            allowed.and_then(Value::as_list).map(|list| list.iter().map(python_str).collect());
        if let Some(allowed) = allowed.filter(|allowed| !allowed.contains(&renderer)) {
            return Err(invalid(format!(
                "'{renderer}' is not a valid decryption renderer. Valid choices are: {}",
                allowed.join(", ")
            )));
        }
        let keywords = vec![("translate_newlines".into(), Obj::Bool(false))];
        match run_one(&self.session, &renderer, Data::Value(value), keywords) {
            Ok(rendered) => Ok(rendered.data.into_value()),
            Err(e) if e.kind() == Kind::KeyError && e.to_string().contains(&renderer) => {
                Err(invalid(format!("Decryption renderer '{renderer}' is not available")))
            }
            Err(e) => Err(e),
        }
    }
}

fn inside(at: &Obj, key: &str) -> Option<Obj> {
    match at {
        Obj::Dict(dict) => dict_get(dict, key),
        _ => None,
    }
}

fn dict_get(dict: &Dict, key: &str) -> Option<Obj> {
    dict.get_str(key)
}

/// The paths that the option names, each with its renderer if it has one; None where the option is malformed.
fn named(option: &Value) -> Option<Vec<(String, Option<&Value>)>> {
    match option {
        Value::Map(map) => {
            Some(map.iter().map(|(name, renderer)| (python_str(name), Some(renderer))).collect())
        }
        Value::List(list) => list
            .iter()
            .map(|item| match item {
                Value::Map(map) if map.len() == 1 => {
                    map.iter().next().map(|(name, renderer)| (python_str(name), Some(renderer)))
                }
                Value::Str(name) => Some((name.clone(), None)),
                Value::Int(number) => Some((number.to_string(), None)),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}
