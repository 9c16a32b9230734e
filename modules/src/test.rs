//! Answers that prove a minion is there, echo what it was given, or fail on purpose.

mod exceptions;
mod numbers;
mod report;

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::{python_repr, python_str, python_type};
use brine_core::{COMPAT_VERSION, Map, Value, map};
use exceptions::exec_raise_exception;
use numbers::{exec_collatz, exec_fib, exec_rand_sleep, exec_rand_str, exec_random_hash, exec_sleep};
use report::{
    exec_module_report, exec_not_loaded, exec_provider, exec_providers, exec_versions_information,
    exec_versions_report,
};

module! {
    "test": arg, arg_clean, arg_repr, arg_type, assertion, attr_call, collatz, conf_test, cross_test,
    deprecation_warning, echo, exception, false_, fib, get_opts, kwarg, module_report, not_loaded, opts_pkg, outputter,
    ping, provider, providers, raise_exception, rand_sleep, rand_str, random_hash, retcode, sleep, stack, true_, try_,
    tty, version, "versions" => versions_report, versions_information, versions_report
}

/// Show that the minion is up and answers. Not an ICMP ping. Returns `True`.
///
/// CLI Example: salt '*' test.ping
#[exec]
fn ping() -> Result<bool> {
    Ok(true)
}

/// Return the text given.
///
/// CLI Example: salt '*' test.echo 'foo bar baz quo qux'
#[exec]
fn echo(text: Value) -> Result {
    Ok(text)
}

/// The Salt release that this minion stands in for. Its own version is the grain `brine_version`.
///
/// CLI Example: salt '*' test.version
#[exec]
fn version() -> Result<&'static str> {
    Ok(COMPAT_VERSION)
}

/// The value of the option `test.foo`, to try the minion's configuration.
///
/// CLI Example: salt '*' test.conf_test
#[exec]
fn conf_test(cx: &Cx) -> Result {
    cx.call("config.option", Args::positional(["test.foo"]))
}

/// All options of the minion.
///
/// CLI Example: salt '*' test.get_opts
#[exec]
fn get_opts(cx: &Cx) -> Result<Map> {
    Ok(cx.opts.map().clone())
}

/// All options of the minion with its grains among them, as a master may want to have them.
///
/// CLI Example: salt '*' test.opts_pkg
#[exec]
fn opts_pkg(cx: &Cx) -> Result<Map> {
    let mut opts = cx.opts.map().clone();
    opts.insert("grains", (*cx.grains).clone());
    Ok(opts)
}

/// Call another function with a list of arguments, to see that functions reach each other.
///
/// CLI Example: salt '*' test.cross_test file.gid_to_group 0
#[exec]
fn cross_test(cx: &Cx, func: String, args: Option<Vec<Value>>) -> Result {
    if cx.registry.get(&func).is_none() {
        return Err(CallError::exception("KeyError", python_repr(&func.into())));
    }
    cx.call(&func, Args { positional: args.unwrap_or_default(), keyword: Map::new() })
}

/// Call `grains.items` from within another function.
///
/// CLI Example: salt '*' test.attr_call
#[exec]
fn attr_call(cx: &Cx) -> Result {
    cx.call("grains.items", Args::none())
}

/// Return the keyword arguments, those that the master adds to a job among them.
///
/// CLI Example: salt '*' test.kwarg num=1 txt="two" env='{a: 1, b: "hello"}'
#[exec]
fn kwarg(kwargs: KwArgs) -> Result<Map> {
    Ok(kwargs.0)
}

/// Return all arguments as `args` and `kwargs`.
///
/// CLI Example: salt '*' test.arg 1 "two" 3.1 txt="hello" wow='{a: 1, b: "hello"}'
#[exec]
fn arg(args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    Ok(map! { "args" => args.0, "kwargs" => kwargs.0 })
}

/// Return the Python types that the arguments would have.
///
/// CLI Example: salt '*' test.arg_type 1 'int'
#[exec]
fn arg_type(args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    let args: Value = args.0.iter().map(type_of).collect();
    let kwargs: Map = kwargs.0.iter().map(|(key, value)| (key.clone(), type_of(value))).collect();
    Ok(map! { "args" => args, "kwargs" => kwargs })
}

fn type_of(value: &Value) -> String {
    format!("<class '{}'>", python_type(value))
}


/// Return the arguments as Python would print them.
///
/// CLI Example: salt '*' test.arg_repr 1 "two" 3.1 txt="hello" wow='{a: 1, b: "hello"}'
#[exec]
fn arg_repr(args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    Ok(map! { "args" => tuple_repr(&args.0), "kwargs" => python_repr(&kwargs.0.into()) })
}

