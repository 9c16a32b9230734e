//! The `nacl` execution module: texts that only who has the key can read, as stock has it where PyNaCl is installed.

use brine_core::text::python_os_error;
use brine_core::call::{CallError, Cx, KwArgs, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use brine_python::R;
use brine_render::nacl::{self, Config};
use brine_render::template::{Session, call_error};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

module! {
    "nacl":
    dec, dec_file, enc, enc_file, keygen, sealedbox_decrypt, sealedbox_encrypt, secretbox_decrypt, secretbox_encrypt
}

fn exception(text: String) -> CallError {
    call_error(nacl::exception(text))
}

/// The configuration with the arguments over it. `key` and `keyfile` mean a `secretbox`.
fn config(cx: &Cx, kwargs: &Map) -> Config {
    let mut config = Config::of(&cx.opts);
    for (name, value) in kwargs {
        if let (Some(name), false) = (name.as_str(), value.is_nil()) {
            config.set(name, &python_str(value));
        }
    }
    config
}

fn bytes(data: &Value) -> Result<Vec<u8>> {
    match data {
        Value::Bytes(bytes) => Ok(bytes.clone()),
        Value::Str(text) => Ok(text.clone().into_bytes()),
        _ => Err(CallError::exception("TypeError", "Input must be str, bytes, or bytearray")),
    }
}

type Encrypt = fn(&Config, &[u8]) -> R<Vec<u8>>;
type Decrypt = fn(&Config, &[u8]) -> R<nacl::Bytes>;

fn encrypt(cx: &Cx, data: &Value, kwargs: &KwArgs, how: Encrypt) -> Result {
    how(&config(cx, &kwargs.0), &bytes(data)?).map(Value::Bytes).map_err(call_error)
}

fn decrypt(cx: &Cx, data: &Value, kwargs: &KwArgs, how: Decrypt) -> Result {
    if data.is_nil() {
        return Ok(Value::Nil);
    }
    how(&config(cx, &kwargs.0), &bytes(data)?).map(|clear| Value::Bytes(clear.to_vec())).map_err(call_error)
}

/// Encrypt with the configured kind of box: `sealedbox`, or `secretbox`.
///
/// CLI Example: salt-call --local nacl.enc datatoenc pk_file=/root/.nacl.pub
#[exec]
fn enc(cx: &Cx, data: Value, kwargs: KwArgs) -> Result {
    encrypt(cx, &data, &kwargs, nacl::enc)
}

/// Decrypt with the configured kind of box: `sealedbox`, or `secretbox`.
///
/// CLI Example: salt-call --local nacl.dec pEXHQM6cuaF7A=
#[exec]
fn dec(cx: &Cx, data: Value, kwargs: KwArgs) -> Result {
    decrypt(cx, &data, &kwargs, nacl::dec)
}

/// Encrypt for a public key; only who has the secret key can read it.
///
/// CLI Example: salt-call --local nacl.sealedbox_encrypt datatoenc pk_file=/etc/salt/pki/master/nacl.pub
#[exec]
fn sealedbox_encrypt(cx: &Cx, data: Value, kwargs: KwArgs) -> Result {
    encrypt(cx, &data, &kwargs, nacl::sealedbox_encrypt)
}

/// Decrypt what was encrypted for the public key of a secret key.
///
/// CLI Example: salt-call --local nacl.sealedbox_decrypt data='pEXHQM6cuaF7A=' sk_file=/etc/salt/pki/master/nacl
#[exec]
fn sealedbox_decrypt(cx: &Cx, data: Value, kwargs: KwArgs) -> Result {
    decrypt(cx, &data, &kwargs, nacl::sealedbox_decrypt)
}

/// Encrypt with a secret key, which decrypts as well.
///
/// CLI Example: salt-call --local nacl.secretbox_encrypt datatoenc sk_file=/etc/salt/pki/master/nacl
#[exec]
fn secretbox_encrypt(cx: &Cx, data: Value, kwargs: KwArgs) -> Result {
    encrypt(cx, &data, &kwargs, nacl::secretbox_encrypt)
}

/// Decrypt what was encrypted with a secret key.
///
/// CLI Example: salt-call --local nacl.secretbox_decrypt data='pEXHQM6cuaF7A=' sk_file=/etc/salt/pki/master/nacl
#[exec]
fn secretbox_decrypt(cx: &Cx, data: Value, kwargs: KwArgs) -> Result {
    decrypt(cx, &data, &kwargs, nacl::secretbox_decrypt)
}

/// The contents of a file of the tree, or of this machine.
fn contents(cx: &Cx, name: &str) -> Result<Value> {
    let path = match name.strip_prefix("salt://") {
        Some(path) => Session::of(cx).files.cache_file(path, "base")?,
        None => Some(name.into()),
    };
    let path =
        path.ok_or_else(|| CallError::execution(format!("Unable to fetch file {name} from saltenv base.")))?;
    let bytes = fs::read(&path).map_err(|e| CallError::exception("FileNotFoundError", python_os_error(&e, name)))?;
    Ok(String::from_utf8(bytes).map_or_else(|e| Value::Bytes(e.into_bytes()), Value::Str))
}

/// What was made of a file, or where it was written.
fn give(data: Value, out: Option<Value>) -> Result {
    let Some(out) = out.filter(Value::truthy).map(|out| python_str(&out)) else { return Ok(data) };
    if Path::new(&out).is_file() {
        return Err(exception(format!("file:{out} already exist.")));
    }
    fs::write(&out, bytes(&data)?).map_err(|e| CallError::exception("OSError", python_os_error(&e, &out)))?;
    Ok(format!("Wrote: {out}").into())
}

/// Encrypt the contents of a file; with `out`, into a file.
///
/// CLI Example: salt-call --local nacl.enc_file name=salt://crt/mycert out=/tmp/cert
#[exec]
fn enc_file(cx: &Cx, name: String, out: Option<Value>, kwargs: KwArgs) -> Result {
    give(encrypt(cx, &contents(cx, &name)?, &kwargs, nacl::enc)?, out)
}

/// Decrypt the contents of a file; with `out`, into a file.
///
/// CLI Example: salt-call --local nacl.dec_file name=salt://crt/mycert.nacl out=/tmp/id_rsa
#[exec]
fn dec_file(cx: &Cx, name: String, out: Option<Value>, kwargs: KwArgs) -> Result {
    give(decrypt(cx, &contents(cx, &name)?, &kwargs, nacl::dec)?, out)
}

/// Writes a new file that only its owner can read.
fn write_key(path: &str, key: &[u8]) -> Result<()> {
    let failed = |e| CallError::exception("OSError", python_os_error(&e, path));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(key).map_err(failed)
}

/// Generate a keypair: returned, or written to `sk_file` and `pk_file`. One key file that is there already is kept, and the
/// public one is made from it.
///
/// CLI Example: salt-call --local nacl.keygen sk_file=/etc/salt/pki/master/nacl
#[exec]
fn keygen(sk_file: Option<String>, pk_file: Option<String>, kwargs: KwArgs) -> Result {
    let sk_file = kwargs.0.get_str("keyfile").map(str::to_owned).or(sk_file);
    let Some(sk_file) = sk_file else {
        let (public, secret) = nacl::keypair();
        let mut keys = Map::new();
        keys.insert("sk", Value::Bytes(secret.to_vec()));
        keys.insert("pk", Value::Bytes(public));
        return Ok(keys.into());
    };
    let pk_file = pk_file.unwrap_or_else(|| format!("{sk_file}.pub"));
    if Path::new(&sk_file).is_file() {
        if Path::new(&pk_file).is_file() {
            return Err(exception(format!("sk_file:{sk_file} and pk_file:{pk_file} already exist.")));
        }
        let mut secret = zeroize::Zeroizing::new(
            fs::read(&sk_file).map_err(|e| CallError::exception("OSError", python_os_error(&e, &sk_file)))?,
        );
        while secret.last() == Some(&b'\n') {
            secret.pop();
        }
        let public = nacl::public_of(&secret).map_err(call_error)?;
        fs::write(&pk_file, public).map_err(|e| CallError::exception("OSError", python_os_error(&e, &pk_file)))?;
        return Ok(format!("saved pk_file: {pk_file}").into());
    }
    let (public, secret) = nacl::keypair();
    write_key(&sk_file, &secret)?;
    fs::write(&pk_file, public).map_err(|e| CallError::exception("OSError", python_os_error(&e, &pk_file)))?;
    Ok(format!("saved sk_file:{sk_file}  pk_file: {pk_file}").into())
}
