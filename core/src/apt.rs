//! What the `pkg` module and the states on it write alike: one line of apt's sources (`deb [arch=amd64] http://.. bookworm
//! main`), read and written as stock does, and conditions on versions (`>=1.2`). What is done with them is their business.

use crate::call::{CallError, Result};
use brine_protocol::{Map, Value, map};

/// Where lines stand that come from no file.
pub const MAIN_FILE: &str = "/etc/apt/sources.list";

/// One line of a file of sources; also lines that are no source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// The line is no source; it stays as it is.
    pub invalid: bool,
    /// The line is commented out.
    pub disabled: bool,
    /// What follows a `#` behind the source.
    pub comment: String,
    /// `deb` or `deb-src`.
    pub kind: String,
    /// Where the packages are.
    pub uri: String,
    /// The distribution.
    pub dist: String,
    /// The components.
    pub comps: Vec<String>,
    /// The value of the option `arch`.
    pub architectures: Vec<String>,
    /// The value of the option `signed-by`.
    pub signedby: String,
    /// The line as it was read.
    pub line: String,
    /// The file it stands in.
    pub file: String,
}

/// An option in brackets: its kind, its whole text, its value.
struct Opt {
    name: String,
    full: String,
    value: String,
}

fn index_error() -> CallError {
    CallError::exception("IndexError", "list index out of range")
}

/// The text in the first brackets that hold a `=`, without brackets.
fn bracketed(line: &str) -> Option<&str> {
    let line = line.split('\n').next().unwrap_or_default();
    for (start, _) in line.match_indices('[') {
        let rest = &line[start + 1..];
        let Some(last) = rest.rfind(']') else { continue };
        if let Some(equals) = rest[..last].rfind('=') {
            let end = equals + rest[equals..].find(']')?;
            return Some(line[start..=start + 1 + end].trim_matches(['[', ']']));
        }
    }
    None
}

/// The options of a line, each kind once, in order.
fn options(line: &str) -> Result<Vec<Opt>> {
    let mut found: Vec<Opt> = Vec::new();
    let mut architectures: Vec<String> = Vec::new();
    for opt in bracketed(line).unwrap_or_default().split_whitespace() {
        let (name, mut value) =
            opt.split_once('=').map(|(n, v)| (n, v.to_owned())).ok_or_else(index_error)?;
        let name = if opt.starts_with("arch") {
            architectures.extend(value.split(',').map(str::to_owned));
            value = architectures.join(",");
            "arch"
        } else if opt.starts_with("signed-by") {
            "signedby"
        } else {
            name
        };
        let opt = Opt { name: name.to_owned(), full: opt.to_owned(), value };
        match found.iter_mut().find(|known| known.name == opt.name) {
            Some(known) => *known = opt,
            None => found.push(opt),
        }
    }
    Ok(found)
}

/// The words of a line; a CD's name is one word, blanks and all.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    let split = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let cd = line.rmatch_indices("cdrom:").find_map(|(at, _)| {
        let slash = line[at..].rfind('/')?;
        Some((at, at + slash + 1))
    });
    match cd {
        Some((from, to)) => {
            let mut words = split(&line[..from]);
            words.push(line[from..to].trim().to_owned());
            words.extend(split(&line[to..]));
            words
        }
        None => split(line),
    }
}

/// Operator and version of a condition such as `>= 1.2`; no operator where it has none, or is none.
pub fn split_comparison(condition: &str) -> (&str, &str) {
    for operator in ["<=>", "!=", ">=", "<=", ">>", "<<", "<>", ">", "<", "=", ""] {
        let Some(rest) = condition.strip_prefix(operator) else { continue };
        let version =
            rest.strip_prefix(char::is_whitespace).filter(|version| !version.is_empty()).unwrap_or(rest);
        if !version.is_empty() && !version.contains(['<', '>', '=']) {
            return (operator, version);
        }
    }
    ("", condition)
}

