//! Salt's own tags: `load_*`, `import_*` and `profile`.

use super::Parser;
use crate::Error;
use crate::tree::{Format, Stmt, StmtKind};

impl Parser<'_> {
    pub(super) fn load(&mut self, format: Format) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        self.stream.expect_name("as")?;
        let target = self.target(false)?;
        let id = self.make_up();
        let body = self.statements_through(&["endload"])?;
        Ok(Stmt { line, kind: StmtKind::Load { format, target, id, body } })
    }

    pub(super) fn import_data(&mut self, format: Format) -> Result<Stmt, Error> {
        let (line, template, target, with_context) = self.import_parts()?;
        let id = self.make_up();
        Ok(Stmt { line, kind: StmtKind::ImportData { format, template, target, with_context, id } })
    }

    pub(super) fn profile(&mut self) -> Result<Stmt, Error> {
        let line = self.stream.next()?.line;
        self.stream.expect_name("as")?;
        let label = self.expression()?;
        let body = self.statements_through(&["endprofile"])?;
        let id = self.make_up();
        Ok(Stmt { line, kind: StmtKind::Profile { label, id, body } })
    }
}
