//! Programs that other people wrote on top of Salt's Python, which tests run against our master. They are no part of a stock
//! installation, so they lie beside the virtualenvs, for all versions at once, with everything they need that Salt does
//! not bring.

use crate::run::{Result, run};
use std::path::Path;
use std::process::Command;

/// The programs first, then what they need. No dependency is looked up: `salt` must come from the virtualenv in use.
const PROGRAMS: &str = "pytest-testinfra==10.2.2 salt-tui==0.1.4 prometheus-salt-exporter==0.1.4 \
                        pytest==9.2.0 iniconfig==2.3.1 pluggy==1.7.0 packaging==26.4 pygments==2.21.0 \
                        textual==7.5.0 rich==15.0.0 markdown-it-py==4.3.0 mdit-py-plugins==0.7.0 linkify-it-py==2.2.0 \
                        uc-micro-py==2.0.0 mdurl==0.1.2 platformdirs==4.14.8 typing-extensions==4.16.0 \
                        prometheus-client==0.26.0 twisted==26.10.0 zope.interface==8.7 constantly==23.10.4 \
                        incremental==24.11.0 hyperlink==21.0.0 automat==25.4.16 attrs==26.1.0 idna==3.20";

/// Installs them below `stock` with the pip of one of its virtualenvs, unless just these are there.
pub(crate) fn install(stock: &Path, version: &str) -> Result {
    let io = |e: std::io::Error| e.to_string();
    let dir = stock.join("clients");
    let mark = dir.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|there| there == PROGRAMS) {
        return Ok(());
    }
    eprintln!("installing clients of other people into {}", dir.display());
    if dir.exists() {
        std::fs::remove_dir_all(&dir).map_err(io)?;
    }
    run(Command::new(stock.join(version).join("bin/pip"))
        .args(["install", "--quiet", "--no-deps", "--target"])
        .arg(&dir)
        .args(PROGRAMS.split_whitespace()))?;
    std::fs::write(&mark, PROGRAMS).map_err(io)
}
