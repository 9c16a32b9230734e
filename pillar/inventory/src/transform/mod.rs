//! `transforms.yaml`: values that are made of others, pallet by pallet, from top to bottom.

mod inspect;
mod regexp;
mod rules;
mod run;
mod template;

pub(crate) use rules::{Op, Rule, Rules, What};
pub(crate) use run::{Made, apply};

use std::sync::Arc;

/// The longest text that a transform may make, in bytes. Each can double what another made.
const LONGEST: usize = 64 << 10;

/// How many parts the path of a key may have.
const DEEPEST: usize = 64;

/// A dotted path with its parts. As in Ruby, dots at its end count for nothing.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) whole: Arc<str>,
    pub(crate) parts: Box<[Arc<str>]>,
}

impl Path {
    pub(crate) fn new(whole: &str, keys: &mut crate::yaml::Keys) -> Option<Self> {
        let parts: Box<[Arc<str>]> =
            whole.trim_end_matches('.').split('.').map(|part| keys.get(part)).collect();
        (parts.len() <= DEEPEST).then(|| Self { whole: keys.get(whole), parts })
    }

    /// Whether the other is this one or within it.
    fn holds(&self, other: &Path) -> bool {
        other.parts.starts_with(&self.parts)
    }
}
