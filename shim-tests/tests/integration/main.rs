//! The black-box tests, one file per chapter, one binary because linking is the slow part.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test as tests do")]

mod accept;
mod accident;
mod aftermath;
mod callers;
mod check;
mod completion;
mod contract;
mod crash;
mod doctor;
mod fidelity;
mod forward;
mod guarded;
mod guards;
mod harness;
mod histories;
mod hostile;
mod install;
mod layers;
mod locate;
mod looking;
mod managers;
mod nested;
mod overlap;
mod passport;
mod protected;
mod provider;
mod read_only;
mod recipes;
mod remote;
mod reports;
mod restore;
mod restore_crash;
mod secrets;
mod signals;
mod terminals;
mod trouble;
mod undo;
