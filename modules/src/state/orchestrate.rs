//! An orchestration without a master: SLS files of this machine, whose states of the module `salt` are this minion's own.

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::host::Elsewhere;
use brine_core::state::check_result;
use brine_core::{Map, Opts, Value, map};
use brine_files::{Client, PillarRoots};
use brine_pillar::{Settled, Wish};
use std::sync::Arc;
use std::time::SystemTime;

/// Apply SLS files of this machine; states of the module `salt` in them are applied to this minion.
///
/// CLI Example: salt-call --local state.orchestrate webserver saltenv=dev test=True
#[exec]
pub(super) fn orchestrate(
    cx: &Cx,
    mods: Value,
    #[default("base")] saltenv: Value,
    test: Option<Value>,
    exclude: Option<Value>,
    pillar: Option<Value>,
    pillarenv: Option<Value>,
) -> Result<Map> {
    let set = |value: Option<Value>| value.filter(|value| !value.is_nil());
    let pillar = set(pillar);
    if pillar.as_ref().is_some_and(|pillar| pillar.as_map().is_none()) {
        return Err(CallError::invocation("Pillar data must be formatted as a dictionary"));
    }
    let run = without_master(cx);
    let configured = |key: &str| cx.opts.get(key).cloned();
    let jid = brine_core::jid::gen_jid(SystemTime::now());
    let saltenv = set(Some(saltenv)).or_else(|| configured("saltenv"));
    let mut args = Args::positional([mods, test.unwrap_or_default(), exclude.unwrap_or_default()])
        .with("pillar", pillar)
        .with("saltenv", saltenv)
        .with("pillarenv", set(pillarenv).or_else(|| configured("pillarenv")))
        .with("pillar_enc", ())
        .with("__pub_jid", jid.as_str());
    args.keyword.insert("orchestration_jid", jid);
    let ran = run.call("state.sls", args)?;
    let data = map! {run.opts.str("id") => ran}.into();
    let retcode = i64::from(!check_result(&data, false));
    Ok(map! {"data" => data, "outputter" => "highstate", "retcode" => retcode})
}

/// Surroundings of its own, with files and pillar of this machine.
fn without_master(cx: &Cx) -> Cx {
    let mut run = cx.clone();
    // The return code of the states within is not that of this call.
    run.job = Arc::new(cx.job.fork());
    if cx.opts.str("file_client") == "local" {
        return run;
    }
    let mut opts: Opts = (*cx.opts).clone();
    opts.map_mut().insert("file_client", "local");
    run.opts = Arc::new(opts);
    let files = Arc::new(Client::of_this_machine(&run.opts));
    let around = run.clone();
    let pillar = move |saltenv: Option<&str>, pillarenv: Option<&str>, over: Option<Map>| {
        let wish = Wish {
            id: around.opts.str("id").to_owned(),
            saltenv: saltenv.map(str::to_owned),
            pillarenv: pillarenv.map(str::to_owned),
            over,
            ..Wish::default()
        };
        let settled = Settled::new(&around.opts, wish);
        let roots = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
        brine_pillar::compile(&around, settled, roots)
    };
    run.host = Arc::new(Elsewhere { host: cx.host.clone(), files, pillar: Some(Box::new(pillar)) });
    run
}
