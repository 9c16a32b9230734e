//! One request of a driver: a text with a bound.

use brine_core::Value;
use brine_dial::http::{Http, Reply, Way};
use brine_dial::{Fault, Tls};
use std::time::Duration;

/// The largest body of an answer.
const MOST: usize = 64 << 20;
/// How long a whole request may take.
const WHOLE: Duration = Duration::from_secs(120);

/// One request, trusting whom an option like `verify` says.
///
/// # Errors
/// Why there is no answer. The address is not in the text, as it may hold a secret.
pub(super) fn send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<&str>,
    verify: Option<&Value>,
) -> Result<Reply, Fault> {
    let way = Way { tls: Tls::verify(verify), whole: Some(WHOLE), most: MOST, ..Way::default() };
    Http::new(&way, concat!("Brine/", env!("CARGO_PKG_VERSION")))?.send(method, url, headers, body)
}
