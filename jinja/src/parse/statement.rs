//! Statements, but for those that name other templates.

use super::Parser;
use crate::Error;
use crate::lex::{Kind, is_space};
use crate::tree::{Branch, ExprKind, Format, Signature, Stmt, StmtKind};

impl Parser<'_> {
    /// The statement whose name is at hand.
    pub(super) fn statement(&mut self) -> Result<Stmt, Error> {
        if self.stream.kind() != Kind::Name {
            return self.fail("tag name expected");
        }
        let tag = self.stream.current.clone().into_text();
        self.tags.push(tag.clone());
        let statement = match &*tag {
            "for" => self.for_loop(),
            "if" => self.condition(),
            "block" => self.block(),
            "extends" => self.extends(),
            "print" => self.print(),
            "macro" => self.macro_definition(),
            "include" => self.include(),
            "from" => self.import_names(),
            "import" => self.import(),
            "set" => self.set(),
            "with" => self.with(),
            "autoescape" => self.autoescape(),
            "call" => self.call_block(),
            "filter" => self.filter_block(),
            "do" => self.do_statement(),
            "break" => self.word(StmtKind::Break),
            "continue" => self.word(StmtKind::Continue),
            "load_yaml" => self.load(Format::Yaml),
            "load_json" => self.load(Format::Json),
            "load_text" => self.load(Format::Text),
            "import_yaml" => self.import_data(Format::Yaml),
            "import_json" => self.import_data(Format::Json),
            "import_text" => self.import_data(Format::Text),
            "profile" => self.profile(),
            unknown => {
                self.tags.pop();
                return Err(self.unfinished(Some(unknown)));
            }
        };
        self.tags.pop();
        statement
    }

    fn word(&mut self, kind: StmtKind) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        Ok(Stmt { line, kind })
    }

    fn do_statement(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        Ok(Stmt { line, kind: StmtKind::Do(self.tuple(super::expr::Tuple::default())?) })
    }

    fn print(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let mut exprs = Vec::new();
        while self.stream.kind() != Kind::BlockEnd {
            if !exprs.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            exprs.push(self.expression()?);
        }
        Ok(Stmt { line, kind: StmtKind::Output(exprs) })
    }

    fn set(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let target = self.target(true)?;
        if self.stream.skip(Kind::Assign)? {
            let value = self.tuple(super::expr::Tuple::default())?;
            return Ok(Stmt { line, kind: StmtKind::Assign(target, value) });
        }
        let filter = self.filters(None, false)?;
        let body = self.statements_through(&["endset"])?;
        Ok(Stmt { line, kind: StmtKind::AssignBlock { target, filter, body } })
    }

    fn for_loop(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let target = self.target(false)?;
        self.stream.expect_name("in")?;
        let iter = self.tuple(super::expr::Tuple { bare: true, ..Default::default() })?;
        let test = if self.stream.skip_name("if")? { Some(self.expression()?) } else { None };
        let recursive = self.stream.skip_name("recursive")?;
        let body = self.statements(&["endfor", "else"])?;
        let ended = self.stream.next()?.is_name("endfor");
        let else_ = if ended { Vec::new() } else { self.statements_through(&["endfor"])? };
        Ok(Stmt { line, kind: StmtKind::For { target, iter, test, recursive, body, else_ } })
    }

    fn condition(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let mut branches = Vec::new();
        let mut branch_line = line;
        loop {
            let test = self.tuple(super::expr::Tuple { bare: true, ..Default::default() })?;
            let body = self.statements(&["elif", "else", "endif"])?;
            branches.push(Branch { line: branch_line, test, body });
            let token = self.stream.next()?;
            if token.is_name("elif") {
                self.count()?;
                branch_line = self.stream.line();
                continue;
            }
            let else_ = if token.is_name("else") { self.statements_through(&["endif"])? } else { Vec::new() };
            return Ok(Stmt { line, kind: StmtKind::If { branches, else_ } });
        }
    }

    fn with(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let mut vars = Vec::new();
        while self.stream.kind() != Kind::BlockEnd {
            if !vars.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            let target = self.target(false)?;
            self.stream.expect(Kind::Assign)?;
            vars.push((target, self.expression()?));
        }
        let body = self.statements_through(&["endwith"])?;
        Ok(Stmt { line, kind: StmtKind::With { vars, body } })
    }

    fn autoescape(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let on = self.expression()?;
        let body = self.statements_through(&["endautoescape"])?;
        Ok(Stmt { line, kind: StmtKind::Autoescape(on, body) })
    }

    fn block(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let name = self.stream.expect(Kind::Name)?.into_text();
        let scoped = self.stream.skip_name("scoped")?;
        let required = self.stream.skip_name("required")?;
        if self.stream.kind() == Kind::Sub {
            return self.fail(
                "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an \
                 underscore instead.",
            );
        }
        let body = self.statements_through(&["endblock"])?;
        let blank = |stmt: &Stmt| match &stmt.kind {
            StmtKind::Output(exprs) => {
                exprs.iter().all(|e| matches!(&e.kind, ExprKind::Data(text) if text.chars().all(is_space)))
            }
            _ => false,
        };
        if required && !body.iter().all(blank) {
            return self.fail("Required blocks can only contain comments or whitespace");
        }
        self.stream.skip_name(&name)?;
        Ok(Stmt { line, kind: StmtKind::Block { name, scoped, required, body } })
    }

    fn macro_definition(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let (_, name) = self.target_name()?;
        let signature = self.signature()?;
        let body = self.statements_through(&["endmacro"])?;
        Ok(Stmt { line, kind: StmtKind::Macro { name, signature, body } })
    }

    fn call_block(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let signature = if self.stream.kind() == Kind::LParen {
            self.signature()?
        } else {
            Signature { args: Vec::new(), defaults: Vec::new() }
        };
        let call = self.expression()?;
        if !matches!(call.kind, ExprKind::Call(..)) {
            return Err(Error::syntax(line, "expected call"));
        }
        let body = self.statements_through(&["endcall"])?;
        Ok(Stmt { line, kind: StmtKind::CallBlock { signature, call, body } })
    }

    fn filter_block(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        // One is always there, or its name is found missing.
        let Some(filter) = self.filters(None, true)? else { return self.fail("expected token 'name'") };
        let body = self.statements_through(&["endfilter"])?;
        Ok(Stmt { line, kind: StmtKind::FilterBlock { filter, body } })
    }
}
