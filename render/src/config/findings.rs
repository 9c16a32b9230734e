//! What reading the files brought to light, kept until there is a log.

use super::Loaded;
use brine_core::Opts;
use std::path::PathBuf;

/// The files that were read and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    files: Vec<PathBuf>,
    warnings: Vec<String>,
}

impl Findings {
    /// Logs which files were read, and then the warnings.
    pub fn log(&self) {
        for file in &self.files {
            tracing::debug!("Reading configuration from {}", file.display());
        }
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
    }
}

impl Loaded {
    /// The options, and what is to be logged about them.
    pub fn split(self) -> (Opts, Findings) {
        (self.opts, Findings { files: self.files, warnings: self.warnings })
    }
}
