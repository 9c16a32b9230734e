//! Files of the master, reached so that no text from the wire can name anything outside the directory that was meant.
//! Not here: what the files hold.

mod dir;

pub use dir::Dir;
