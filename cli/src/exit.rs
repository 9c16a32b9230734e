//! How a command ends: the one place that turns errors into text and exit code.

use std::io::Write;
use std::process::ExitCode;

/// Salt's `EX_GENERIC`.
pub const GENERIC: u8 = 1;
/// No return at all.
pub const NO_RETURN: u8 = 2;
/// Salt's `EX_USAGE`: the command line is wrong.
pub const USAGE: u8 = 64;
/// What stock ends with when a command line lacks its target or function.
pub const INCOMPLETE: u8 = 42;
/// Salt's `EX_NOUSER`: another user than the configured one runs the command.
pub const NO_USER: u8 = 67;
/// Salt's `EX_NOPERM`: not allowed.
pub const NO_PERMISSION: u8 = 77;

/// Why a command ends early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Wrong use of the command line: the whole text for stderr, usage line included.
    #[error("{0}")]
    Usage(String),
    /// The command line ends too early: stock's own exit code, after the help page.
    #[error("{message}")]
    Incomplete {
        /// The help page, for stdout.
        help: String,
        /// What is missing, for stderr as it is.
        message: String,
    },
    /// The configuration cannot be read.
    #[error("{0}")]
    Config(String),
    /// A file of the master cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// What was touched.
        path: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The master refused or does not answer; the text is for the user.
    #[error("{0}")]
    Client(String),
    /// Already said all there is to say: only the exit code is left.
    #[error("exit code {0}")]
    Code(u8),
}

impl CliError {
    /// A file error.
    pub fn io(path: impl AsRef<std::path::Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().display().to_string(), source }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Incomplete { .. } => INCOMPLETE,
            Self::Config(_) | Self::Client(_) => GENERIC,
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => NO_PERMISSION,
            Self::Io { .. } => GENERIC,
            Self::Code(code) => *code,
        }
    }
}

impl From<brine_client::Error> for CliError {
    fn from(e: brine_client::Error) -> Self {
        match e {
            brine_client::Error::Io { path, source } => Self::io(path, source),
            other => Self::Client(other.to_string()),
        }
    }
}

/// What every command's `run` returns.
pub type Result<T = ()> = std::result::Result<T, CliError>;

/// Prints the error, if there is one, and gives the exit code.
pub fn finish(program: &str, result: Result) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            match &e {
                CliError::Code(_) => {}
                CliError::Incomplete { help, message } => {
                    let mut out = std::io::stdout().lock();
                    let _ = out.write_all(help.as_bytes()).and_then(|()| out.flush());
                    eprint!("{message}");
                }
                CliError::Usage(text) => eprint!("{text}"),
                // As stock's does.
                other if program == "salt-key" => eprintln!("Error: {other}"),
                other => eprintln!("{program}: {other}"),
            }
            ExitCode::from(e.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stocks() {
        assert_eq!(CliError::Usage(String::new()).code(), 64);
        assert_eq!(CliError::Client(String::new()).code(), 1);
        assert_eq!(CliError::Code(5).code(), 5);
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert_eq!(CliError::io("/x", denied).code(), 77);
    }
}
