//! Filters that use chance. With a seed, `random_sample` and `random_shuffle` give what Python gives.

use super::hash::{hex, named, no_length};
use super::text::room;
use base64::Engine as _;
use brine_jinja::{State, Table};
use brine_python::{
    Args, Kind, Obj, Op, PyErr, R, Signature, binary, getitem, index, len, need_items, str, truth,
};
use sha2::{Digest, Sha512};

pub(super) fn add(table: &mut Table) {
    table.insert("random_str", random_str);
    table.insert("random_hash", random_hash);
    table.insert("rand_str", random_hash);
    table.insert("random_sample", random_sample);
    table.insert("random_shuffle", random_shuffle);
    table.insert("gen_mac", gen_mac);
}

fn chance(bytes: &mut [u8]) -> R<()> {
    getrandom::fill(bytes).map_err(|e| PyErr::new(Kind::Other("OSError"), e.to_string()))
}

/// A number below `n`, which is not 0.
fn below(n: u64) -> R<u64> {
    let mut bytes = [0; 16];
    chance(&mut bytes)?;
    Ok((u128::from_le_bytes(bytes) % u128::from(n)) as u64)
}

fn random_str(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("random", 0, &["size"], 0);
    let a = SIG.bind(args)?;
    let size = a.get(0).map_or(Ok(32), index)?;
    let Ok(size) = usize::try_from(size) else {
        return Err(PyErr::value("negative argument not allowed"));
    };
    room(size.saturating_mul(2))?;
    let mut bytes = vec![0; size];
    chance(&mut bytes)?;
    let mut text = base64::engine::general_purpose::STANDARD.encode(&bytes);
    text.truncate(size);
    Ok(text.into())
}

fn random_hash(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("random_hash", 0, &["size", "hash_type"], 0);
    let a = SIG.bind(args)?;
    let kind = match a.get(1) {
        Some(kind) if truth(kind)? => match kind.as_str() {
            Some(kind) => kind,
            None => return Err(super::hash::attribute_name(kind)),
        },
        _ => "md5",
    };
    let shake = matches!(kind, "shake_128" | "shake_256");
    let Some(mut hash) = named(if shake { "md5" } else { kind }) else {
        return Err(PyErr::new(Kind::AttributeError, format!("module 'hashlib' has no attribute '{kind}'")));
    };
    let size = a.get(0).cloned().unwrap_or(Obj::Int(9_999_999_999));
    let stop = binary(Op::Add, &size, &Obj::Int(1))?;
    let n = match &stop {
        Obj::Int(n) => *n,
        Obj::Big(_) => i64::MAX,
        Obj::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => *x as i64,
        Obj::Float(_) => return Err(PyErr::value("non-integer stop for randrange()")),
        other => return brine_python::int(other, None),
    };
    let Some(n) = u64::try_from(n).ok().filter(|n| *n > 0) else {
        return Err(PyErr::value(format!("empty range for randrange() (0, {n}, {n})")));
    };
    if shake {
        return Err(no_length());
    }
    hash(Some(below(n)?.to_string().as_bytes()));
    Ok(hex(&hash(None)).into())
}

fn gen_mac(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("gen_mac", 0, &["prefix"], 0);
    let a = SIG.bind(args)?;
    let prefix = match a.get(0) {
        Some(prefix) => str(&brine_python::format(prefix, "")?.into())?,
        None => "AC:DE:48".into(),
    };
    let mut bytes = [0; 3];
    chance(&mut bytes)?;
    Ok(format!("{prefix}:{:02X}:{:02X}:{:02X}", bytes[0], bytes[1], bytes[2]).into())
}

fn random_sample(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("sample", 0, &["value", "size", "seed"], 2);
    let a = SIG.bind(args)?;
    sample(a.at(0), a.at(1), a.some(2))
}

fn random_shuffle(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("shuffle", 0, &["value", "seed"], 1);
    let a = SIG.bind(args)?;
    let size = len(a.at(0))?;
    sample(a.at(0), &size.into(), a.some(1))
}

/// Where numbers come from.
enum Source {
    Chance,
    Seeded(Box<Twister>),
}

impl Source {
    /// `_randbelow`.
    fn below(&mut self, n: usize) -> R<usize> {
        if n == 0 {
            return Ok(0);
        }
        match self {
            Source::Chance => Ok(below(n as u64)? as usize),
            Source::Seeded(twister) => {
                let bits = usize::BITS - n.leading_zeros();
                loop {
                    let drawn = twister.bits(bits);
                    if drawn < n as u64 {
                        return Ok(drawn as usize);
                    }
                }
            }
        }
    }
}

