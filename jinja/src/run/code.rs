//! A template ready to run: names are places, lines are known. Plain data that threads share.

use crate::tree::{BinOp, CmpOp, Const, Format, UnaryOp};
use std::sync::Arc;

/// A place of a variable: how many functions further out, and which of its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) up: u16,
    pub(super) slot: u16,
}

/// What fills a place when a scope begins.
#[derive(Debug)]
pub(super) enum Enter {
    Resolve(u16, Arc<str>),
    Alias(u16, Place),
    Undefined(u16),
}

/// A scope within a function: what it begins with, and which places are empty after it.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) enter: Vec<Enter>,
    pub(super) leave: Vec<u16>,
}

/// One function: the template itself, a block, a macro, the body of a recursive loop, a loop's filter.
#[derive(Debug, Default)]
pub(super) struct Function {
    /// How many places it has.
    pub(super) slots: u16,
    pub(super) scope: Scope,
    pub(super) body: Vec<Op>,
    /// Where `self` and, in a block, `super` go if they are used.
    pub(super) me: Option<u16>,
    pub(super) parent: Option<u16>,
}

/// A macro, or what a `call` block gives as `caller`.
#[derive(Debug)]
pub(super) struct MacroCode {
    pub(super) name: Option<Arc<str>>,
    pub(super) function: Function,
    /// The line of its head.
    pub(super) line: u32,
    /// Its parameters: name, place, and default.
    pub(super) params: Vec<(Arc<str>, u16, Option<Node>)>,
    pub(super) caller: Option<u16>,
    pub(super) kwargs: Option<u16>,
    pub(super) varargs: Option<u16>,
    /// Whether `caller` is used in it at all.
    pub(super) accesses_caller: bool,
}

/// Where the names that a statement sets are also kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Nowhere.
    No,
    /// Among the template's variables, which imports see.
    Top,
    /// For functions that look at the context within a loop or a block.
    Loop,
}

/// What is assigned to.
#[derive(Debug)]
pub(super) enum To {
    Place(u16),
    /// An attribute of the namespace in a place.
    Attr(Place, Arc<str>),
    Tuple(Vec<To>),
}

/// What statements are kept as: names with their places.
pub(super) type Names = Vec<(Arc<str>, Place)>;

/// A statement.
#[derive(Debug)]
pub(super) enum Op {
    /// Text.
    Data(Arc<str>),
    /// Prints a value.
    Print(u32, Node),
    /// Only done as long as nothing was extended.
    UnlessExtended(Vec<Op>),
    For(Box<For>),
    If(Vec<(u32, Node, Vec<Op>)>, Vec<Op>),
    Assign {
        /// The line that is told when an attribute is set of what is no namespace.
        check: u32,
        line: u32,
        to: To,
        value: Node,
        keep: Keep,
        names: Names,
    },
    AssignBlock {
        line: u32,
        to: To,
        scope: Scope,
        body: Vec<Op>,
        filter: Option<Node>,
        keep: Keep,
        names: Names,
    },
    /// Each value is evaluated at the line that came before, as Jinja2 notes none.
    With {
        line: u32,
        scope: Scope,
        vars: Vec<(To, Node)>,
        body: Vec<Op>,
    },
    Macro {
        code: Arc<MacroCode>,
        slot: u16,
        top: bool,
    },
    CallBlock {
        line: u32,
        code: Arc<MacroCode>,
        call: Node,
    },
    FilterBlock {
        line: u32,
        scope: Scope,
        body: Vec<Op>,
        filter: Node,
    },
    Block {
        line: u32,
        name: Arc<str>,
        required: bool,
        scoped: Option<Names>,
    },
    Extends {
        line: u32,
        template: Node,
        again: bool,
    },
    /// Nothing of a function runs after it.
    Stop,
    Include {
        line: u32,
        template: Node,
        ignore_missing: bool,
        select: bool,
        context: Option<Names>,
    },
    Import {
        line: u32,
        template: Node,
        slot: u16,
        name: Arc<str>,
        top: bool,
        context: Option<Names>,
    },
    FromImport {
        line: u32,
        template: Node,
        names: Vec<(Arc<str>, Arc<str>, u16)>,
        top: bool,
        context: Option<Names>,
    },
    Autoescape(Scope, Node, Vec<Op>),
    Do(u32, Node),
    Break,
    Continue,
    /// Reads the data that a place's text holds.
    Read {
        line: u32,
        format: Format,
        from: Place,
        to: To,
        keep: Keep,
        names: Names,
    },
    /// Begins a measuring.
    ProfileStart {
        line: u32,
        label: Node,
        source: &'static str,
        slot: u16,
        keep: Keep,
        name: Arc<str>,
    },
    ProfileEnd {
        line: u32,
        slot: Place,
    },
}

