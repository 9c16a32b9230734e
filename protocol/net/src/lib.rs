//! Moves protocol bytes over ZeroMQ and IPC sockets with tokio.
