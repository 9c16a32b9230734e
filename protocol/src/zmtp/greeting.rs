//! The 64 bytes that open a connection. Checked byte by byte as they come, so that garbage is refused at its first byte
//! and not after a timeout.

use super::ZmtpError;

/// Length of a greeting in bytes.
pub const GREETING_LEN: usize = 64;

const MECHANISM: std::ops::Range<usize> = 12..32;

/// What a peer's greeting says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Greeting {
    /// Major version, 3 or more.
    pub major: u8,
    /// Minor version: 0 or 1 as of today.
    pub minor: u8,
}

impl Greeting {
    /// Our own greeting: version 3.1, mechanism NULL.
    #[must_use]
    pub fn ours() -> [u8; GREETING_LEN] {
        let mut bytes = [0; GREETING_LEN];
        bytes[0] = 0xff;
        // libzmq sends the length of an empty identity frame here, which old peers read; any padding is legal.
        bytes[8] = 1;
        bytes[9] = 0x7f;
        bytes[10] = 3;
        bytes[11] = 1;
        bytes[12..16].copy_from_slice(b"NULL");
        bytes
    }

    /// Reads a greeting of which `bytes` is the beginning. None while it is legal so far but not complete.
    ///
    /// # Errors
    /// [`ZmtpError::NotZmtp`], [`ZmtpError::Version`] or [`ZmtpError::Mechanism`], as soon as the bytes show it.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, ZmtpError> {
        // The eight bytes between are padding and may hold anything.
        if bytes.first().is_some_and(|&b| b != 0xff) || bytes.get(9).is_some_and(|&b| b != 0x7f) {
            return Err(ZmtpError::NotZmtp);
        }
        if let Some(&major) = bytes.get(10)
            && major < 3
        {
            return Err(ZmtpError::Version(major));
        }
        let Some(mechanism) = bytes.get(MECHANISM) else { return Ok(None) };
        if &mechanism[..4] != b"NULL" || mechanism[4..].iter().any(|&b| b != 0) {
            let text = mechanism.split(|&b| b == 0).next().unwrap_or_default();
            return Err(ZmtpError::Mechanism(String::from_utf8_lossy(text).into_owned()));
        }
        // The as-server flag (NULL has no server) and the filler are ignored, as the specification asks.
        Ok(bytes.get(..GREETING_LEN).map(|b| Self { major: b[10], minor: b[11] }))
    }
}
