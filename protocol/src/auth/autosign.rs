//! The inputs of automatic acceptance, judged from file contents: pattern files, grain files, and whose files count.
//!
//! Reading the files, and consuming the one-shot stubs of `minions_autosign`, is the caller's part.

use crate::ids::MinionId;
use crate::value::Value;
use fancy_regex::Regex;
use subtle::ConstantTimeEq;

/// Whether an `autosign_file` or `autoreject_file` names the id: exactly, as a glob, or as a regular expression
/// over the whole id. Lines are stripped, those beginning with `#` are comments.
pub fn file_lists(content: &str, id: &MinionId) -> bool {
    patterns(content).any(|pattern| expr_match(id.as_str(), pattern))
}

/// Whether a file of `autosign_grains_dir` holds the value the minion claims for that grain. The claim is
/// unauthenticated, so the value works as a shared secret at best. Text forms are compared, as 3007 does.
pub fn grain_file_lists(content: &str, claimed: &Value) -> bool {
    let claimed = match claimed {
        Value::Str(s) => s.clone(),
        Value::Int(n) => n.to_string(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        _ => return false,
    };
    let lines = content.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.is_empty());
    // Every line is compared, and in constant time: the value is a secret.
    lines.fold(false, |found, line| found | bool::from(line.as_bytes().ct_eq(claimed.as_bytes())))
}

/// What decides whether a pattern file may be trusted.
#[derive(Clone, Copy, Debug)]
pub struct FileMode {
    /// `st_mode`.
    pub mode: u32,
    /// Whether the file's group is one of those the master's user is in.
    pub own_group: bool,
    /// Whether the master runs as root.
    pub root: bool,
    /// `permissive_pki_access`.
    pub permissive: bool,
}

impl FileMode {
    /// World-writable files never count; group-writable ones only with `permissive_pki_access`, and as root only
    /// if the master's user is in that group.
    pub fn trusted(self) -> bool {
        if self.mode & 0o002 != 0 {
            return false;
        }
        self.mode & 0o020 == 0 || (self.permissive && (!self.root || self.own_group))
    }
}

/// Whether a one-shot stub is too old to count; `timeout` is `autosign_timeout` in minutes, 0 for never.
pub fn stub_expired(mtime: u64, now: u64, timeout: u64) -> bool {
    timeout > 0 && mtime < now.saturating_sub(60 * timeout)
}

fn patterns(content: &str) -> impl Iterator<Item = &str> {
    content.lines().map(str::trim).filter(|l| !l.starts_with('#'))
}

/// Glob first, then regular expression, both over the whole text. A pattern that is no regex only globs.
///
/// Stock anchors only the outer ends, so that of `a|b` each half is anchored at one end alone and `abc` is let in;
/// here both halves are whole patterns.
fn expr_match(text: &str, pattern: &str) -> bool {
    if pattern.len() > 1024 {
        return false;
    }
    glob_regex(pattern).is_some_and(|re| full_match(&re, text)) || full_match(pattern, text)
}

fn full_match(regex: &str, text: &str) -> bool {
    Regex::new(&format!(r"\A(?:{regex})\z")).is_ok_and(|re| re.is_match(text).unwrap_or(false))
}

/// Python's fnmatch as a regular expression.
fn glob_regex(glob: &str) -> Option<String> {
    let chars: Vec<char> = glob.chars().collect();
    let mut out = String::from("(?s:");
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                let negated = chars.get(at) == Some(&'!');
                let first = at + usize::from(negated);
                // A bracket right at the start belongs to the set; without an end it is a plain bracket.
                let close = (first + 1..chars.len()).find(|i| chars[*i] == ']');
                match close {
                    None => out.push_str(r"\["),
                    Some(close) => {
                        out.push_str(if negated { "[^" } else { "[" });
                        for &c in &chars[first..close] {
                            if matches!(c, '\\' | '[' | ']' | '^' | '&' | '~') {
                                out.push('\\');
                            }
                            out.push(c);
                        }
                        out.push(']');
                        at = close + 1;
                    }
                }
            }
            c => out.push_str(&fancy_regex::escape(&c.to_string())),
        }
    }
    out.push(')');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> MinionId {
        MinionId::parse(text).unwrap()
    }

    #[test]
    fn patterns_are_exact_glob_or_whole_regex() {
        let file = "# web*\n  exact.host \nweb[0-9]*\ndb\\d+\n[!a]z\n";
        for yes in ["exact.host", "web1.example.org", "db42", "bz"] {
            assert!(file_lists(file, &id(yes)), "{yes}");
        }
        for no in ["exactxhost2", "we", "xdb42", "db42x", "cc", "# web*"] {
            assert!(!file_lists(file, &id(no)), "{no}");
        }
        assert!(file_lists("*", &id("anything")));
        assert!(!file_lists("", &id("anything")));
        assert!(!file_lists("(((", &id("anything")));
        assert!(file_lists("a|b", &id("b")) && !file_lists("a|b", &id("abc")));
        assert!(file_lists("a[b", &id("a[b")));
    }

    #[test]
    fn grains_match_a_line() {
        let file = "# no\nsecret-1\n 42 \n";
        for yes in [Value::from("secret-1"), 42.into()] {
            assert!(grain_file_lists(file, &yes));
        }
        for no in
            [Value::Nil, "# no".into(), "".into(), "secret".into(), Value::List(vec!["secret-1".into()])]
        {
            assert!(!grain_file_lists(file, &no), "{no:?}");
        }
    }

    #[test]
    fn others_files_do_not_count() {
        let file =
            |mode, permissive, root, own_group| FileMode { mode, own_group, root, permissive }.trusted();
        assert!(file(0o100644, false, true, false));
        assert!(!file(0o100646, true, true, true));
        assert!(!file(0o100664, false, true, true));
        assert!(file(0o100664, true, true, true) && !file(0o100664, true, true, false));
        assert!(file(0o100664, true, false, false));
        assert!(stub_expired(0, 7201, 120) && !stub_expired(1, 7201, 120) && !stub_expired(0, 9999, 0));
    }
}
