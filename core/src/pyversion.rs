//! Versions of Python packages (PEP 440): their order, and whether they meet conditions such as `>=1.2,<2`. And the loose order
//! that stock falls back to for versions of anything.

use std::cmp::Ordering;

/// A version of a Python package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    epoch: u64,
    release: Vec<u64>,
    pre: Option<(char, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<String>,
}

/// Reads a version's text from the front.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn number(&mut self) -> Option<u64> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let number = self.0[..end].parse().ok()?;
        self.0 = &self.0[end..];
        Some(number)
    }

    /// One of these words, with a separator in front if there is one, and the number behind it.
    fn tagged(&mut self, words: &[&'static str]) -> Option<(&'static str, u64)> {
        let bare = self.0.strip_prefix(['.', '-', '_']).unwrap_or(self.0);
        let word = words.iter().find(|word| bare.starts_with(**word))?;
        self.0 = &bare[word.len()..];
        let rest = self.0;
        self.0 = rest.strip_prefix(['.', '-', '_']).unwrap_or(rest);
        Some((
            word,
            self.number().unwrap_or_else(|| {
                self.0 = rest;
                0
            }),
        ))
    }
}

impl Version {
    /// Reads a version; `None` where it is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let mut rest = Reader(text.strip_prefix('v').unwrap_or(&text));
        let mut epoch = 0;
        if let Some((number, after)) = rest.0.split_once('!') {
            epoch = number.parse().ok()?;
            rest.0 = after;
        }
        let mut release = vec![rest.number()?];
        while let Some(after) =
            rest.0.strip_prefix('.').filter(|after| after.starts_with(|c: char| c.is_ascii_digit()))
        {
            rest.0 = after;
            release.push(rest.number()?);
        }
        let pre =
            rest.tagged(&["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"]).map(|(word, number)| {
                (if word.starts_with(['a', 'b']) { word.as_bytes()[0] as char } else { 'r' }, number)
            });
        let mut post = rest.tagged(&["post", "rev", "r"]).map(|(_, number)| number);
        if let Some(after) = rest.0.strip_prefix('-').filter(|_| post.is_none()) {
            rest.0 = after;
            post = Some(rest.number()?);
        }
        let dev = rest.tagged(&["dev"]).map(|(_, number)| number);
        let mut local = Vec::new();
        if let Some(after) = rest.0.strip_prefix('+') {
            local = after.split(['.', '-', '_']).map(str::to_owned).collect();
            if local.iter().any(|part| part.is_empty() || !part.chars().all(|c| c.is_ascii_alphanumeric())) {
                return None;
            }
            rest.0 = "";
        }
        rest.0.is_empty().then_some(Self { epoch, release, pre, post, dev, local })
    }

    /// The numbers without zeros at the end.
    fn significant(&self) -> &[u64] {
        let end = self.release.iter().rposition(|number| *number != 0).map_or(0, |at| at + 1);
        &self.release[..end]
    }

    /// Whether it comes before its release.
    pub fn is_prerelease(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    fn same_base(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.significant() == other.significant()
    }

    fn public(&self) -> Self {
        Self { local: Vec::new(), ..self.clone() }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // A development version comes before everything of its release, a final one after its candidates.
        let pre = |v: &Self| match (v.pre, v.post, v.dev) {
            (Some(pre), _, _) => (1, pre),
            (None, None, Some(_)) => (0, (' ', 0)),
            _ => (2, (' ', 0)),
        };
        let number = |part: &str| part.parse::<u64>().ok();
        let local = |a: &Self, b: &Self| {
            let parts = a.local.iter().zip(&b.local).map(|(x, y)| match (number(x), number(y)) {
                (Some(x), Some(y)) => x.cmp(&y),
                (Some(_), None) => Ordering::Greater,
                (None, Some(_)) => Ordering::Less,
                (None, None) => x.cmp(y),
            });
            parts.fold(Ordering::Equal, Ordering::then).then(a.local.len().cmp(&b.local.len()))
        };
        (self.epoch.cmp(&other.epoch))
            .then_with(|| self.significant().cmp(other.significant()))
            .then_with(|| pre(self).cmp(&pre(other)))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| self.dev.unwrap_or(u64::MAX).cmp(&other.dev.unwrap_or(u64::MAX)))
            .then_with(|| local(self, other))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of two versions; `None` where one is none.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(Version::read(a)?.cmp(&Version::read(b)?))
}

