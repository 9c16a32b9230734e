//! How a failed template is told: `SaltRenderError` with the line and the lines around it.

use super::excerpt::{MARKER, get_context};
use brine_jinja::Failure;
use brine_python::{Kind, PyErr};

/// The class `salt.exceptions.SaltRenderError`.
pub const RENDER_ERROR: Kind = Kind::Other("SaltRenderError");

/// `SaltRenderError(message, line, buffer, trace=trace)`.
pub fn render_error(message: &str, line: usize, buffer: &str, trace: Option<&str>) -> PyErr {
    let mut text = message.to_owned();
    if let Some(trace) = trace {
        text.push_str(&format!("\n{trace}\n"));
    }
    if line > 0 && !buffer.is_empty() {
        text.push_str(&format!("; line {line}\n\n{}", get_context(buffer, line, MARKER)));
    }
    PyErr::new(RENDER_ERROR, text)
}

/// A failed template in stock's words. `text` is the template that was rendered, `sls` the SLS, if it is one.
pub(super) fn failed(failure: &Failure, text: &str, sls: Option<&str>) -> PyErr {
    let error = &failure.error;
    let (mut line, mut shown_file) = (0, String::new());
    if let Some(trace) = &failure.trace {
        line = trace.line as usize;
        if let Some(file) = &trace.file
            && sls.is_none_or(|sls| !file.ends_with(&sls.replace('.', "/")))
            && let Ok(contents) = std::fs::read_to_string(&**file)
        {
            shown_file = format!("\n{file}({line}):\n{}", get_context(&contents, line, MARKER));
            line = 0;
        }
    }
    let text = if line == 0 { "" } else { text };
    match error.kind() {
        Kind::Other("UndefinedError") => {
            render_error(&format!("Jinja variable {error}{shown_file}"), line, text, None)
        }
        Kind::Other(
            "TemplateRuntimeError"
            | "FilterArgumentError"
            | "SecurityError"
            | "TemplateSyntaxError"
            | "TemplateAssertionError",
        ) => render_error(&format!("Jinja syntax error: {error}{shown_file}"), line, text, None),
        Kind::Other("SaltInvocationError" | "CommandExecutionError" | "CommandNotFoundError") => {
            render_error(
                &format!("Problem running salt function in Jinja template: {error}{shown_file}"),
                line,
                text,
                None,
            )
        }
        kind => {
            let trace = format!("Traceback (most recent call last):\n{}: {error}\n", kind.name());
            let text = if line == 0 { String::new() } else { format!("{text}\n{trace}") };
            render_error(&format!("Jinja error: {error}{shown_file}"), line, &text, Some(&trace))
        }
    }
}
