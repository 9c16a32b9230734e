//! What goes wrong with files, in Python's words.

use brine_core::call::CallError;
use brine_core::text::python_os_error;
use std::io::{Error, ErrorKind};
use std::path::Path;

/// Python's exception for a file that cannot be read or made.
pub fn file_error(e: &Error, path: &Path) -> CallError {
    let kind = match e.kind() {
        ErrorKind::NotFound => "FileNotFoundError",
        ErrorKind::PermissionDenied => "PermissionError",
        ErrorKind::IsADirectory => "IsADirectoryError",
        ErrorKind::NotADirectory => "NotADirectoryError",
        ErrorKind::AlreadyExists => "FileExistsError",
        _ => "OSError",
    };
    let path = path.to_string_lossy();
    let text = python_os_error(e, &path);
    let message = if e.raw_os_error().is_some() { text } else { format!("{path}: {text}") };
    CallError::exception(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_as_python_does() {
        let e = std::fs::read("/nonexistent").unwrap_err();
        let text = file_error(&e, Path::new("/nonexistent")).to_string();
        assert_eq!(text, "FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent'");
    }
}
