//! `os.path` on text.

pub(crate) use brine_core::posixpath::{basename, dirname, expanduser, join, normpath, realpath, split};
