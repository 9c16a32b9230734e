//! An exception by its name, as Salt's `raise_error` raises it: what the modules `error` are made of.

use brine_core::call::CallError;

/// Python's own exceptions that a function may fail with.
const BUILTIN: &str = "ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError \
    ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError EOFError \
    Exception FileExistsError FileNotFoundError FloatingPointError ImportError IndentationError IndexError \
    InterruptedError IsADirectoryError LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError \
    NotImplementedError OSError OverflowError PermissionError ProcessLookupError RecursionError ReferenceError \
    RuntimeError StopIteration SyntaxError SystemError SystemExit TabError TypeError UnboundLocalError UnicodeError \
    ValueError Warning ZeroDivisionError";

/// Salt's, as a traceback names them.
const SALT: &str = "salt.exceptions.ArgumentValueError salt.exceptions.AuthenticationError \
    salt.exceptions.AuthorizationError salt.exceptions.CheckError salt.exceptions.EauthAuthenticationError \
    salt.exceptions.FileLockError salt.exceptions.FileserverConfigError salt.exceptions.GitLockError \
    salt.exceptions.GitRemoteError salt.exceptions.InvalidConfigError salt.exceptions.InvalidEntityError \
    salt.exceptions.InvalidKeyError salt.exceptions.LoaderError salt.exceptions.LoggingRuntimeError \
    salt.exceptions.MasterExit salt.exceptions.MinionError salt.exceptions.NotImplemented \
    salt.exceptions.PkgParseError salt.exceptions.PublishError salt.exceptions.SaltCacheError \
    salt.exceptions.SaltClientTimeout salt.exceptions.SaltCloudException salt.exceptions.SaltConfigurationError \
    salt.exceptions.SaltDaemonNotRunning salt.exceptions.SaltDeserializationError salt.exceptions.SaltException \
    salt.exceptions.SaltMasterError salt.exceptions.SaltMasterUnresolvableError salt.exceptions.SaltNoMinionsFound \
    salt.exceptions.SaltRenderError salt.exceptions.SaltReqTimeoutError salt.exceptions.SaltRunnerError \
    salt.exceptions.SaltSyndicMasterError salt.exceptions.SaltSystemExit salt.exceptions.SaltValidationError \
    salt.exceptions.SaltWheelError salt.exceptions.TemplateError salt.exceptions.TimedProcTimeoutError \
    salt.exceptions.TimeoutError salt.exceptions.TokenAuthenticationError";

/// The failure of that name; one that neither Salt nor Python has is a `SaltException`.
pub(crate) fn error(name: &str, message: &str) -> CallError {
    let message = message.to_owned();
    match name {
        "CommandExecutionError" => return CallError::Execution(message),
        "SaltInvocationError" => return CallError::Invocation(message),
        "CommandNotFoundError" => return CallError::CommandNotFound(message),
        "SaltClientError" => return CallError::Client(message),
        "TypeError" => return CallError::Arguments(message),
        _ => {}
    }
    let salts = SALT.split_whitespace().find(|known| known.rsplit('.').next() == Some(name));
    let known = salts.or_else(|| BUILTIN.split_whitespace().find(|known| *known == name));
    match (known, name) {
        (None, "KeyError") => {
            CallError::exception("KeyError", brine_core::text::python_repr(&message.into()))
        }
        (None, "") => CallError::exception("Exception", message),
        (known, _) => CallError::exception(known.unwrap_or("salt.exceptions.SaltException"), message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_salts_first_then_pythons() {
        let last = |name: &str| error(name, "m").traceback().lines().nth(1).unwrap().to_owned();
        assert_eq!(last("ValueError"), "ValueError: m");
        assert_eq!(last("TimeoutError"), "salt.exceptions.TimeoutError: m");
        assert_eq!(last("SaltInvocationError"), "salt.exceptions.SaltInvocationError: m");
        assert_eq!(last("Nonesuch"), "salt.exceptions.SaltException: m");
        assert_eq!(last("KeyError"), "KeyError: 'm'");
    }
}
