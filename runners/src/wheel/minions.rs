//! Minions that are connected.

use brine_core::Value;
use brine_core::call::{Cx, Result, exec, module};

use crate::host::master;

module! { "minions": connected }

/// The ids of the minions with a live connection to the master.
///
/// Example: `wheel.cmd("minions.connected")`
#[exec]
fn connected(cx: &Cx) -> Result<Vec<Value>> {
    let mut all = master(cx)?.side.connected()?;
    all.sort_by_key_text();
    Ok(all.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::{Map, map};

    #[test]
    fn ids_are_sorted() {
        let tmp = tempfile::tempdir().unwrap();
        let fake = Fake { connected: map! {"b" => "1", "a" => "2"}, ..Fake::default() };
        let cx = fake.cx(Kind::Wheel, tmp.path(), Map::new());
        assert_eq!(call(&cx, "minions.connected", Args::none()).unwrap(), list(["a", "b"]));
    }
}
