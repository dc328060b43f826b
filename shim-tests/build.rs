//! Makes Rust of the provider's protocol files; protox compiles them, so that no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = "src/provider";
    for file in ["tfplugin6.proto", "health.proto"] {
        println!("cargo::rerun-if-changed={directory}/{file}");
        let descriptors = protox::compile([file], [directory])?;
        tonic_prost_build::configure()
            .build_client(false)
            .emit_rerun_if_changed(false)
            .compile_fds(descriptors)?;
    }
    Ok(())
}
