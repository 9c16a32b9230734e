//! Functions for tests of runners, of no other use.

use std::time::Duration;

use brine_core::call::{CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

use crate::host::master;
use crate::run::progress;

module! { "test": arg, get_opts, metasyntactic, raw_arg, sleep, stdout_print, stream }

/// Return the arguments, private keyword arguments left out.
///
/// CLI Example: salt-run test.arg foo bar=baz
#[exec]
fn arg(args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    Ok(map! {"args" => args.0, "kwargs" => kwargs.clean()})
}

/// Return the arguments, private keyword arguments too.
///
/// CLI Example: salt-run test.raw_arg foo __bar=baz
#[exec]
fn raw_arg(args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    Ok(map! {"args" => args.0, "kwargs" => kwargs.0})
}

/// Return the words that stand for any word in a locality, `us` or `uk`.
///
/// CLI Example: salt-run test.metasyntactic locality=uk
#[exec]
fn metasyntactic(#[default("us")] locality: Value) -> Result {
    const US: &[&str] = &[
        "foo", "bar", "baz", "qux", "quux", "quuz", "corge", "grault", "garply", "waldo", "fred", "plugh", "xyzzy",
        "thud",
    ];
    const UK: &[&str] = &["wibble", "wobble", "wubble", "flob"];
    Ok(match locality.as_str() {
        Some("us") => US.into(),
        Some("uk") => UK.into(),
        _ => Value::Nil,
    })
}

/// Print `foo` and return `bar`.
///
/// CLI Example: salt-run test.stdout_print
#[exec]
fn stdout_print(cx: &Cx) -> Result<&'static str> {
    master(cx)?.side.print("foo");
    Ok("bar")
}

/// Print a number of seconds, wait for that long, and return `True`.
///
/// CLI Example: salt-run test.sleep s_time=5
#[exec]
fn sleep(cx: &Cx, #[default(10)] s_time: Value) -> Result<bool> {
    master(cx)?.side.print(&python_str(&s_time));
    let seconds = s_time.as_float().ok_or_else(|| {
        let kind = brine_core::text::python_type(&s_time);
        CallError::Arguments(format!("'{kind}' object cannot be interpreted as an integer"))
    })?;
    let length = Duration::try_from_secs_f64(seconds)
        .map_err(|_| CallError::exception("ValueError", "sleep length must be non-negative"))?;
    cx.cancel.sleep(length)?;
    Ok(true)
}

/// Fire 99 events of progress, ten a second, and return `True`.
///
/// CLI Example: salt-run test.stream
#[exec]
fn stream(cx: &Cx) -> Result<bool> {
    for percent in 1..100 {
        progress(cx, map! {"message" => format!("Runner is {percent}% done")})?;
        cx.cancel.sleep(Duration::from_millis(100))?;
    }
    Ok(true)
}

/// Return the options of the master.
///
/// CLI Example: salt-run test.get_opts
#[exec]
fn get_opts(cx: &Cx) -> Result<Map> {
    Ok(cx.opts.map().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::call::Args;

    #[test]
    fn arguments_come_back_and_words_are_printed() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let args = || Args::positional(["a"]).with("b", 1).with("__c", 2);
        assert_eq!(
            call(&cx, "test.arg", args()).unwrap(),
            map! {"args" => list(["a"]), "kwargs" => map! {"b" => 1}}.into()
        );
        assert!(call(&cx, "test.raw_arg", args()).unwrap().get("kwargs").unwrap().get("__c").is_some());
        assert_eq!(call(&cx, "test.metasyntactic", Args::positional(["fr"])).unwrap(), Value::Nil);
        assert_eq!(call(&cx, "test.stdout_print", Args::none()).unwrap(), "bar".into());
        assert_eq!(call(&cx, "test.sleep", Args::positional([0.01])).unwrap(), true.into());
        assert_eq!(fake.record.lock().printed, ["foo", "0.01"]);
        let stream = std::thread::spawn({
            let cx = cx.clone();
            move || call(&cx, "test.stream", Args::none())
        });
        while fake.record.lock().fired.len() < 2 {
            std::thread::yield_now();
        }
        cx.cancel.cancel();
        assert!(stream.join().unwrap().is_err());
        let fired = &fake.record.lock().fired;
        assert_eq!(fired[0], ("salt/run/1/progress".into(), map! {"message" => "Runner is 1% done"}));
    }
}
