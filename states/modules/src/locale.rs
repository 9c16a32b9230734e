//! States of the machine's language, and of languages that it knows.

use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Value, map};

state_module! {
    "locale": present, system
}

fn one(name: &Value) -> Args {
    Args::positional([name.clone()])
}

fn set(cx: &Cx, name: &Value) -> Result<Outcome> {
    let locale = python_str(name);
    let name = name.clone();
    if cx.call("locale.get_locale", Args::none())? == name {
        return Ok(Outcome::ok(name, format!("System locale {locale} already set")));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("System locale {locale} needs to be set")));
    }
    if cx.call("locale.set_locale", one(&name))?.truthy() {
        let changes = map! { "locale" => name.clone() };
        return Ok(Outcome::ok(name, format!("Set system locale {locale}")).with_changes(changes));
    }
    Ok(Outcome::failed(name, format!("Failed to set system locale to {locale}")))
}

/// The locale of the machine is this.
///
/// name: the locale
#[exec]
fn system(cx: &Cx, name: Value) -> Result<Outcome> {
    match set(cx, &name) {
        Err(e) if e.is_execution() => {
            Ok(Outcome::failed(name, format!("Failed to set system locale: {}", e.text())))
        }
        other => other,
    }
}

/// The machine knows this locale.
///
/// name: the locale
#[exec]
fn present(cx: &Cx, name: Value) -> Result<Outcome> {
    let locale = python_str(&name);
    if cx.call("locale.avail", one(&name))?.truthy() {
        return Ok(Outcome::ok(name, format!("Locale {locale} is already present")));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("Locale {locale} needs to be generated")));
    }
    if cx.call("locale.gen_locale", one(&name))?.truthy() {
        let changes = map! { "locale" => name.clone() };
        return Ok(Outcome::ok(name, format!("Generated locale {locale}")).with_changes(changes));
    }
    Ok(Outcome::failed(name, format!("Failed to generate locale {locale}")))
}
