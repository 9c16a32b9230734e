//! What of a user that is there is not as wished.

use super::{Wish, about};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;

fn group_to_gid(cx: &Cx, group: &Value) -> Result {
    cx.call("file.group_to_gid", Args::positional([group.clone()]))
}

fn gid_to_group(cx: &Cx, gid: &Value) -> Result<String> {
    Ok(python_str(&cx.call("file.gid_to_group", Args::positional([gid.clone()]))?))
}

/// Groups of a user that share their number with others of its groups.
struct Twins(Vec<(Value, String)>);

impl Twins {
    fn of(cx: &Cx, groups: &[String]) -> Result<Self> {
        let mut all = Vec::with_capacity(groups.len());
        for group in groups {
            all.push((group_to_gid(cx, &group.as_str().into())?, group.clone()));
        }
        let shared = |gid: &Value| all.iter().filter(|(other, _)| other == gid).count() > 1;
        Ok(Self(all.iter().filter(|(gid, _)| shared(gid)).cloned().collect()))
    }

    /// The group under all its names.
    fn names(&self, group: &str) -> Vec<&str> {
        match self.0.iter().find(|(_, name)| name == group) {
            Some((gid, _)) => self.0.iter().filter(|(other, _)| other == gid).map(|(_, name)| &**name).collect(),
            None => vec![],
        }
    }

    fn take(&self, groups: &mut Vec<String>, group: &str) {
        let names = self.names(group);
        groups.retain(|name| name != group && !names.contains(&name.as_str()));
    }
}

/// Whether the groups differ, but for one group under two names.
fn groups_differ(cx: &Cx, now: &[String], wanted: &[String], remove: bool) -> Result<bool> {
    let now: BTreeSet<&String> = now.iter().collect();
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    if now == wanted || (!remove && wanted.is_subset(&now)) {
        return Ok(false);
    }
    let mut gids = Vec::new();
    for group in now.union(&wanted) {
        let info = about(cx, "group.info", &Value::from(*group))?;
        let gid = info.get("gid").cloned().ok_or_else(|| CallError::exception("KeyError", "'gid'"))?;
        gids.push((*group, gid));
    }
    let is_twin = |group: &String| {
        let gid = gids.iter().find(|(name, _)| *name == group).map(|(_, gid)| gid);
        gids.iter().any(|(name, other)| *name != group && Some(other) == gid)
    };
    let differ: Vec<&&String> = match remove {
        true => wanted.symmetric_difference(&now).collect(),
        false => wanted.difference(&now).collect(),
    };
    Ok(differ.into_iter().any(|group| !is_twin(group)))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_list).unwrap_or_default().iter().map(python_str).collect()
}

fn sorted(groups: impl IntoIterator<Item = String>) -> Vec<String> {
    groups.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// What differs, by stock's names; `None`: there is no such user.
pub(super) fn find(cx: &Cx, wish: &Wish) -> Result<Option<Map>> {
    let name = &wish.name;
    let shadow = about(cx, "shadow.info", name)?;
    let user = about(cx, "user.info", name)?;
    if user.is_empty() {
        return Ok(None);
    }
    let mut change = Map::new();
    let mut groups = texts(user.get("groups"));
    let twins = Twins::of(cx, &groups)?;
    let asked = [&wish.groups, &wish.optional_groups];
    let mut wanted = sorted(asked.into_iter().flatten().flatten().map(python_str));
    if !wish.remove_groups || wish.groups.is_none() && wish.optional_groups.as_ref().is_none_or(Vec::is_empty) {
        wanted = sorted(wanted.into_iter().chain(groups.iter().cloned()));
    }
    let now = |key: &str| user.get(key).cloned().unwrap_or_default();
    if wish.uid.truthy() && now("uid") != wish.uid {
        change.insert("uid", wish.uid.clone());
    }
    if !wish.gid.is_nil() && now("gid") != wish.gid && now("gid") != group_to_gid(cx, &wish.gid)? {
        change.insert("gid", wish.gid.clone());
    }
    let old_primary = gid_to_group(cx, &now("gid"))?;
    let primary = if wish.gid.is_nil() { old_primary.clone() } else { gid_to_group(cx, &wish.gid)? };
    // The primary group is one of the user's anyway.
    twins.take(&mut groups, &primary);
    twins.take(&mut wanted, &primary);
    // One that was the primary group and becomes a further one is a change.
    if old_primary != primary {
        twins.take(&mut groups, &old_primary);
    }
    let own = python_str(name);
    if groups.contains(&own) && !wanted.contains(&own) {
        twins.take(&mut groups, &own);
    }
    if groups_differ(cx, &groups, &wanted, wish.remove_groups)? && (!wanted.is_empty() || wish.remove_groups) {
        change.insert("groups", wanted);
    }
    if wish.home.truthy() && now("home") != wish.home {
        change.insert("home", wish.home.clone());
    }
    if wish.createhome {
        let home = if wish.home.truthy() { wish.home.clone() } else { now("home") };
        if !Path::new(&python_str(&home)).is_dir() {
            change.insert("homeDoesNotExist", home);
        }
    }
    if wish.shell.truthy() && now("shell") != wish.shell {
        change.insert("shell", wish.shell.clone());
    }
    in_shadow(cx, wish, &shadow, &mut change)?;
    for (key, value) in &wish.gecos {
        if !value.is_nil() && now(key) != *value {
            change.insert(*key, value.clone());
        }
    }
    refused(wish, &user, &change)?;
    Ok(Some(change))
}

/// What differs of the password and its days.
fn in_shadow(cx: &Cx, wish: &Wish, shadow: &Map, change: &mut Map) -> Result<()> {
    let now = |key: &str| shadow.get(key).cloned().unwrap_or_default();
    let passwd = now("passwd");
    if wish.password.truthy() && !wish.empty_password {
        let default = cx.call("shadow.default_hash", Args::none())?;
        if (passwd == default || wish.enforce_password) && passwd != wish.password {
            change.insert("passwd", wish.password.clone());
        }
    }
    if wish.empty_password && passwd.as_str() != Some("") {
        change.insert("empty_password", true);
    }
    if !wish.date.is_nil() && now("lstchg") != wish.date {
        change.insert("date", wish.date.clone());
    }
    for (key, value) in &wish.days {
        if !value.is_nil() && now(key.strip_suffix("days").unwrap_or(key)) != *value {
            change.insert(*key, value.clone());
        }
    }
    if wish.expire.truthy() && now("expire") != wish.expire {
        change.insert("expire", wish.expire.clone());
    }
    let locked = passwd.as_str().is_some_and(|passwd| passwd.starts_with('!'));
    let lock = &wish.password_lock;
    if (lock.truthy() && !locked) || (*lock == Value::Bool(false) && locked) {
        change.insert("password_lock", lock.clone());
    }
    Ok(())
}

/// Numbers are changed only where that is allowed: files keep the old ones.
fn refused(wish: &Wish, user: &Map, change: &Map) -> Result<()> {
    let mut lines = Vec::new();
    for (key, allowed, wanted) in
        [("uid", wish.allow_uid_change, &wish.uid), ("gid", wish.allow_gid_change, &wish.gid)]
    {
        if !allowed && change.contains(key) {
            let now = user.get(key).map(python_str).unwrap_or_default();
            lines.push(format!(
                "- Changing {key} ({now} -> {}) not permitted, set allow_{key}_change to True to force this change. Note \
                 that this will not change file ownership.",
                python_str(wanted)
            ));
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    Err(CallError::execution(format!(
        "Encountered error checking for needed changes. Additional info follows:\n\n{}",
        lines.join("\n")
    )))
}
