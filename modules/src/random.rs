//! Random values, and hashes of passwords.

use crate::hashutil::hex_digest;
use crate::python::crypt;
use crate::python::random::Random;
use crate::test::python_int;
use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::text::{python_str, python_type};
use brine_core::Value;

module! { "random": get_str, hash, rand_int, sample, seed, shadow_hash, shuffle, str_encode }

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const WHITESPACE: &str = " \t\n\r\x0b\x0c";

/// What the Python of a stock minion offers, best first.
const CRYPT: &str = "['sha512', 'sha256', 'blowfish', 'md5', 'crypt']";

fn system() -> Result<Random> {
    Random::from_system().map_err(|e| CallError::exception("OSError", e.to_string()))
}

fn value_error(text: &str) -> CallError {
    CallError::exception("ValueError", text)
}

/// The digest of a value by any of Python's algorithms (sha512 unless another is named).
///
/// CLI Example: salt '*' random.hash 'I am a string' md5
#[exec]
fn hash(value: Value, #[default("sha512")] algorithm: String) -> Result<String> {
    digest(&value, &algorithm)
}

fn digest(value: &Value, algorithm: &str) -> Result<String> {
    if algorithm.starts_with("shake_") {
        return Err(CallError::Arguments("hexdigest() missing required argument 'length' (pos 1)".into()));
    }
    let known = || CallError::exception("SaltException", "You must specify a valid algorithm.");
    hex_digest(algorithm, b"").ok_or_else(known)?;
    let buffer = || CallError::Arguments("object supporting the buffer API required".into());
    hex_digest(algorithm, value.as_bytes().ok_or_else(buffer)?).ok_or_else(known)
}

/// Encode text; `base64` is the one encoder there is.
///
/// CLI Example: salt '*' random.str_encode 'I am a new string'
#[exec]
fn str_encode(value: Value, #[default("base64")] encoder: String) -> Result<String> {
    use base64::Engine;
    match value.as_bytes() {
        Some(bytes) if encoder == "base64" => Ok(base64::engine::general_purpose::STANDARD.encode(bytes)),
        _ => Err(CallError::invocation("Value must be an encode-able string")),
    }
}

/// Random text of the given length and kinds of characters, or of the characters in `chars`.
///
/// CLI Example: salt '*' random.get_str 128 punctuation=False
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn get_str(
    #[default(20)] length: Value,
    chars: Option<String>,
    #[default(true)] lowercase: bool,
    #[default(true)] uppercase: bool,
    #[default(true)] digits: bool,
    #[default(true)] punctuation: bool,
    #[default(false)] whitespace: bool,
    #[default(false)] printable: bool,
) -> Result<String> {
    let kinds = [
        (lowercase, LOWER),
        (uppercase, UPPER),
        (digits, DIGITS),
        (punctuation, PUNCTUATION),
        (whitespace, WHITESPACE),
    ];
    let chars: String = match chars.filter(|chars| !chars.is_empty()) {
        _ if printable => kinds.iter().map(|(_, chars)| *chars).collect(),
        Some(chars) => chars,
        None => kinds.iter().filter(|(wanted, _)| *wanted).map(|(_, chars)| *chars).collect(),
    };
    secure_text(&length, &chars)
}

/// Longer passwords are a mistake, and would only eat memory.
const MAX_LENGTH: i128 = 1 << 20;

fn secure_text(length: &Value, chars: &str) -> Result<String> {
    let length = python_int(length).map_err(|e| match e {
        CallError::Exception { message, .. } => CallError::Execution(message),
        other => CallError::Execution(other.to_string()),
    })?;
    let chars: Vec<char> = chars.chars().collect();
    if chars.is_empty() && length > 0 {
        return Err(CallError::execution("no characters to choose from"));
    }
    if length > MAX_LENGTH {
        return Err(CallError::execution(format!("length must be at most {MAX_LENGTH}")));
    }
    let mut bytes = [0; 64];
    let mut text = String::new();
    let mut left = length.max(0);
    // The largest multiple of the number of characters: what is beyond would favour the first ones.
    let fair = u32::MAX - u32::MAX % (chars.len().max(1) as u32);
    while left > 0 {
        getrandom::fill(&mut bytes).map_err(|e| CallError::execution(e.to_string()))?;
        for word in bytes.as_chunks::<4>().0 {
            let number = u32::from_ne_bytes(*word);
            if number < fair && left > 0 {
                text.push(chars[number as usize % chars.len()]);
                left -= 1;
            }
        }
    }
    Ok(text)
}

/// The hash of a password as `/etc/shadow` holds it: `sha512` (the default), `sha256`, `blowfish`, `md5` or `crypt`. Salt and
/// password are random unless given; that of the first two may start with `rounds=N$`, that of `blowfish` with the cost (`12$`).
///
/// CLI Example: salt '*' random.shadow_hash 'My5alT' 'MyP@asswd' md5
#[exec]
fn shadow_hash(
    crypt_salt: Option<String>,
    password: Option<String>,
    #[default("sha512")] algorithm: Option<String>,
) -> Result {
    password_hash(crypt_salt, password, Some(algorithm.unwrap_or_else(|| "sha512".into())))
}

