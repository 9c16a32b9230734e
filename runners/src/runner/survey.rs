//! Which minions return the same, and which do not: results by the pool of minions that share them.

use brine_core::call::{CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::difflib::unified_diff;
use brine_core::text::{python_repr, python_str, splitlines};
use brine_core::{Value, map};
use brine_render::args::condition_input;

use crate::client::try_cmd;
use crate::host::master;
use crate::side::Order;

module! { "survey": "diff" => difference, hash }

struct Pool {
    result: String,
    minions: Vec<String>,
}

/// Runs the function that the arguments name and sorts the minions by what they return.
fn pools(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Vec<Pool>> {
    let mut args = args.0.into_iter();
    let (Some(tgt), Some(fun)) = (args.next(), args.next()) else {
        return Err(CallError::exception("IndexError", "tuple index out of range"));
    };
    let mut keyword = kwargs.0;
    let smallest_first = keyword.remove("survey_sort").is_some_and(|sort| sort.as_str() == Some("up"));
    let tgt_type = match keyword.remove("tgt_type") {
        Some(Value::Str(kind)) if kind == "pcre" => kind,
        _ => "compound".to_owned(),
    };
    keyword.retain(|key, _| !python_str(key).starts_with('_'));
    let mut order = Order::new(&cx.opts, tgt, &tgt_type, "").with_args(condition_input(args.collect(), keyword));
    order.fun = fun;
    let mut answers = try_cmd(cx, &order)?.unwrap_or_default();
    answers.sort_by_key_text();
    let mut pools: Vec<Pool> = Vec::new();
    for (id, value) in answers {
        let (id, result) = (python_str(&id), python_str(&value));
        match pools.iter_mut().find(|pool| pool.result == result) {
            Some(pool) => pool.minions.push(id),
            None => pools.push(Pool { result, minions: vec![id] }),
        }
    }
    // Of pools of one size the one that was seen first comes first, whichever way they are sorted.
    if smallest_first {
        pools.sort_by_key(|pool| pool.minions.len());
    } else {
        pools.sort_by_key(|pool| std::cmp::Reverse(pool.minions.len()));
    }
    Ok(pools)
}

fn shown(pools: Vec<Pool>) -> Vec<Value> {
    let one = |pool: Pool| map! {"pool" => pool.minions, "result" => pool.result}.into();
    pools.into_iter().map(one).collect()
}

/// Run a function on minions (a compound target) and return the pools of those with the same result, the largest first;
/// with `survey_sort=up` the smallest.
///
/// CLI Example: salt-run survey.hash "*" file.get_hash /etc/salt/minion survey_sort=up
#[exec]
fn hash(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Vec<Value>> {
    Ok(shown(pools(cx, args, kwargs)?))
}

/// As `survey.hash`, and print how the result of the first pool differs from that of each other.
///
/// CLI Example: salt-run survey.diff survey_sort=up "*" cp.get_file_str file:///etc/hosts
#[exec(name = "diff")]
fn difference(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Vec<Value>> {
    let pools = pools(cx, args, kwargs)?;
    let side = &master(cx)?.side;
    for (n, pool) in pools.iter().enumerate() {
        side.print("minion pool :\n------------");
        side.print(&python_repr(&pool.minions.clone().into()));
        side.print("pool size :\n----------");
        side.print(&format!("    {}", pool.minions.len()));
        let (first, name) = (&pools[0], &pools[0].minions[0]);
        if n == 0 {
            side.print("pool result :\n------------");
            side.print(&format!("    {}", first.result));
        } else {
            let title = format!("differences from \"{name}\" results :");
            side.print(&title);
            side.print(&"-".repeat(title.chars().count() - 1));
            // Each line ends in a line feed here, whatever ends it in the result.
            let lines = |text: &str| splitlines(text, false).iter().map(|line| format!("{line}\n")).collect::<Vec<_>>();
            let names = (name.as_str(), pool.minions[0].as_str());
            side.print(&unified_diff(&lines(&first.result), &lines(&pool.result), names, 0).concat());
        }
        side.print("");
    }
    Ok(shown(pools))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::Map;
    use brine_core::call::Args;

    #[test]
    fn minions_are_pooled_by_result_and_differences_printed() {
        let tmp = tempfile::tempdir().unwrap();
        let returns = map! {"c" => "x\ny\n", "b" => "x\nz\n", "a" => "x\ny\n", "d" => 5};
        let fake = Fake::default().answering("f.g", returns);
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let pool = |ids: Value, result: &str| Value::from(map! {"pool" => ids, "result" => result});
        let (ac, b, d) =
            (pool(list(["a", "c"]), "x\ny\n"), pool(list(["b"]), "x\nz\n"), pool(list(["d"]), "5"));
        let args = || Args::positional(["*", "f.g", "1"]).with("k", "v").with("_x", 1);
        let got = call(&cx, "survey.hash", args()).unwrap();
        assert_eq!(got, vec![ac.clone(), b.clone(), d.clone()].into());
        let got = call(&cx, "survey.diff", args().with("survey_sort", "up")).unwrap();
        assert_eq!(got, vec![b, d, ac].into());
        let record = fake.record.lock();
        assert_eq!(record.published[0].get_str("tgt_type"), Some("compound"));
        let want: Vec<Value> = vec!["1".into(), map! {"__kwarg__" => true, "k" => "v"}.into()];
        assert_eq!(record.published[0].get("arg"), Some(&want.into()));
        assert_eq!(
            record.printed.join("\n"),
            "minion pool :\n------------\n['b']\npool size :\n----------\n    1\npool result :\n------------\n    x\nz\n\n\
             \nminion pool :\n------------\n['d']\npool size :\n----------\n    1\n\
             differences from \"b\" results :\n-----------------------------\n\
             --- b\n+++ d\n@@ -1,2 +1 @@\n-x\n-z\n+5\n\n\n\
             minion pool :\n------------\n['a', 'c']\npool size :\n----------\n    2\n\
             differences from \"b\" results :\n-----------------------------\n\
             --- b\n+++ a\n@@ -2 +2 @@\n-z\n+y\n\n"
        );
        assert!(call(&cx, "survey.hash", Args::positional(["*"])).is_err());
    }
}
