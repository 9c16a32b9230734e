//! JMESPath expressions as trees.

use super::lex::{Token, tokens};
use brine_python::{Kind, Obj, PyErr, R, str};
use std::rc::Rc;

/// How deep an expression may be, on either side.
const DEEP: usize = 120;
/// Binding powers from this on do not end a projection.
const STOP: u8 = 10;

pub(super) enum Node {
    Field(Obj),
    /// Each is applied to what the one before gave.
    Chain(Vec<Node>),
    Compare(&'static str, Box<Node>, Box<Node>),
    Current,
    Expression(Rc<Node>),
    Call(String, Vec<Node>),
    Filter(Box<Node>, Box<Node>, Box<Node>),
    Flatten(Box<Node>),
    Index(Obj),
    Slice([Obj; 3]),
    Literal(Obj),
    Hash(Vec<(Obj, Node)>),
    List(Vec<Node>),
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Project(Box<Node>, Box<Node>),
    ProjectValues(Box<Node>, Box<Node>),
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn power(kind: &str) -> u8 {
    match kind {
        "pipe" => 1,
        "or" => 2,
        "and" => 3,
        "eq" | "gt" | "lt" | "gte" | "lte" | "ne" => 5,
        "flatten" => 9,
        "star" => 20,
        "filter" => 21,
        "dot" => 40,
        "not" => 45,
        "lbrace" => 50,
        "lbracket" => 55,
        "lparen" => 60,
        _ => 0,
    }
}

/// The tree of an expression.
///
/// # Errors
/// `ParseError`, `LexerError` and their kin, in the words of Python's `jmespath`.
pub(super) fn parse(text: &str) -> R<Node> {
    if text.is_empty() {
        let why = "Invalid JMESPath expression: cannot be empty.";
        return Err(PyErr::new(Kind::Other("EmptyExpressionError"), why));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    let node = parser.expression(0)?;
    let token = parser.ahead(0);
    if token.kind == "eof" {
        return Ok(node);
    }
    Err(parser.error(&token, &format!("Unexpected token: {}", str(&token.value)?)))
}

fn boxed(node: Node) -> Box<Node> {
    Box::new(node)
}

impl Parser<'_> {
    fn ahead(&self, n: usize) -> Token {
        self.tokens.get(self.at + n).or(self.tokens.last()).cloned().unwrap_or(Token {
            kind: "eof",
            value: Obj::None,
            start: 0,
        })
    }

    fn kind(&self) -> &'static str {
        self.ahead(0).kind
    }

    fn error(&self, token: &Token, why: &str) -> PyErr {
        let shown = str(&token.value).unwrap_or_default();
        let text = format!(
            "{why}: Parse error at column {}, token \"{shown}\" ({}), for expression:\n\"{}\"\n{}^",
            token.start,
            token.kind.to_uppercase(),
            self.text,
            " ".repeat(token.start + 1)
        );
        PyErr::new(Kind::Other("ParseError"), text)
    }

    fn incomplete(&self) -> PyErr {
        let text = self.text;
        PyErr::new(
            Kind::Other("IncompleteExpressionError"),
            format!(
                "Invalid jmespath expression: Incomplete expression:\n\"{text}\"\n{}^",
                " ".repeat(text.chars().count() + 1)
            ),
        )
    }

    fn expect(&mut self, kind: &str) -> R<()> {
        self.expect_any(&[kind], kind)
    }

    fn expect_any(&mut self, kinds: &[&str], shown: &str) -> R<()> {
        let token = self.ahead(0);
        if kinds.contains(&token.kind) {
            self.at += 1;
            return Ok(());
        }
        if token.kind == "eof" {
            return Err(self.incomplete());
        }
        Err(self.error(&token, &format!("Expecting: {shown}, got: {}", token.kind)))
    }

    fn expression(&mut self, binding: u8) -> R<Node> {
        self.depth += 1;
        if self.depth > DEEP {
            return Err(PyErr::recursion(""));
        }
        let token = self.ahead(0);
        self.at += 1;
        let mut left = self.first(token)?;
        let mut nested = self.depth;
        while binding < power(self.kind()) {
            let token = self.ahead(0);
            self.at += 1;
            nested += 1;
            if nested > 4 * DEEP {
                return Err(PyErr::recursion(""));
            }
            left = self.then(left, &token)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// What an expression begins with.
    fn first(&mut self, token: Token) -> R<Node> {
        Ok(match token.kind {
            "literal" => Node::Literal(token.value),
            "unquoted_identifier" => Node::Field(token.value),
            "quoted_identifier" => {
                let next = self.ahead(0);
                if next.kind == "lparen" {
                    let why = "Quoted identifier not allowed for function names.";
                    return Err(self.error(&Token { start: 0, ..next }, why));
                }
                Node::Field(token.value)
            }
            "star" => {
                let right =
                    if self.kind() == "rbracket" { Node::Current } else { self.right(power("star"))? };
                Node::ProjectValues(boxed(Node::Current), boxed(right))
            }
            "filter" => self.filter(Node::Current)?,
            "lbrace" => self.hash()?,
            "lparen" => {
                let inside = self.expression(0)?;
                self.expect("rparen")?;
                // Not a plain field any more: no function can have its name.
                inside
            }
            "flatten" => {
                let right = self.right(power("flatten"))?;
                Node::Project(boxed(Node::Flatten(boxed(Node::Current))), boxed(right))
            }
            "not" => Node::Not(boxed(self.expression(power("not"))?)),
            "lbracket" => match self.kind() {
                "number" | "colon" => self.indexed(Node::Current)?,
                "star" if self.ahead(1).kind == "rbracket" => {
                    self.at += 2;
                    let right = self.right(power("star"))?;
                    Node::Project(boxed(Node::Current), boxed(right))
                }
                _ => self.list()?,
            },
            "current" => Node::Current,
            "expref" => Node::Expression(Rc::new(self.expression(0)?)),
            "eof" => return Err(self.incomplete()),
            _ => return Err(self.error(&token, "invalid token")),
        })
    }

    /// What goes on with an expression.
    fn then(&mut self, left: Node, token: &Token) -> R<Node> {
        Ok(match token.kind {
            "dot" if self.kind() != "star" => {
                let right = self.dotted(power("dot"))?;
                chained(left, right)
            }
            "dot" => {
                self.at += 1;
                let right = self.right(power("dot"))?;
                Node::ProjectValues(boxed(left), boxed(right))
            }
            "pipe" => {
                let right = self.expression(power("pipe"))?;
                Node::Chain(vec![left, right])
            }
            "or" => Node::Or(boxed(left), boxed(self.expression(power("or"))?)),
            "and" => Node::And(boxed(left), boxed(self.expression(power("and"))?)),
            "lparen" => self.call(left)?,
            "filter" => self.filter(left)?,
            "eq" | "ne" | "gt" | "gte" | "lt" | "lte" => {
                Node::Compare(token.kind, boxed(left), boxed(self.expression(power(token.kind))?))
            }
            "flatten" => {
                let right = self.right(power("flatten"))?;
                Node::Project(boxed(Node::Flatten(boxed(left))), boxed(right))
            }
            "lbracket" => match self.kind() {
                "number" | "colon" => self.indexed(left)?,
                _ => {
                    self.expect("star")?;
                    self.expect("rbracket")?;
                    let right = self.right(power("star"))?;
                    Node::Project(boxed(left), boxed(right))
                }
            },
            _ => return Err(self.error(token, "invalid token")),
        })
    }

    fn call(&mut self, left: Node) -> R<Node> {
        let Node::Field(name) = left else {
            let before = self.tokens[self.at.saturating_sub(2)].clone();
            let why = format!("Invalid function name '{}'", str(&before.value)?);
            return Err(self.error(&before, &why));
        };
        let mut args = Vec::new();
        while self.kind() != "rparen" {
            args.push(self.expression(0)?);
            if self.kind() == "comma" {
                self.at += 1;
            }
        }
        self.expect("rparen")?;
        Ok(Node::Call(str(&name)?, args))
    }

    fn filter(&mut self, left: Node) -> R<Node> {
        let condition = self.expression(0)?;
        self.expect("rbracket")?;
        let right = if self.kind() == "flatten" { Node::Current } else { self.right(power("filter"))? };
        Ok(Node::Filter(boxed(left), boxed(right), boxed(condition)))
    }

    /// Behind `[`, at a number or a colon.
    fn indexed(&mut self, left: Node) -> R<Node> {
        if self.kind() != "colon" && self.ahead(1).kind != "colon" {
            let index = self.ahead(0).value;
            self.at += 1;
            self.expect("rbracket")?;
            return Ok(chained(left, Node::Index(index)));
        }
        let (mut parts, mut part) = ([Obj::None, Obj::None, Obj::None], 0);
        while self.kind() != "rbracket" && part < 3 {
            let token = self.ahead(0);
            match token.kind {
                "colon" if part < 2 => part += 1,
                "number" => parts[part] = token.value,
                _ => return Err(self.error(&token, "syntax error")),
            }
            self.at += 1;
        }
        self.expect("rbracket")?;
        let right = self.right(power("star"))?;
        Ok(Node::Project(boxed(chained(left, Node::Slice(parts))), boxed(right)))
    }

    fn list(&mut self) -> R<Node> {
        let mut all = Vec::new();
        loop {
            all.push(self.expression(0)?);
            if self.kind() == "rbracket" {
                self.at += 1;
                return Ok(Node::List(all));
            }
            self.expect("comma")?;
        }
    }

    fn hash(&mut self) -> R<Node> {
        let mut all = Vec::new();
        loop {
            let key = self.ahead(0).value;
            self.expect_any(
                &["quoted_identifier", "unquoted_identifier"],
                "['quoted_identifier', 'unquoted_identifier']",
            )?;
            self.expect("colon")?;
            all.push((key, self.expression(0)?));
            match self.kind() {
                "comma" => self.at += 1,
                "rbrace" => {
                    self.at += 1;
                    return Ok(Node::Hash(all));
                }
                _ => {}
            }
        }
    }

    /// What is done to each item of a projection.
    fn right(&mut self, binding: u8) -> R<Node> {
        let token = self.ahead(0);
        match token.kind {
            kind if power(kind) < STOP => Ok(Node::Current),
            "lbracket" | "filter" => self.expression(binding),
            "dot" => {
                self.at += 1;
                self.dotted(binding)
            }
            _ => Err(self.error(&token, "syntax error")),
        }
    }

    fn dotted(&mut self, binding: u8) -> R<Node> {
        let token = self.ahead(0);
        match token.kind {
            "quoted_identifier" | "unquoted_identifier" | "star" => self.expression(binding),
            "lbracket" => {
                self.at += 1;
                self.list()
            }
            "lbrace" => {
                self.at += 1;
                self.hash()
            }
            kind => {
                let why = format!(
                    "Expecting: ['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace'], got: {kind}"
                );
                Err(self.error(&token, &why))
            }
        }
    }
}

fn chained(left: Node, right: Node) -> Node {
    match left {
        Node::Chain(mut all) => {
            all.push(right);
            Node::Chain(all)
        }
        left => Node::Chain(vec![left, right]),
    }
}
