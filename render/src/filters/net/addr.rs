//! Python's `ipaddress`: addresses, interfaces and networks from values of any type, as Python 3.11 reads them.

use crate::filters::kinds::class;
use brine_python::{Kind, Obj, PyErr, R, repr, str};
use num_traits::ToPrimitive;

/// An address, of either version.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Addr {
    pub(super) v6: bool,
    pub(super) bits: u128,
    scope: Option<String>,
}

/// An address within a network, or a network: an address and how many bits of it are the network's.
#[derive(Clone, Debug)]
pub(super) struct Prefixed {
    pub(super) addr: Addr,
    pub(super) prefix: u32,
}

/// Why a value is none: tried further, or raised at once.
enum Not {
    /// `AddressValueError`, `NetmaskValueError`.
    This,
    Raised(PyErr),
}

impl From<PyErr> for Not {
    fn from(e: PyErr) -> Self {
        Not::Raised(e)
    }
}

type Tried<T> = Result<T, Not>;

fn octet(text: &str) -> Option<u128> {
    let fits = !text.is_empty()
        && text.len() <= 3
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    fits.then(|| text.parse().ok()).flatten().filter(|n| *n <= 255)
}

fn parse4(text: &str) -> Option<u128> {
    let octets: Vec<&str> = text.split('.').collect();
    if octets.len() != 4 {
        return None;
    }
    octets.into_iter().try_fold(0, |n, o| Some(n << 8 | octet(o)?))
}

