//! A program of many commands, each with a command line of its own: which one is meant, and the pages of all of them together.

use super::complete::{bash_head, bash_options, fish_options, fish_text, zsh_options};
use super::help::entry;
use super::{Opt, Program};
use std::fmt::Write;

/// A program and its commands.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// The program itself: its options are those before a command.
    pub program: &'static Program,
    /// The commands. Their names are whole, the program's in front: `pj create domain`; two words behind it at most.
    pub commands: &'static [&'static Program],
}

/// The words of a command behind the program's name.
fn words(command: &Program) -> Vec<&'static str> {
    command.name.split(' ').skip(1).collect()
}

impl Suite {
    /// The command that a command line (without the program's name) begins with, and how many words name it.
    pub fn command(&self, line: &[String]) -> Option<(&'static Program, usize)> {
        let named = |c: &&&'static Program| {
            words(c).iter().zip(line).filter(|(a, b)| *a == b).count() == words(c).len()
        };
        let found = self.commands.iter().filter(named).max_by_key(|c| words(c).len())?;
        Some((found, words(found).len()))
    }

    /// What can follow some words of a command: `domain`, `system` after `create`.
    pub fn next(&self, line: &[&str]) -> Vec<&'static str> {
        let mut all: Vec<&'static str> = Vec::new();
        for command in self.commands {
            let words = words(command);
            match words.get(line.len()).copied() {
                Some(next) if words.starts_with(line) && !all.contains(&next) => all.push(next),
                _ => {}
            }
        }
        all
    }

    /// The help page: the program's, with a list of the commands.
    pub fn help(&self) -> String {
        let mut out = self.program.help();
        out.push_str("\nCommands:\n");
        for command in self.commands {
            entry(&mut out, &words(command).join(" "), command.about);
        }
        out
    }

    /// The man page: the program's, then that of each command.
    pub fn man(&self, version: &str) -> String {
        let mut out = self.program.man(version);
        out.push_str(".SH COMMANDS\n");
        for command in self.commands {
            out.push_str(&command.man_part());
        }
        out
    }

    /// The script that completes the words and options of all commands for a shell: `bash`, `zsh` or `fish`.
    pub fn completion(&self, shell: &str) -> String {
        match shell {
            "zsh" => self.zsh(),
            "fish" => self.fish(),
            _ => self.bash(),
        }
    }

    /// First words that need a second one.
    fn groups(&self) -> Vec<&'static str> {
        self.next(&[]).into_iter().filter(|first| !self.next(&[first]).is_empty()).collect()
    }

    fn bash(&self) -> String {
        let name = self.program.name;
        let function = format!("_brine_{name}");
        let mut out = bash_head(name, &function);
        // Blanks in front and behind, so that words are whole.
        out.push_str("    case \" ${COMP_WORDS[*]:1:COMP_CWORD-1} \" in\n");
        for command in self.commands {
            let _ = writeln!(out, "        \" {} \"*)", words(command).join(" "));
            out.push_str(&bash_options(command.options(), "            "));
            out.push_str("            ;;\n");
        }
        let word = |out: &mut String, pattern: &str, next: Vec<&str>| {
            let list = next.join(" ");
            let _ = writeln!(out, "        {pattern})");
            let _ = writeln!(out, "            mapfile -t COMPREPLY < <(compgen -W '{list}' -- \"$cur\") ;;");
        };
        for group in self.groups() {
            word(&mut out, &format!("\" {group} \""), self.next(&[group]));
        }
        let own: Vec<&str> = self.program.options().flat_map(|o: &'static Opt| o.names).copied().collect();
        word(&mut out, "\"  \"", [self.next(&[]), own].concat());
        let _ = write!(out, "    esac\n}}\ncomplete -o bashdefault -o default -F {function} {name}\n");
        out
    }

    fn zsh(&self) -> String {
        let name = self.program.name;
        let mut out = format!("#compdef {name}\nlocal curcontext=$curcontext state line\n_arguments -C");
        out.push_str(&zsh_options(self.program.options(), "  "));
        let _ = writeln!(out, " \\\n  '1: :({})' '*:: :->rest'", self.next(&[]).join(" "));
        out.push_str("[[ $state == rest ]] || return\ncase $line[1] in\n");
        for command in self.commands {
            if let [one] = words(command).as_slice() {
                let options = zsh_options(command.options(), "    ");
                let _ = write!(out, "{one})\n  _arguments -s{options} \\\n    '*:: :_default' ;;\n");
            }
        }
        for group in self.groups() {
            let _ = writeln!(
                out,
                "{group})\n  _arguments -C '1: :({})' '*:: :->more'",
                self.next(&[group]).join(" ")
            );
            out.push_str("  [[ $state == more ]] || return\n  case $line[1] in\n");
            for command in self.commands.iter().filter(|c| words(c).first() == Some(&group)) {
                if let [_, second] = words(command).as_slice() {
                    let options = zsh_options(command.options(), "    ");
                    let _ =
                        write!(out, "  {second})\n    _arguments -s{options} \\\n    '*:: :_default' ;;\n");
                }
            }
            out.push_str("  esac ;;\n");
        }
        out + "esac\n"
    }

    fn fish(&self) -> String {
        let name = self.program.name;
        let mut out = format!("# fish completion for {name}\n");
        out.push_str(&fish_options(self.program.options(), name, "__fish_use_subcommand"));
        for command in self.commands {
            let words = words(command);
            let seen: Vec<String> =
                words.iter().map(|w| format!("__fish_seen_subcommand_from {w}")).collect();
            if let Some((last, before)) = words.split_last() {
                let condition = match before {
                    [] => "__fish_use_subcommand".to_owned(),
                    [first, ..] => {
                        let others = self.next(&[first]).join(" ");
                        format!(
                            "__fish_seen_subcommand_from {first}; and not __fish_seen_subcommand_from {others}"
                        )
                    }
                };
                let about = fish_text(command.about);
                let _ = writeln!(out, "complete -c {name} -f -n '{condition}' -a {last} -d '{about}'");
            }
            out.push_str(&fish_options(command.options(), name, &seen.join("; and ")));
        }
        for group in self.groups() {
            let _ = writeln!(out, "complete -c {name} -f -n '__fish_use_subcommand' -a {group}");
        }
        out
    }

    /// What is wrong with the tables; nothing, if they are sound. For tests.
    pub fn faults(&self) -> Vec<String> {
        let all = std::iter::once(self.program).chain(self.commands.iter().copied());
        all.flat_map(|p| p.faults().into_iter().map(|f| format!("{}: {f}", p.name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PAGES, Section, flag, value};
    use super::*;

    const ALL: Opt = flag(&["-a", "--all"], "all", "All: it's [much].");
    const DIR: Opt = value(&["-d", "--dir"], "dir", "DIR", "Where.");
    const LIST: Program = Program {
        name: "p list",
        usage: "[options]",
        about: "Lists.",
        sections: &[Section { title: "Options", options: &[ALL] }],
        exits: &[],
    };
    const MAKE: Program = Program {
        name: "p make cake",
        usage: "[options]",
        about: "Bakes.",
        sections: &[Section { title: "Options", options: &[DIR] }],
        exits: &[],
    };
    const SUITE: Suite = Suite {
        program: &Program { name: "p", usage: "<command>", about: "About.", sections: &[PAGES], exits: &[] },
        commands: &[&LIST, &MAKE],
    };

    fn line(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_command_is_found_by_all_of_its_words() {
        let found = |text: &str| SUITE.command(&line(text)).map(|(p, n)| (p.name, n));
        assert_eq!(found("list -a"), Some(("p list", 1)));
        assert_eq!(found("make cake -d x"), Some(("p make cake", 2)));
        assert_eq!((found("make"), found("make pie"), found("-a list"), found("")), (None, None, None, None));
        assert_eq!((SUITE.next(&[]), SUITE.next(&["make"])), (vec!["list", "make"], vec!["cake"]));
        assert_eq!(SUITE.faults(), Vec::<String>::new());
    }

    #[test]
    fn the_pages_name_every_command_and_option() {
        let pages =
            [SUITE.man("1"), SUITE.completion("bash"), SUITE.completion("zsh"), SUITE.completion("fish")];
        for page in &pages {
            for word in ["list", "make", "cake", "all", "dir", "help"] {
                assert!(page.contains(word), "{word} in {page}");
            }
        }
        assert!(
            SUITE.help().contains(
                "\nCommands:\n  list                    Lists.\n  make cake               Bakes.\n"
            )
        );
    }

    #[test]
    fn bash_completes_words_options_and_values() {
        let script = SUITE.completion("bash");
        let complete = |words: &[&str]| {
            let list = words.join(" ");
            let at = words.len() - 1;
            let ask = format!(
                "{script}\nCOMP_WORDS=({list}); [ {at} -lt ${{#COMP_WORDS[@]}} ] || COMP_WORDS+=(''); COMP_CWORD={at}\n_brine_p 2>/dev/null; echo ${{COMPREPLY[*]}}"
            );
            let out = std::process::Command::new("bash").args(["-c", &ask]).output().unwrap();
            String::from_utf8(out.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(complete(&["p", "l"]), "list");
        assert_eq!(complete(&["p", "make", "c"]), "cake");
        assert_eq!(complete(&["p", "list", "--a"]), "--all");
        assert_eq!(complete(&["p", "make", "cake", "--"]), "--dir");
        assert_eq!(complete(&["p", "make", "cake", "-d", "/us"]), "/usr");
    }
}