/// A loop.
#[derive(Debug)]
pub(super) struct For {
    pub(super) line: u32,
    pub(super) iter: Node,
    pub(super) target: To,
    pub(super) test: Option<Arc<LoopFilter>>,
    /// Where `loop` goes, if it is used.
    pub(super) loop_: Option<u16>,
    pub(super) scope: Scope,
    pub(super) body: Vec<Op>,
    pub(super) else_scope: Scope,
    pub(super) else_: Vec<Op>,
    /// Of a recursive loop, the function that holds all of the above but for `iter`.
    pub(super) recursive: Option<Arc<Recursive>>,
}

/// The body of a recursive loop.
#[derive(Debug)]
pub(super) struct Recursive {
    pub(super) slots: u16,
    pub(super) inner: For,
}

/// A loop's condition.
#[derive(Debug)]
pub(super) struct LoopFilter {
    pub(super) slots: u16,
    pub(super) scope: Scope,
    /// The line of its head, and of the condition.
    pub(super) line: u32,
    /// The loop is recursive: it runs in a function of its own, but its condition is one beside that.
    pub(super) recursive: bool,
    pub(super) target: To,
    pub(super) test: Node,
}

/// Arguments of a call, a filter or a test.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) args: Vec<Node>,
    pub(super) kwargs: Vec<(Arc<str>, Node)>,
    pub(super) dyn_args: Option<Node>,
    pub(super) dyn_kwargs: Option<Node>,
}

/// An expression.
#[derive(Debug)]
pub(super) enum Node {
    /// Text, as it is printed.
    Data(Arc<str>),
    Const(u32),
    /// A variable that may be missing.
    Name(Place, Arc<str>),
    /// A variable that cannot be missing.
    Param(Place),
    Tuple(Vec<Node>),
    List(Vec<Node>),
    Dict(Vec<(Node, Node)>),
    Cond(Box<[Node; 2]>, Option<Box<Node>>, u32),
    /// Of `None`, what was printed so far.
    Filter(Option<Box<Node>>, u32, Box<Given>),
    Test(Box<Node>, u32, Box<Given>),
    Call(Box<Node>, Box<Given>),
    /// `a.b(..)`, which needs no bound method.
    CallMethod(Box<Node>, Arc<str>, Box<Given>),
    Getitem(Box<Node>, Box<Node>),
    Slice(Box<Node>, Box<[Option<Node>; 3]>),
    Getattr(Box<Node>, Arc<str>),
    Concat(Vec<Node>),
    Compare(Box<Node>, Vec<(CmpOp, Node)>),
    Bin(BinOp, Box<Node>, Box<Node>),
    Unary(UnaryOp, Box<Node>),
}

/// A whole template.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(super) consts: Vec<Const>,
    pub(super) filters: Vec<Arc<str>>,
    pub(super) tests: Vec<Arc<str>>,
    pub(super) root: Function,
    pub(super) blocks: Vec<(Arc<str>, Arc<Function>, u32)>,
    /// Whether something is extended, at least maybe.
    pub(super) extends: bool,
}
