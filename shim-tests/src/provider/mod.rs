//! A Terraform provider of our own that drifts, rewrites, forgets, fails and dawdles as it is told.
//!
//! It is a real one: plugin protocol 6 over gRPC on a unix socket, attached with `TF_REATTACH_PROVIDERS`,
//! so that a real Terraform needs no `init`, no lock file and no registry. Behind it stands a [`Cloud`]
//! in memory, in which a test does what happens behind Terraform's back. Ids are counted, nothing is
//! random: the same test sees the same values.
//!
//! ```no_run
//! use shim_tests::Sandbox;
//! use shim_tests::provider::{HEADER, Provider};
//!
//! let provider = Provider::start();
//! let sandbox = Sandbox::new().with_real_terraform().unwrap().with_provider(&provider);
//! sandbox.write("main.tf", [HEADER, "resource \"fake_thing\" \"a\" { value = \"1\" }\n"].concat());
//! sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
//! provider.cloud().set("thing-1", "value", "2");
//! sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(2);
//! ```
//!
//! What there is, besides the resource types of [`resources`]: the data sources `fake_lookup` and
//! `fake_random_data`, the ephemeral resource `fake_token`. `cargo run -p shim-tests --bin test-provider`
//! starts one to play with by hand.
//!
//! Easy to get wrong: a configuration needs [`HEADER`], or Terraform looks for `hashicorp/fake`.

mod cloud;
mod host;
mod lifecycle;
mod mode;
mod protocol;
mod resource;
pub mod resources;
mod schema;
mod service;
mod sources;
mod value;

pub use cloud::{Call, Cloud, Step};
pub use host::{ADDRESS, HEADER, Provider, REATTACH_VARIABLE};
pub use value::{Attributes, Value};
