//! Files that the file server hides: `file_ignore_glob` and `file_ignore_regex`.

use brine_core::target::{Anchor, Regex, fnmatch};
use brine_core::text::python_str;
use brine_core::{Opts, Value};

/// The rules.
#[derive(Debug, Default)]
pub(crate) struct Ignore {
    globs: Vec<String>,
    regexes: Vec<Regex>,
}

impl Ignore {
    /// Reads the options. A regular expression that cannot be used is logged and hides nothing.
    pub(crate) fn new(opts: &Opts) -> Self {
        let texts = |key: &str| -> Vec<String> {
            match opts.get(key) {
                Some(Value::List(list)) => list.iter().map(python_str).collect(),
                Some(one) if one.truthy() => vec![python_str(one)],
                _ => Vec::new(),
            }
        };
        let regexes = texts("file_ignore_regex").into_iter().filter_map(|text| {
            Regex::new(&text, Anchor::Search)
                .inspect_err(|e| tracing::error!("file_ignore_regex {text:?}: {e}"))
                .ok()
        });
        Self { regexes: regexes.collect(), globs: texts("file_ignore_glob") }
    }

    /// Whether a file of this name is hidden. What cannot be decided is.
    pub(crate) fn hides(&self, name: &str) -> bool {
        self.regexes.iter().any(|regex| regex.is_match(name).unwrap_or(true))
            || self.globs.iter().any(|glob| fnmatch(name, glob))
    }
}

/// Salt's lists of who is let in and who is not: exact names, globs and regular expressions. Where both are empty, all are.
pub(crate) fn allowed(name: &str, whitelist: &[String], blacklist: &[String]) -> bool {
    let matches = |list: &[String]| {
        list.iter().any(|rule| {
            name == rule
                || fnmatch(name, rule)
                || Regex::new(rule, Anchor::Full).is_ok_and(|regex| regex.is_match(name).unwrap_or(false))
        })
    };
    !matches(blacklist) && (whitelist.is_empty() || matches(whitelist))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn either_kind_of_rule_hides() {
        let opts = Opts::new(map! {
            "file_ignore_regex" => vec!["/\\.svn($|/)", "("], "file_ignore_glob" => "*.pyc"
        });
        let ignore = Ignore::new(&opts);
        assert!(ignore.hides("a/.svn/x") && ignore.hides("a/b.pyc"));
        assert!(!ignore.hides("a/b.py"));
        assert!(!Ignore::new(&Opts::default()).hides("x"));
    }

    #[test]
    fn lists_let_in_and_keep_out() {
        let list = |rules: &[&str]| rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>();
        let is = |name, white: &[&str], black: &[&str]| allowed(name, &list(white), &list(black));
        assert!(is("a", &[], &[]) && is("web1", &["web*"], &[]) && is("web1", &["web\\d"], &["db*"]));
        assert!(!is("web12", &["web\\d"], &[]) && !is("a", &["b"], &[]) && !is("a", &["a"], &["a"]));
    }
}