/// `random.Random(seed).sample(value, size)`.
fn sample(value: &Obj, size: &Obj, seed: Option<&Obj>) -> R {
    let mut source = match seed {
        None => Source::Chance,
        Some(seed) => Source::Seeded(Box::new(Twister::of(&super::hash::seed(seed)?))),
    };
    let sequence = value.as_str().is_some()
        || matches!(value, Obj::List(_) | Obj::Tuple(_) | Obj::Bytes(_) | Obj::Range(_));
    if !sequence {
        return Err(PyErr::ty("Population must be a sequence.  For dicts or sets, use sorted(d)."));
    }
    let n = len(value)?;
    let k = match size {
        Obj::Big(_) => -1,
        Obj::Int(_) | Obj::Bool(_) => index(size)?,
        other => {
            brine_python::compare(brine_python::Cmp::Le, &Obj::Int(0), other)?;
            if brine_python::compare(brine_python::Cmp::Le, other, &Obj::from(n))? {
                return Err(PyErr::ty(format!(
                    "can't multiply sequence by non-int of type '{}'",
                    other.type_name()
                )));
            }
            -1
        }
    };
    let Some(k) = usize::try_from(k).ok().filter(|k| *k <= n) else {
        return Err(PyErr::value("Sample larger than population or is negative"));
    };
    need_items(k, size_of::<Obj>())?;
    let mut set_size = 21.0;
    if k > 5 {
        set_size += 4f64.powf(((k as f64 * 3.0).ln() / 4f64.ln()).ceil());
    }
    let mut out = Vec::with_capacity(k);
    if n as f64 <= set_size {
        let mut pool = value.items()?;
        for i in 0..k {
            let j = source.below(n - i)?;
            out.push(pool[j].clone());
            pool[j] = pool[n - i - 1].clone();
        }
    } else {
        let mut seen = std::collections::HashSet::new();
        while out.len() < k {
            let j = source.below(n)?;
            if seen.insert(j) {
                out.push(getitem(value, &j.into())?);
            }
        }
    }
    Ok(Obj::list(out))
}

const N: usize = 624;
const M: usize = 397;

/// The Mersenne Twister as Python seeds it with text.
struct Twister {
    state: [u32; N],
    at: usize,
}

impl Twister {
    /// `random.seed(text)`: the text and its hash are one large number, whose words are the key.
    fn of(text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.extend(Sha512::digest(text));
        bytes.reverse();
        let word = |part: &[u8]| part.iter().rev().fold(0u32, |n, b| n << 8 | u32::from(*b));
        let mut key: Vec<u32> = bytes.chunks(4).map(word).collect();
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        let mut twister = Self { state: [0; N], at: N };
        twister.state[0] = 19_650_218;
        for i in 1..N {
            let before = twister.state[i - 1];
            twister.state[i] = 1_812_433_253u32.wrapping_mul(before ^ before >> 30).wrapping_add(i as u32);
        }
        twister.mix(&key);
        twister
    }

    fn mix(&mut self, key: &[u32]) {
        let (mut i, mut j) = (1, 0);
        let scrambled = |state: &[u32; N], i: usize, factor: u32| {
            let before = state[i - 1];
            state[i] ^ (before ^ before >> 30).wrapping_mul(factor)
        };
        for _ in 0..N.max(key.len()) {
            self.state[i] = scrambled(&self.state, i, 1_664_525).wrapping_add(key[j]).wrapping_add(j as u32);
            (i, j) = (i + 1, (j + 1) % key.len());
            if i == N {
                self.state[0] = self.state[N - 1];
                i = 1;
            }
        }
        for _ in 1..N {
            self.state[i] = scrambled(&self.state, i, 1_566_083_941).wrapping_sub(i as u32);
            i += 1;
            if i == N {
                self.state[0] = self.state[N - 1];
                i = 1;
            }
        }
        self.state[0] = 0x8000_0000;
    }

    fn next(&mut self) -> u32 {
        if self.at == N {
            for i in 0..N {
                let y = self.state[i] & 0x8000_0000 | self.state[(i + 1) % N] & 0x7fff_ffff;
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + M) % N] ^ y >> 1 ^ odd;
            }
            self.at = 0;
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// `getrandbits(k)`, for 1 to 64 bits.
    fn bits(&mut self, k: u32) -> u64 {
        if k <= 32 {
            return u64::from(self.next() >> (32 - k));
        }
        let low = u64::from(self.next());
        let high = u64::from(self.next() >> (64 - k));
        high << 32 | low
    }
}
