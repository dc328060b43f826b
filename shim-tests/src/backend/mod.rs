//! Real remote backends on loopback.

pub mod http;

pub use http::{Fault, HttpBackend};
