//! Which alerts are meant, by their labels: `site=akl`, `alertname=~Disk.*`. The rules are Alertmanager's: an expression has to fit
//! the whole value, and a label that an alert lacks has the empty value.

use std::fmt;

use regex::Regex;

use crate::Labels;

/// Largest text of a matcher; a compiled expression is bounded beside this.
const LONGEST: usize = 2048;
/// Bytes that a compiled expression may take.
const COMPILED: usize = 256 << 10;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `=~`
    Fits,
    /// `!~`
    FitsNot,
}

impl Op {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Fits => "=~",
            Self::FitsNot => "!~",
        }
    }
}

/// A text that is no matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// No operator.
    #[error("{0:?} is not of the form label=value, label!=value, label=~expression or label!~expression")]
    Form(String),
    /// No name that a label can have.
    #[error("{0:?} is no name of a label: letters, digits and _ make one, and no digit begins it")]
    Name(String),
    /// No regular expression.
    #[error("{text:?} is no regular expression: {why}")]
    Expression {
        /// What stands there.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Longer than allowed.
    #[error("a matcher has at most 2048 bytes")]
    Long,
}

/// One condition on one label. Two are equal if they are written the same.
#[derive(Clone)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// How its value is compared.
    pub op: Op,
    /// With what: a text or an expression.
    pub value: String,
    expression: Option<Regex>,
}

impl Matcher {
    /// A matcher of its parts.
    ///
    /// # Errors
    /// When the name is no label's, or the value no expression where one is meant.
    pub fn new(name: &str, op: Op, value: &str) -> Result<Self, MatcherError> {
        if name.len() + value.len() > LONGEST {
            return Err(MatcherError::Long);
        }
        if !is_label(name) {
            return Err(MatcherError::Name(name.to_owned()));
        }
        let expression = match op {
            Op::Is | Op::IsNot => None,
            Op::Fits | Op::FitsNot => Some(compiled(value)?),
        };
        Ok(Self { name: name.to_owned(), op, value: value.to_owned(), expression })
    }

    /// Reads `label=value` and the like. Quotes around the value may be left out.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        let form = || MatcherError::Form(text.to_owned());
        let at = text.find(['=', '!']).ok_or_else(form)?;
        let (name, rest) = text.split_at(at);
        let ops = [(Op::Fits, "=~"), (Op::IsNot, "!="), (Op::FitsNot, "!~"), (Op::Is, "=")];
        let found = ops.into_iter().find_map(|(op, sign)| Some((op, rest.strip_prefix(sign)?)));
        let (op, value) = found.ok_or_else(form)?;
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        Self::new(name.trim(), op, bare)
    }

    /// Whether it holds of these labels.
    pub fn holds(&self, labels: &Labels) -> bool {
        self.takes(labels.get(&self.name).map_or("", String::as_str))
    }

    /// Whether it takes this value.
    pub fn takes(&self, value: &str) -> bool {
        let fits = || self.expression.as_ref().is_some_and(|e| e.is_match(value));
        match self.op {
            Op::Is => self.value == value,
            Op::IsNot => self.value != value,
            Op::Fits => fits(),
            Op::FitsNot => !fits(),
        }
    }

    /// Whether it leaves nothing out, as far as can be told: it takes any value that is tried, and the missing one where a label can
    /// be missing. What says only which value it does not want is of this kind, too.
    pub fn takes_everything(&self) -> bool {
        // Values that nobody would write into a matcher to mean just them, of several kinds of letters.
        const OTHERS: [&str; 5] = ["x", "Zq7-_.", "0", "a b c", "\u{e5}\u{4e2d}/:"];
        let always = matches!(self.name.as_str(), "alertname" | "severity");
        OTHERS.iter().all(|value| self.takes(value)) && (always || self.takes(""))
    }
}

/// Whether a text can be a label's name, in Alertmanager and in Prometheus.
pub fn is_label(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.len() <= 128 && name.starts_with(|c: char| word(c) && !c.is_ascii_digit()) && name.chars().all(word)
}

fn compiled(text: &str) -> Result<Regex, MatcherError> {
    let failed = |e: regex::Error| MatcherError::Expression {
        text: text.to_owned(),
        why: e.to_string().lines().last().unwrap_or_default().trim().to_owned(),
    };
    // Alone first, so that no bracket of it closes ours.
    regex::RegexBuilder::new(text).size_limit(COMPILED).build().map_err(failed)?;
    regex::RegexBuilder::new(&format!("^(?:{text})$")).size_limit(COMPILED).build().map_err(failed)
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name, self.op.text(), self.value)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_operator_compares_in_its_way() {
        let akl = labels(&[("site", "akl"), ("minion", "a1")]);
        for (text, holds) in [
            ("site=akl", true),
            ("site=ak", false),
            ("site!=wlg", true),
            ("site!=akl", false),
            ("site=~a.*", true),
            ("site=~k", false),
            ("site=~akl|wlg", true),
            ("site!~w.*", true),
            ("site!~a.l", false),
            ("rack=", true),
            ("rack!=", false),
            ("rack=~.*", true),
            ("rack=~.+", false),
            ("site=\"akl\"", true),
            ("site = akl", true),
            ("minion=a=b", false),
        ] {
            assert_eq!(Matcher::parse(text).unwrap().holds(&akl), holds, "{text}");
        }
    }

    #[test]
    fn what_is_no_matcher_is_refused() {
        for text in ["", "akl", "=x", "1a=x", "a b=x", "a!x", "a=~(", "a=~x)(y", "a=~x)|(?:y"] {
            assert!(Matcher::parse(text).is_err(), "{text}");
        }
        assert_eq!(Matcher::parse(&format!("a={}", "x".repeat(3000))), Err(MatcherError::Long));
        // An expression that would take much memory is refused, not built.
        assert!(Matcher::parse("a=~(x{1000}){1000}").is_err());
    }

    #[test]
    fn everything_is_recognized() {
        for (text, all) in [
            ("a=~.*", true),
            ("a=~.*|x", true),
            ("a!=q", true),
            ("a!~q.*", true),
            ("a=~.+", false),
            ("alertname=~.+", true),
            ("a=", false),
            ("a=q", false),
            ("a=~[a-z0-9]*", false),
        ] {
            assert_eq!(Matcher::parse(text).unwrap().takes_everything(), all, "{text}");
        }
    }
}
