//! The colours of the terminal, or their absence: by Salt's names, a theme's, or one for all.

use crate::yaml;
use brine_core::text::python_str;
use brine_protocol::{Map, Value};
use std::borrow::Cow;
use std::path::Path;

/// An escape sequence, or empty text where there are no colours.
pub type Code = Cow<'static, str>;

macro_rules! colors {
    ($($field:ident $name:literal $code:literal,)*) => {
        /// Escape sequences by Salt's names.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names say it")]
        pub struct Colors {
            $(pub $field: Code,)*
        }

        impl Colors {
            /// Colours, or empty texts in their place.
            pub fn new(on: bool) -> Self {
                Self { $($field: Cow::Borrowed(if on { $code } else { "" }),)* }
            }

            /// The sequence that has a name.
            fn named(&mut self, name: &str) -> Option<&mut Code> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }

            /// Every colour, but not the sequence that ends them.
            fn all_but_end(&mut self, code: &Code) {
                let end = self.endc.clone();
                $(self.$field = code.clone();)*
                self.endc = end;
            }
        }
    };
}

colors! {
    black "BLACK" "\x1b[0;30m",
    dark_gray "DARK_GRAY" "\x1b[0;1;30m",
    red "RED" "\x1b[0;31m",
    light_red "LIGHT_RED" "\x1b[0;1;31m",
    green "GREEN" "\x1b[0;32m",
    light_green "LIGHT_GREEN" "\x1b[0;1;32m",
    yellow "YELLOW" "\x1b[0;33m",
    light_yellow "LIGHT_YELLOW" "\x1b[0;1;33m",
    blue "BLUE" "\x1b[0;34m",
    light_blue "LIGHT_BLUE" "\x1b[0;1;34m",
    magenta "MAGENTA" "\x1b[0;35m",
    light_magenta "LIGHT_MAGENTA" "\x1b[0;1;35m",
    cyan "CYAN" "\x1b[0;36m",
    light_cyan "LIGHT_CYAN" "\x1b[0;1;36m",
    light_gray "LIGHT_GRAY" "\x1b[0;37m",
    white "WHITE" "\x1b[0;1;37m",
    default_color "DEFAULT_COLOR" "\x1b[0;39m",
    endc "ENDC" "\x1b[0;0m",
}

impl Colors {
    /// As the option `color` says, which may name the one colour that stands for all, with the colours of the theme
    /// in the file that `color_theme` names.
    pub(super) fn chosen(color: &Value, theme: &str) -> Self {
        if !color.truthy() {
            return Self::new(false);
        }
        let mut colors = Self::new(true);
        let own = if theme.is_empty() { Map::new() } else { colors.apply_theme(theme) };
        if let Some(name) = color.as_str() {
            let one = colors.named(name).cloned().or_else(|| own.get(name).map(sequence));
            if let Some(one) = one {
                colors.all_but_end(&one);
            }
        }
        colors
    }

    /// Takes over a theme, which may have names of its own: a YAML map of names and codes, as `RED: "38;5;1"`.
    fn apply_theme(&mut self, file: &str) -> Map {
        if !Path::new(file).is_file() {
            tracing::warn!("The named theme {file} if not available");
        }
        let theme = std::fs::read_to_string(file).ok().and_then(|text| yaml::load(&text).ok());
        let Some(Value::Map(theme)) = theme else {
            tracing::warn!("Failed to read the color theme {file}");
            return Map::new();
        };
        for (name, code) in &theme {
            if let Some(place) = name.as_str().and_then(|name| self.named(name)) {
                *place = sequence(code);
            }
        }
        theme
    }
}

fn sequence(code: &Value) -> Code {
    format!("\x1b[{}m", python_str(code)).into()
}
