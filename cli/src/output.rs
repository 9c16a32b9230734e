//! Where and how a command prints data: the output options, over the outputters of `brine_render`.

use crate::exit::{CliError, Result};
use brine_core::Opts;
use brine_protocol::{Map, Value};
use brine_render::out::{Style, format};
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};

/// The output of one run.
pub(crate) struct Output {
    opts: Opts,
    style: Style,
    /// `--out-file`; else standard output.
    file: Option<(String, RefCell<File>)>,
}

impl Output {
    /// As the options ask.
    pub(crate) fn new(opts: &Opts) -> Result<Self> {
        let file = match opts.get("output_file").and_then(Value::as_str) {
            None | Some("") => None,
            Some(path) => {
                let append = opts.flag("output_file_append");
                let file =
                    OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(path);
                Some((path.to_owned(), RefCell::new(file.map_err(|e| CliError::io(path, e))?)))
            }
        };
        let style = Style::new(opts, file.is_none() && std::io::stdout().is_terminal());
        Ok(Self { opts: opts.clone(), style, file })
    }

    /// Whether the user has chosen a format.
    pub(crate) fn chosen(&self) -> bool {
        !self.opts.str("output").is_empty()
    }

    /// Prints data; `default` is the format where the user has chosen none.
    pub(crate) fn show(&self, data: &Value, default: &str) -> Result {
        self.print(&format(data, Some(default), &self.opts, &self.style))
    }

    /// Prints returns of minions: `out` is what the function asks for, or empty text; a failed one is red.
    pub(crate) fn show_return(&self, returns: &Map, out: &str, retcode: i64) -> Result {
        let style = Style { retcode, ..self.style.clone() };
        let out = Some(out).filter(|o| !o.is_empty());
        self.print(&format(&Value::Map(returns.clone()), out, &self.opts, &style))
    }

    /// Prints a message in place of returns, in the colour of failures.
    pub(crate) fn show_text(&self, text: &str) -> Result {
        let style = Style { retcode: 1, ..self.style.clone() };
        self.print(&format(&text.into(), None, &self.opts, &style))
    }

    /// Prints a line of text to standard output, whatever format was chosen.
    pub(crate) fn line(&self, text: &str) -> Result {
        stdout(text)
    }

    fn print(&self, text: &str) -> Result {
        if text.is_empty() {
            return Ok(());
        }
        match &self.file {
            None => stdout(text),
            Some((path, file)) => writeln!(file.borrow_mut(), "{text}").map_err(|e| CliError::io(path, e)),
        }
    }
}

/// A reader that has gone away (`salt ... | head`) ends the command quietly.
fn stdout(text: &str) -> Result {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|e| match e.kind() {
        std::io::ErrorKind::BrokenPipe => CliError::Code(crate::exit::GENERIC),
        _ => CliError::io("standard output", e),
    })
}
