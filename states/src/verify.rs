//! What may be wrong with merged top files.

use brine_python::{Dict, Obj, R, repr, str, truth};

/// The faults, in stock's words; none if all is well.
pub(crate) fn verify(top: &Dict) -> R<Vec<String>> {
    let mut errors = Vec::new();
    for (saltenv, targets) in top.pairs() {
        let env = str(&saltenv)?;
        match saltenv.as_str() {
            None => errors.push(format!("Environment {env} in top file is not formed as a string")),
            Some("") => errors.push("Empty saltenv statement in top file".into()),
            Some(_) => {}
        }
        let Obj::Dict(targets) = targets else { continue };
        for (target, data) in targets.pairs() {
            let Obj::List(items) = &data else {
                errors.push(format!(
                    "Malformed topfile: state declarations for matcher {} in saltenv {} are not formed as a list (got {})",
                    repr(&target)?,
                    repr(&saltenv)?,
                    data.type_name().rsplit('.').next().unwrap_or_default()
                ));
                continue;
            };
            for item in items.borrow().iter() {
                match item {
                    Obj::Dict(options) => {
                        for (_, value) in options.pairs() {
                            if !truth(&value)? {
                                errors.push(format!(
                                    "Improperly formatted top file matcher in saltenv {}: {} file",
                                    str(item)?,
                                    str(&value)?
                                ));
                            }
                        }
                    }
                    item if item.as_str() == Some("") => {
                        errors.push(format!("Environment {env} contains an empty sls index"));
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(errors)
}
