//! The black-box tests, one file per chapter, one binary because linking is the slow part.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test as tests do")]

mod contract;
mod forward;
mod harness;
mod layers;
