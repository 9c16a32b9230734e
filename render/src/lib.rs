//! Text to data and back: YAML, command line arguments, configuration files and outputters.

pub mod args;
pub mod config;
pub mod filters;
pub mod json;
pub mod live;
pub mod nacl;
pub mod out;
pub mod renderer;
pub mod saltfile;
pub mod schedule_conf;
pub mod sdb;
pub mod serialize;
pub mod sls;
pub mod template;
pub mod yaml;
