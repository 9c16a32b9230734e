//! The tree: plain data, as Jinja2's own nodes say it. It knows nothing of values at run time.
//!
//! Expressions are in [`expr`], statements here.

mod expr;

pub use expr::{Args, BinOp, CmpOp, Const, Expr, ExprKind, Operand, UnaryOp};

use std::sync::Arc;

/// A template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its statements, text included.
    pub body: Vec<Stmt>,
}

/// A statement and the line it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct Stmt {
    /// From 1.
    pub line: u32,
    /// What it is.
    pub kind: StmtKind,
}

/// What can be assigned to.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The line, from 1.
    pub line: u32,
    /// What it is.
    pub kind: TargetKind,
}

/// The kinds of what can be assigned to.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetKind {
    /// A variable.
    Name(Arc<str>),
    /// An attribute of a namespace: the name of its variable, and the attribute.
    NsRef(Arc<str>, Arc<str>),
    /// As many targets as the value has items.
    Tuple(Vec<Target>),
}

/// `if`, or one `elif`.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// The line; of `elif` it is that of the first word after it.
    pub line: u32,
    /// The condition.
    pub test: Expr,
    /// What is done if it is true.
    pub body: Vec<Stmt>,
}

/// A parameter of a macro or of a `call` block. The default of the `i`-th from the end is the `i`-th default from the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// Names and their lines.
    pub args: Vec<(u32, Arc<str>)>,
    /// As many of the last ones have a default.
    pub defaults: Vec<Expr>,
}

/// What `load_*` and `import_*` make of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `load_yaml`
    Yaml,
    /// `load_json`
    Json,
    /// `load_text`
    Text,
}

impl Format {
    /// The word in the tags and the filter: `yaml`, `json`, `text`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// The kinds of statements.
#[derive(Debug, Clone, PartialEq)]
pub enum StmtKind {
    /// Text and expressions to print. Text is [`ExprKind::Data`].
    Output(Vec<Expr>),
    /// `for`
    For {
        /// The loop's variables.
        target: Target,
        /// What is walked through.
        iter: Expr,
        /// Which items count.
        test: Option<Expr>,
        /// `loop` can be called.
        recursive: bool,
        /// Done for each.
        body: Vec<Stmt>,
        /// Done if there was none.
        else_: Vec<Stmt>,
    },
    /// `if` with its `elif`s.
    If {
        /// At least one.
        branches: Vec<Branch>,
        /// Done if none was true.
        else_: Vec<Stmt>,
    },
    /// `set a = b`
    Assign(Target, Expr),
    /// `set a` with a body: what the body prints, through filters.
    AssignBlock {
        /// Where it goes.
        target: Target,
        /// [`ExprKind::Filter`]s, the innermost of nothing.
        filter: Option<Expr>,
        /// What is printed.
        body: Vec<Stmt>,
    },
    /// `with`: values for a scope of its own.
    With {
        /// Names and values.
        vars: Vec<(Target, Expr)>,
        /// The scope.
        body: Vec<Stmt>,
    },
    /// `macro`
    Macro {
        /// Its name.
        name: Arc<str>,
        /// Its parameters.
        signature: Signature,
        /// What it prints.
        body: Vec<Stmt>,
    },
    /// `call`: a call that is given the body as `caller`.
    CallBlock {
        /// The caller's parameters.
        signature: Signature,
        /// An [`ExprKind::Call`].
        call: Expr,
        /// What the caller prints.
        body: Vec<Stmt>,
    },
    /// `filter`
    FilterBlock {
        /// [`ExprKind::Filter`]s, the innermost of nothing.
        filter: Expr,
        /// What is filtered.
        body: Vec<Stmt>,
    },
    /// `block`
    Block {
        /// Its name.
        name: Arc<str>,
        /// It sees the variables around it.
        scoped: bool,
        /// A child must give it.
        required: bool,
        /// What it prints.
        body: Vec<Stmt>,
    },
    /// `extends`
    Extends(Expr),
    /// `include`
    Include {
        /// A name, or several of which the first that is there counts.
        template: Expr,
        /// None need be there.
        ignore_missing: bool,
        /// It sees this template's variables.
        with_context: bool,
    },
    /// `import x as y`
    Import {
        /// Which template.
        template: Expr,
        /// The variable.
        target: Arc<str>,
        /// It sees this template's variables.
        with_context: bool,
    },
    /// `from x import y as z`
    FromImport {
        /// Which template.
        template: Expr,
        /// Names there, and here if another.
        names: Vec<(Arc<str>, Option<Arc<str>>)>,
        /// It sees this template's variables.
        with_context: bool,
    },
    /// `autoescape`
    Autoescape(Expr, Vec<Stmt>),
    /// `do`
    Do(Expr),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// Salt's `load_yaml`, `load_json` and `load_text`: a macro made of the body, called at once, its text read.
    Load {
        /// How it is read.
        format: Format,
        /// Where it goes.
        target: Target,
        /// The number in the name of the macro: `_fi1`.
        id: u32,
        /// What the macro prints.
        body: Vec<Stmt>,
    },
    /// Salt's `import_yaml`, `import_json` and `import_text`: `import x as y`, then `y` becomes what its text reads as.
    /// All within the measuring of [`StmtKind::Profile`], for which `template` is evaluated first, a time more.
    ImportData {
        /// How it is read.
        format: Format,
        /// Which template.
        template: Expr,
        /// The variable.
        target: Arc<str>,
        /// It sees this template's variables.
        with_context: bool,
        /// The number in the name of the variable that keeps the time: `_salt_profile_fi1`.
        id: u32,
    },
    /// Salt's `profile`: logs how long the body took. No scope of its own.
    Profile {
        /// What the log calls it.
        label: Expr,
        /// The number in the name of the variable that keeps the time: `_salt_profile_fi1`.
        id: u32,
        /// What is measured.
        body: Vec<Stmt>,
    },
}
