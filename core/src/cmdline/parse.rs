//! Python optparse's reading of a command line: clustered short options, abbreviated long ones, options after
//! arguments, `--` ending them; and its words for what is wrong.

use super::{Kind, Opt, Program, float, int};

/// A command line taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    values: Vec<Given>,
    /// What is no option, in order.
    pub args: Vec<String>,
}

/// One option that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    dest: &'static str,
    name: &'static str,
    text: String,
}

impl Parsed {
    /// Whether an option was given.
    pub fn has(&self, dest: &str) -> bool {
        self.values.iter().any(|g| g.dest == dest)
    }

    /// The last value given.
    pub fn get(&self, dest: &str) -> Option<&str> {
        self.values.iter().rev().find(|g| g.dest == dest).map(|g| g.text.as_str())
    }

    /// Every value given, in order.
    pub fn all<'a>(&'a self, dest: &str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |g| g.dest == dest).map(|g| g.text.as_str())
    }

    /// Key, name as the table has it, and text (empty for a flag) of every option given, in order.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        self.values.iter().map(|g| (g.dest, g.name, g.text.as_str()))
    }

    /// Gives an option from elsewhere than the command line. False: it does not take that value.
    pub fn add(&mut self, option: &'static Opt, text: &str) -> bool {
        let name = option.names.last().copied().unwrap_or_default();
        put(option, name, text.to_owned(), self).is_ok()
    }

    /// Options that print a page end the reading, so what follows them is not looked at.
    fn ended(&self) -> bool {
        self.values.last().is_some_and(|g| ["help", "version", "man", "completion"].contains(&g.dest))
    }
}

/// Reads a command line (without the program's name). The error is optparse's message.
pub fn parse(program: &Program, words: impl IntoIterator<Item = String>) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    parse_more(program, words, &mut parsed)?;
    Ok(parsed)
}

/// Reads more words into a command line, as `--args-stdin` asks for. The error is optparse's message.
pub fn parse_more(
    program: &Program,
    words: impl IntoIterator<Item = String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let options: Vec<&'static Opt> = program.options().collect();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.args.extend(words);
            break;
        } else if word.starts_with("--") {
            long(&options, &word, &mut words, parsed)?;
        } else if word.len() > 1 && word.starts_with('-') {
            short(&options, &word, &mut words, parsed)?;
        } else {
            parsed.args.push(word);
        }
        if parsed.ended() {
            break;
        }
    }
    Ok(())
}

fn long(
    options: &[&'static Opt],
    word: &str,
    words: &mut impl Iterator<Item = String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let (name, attached) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    let (option, name) = find_long(options, name)?;
    let text = match (option.kind.metavar(), attached) {
        (None, None) => String::new(),
        (None, Some(_)) => return Err(format!("{name} option does not take a value")),
        (Some(_), Some(value)) => value,
        (Some(_), None) => words.next().ok_or_else(|| format!("{name} option requires 1 argument"))?,
    };
    put(option, name, text, parsed)
}

/// Keeps an option, if it takes that value.
fn put(option: &'static Opt, name: &'static str, text: String, parsed: &mut Parsed) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("option {name}: invalid {what} value: '{text}'"));
    match option.kind {
        Kind::Int(_) if int(&text).is_none() => return wrong("integer"),
        Kind::Float(_) if float(&text).is_none() => return wrong("floating-point"),
        Kind::Choice(_, choices) if !choices.contains(&text.as_str()) => {
            let choices = choices.join("', '");
            return Err(format!("option {name}: invalid choice: '{text}' (choose from '{choices}')"));
        }
        _ => {}
    }
    parsed.values.push(Given { dest: option.dest, name, text });
    Ok(())
}

