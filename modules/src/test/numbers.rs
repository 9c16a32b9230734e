//! Work and waiting of a chosen length, and random digests.

use super::python_int;
use crate::hashutil::hex_digest;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// More steps than any number of 64 bits takes; beyond it only memory would end the loop.
const MAX_STEPS: usize = 100_000;

/// The time of day in seconds, as Python's `time.time()`: what two of them differ by is as coarse as there, and printed so.
fn clock() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Wait for `length` seconds, then return `True`.
///
/// CLI Example: salt '*' test.sleep 20
#[exec]
fn sleep(cx: &Cx, length: Value) -> Result<bool> {
    let seconds = u64::try_from(python_int(&length)?)
        .map_err(|_| CallError::exception("ValueError", "sleep length must be non-negative"))?;
    cx.cancel.sleep(Duration::from_secs(seconds))?;
    Ok(true)
}

/// Wait for a random number of seconds from 0 to `max`, then return `True`.
///
/// CLI Example: salt '*' test.rand_sleep 60
#[exec]
fn rand_sleep(cx: &Cx, #[default(60)] max: Value) -> Result<bool> {
    let seconds = below(python_int(&max)?.saturating_add(1))?;
    cx.cancel.sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)))?;
    Ok(true)
}

/// A random number below `n`, of the operating system's.
fn below(n: i128) -> Result<u128> {
    let n = u128::try_from(n).ok().filter(|n| *n > 0);
    let n = n.ok_or_else(|| CallError::exception("ValueError", "empty range for randrange()"))?;
    let mut random = crate::python::random::Random::from_system()
        .map_err(|e| CallError::exception("OSError", e.to_string()))?;
    Ok(random.below(n))
}

/// The `num`th Fibonacci number and the seconds it took.
///
/// CLI Example: salt '*' test.fib 3
#[exec]
fn fib(cx: &Cx, num: Value) -> Result<Vec<Value>> {
    let num = python_int(&num)?;
    if num < 0 {
        return Err(CallError::exception("ValueError", "Negative number is not allowed!"));
    }
    let start = clock();
    // Digits in groups of eighteen, lowest first: the result soon outgrows every machine number.
    const GROUP: u64 = 1_000_000_000_000_000_000;
    let (mut previous, mut current) = (vec![0u64], vec![u64::from(num > 0)]);
    for _ in 1..num {
        cx.cancel.check()?;
        let mut carry = 0;
        for i in 0..current.len() {
            let sum = current[i] + previous.get(i).copied().unwrap_or(0) + carry;
            carry = sum / GROUP;
            if i < previous.len() {
                previous[i] = sum % GROUP;
            } else {
                previous.push(sum % GROUP);
            }
        }
        if carry > 0 {
            previous.push(carry);
        }
        std::mem::swap(&mut previous, &mut current);
    }
    let mut text = current.last().map(u64::to_string).unwrap_or_default();
    for group in current.iter().rev().skip(1) {
        text.push_str(&format!("{group:018}"));
    }
    let number = text.parse().map_or_else(|_| Value::from(text), Value::Int);
    Ok(vec![number, (clock() - start).into()])
}

/// The Collatz sequence from `start` down to 2, and the seconds it took.
///
/// CLI Example: salt '*' test.collatz 3
#[exec]
fn collatz(cx: &Cx, start: Value) -> Result<Vec<Value>> {
    let mut at = Value::Int(python_int(&start)?);
    let begin = clock();
    let mut steps = Vec::new();
    while at.as_float() != Some(1.0) {
        cx.cancel.check()?;
        if steps.len() >= MAX_STEPS {
            return Err(CallError::invocation(format!("no end after {MAX_STEPS} steps")));
        }
        steps.push(at.clone());
        // Python's division makes it a float from the first halving on.
        at = match at {
            Value::Int(n) if n > 1 && n % 2 != 0 => Value::Int(n.saturating_mul(3).saturating_add(1)),
            Value::Int(n) if n > 1 => Value::Float(n as f64 / 2.0),
            Value::Float(x) if x % 2.0 == 0.0 => Value::Float(x / 2.0),
            Value::Float(x) => Value::Float(x * 3.0 + 1.0),
            other => other,
        };
    }
    Ok(vec![steps.into(), (clock() - begin).into()])
}

/// The digest of a random number from 0 to `size`, by the option `hash_type` unless one is given.
///
/// CLI Example: salt '*' test.random_hash hash_type=sha512
#[exec]
fn random_hash(cx: &Cx, #[default(9_999_999_999i64)] size: Value, hash_type: Option<String>) -> Result<String> {
    digest_of_random(cx, &size, hash_type)
}

/// Older name of `test.random_hash`.
///
/// CLI Example: salt '*' test.rand_str hash_type=sha512
#[exec]
fn rand_str(cx: &Cx, #[default(9_999_999_999i64)] size: Value, hash_type: Option<String>) -> Result<String> {
    digest_of_random(cx, &size, hash_type)
}

fn digest_of_random(cx: &Cx, size: &Value, hash_type: Option<String>) -> Result<String> {
    let configured = Some(cx.opts.str("hash_type").to_owned()).filter(|name| !name.is_empty());
    let name = hash_type.filter(|name| !name.is_empty()).or(configured).unwrap_or_else(|| "sha256".into());
    let number = below(python_int(size)?.saturating_add(1))?;
    hex_digest(&name, number.to_string().as_bytes()).ok_or_else(|| {
        CallError::exception("AttributeError", format!("module 'hashlib' has no attribute '{name}'"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::{Args, Registry};
    use std::sync::Arc;

    fn call(fun: &str, arg: i32) -> Result {
        let registry = Arc::new(Registry::new(crate::ALL.iter().copied()));
        let cx = Cx::new(Arc::default(), registry, Arc::new(brine_core::host::NoHost));
        cx.call(fun, Args::positional([arg]))
    }

    #[test]
    fn big_numbers_stay_exact() {
        let fib = |n| call("test.fib", n).unwrap().as_list().unwrap()[0].clone();
        assert_eq!(fib(0), Value::from(0));
        assert_eq!(fib(100), Value::Int(354_224_848_179_261_915_075));
        assert_eq!(fib(200), Value::from("280571172992510140037611932413038677189525"));
    }

    #[test]
    fn a_sequence_without_end_is_refused() {
        assert!(call("test.collatz", 0).is_err());
    }
}
