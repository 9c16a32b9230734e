//! Statements that name other templates.

use super::{Parser, says};
use crate::Error;
use crate::lex::Kind;
use crate::tree::{Expr, Stmt, StmtKind};
use std::sync::Arc;

/// What an import names: the line, the template, the variable, and whether it sees this template's variables.
pub(super) type Import = (u32, Expr, Arc<str>, bool);

impl Parser<'_> {
    pub(super) fn extends(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        Ok(Stmt { line, kind: StmtKind::Extends(self.expression()?) })
    }

    /// `with context` or `without context`, if that is at hand.
    fn context(&mut self) -> Result<Option<bool>, Error> {
        // A string may stand for the first word: Jinja2 does not look.
        let with = says(&self.stream.current.payload, "with");
        if (with || says(&self.stream.current.payload, "without")) && self.stream.look()?.is_name("context") {
            self.stream.next()?;
            self.stream.next()?;
            return Ok(Some(with));
        }
        Ok(None)
    }

    fn context_or(&mut self, default: bool) -> Result<bool, Error> {
        if self.stream.kind() != Kind::Name {
            return Ok(default);
        }
        Ok(self.context()?.unwrap_or(default))
    }

    pub(super) fn include(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let template = self.expression()?;
        let ignore_missing = self.stream.at_name("ignore") && self.stream.look()?.is_name("missing");
        if ignore_missing {
            self.stream.next()?;
            self.stream.next()?;
        }
        let with_context = self.context_or(true)?;
        Ok(Stmt { line, kind: StmtKind::Include { template, ignore_missing, with_context } })
    }

    pub(super) fn import_parts(&mut self) -> Result<Import, Error> {
        let line = self.stream.next()?.line;
        let template = self.expression()?;
        self.stream.expect_name("as")?;
        let (_, target) = self.target_name()?;
        Ok((line, template, target, self.context_or(false)?))
    }

    pub(super) fn import(&mut self) -> Result<Stmt, Error> {
        let (line, template, target, with_context) = self.import_parts()?;
        Ok(Stmt { line, kind: StmtKind::Import { template, target, with_context } })
    }

    pub(super) fn import_names(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        let template = self.expression()?;
        self.stream.expect_name("import")?;
        let mut names = Vec::new();
        let with_context = loop {
            if !names.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            if self.stream.kind() != Kind::Name {
                // That a name is missing is said there.
                self.stream.expect(Kind::Name)?;
            }
            if let Some(with) = self.context()? {
                break with;
            }
            let (at, name) = self.target_name()?;
            if name.starts_with('_') {
                let message = "names starting with an underline can not be imported";
                return Err(Error::assertion(at, message));
            }
            let alias = if self.stream.skip_name("as")? { Some(self.target_name()?.1) } else { None };
            names.push((name, alias));
            if let Some(with) = self.context()? {
                break with;
            }
            if self.stream.kind() != Kind::Comma {
                break false;
            }
        };
        Ok(Stmt { line, kind: StmtKind::FromImport { template, names, with_context } })
    }
}