/// An exact name, or the only option that begins so.
fn find_long(options: &[&'static Opt], name: &str) -> Result<(&'static Opt, &'static str), String> {
    let long = || options.iter().flat_map(|o| o.names.iter().map(move |n| (*o, *n)));
    if let Some(found) = long().find(|(_, n)| *n == name) {
        return Ok(found);
    }
    let mut like: Vec<_> =
        long().filter(|(o, n)| !o.whole && n.starts_with("--") && n.starts_with(name)).collect();
    match like.as_slice() {
        [] => Err(format!("no such option: {name}")),
        [one] => Ok(*one),
        _ => {
            like.sort_by_key(|(_, n)| *n);
            let names: Vec<&str> = like.iter().map(|(_, n)| *n).collect();
            Err(format!("ambiguous option: {name} ({}?)", names.join(", ")))
        }
    }
}

fn short(
    options: &[&'static Opt],
    word: &str,
    words: &mut impl Iterator<Item = String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let mut rest = &word[1..];
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let wanted = format!("-{letter}");
        let found = options.iter().find_map(|o| Some((*o, *o.names.iter().find(|n| **n == wanted)?)));
        let (option, name) = found.ok_or_else(|| format!("no such option: {wanted}"))?;
        if option.kind.metavar().is_none() {
            put(option, name, String::new(), parsed)?;
        } else if rest.is_empty() {
            let text = words.next().ok_or_else(|| format!("{name} option requires 1 argument"))?;
            put(option, name, text, parsed)?;
        } else {
            return put(option, name, rest.to_owned(), parsed);
        }
        if parsed.ended() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{PAGES, Section, flag, float_value, int_value, log_level, off, value};
    use super::*;

    const OPTIONS: &[Opt] = &[
        flag(&["--local"], "local", ""),
        flag(&["-d", "--doc"], "doc", ""),
        log_level(&["-l", "--log-level"], "log_level", ""),
        value(&["-m"], "dirs", "D", ""),
        value(&["--log-file"], "log_file", "F", ""),
        int_value(&["-t", "--timeout"], "timeout", "N", ""),
        float_value(&["--wait"], "wait", "N", ""),
        flag(&["--show"], "show", ""),
        flag(&["--localized"], "localized", "").whole(),
        off(&["--hide"], "show", ""),
    ];

    const PROGRAM: Program = Program {
        name: "p",
        usage: "",
        about: "",
        sections: &[PAGES, Section { title: "", options: OPTIONS }],
        exits: &[],
    };

    fn read(line: &str) -> Result<Parsed, String> {
        parse(&PROGRAM, line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_way_to_give_an_option() {
        let p = read("test.ping --local -ldebug a=b --log-f=x -m 1 -m2 -- --doc").unwrap();
        assert_eq!(p.args, ["test.ping", "a=b", "--doc"]);
        assert!(p.has("local") && !p.has("doc"));
        assert_eq!((p.get("log_level"), p.get("log_file")), (Some("debug"), Some("x")));
        assert_eq!(p.all("dirs").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(read("-dl quiet").unwrap().get("log_level"), Some("quiet"));
        assert_eq!(read("- x").unwrap().args, ["-", "x"]);
        assert!(read("--loc").unwrap().has("local") && read("--localized").unwrap().has("localized"));
    }

    #[test]
    fn what_is_wrong_is_said_in_optparses_words() {
        for (line, message) in [
            ("--bogus", "no such option: --bogus"),
            ("-x", "no such option: -x"),
            ("--local=1", "--local option does not take a value"),
            ("--log", "ambiguous option: --log (--log-file, --log-level?)"),
            ("-l", "-l option requires 1 argument"),
            (
                "-lloud",
                "option -l: invalid choice: 'loud' (choose from 'all', 'debug', 'error', 'critical', 'garbage', 'info', \
                 'profile', 'quiet', 'trace', 'warning')",
            ),
            ("--log-file", "--log-file option requires 1 argument"),
            ("-tx", "option -t: invalid integer value: 'x'"),
            ("--time=5s", "option --timeout: invalid integer value: '5s'"),
            ("--wait x", "option --wait: invalid floating-point value: 'x'"),
        ] {
            assert_eq!(read(line).unwrap_err(), message);
        }
    }

    #[test]
    fn values_have_types_and_the_last_one_counts() {
        let line = read("--show -t 5 --hide --wait .5 -t 0x10 -m 7").unwrap();
        let want = brine_protocol::map! {"show" => false, "timeout" => 16, "wait" => 0.5, "dirs" => "7"};
        assert_eq!(PROGRAM.given(&line), want);
    }

    #[test]
    fn a_page_ends_the_reading() {
        for line in ["--help --bogus", "-hx", "--completion bash -x"] {
            assert!(PROGRAM.page(&read(line).unwrap(), "1").is_some(), "{line}");
        }
        assert_eq!(
            PROGRAM.page(&read("x --version --bogus").unwrap(), "3006.28").as_deref(),
            Some("p 3006.28\n")
        );
        assert!(read("--bogus --help").is_err());
    }
}
