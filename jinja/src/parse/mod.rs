//! Tokens to the tree. Statements are in `statement` and `include`, Salt's own in `salt`, expressions in `expr`, what stands
//! behind them in `postfix`, what can be assigned to in `target`.
//!
//! It goes on from token to token exactly as Jinja2 does, since with several faults the first one met is named.

mod expr;
mod include;
mod postfix;
mod salt;
mod statement;
mod stream;
mod target;

use crate::lex::{Kind, Payload};
use crate::tree::{Expr, ExprKind, Stmt, StmtKind, Template};
use crate::{Error, Limits, Syntax};
use std::sync::Arc;
use stream::Stream;

/// The tags of which one ends a body.
type Ends = &'static [&'static str];

struct Parser<'a> {
    stream: Stream<'a>,
    limits: Limits,
    /// In halves.
    depth: u32,
    nodes: u32,
    /// The tags around the place, innermost last.
    tags: Vec<Arc<str>>,
    /// What would end the bodies around the place.
    ends: Vec<Ends>,
    /// How many names have been made up.
    made_up: u32,
}

/// Reads a whole template.
pub(crate) fn template(source: &str, syntax: &Syntax, limits: &Limits) -> Result<Template, Error> {
    let mut parser = Parser {
        stream: Stream::new(source, syntax)?,
        limits: *limits,
        depth: 0,
        nodes: 0,
        tags: Vec::new(),
        ends: Vec::new(),
        made_up: 0,
    };
    Ok(Template { body: parser.body(None)? })
}

impl Parser<'_> {
    fn fail<T>(&self, message: impl Into<String>) -> Result<T, Error> {
        Err(Error::syntax(self.stream.line(), message))
    }

    /// Notes that one more thing is within another, which takes one or two halves of the nesting that is allowed. After an error
    /// nothing is read any more, so only success leaves.
    fn enter(&mut self, halves: u32) -> Result<(), Error> {
        self.depth += halves;
        if self.depth > 2 * u32::from(self.limits.nesting) {
            let message = format!("nested more than {} deep", self.limits.nesting);
            return Err(Error::limit(self.stream.line(), message));
        }
        Ok(())
    }

    fn leave(&mut self, halves: u32) {
        self.depth -= halves;
    }

    fn count(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let message = format!("a template of more than {} parts", self.limits.nodes);
            return Err(Error::limit(self.stream.line(), message));
        }
        Ok(())
    }

    /// Makes an expression.
    fn expr(&mut self, line: u32, kind: ExprKind) -> Result<Expr, Error> {
        self.count()?;
        let expr = Expr::new(line, kind);
        if expr.height() > self.limits.height {
            let message = format!("an expression of more than {} levels", self.limits.height);
            return Err(Error::limit(line, message));
        }
        Ok(expr)
    }

    /// A number for a name that no template has.
    fn make_up(&mut self) -> u32 {
        self.made_up += 1;
        self.made_up
    }

    /// Statements up to the tag that ends them, or to the end of the template. That tag's name is at hand then.
    fn body(&mut self, ends: Option<Ends>) -> Result<Vec<Stmt>, Error> {
        fn flush(output: &mut Vec<Expr>, body: &mut Vec<Stmt>) {
            if let Some(first) = output.first() {
                body.push(Stmt { line: first.line, kind: StmtKind::Output(std::mem::take(output)) });
            }
        }
        self.enter(2)?;
        self.ends.extend(ends);
        let mut body = Vec::new();
        let mut output = Vec::new();
        loop {
            match self.stream.kind() {
                Kind::Eof => break,
                Kind::Data => {
                    let token = self.stream.next()?;
                    let line = token.line;
                    let data = self.expr(line, ExprKind::Data(token.into_text()))?;
                    output.push(data);
                }
                Kind::VariableBegin => {
                    self.stream.next()?;
                    output.push(self.tuple(expr::Tuple::default())?);
                    self.stream.expect(Kind::VariableEnd)?;
                }
                Kind::BlockBegin => {
                    flush(&mut output, &mut body);
                    self.stream.next()?;
                    if ends.is_some_and(|ends| ends.iter().any(|end| self.stream.at_name(end))) {
                        break;
                    }
                    self.count()?;
                    body.push(self.statement()?);
                    self.stream.expect(Kind::BlockEnd)?;
                }
                _ => return self.fail("internal parsing error"),
            }
        }
        flush(&mut output, &mut body);
        if ends.is_some() {
            self.ends.pop();
        }
        self.leave(2);
        Ok(body)
    }

    /// The rest of a tag and the body behind it, which one of these tags must end; its name is at hand then.
    fn statements(&mut self, ends: Ends) -> Result<Vec<Stmt>, Error> {
        self.stream.skip(Kind::Colon)?;
        self.stream.expect(Kind::BlockEnd)?;
        let body = self.body(Some(ends))?;
        if self.stream.kind() == Kind::Eof {
            self.ends.push(ends);
            return Err(self.unfinished(None));
        }
        Ok(body)
    }

    /// As [`Self::statements`], with the name of the tag gone over.
    fn statements_through(&mut self, ends: Ends) -> Result<Vec<Stmt>, Error> {
        let body = self.statements(ends)?;
        self.stream.next()?;
        Ok(body)
    }

    /// The template ends too early, or has a tag where that cannot be.
    fn unfinished(&self, tag: Option<&str>) -> Error {
        let mut message = match tag {
            None => "Unexpected end of template.".to_owned(),
            Some(tag) => format!("Encountered unknown tag '{tag}'."),
        };
        if let Some(ends) = self.ends.last() {
            let wanted: Vec<String> = ends.iter().map(|end| format!("'{end}'")).collect();
            let wanted = wanted.join(" or ");
            if tag.is_some_and(|tag| self.ends.iter().any(|ends| ends.contains(&tag))) {
                message.push_str(" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for ");
            } else {
                message.push_str(" Jinja was looking for the following tags: ");
            }
            message.push_str(&wanted);
            message.push('.');
        }
        if let Some(innermost) = self.tags.last() {
            message.push_str(&format!(" The innermost block that needs to be closed is '{innermost}'."));
        }
        Error::syntax(self.stream.line(), message)
    }
}

/// What a token says, also where Jinja2 does not ask for its kind.
fn says(payload: &Payload, word: &str) -> bool {
    matches!(payload, Payload::Text(text) if &**text == word)
}