/// Whether a version meets one condition; `None` where version or condition is none.
fn meets(version: &Version, text: &str, operator: &str, wanted: &str) -> Option<bool> {
    if operator == "===" {
        return Some(text.eq_ignore_ascii_case(wanted));
    }
    if let ("==" | "!=", Some(prefix)) = (operator, wanted.strip_suffix(".*")) {
        let prefix = Version::read(prefix)?;
        let mut release = version.release.clone();
        release.resize(release.len().max(prefix.release.len()), 0);
        let equal = version.epoch == prefix.epoch && release.starts_with(&prefix.release);
        return Some(equal == (operator == "=="));
    }
    let spec = Version::read(wanted)?;
    let public = version.public();
    let like = if spec.local.is_empty() { &public } else { version };
    Some(match operator {
        "==" => like.cmp(&spec).is_eq(),
        "!=" => like.cmp(&spec).is_ne(),
        "<=" => public <= spec,
        ">=" => public >= spec,
        "<" => {
            *version < spec && !(!spec.is_prerelease() && version.is_prerelease() && version.same_base(&spec))
        }
        ">" => {
            let later = spec.post.is_none() && version.post.is_some() && version.same_base(&spec);
            let local = !version.local.is_empty() && version.same_base(&spec);
            *version > spec && !later && !local
        }
        "~=" => {
            let prefix = spec.release.split_last().filter(|(_, prefix)| !prefix.is_empty())?.1;
            let mut release = version.release.clone();
            release.resize(release.len().max(prefix.len()), 0);
            public >= spec && version.epoch == spec.epoch && release.starts_with(prefix)
        }
        _ => return None,
    })
}

/// Whether a version meets all conditions, each an operator and a version. One that comes before its release does only where a
/// condition names such a one. What is no version of Python's meets nothing.
pub fn contains(conditions: &[(String, String)], version: &str) -> bool {
    let Some(read) = Version::read(version) else { return conditions.is_empty() };
    let early = conditions.iter().any(|(operator, wanted)| {
        let named = matches!(&**operator, "==" | ">=" | "<=" | "~=" | "===");
        named && Version::read(wanted).is_some_and(|wanted| wanted.is_prerelease())
    });
    if read.is_prerelease() && !early && !conditions.is_empty() {
        return false;
    }
    conditions
        .iter()
        .all(|(operator, wanted)| meets(&read, version.trim(), operator, wanted).unwrap_or(false))
}

/// The order of versions of anything: numbers and words, separated by dots.
pub fn loose(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let mut parts: Vec<String> = Vec::new();
        let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_lowercase());
        let mut last = None;
        for c in text.chars() {
            match (last == Some(kind(c)), parts.last_mut()) {
                (true, Some(part)) if c != '.' => part.push(c),
                _ if c != '.' => parts.push(c.to_string()),
                _ => {}
            }
            last = (c != '.').then(|| kind(c));
        }
        parts
    };
    let (a, b) = (parts(a), parts(b));
    let numbers = |parts: &[String]| parts.iter().map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>();
    match (numbers(&a), numbers(&b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => {
            let padded = |part: &String| {
                if part.parse::<u64>().is_ok() { format!("{part:0>8}") } else { part.clone() }
            };
            a.iter().map(padded).collect::<Vec<_>>().cmp(&b.iter().map(padded).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_by_pep_440() {
        let ordered = [
            "0.9",
            "1.0.dev1",
            "1.0a1.dev2",
            "1.0a1",
            "1.0a2",
            "1.0b1",
            "1.0rc1",
            "1.0",
            "1.0+abc.1",
            "1.0+5",
            "1.0.post1.dev3",
            "1.0.post1",
            "1.0.1",
            "1.1",
            "10.0",
            "1!0.1",
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(compare(a, b), Some(i.cmp(&j)), "{a} {b}");
            }
        }
        for (a, b) in [
            ("1.0", "1"),
            ("v1.0", "1.0"),
            ("1.0-1", "1.0.post1"),
            ("1.0alpha", "1.0a0"),
            ("1.0c1", "1.0rc1"),
        ] {
            assert_eq!(compare(a, b), Some(Ordering::Equal), "{a} {b}");
        }
        assert_eq!(compare("1.0-x", "1"), None);
        assert_eq!(compare("", "1"), None);
    }

    #[test]
    fn conditions_hold_as_by_pep_440() {
        let holds = |conditions: &[(&str, &str)], version| {
            let conditions: Vec<_> =
                conditions.iter().map(|(o, v)| ((*o).to_owned(), (*v).to_owned())).collect();
            contains(&conditions, version)
        };
        assert!(holds(&[(">=", "1.2"), ("<", "2")], "1.5"));
        assert!(!holds(&[(">=", "1.2"), ("<", "2")], "2.0"));
        assert!(holds(&[("==", "1.*")], "1.7") && !holds(&[("==", "1.*")], "2"));
        assert!(holds(&[("~=", "1.4.2")], "1.4.9") && !holds(&[("~=", "1.4.2")], "1.5"));
        assert!(
            !holds(&[("<", "2")], "2rc1")
                && !holds(&[(">", "1")], "2rc1")
                && holds(&[(">=", "2rc1")], "2rc2")
        );
        assert!(!holds(&[(">", "1")], "1.post1") && holds(&[("==", "1")], "1+local"));
        assert!(holds(&[], "anything"));
    }

    #[test]
    fn loose_versions_are_numbers_and_words() {
        assert_eq!(loose("9.0.3", "10.0"), Ordering::Less);
        assert_eq!(loose("1.4", "1.4.0"), Ordering::Less);
        assert_eq!(loose("23.0b1", "23.0"), Ordering::Greater);
    }
}
