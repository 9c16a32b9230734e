//! Python optparse's reading of a command line: clustered short options, abbreviated long ones, options after
//! arguments, `--` ending them; and its words for what is wrong.

use super::{Kind, Opt};

/// A command line taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    values: Vec<(&'static str, String)>,
    /// What is no option, in order.
    pub args: Vec<String>,
}

impl Parsed {
    /// Whether an option was given.
    pub fn has(&self, dest: &str) -> bool {
        self.values.iter().any(|(d, _)| *d == dest)
    }

    /// The last value given.
    pub fn get(&self, dest: &str) -> Option<&str> {
        self.values.iter().rev().find(|(d, _)| *d == dest).map(|(_, v)| v.as_str())
    }

    /// Every value given, in order.
    pub fn all<'a>(&'a self, dest: &str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(d, _)| *d == dest).map(|(_, v)| v.as_str())
    }
}

/// Reads a command line (without the program's name). The error is optparse's message.
pub fn parse(options: &'static [Opt], words: impl IntoIterator<Item = String>) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.args.extend(words);
            break;
        } else if word.starts_with("--") {
            long(options, &word, &mut words, &mut parsed)?;
        } else if word.len() > 1 && word.starts_with('-') {
            short(options, &word, &mut words, &mut parsed)?;
        } else {
            parsed.args.push(word);
        }
    }
    Ok(parsed)
}

fn long(
    options: &'static [Opt],
    word: &str,
    words: &mut impl Iterator<Item = String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let (name, attached) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    let (option, name) = find_long(options, name)?;
    match (option.kind, attached) {
        (Kind::Flag, None) => parsed.values.push((option.dest, String::new())),
        (Kind::Flag, Some(_)) => return Err(format!("{name} option does not take a value")),
        (_, Some(value)) => parsed.values.push((option.dest, chosen(option, name, value)?)),
        (_, None) => {
            let value = words.next().ok_or_else(|| format!("{name} option requires 1 argument"))?;
            parsed.values.push((option.dest, chosen(option, name, value)?));
        }
    }
    Ok(())
}

/// An exact name, or the only option that begins so.
fn find_long(options: &'static [Opt], name: &str) -> Result<(&'static Opt, &'static str), String> {
    let long = || options.iter().flat_map(|o| o.names.iter().map(move |n| (o, *n)));
    if let Some(found) = long().find(|(_, n)| *n == name) {
        return Ok(found);
    }
    let mut like: Vec<_> = long().filter(|(_, n)| n.starts_with("--") && n.starts_with(name)).collect();
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

/// The value, if the option takes it.
fn chosen(option: &Opt, name: &str, value: String) -> Result<String, String> {
    match option.kind {
        Kind::Choice(_, choices) if !choices.contains(&value.as_str()) => {
            Err(format!("option {name}: invalid choice: '{value}' (choose from '{}')", choices.join("', '")))
        }
        _ => Ok(value),
    }
}

fn short(
    options: &'static [Opt],
    word: &str,
    words: &mut impl Iterator<Item = String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let mut rest = &word[1..];
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let name = format!("-{letter}");
        let option = options
            .iter()
            .find(|o| o.names.contains(&name.as_str()))
            .ok_or_else(|| format!("no such option: {name}"))?;
        match option.kind {
            Kind::Flag => parsed.values.push((option.dest, String::new())),
            _ if !rest.is_empty() => {
                parsed.values.push((option.dest, chosen(option, &name, rest.to_owned())?));
                return Ok(());
            }
            _ => {
                let value = words.next().ok_or_else(|| format!("{name} option requires 1 argument"))?;
                parsed.values.push((option.dest, chosen(option, &name, value)?));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{flag, log_level, value};
    use super::*;

    const OPTIONS: &[Opt] = &[
        flag(&["--local"], "local", ""),
        flag(&["-d", "--doc"], "doc", ""),
        log_level(&["-l", "--log-level"], "log_level", ""),
        value(&["-m"], "dirs", "D", ""),
        value(&["--log-file"], "log_file", "F", ""),
    ];

    fn read(line: &str) -> Result<Parsed, String> {
        parse(OPTIONS, line.split_whitespace().map(str::to_owned))
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
        ] {
            assert_eq!(read(line).unwrap_err(), message);
        }
    }
}