/// Python's `repr` of a tuple.
fn tuple_repr(values: &[Value]) -> String {
    let inner: Vec<String> = values.iter().map(python_repr).collect();
    match inner.as_slice() {
        [one] => format!("({one},)"),
        all => format!("({})", all.join(", ")),
    }
}

/// Return all arguments as `test.arg` does, without what the master adds to a job.
///
/// CLI Example: salt '*' test.arg_clean 1 "two" 3.1 txt="hello"
#[exec]
fn arg_clean(args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    Ok(map! { "args" => args.0, "kwargs" => kwargs.clean() })
}

/// Return the data given, to try an outputter on it.
///
/// CLI Example: salt '*' test.outputter foobar
#[exec]
fn outputter(data: Value) -> Result {
    Ok(data)
}

/// Return `True` and set the job's return code.
///
/// CLI Example: salt '*' test.retcode 42
#[exec]
fn retcode(cx: &Cx, #[default(42)] code: Value) -> Result<bool> {
    cx.job.set_context("retcode", code);
    Ok(true)
}

/// Fail with a plain exception of this message.
///
/// CLI Example: salt '*' test.exception 'Oh noes!'
#[exec]
fn exception(#[default("Test Exception")] message: String) -> Result {
    Err(CallError::exception("Exception", message))
}

/// Where in the program this call runs, as text.
///
/// CLI Example: salt '*' test.stack
#[exec]
fn stack() -> Result<String> {
    Ok(std::backtrace::Backtrace::force_capture().to_string())
}

/// Moved to `cmd.tty`.
///
/// CLI Example: salt '*' test.tty tty0 'This is a test'
#[exec]
fn tty(_args: VarArgs, _kwargs: KwArgs) -> Result<&'static str> {
    Ok("ERROR: This function has been moved to cmd.tty")
}

/// Call a function with keyword arguments and return what it does, or `None` if it fails. With
/// `return_try_exception` the text of the failure is returned.
///
/// CLI Example: salt '*' test.try "disk.usage" return_try_exception=True
#[exec]
fn try_(
    cx: &Cx,
    module: String,
    #[default(false)] return_try_exception: bool,
    kwargs: KwArgs,
) -> Result {
    match cx.call(&module, Args { positional: Vec::new(), keyword: kwargs.0 }) {
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(CallError::Exception { message, .. }) if return_try_exception => Ok(message.into()),
        Err(e) if return_try_exception => Ok(e.to_string().into()),
        Err(_) => Ok(Value::Nil),
        Ok(value) => Ok(value),
    }
}

/// Fail if the value given is false.
///
/// CLI Example: salt '*' test.assertion False
#[exec]
fn assertion(assertion: Value) -> Result {
    // A word such as `False` given as text is true, as Python has it.
    if assertion.truthy() { Ok(Value::Nil) } else { Err(CallError::exception("AssertionError", "")) }
}

/// Return `True`.
///
/// CLI Example: salt '*' test.true
#[exec]
fn true_() -> Result<bool> {
    Ok(true)
}

/// Return `False`.
///
/// CLI Example: salt '*' test.false
#[exec]
fn false_() -> Result<bool> {
    Ok(false)
}

/// Log a deprecation warning and return `True`.
///
/// CLI Example: salt '*' test.deprecation_warning
#[exec]
fn deprecation_warning() -> Result<bool> {
    tracing::warn!("This is a test deprecation warning by version.");
    tracing::warn!("This is a test deprecation warning by date very far into the future (3000-01-01).");
    Ok(true)
}

/// A number as Python's `int()` reads it.
pub(crate) fn python_int(value: &Value) -> Result<i128> {
    let wrong = |shown: String| {
        CallError::exception("ValueError", format!("invalid literal for int() with base 10: {shown}"))
    };
    match value {
        Value::Int(i) => Ok(*i),
        Value::Bool(b) => Ok(i128::from(*b)),
        Value::Float(x) if x.is_finite() => Ok(x.trunc() as i128),
        Value::Float(x) if x.is_nan() => {
            Err(CallError::exception("ValueError", "cannot convert float NaN to integer"))
        }
        Value::Float(_) => {
            Err(CallError::exception("OverflowError", "cannot convert float infinity to integer"))
        }
        Value::Str(text) => text.trim().parse().map_err(|_| wrong(python_repr(value))),
        other => Err(CallError::Arguments(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            python_type(other)
        ))),
    }
}

/// Python's `str()` of several exception arguments.
fn exception_text(args: &[Value]) -> String {
    match args {
        [] => String::new(),
        [one] => python_str(one),
        all => tuple_repr(all),
    }
}
