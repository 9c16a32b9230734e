//! Why a configuration cannot be used.

use std::path::PathBuf;

/// A configuration that no daemon should start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No YAML, or none that Salt loads; stock's words.
    #[error("Error parsing configuration file: {} - {problem}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What the loader said.
        problem: Box<crate::yaml::YamlError>,
    },
    /// The file holds something else than a map; stock's words.
    #[error("Error parsing configuration file: {} - conf should be a document, not <class '{kind}'>.", path.display())]
    NotAMap {
        /// The file.
        path: PathBuf,
        /// Python's name of what it holds.
        kind: &'static str,
    },
    /// A value of the right type that means nothing.
    #[error("{0}")]
    Value(String),
    /// No id can be found for this host.
    #[error("cannot find an id for this host: {0}; set the option `id`")]
    Id(String),
    /// Files include each other.
    #[error("{}: includes are nested too deeply", .0.display())]
    IncludeDepth(PathBuf),
    /// The file is there and cannot be read.
    #[error("cannot read configuration file {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}
