//! What all backends list, put together; kept as long as each gives the same.

use super::Named;
use crate::backend::Listed;
use brine_core::call::Result;
use brine_protocol::ids::SaltEnv;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Of how many environments it is kept.
const MOST: usize = 256;

/// What the backends listed, and what came of it.
type Kept = (Vec<Arc<Listed>>, Arc<Listed>);

/// By environment: what the backends listed, and what came of it.
#[derive(Default)]
pub(super) struct Merged {
    kept: Mutex<HashMap<String, Kept>>,
}

impl Merged {
    pub(super) fn of(&self, saltenv: &SaltEnv, backends: &[Named]) -> Result<Arc<Listed>> {
        let parts: Vec<Arc<Listed>> =
            backends.iter().map(|named| named.backend.list(saltenv)).collect::<Result<_>>()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, all)) = kept.get(saltenv.as_str())
            && from.len() == parts.len()
            && from.iter().zip(&parts).all(|(a, b)| Arc::ptr_eq(a, b))
        {
            return Ok(all.clone());
        }
        let all = Arc::new(together(&parts));
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(saltenv.as_str().to_owned(), (parts, all.clone()));
        Ok(all)
    }
}

/// All lists, sorted and without doubles; of links of one name, that of the first backend.
pub(super) fn together(parts: &[Arc<Listed>]) -> Listed {
    let texts = |of: fn(&Listed) -> &Vec<String>| {
        let mut all: Vec<String> = parts.iter().flat_map(|part| of(part).iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    };
    Listed {
        files: texts(|part| &part.files),
        dirs: texts(|part| &part.dirs),
        empty_dirs: texts(|part| &part.empty_dirs),
        links: {
            let mut all: Vec<(String, String)> =
                parts.iter().flat_map(|part| part.links.iter().cloned()).collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all.dedup_by(|later, first| later.0 == first.0);
            all
        },
    }
}
