//! Expressions of the tree, and how high each stands.

use std::sync::Arc;

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Const {
    /// `none`
    None,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is larger: its digits, ASCII and without underscores, in a base of 2, 8, 10 or 16.
    BigInt(u32, Box<str>),
    /// A number with a point or an exponent; infinite if it is too large.
    Float(f64),
    /// Text.
    Str(Arc<str>),
}

/// Operators of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Python's operators")]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    And,
    Or,
}

/// Operators of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Python's operators")]
pub enum UnaryOp {
    Not,
    Neg,
    Pos,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Python's operators")]
pub enum CmpOp {
    Eq,
    Ne,
    Lt,
    Lteq,
    Gt,
    Gteq,
    In,
    NotIn,
}

/// One comparison of a chain, and what stands right of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// How it compares.
    pub op: CmpOp,
    /// With what.
    pub expr: Expr,
}

/// What is given to a call, a filter or a test.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Args {
    /// By position.
    pub args: Vec<Expr>,
    /// By name, in the order written; a name may come twice.
    pub kwargs: Vec<(Arc<str>, Expr)>,
    /// `*x`
    pub dyn_args: Option<Expr>,
    /// `**x`
    pub dyn_kwargs: Option<Expr>,
}

/// An expression and the line it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// From 1: the line that Jinja2 notes, which is not always that of the first character.
    pub line: u32,
    height: u16,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// The template's text.
    Data(Arc<str>),
    /// A constant.
    Const(Const),
    /// A variable.
    Name(Arc<str>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{a: b}`
    Dict(Vec<(Expr, Expr)>),
    /// `b if a else c`
    CondExpr {
        /// The condition.
        test: Box<Expr>,
        /// If it is true.
        then: Box<Expr>,
        /// If not; without it, undefined.
        else_: Option<Box<Expr>>,
    },
    /// A filter of a value, or of a block's text.
    Filter {
        /// The value.
        node: Option<Box<Expr>>,
        /// The filter's name, dots included.
        name: Arc<str>,
        /// What it is given beside.
        args: Box<Args>,
    },
    /// `a is b`
    Test {
        /// The value.
        node: Box<Expr>,
        /// The test's name, dots included.
        name: Arc<str>,
        /// What it is given beside.
        args: Box<Args>,
    },
    /// `a(b)`
    Call(Box<Expr>, Box<Args>),
    /// `a[b]`, and `a.1`
    Getitem(Box<Expr>, Box<Expr>),
    /// `a.b`
    Getattr(Box<Expr>, Arc<str>),
    /// `a:b:c` within `x[]`.
    Slice(Box<[Option<Expr>; 3]>),
    /// `a ~ b ~ c`
    Concat(Vec<Expr>),
    /// `a < b < c`
    Compare(Box<Expr>, Vec<Operand>),
    /// An operator of two operands.
    Bin(BinOp, Box<Expr>, Box<Expr>),
    /// An operator of one operand.
    Unary(UnaryOp, Box<Expr>),
}

impl Args {
    fn each(&self) -> impl Iterator<Item = &Expr> {
        let named = self.kwargs.iter().map(|(_, value)| value);
        self.args.iter().chain(named).chain(&self.dyn_args).chain(&self.dyn_kwargs)
    }
}

impl Expr {
    /// An expression of others; it stands one higher than the highest of them.
    #[must_use]
    pub fn new(line: u32, kind: ExprKind) -> Self {
        let below = kind.highest();
        Self { line, height: below.saturating_add(1), kind }
    }

    /// Nodes from here to the lowest below, this one included.
    #[must_use]
    pub fn height(&self) -> u16 {
        self.height
    }
}

impl ExprKind {
    fn highest(&self) -> u16 {
        fn top<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> u16 {
            exprs.into_iter().map(|e| e.height).max().unwrap_or_default()
        }
        match self {
            Self::Data(_) | Self::Const(_) | Self::Name(_) => 0,
            Self::Tuple(items) | Self::List(items) | Self::Concat(items) => top(items),
            Self::Dict(pairs) => top(pairs.iter().flat_map(|(key, value)| [key, value])),
            Self::CondExpr { test, then, else_ } => {
                test.height.max(then.height).max(else_.as_ref().map_or(0, |e| e.height))
            }
            Self::Filter { node, args, .. } => top(args.each()).max(node.as_ref().map_or(0, |n| n.height)),
            Self::Test { node, args, .. } | Self::Call(node, args) => top(args.each()).max(node.height),
            Self::Getattr(node, _) | Self::Unary(_, node) => node.height,
            Self::Getitem(a, b) | Self::Bin(_, a, b) => a.height.max(b.height),
            Self::Slice(parts) => top(parts.iter().flatten()),
            Self::Compare(first, rest) => top(rest.iter().map(|o| &o.expr)).max(first.height),
        }
    }

    /// Jinja2's name of the node, in small letters, as its errors say it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Data(_) => "templatedata",
            Self::Const(_) => "const",
            Self::Name(_) => "name",
            Self::Tuple(_) => "tuple",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::CondExpr { .. } => "condexpr",
            Self::Filter { .. } => "filter",
            Self::Test { .. } => "test",
            Self::Call(..) => "call",
            Self::Getitem(..) => "getitem",
            Self::Getattr(..) => "getattr",
            Self::Slice(_) => "slice",
            Self::Concat(_) => "concat",
            Self::Compare(..) => "compare",
            Self::Bin(op, ..) => match op {
                BinOp::Add => "add",
                BinOp::Sub => "sub",
                BinOp::Mul => "mul",
                BinOp::Div => "div",
                BinOp::FloorDiv => "floordiv",
                BinOp::Mod => "mod",
                BinOp::Pow => "pow",
                BinOp::And => "and",
                BinOp::Or => "or",
            },
            Self::Unary(op, _) => match op {
                UnaryOp::Not => "not",
                UnaryOp::Neg => "neg",
                UnaryOp::Pos => "pos",
            },
        }
    }
}
