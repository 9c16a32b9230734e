//! `SaltRenderError`, and errors about text that was encrypted.

use crate::template::RENDER_ERROR;
use brine_python::PyErr;

/// A `SaltRenderError` of this text alone.
pub(crate) fn render_error(text: impl Into<String>) -> PyErr {
    PyErr::new(RENDER_ERROR, text)
}

/// An error about text that was decrypted: it says where, but shows nothing of the text. Stock shows the lines around.
pub(super) fn hide(error: &PyErr, renderer: &str) -> PyErr {
    let line = line(&error.to_string()).map(|n| format!("; line {n}")).unwrap_or_default();
    PyErr::new(
        error.kind(),
        format!(
            "The renderer \"{renderer}\" failed with {} on text that was decrypted, which is not shown{line}",
            error.kind().name()
        ),
    )
}

/// The number after the last `line `.
fn line(text: &str) -> Option<u64> {
    text.rmatch_indices("line ").find_map(|(at, word)| {
        let digits = &text[at + word.len()..];
        digits[..digits.bytes().take_while(u8::is_ascii_digit).count()].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_about_secrets_say_where_and_no_more() {
        let error = render_error("Unknown tag 'hunter2'; line 3\n\n---\nhunter2\n---");
        let hidden = hide(&error, "jinja").to_string();
        assert!(!hidden.contains("hunter2") && hidden.ends_with("; line 3"), "{hidden}");
        assert!(hide(&render_error("hunter2"), "yaml").to_string().ends_with("not shown"));
    }
}
