//! The `group` execution module, as far as it only looks: groups of this machine.

use crate::file::passwd;
use brine_core::call::{Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

module! { "group": getent, info }

/// Where a job keeps all groups once it has asked for them.
const KEPT: &str = "group.getent";

fn shown(fields: &[String]) -> Option<Map> {
    let [name, passwd, gid, members, ..] = fields else { return None };
    let members: Vec<&str> = members.split(',').filter(|member| !member.is_empty()).collect();
    let gid = gid.parse::<i64>().map_or_else(|_| Value::from(gid.as_str()), Value::from);
    Some(map! {"name" => &**name, "passwd" => &**passwd, "gid" => gid, "members" => members})
}

/// What is known of a group; nothing if there is none of the name. `root` is the directory of another system.
///
/// CLI Example: salt '*' group.info foo
#[exec]
fn info(cx: &Cx, name: Value, root: Option<String>) -> Result<Map> {
    let name = python_str(&name);
    let lines = match &root {
        Some(root) => passwd::file(root, "group")?,
        None => passwd::entry(cx, "group", &name)?,
    };
    let found = lines.iter().find(|fields| fields.first() == Some(&name));
    Ok(found.and_then(|fields| shown(fields)).unwrap_or_default())
}

/// What is known of all groups. Asked for once in a job, unless `refresh` is set.
///
/// CLI Example: salt '*' group.getent
#[exec]
fn getent(cx: &Cx, #[default(false)] refresh: bool, root: Option<String>) -> Result {
    if let (Some(kept), false) = (cx.job.context(KEPT), refresh) {
        return Ok(kept);
    }
    let lines = match &root {
        Some(root) => passwd::file(root, "group")?,
        None => passwd::all(cx, "group")?,
    };
    let groups: Vec<Value> = lines.iter().filter_map(|fields| shown(fields)).map(Value::Map).collect();
    cx.job.set_context(KEPT, groups.clone());
    Ok(groups.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_group() {
        let line = ["adm", "x", "4", "syslog,ubuntu"].map(str::to_owned);
        let want = map! {"name" => "adm", "passwd" => "x", "gid" => 4, "members" => vec!["syslog", "ubuntu"]};
        assert_eq!(shown(&line), Some(want));
        assert_eq!(shown(&line[..3]), None);
        let none = ["adm", "x", "4", ""].map(str::to_owned);
        assert_eq!(shown(&none).unwrap().get("members"), Some(&Value::List(Vec::new())));
    }
}
