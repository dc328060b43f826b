//! The binary `tf`: everything is in the library, so that tests can build the same program.

fn main() -> std::process::ExitCode {
    tf_shim::main()
}
