//! The groups of a user, by the machine's own file for those whose number is in it and by what else it asks for others.

use crate::file::passwd;
use brine_core::call::{CallError, Result};
use nix::unistd::{Gid, Group, User, getgrouplist};
use std::collections::BTreeSet;
use std::ffi::CString;

fn failed(errno: nix::Error) -> CallError {
    std::io::Error::from(errno).into()
}

/// Numbers from here on are not the machine's own (`nogroup` and kin).
const FOREIGN: u32 = 65000;

/// A line of the file of groups: name, number, members.
pub(super) struct Line {
    name: String,
    gid: u32,
    members: Vec<String>,
}

pub(super) fn lines() -> Result<Vec<Line>> {
    let all = passwd::file("/", "group")?;
    let line = |fields: Vec<String>| {
        let [name, _, gid, members, ..] = &fields[..] else { return None };
        let members = members.split(',').map(|member| member.trim().to_owned()).collect();
        Some(Line { name: name.clone(), gid: gid.parse().ok()?, members })
    };
    Ok(all.into_iter().filter_map(line).collect())
}

/// The groups of a user by name, the primary one among them. Where two have one number, both are named. Of one who is
/// not there, the groups that name them as a member.
pub(crate) fn groups(user: &str) -> Result<Vec<String>> {
    among(&lines()?, user)
}

/// The same, for one who has read the file.
pub(super) fn among(local: &[Line], user: &str) -> Result<Vec<String>> {
    let Some(entry) = User::from_name(user).map_err(failed)? else {
        let named = local.iter().filter(|line| line.members.iter().any(|member| member == user));
        return Ok(named.map(|line| line.name.clone()).collect::<BTreeSet<_>>().into_iter().collect());
    };
    let name = CString::new(user).map_err(|_| CallError::exception("ValueError", "embedded null byte"))?;
    let gids = getgrouplist(&name, entry.gid).map_err(failed)?;
    let highest = local.iter().map(|line| line.gid).filter(|gid| *gid < FOREIGN).max();
    let own = |gid: &Gid| highest.is_some_and(|highest| gid.as_raw() <= highest);
    let mut names = BTreeSet::new();
    for gid in &gids {
        if own(gid) {
            names.extend(local.iter().filter(|line| line.gid == gid.as_raw()).map(|line| line.name.clone()));
        } else {
            names.extend(Group::from_gid(*gid).map_err(failed)?.map(|group| group.name));
        }
    }
    Ok(names.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_in_its_group_and_nobody_in_none() {
        assert!(groups("root").unwrap().contains(&"root".to_owned()));
        assert!(groups("no-such-user").unwrap().is_empty());
    }
}
