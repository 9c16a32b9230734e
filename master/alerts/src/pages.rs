//! What others can ask for over HTTP: `/metrics`, the numbers; `/events`, what happens ([`crate::stream`]); `/health`.
//!
//! Off unless `listen` says where. `/events` tells what jobs return, which not everybody on this host may know: it wants a token.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use brine_core::Value;
use brine_serve::{Config, Request, Response, ServeError, Server, TlsFiles};

use crate::conf::{ConfError, Hidden, Keys};
use crate::stream::Stream;

/// The keys of `alerts:` that are read here.
pub const CONF_KEYS: [&str; 7] = [
    "listen",
    "listen_cert",
    "listen_key",
    "listen_client_ca",
    "listen_token",
    "listen_token_file",
    "listen_token_env",
];

/// Pieces of an answer that wait for a reader who is slow; more cut him off.
const ROOM: usize = 256;
/// How often a reader to whom nothing happens hears that we are there.
const BEAT: Duration = Duration::from_secs(15);

/// Where and to whom it is told.
#[derive(Clone, Debug)]
pub struct PagesConf {
    listen: SocketAddr,
    tls: Option<TlsFiles>,
    token: Option<Hidden>,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// The server does not start.
    #[error("alerts:listen: {0}")]
    Serve(#[from] ServeError),
    /// There is no thread for events.
    #[error("no thread for events: {0}")]
    Thread(std::io::Error),
}

impl PagesConf {
    /// Reads the keys of `alerts:`; `None` without `listen`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(conf: &Value) -> Result<Option<Self>, ConfError> {
        let mut keys = Keys::of(conf, "alerts")?;
        let (cert, key, client_ca) =
            (keys.path("listen_cert")?, keys.path("listen_key")?, keys.path("listen_client_ca")?);
        let token = keys.hidden("listen_token")?;
        let Some(listen) = keys.text("listen")? else {
            if cert.is_some() || key.is_some() || client_ca.is_some() || token.is_some() {
                return Err(
                    keys.error("listen", "is needed, such as 127.0.0.1:9150: other keys are about it")
                );
            }
            return Ok(None);
        };
        // A port alone is on this host alone.
        let local = listen.parse::<u16>().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let listen = local.or_else(|_| listen.parse::<SocketAddr>());
        let listen =
            listen.map_err(|_| keys.error("listen", "has to be an address such as 127.0.0.1:9150"))?;
        let tls = match cert {
            Some(cert) => Some(TlsFiles { cert, key, client_ca }),
            None if key.is_some() || client_ca.is_some() => {
                return Err(keys.error("listen_cert", "is needed beside the other files"));
            }
            None => None,
        };
        Ok(Some(Self { listen, tls, token }))
    }

    /// Whether events can be read at all.
    pub fn has_events(&self) -> bool {
        self.token.is_some()
    }
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Pages {
    server: Option<Server>,
    stream: Arc<Stream>,
    thread: Option<JoinHandle<()>>,
}

impl Pages {
    /// Serves; `metrics` is asked for the text of `/metrics`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(
        conf: PagesConf,
        stream: &Arc<Stream>,
        metrics: impl Fn() -> String + Send + Sync + 'static,
    ) -> Result<Self, PagesError> {
        let mut config = Config::new(conf.listen);
        config.tls = conf.tls;
        // Nothing that is asked for here needs a body.
        config.body = 1024;
        config.beat = Some((BEAT, b": still here\n\n"));
        let thread = stream.start().map_err(PagesError::Thread)?;
        let (shown, token) = (Arc::clone(stream), conf.token);
        let answer = move |request: Request| match (request.method.as_str(), request.path.as_str()) {
            ("GET" | "HEAD", "/health") => Response::text(200, "ok"),
            ("GET" | "HEAD", "/metrics" | "/events") if !is_let_in(&request, token.as_ref()) => {
                Response::text(401, "a token is needed").with("www-authenticate", "Bearer")
            }
            ("GET" | "HEAD", "/metrics") => {
                Response::new(200, "text/plain; version=0.0.4; charset=utf-8", metrics())
            }
            ("GET", "/events") if token.is_none() => {
                Response::text(403, "events are shown only with a token: alerts:listen_token_file")
            }
            ("GET", "/events") => events(&request, &shown),
            (_, "/health" | "/metrics" | "/events") => Response::text(405, "only GET").with("allow", "GET"),
            _ => Response::text(404, "there are /metrics, /events and /health"),
        };
        match Server::start(config, answer) {
            Ok(server) => Ok(Self { server: Some(server), stream: Arc::clone(stream), thread: Some(thread) }),
            Err(e) => {
                stream.close();
                let _ = thread.join();
                Err(e.into())
            }
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(Server::addr)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.stream.close();
        drop(self.server.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether there is no token, or the request bears it.
fn is_let_in(request: &Request, token: Option<&Hidden>) -> bool {
    match token.map(Hidden::get) {
        None => true,
        Some(Ok(token)) => request.bears(&token),
        Some(Err(why)) => {
            tracing::error!("alerts:listen_token: {why}");
            false
        }
    }
}

fn events(request: &Request, stream: &Stream) -> Response {
    let pairs = request.query_pairs();
    let tags: Vec<String> =
        pairs.iter().filter(|(name, _)| name == "tag").map(|(_, tag)| tag.clone()).collect();
    // Browsers send the header when they come back; the first time, only the query can.
    let asked = pairs.iter().find(|(name, _)| name == "last_event_id").map(|(_, id)| id.as_str());
    let last = request.header("last-event-id").or(asked);
    let (answer, feed) = Response::feed(200, "text/event-stream", ROOM);
    if stream.read(feed, tags, last) {
        answer.with("cache-control", "no-store")
    } else {
        Response::text(503, "too many read along").with("retry-after", "30")
    }
}
