//! Who is addressed by a target of each type.

use std::collections::BTreeSet;

use crate::failure::{Result, same};
use crate::fleet::Fleet;

/// Runs `test.ping` on each target and compares who answered.
fn check(fleet: &Fleet, table: &[(&[&str], &[&str])]) -> Result {
    for (target, want) in table {
        let mut words = target.to_vec();
        words.push("test.ping");
        let ran = fleet.salt(&words)?;
        let answered: BTreeSet<String> = ran.json()?.into_iter().map(|(id, _)| id).collect();
        let want: BTreeSet<String> = want.iter().map(|&id| id.to_owned()).collect();
        if answered != want {
            return Err(ran.failure(&format!("target {target:?} reached {answered:?}, want {want:?}")));
        }
    }
    Ok(())
}

/// Globs and lists.
pub fn by_name(fleet: &mut Fleet) -> Result {
    check(
        fleet,
        &[
            (&["*"], &["m1", "m2"]),
            (&["m?"], &["m1", "m2"]),
            (&["[m]1"], &["m1"]),
            (&["m[!1]"], &["m2"]),
            (&["-L", "m1,m2"], &["m1", "m2"]),
            (&["-L", "m2"], &["m2"]),
        ],
    )
}

/// Regular expressions, anchored at the start only.
pub fn by_pcre(fleet: &mut Fleet) -> Result {
    check(
        fleet,
        &[(&["-E", "m[12]"], &["m1", "m2"]), (&["-E", "m"], &["m1", "m2"]), (&["-E", "(?!m1)m.*$"], &["m2"])],
    )
}

/// Grains by glob and by regular expression, nested and in lists.
pub fn by_grain(fleet: &mut Fleet) -> Result {
    check(
        fleet,
        &[
            (&["-G", "role:web"], &["m1"]),
            (&["-G", "role:*"], &["m1", "m2"]),
            (&["-G", "ROLE:web"], &[]),
            (&["-G", "role:WEB"], &["m1"]),
            (&["-G", "rack:row:7"], &["m1", "m2"]),
            (&["-G", "rack:tags:m2"], &["m2"]),
            (&["-G", "rack:tags:blue"], &["m1", "m2"]),
            (&["-G", "--delimiter", "|", "rack|row|7"], &["m1", "m2"]),
            (&["-P", "role:(web|mail)$"], &["m1"]),
            (&["-G", "kernel:Linux"], &["m1", "m2"]),
        ],
    )
}

/// Compound expressions, node groups and addresses.
pub fn compound(fleet: &mut Fleet) -> Result {
    check(
        fleet,
        &[
            (&["-C", "G@role:web or L@m2"], &["m1", "m2"]),
            (&["-C", "m* and not G@role:db"], &["m1"]),
            (&["-C", "not m1"], &["m2"]),
            (&["-C", "( E@m1 or P@role:^d ) and S@127.0.0.0/8"], &["m1", "m2"]),
            (&["-C", "G|@rack|row|7 and m2"], &["m2"]),
            (&["-C", "N@webs or m2"], &["m1", "m2"]),
            (&["-N", "webs"], &["m1"]),
            (&["-N", "both"], &["m1", "m2"]),
            (&["-S", "127.0.0.1"], &["m1", "m2"]),
            (&["-S", "127.0.0.0/8"], &["m1", "m2"]),
            (&["-S", "203.0.113.0/24"], &[]),
        ],
    )
}

/// A list that names a minion nobody knows: it is reported, and the exit code says so.
pub fn list_with_missing(fleet: &mut Fleet) -> Result {
    let ran = fleet.salt(&["-t", "1", "-L", "m1,stranger", "test.ping"])?.code(1)?;
    same("m1", ran.ret("m1")?, serde_json::Value::Bool(true))?;
    let text = ran.ret("stranger")?.to_string();
    if text.contains("Minion did not return") {
        Ok(())
    } else {
        Err(ran.failure("the stranger is not reported"))
    }
}

/// A target that matches nobody.
pub fn no_match(fleet: &mut Fleet) -> Result {
    fleet.salt(&["stranger", "test.ping"])?.code(2)?.says("No minions matched the target").map(drop)
}
