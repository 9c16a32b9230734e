//! How Salt's options say that HTTP servers are reached.

use crate::Check;
use crate::http::Way;
use brine_core::text::python_str;
use brine_core::{Opts, Value};
use std::time::Duration;

impl Way {
    /// What the options say of this host: times, bound, proxy, certificates.
    pub fn of(opts: &Opts, host: &str) -> Self {
        let mut way = Self::default();
        let seconds =
            |key: &str| opts.float(key).filter(|s| *s > 0.0 && *s < 1e9).map(Duration::from_secs_f64);
        if let Some(connect) = seconds("http_connect_timeout") {
            way.connect = connect;
        }
        way.whole = seconds("http_request_timeout").or(way.whole);
        if let Some(most) = opts.int("http_max_body").and_then(|most| usize::try_from(most).ok()) {
            way.most = most;
        }
        way.proxy = proxy(opts, host);
        // Stock asks for the bundle of the package, where the option names none: here, that is the system's, always.
        let bundle = opts.str("ca_bundle");
        way.tls.ca = (!bundle.is_empty()).then(|| bundle.into());
        if opts.get("verify_ssl") == Some(&Value::Bool(false)) {
            way.tls.check = Check::Nothing;
        }
        way
    }
}

fn proxy(opts: &Opts, host: &str) -> Option<String> {
    let direct = match opts.get("no_proxy") {
        Some(Value::List(hosts)) => hosts.iter().any(|h| h.as_str() == Some(host)),
        Some(Value::Str(hosts)) => hosts.split(',').any(|h| h.trim() == host),
        _ => false,
    };
    let (proxy, port) = (opts.str("proxy_host"), opts.get("proxy_port").filter(|port| port.truthy())?);
    if proxy.is_empty() || direct {
        return None;
    }
    let (user, password) = (opts.str("proxy_username"), opts.str("proxy_password"));
    let login =
        if user.is_empty() || password.is_empty() { String::new() } else { format!("{user}:{password}@") };
    Some(format!("http://{login}{proxy}:{}", python_str(port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn options_say_the_way() {
        let opts = Opts::new(map! {
            "proxy_host" => "p", "proxy_port" => 3128, "proxy_username" => "u", "proxy_password" => "w",
            "no_proxy" => vec!["near"], "http_connect_timeout" => 2, "http_request_timeout" => 7200, "http_max_body" => 5,
            "ca_bundle" => "/ca", "verify_ssl" => false,
        });
        let way = Way::of(&opts, "far");
        assert_eq!(way.proxy.as_deref(), Some("http://u:w@p:3128"));
        assert_eq!((way.connect.as_secs(), way.whole.map(|w| w.as_secs()), way.most), (2, Some(7200), 5));
        assert_eq!((way.tls.ca, way.tls.check), (Some("/ca".into()), Check::Nothing));
        assert_eq!(Way::of(&opts, "near").proxy, None);
        assert_eq!(Way::of(&Opts::default(), "far").proxy, None);
    }
}