fn hextet(text: &str) -> Option<u128> {
    let fits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

fn parse6(text: &str) -> Option<u128> {
    let mut parts: Vec<String> = text.split(':').take(12).map(str::to_owned).collect();
    if parts.len() < 3 {
        return None;
    }
    if parts.last().is_some_and(|last| last.contains('.')) {
        let v4 = parse4(&parts.pop()?)?;
        parts.push(format!("{:x}", v4 >> 16));
        parts.push(format!("{:x}", v4 & 0xffff));
    }
    let n = parts.len();
    if n > 9 {
        return None;
    }
    let mut gaps = (1..n - 1).filter(|i| parts[*i].is_empty());
    let (high, low) = match (gaps.next(), gaps.next()) {
        (Some(_), Some(_)) => return None,
        (Some(gap), None) => {
            let (mut high, mut low) = (gap, n - gap - 1);
            if parts[0].is_empty() {
                high -= 1;
                if high > 0 {
                    return None;
                }
            }
            if parts[n - 1].is_empty() {
                low -= 1;
                if low > 0 {
                    return None;
                }
            }
            if high + low > 7 {
                return None;
            }
            (high, low)
        }
        _ if n == 8 => (8, 0),
        _ => return None,
    };
    let mut bits = 0;
    for part in &parts[..high] {
        bits = bits << 16 | hextet(part)?;
    }
    if high + low < 8 {
        bits = bits.checked_shl(16 * (8 - high - low) as u32).unwrap_or(0);
    }
    for part in &parts[n - low..] {
        bits = bits << 16 | hextet(part)?;
    }
    Some(bits)
}

impl Addr {
    fn width(v6: bool) -> u32 {
        if v6 { 128 } else { 32 }
    }

    /// `IPv4Address(x)` or `IPv6Address(x)`.
    fn of(obj: &Obj, v6: bool) -> Tried<Self> {
        let plain = |bits| Self { v6, bits, scope: None };
        let top = if v6 { u128::MAX } else { u32::MAX.into() };
        match obj {
            Obj::Bool(b) => return Ok(plain(u128::from(*b))),
            Obj::Int(n) => {
                return u128::try_from(*n).ok().filter(|n| *n <= top).map(plain).ok_or(Not::This);
            }
            Obj::Big(n) => return n.to_u128().filter(|n| *n <= top).map(plain).ok_or(Not::This),
            Obj::Bytes(bytes) => {
                if bytes.len() * 8 != Self::width(v6) as usize {
                    return Err(Not::This);
                }
                return Ok(plain(bytes.iter().fold(0, |n, b| n << 8 | u128::from(*b))));
            }
            _ => {}
        }
        let text = str(obj)?;
        if text.contains('/') {
            return Err(Not::This);
        }
        if !v6 {
            return parse4(&text).map(plain).ok_or(Not::This);
        }
        let (text, scope) = match text.split_once('%') {
            Some((_, scope)) if scope.is_empty() || scope.contains('%') => return Err(Not::This),
            Some((text, scope)) => (text.to_owned(), Some(scope.to_owned())),
            None => (text, None),
        };
        parse6(&text).map(|bits| Self { v6, bits, scope }).ok_or(Not::This)
    }

    /// `ipaddress.ip_address(x)`.
    ///
    /// # Errors
    /// `ValueError`: `'x' does not appear to be an IPv4 or IPv6 address`.
    pub(super) fn any(obj: &Obj) -> R<Self> {
        either(obj, "address", |v6| Self::of(obj, v6))
    }

    pub(super) fn within(&self, network: &Prefixed) -> bool {
        self.v6 == network.addr.v6
            && mask(self.bits, self.v6, network.prefix) == mask(network.addr.bits, self.v6, network.prefix)
    }
}

fn either<T>(obj: &Obj, what: &str, of: impl Fn(bool) -> Tried<T>) -> R<T> {
    for v6 in [false, true] {
        match of(v6) {
            Ok(found) => return Ok(found),
            Err(Not::Raised(e)) => return Err(e),
            Err(Not::This) => {}
        }
    }
    Err(PyErr::value(format!("{} does not appear to be an IPv4 or IPv6 {what}", repr(obj)?)))
}

/// The network's part of an address.
fn mask(bits: u128, v6: bool, prefix: u32) -> u128 {
    let host = Addr::width(v6) - prefix;
    bits.checked_shr(host).and_then(|b| b.checked_shl(host)).unwrap_or(0)
}

fn prefix_of(obj: &Obj, v6: bool) -> Tried<u32> {
    let width = Addr::width(v6);
    let number = |n: Option<u32>| n.filter(|n| *n <= width).ok_or(Not::This);
    match obj {
        Obj::Bool(b) => number(Some(u32::from(*b))),
        Obj::Int(n) => number(u32::try_from(*n).ok()),
        Obj::Big(_) => Err(Not::This),
        _ if obj.as_str().is_some() => {
            let text = obj.as_str().unwrap_or_default();
            if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
                let short = text.trim_start_matches('0');
                match number(if short.is_empty() { Some(0) } else { short.parse().ok() }) {
                    Err(Not::This) if !v6 => {}
                    done => return done,
                }
            }
            if v6 {
                return Err(Not::This);
            }
            let bits = parse4(text).ok_or(Not::This)? as u32;
            let ones =
                |bits: u32| (bits.leading_ones() + bits.trailing_zeros() == 32).then(|| bits.leading_ones());
            match bits {
                u32::MAX => Ok(32),
                0 => Ok(0),
                bits => ones(bits).or_else(|| ones(!bits)).ok_or(Not::This),
            }
        }
        _ => {
            brine_python::hash(obj)?;
            Err(PyErr::attribute(obj, "isascii").into())
        }
    }
}

impl Prefixed {
    /// `IPv4Interface(x)` or `IPv6Interface(x)`: a network that may have bits of a host.
    fn of(obj: &Obj, v6: bool) -> Tried<Self> {
        let whole = Obj::Int(Addr::width(v6).into());
        let (addr, prefix) = match obj {
            Obj::Bool(_) | Obj::Int(_) | Obj::Big(_) | Obj::Bytes(_) => (obj.clone(), whole),
            Obj::Tuple(tuple) => match &tuple[..] {
                [] => return Err(PyErr::new(Kind::IndexError, "tuple index out of range").into()),
                [addr] => (addr.clone(), whole),
                [addr, prefix] => (addr.clone(), prefix.clone()),
                _ => return Err(PyErr::value("too many values to unpack (expected 2)").into()),
            },
            _ => {
                let text = str(obj)?;
                let mut parts = text.split('/');
                let addr = Obj::str(parts.next().unwrap_or_default());
                match (parts.next(), parts.next()) {
                    (_, Some(_)) => return Err(Not::This),
                    (Some(prefix), None) => (addr, Obj::str(prefix)),
                    (None, None) => (addr, whole),
                }
            }
        };
        let addr = Addr::of(&addr, v6)?;
        let prefix = prefix_of(&prefix, v6)?;
        Ok(Self { addr, prefix })
    }

