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

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn options_reach_the_socket_and_the_source_is_kept() {
        let listener = listen(&["127.0.0.1:0".parse().unwrap()], &TcpOptions::default()).unwrap().remove(0);
        let port = listener.local_addr().unwrap().port();
        let tcp = TcpOptions { user_timeout: Some(Duration::from_secs(7)), ..TcpOptions::request_server() };
        let source = "127.0.0.9".parse().unwrap();
        let endpoint = Endpoint::new("127.0.0.1", port).from_source(Some(source), 0);
        let (stream, addr) = dial(&endpoint, &tcp, LONG).await.unwrap();
        assert_eq!(addr, listener.local_addr().unwrap());
        assert_eq!(stream.local_addr().unwrap().ip(), source);
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(7)));
        let off = TcpOptions { keepalive: false, ..TcpOptions::default() };
        let (stream, _) = dial(&endpoint, &off, LONG).await.unwrap();
        assert!(!SockRef::from(&stream).keepalive().unwrap());
    }

    #[tokio::test]
    async fn an_ipv6_socket_serves_both_families_unless_ipv4_has_its_own() {
        let any6 = "[::]:0".parse().unwrap();
        let both = listen(&[any6], &TcpOptions::default()).unwrap().remove(0);
        for host in ["127.0.0.1", "::1"] {
            let endpoint = Endpoint::new(host, both.local_addr().unwrap().port());
            dial(&endpoint, &TcpOptions::default(), LONG).await.unwrap();
        }
        let two = listen(&["0.0.0.0:0".parse().unwrap(), any6], &TcpOptions::default()).unwrap();
        let only6 = Endpoint::new("127.0.0.1", two[1].local_addr().unwrap().port());
        assert!(dial(&only6, &TcpOptions::default(), LONG).await.is_err());
    }

    #[tokio::test]
    async fn a_source_of_the_other_family_finds_no_address() {
        let endpoint = Endpoint::new("127.0.0.1", 1).from_source(Some("::1".parse().unwrap()), 0);
        let refused = dial(&endpoint, &TcpOptions::default(), LONG).await.unwrap_err();
        assert_eq!(refused, Disconnect::Resolve("127.0.0.1".into()));
    }

    #[test]
    fn an_address_is_needed() {
        assert!(matches!(listen(&[], &TcpOptions::default()), Err(NetError::NoAddress)));
    }
}
