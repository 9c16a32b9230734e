//! A user that is not there is made, and its password and days are set.

use super::{REDACTED, Wish, about, set};
use brine_core::Value;
use brine_core::call::{Args, Cx, Result};
use brine_core::state::Outcome;
use brine_core::text::python_str;

/// Adds the user. What fails afterwards is said of a user that was created.
pub(super) fn new(cx: &Cx, wish: &Wish) -> Result<Outcome> {
    let name = &wish.name;
    let shown = python_str(name);
    let optional = wish.optional_groups.clone().filter(|groups| !groups.is_empty());
    let groups = match (wish.groups.clone(), optional) {
        (Some(groups), Some(optional)) if !groups.is_empty() => Some([groups, optional].concat()),
        (_, Some(optional)) => Some(optional),
        (groups, None) => groups,
    };
    let mut args = Args::none().with("name", name.clone());
    for (key, value) in [
        ("uid", &wish.uid),
        ("gid", &wish.gid),
        ("groups", &Value::from(groups)),
        ("home", &wish.home),
        ("shell", &wish.shell),
        ("unique", &wish.unique),
        ("system", &wish.system),
        ("createhome", &wish.createhome.into()),
        ("nologinit", &wish.nologinit),
        ("loginclass", &wish.loginclass),
        ("usergroup", &wish.usergroup),
    ] {
        args = args.with(key, value.clone());
    }
    for (key, value) in &wish.gecos {
        args = args.with(key, value.clone());
    }
    if cx.call("user.add", args)? != Value::Bool(true) {
        return Ok(Outcome::failed(name.clone(), format!("Failed to create new user {shown}")));
    }
    let mut changes = about(cx, "user.info", name)?;
    if !wish.createhome {
        changes.insert("home", "");
    }
    let mut outcome = Outcome::ok(name.clone(), format!("New user {shown} created"));
    let mut failed = |what: String| {
        outcome.comment = format!("User {shown} created but failed to {what}").into();
        outcome.result = Some(false);
    };
    let now = |key: &str| -> Result { Ok(about(cx, "shadow.info", name)?.get(key).cloned().unwrap_or_default()) };
    if wish.password.truthy() && !wish.empty_password {
        set(cx, "shadow.set_password", name, &wish.password)?;
        if now("passwd")? != wish.password {
            failed(format!("set password to {REDACTED}"));
        }
        changes.insert("password", REDACTED);
    }
    if wish.empty_password && !wish.password.truthy() {
        cx.call("shadow.del_password", Args::positional([name.clone()]))?;
        if now("passwd")?.as_str() != Some("") {
            failed("empty password".into());
        }
        changes.insert("password", "");
    }
    let mut day = |key: &str, field: &str, what: &str, value: &Value, asked: bool| -> Result<()> {
        if asked {
            set(cx, &format!("shadow.set_{key}"), name, value)?;
            if now(field)? != *value {
                failed(format!("set {what} to {}", python_str(value)));
            }
            changes.insert(key, value.clone());
        }
        Ok(())
    };
    day("date", "lstchg", "last change date", &wish.date, !wish.date.is_nil())?;
    let words = ["minimum days", "maximum days", "inactive days", "warn days"];
    for ((key, value), what) in wish.days.iter().zip(words) {
        day(key, key.strip_suffix("days").unwrap_or(key), what, value, value.truthy())?;
    }
    day("expire", "expire", "expire days", &wish.expire, wish.expire.truthy())?;
    Ok(outcome.with_changes(changes))
}