impl Source {
    /// Reads a line. It fails as stock does where options are no options.
    pub fn read(line: &str, file: &str) -> Result<Self> {
        let mut source =
            Self { invalid: true, line: line.to_owned(), file: file.to_owned(), ..Self::default() };
        let mut rest = line.trim();
        if rest.is_empty() {
            return Ok(source);
        }
        if let Some(bare) = rest.strip_prefix('#') {
            source.disabled = true;
            rest = bare;
        }
        if let Some(at) = rest.find('#').filter(|at| *at > 0) {
            rest[at + 1..].clone_into(&mut source.comment);
            rest = &rest[..at];
        }
        let mut words = words(rest);
        let known =
            words.first().is_some_and(|kind| matches!(&**kind, "deb" | "deb-src" | "rpm" | "rpm-src"));
        if !known || words.len() < 3 {
            return Ok(source);
        }
        if words[1].starts_with('[') {
            if !words[1..].iter().any(|word| word.ends_with(']')) {
                return Ok(source);
            }
            words = words
                .iter()
                .map(|w| w.trim_matches(['[', ']']).to_owned())
                .filter(|w| !w.is_empty())
                .collect();
            for opt in options(line)? {
                match &*opt.name {
                    "arch" => source.architectures = opt.value.split(',').map(str::to_owned).collect(),
                    "signedby" => source.signedby.clone_from(&opt.value),
                    _ => {}
                }
                let bare = format!("[{}]", opt.full);
                let at = words
                    .iter()
                    .position(|w| *w == opt.full)
                    .or_else(|| words.iter().position(|w| *w == bare));
                let at =
                    at.ok_or_else(|| CallError::exception("ValueError", format!("'{bare}' is not in list")))?;
                words.remove(at);
            }
        }
        let mut words = words.into_iter();
        let mut next = || words.next().ok_or_else(index_error);
        (source.kind, source.uri, source.dist) = (next()?, next()?, next()?);
        source.comps = words.collect();
        source.invalid = false;
        Ok(source)
    }

    /// The line as it is written, with its end.
    pub fn written(&self) -> Result<String> {
        if self.invalid {
            return Ok(self.line.clone());
        }
        let mut opts: Vec<(String, String)> =
            options(&self.line)?.into_iter().map(|opt| (opt.name, opt.full)).collect();
        let mut set = |name: &str, full: String| match opts.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = full,
            None => opts.push((name.to_owned(), full)),
        };
        if !self.architectures.is_empty() {
            set("arch", format!("arch={}", self.architectures.join(",")));
        }
        if !self.signedby.is_empty() {
            set("signedby", format!("signed-by={}", self.signedby));
        }
        let mut words: Vec<String> = Vec::new();
        if self.disabled {
            words.push("#".into());
        }
        words.push(self.kind.clone());
        if !opts.is_empty() {
            let opts: Vec<&str> = opts.iter().map(|(_, full)| full.as_str()).collect();
            words.push(format!("[{}]", opts.join(" ")));
        }
        words.extend([self.uri.clone(), self.dist.clone(), self.comps.join(" ")]);
        if !self.comment.is_empty() {
            words.push(format!("#{}", self.comment));
        }
        Ok(words.join(" ") + "\n")
    }

    /// What `pkg.list_repos` shows of it.
    pub fn shown(&self) -> Map {
        map! {
            "file" => self.file.as_str(),
            "comps" => self.comps.clone(),
            "disabled" => self.disabled,
            "dist" => self.dist.as_str(),
            "type" => self.kind.as_str(),
            "uri" => self.uri.as_str(),
            "line" => self.line.trim(),
            "architectures" => self.architectures.clone(),
            "signedby" => self.signedby.as_str(),
        }
    }
}

/// Where a personal package archive of Launchpad is.
pub fn ppa_line(owner: &str, name: &str, dist: &str, auth: Option<&str>) -> String {
    match auth {
        Some(auth) => {
            format!("deb https://{auth}@private-ppa.launchpad.net/{owner}/{name}/ubuntu {dist} main")
        }
        None => format!("deb http://ppa.launchpad.net/{owner}/{name}/ubuntu {dist} main"),
    }
}

/// What a definition of a repository comes to with the arguments given beside it, as `pkg.list_repos` would show it.
pub fn expanded(repo: &str, os: &str, codename: &str, given: &Map) -> Result<Map> {
    let mut repo = repo.to_owned();
    let mut file = given.get("file").map(crate::text::python_str);
    if let Some(ppa) = repo.strip_prefix("ppa:").filter(|_| matches!(os, "Ubuntu" | "Mint" | "neon")) {
        let (owner, name) = ppa.split_once('/').ok_or_else(|| {
            CallError::exception("ValueError", "not enough values to unpack (expected 2, got 1)")
        })?;
        let auth = given.get("ppa_auth").map(crate::text::python_str);
        file.get_or_insert_with(|| format!("/etc/apt/sources.list.d/{owner}-{name}-{codename}.list"));
        repo = ppa_line(owner, name, codename, auth.as_deref());
    }
    let mut source = Source::read(&repo, file.as_deref().unwrap_or(MAIN_FILE))?;
    source.change(given, true)?;
    let opts: Vec<String> =
        [("arch", source.architectures.join(",")), ("signed-by", source.signedby.clone())]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
    let opts = if opts.is_empty() { String::new() } else { format!("[{}]", opts.join(" ")) };
    let words = [source.kind.clone(), opts, source.uri.clone(), source.dist.clone(), source.comps.join(" ")];
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.trim().is_empty()).collect();
    // Stock makes a new entry of the line, which stands in no file of its own.
    let mut made = Source::read(&words.join(" "), MAIN_FILE)?;
    made.disabled = source.disabled;
    made.line = made.written()?;
    Ok(made.shown())
}

