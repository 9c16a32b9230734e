//! The pieces of Python's standard library whose exact behaviour shows through Salt's functions. Pure; nothing of
//! Salt is here.

pub(crate) mod crypt;
pub(crate) mod des;
pub(crate) mod path;
pub(crate) mod random;
pub(crate) use brine_core::shlex;
pub(crate) mod re;
pub(crate) mod text;
pub(crate) mod update;
