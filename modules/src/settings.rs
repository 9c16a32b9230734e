//! What the modules for files of settings share: their lines as Python reads them, and writing them as a whole.
//! What stands in the lines is each module's own affair.

use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::file_lines;
pub(crate) use brine_core::text::python_strerror as strerror;
use brine_core::{Map, Value};
use std::io::Write;
use std::path::Path;

/// The text of a file opened for text, as stock opens it: line ends stay what they are.
pub(crate) fn text(path: &str) -> std::io::Result<String> {
    Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
}

/// The lines of such a text, each with its end.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    file_lines(text, true).into_iter()
}

/// Puts new contents into a file: all of them or none. One that is there keeps its mode and owner.
pub(crate) fn write(path: &str, contents: &[u8]) -> std::io::Result<()> {
    let mut new = tempfile::NamedTempFile::new()?;
    new.write_all(contents)?;
    brine_files::put(new.path(), Path::new(path))
}

/// Where a program is, or stock's error of the modules that look before they run one.
pub(crate) fn program(name: &str) -> Result<String> {
    crate::cmd::which::which(name)
        .ok_or_else(|| CallError::execution(format!("Command '{name}' cannot be found")))
}

/// What `cmd.run_all` returns for a line that is split into words without a shell.
pub(crate) fn run_line(cx: &Cx, line: &str) -> Result<Map> {
    let args = Args::positional([line]).with("python_shell", false);
    crate::tools::all_of(cx, args)
}

/// The code that a program ended with.
pub(crate) fn code(out: &Map) -> i64 {
    out.get("retcode").and_then(Value::as_int).unwrap_or(1)
}

/// One of the texts of what a program said.
pub(crate) fn said<'o>(out: &'o Map, which: &str) -> &'o str {
    out.get_str(which).unwrap_or_default()
}

/// Whether systemd runs this machine.
pub(crate) fn booted() -> bool {
    Path::new("/run/systemd/system").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_written_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f").to_string_lossy().into_owned();
        write(&path, b"a\r\nb\rc\n\xff").unwrap();
        let text = text(&path).unwrap();
        assert_eq!(lines(&text).collect::<Vec<_>>(), ["a\r\n", "b\r", "c\n", "\u{fffd}"]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(strerror(&std::io::Error::from_raw_os_error(2)), "No such file or directory");
    }
}
