//! Targets, asked about by minions and people. A minion that may call this (`peer_run`) must not learn pillar by trying.

use brine_core::call::{Cx, Result, exec, module};
use brine_core::target::check_minions;
use brine_core::{Map, Value, map};
use brine_protocol::ids::MinionId;

use crate::host::master;

module! { "match": compound_matches }

/// Whether a compound target means a minion: its id under `res`, or `False`. Pillar values must be named exactly, and only
/// minions whose data is cached can be meant by it.
///
/// CLI Example: salt-run match.compound_matches 'I@foo:bar and G@os:Deb* and not db*' myminion
#[exec]
fn compound_matches(cx: &Cx, expr: Value, minion_id: String) -> Result<Map> {
    let data = &master(cx)?.data;
    if !data.enabled() {
        tracing::warn!("Minion data cache is disabled. Cannot evaluate compound matcher expression.");
        return Ok(map! {"res" => false});
    }
    if MinionId::parse(&minion_id).is_err() {
        tracing::warn!("Got invalid minion ID.");
        return Ok(map! {"res" => false});
    }
    let meant = check_minions(data, &expr, "compound_pillar_exact", ":", false).minions;
    let res = if meant.contains(&minion_id) { Value::from(minion_id) } else { false.into() };
    Ok(map! {"res" => res})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;

    #[test]
    fn a_minion_is_meant_or_not_and_pillar_is_not_explored() {
        let tmp = tempfile::tempdir().unwrap();
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), Map::new());
        let data = &master(&cx).unwrap().data;
        for id in ["web1", "new"] {
            std::fs::write(tmp.path().join("pki/minions").join(id), "pem").unwrap();
        }
        let id = MinionId::parse("web1").unwrap();
        data.put(&id, map! {"os" => "Debian"}, map! {"role" => "secret"}).unwrap();
        let res = |expr: &str, id: &str| {
            call(&cx, "match.compound_matches", Args::positional([expr, id])).unwrap().get("res").cloned()
        };
        assert_eq!(res("G@os:Deb* and web*", "web1"), Some("web1".into()));
        assert_eq!(res("I@role:secret", "web1"), Some("web1".into()));
        assert_eq!(res("I@role:s*", "web1"), Some(false.into()));
        assert_eq!(res("G@os:Deb*", "new"), Some(false.into()));
        assert_eq!(res("web*", "../x"), Some(false.into()));
    }
}
