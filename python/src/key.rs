//! Values as keys of dicts and members of sets: hashed once, equal as Python's `==` says.

use crate::cmp;
use crate::error::{PyErr, R};
use crate::obj::Obj;
use indexmap::Equivalent;
use num_traits::ToPrimitive;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

/// 2^63: doubles below it in size, and whole, are 64-bit integers.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// A hashable value with its hash.
#[derive(Clone)]
pub struct Key {
    hash: u64,
    obj: Obj,
}

impl Key {
    /// The value as a key.
    ///
    /// # Errors
    /// `TypeError: unhashable type: 'list'`.
    pub fn new(obj: Obj) -> R<Self> {
        Ok(Self { hash: hash(&obj)?, obj })
    }

    /// A text key.
    pub fn text(text: &str) -> Self {
        Self { hash: hash_text(text), obj: Obj::str(text) }
    }

    /// The value.
    pub fn obj(&self) -> &Obj {
        &self.obj
    }

    /// The value.
    pub fn into_obj(self) -> Obj {
        self.obj
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        // What is its own equal here, NaN for example, is found again, as in Python by identity.
        self.hash == other.hash
            && (self.obj.is(&other.obj) || cmp::eq(&self.obj, &other.obj).unwrap_or(false))
    }
}

impl Eq for Key {}

/// Text that looks for its key without a value being made.
pub(crate) struct TextKey<'a>(pub(crate) &'a str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(hash_text(self.0));
    }
}

impl Equivalent<Key> for TextKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        key.obj.as_str() == Some(self.0)
    }
}

/// Passes on the hash that a key carries.
#[derive(Clone, Copy, Default)]
pub struct Carried;

/// The hasher of [`Carried`].
#[derive(Default)]
pub struct CarriedHasher(u64);

impl BuildHasher for Carried {
    type Hasher = CarriedHasher;
    fn build_hasher(&self) -> CarriedHasher {
        CarriedHasher::default()
    }
}

impl Hasher for CarriedHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*b);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// Keyed, so that nobody can choose keys that collide.
fn state() -> &'static RandomState {
    static STATE: OnceLock<RandomState> = OnceLock::new();
    STATE.get_or_init(RandomState::new)
}

fn hash_text(text: &str) -> u64 {
    state().hash_one(text)
}

/// A hash that is equal for equal values, whatever their types. Its number is not Python's.
///
/// # Errors
/// `TypeError: unhashable type: 'list'`; `RecursionError` for tuples nested too deep.
pub fn hash(obj: &Obj) -> R<u64> {
    hash_in(obj, 0)
}

fn hash_in(obj: &Obj, depth: usize) -> R<u64> {
    if depth > crate::depth::DEEP {
        return Err(PyErr::recursion(""));
    }
    let s = state();
    Ok(match obj {
        Obj::None => s.hash_one(0u8),
        Obj::Bool(b) => s.hash_one(i64::from(*b)),
        Obj::Int(i) => s.hash_one(*i),
        Obj::Big(n) => match n.to_f64() {
            Some(x) if x.is_finite() && crate::int::from_float(x).is_ok_and(|b| b == **n) => {
                s.hash_one(x.to_bits())
            }
            _ => s.hash_one(&**n),
        },
        Obj::Float(x) => {
            if *x >= -TWO_63 && *x < TWO_63 && x.fract() == 0.0 {
                s.hash_one(*x as i64)
            } else {
                s.hash_one(x.to_bits())
            }
        }
        Obj::Str(text) => hash_text(text),
        Obj::Bytes(b) => s.hash_one(&**b),
        Obj::Tuple(t) => {
            let mut all = Vec::with_capacity(t.len());
            for item in t.iter() {
                all.push(hash_in(item, depth + 1)?);
            }
            s.hash_one(all)
        }
        Obj::Set(set) if set.frozen() => {
            s.hash_one(set.borrow().iter().fold(set.len() as u64, |sum, key| sum.wrapping_add(key.hash)))
        }
        Obj::Range(r) => s.hash_one(r.canonical()),
        Obj::Date(d) => s.hash_one(d),
        Obj::Time(t) => s.hash_one(t),
        Obj::DateTime(d) => s.hash_one(d.utc_micros()),
        Obj::Delta(d) => s.hash_one(d),
        Obj::Zone(z) => s.hash_one(z.seconds()),
        Obj::Iter(i) => s.hash_one(i.address()),
        Obj::View(v) if v.is_values() => s.hash_one(obj.address()),
        Obj::Other(o) => match (o.hash()?, o.as_str()) {
            (Some(n), _) => n,
            (None, Some(text)) => hash_text(text),
            (None, None) => s.hash_one(obj.address()),
        },
        _ => return Err(PyErr::ty(format!("unhashable type: '{}'", obj.type_name()))),
    })
}
