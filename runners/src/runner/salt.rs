//! Execution functions, on the master itself or on minions.

use std::sync::Arc;
use std::time::Duration;

use brine_core::call::{Args, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::{Map, Value};
use brine_pillar::{Ask, Wish};
use brine_render::args::condition_input;

use crate::client;
use crate::host::{master, pillars};
use crate::side::Order;

module! { "salt": cmd, execute }

/// Call an execution function on the master.
///
/// CLI Example: salt-run salt.cmd test.arg 1 2 3 a=1
#[exec]
fn cmd(cx: &Cx, fun: String, args: VarArgs, kwargs: KwArgs) -> Result {
    let mut keyword = kwargs.clean();
    let with_pillar = keyword.remove("with_pillar").is_some_and(|with| with.truthy());
    let execution = &master(cx)?.execution;
    if execution.registry.get(&fun).is_none() {
        return Ok(format!("'{fun}' is not available.").into());
    }
    let mut inner = Cx::new(cx.opts.clone(), execution.registry.clone(), cx.host.clone());
    inner.grains = Arc::new((execution.grains)(&cx.opts));
    if with_pillar {
        let text = |key: &str| Some(cx.opts.str(key)).filter(|text| !text.is_empty()).map(str::to_owned);
        let wish = Wish {
            id: cx.opts.str("id").to_owned(),
            saltenv: text("saltenv"),
            pillarenv: text("pillarenv"),
            ..Wish::default()
        };
        let ask = Ask { wish, grains: inner.grains.as_ref().clone(), clean_cache: false };
        inner.pillar = Arc::new(pillars(cx)?.compile_fresh(&ask)?);
    }
    inner.job = cx.job.clone();
    inner.cancel = cx.cancel.clone();
    inner.call(&fun, Args { positional: args.0, keyword })
}

/// Call an execution function on minions, and return what they do.
///
/// CLI Example: salt-run salt.execute '*' test.ping
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn execute(
    cx: &Cx,
    tgt: Value,
    fun: Value,
    #[default(Vec::<Value>::new())] arg: Vec<Value>,
    timeout: Option<f64>,
    #[default("glob")] tgt_type: String,
    #[default("")] ret: String,
    #[default("")] jid: String,
    kwarg: Option<Map>,
    kwargs: KwArgs,
) -> Result<Map> {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok().filter(|d| !d.is_zero());
    let mut order = Order::new(&cx.opts, tgt, &tgt_type, "").with_args(condition_input(arg, kwarg.unwrap_or_default()));
    (order.fun, order.ret, order.jid, order.kwargs) = (fun, ret, jid, kwargs.clean());
    order.timeout = timeout.and_then(seconds).unwrap_or(order.timeout);
    let gather = order.kwargs.remove("gather_job_timeout").and_then(|given| given.as_float());
    order.gather_timeout = gather.and_then(seconds).unwrap_or(order.gather_timeout);
    match client::cmd(cx, &order) {
        Err(brine_core::CallError::Client(text)) => {
            tracing::error!("{text}");
            Ok(Map::new())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::host::{Execution, MasterHost};
    use crate::run::Kind;
    use brine_core::call::Registry;
    use brine_core::map;

    mod there {
        use super::*;
        module! { "there": who }

        /// Says what it was called with.
        #[exec]
        fn who(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result {
            Ok(map! {"args" => args.0, "kwargs" => kwargs.0, "os" => cx.grains.get("os").cloned(), "pillar" => cx.pillar.get("own").cloned()}.into())
        }
    }

    #[test]
    fn execution_functions_run_on_the_master_with_its_grains() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let mut cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let execution = Execution {
            registry: Arc::new(Registry::new([&there::MODULE])),
            grains: Arc::new(|_| map! {"os" => "Debian"}),
        };
        cx.host = MasterHost::with_execution(&cx.opts, Box::new(fake), execution);
        let args = Args::positional(["there.who", "a"]).with("b", 1).with("__pub_x", 1);
        let want = map! {"args" => list(["a"]), "kwargs" => map! {"b" => 1}, "os" => "Debian", "pillar" => Value::Nil};
        assert_eq!(call(&cx, "salt.cmd", args).unwrap(), want.into());
        let none = call(&cx, "salt.cmd", Args::positional(["no.such"])).unwrap();
        assert_eq!(none, "'no.such' is not available.".into());
        std::fs::write(tmp.path().join("top.sls"), "base:\n  'test_m*':\n    - own\n").unwrap();
        std::fs::write(tmp.path().join("own.sls"), "own: {{ grains.os }}\n").unwrap();
        let mut opts = cx.opts.map().clone();
        let roots = map! {"base" => vec![tmp.path().to_string_lossy().into_owned()]};
        opts.update(map! {"pillar_roots" => roots, "renderer" => "jinja|yaml", "state_top" => "top.sls"});
        cx.opts = Arc::new(brine_core::Opts::new(opts));
        let got = call(&cx, "salt.cmd", Args::positional(["there.who"]).with("with_pillar", true)).unwrap();
        assert_eq!(got.get("pillar"), Some(&"Debian".into()));
    }

    #[test]
    fn minions_are_asked_and_the_silent_are_false() {
        let tmp = tempfile::tempdir().unwrap();
        let fake = Fake::default().answering("test.arg", map! {"b" => "x", "a" => Value::Nil});
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let args = Args { positional: vec!["*".into(), "test.arg".into(), list(["1"])], ..Args::none() };
        let args = args.with("kwarg", map! {"k" => 2}).with("metadata", "m").with("tgt_type", "compound");
        assert_eq!(call(&cx, "salt.execute", args).unwrap(), map! {"b" => "x", "a" => false}.into());
        let load = fake.record.lock().published[0].clone();
        let want: Vec<Value> = vec!["1".into(), map! {"__kwarg__" => true, "k" => 2}.into()];
        assert_eq!(load.get("arg"), Some(&want.into()));
        assert_eq!(load.get("kwargs"), Some(&map! {"metadata" => "m"}.into()));
        assert_eq!(load.get_str("tgt_type"), Some("compound"));
        let none = call(&cx, "salt.execute", Args::positional(["*", "no.such"])).unwrap();
        assert_eq!(none, Map::new().into());
        assert!(fake.record.lock().printed[0].starts_with("No minions matched the target."));
    }
}
