//! YAML errors with PyYAML's texts: class, problem, context, and where each is.

use brine_python::{Kind, PyErr};
use std::fmt;

/// A place in the input, counted from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Line, from zero.
    pub line: u64,
    /// Column in characters, from zero.
    pub column: u64,
}

/// Which exception of PyYAML it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `yaml.reader.ReaderError`: a character that no YAML may have.
    Reader,
    /// `yaml.scanner.ScannerError`.
    Scanner,
    /// `yaml.parser.ParserError`.
    Parser,
    /// `yaml.composer.ComposerError`.
    Composer,
    /// `yaml.constructor.ConstructorError`.
    Constructor,
    /// An exception of Python itself, which PyYAML lets through: `int` of what is no number, for example. Its text names no
    /// place, though there is one here.
    Python(Kind),
}

impl Class {
    /// Python's name of the class.
    pub fn name(self) -> &'static str {
        match self {
            Class::Reader => "ReaderError",
            Class::Scanner => "ScannerError",
            Class::Parser => "ParserError",
            Class::Composer => "ComposerError",
            Class::Constructor => "ConstructorError",
            Class::Python(kind) => kind.name(),
        }
    }

    /// Whether `except YAMLError` catches it.
    pub fn is_yaml(self) -> bool {
        !matches!(self, Class::Python(_))
    }
}

/// Why text is no YAML, or none that Salt would load. Displays as PyYAML's exception does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct YamlError {
    /// The exception's class.
    pub class: Class,
    /// PyYAML's name of the input.
    pub name: Box<str>,
    /// What was being read, if PyYAML tells.
    pub context: Option<Box<str>>,
    /// Where that began.
    pub context_mark: Option<Mark>,
    /// What is wrong.
    pub problem: Box<str>,
    /// Where.
    pub problem_mark: Option<Mark>,
}

impl YamlError {
    /// An error at a place.
    pub(super) fn at(class: Class, name: &str, problem: impl Into<Box<str>>, mark: Mark) -> Self {
        Self {
            class,
            name: name.into(),
            context: None,
            context_mark: None,
            problem: problem.into(),
            problem_mark: Some(mark),
        }
    }

    /// An error without a place.
    pub(super) fn nowhere(class: Class, name: &str, problem: impl Into<Box<str>>) -> Self {
        Self { problem_mark: None, ..Self::at(class, name, problem, Mark::default()) }
    }

    /// What Python raised while a node was read.
    pub(super) fn python(error: &PyErr, name: &str, mark: Mark) -> Self {
        Self::at(Class::Python(error.kind()), name, error.to_string(), mark)
    }

    /// Adds what was being read.
    pub(super) fn within(mut self, context: &str, mark: Option<Mark>) -> Self {
        self.context = Some(context.into());
        self.context_mark = mark;
        self
    }

    /// The line of the problem, counted from one.
    pub fn line(&self) -> Option<u64> {
        self.problem_mark.or(self.context_mark).map(|m| m.line + 1)
    }

    /// As a Python exception, for templates.
    pub fn to_py(&self) -> PyErr {
        let kind = match self.class {
            Class::Python(kind) => kind,
            class => Kind::Other(class.name()),
        };
        PyErr::new(kind, self.to_string())
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.class.is_yaml() {
            return f.write_str(&self.problem);
        }
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
