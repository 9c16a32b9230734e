//! ZMTP 3.1 without IO.