    /// `ipaddress.ip_interface(x)`.
    ///
    /// # Errors
    /// `ValueError`: `'x' does not appear to be an IPv4 or IPv6 interface`.
    pub(super) fn interface(obj: &Obj) -> R<Self> {
        either(obj, "interface", |v6| Self::of(obj, v6))
    }

    /// `ipaddress.ip_network(x, strict)`; without `strict`, bits of a host are cleared.
    ///
    /// # Errors
    /// `ValueError`: `'x' does not appear to be an IPv4 or IPv6 network`, `10.0.0.1/8 has host bits set`.
    pub(super) fn network(obj: &Obj, strict: bool) -> R<Self> {
        let mut found = either(obj, "network", |v6| Self::of(obj, v6))?;
        let bits = mask(found.addr.bits, found.addr.v6, found.prefix);
        if bits != found.addr.bits {
            if strict {
                return Err(PyErr::value(format!("{found} has host bits set")));
            }
            found.addr = Addr { bits, v6: found.addr.v6, scope: None };
        }
        Ok(found)
    }

    pub(super) fn size(&self) -> Obj {
        let host = Addr::width(self.addr.v6) - self.prefix;
        Obj::big(num_bigint::BigInt::from(1) << host)
    }

    /// First and last of the addresses that hosts can have.
    pub(super) fn hosts(&self) -> (u128, u128) {
        let host = Addr::width(self.addr.v6) - self.prefix;
        let first = self.addr.bits;
        let last = first | 1u128.checked_shl(host).map_or(u128::MAX, |n| n - 1);
        match (host, self.addr.v6) {
            (0 | 1, _) => (first, last),
            (_, true) => (first + 1, last),
            (_, false) => (first + 1, last - 1),
        }
    }

    /// A host of this network.
    pub(super) fn host(&self, bits: u128) -> Addr {
        let scope = if self.prefix == Addr::width(self.addr.v6) { self.addr.scope.clone() } else { None };
        Addr { v6: self.addr.v6, bits, scope }
    }
}

impl std::fmt::Display for Addr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.v6 {
            return write!(f, "{}", std::net::Ipv4Addr::from(self.bits as u32));
        }
        f.write_str(&compressed(self.bits))?;
        match &self.scope {
            Some(scope) => write!(f, "%{scope}"),
            None => Ok(()),
        }
    }
}

/// Without what Rust does for addresses that hold one of version 4.
fn compressed(bits: u128) -> String {
    let parts: Vec<u16> = (0..8).map(|i| (bits >> (112 - 16 * i)) as u16).collect();
    let (mut best, mut at) = ((0, 0), 0);
    while at < 8 {
        let run = parts[at..].iter().take_while(|p| **p == 0).count();
        if run > best.1 {
            best = (at, run);
        }
        at += run.max(1);
    }
    let join = |parts: &[u16]| parts.iter().map(|p| format!("{p:x}")).collect::<Vec<_>>().join(":");
    if best.1 < 2 {
        return join(&parts);
    }
    format!("{}::{}", join(&parts[..best.0]), join(&parts[best.0 + best.1..]))
}

impl std::fmt::Display for Prefixed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

/// `Do not know how to filter a <class 'int'>`.
pub(super) fn no_filter(obj: &Obj) -> PyErr {
    PyErr::value(format!("Do not know how to filter a {}", class(obj)))
}
