//! `test.raise_exception`: a failure of any kind that Python or Salt knows, by name.

use super::exception_text;
use brine_core::call::{CallError, KwArgs, Result, VarArgs, exec};
use brine_core::text::{python_repr, python_str};
use brine_core::Value;

/// Python's own exceptions.
const BUILTIN: &[&str] = &[
    "ArithmeticError", "AssertionError", "AttributeError", "BaseException", "BlockingIOError", "BrokenPipeError",
    "BufferError", "ChildProcessError", "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError",
    "ConnectionResetError", "DeprecationWarning", "EOFError", "Exception", "FileExistsError", "FileNotFoundError",
    "FloatingPointError", "FutureWarning", "GeneratorExit", "ImportError", "IndentationError", "IndexError",
    "InterruptedError", "IsADirectoryError", "KeyError", "KeyboardInterrupt", "LookupError", "MemoryError",
    "ModuleNotFoundError", "NameError", "NotADirectoryError", "NotImplementedError", "OSError", "OverflowError",
    "PermissionError", "ProcessLookupError", "RecursionError", "ReferenceError", "RuntimeError", "StopIteration",
    "SyntaxError", "SystemError", "SystemExit", "TabError", "TimeoutError", "TypeError", "UnboundLocalError",
    "UnicodeError", "UserWarning", "ValueError", "Warning", "ZeroDivisionError",
];

/// Salt's.
const SALT: &[&str] = &[
    "AuthenticationError", "AuthorizationError", "CommandNotFoundError", "EauthAuthenticationError",
    "FileLockError", "FileserverConfigError", "GitLockError", "InvalidConfigError", "InvalidEntityError",
    "LoaderError", "LoggingRuntimeError", "MasterExit", "MinionError", "MissingSmb", "NotImplemented", "PkgParseError",
    "PublishError", "SaltCacheError", "SaltClientError", "SaltClientTimeout", "SaltConfigurationError",
    "SaltDaemonNotRunning", "SaltDeserializationError", "SaltException", "SaltInvocationError", "SaltMasterError",
    "SaltMasterUnresolvableError", "SaltNoMinionsFound", "SaltRenderError", "SaltReqTimeoutError",
    "SaltRunnerError", "SaltSyndicMasterError", "SaltSystemExit", "SaltValidationError", "SaltWheelError",
    "TemplateError", "TimedProcTimeoutError", "TimeoutError", "TokenAuthenticationError",
];

/// Fail with an exception by name, `OSError` or `salt.exceptions.CommandExecutionError`, made of these arguments.
/// Returns `False` if there is no such exception.
///
/// CLI Example: salt '*' test.raise_exception OSError 2 'No such file or directory' /tmp/foo.txt
#[exec]
fn raise_exception(name: String, args: VarArgs, _kwargs: KwArgs) -> Result<bool> {
    let args = args.0;
    let known = |list: &[&'static str], name: &str| list.iter().find(|known| **known == name).copied();
    if let Some(name) = name.strip_prefix("salt.exceptions.") {
        return match name {
            "CommandExecutionError" => Err(CallError::Execution(exception_text(&args))),
            "SaltInvocationError" => Err(CallError::Invocation(exception_text(&args))),
            "CommandNotFoundError" => Err(CallError::CommandNotFound(exception_text(&args))),
            _ => match known(SALT, name) {
                Some(kind) => Err(CallError::exception(kind, exception_text(&args))),
                None => unknown(name),
            },
        };
    }
    match known(BUILTIN, &name) {
        Some("OSError") => Err(os_error(&args)),
        Some("KeyError") if args.len() == 1 => Err(CallError::exception("KeyError", python_repr(&args[0]))),
        Some("TypeError") => Err(CallError::Arguments(exception_text(&args))),
        Some(kind) => Err(CallError::exception(kind, exception_text(&args))),
        None => unknown(&name),
    }
}

fn unknown(name: &str) -> Result<bool> {
    tracing::error!("No such exception: {name}");
    Ok(false)
}

/// Python finds the class by the error number, and shows number, text and file apart.
fn os_error(args: &[Value]) -> CallError {
    let kind = match args.first().and_then(Value::as_int) {
        Some(1 | 13) => "PermissionError",
        Some(2) => "FileNotFoundError",
        Some(3) => "ProcessLookupError",
        Some(4) => "InterruptedError",
        Some(10) => "ChildProcessError",
        Some(11) => "BlockingIOError",
        Some(17) => "FileExistsError",
        Some(20) => "NotADirectoryError",
        Some(21) => "IsADirectoryError",
        Some(32) => "BrokenPipeError",
        Some(110) => "TimeoutError",
        Some(111) => "ConnectionRefusedError",
        _ => "OSError",
    };
    match args {
        [number, text] => {
            CallError::exception(kind, format!("[Errno {}] {}", python_str(number), python_str(text)))
        }
        [number, text, file, ..] => CallError::exception(
            kind,
            format!("[Errno {}] {}: {}", python_str(number), python_str(text), python_repr(file)),
        ),
        _ => CallError::exception("OSError", exception_text(args)),
    }
}
