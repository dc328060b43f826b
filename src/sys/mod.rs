//! The only room that knows the operating system.
//!
//! Everything here is a thin, safe face of a system call that the standard library does not offer:
//! becoming another program, starting one with the signals it would have had, telling who sent a
//! signal, locks that Terraform respects, durable files. Linux only; the seams are where another
//! system would come in.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "tf is built and tested on Linux only so far; on other systems use terraform itself"
);

pub(crate) mod checkpoint;
pub(crate) mod edit;
pub(crate) mod file;
pub(crate) mod fs;
pub(crate) mod helper;
pub(crate) mod lock;
pub(crate) mod mark;
pub(crate) mod mount;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod room;
pub(crate) mod scratch;
pub(crate) mod signal;
pub(crate) mod spawn;
pub(crate) mod witness;
