//! Becoming Terraform.

use std::ffi::{OsStr, OsString};
use std::io;

use crate::env;
use crate::sys::process::{Own, become_program};

use super::depth::{Depth, Handing};
use super::real::RealBinary;

/// Replaces this process by the real binary: arguments as they came, environment as it is but for
/// `TF_SHIM_DEPTH`. Returns only when that failed.
pub(crate) fn hand_over(
    real: &RealBinary,
    called_as: &OsStr,
    arguments: &[OsString],
    depth: &Depth,
) -> io::Error {
    let handing = Handing::Exec { own: Own::read().pid };
    let value = depth.deeper(handing, real.id(), None).to_value();
    become_program(real.path(), real.argv0(called_as), arguments, (env::DEPTH, &value))
}
