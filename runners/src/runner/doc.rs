//! What functions say about themselves.

use brine_core::Map;
use brine_core::call::{Cx, Result, exec, module};

use crate::client::try_cmd;
use crate::run::Kind;
use crate::side::Order;

module! { "doc": execution, runner, wheel }

fn documented(kind: Kind) -> Map {
    kind.registry().iter().map(|(name, function)| (name, function.doc)).collect()
}

/// The documentation of all runners.
///
/// CLI Example: salt-run doc.runner
#[exec]
fn runner() -> Result<Map> {
    Ok(documented(Kind::Runner))
}

/// The documentation of all wheel functions.
///
/// CLI Example: salt-run doc.wheel
#[exec]
fn wheel() -> Result<Map> {
    Ok(documented(Kind::Wheel))
}

/// The documentation of all execution functions that any minion has.
///
/// CLI Example: salt-run doc.execution
#[exec]
fn execution(cx: &Cx) -> Result {
    let Some(answers) = try_cmd(cx, &Order::new(&cx.opts, "*", "glob", "sys.doc"))? else {
        return Ok(Vec::<String>::new().into());
    };
    let mut all = Map::new();
    for (_, docs) in answers {
        if let brine_core::Value::Map(docs) = docs {
            all.update(docs);
        }
    }
    Ok(all.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn every_function_says_what_it_is_for() {
        for kind in [Kind::Runner, Kind::Wheel] {
            for (name, function) in kind.registry().iter() {
                assert!(function.doc.len() > 20, "{name}");
            }
        }
        let tmp = tempfile::tempdir().unwrap();
        let returns = map! {"a" => map! {"test.ping" => "p"}, "b" => map! {"x.y" => "z"}, "c" => "error"};
        let cx = Fake::default().answering("sys.doc", returns).cx(Kind::Runner, tmp.path(), Map::new());
        let docs = call(&cx, "doc.execution", Args::none()).unwrap();
        assert_eq!(docs, map! {"test.ping" => "p", "x.y" => "z"}.into());
        assert!(call(&cx, "doc.runner", Args::none()).unwrap().get("jobs.active").is_some());
        assert!(call(&cx, "doc.wheel", Args::none()).unwrap().get("key.list").is_some());
    }
}
