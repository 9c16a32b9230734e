//! What a minion refuses to run: in blackout everything but a list, and executors it does not have.

use brine_core::call::{CallError, Cx};
use brine_core::{Map, Value};

/// Fails with stock's text if pillar or grains put this minion in blackout and the function is not exempt.
pub fn check_blackout(cx: &Cx, fun: &str) -> Result<(), CallError> {
    if forbids(&cx.pillar, fun) || forbids(&cx.grains, fun) {
        return Err(CallError::invocation(
            "Minion in blackout mode. Set 'minion_blackout' to False in pillar or grains to resume operations. Only \
             saltutil.refresh_pillar allowed in blackout mode.",
        ));
    }
    Ok(())
}

fn forbids(data: &Map, fun: &str) -> bool {
    let exempt = || match data.get("minion_blackout_whitelist") {
        Some(Value::List(list)) => list.iter().any(|f| f.as_str() == Some(fun)),
        // Python's `in` on text.
        Some(Value::Str(text)) => text.contains(fun),
        _ => false,
    };
    data.get("minion_blackout").is_some_and(Value::truthy) && fun != "saltutil.refresh_pillar" && !exempt()
}

/// Fails with stock's text unless the job's (or else the minion's) executors are just `direct_call`.
pub fn check_executors(cx: &Cx) -> Result<(), CallError> {
    let asked = cx.job.publish.get("module_executors").filter(|v| v.truthy());
    let Some(executors) = asked.or_else(|| cx.opts.get("module_executors")) else { return Ok(()) };
    let names = match executors {
        Value::Str(one) => vec![one.as_str()],
        Value::List(list) if !list.is_empty() => list.iter().map(|v| v.as_str().unwrap_or("")).collect(),
        other => {
            return Err(CallError::Invocation(format!(
                "Wrong executors specification: {}. String or non-empty list expected",
                brine_core::text::python_str(other)
            )));
        }
    };
    match names.iter().find(|name| **name != "direct_call") {
        Some(name) => Err(CallError::Invocation(format!("Executor '{name}' is not available"))),
        None if !cx.opts.str("sudo_user").is_empty() => {
            Err(CallError::invocation("Executor 'sudo' is not available"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::JobContext;
    use brine_core::host::NoHost;
    use brine_core::{Opts, Registry, map};
    use std::sync::Arc;

    fn cx(pillar: Map, publish: Map) -> Cx {
        let mut cx = Cx::new(
            Arc::new(Opts::new(map! {"module_executors" => vec!["direct_call"]})),
            Arc::new(Registry::default()),
            Arc::new(NoHost),
        );
        cx.pillar = Arc::new(pillar);
        cx.job = Arc::new(JobContext::new(publish));
        cx
    }

    #[test]
    fn blackout_leaves_the_exempt_functions() {
        let dark = cx(
            map! {"minion_blackout" => true, "minion_blackout_whitelist" => vec!["test.ping"]},
            Map::new(),
        );
        assert!(check_blackout(&dark, "test.ping").is_ok());
        assert!(check_blackout(&dark, "saltutil.refresh_pillar").is_ok());
        let text = check_blackout(&dark, "cmd.run").unwrap_err().to_string();
        assert!(text.starts_with("Minion in blackout mode. Set 'minion_blackout' to False"));
        assert!(check_blackout(&cx(map! {"minion_blackout" => false}, Map::new()), "cmd.run").is_ok());
    }

    #[test]
    fn other_executors_are_refused_by_name() {
        assert!(check_executors(&cx(Map::new(), Map::new())).is_ok());
        let splay = cx(Map::new(), map! {"module_executors" => vec!["splay", "direct_call"]});
        assert_eq!(check_executors(&splay).unwrap_err().to_string(), "Executor 'splay' is not available");
        let mut sudo = cx(Map::new(), Map::new());
        sudo.opts = Arc::new(Opts::new(map! {"sudo_user" => "fred"}));
        sudo.job = Arc::new(JobContext::new(map! {"module_executors" => "direct_call"}));
        assert_eq!(check_executors(&sudo).unwrap_err().to_string(), "Executor 'sudo' is not available");
        sudo.opts = Arc::new(Opts::new(map! {"module_executors" => vec!["sudo"]}));
        sudo.job = Arc::default();
        assert!(check_executors(&sudo).is_err(), "not run as somebody else than the operator wants");
        let odd = cx(Map::new(), map! {"module_executors" => 5});
        assert!(
            check_executors(&odd).unwrap_err().to_string().starts_with("Wrong executors specification: 5.")
        );
    }
}
