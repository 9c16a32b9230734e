//! One function of a job, run: what it gave or how it failed, in the words stock Salt returns to the master.
//!
//! Not the return load around it, and not `salt-call`, which words failures for a terminal.

use brine_core::call::{Args, CallError, Cx};
use brine_core::{Map, Value};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Salt's `EX_GENERIC`.
pub const EX_GENERIC: i64 = 1;

/// What one function of a job came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The `return`.
    pub value: Value,
    /// The `retcode`.
    pub retcode: i64,
    /// The outputter, where the kind of failure decides it.
    pub out: Option<&'static str>,
    /// Whether the function itself failed, so that a job of several functions shows a traceback and no retcode.
    pub failed: bool,
}

impl Outcome {
    /// That of a function that was not run to its end, in the words of [`brine_core::call::Cancel::words`].
    pub fn cut_off(why: &str) -> Self {
        Self::failure(format!("ERROR: {why}"))
    }

    fn failure(text: String) -> Self {
        Self { value: Value::Str(text), retcode: EX_GENERIC, out: Some("nested"), failed: true }
    }
}

/// Calls a function; a panic in it is a failed call.
pub fn call(cx: &Cx, fun: &str, args: Args) -> Result<Value, CallError> {
    cx.job.set_context("retcode", 0);
    match catch_unwind(AssertUnwindSafe(|| cx.call(fun, args))) {
        Ok(result) => result,
        Err(panic) => {
            let message = panic_text(panic.as_ref());
            tracing::error!("{fun} panicked: {message}");
            Err(CallError::exception("RuntimeError", message))
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic").to_owned()
}

/// The return code of a finished call: what the function set, else 1 when its result says it failed.
pub fn retcode(cx: &Cx, value: &Value) -> i64 {
    let set = cx.job.context("retcode").as_ref().and_then(Value::as_int).unwrap_or(0);
    if set != 0 {
        return set;
    }
    let failed = value
        .as_map()
        .is_some_and(|m| ["result", "success"].iter().any(|k| m.get(k).is_some_and(|v| !v.truthy())));
    if failed { EX_GENERIC } else { 0 }
}

/// Runs the one function of a job.
pub fn run(cx: &Cx, fun: &str, args: Result<Args, CallError>) -> Outcome {
    if cx.registry.get(fun).is_none() {
        return missing(cx, fun);
    }
    match args.and_then(|args| call(cx, fun, args)) {
        Ok(value) => Outcome { retcode: retcode(cx, &value), value, out: None, failed: false },
        Err(CallError::Cancelled) => Outcome::cut_off(&cx.cancel.words()),
        Err(e) => Outcome::failure(worded(cx, fun, &e)),
    }
}

/// Runs one of several functions of a job: failures are tracebacks there.
pub fn run_one_of_several(cx: &Cx, fun: &str, args: Result<Args, CallError>) -> Outcome {
    match args.and_then(|args| call(cx, fun, args)) {
        Ok(value) => Outcome { retcode: retcode(cx, &value), value, out: None, failed: false },
        Err(CallError::Cancelled) => Outcome::cut_off(&cx.cancel.words()),
        Err(e) => Outcome::failure(e.traceback()),
    }
}

/// The text of a failed call as the master gets it.
fn worded(cx: &Cx, fun: &str, error: &CallError) -> String {
    match error {
        CallError::CommandNotFound(e) => format!("Command required for '{fun}' not found: {e}"),
        CallError::Execution(_) | CallError::Detailed(_) => format!("ERROR: {error}"),
        CallError::Invocation(e) | CallError::Client(e) => format!("ERROR executing '{fun}': {e}"),
        CallError::Arguments(e) => {
            let doc = cx.registry.get(fun).map_or("", |f| f.doc);
            format!("Passed invalid arguments to {fun}: {e}\n{doc}")
        }
        other => format!("The minion function caused an exception: {}", other.traceback()),
    }
}

/// A function that does not exist: the docs of those that begin alike, or the bare text.
fn missing(cx: &Cx, fun: &str) -> Outcome {
    let text = cx.registry.missing(fun).to_string();
    let mut docs = docs_like(cx, fun);
    if docs.is_empty() {
        return Outcome::failure(text);
    }
    docs.insert(fun, text);
    Outcome { value: docs.into(), retcode: EX_GENERIC, out: Some("nested"), failed: true }
}

/// Stock's `sys.doc` of `<fun>*`: names that begin with `fun`, and those of the module it names.
pub fn docs_like(cx: &Cx, fun: &str) -> Map {
    if cx.registry.get("sys.doc").is_some()
        && let Ok(Value::Map(docs)) = call(cx, "sys.doc", Args::positional([format!("{fun}*")]))
    {
        return docs;
    }
    cx.registry.iter().filter(|(name, _)| name.starts_with(fun)).map(|(n, f)| (n, f.doc)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::Registry;
    use brine_core::call::{Function, JobContext, Module};
    use brine_core::host::NoHost;
    use brine_core::{Opts, map};
    use std::sync::Arc;

    const fn f(name: &'static str, run: fn(&Cx, Args) -> Result<Value, CallError>) -> Function {
        Function { name, doc: "\n    Doc.\n    ", params: &[], run }
    }

    static MODULE: Module = Module {
        name: "t",
        functions: &[
            f("ok", |_, _| Ok(Value::Bool(true))),
            f("no_result", |_, _| Ok(map! {"result" => false}.into())),
            f("code", |cx, _| {
                cx.set_retcode(7);
                Ok(Value::Nil)
            }),
            f("exec", |_, _| Err(CallError::execution("broken"))),
            f("inv", |_, _| Err(CallError::invocation("wrong"))),
            f("args", |_, _| {
                Err(CallError::Arguments("args() takes 0 positional arguments but 1 was given".into()))
            }),
            f("raise", |_, _| Err(CallError::exception("ValueError", "bad"))),
            f("panics", |_, _| panic!("at the disco")),
        ],
    };

    fn cx() -> Cx {
        let mut cx = Cx::new(Arc::new(Opts::default()), Arc::new(Registry::new([&MODULE])), Arc::new(NoHost));
        cx.job = Arc::new(JobContext::new(Map::new()));
        cx
    }

    fn text(fun: &str) -> String {
        let outcome = run(&cx(), fun, Ok(Args::none()));
        assert_eq!((outcome.retcode, outcome.out, outcome.failed), (1, Some("nested"), true), "{fun}");
        outcome.value.as_str().unwrap().to_owned()
    }

    #[test]
    fn failures_are_worded_as_stock_words_them() {
        assert_eq!(text("t.exec"), "ERROR: broken");
        assert_eq!(text("t.inv"), "ERROR executing 't.inv': wrong");
        assert_eq!(
            text("t.args"),
            "Passed invalid arguments to t.args: args() takes 0 positional arguments but 1 was given\n\n    Doc.\n    "
        );
        assert!(
            text("t.raise")
                .starts_with("The minion function caused an exception: Traceback (most recent call")
        );
        assert!(text("t.raise").ends_with("\nValueError: bad\n"));
        assert_eq!(text("nope.x"), "'nope.x' is not available.");
    }

    #[test]
    fn a_panic_is_a_failed_job() {
        assert!(text("t.panics").ends_with("\nRuntimeError: at the disco\n"));
    }

    #[test]
    fn return_codes() {
        let code = |fun: &str| run(&cx(), fun, Ok(Args::none())).retcode;
        assert_eq!((code("t.ok"), code("t.no_result"), code("t.code")), (0, 1, 7));
    }

    #[test]
    fn a_missing_function_shows_its_neighbours() {
        let outcome = run(&cx(), "t.o", Ok(Args::none()));
        let docs = outcome.value.as_map().unwrap();
        assert_eq!(docs.get_str("t.o"), Some("'t.o' is not available."));
        assert!(docs.get_str("t.ok").is_some());
        assert_eq!(outcome.retcode, 1);
    }

    #[test]
    fn of_several_functions_a_failed_one_is_a_traceback() {
        let outcome = run_one_of_several(&cx(), "t.exec", Ok(Args::none()));
        assert_eq!(
            outcome.value.as_str(),
            Some("Traceback (most recent call last):\nsalt.exceptions.CommandExecutionError: broken\n")
        );
    }
}
