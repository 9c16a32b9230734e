//! The mine, as the master reads it and has it brought up to date.

use brine_core::call::{Cx, Result, exec, module};
use brine_core::{Map, Value, map};
use brine_render::args::condition_input;

use crate::client::try_cmd;
use crate::host::master;
use crate::side::Order;

module! { "mine": get, update }

/// What the minions that are meant have in the mine under a function, or under several with commas between. The rules of
/// `mine_get` and of the items hold for the master's id too.
///
/// CLI Example: salt-run mine.get '*' network.interfaces
#[exec]
fn get(cx: &Cx, tgt: Value, fun: Value, #[default("glob")] tgt_type: String) -> Result<Map> {
    let load = map! {"tgt" => tgt, "fun" => fun, "tgt_type" => tgt_type};
    Ok(brine_store::mine::readable(&master(cx)?.data, cx.opts.get("mine_get"), cx.opts.str("id"), &load))
}

/// Have minions bring their mine up to date; with `clear` they begin it anew, with `mine_functions` only those functions
/// are run.
///
/// CLI Example: salt-run mine.update '*'
#[exec]
fn update(
    cx: &Cx,
    tgt: Value,
    #[default("glob")] tgt_type: String,
    #[default(false)] clear: bool,
    mine_functions: Option<Value>,
) -> Result<Map> {
    let mut keyword = Map::new();
    if clear {
        keyword.insert("clear", true);
    }
    if let Some(functions) = mine_functions {
        keyword.insert("mine_functions", functions);
    }
    let order = Order::new(&cx.opts, tgt, &tgt_type, "mine.update").with_args(condition_input(Vec::new(), keyword));
    Ok(try_cmd(cx, &order)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_protocol::ids::MinionId;

    #[test]
    fn the_mine_is_read_by_its_rules_and_updated() {
        let tmp = tempfile::tempdir().unwrap();
        let fake = Fake::default().answering("mine.update", map! {"web1" => true});
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let id = MinionId::parse("web1").unwrap();
        let data = &master(&cx).unwrap().data;
        data.put(&id, map! {"os" => "x"}, Map::new()).unwrap();
        let secret = map! {"__saltmine_acl__" => true, "__data__" => "s", "allow_tgt" => "web1"};
        data.put_mine(&id, map! {"a.b" => 1, "c.d" => 2, "secret" => secret}, false).unwrap();
        std::fs::write(tmp.path().join("pki/minions/web1"), "k").unwrap();
        let get = |args| call(&cx, "mine.get", args).unwrap();
        assert_eq!(get(Args::positional(["*", "a.b"])), map! {"web1" => 1}.into());
        let both = map! {"a.b" => map! {"web1" => 1}, "c.d" => map! {"web1" => 2}};
        assert_eq!(get(Args::positional(["os:x", "c.d,a.b"]).with("tgt_type", "grain")), both.into());
        let none: Value = Map::new().into();
        assert_eq!((get(Args::positional(["*", "secret"])), get(Args::positional(["db*", "a.b"]))), (none.clone(), none));
        assert_eq!(call(&cx, "mine.update", Args::positional(["*"]).with("clear", true)).unwrap(), map! {"web1" => true}.into());
        let want: Vec<Value> = vec![map! {"__kwarg__" => true, "clear" => true}.into()];
        assert_eq!(fake.record.lock().published[0].get("arg"), Some(&want.into()));
        let ruled = fake.cx(Kind::Runner, tmp.path(), map! {"mine_get" => map! {"web.*" => vec!["a.*"]}});
        assert_eq!(call(&ruled, "mine.get", Args::positional(["*", "a.b"])).unwrap(), Map::new().into());
    }
}
