//! What can be chosen about the syntax: delimiters, whitespace, and how much a template may hold.

use crate::Error;

/// The delimiters and the handling of whitespace: the options of a Jinja2 environment that its lexer heeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Syntax {
    /// Begins a statement: `{%`.
    pub block_start: String,
    /// Ends a statement: `%}`.
    pub block_end: String,
    /// Begins an expression to print: `{{`.
    pub variable_start: String,
    /// Ends an expression to print: `}}`.
    pub variable_end: String,
    /// Begins a comment: `{#`.
    pub comment_start: String,
    /// Ends a comment: `#}`.
    pub comment_end: String,
    /// What makes the rest of a line a statement, if anything.
    pub line_statement_prefix: Option<String>,
    /// What makes the rest of a line a comment, if anything.
    pub line_comment_prefix: Option<String>,
    /// The line end after a statement or a comment goes.
    pub trim_blocks: bool,
    /// Blanks between the start of a line and a statement or a comment go.
    pub lstrip_blocks: bool,
    /// What line ends become in text and in string constants.
    pub newline_sequence: Newline,
    /// The last line end of the template stays.
    pub keep_trailing_newline: bool,
}

/// A line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Newline {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
    /// `\r`
    Cr,
}

impl Newline {
    /// Its characters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
        }
    }
}

impl Default for Syntax {
    fn default() -> Self {
        Self {
            block_start: "{%".into(),
            block_end: "%}".into(),
            variable_start: "{{".into(),
            variable_end: "}}".into(),
            comment_start: "{#".into(),
            comment_end: "#}".into(),
            line_statement_prefix: None,
            line_comment_prefix: None,
            trim_blocks: false,
            lstrip_blocks: false,
            newline_sequence: Newline::Lf,
            keep_trailing_newline: false,
        }
    }
}

impl Syntax {
    /// Whether templates can be read with this at all.
    ///
    /// # Errors
    /// Jinja2's complaint about starts that are equal, and our own about delimiters that are empty, with which it would not end.
    pub fn check(&self) -> Result<(), Error> {
        if self.block_start == self.variable_start || self.variable_start == self.comment_start {
            return Err(Error::limit(1, "block, variable and comment start strings must be different"));
        }
        let always = [
            &self.block_start,
            &self.block_end,
            &self.variable_start,
            &self.variable_end,
            &self.comment_start,
            &self.comment_end,
        ];
        let prefixes = self.line_statement_prefix.iter().chain(&self.line_comment_prefix);
        if always.into_iter().chain(prefixes).any(String::is_empty) {
            return Err(Error::limit(1, "a delimiter of templates is empty"));
        }
        Ok(())
    }
}

/// How much a template may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub source: usize,
    /// Brackets, calls and blocks within each other; an operator before its operand and an `else` count as half of one. Python's
    /// stack ends at about 70 brackets, 100 blocks, 200 operators.
    pub nesting: u16,
    /// Nodes from an expression's top to its lowest: `a + b + c` has three. Python's stack ends at about 200.
    pub height: u16,
    /// Nodes in the tree.
    pub nodes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { source: 64 << 20, nesting: 100, height: 250, nodes: 1_000_000 }
    }
}
