//! Compiled templates, by their text: the same text is parsed once in a process.

use super::code::Code;
use super::compile::compile;
use crate::env::Environment;
use crate::{Error, Syntax};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes of text whose code is kept.
const MOST: usize = 16 << 20;

/// A text, how it is read, and how many filters and tests there are: environments with other tables do not share code.
type Key = (Arc<str>, Arc<Syntax>, usize, usize);

#[derive(Default)]
struct Cache {
    code: HashMap<Key, Arc<Code>>,
    order: VecDeque<Key>,
    bytes: usize,
}

fn cache() -> &'static Mutex<Cache> {
    static CACHE: OnceLock<Mutex<Cache>> = OnceLock::new();
    CACHE.get_or_init(Mutex::default)
}

/// The code of a text.
///
/// # Errors
/// Why it is no template; that is not kept.
pub(super) fn code(env: &Environment, text: &str) -> Result<Arc<Code>, Error> {
    let key: Key = (text.into(), Arc::new(env.syntax.clone()), env.filters.len(), env.tests.len());
    if let Some(found) = cache().lock().unwrap_or_else(PoisonError::into_inner).code.get(&key) {
        return Ok(found.clone());
    }
    let tree = crate::parse(text, &env.syntax)?;
    let code = Arc::new(compile(&tree, env)?);
    let mut cache = cache().lock().unwrap_or_else(PoisonError::into_inner);
    cache.bytes += text.len();
    if cache.code.insert(key.clone(), code.clone()).is_none() {
        cache.order.push_back(key);
    }
    while cache.bytes > MOST {
        let Some(oldest) = cache.order.pop_front() else { break };
        cache.bytes -= oldest.0.len();
        cache.code.remove(&oldest);
    }
    Ok(code)
}
