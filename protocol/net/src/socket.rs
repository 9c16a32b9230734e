//! TCP sockets with our options set: listening ones, and dialling with name resolution. No bytes are read or written.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::endpoint::Endpoint;
use crate::error::{Disconnect, NetError};
use crate::options::TcpOptions;

/// Opens a listening socket on each address, or none at all.
pub(crate) fn listen(addrs: &[SocketAddr], tcp: &TcpOptions) -> Result<Vec<TcpListener>, NetError> {
    if addrs.is_empty() {
        return Err(NetError::NoAddress);
    }
    // As in ZeroMQ with `ipv6`, an IPv6 socket serves IPv4 peers too, unless an IPv4 address is asked for as well: then
    // `[::]` and `0.0.0.0` would be in each other's way.
    let only_v6 = addrs.iter().any(SocketAddr::is_ipv4);
    addrs
        .iter()
        .map(|&addr| {
            listen_one(addr, tcp, only_v6).map_err(|source| NetError::Bind { addr: addr.to_string(), source })
        })
        .collect()
}

fn listen_one(addr: SocketAddr, tcp: &TcpOptions, only_v6: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(i32::try_from(tcp.backlog).unwrap_or(i32::MAX))?;
    TcpListener::from_std(socket.into())
}

/// Sets the options of a connected or connecting socket.
pub(crate) fn apply(socket: SockRef<'_>, tcp: &TcpOptions) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    // Keeps what is not sent yet on our side of the kernel, so that a PING does not stand behind megabytes.
    socket.set_tcp_notsent_lowat(128 << 10)?;
    socket.set_keepalive(tcp.keepalive)?;
    if tcp.keepalive {
        let mut keepalive = TcpKeepalive::new();
        if let Some(idle) = tcp.idle {
            keepalive = keepalive.with_time(idle);
        }
        if let Some(intvl) = tcp.intvl {
            keepalive = keepalive.with_interval(intvl);
        }
        if let Some(cnt) = tcp.cnt {
            keepalive = keepalive.with_retries(cnt);
        }
        socket.set_tcp_keepalive(&keepalive)?;
    }
    if let Some(timeout) = tcp.user_timeout {
        socket.set_tcp_user_timeout(Some(timeout))?;
    }
    Ok(())
}

/// Connects, resolving the name afresh. Several addresses share the time.
pub(crate) async fn dial(
    endpoint: &Endpoint,
    tcp: &TcpOptions,
    timeout: Duration,
) -> Result<(TcpStream, SocketAddr), Disconnect> {
    let resolve = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port));
    let unresolved = || Disconnect::Resolve(endpoint.host.clone());
    let addrs: Vec<SocketAddr> = match tokio::time::timeout(timeout, resolve).await {
        Ok(Ok(addrs)) => {
            addrs.filter(|a| endpoint.source.is_none_or(|s| s.is_ipv4() == a.is_ipv4())).collect()
        }
        Ok(Err(_)) => return Err(unresolved()),
        Err(_) => return Err(Disconnect::ConnectTimeout),
    };
    let share = timeout / u32::try_from(addrs.len().max(1)).unwrap_or(u32::MAX);
    let mut last = unresolved();
    for addr in addrs {
        match tokio::time::timeout(share, connect(addr, endpoint, tcp)).await {
            Ok(Ok(stream)) => return Ok((stream, addr)),
            Ok(Err(e)) => last = e.into(),
            Err(_) => last = Disconnect::ConnectTimeout,
        }
    }
    Err(last)
}

async fn connect(addr: SocketAddr, endpoint: &Endpoint, tcp: &TcpOptions) -> io::Result<TcpStream> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    apply(SockRef::from(&socket), tcp)?;
    if endpoint.source.is_some() || endpoint.source_port != 0 {
        let any: IpAddr =
            if addr.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        // A fixed port must be usable again at once after a lost connection.
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(endpoint.source.unwrap_or(any), endpoint.source_port))?;
    }
    socket.connect(addr).await
}
