//! Reading what has come.

use std::io;

use bytes::BytesMut;
use tokio::net::UnixStream;

/// Bytes read at once: a burst of small events takes few calls of the system.
const AT_ONCE: usize = 64 << 10;

/// Puts what has come behind what `buffer` holds; 0 at the end. Room is made only when there is something, so that an idle connection
/// holds no memory. Cancel safe.
pub(super) async fn read_more(stream: &UnixStream, buffer: &mut BytesMut) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        buffer.reserve(AT_ONCE);
        match stream.try_read_buf(buffer) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}
