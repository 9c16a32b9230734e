//! The server: a thread that accepts, and a few that handle.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::body::Outgoing;
use crate::{Config, Request, Response, ServeError};

/// What answers requests: blocking code, called on a thread of its own.
pub trait Handler: Send + Sync + 'static {
    /// The answer to a request.
    fn handle(&self, request: Request) -> Response;
}

impl<F: Fn(Request) -> Response + Send + Sync + 'static> Handler for F {
    fn handle(&self, request: Request) -> Response {
        self(request)
    }
}

/// A server that serves until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and serves from then on.
    ///
    /// # Errors
    /// An address that cannot be listened on, or files of TLS that cannot be used.
    pub fn start(config: Config, handler: impl Handler) -> Result<Self, ServeError> {
        let tls = config.tls.as_ref().map(|files| files.server()).transpose()?;
        let listen = |e| ServeError::Listen(config.listen, e);
        let listener = std::net::TcpListener::bind(config.listen).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(config.workers.max(1))
            .build()
            .map_err(ServeError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let serve = Arc::new(Serve { config, handler, tls: tls.map(TlsAcceptor::from) });
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, serve) => {}
                    _ = stopped => {}
                }
            });
            // Connections end here; a handler that still runs ends by itself.
            runtime.shutdown_background();
        };
        let thread =
            std::thread::Builder::new().name("serve".into()).spawn(run).map_err(ServeError::Thread)?;
        Ok(Self { addr, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens: the port that the system chose, where 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes the port and all connections.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

struct Serve<H> {
    config: Config,
    handler: H,
    tls: Option<TlsAcceptor>,
}

async fn accept<H: Handler>(listener: std::net::TcpListener, serve: Arc<Serve<H>>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(e) => return tracing::error!("cannot serve HTTP: {e}"),
    };
    let places = Arc::new(Semaphore::new(serve.config.connections.max(1)));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                // Mostly a lack of files to open, which passes.
                tracing::warn!("cannot accept a connection: {e}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        let serve = Arc::clone(&serve);
        tokio::spawn(async move {
            serve.connection(stream, peer).await;
            drop(place);
        });
    }
}

impl<H: Handler> Serve<H> {
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => Arc::clone(&self).talk(stream, peer).await,
            Some(tls) => match tokio::time::timeout(self.config.patience, tls.accept(stream)).await {
                Ok(Ok(stream)) => Arc::clone(&self).talk(stream, peer).await,
                Ok(Err(e)) => tracing::debug!(%peer, "no TLS: {e}"),
                Err(_) => tracing::debug!(%peer, "no TLS in time"),
            },
        }
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(self: Arc<Self>, stream: S, peer: SocketAddr) {
        let stream = TokioIo::new(crate::stall::Patient::new(stream, self.config.patience));
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.config.patience)
            .max_buf_size(self.config.head.max(8192))
            .max_headers(64);
        let service = service_fn(|request| Arc::clone(&self).answer(request, peer));
        if let Err(e) = builder.serve_connection(stream, service).await {
            tracing::debug!(%peer, "a connection ended: {e}");
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<hyper::Response<Outgoing>, Infallible> {
        let response = match self.whole(request, peer).await {
            Err(refusal) => refusal.with("connection", "close"),
            Ok(request) => {
                let this = Arc::clone(&self);
                let handled = tokio::task::spawn_blocking(move || this.handler.handle(request)).await;
                handled.unwrap_or_else(|_panicked| Response::text(500, "internal error"))
            }
        };
        let (status, headers, body) = response.parts();
        let mut answer = hyper::Response::new(Outgoing::new(body, self.config.beat));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }

    /// The request with its body, or what is said to one that is too large or too slow.
    async fn whole(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Result<Request, Response> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, self.config.body).collect();
        let body = match tokio::time::timeout(self.config.patience, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(e)) if e.is::<LengthLimitError>() => return Err(Response::text(413, "too large")),
            Ok(Err(_)) => return Err(Response::text(400, "no whole body")),
            Err(_) => return Err(Response::text(408, "too slow")),
        };
        Ok(Request {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            body,
            peer,
            headers: head.headers,
        })
    }
}
