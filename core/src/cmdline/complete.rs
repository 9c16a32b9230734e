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
        let mut out = bash_head(self.name, &function);
        out.push_str(&bash_options(self.options(), "    "));
        let _ = write!(out, "}}\ncomplete -o bashdefault -o default -F {function} {}\n", self.name);
        out
    }

    fn zsh(&self) -> String {
        let options = zsh_options(self.options(), "  ");
        format!("#compdef {}\n_arguments -s{options} \\\n  '*:: :_default'\n", self.name)
    }

    fn fish(&self) -> String {
        format!("# fish completion for {}\n{}", self.name, fish_options(self.options(), self.name, ""))
    }
}

/// The beginning of a script for bash: the function, and what it knows of the words so far.
pub(super) fn bash_head(name: &str, function: &str) -> String {
    // `=` ends a word for bash, so `--option=va` is three of them.
    format!(
        "# bash completion for {name}\n{function}() {{\n    local cur=${{COMP_WORDS[COMP_CWORD]}} \
         prev=${{COMP_WORDS[COMP_CWORD-1]}}\n    COMPREPLY=()\n    if [[ $cur == = ]]; then\n        cur=\n    elif [[ $prev == = \
         ]]; then\n        prev=${{COMP_WORDS[COMP_CWORD-2]}}\n    fi\n"
    )
}

/// What completes options and their values in bash, indented.
pub(super) fn bash_options(options: impl Iterator<Item = &'static Opt>, indent: &str) -> String {
    let options: Vec<&Opt> = options.collect();
    let mut out = format!("{indent}case $prev in\n");
    for option in &options {
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
        let names = option.names.join("|");
        let _ = write!(out, "{indent}    {names})\n{indent}        {action}\n{indent}        return ;;\n");
    }
    let all: Vec<&str> = options.iter().flat_map(|o| o.names).copied().collect();
    let _ = write!(
        out,
        "{indent}esac\n{indent}if [[ $cur == -* ]]; then\n{indent}    mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\")\n\
         {indent}fi\n",
        all.join(" "),
    );
    out
}

/// Options as words for zsh's `_arguments`, each on a line of its own behind a backslash.
pub(super) fn zsh_options(options: impl Iterator<Item = &'static Opt>, indent: &str) -> String {
    let mut out = String::new();
    for option in options {
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
                " \\\n{indent}{}",
                quoted(&format!("({others}){name}{takes}[{}]{what}", zsh_text(option.help)))
            );
        }
    }
    out
}

/// Options for fish, where a condition of its own holds; empty: always.
pub(super) fn fish_options(
    options: impl Iterator<Item = &'static Opt>,
    name: &str,
    condition: &str,
) -> String {
    let mut out = String::new();
    for option in options {
        let _ = write!(out, "complete -c {name}");
        if !condition.is_empty() {
            let _ = write!(out, " -n '{condition}'");
        }
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
        let _ = writeln!(out, " -d '{}'", fish_text(option.help));
    }
    out
}

/// Text within single quotes of fish.
pub(super) fn fish_text(plain: &str) -> String {
    plain.replace('\\', "\\\\").replace('\'', "\\'")
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
