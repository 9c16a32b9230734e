//! Compiled templates, by their text: the same text is parsed once in a process.

use super::code::Code;
use super::compile::compile;
use crate::env::Environment;
use crate::{Error, Syntax};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes of text whose code is kept.
const MOST: usize = 16 << 20;

/// Ways of reading texts that are kept; files may each have one of their own in their `#jinja2:` line.
const DIALECTS: usize = 64;

/// How texts are read: the syntax, and how many filters and tests there are, as environments with other tables do not share code.
#[derive(PartialEq)]
struct Dialect {
    syntax: Syntax,
    filters: usize,
    tests: usize,
}

impl Dialect {
    fn is_of(&self, env: &Environment) -> bool {
        self.syntax == env.syntax && self.filters == env.filters.len() && self.tests == env.tests.len()
    }
}

type Texts = HashMap<Arc<str>, Arc<Code>>;

#[derive(Default)]
struct Cache {
    /// There are few dialects in a process, so that finding one takes no copy of a syntax, nor finding a text one of it.
    code: Vec<(Dialect, Texts)>,
    /// Oldest first: the number of the dialect, and the text.
    order: VecDeque<(usize, Arc<str>)>,
    bytes: usize,
}

impl Cache {
    fn find(&self, env: &Environment, text: &str) -> Option<Arc<Code>> {
        let (_, texts) = self.code.iter().find(|(dialect, _)| dialect.is_of(env))?;
        texts.get(text).cloned()
    }

    fn keep(&mut self, env: &Environment, text: &str, code: Arc<Code>) {
        let at = self.code.iter().position(|(dialect, _)| dialect.is_of(env)).unwrap_or_else(|| {
            if self.code.len() == DIALECTS {
                *self = Self::default();
            }
            let dialect =
                Dialect { syntax: env.syntax.clone(), filters: env.filters.len(), tests: env.tests.len() };
            self.code.push((dialect, Texts::new()));
            self.code.len() - 1
        });
        let text: Arc<str> = text.into();
        // Another thread may have been as fast.
        if self.code[at].1.insert(text.clone(), code).is_none() {
            self.bytes += text.len();
            self.order.push_back((at, text));
        }
        while self.bytes > MOST {
            let Some((at, oldest)) = self.order.pop_front() else { break };
            self.bytes -= oldest.len();
            self.code[at].1.remove(&oldest);
        }
    }
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
    let lock = || cache().lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = lock().find(env, text) {
        return Ok(found);
    }
    let tree = crate::parse(text, &env.syntax)?;
    let code = Arc::new(compile(&tree, env)?);
    lock().keep(env, text, code.clone());
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_compiled_once_for_each_way_of_reading_it() {
        let plain = Environment::new(Syntax::default());
        let other = Environment::new(Syntax { trim_blocks: true, ..Syntax::default() });
        let text = "{% if true %}only here{% endif %}\n";
        let first = code(&plain, text).unwrap();
        assert!(Arc::ptr_eq(&first, &code(&plain, text).unwrap()));
        assert!(!Arc::ptr_eq(&first, &code(&other, text).unwrap()));
    }
}
