//! `test-provider`: starts the provider of the tests, to be played with by hand.
//!
//! It prints the variable that attaches Terraform to it and runs until the end of its input. What is
//! typed meanwhile happens behind Terraform's back: `ls`, `set ID ATTRIBUTE TEXT`, `rm ID`.
//!
//! ```console
//! $ cargo run -p shim-tests --bin test-provider
//! export TF_REATTACH_PROVIDERS='{"registry.terraform.io/test/fake":…}'
//! ```

#![expect(clippy::print_stdout, reason = "a tool for a person at a terminal")]

use std::io::BufRead;

use shim_tests::provider::{Cloud, HEADER, Provider, REATTACH_VARIABLE};

fn main() {
    let provider = Provider::start();
    println!("export {REATTACH_VARIABLE}='{}'", provider.reattach());
    println!("# A configuration must begin with:");
    for line in HEADER.lines() {
        println!("#   {line}");
    }
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        println!("{}", obey(provider.cloud(), &line));
    }
}

/// Does what a line says and returns what came of it.
fn obey(cloud: &Cloud, line: &str) -> String {
    let mut words = line.splitn(4, ' ');
    match [words.next(), words.next(), words.next(), words.next()] {
        [Some("ls"), None, None, None] => format!("{:#?}", cloud.objects()),
        [Some("rm"), Some(id), None, None] if cloud.delete(id) => format!("deleted {id}"),
        [Some("set"), Some(id), Some(name), Some(text)] if cloud.object(id).is_some() => {
            cloud.set(id, name, text);
            format!("{id}: {name} is {text}")
        }
        _ => "ls | set ID ATTRIBUTE TEXT | rm ID, of an object that is there".to_owned(),
    }
}
