//! What `salt-call` prints: a result through an outputter, to the terminal or a file; documentation.

use super::failure::Failure;
use brine_core::call::Cx;
use brine_core::{Opts, Value};
use brine_render::out::{self, Style};
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};

/// Prints data with the outputter `out`, unless the options name another.
pub(super) fn result(data: &Value, out: &str, opts: &Opts, retcode: i64) -> Result<(), Failure> {
    let mut style = Style::new(opts, io::stdout().is_terminal());
    style.retcode = retcode;
    let text = out::format(data, Some(out), opts, &style);
    if text.is_empty() {
        return Ok(());
    }
    let file = opts.str("output_file");
    if file.is_empty() {
        super::print(&format!("{text}\n"));
        return Ok(());
    }
    let append = opts.flag("output_file_append");
    OpenOptions::new()
        .create(true)
        .append(append)
        .truncate(!append)
        .write(true)
        .open(file)
        .and_then(|mut f| f.write_all(format!("{text}\n").as_bytes()))
        .map_err(|e| Failure::text(format!("cannot write {file}: {e}")))
}

/// Prints the documentation of the functions whose names begin so.
pub(super) fn docs(cx: &Cx, prefix: &str) -> u8 {
    for (name, function) in cx.registry.iter().filter(|(n, f)| n.starts_with(prefix) && !f.doc.is_empty()) {
        super::print(&format!("{name}:\n{}\n\n", function.doc));
    }
    0
}
