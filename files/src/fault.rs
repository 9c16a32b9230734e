//! What goes wrong with files, in Python's words.

use brine_core::call::CallError;
use brine_core::text::python_repr;
use std::io::{Error, ErrorKind};
use std::path::Path;

/// Python's exception for a file that cannot be read or made.
pub(crate) fn file_error(e: &Error, path: &Path) -> CallError {
    let kind = match e.kind() {
        ErrorKind::NotFound => "FileNotFoundError",
        ErrorKind::PermissionDenied => "PermissionError",
        ErrorKind::IsADirectory => "IsADirectoryError",
        ErrorKind::NotADirectory => "NotADirectoryError",
        ErrorKind::AlreadyExists => "FileExistsError",
        _ => "OSError",
    };
    let text = e.to_string();
    let message = match e.raw_os_error() {
        Some(code) => {
            let text = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text);
            format!("[Errno {code}] {text}: {}", python_repr(&path.to_string_lossy().into_owned().into()))
        }
        None => format!("{}: {text}", path.display()),
    };
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