impl Source {
    /// Takes over what may be changed by argument: `uri`, `comps`, `architectures`, `disabled`, `file`, `dist`, `signedby`.
    /// Lists may be texts with commas where `split` says so.
    pub fn change(&mut self, given: &Map, split: bool) -> Result<()> {
        use crate::text::python_str;
        let list = |value: &Value| -> Vec<String> {
            match value {
                Value::List(list) => list.iter().map(python_str).collect(),
                other if split => python_str(other).split(',').map(|one| one.trim().to_owned()).collect(),
                other => vec![python_str(other)],
            }
        };
        for (key, value) in given.iter() {
            match key.as_str().unwrap_or_default() {
                "uri" => self.uri = python_str(value),
                "dist" => self.dist = python_str(value),
                "file" => self.file = python_str(value),
                "signedby" => self.signedby = python_str(value),
                "disabled" => self.disabled = value.truthy(),
                "comps" | "architectures" if split && !matches!(value, Value::Str(_)) => {
                    let kind = crate::text::python_type(value);
                    return Err(CallError::exception(
                        "AttributeError",
                        format!("'{kind}' object has no attribute 'split'"),
                    ));
                }
                "comps" => self.comps = list(value),
                "architectures" => self.architectures = list(value),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Source {
        Source::read(line, MAIN_FILE).unwrap()
    }

    #[test]
    fn a_line_is_read_into_its_parts_and_written_again() {
        let source = read(
            "deb [arch=amd64,i386 signed-by=/k.gpg trusted=yes] http://a/b stable main contrib # note\n",
        );
        assert_eq!(
            (source.kind.as_str(), source.uri.as_str(), source.dist.as_str()),
            ("deb", "http://a/b", "stable")
        );
        assert_eq!(source.comps, ["main", "contrib"]);
        assert_eq!(source.architectures, ["amd64", "i386"]);
        assert_eq!((source.signedby.as_str(), source.comment.as_str()), ("/k.gpg", " note"));
        assert_eq!(
            source.written().unwrap(),
            "deb [arch=amd64,i386 signed-by=/k.gpg trusted=yes] http://a/b stable main contrib # note\n"
        );
    }

    #[test]
    fn what_is_no_source_stays_as_it_is() {
        for line in
            ["", "\n", "# a comment\n", "deb http://x\n", "deb [arch=amd64 http://x y z\n", "x y z w\n"]
        {
            let source = read(line);
            assert!(source.invalid, "{line:?}");
            assert_eq!(source.written().unwrap(), line);
        }
        assert!(read("#deb http://a b c").disabled);
        assert_eq!(read("#deb http://a b c").written().unwrap(), "# deb http://a b c\n");
    }

    #[test]
    fn a_condition_has_an_operator_and_a_version() {
        for (condition, parts) in [
            (">=1.2", (">=", "1.2")),
            ("> 1.2", (">", "1.2")),
            ("1.2", ("", "1.2")),
            ("!=1", ("!=", "1")),
            ("=1", ("=", "1")),
            ("==1", ("", "==1")),
            ("<=>1", ("<=>", "1")),
            ("", ("", "")),
            ("1=2", ("", "1=2")),
        ] {
            assert_eq!(split_comparison(condition), parts, "{condition}");
        }
    }

    #[test]
    fn a_cd_has_a_name_of_several_words() {
        let source = read("deb cdrom:[Debian 12 _Bookworm_ - Official]/ bookworm main");
        assert_eq!(source.uri, "cdrom:[Debian 12 _Bookworm_ - Official]/");
        assert_eq!(source.comps, ["main"]);
    }

    #[test]
    fn a_definition_takes_over_what_is_given_beside_it() {
        let got = expanded("deb http://a b c", "Debian", "x", &map! {"comps" => "d, e", "disabled" => true})
            .unwrap();
        assert_eq!(got.get_str("line"), Some("# deb http://a b d e"));
        let ppa = expanded("ppa:o/n", "Ubuntu", "jammy", &Map::new()).unwrap();
        assert_eq!(ppa.get_str("uri"), Some("http://ppa.launchpad.net/o/n/ubuntu"));
        let failed = expanded("deb [x] [y=1] http://a b c", "Debian", "x", &Map::new());
        assert!(failed.is_err());
    }
}