/// The hash of a password, by the best algorithm if none is named; salt and password are random unless given.
pub(crate) fn password_hash(
    crypt_salt: Option<String>,
    password: Option<String>,
    algorithm: Option<String>,
) -> Result {
    let password = match password {
        Some(password) => password,
        None => secure_text(&20.into(), &[LOWER, UPPER, DIGITS, PUNCTUATION].concat())?,
    };
    let algorithm = algorithm.unwrap_or_else(|| "sha512".into());
    let length = match algorithm.as_str() {
        "md5" => 8,
        "blowfish" => 21,
        "crypt" => 2,
        _ => 16,
    };
    let salt = match crypt_salt {
        Some(salt) => salt,
        None => {
            let salt = secure_text(&length.into(), &[LOWER, UPPER, DIGITS, "./"].concat())?;
            // 128 bits in letters of six: the last one holds two.
            if algorithm == "blowfish" { format!("12${salt}O") } else { salt }
        }
    };
    let password = password.as_bytes();
    match algorithm.as_str() {
        "sha512" => Ok(crypt::sha512(password, &salt).into()),
        "sha256" => Ok(crypt::sha256(password, &salt).into()),
        "blowfish" => Ok(crypt::blowfish(password, &salt).into()),
        "md5" => Ok(crypt::md5(password, &salt).into()),
        "crypt" => {
            if salt.chars().count() != 2 {
                tracing::warn!("Hash salt is too long for 'crypt' hash.");
            }
            Ok(crate::python::des::crypt(password, &salt).into())
        }
        _ => Err(CallError::invocation(format!(
            "Cannot hash using '{algorithm}' hash algorithm. Natively supported algorithms are: {CRYPT}. If \
             passlib is installed (False), the supported algorithms are: {CRYPT}."
        ))),
    }
}

/// A random number from `start` to `end`, the same again for the same `seed`.
///
/// CLI Example: salt '*' random.rand_int 1 10
#[exec]
fn rand_int(#[default(1)] start: Value, #[default(10)] end: Value, seed: Option<Value>) -> Result {
    let text = [&start, &end].into_iter().find(|value| matches!(value, Value::Str(_)));
    if text.is_some() {
        return Err(CallError::Arguments("can only concatenate str (not \"int\") to str".into()));
    }
    let (start, end) = (python_int(&start)?, python_int(&end)?);
    let mut random = seeded(seed)?;
    let after = end.saturating_add(1);
    let width = u128::try_from(after.saturating_sub(start)).ok().filter(|width| *width > 0);
    let width = width.ok_or_else(|| {
        value_error(&format!("empty range for randrange() ({start}, {after}, {})", after - start))
    })?;
    Ok(Value::Int(start.saturating_add(random.below(width) as i128)))
}

fn seeded(seed: Option<Value>) -> Result<Random> {
    match seed {
        None => system(),
        Some(Value::Str(text)) => Ok(Random::from_text(&text)),
        Some(Value::Int(number)) => Ok(Random::from_int(number)),
        Some(Value::Bool(b)) => Ok(Random::from_int(b.into())),
        Some(Value::Float(x)) if x.fract() == 0.0 && x.abs() < 1e18 => Ok(Random::from_int(x as i128)),
        Some(other) => Err(CallError::Arguments(format!(
            "The only supported seed types are: None,\nint, float, str, bytes, and bytearray. ({} given)",
            python_type(&other)
        ))),
    }
}

/// A number below `range` that is always the same for this minion, or for the seed `hash`: to spread work over time.
///
/// CLI Example: salt '*' random.seed 10 hash=None
#[exec]
fn seed(cx: &Cx, #[default(10)] range: Value, hash: Option<Value>) -> Result {
    let hash = hash.or_else(|| cx.grains.get("id").cloned());
    let mut random = seeded(hash)?;
    let range = u128::try_from(python_int(&range)?).ok().filter(|range| *range > 0);
    Ok(Value::Int(random.below(range.ok_or_else(|| value_error("empty range for randrange()"))?) as i128))
}

/// `size` members of a list in random order, the same again for the same `seed`.
///
/// CLI Example: salt '*' random.sample '["one", "two"]' 1 seed="something"
#[exec]
fn sample(value: Value, size: Value, seed: Option<Value>) -> Result {
    let size = python_int(&size)?;
    choose(&value, Some(size), seed)
}

/// A list in random order, the same again for the same `seed`.
///
/// CLI Example: salt '*' random.shuffle '["one", "two"]' seed="something"
#[exec]
fn shuffle(value: Value, seed: Option<Value>) -> Result {
    choose(&value, None, seed)
}

fn choose(value: &Value, size: Option<i128>, seed: Option<Value>) -> Result {
    let mut random = match seed {
        None => system()?,
        // Salt hashes the seed first.
        Some(seed) => Random::from_text(&digest(&seed, "sha512")?),
    };
    let values: Vec<Value> = match value {
        Value::List(list) => list.clone(),
        Value::Str(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        Value::Map(_) => {
            let text = "Population must be a sequence.  For dicts or sets, use sorted(d).";
            return Err(CallError::Arguments(text.into()));
        }
        other => {
            let text = format!("object of type '{}' has no len(): {}", python_type(other), python_str(other));
            return Err(CallError::Arguments(text));
        }
    };
    let size = size.map_or(Some(values.len()), |size| usize::try_from(size).ok());
    match size.filter(|size| *size <= values.len()) {
        Some(size) => Ok(random.sample(&values, size).into()),
        None => Err(value_error("Sample larger than population or is negative")),
    }
}
