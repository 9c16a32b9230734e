//! Rules that name a part of the directory, `ldap(OU=web,dc=x)`, in terms of the computers found there.
//!
//! Such a rule allows jobs on any of these computers, also on several at once.

use brine_protocol::ids::MinionId;
use brine_protocol::{Map, Value};
use ldap3::Scope;

use super::options::Options;
use super::{Conn, searcher};
use crate::eauth::{Failure, Settings};

fn base_of(key: &Value) -> Option<&str> {
    key.as_str()?.strip_prefix("ldap(")?.strip_suffix(')')
}

pub(super) fn expand(settings: &Settings, rules: Vec<Value>) -> Result<Vec<Value>, Failure> {
    let mut conn: Option<Conn> = None;
    let mut out = Vec::with_capacity(rules.len());
    for rule in rules {
        let Value::Map(map) = &rule else {
            out.push(rule);
            continue;
        };
        if !map.keys().any(|key| base_of(key).is_some()) {
            out.push(rule);
            continue;
        }
        let options = super::options(settings)?;
        for (key, functions) in map {
            let Some(base) = base_of(key) else {
                out.push(Map::from_iter([(key.clone(), functions.clone())]).into());
                continue;
            };
            let conn = match &mut conn {
                Some(conn) => conn,
                none => {
                    let opened = searcher(&options)?;
                    none.insert(opened.ok_or(Failure::Broken("binddn and bindpw are needed".into()))?)
                }
            };
            let found = conn.search(base, Scope::Subtree, "(objectClass=computer)", &["cn"])?;
            let names = found.iter().filter_map(|computer| computer.values("cn").first());
            let mut ids: Vec<String> = names.filter_map(|name| minion_id(&options, name)).collect();
            ids.sort_unstable();
            if !ids.is_empty() {
                out.push(
                    Map::from_iter([(Value::from(format!("L@{}", ids.join(","))), functions.clone())]).into(),
                );
            }
        }
    }
    Ok(out)
}

/// The minion's name of a computer: in small letters, without the domains that are to be cut off.
fn minion_id(options: &Options, name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let cut = options.stripdomains.iter().find_map(|domain| name.strip_suffix(domain.as_str()));
    let id = MinionId::parse(cut.unwrap_or(&name)).ok()?;
    // It becomes part of a list.
    (!id.as_str().contains([',', ' '])).then(|| id.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn computers_become_ids() {
        let settings = Settings {
            auth: map! {"minion_stripdomains" => vec![".int.example", ".example"]},
            ..Settings::default()
        };
        let options = Options::of(&settings).unwrap();
        let id = |name: &str| minion_id(&options, name);
        assert_eq!(id("WEB1.int.example").as_deref(), Some("web1"));
        assert_eq!(id("web2.other").as_deref(), Some("web2.other"));
        assert_eq!(id("../x"), None);
        assert_eq!(id("a,b"), None);
        let plain: Vec<Value> = vec!["test.ping".into(), map! {"web*" => "x"}.into()];
        assert_eq!(expand(&Settings::default(), plain.clone()).unwrap(), plain);
    }
}
