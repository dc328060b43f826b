//! Twins: one invocation, carried out by the real binary and by the shim, in the same place, and compared.
//!
//! A [`Case`] is an invocation as data: the [`World`] it happens in, arguments, environment, streams. A
//! [`Stage`] carries it out: it builds the world anew at the *same* path for each run, because Terraform
//! prints paths and wraps its text around them, and the program under test is always called by the same
//! path. What came of it is a [`Seen`]: both streams, the end, every file left behind, what the remote
//! backend was told, and what the children saw. Two of them are compared byte for byte, after times and
//! ids ([`crate::varying::steady`]), which differ between two runs of one program as well.
//!
//! What the shim is allowed to do differently is in [`exceptions`] as data, each with the sentence of the
//! contract it rests on; nothing else is excused anywhere. Easy to get wrong: a comparison that forgives
//! too much sees nothing, so each exception has an exhibit that differs without it.

pub mod case;
pub mod differences;
pub mod ends;
pub mod exceptions;
pub mod figures;
pub mod files;
pub mod matrix;
pub mod run;
pub mod seen;
pub mod stage;
pub mod suite;
pub mod worlds;

pub use case::{Behind, Case, Input, Output};
pub use differences::Difference;
pub use exceptions::Exception;
pub use seen::Seen;
pub use stage::{Stage, Who};
pub use worlds::{World, Worlds};
