//! YAML errors with PyYAML's texts: problem, context, and where each is.

use std::fmt;

/// A place in the input, counted from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Line, from zero.
    pub line: u64,
    /// Column in characters, from zero.
    pub column: u64,
}

/// Why text is no YAML, or none that Salt would load. Displays as PyYAML's exception does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct YamlError {
    /// PyYAML's name of the input.
    pub name: String,
    /// What was being read, if PyYAML tells.
    pub context: Option<String>,
    /// Where that began.
    pub context_mark: Option<Mark>,
    /// What is wrong.
    pub problem: String,
    /// Where.
    pub problem_mark: Option<Mark>,
}

impl YamlError {
    /// An error at a place.
    pub(super) fn at(name: &str, problem: impl Into<String>, mark: Mark) -> Self {
        Self {
            name: name.to_owned(),
            context: None,
            context_mark: None,
            problem: problem.into(),
            problem_mark: Some(mark),
        }
    }

    /// An error without a place.
    pub(super) fn nowhere(name: &str, problem: impl Into<String>) -> Self {
        Self { problem_mark: None, ..Self::at(name, problem, Mark::default()) }
    }

    /// Adds what was being read.
    pub(super) fn within(mut self, context: &str, mark: Option<Mark>) -> Self {
        self.context = Some(context.to_owned());
        self.context_mark = mark;
        self
    }

    /// The line of the problem, counted from one.
    pub fn line(&self) -> Option<u64> {
        self.problem_mark.or(self.context_mark).map(|m| m.line + 1)
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, mark: Mark| {
            write!(f, "\n  in \"{}\", line {}, column {}", self.name, mark.line + 1, mark.column + 1)
        };
        if let Some(context) = &self.context {
            write!(f, "{context}")?;
            if let Some(mark) = self.context_mark
                && self.problem_mark != Some(mark)
            {
                place(f, mark)?;
            }
            writeln!(f)?;
        }
        write!(f, "{}", self.problem)?;
        match self.problem_mark {
            Some(mark) => place(f, mark),
            None => Ok(()),
        }
    }
}
