//! Where a server listens, with which certificate, and what a peer may cost.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// With TLS, if there are files for it.
    pub tls: Option<TlsFiles>,
    /// Connections at once; more are closed as they come.
    pub connections: usize,
    /// Requests that are handled at once; more wait.
    pub workers: usize,
    /// Bytes of a request's head; 8192 at least.
    pub head: usize,
    /// Bytes of a request's body.
    pub body: usize,
    /// How long a peer may take for a handshake, a head or a body, how long it may be idle between requests, and for how long
    /// it may take nothing of what is sent to it.
    pub patience: Duration,
    /// After so long without anything to send, a feed sends these bytes: that is how a peer that has gone is noticed.
    pub beat: Option<(Duration, &'static [u8])>,
}

impl Config {
    /// Bounds that suit what programs ask for: 64 connections, 1 MiB, 30 seconds.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            connections: 64,
            workers: 4,
            head: 16 << 10,
            body: 1 << 20,
            patience: Duration::from_secs(30),
            beat: None,
        }
    }
}

/// The files that TLS needs, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, with its chain.
    pub cert: PathBuf,
    /// Its key; `None` where it is in `cert`.
    pub key: Option<PathBuf>,
    /// Whose certificates a client must show one of; `None` asks for none.
    pub client_ca: Option<PathBuf>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// A file that TLS needs cannot be used.
    #[error("{0}: {1}")]
    Tls(PathBuf, String),
    /// There is no thread for it.
    #[error("no thread for the server: {0}")]
    Thread(std::io::Error),
}

fn unusable(path: &Path, e: impl std::fmt::Display) -> ServeError {
    ServeError::Tls(path.to_owned(), e.to_string())
}

fn certs(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|e| unusable(path, e))?;
    if all.is_empty() { Err(unusable(path, "no certificate in it")) } else { Ok(all) }
}

impl TlsFiles {
    /// What the TLS library makes of them.
    pub(crate) fn server(&self) -> Result<Arc<ServerConfig>, ServeError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(&self.cert, e))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certs(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|e| unusable(path, e))?)
            }
        };
        let key_file = self.key.as_ref().unwrap_or(&self.cert);
        let key = PrivateKeyDer::from_pem_file(key_file).map_err(|e| unusable(key_file, e))?;
        let config =
            builder.with_single_cert(certs(&self.cert)?, key).map_err(|e| unusable(&self.cert, e))?;
        Ok(Arc::new(config))
    }
}
