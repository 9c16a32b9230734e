//! The colours of the terminal, or their absence.

/// Escape sequences by Salt's names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Colors {
    pub red: &'static str,
    pub light_red: &'static str,
    pub green: &'static str,
    pub light_green: &'static str,
    pub yellow: &'static str,
    pub light_yellow: &'static str,
    pub blue: &'static str,
    pub light_blue: &'static str,
    pub magenta: &'static str,
    pub light_magenta: &'static str,
    pub cyan: &'static str,
    pub light_cyan: &'static str,
    pub endc: &'static str,
}

impl Colors {
    /// Colours, or empty texts in their place.
    pub fn new(on: bool) -> Self {
        let c = |code| if on { code } else { "" };
        Self {
            red: c("\x1b[0;31m"),
            light_red: c("\x1b[0;1;31m"),
            green: c("\x1b[0;32m"),
            light_green: c("\x1b[0;1;32m"),
            yellow: c("\x1b[0;33m"),
            light_yellow: c("\x1b[0;1;33m"),
            blue: c("\x1b[0;34m"),
            light_blue: c("\x1b[0;1;34m"),
            magenta: c("\x1b[0;35m"),
            light_magenta: c("\x1b[0;1;35m"),
            cyan: c("\x1b[0;36m"),
            light_cyan: c("\x1b[0;1;36m"),
            endc: c("\x1b[0;0m"),
        }
    }
}
