//! Completion scripts for bash, zsh and fish: option names, and values that are files, directories or one of a list.

use super::help::choices;
use super::{Opt, Program};
use std::fmt::Write;

impl Program {
    /// The script for a shell: `bash`, `zsh` or `fish`.
    pub fn completion(&self, shell: &str) -> String {
        match shell {
            "zsh" => self.zsh(),
            "fish" => self.fish(),
            _ => self.bash(),
        }
    }

    fn bash(&self) -> String {
        let function = format!("_brine_{}", self.name.replace('-', "_"));
        let mut out = format!("# bash completion for {}\n{function}() {{\n", self.name);
        // `=` ends a word for bash, so `--option=va` is three of them.
        out.push_str(
            "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n    COMPREPLY=()\n    if [[ $cur == = ]]; \
             then\n        cur=\n    elif [[ $prev == = ]]; then\n        prev=${COMP_WORDS[COMP_CWORD-2]}\n    fi\n    case $prev in\n",
        );
        for option in self.options() {
            let action = match values(option) {
                Values::None => continue,
                Values::Files => {
                    "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")".to_owned()
                }
                Values::Dirs => {
                    "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")".to_owned()
                }
                Values::List(words) => {
                    format!("mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\")", words.join(" "))
                }
                Values::Any => ":".to_owned(),
            };
            let _ = write!(
                out,
                "        {})\n            {action}\n            return ;;\n",
                option.names.join("|")
            );
        }
        let all: Vec<&str> = self.options().flat_map(|o| o.names).copied().collect();
        let _ = write!(
            out,
            "    esac\n    if [[ $cur == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\")\n    fi\n}}\n\
             complete -o bashdefault -o default -F {function} {}\n",
            all.join(" "),
            self.name
        );
        out
    }

    fn zsh(&self) -> String {
        let mut out = format!("#compdef {}\n_arguments -s", self.name);
        for option in self.options() {
            let what = match values(option) {
                Values::None => String::new(),
                Values::Files => format!(":{}:_files", option.kind.metavar().unwrap_or_default()),
                Values::Dirs => ":DIR:_files -/".to_owned(),
                Values::List(words) => {
                    format!(":{}:({})", option.kind.metavar().unwrap_or_default(), words.join(" "))
                }
                Values::Any => format!(":{}: ", zsh_text(option.kind.metavar().unwrap_or_default())),
            };
            for name in option.names {
                let takes = match (option.kind.metavar(), name.starts_with("--")) {
                    (None, _) => "",
                    (Some(_), true) => "=",
                    (Some(_), false) => "+",
                };
                let others = option.names.join(" ");
                let _ = write!(
                    out,
                    " \\\n  {}",
                    quoted(&format!("({others}){name}{takes}[{}]{what}", zsh_text(option.help)))
                );
            }
        }
        out.push_str(" \\\n  '*:: :_default'\n");
        out
    }

    fn fish(&self) -> String {
        let mut out = format!("# fish completion for {}\n", self.name);
        for option in self.options() {
            let _ = write!(out, "complete -c {}", self.name);
            for name in option.names {
                match name.strip_prefix("--") {
                    Some(long) => write!(out, " -l {long}"),
                    None => write!(out, " -s {}", name.trim_start_matches('-')),
                }
                .ok();
            }
            match values(option) {
                Values::None => {}
                Values::Files => out.push_str(" -r -F"),
                Values::Dirs => out.push_str(" -x -a '(__fish_complete_directories)'"),
                Values::List(words) => {
                    let _ = write!(out, " -x -a '{}'", words.join(" "));
                }
                Values::Any => out.push_str(" -x"),
            }
            let _ = writeln!(out, " -d '{}'", option.help.replace('\\', "\\\\").replace('\'', "\\'"));
        }
        out
    }
}

/// What an option's value can be.
enum Values {
    None,
    Files,
    Dirs,
    List(&'static [&'static str]),
    Any,
}

fn values(option: &Opt) -> Values {
    match (option.kind.metavar(), choices(option)) {
        (None, _) => Values::None,
        (Some("FILE"), []) => Values::Files,
        (Some("DIR"), []) => Values::Dirs,
        (_, []) => Values::Any,
        (_, list) => Values::List(list),
    }
}

/// Text within a specification of zsh's `_arguments`.
fn zsh_text(plain: &str) -> String {
    plain.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
