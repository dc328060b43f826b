//! Random bits from the kernel, for names that must not collide or be guessed.

use std::io;

/// 64 random bits.
///
/// # Errors
/// The kernel has no randomness to give.
pub(crate) fn bits() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

/// Sixteen lower-case hexadecimal digits of 64 random bits.
///
/// # Errors
/// The kernel has no randomness to give.
pub(crate) fn hex16() -> io::Result<String> {
    let bits = getrandom::u64().map_err(io::Error::other)?;
    Ok(format!("{bits:016x}"))
}

/// A random (version 4) UUID, as text.
///
/// # Errors
/// The kernel has no randomness to give.
pub(crate) fn uuid() -> io::Result<String> {
    let high = getrandom::u64().map_err(io::Error::other)?;
    let low = getrandom::u64().map_err(io::Error::other)?;
    // RFC 9562: four bits say "version 4", two bits say "variant 1".
    let version = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let variant = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff
    ))
}
