//! States of users: `user.present` and `user.absent`. What differs from the wish is found in `user/differences.rs`; a user
//! that is not there is made by `user/make.rs`.

mod differences;
mod make;

use crate::accounts::{about, joined, each};
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

state_module! { "user": absent, present }

/// What stands where a password, or its hash, would.
const REDACTED: &str = "XXX-REDACTED-XXX";

/// The user as the state wants it, under stock's names.
#[derive(Clone)]
struct Wish {
    name: Value,
    uid: Value,
    gid: Value,
    groups: Option<Vec<Value>>,
    optional_groups: Option<Vec<Value>>,
    remove_groups: bool,
    home: Value,
    createhome: bool,
    persist_home: Value,
    password: Value,
    enforce_password: bool,
    empty_password: bool,
    shell: Value,
    unique: Value,
    system: Value,
    /// `fullname`, `roomnumber`, `workphone`, `homephone`, `other`.
    gecos: Vec<(&'static str, Value)>,
    loginclass: Value,
    date: Value,
    /// `mindays`, `maxdays`, `inactdays`, `warndays`.
    days: Vec<(&'static str, Value)>,
    expire: Value,
    nologinit: Value,
    usergroup: Value,
    allow_uid_change: bool,
    allow_gid_change: bool,
    password_lock: Value,
}

fn set(cx: &Cx, function: &str, name: &Value, value: &Value) -> Result {
    cx.call(function, Args::positional([name.clone(), value.clone()]))
}

/// The hash of a password in the clear, with the salt of the one that is set, so that it stays the same.
fn hashed(cx: &Cx, name: &Value, password: Value) -> Result {
    let now = about(cx, "shadow.info", name)?;
    let parts: Vec<&str> = now.get_str("passwd").unwrap_or_default().splitn(5, '$').collect();
    let [_, algorithm, salt, _] = parts[..] else {
        tracing::info!("No existing shadow salt found, defaulting to a randomly generated new one");
        return cx.call("shadow.gen_password", Args::positional([password]));
    };
    let algorithm = match algorithm {
        "1" => {
            tracing::warn!("Using MD5 for hashing passwords is considered insecure!");
            Value::from("md5")
        }
        "2a" => "blowfish".into(),
        "5" => "sha256".into(),
        "6" => "sha512".into(),
        _ => Value::Nil,
    };
    let args = Args::positional([password]).with("crypt_salt", salt).with("algorithm", algorithm);
    cx.call("shadow.gen_password", args)
}

/// See that there is a user, and that it is as wished.
///
/// name: the name. uid, gid: numbers (gid: or a group's name). usergroup: make a group of the same name with it.
/// groups, optional_groups: its groups; the optional ones if they exist. remove_groups: out of all others.
/// home, createhome, persist_home: the home, whether it is made, and whether the old one moves there.
/// password: a hash (with hash_password: the password in the clear). enforce_password: change one that is set.
/// empty_password: no password at all. password_lock: lock or unlock it. shell, fullname, roomnumber, workphone, homephone,
/// other: as in `passwd`. unique, system, nologinit: for a new one. date, mindays, maxdays, inactdays, warndays, expire: as
/// in `shadow`. allow_uid_change, allow_gid_change: change the numbers of one that is there. loginclass and win_*: on other
/// systems.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn present(
    cx: &Cx,
    name: Value,
    uid: Option<Value>,
    gid: Option<Value>,
    usergroup: Option<Value>,
    groups: Option<Value>,
    optional_groups: Option<Value>,
    #[default(true)] remove_groups: bool,
    home: Option<Value>,
    #[default(true)] createhome: bool,
    #[default(false)] persist_home: Value,
    password: Option<Value>,
    #[default(false)] hash_password: bool,
    #[default(true)] enforce_password: bool,
    #[default(false)] empty_password: bool,
    shell: Option<Value>,
    #[default(true)] unique: Value,
    #[default(false)] system: Value,
    fullname: Option<Value>,
    roomnumber: Option<Value>,
    workphone: Option<Value>,
    homephone: Option<Value>,
    other: Option<Value>,
    loginclass: Option<Value>,
    date: Option<Value>,
    mindays: Option<Value>,
    maxdays: Option<Value>,
    inactdays: Option<Value>,
    warndays: Option<Value>,
    expire: Option<Value>,
    win_homedrive: Option<Value>,
    win_profile: Option<Value>,
    win_logonscript: Option<Value>,
    win_description: Option<Value>,
    #[default(false)] nologinit: Value,
    #[default(false)] allow_uid_change: bool,
    #[default(false)] allow_gid_change: bool,
    password_lock: Option<Value>,
) -> Result<Outcome> {
    let mut password = Value::from(password);
    if password.truthy() && hash_password {
        tracing::debug!("Hashing a clear text password");
        password = hashed(cx, &name, password)?;
    }
    let text = |value: Option<Value>| value.map_or(Value::Nil, |value| python_str(&value).into());
    let gecos = vec![
        ("fullname", text(fullname)),
        ("roomnumber", text(roomnumber)),
        ("workphone", text(workphone)),
        ("homephone", text(homephone)),
        ("other", text(other)),
    ];
    // A comma would begin the next part.
    for (_, part) in &gecos[..3] {
        if let Some(part) = part.as_str().filter(|part| part.contains(',')) {
            return Ok(Outcome::failed(name, format!("Unsupported char ',' in {part}")));
        }
    }
    for (key, value) in [
        ("homedrive", &win_homedrive),
        ("profile", &win_profile),
        ("logonscript", &win_logonscript),
        ("description", &win_description),
    ] {
        // Where there is a user, stock looks for what only Windows tells of one.
        if value.as_ref().is_some_and(Value::truthy) && !about(cx, "user.info", &name)?.is_empty() {
            return Err(CallError::exception("KeyError", format!("'{key}'")));
        }
    }
    let wish = Wish {
        name: name.clone(),
        uid: uid.into(),
        gid: gid.into(),
        groups: each(groups),
        optional_groups: each(optional_groups),
        remove_groups,
        home: home.into(),
        createhome,
        persist_home,
        password,
        enforce_password,
        empty_password,
        shell: shell.into(),
        unique,
        system,
        gecos,
        loginclass: loginclass.into(),
        date: date.into(),
        days: vec![
            ("mindays", mindays.into()),
            ("maxdays", maxdays.into()),
            ("inactdays", inactdays.into()),
            ("warndays", warndays.into()),
        ],
        expire: expire.into(),
        nologinit,
        usergroup: usergroup.into(),
        allow_uid_change,
        allow_gid_change,
        password_lock: password_lock.into(),
    };
    see_to(cx, wish)
}

/// Those of these groups that are there, and those that are not.
fn known(cx: &Cx, groups: &[Value]) -> Result<(Vec<Value>, Vec<Value>)> {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for group in groups {
        let found = !about(cx, "group.info", group)?.is_empty();
        if found { &mut there } else { &mut missing }.push(group.clone());
    }
    Ok((there, missing))
}

fn see_to(cx: &Cx, mut wish: Wish) -> Result<Outcome> {
    let name = wish.name.clone();
    let shown = python_str(&name);
    let mut pending = Vec::new();
    if let Some(groups) = wish.groups.as_ref().filter(|groups| !groups.is_empty()) {
        let (there, missing) = known(cx, groups)?;
        if !missing.is_empty() && !cx.test {
            let comment = format!("The following group(s) are not present: {}", joined(&missing));
            return Ok(Outcome::failed(name, comment));
        }
        if !missing.is_empty() {
            // Another state may make them before.
            wish.groups = Some(there);
            pending = missing;
        }
    }
    if let Some(optional) = wish.optional_groups.take().filter(|groups| !groups.is_empty()) {
        let (there, missing) = known(cx, &optional)?;
        for group in missing {
            tracing::debug!("Optional group \"{}\" for user \"{shown}\" is not present", python_str(&group));
        }
        for group in optional.iter().filter(|group| wish.groups.as_ref().is_some_and(|all| all.contains(group))) {
            tracing::warn!(
                "Group \"{}\" specified in both groups and optional_groups for user {shown}",
                python_str(group)
            );
        }
        wish.optional_groups = Some(there);
    }
    // With a group of its own, the user gets that as its primary one: a change to show, not one to make.
    let mut first = wish.clone();
    if wish.usergroup.truthy() && set_is_known(cx, &name)? {
        first.gid = name.clone();
    }
    let changes = match differences::find(cx, &first) {
        Err(CallError::Execution(text)) => return Ok(Outcome::failed(name, text)),
        found => found?,
    };
    match changes {
        None if cx.test => {
            let mut comment = format!("User {shown} set to be added");
            if !pending.is_empty() {
                comment += &format!(" (pending groups: {})", joined(&pending));
            }
            Ok(Outcome::would(name, comment))
        }
        None => make::new(cx, &wish),
        Some(changes) if changes.is_empty() => {
            Ok(Outcome::ok(name, format!("User {shown} is present and up to date")))
        }
        Some(changes) if cx.test => {
            let mut comment = "The following user attributes are set to be changed:\n".to_owned();
            for (key, value) in &changes {
                let value = if key.as_str() == Some("passwd") { REDACTED.into() } else { python_str(value) };
                comment += &format!("{}: {value}\n", python_str(key));
            }
            if !pending.is_empty() {
                comment += &format!("groups (pending creation): {}\n", joined(&pending));
            }
            Ok(Outcome::would(name, comment))
        }
        Some(changes) => change(cx, &wish, changes),
    }
}

/// Whether there is a group of the user's name.
fn set_is_known(cx: &Cx, name: &Value) -> Result<bool> {
    Ok(cx.call("file.group_to_gid", Args::positional([name.clone()]))?.as_str() != Some(""))
}

/// Makes the changes to a user that is there.
fn change(cx: &Cx, wish: &Wish, mut changes: Map) -> Result<Outcome> {
    let name = &wish.name;
    let shadow_before = about(cx, "shadow.info", name)?;
    let before = about(cx, "user.info", name)?;
    if changes.remove("passwd").is_some() && !wish.empty_password {
        set(cx, "shadow.set_password", name, &wish.password)?;
    }
    if changes.remove("empty_password") == Some(true.into()) {
        cx.call("shadow.del_password", Args::positional([name.clone()]))?;
    }
    if let Some(lock) = changes.remove("password_lock") {
        let function = if lock.truthy() { "shadow.lock_password" } else { "shadow.unlock_password" };
        cx.call(function, Args::positional([name.clone()]))?;
    }
    if changes.remove("date").is_some() {
        set(cx, "shadow.set_date", name, &wish.date)?;
    }
    let move_home = |home: &Value| {
        let args = Args::positional([name.clone(), home.clone()]).with("persist", wish.persist_home.clone());
        cx.call("user.chhome", args)
    };
    let home = changes.remove("home");
    let missing = changes.remove("homeDoesNotExist");
    if let (Some(home), None) = (&home, &missing) {
        move_home(home)?;
    }
    if let Some(home) = missing {
        move_home(&home)?;
        if !std::path::Path::new(&python_str(&home)).is_dir() {
            let owner = ["uid", "gid"].map(|key| before.get(key).cloned().unwrap_or_default());
            let [uid, gid] = owner;
            cx.call("file.mkdir", Args::positional([home, uid, gid, 0o755.into()]))?;
        }
    }
    for (key, value) in &wish.days {
        if changes.remove(key).is_some() {
            set(cx, &format!("shadow.set_{key}"), name, value)?;
        }
    }
    if changes.remove("expire").is_some() {
        set(cx, "shadow.set_expire", name, &wish.expire)?;
    }
    // The groups come last: what they may be depends on the primary one.
    let groups = changes.remove("groups");
    for (key, value) in &changes {
        let function = format!("user.ch{}", python_str(key));
        if cx.registry.get(&function).is_some() {
            set(cx, &function, name, value)?;
        }
    }
    if let Some(groups) = groups {
        cx.call("user.chgroups", Args::positional([name.clone(), groups, (!wish.remove_groups).into()]))?;
    }
    let mut made = Map::new();
    for (key, value) in about(cx, "user.info", name)? {
        if before.get_key(&key) != Some(&value) {
            made.insert(key, value);
        }
    }
    if shadow_before.get("passwd") != Some(&wish.password) {
        for (key, value) in about(cx, "shadow.info", name)? {
            if shadow_before.get_key(&key) != Some(&value) {
                let secret = key.as_str() == Some("passwd");
                made.insert(key, if secret { REDACTED.into() } else { value });
            }
        }
    }
    let shown = python_str(name);
    let comment = match made.is_empty() {
        true => format!("User {shown} is present and up to date"),
        false => format!("Updated user {shown}"),
    };
    // Numbers that somebody else changes meanwhile are no error of this state.
    let again = Wish { allow_uid_change: true, allow_gid_change: true, ..wish.clone() };
    let outcome = match differences::find(cx, &again)? {
        Some(left) if !left.is_empty() => {
            Outcome::failed(name.clone(), format!("These values could not be changed: {}", python_repr(&left.into())))
        }
        _ => Outcome::ok(name.clone(), comment),
    };
    Ok(outcome.with_changes(made))
}

/// See that there is no user of the name; `purge`: with the home, `force`: even where they are logged in.
#[exec]
fn absent(
    cx: &Cx,
    name: Value,
    #[default(false)] purge: Value,
    #[default(false)] force: Value,
) -> Result<Outcome> {
    let shown = python_str(&name);
    if about(cx, "user.info", &name)?.is_empty() {
        return Ok(Outcome::ok(name, format!("User {shown} is not present")));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("User {shown} set for removal")));
    }
    let groups = each(Some(cx.call("user.list_groups", Args::positional([name.clone()]))?)).unwrap_or_default();
    let before: BTreeSet<String> = groups.iter().map(python_str).collect();
    let done = cx.call("user.delete", Args::positional([name.clone(), purge, force]))?;
    if !done.truthy() {
        return Ok(Outcome::failed(name, format!("Failed to remove user {shown}")));
    }
    let mut changes = Map::new();
    for group in before {
        if about(cx, "group.info", &group.as_str().into())?.is_empty() {
            changes.insert(format!("{group} group"), "removed");
        }
    }
    changes.update(map! { shown.as_str() => "removed" });
    Ok(Outcome::ok(name, format!("Removed user {shown}")).with_changes(changes))
}
