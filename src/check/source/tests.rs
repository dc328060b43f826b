//! Tests of reading a configuration.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::{any, prop, prop_assert, proptest};

use super::{Configuration, ModuleSource, SourceFile};

/// One module of one or more files.
fn module(key: &str, is_foreign: bool, files: &[(&str, &str)]) -> ModuleSource {
    let file = |(name, text): &(&str, &str)| SourceFile {
        path: PathBuf::from("/p").join(key).join(name),
        text: (*text).to_owned(),
    };
    ModuleSource { key: key.to_owned(), is_foreign, files: files.iter().map(file).collect() }
}

/// A configuration of one file.
fn root(text: &str) -> Configuration {
    Configuration::of(&[module("", false, &[("main.tf", text)])])
}

/// A place in short: `main.tf:1-3`.
fn site(configuration: &Configuration, address: &str) -> String {
    place(configuration, address, &[])
}

/// The place of an attribute in short.
fn place(configuration: &Configuration, address: &str, paths: &[&str]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    configuration.site(address, &paths).map_or_else(String::new, |site| {
        let file = site.file.strip_prefix("/p").unwrap();
        format!("{}:{}-{}", file.display(), site.line, site.end_line)
    })
}

/// A file with most of what HCL knows.
const REALISTIC: &str = r#"# resource "no" "comment" {
/* resource "no" "comment2" {
*/
terraform {
  required_version = ">= 1.5" // odd { brackets (
}

locals {
  now  = timestamp()
  tags = { Name = "a ${var.name} } {", "Built at" = local.now, (var.key) = 1 }
  text = <<-EOT
    resource "no" "heredoc" {
    ${uuid()} $${bcrypt("no")} %{ if var.x ~} plantimestamp() %{ endif }
    EOT
}

variable "name" { default = "x" }

resource "t" "a" {
  count = 2
  user  = "uuid() # no comment ${"${plantimestamp()}"}"
  plain = "$${timestamp()}"
  tags  = local.tags

  rule {
    port = length(core::timestamp())
    name = provider::x::uuid()
  }

  dynamic "rule" {
    for_each = [bcrypt("x")]
    content {
      port = rule.value
    }
  }

  provisioner "local-exec" {
    command = "echo ${uuid()}"
  }
}

data "t" "a" {}
output "o" {
  value = t.a[0].user
}

check "c" {
data "http" "inner" {
  url = "x"
}
  assert {
    condition = true
  }
}
"#;

#[test]
fn blocks_are_found_with_their_lines() {
    let configuration = root(REALISTIC);
    for (address, expected) in [
        ("t.a", "main.tf:19-40"),
        ("t.a[1]", "main.tf:19-40"),
        ("t.a[\"x.y\"]", "main.tf:19-40"),
        ("data.t.a", "main.tf:42-42"),
        ("output.o", "main.tf:43-45"),
        ("check.c", "main.tf:47-54"),
        ("data.http.inner", "main.tf:48-50"),
        ("no.comment", ""),
        ("no.comment2", ""),
        ("no.heredoc", ""),
        ("", ""),
    ] {
        assert_eq!(site(&configuration, address), expected, "{address}");
    }
}

#[test]
fn the_place_of_an_attribute_is_the_block_that_it_comes_from() {
    let main = "resource \"t\" \"a\" {\n  x = 1\n  y = 1\n  rule {}\n}\noutput \"o\" {\n  value = 1\n}\n\
                resource \"t\" \"b\" {\n  x = 1\n}\n";
    let over = "resource \"t\" \"a\" {\n  x = uuid()\n  dynamic \"rule\" {}\n}\n";
    let last = r#"{"resource": {"t": {"a": {"x": "${uuid()}"}}}, "output": {"o": {"value": 2}}}"#;
    let files =
        |names: [&'static str; 2]| [("main.tf", main), (names[0], over), (names[1], last)].to_vec();
    let configuration =
        Configuration::of(&[module("", false, &files(["a.b_override.tf", "z_override.tf.json"]))]);
    for (address, paths, expected) in [
        ("t.a", &["x"][..], "z_override.tf.json:1-1"),
        ("t.a", &["y", "x"], "main.tf:1-5"),
        ("t.a[0]", &["rule[0].port"], "a.b_override.tf:1-4"),
        ("t.a", &["computed"], "main.tf:1-5"),
        ("t.a", &[], "main.tf:1-5"),
        ("t.b", &["x"], "main.tf:9-11"),
        ("output.o", &[], "z_override.tf.json:1-1"),
    ] {
        assert_eq!(place(&configuration, address, paths), expected, "{address} {paths:?}");
    }
}

#[test]
fn what_an_attribute_is_made_of_is_told_by_its_text() {
    let main = r#"
locals { l = data.t.d.x }
module "m" { source = "./m" }
resource "t" "a" {
  x          = [local.l, t.b["k"].y]
  y          = templatefile("x.tpl", { z = module.m.out })
  z          = values(module.m)
  depends_on = [t.c]
  lifecycle {
    replace_triggered_by = [t.b, t.d[each.key].x, t.e[count.index]]
  }
}
"#;
    let inner = "output \"out\" {\n  value = t.i[0].x\n}\n";
    let over = r#"{"resource": {"t": {"j": {"lifecycle": {"replace_triggered_by": ["t.b[0]", "t.c.x"]}}}}}"#;
    let configuration = Configuration::of(&[
        module("", false, &[("main.tf", main)]),
        module("m", true, &[("main.tf", inner), ("over.tf.json", over)]),
    ]);
    let list =
        |found: std::collections::BTreeSet<String>| found.into_iter().collect::<Vec<_>>().join(" ");
    for (path, expected) in
        [("x", Some("data.t.d t.b")), ("y", Some("module.m.t.i")), ("z", None), ("w", None)]
    {
        assert_eq!(configuration.resources("t.a", path).map(list).as_deref(), expected, "{path}");
    }
    assert_eq!(configuration.readers("t.a", "y").into_iter().collect::<Vec<_>>(), ["templatefile"]);
    assert!(configuration.readers("t.a", "x").is_empty());
    assert_eq!(list(configuration.triggers("t.a[0]")), "t.b t.d t.e");
    assert_eq!(list(configuration.triggers("module.m[\"k\"].t.j")), "module.m.t.b module.m.t.c");
    assert_eq!(list(configuration.triggers("t.b")), "");
}

#[test]
fn calls_count_in_expressions_and_not_in_text() {
    let configuration = root(REALISTIC);
    for (address, path, expected) in [
        ("t.a[0]", "user", &["plantimestamp"][..]),
        ("t.a[0]", "plain", &[]),
        ("t.a[0]", "tags[\"Built at\"]", &["timestamp"]),
        ("t.a[0]", "rule[0].port", &["bcrypt", "timestamp"]),
        ("t.a[0]", "rule[0].name", &["bcrypt"]),
        ("t.a[0]", "rule", &["bcrypt", "timestamp"]),
        ("t.a[0]", "nothing", &[]),
        ("t.a[0]", "", &["bcrypt", "plantimestamp", "timestamp"]),
        ("output.o", "", &["plantimestamp"]),
        ("t.b", "", &[]),
    ] {
        assert_eq!(configuration.functions(address, path), expected, "{address} {path}");
    }
    assert!(configuration.calls("length") && configuration.calls("uuid"));
    assert!(!configuration.calls("bcrypt2") && !configuration.calls("assert"));
}

#[test]
fn a_member_of_a_literal_object_is_told_from_the_others() {
    let configuration = root(
        "locals {\n tags = { a = timestamp(), b = 1,\n c = { d = uuid() } }\n list = [{ a = uuid() }]\n}\n\
         resource \"t\" \"a\" {\n  x = local.tags\n y = { k = 1 }[timestamp()]\n z = { for k in [1] : k => uuid() }\n \
         w = -timestamp() + 5-uuid()\n v = local.list[0].a\n u = local.tags.b\n \
         o = { a = timestamp(), b = 1,\n c = { d = uuid() } }\n}\n",
    );
    for (path, expected) in [
        // Which member of what a reference leads to, is not asked.
        ("x.b", &["timestamp", "uuid"][..]),
        ("o.a", &["timestamp"]),
        ("o.b", &[]),
        ("o.c.d", &["uuid"]),
        ("o.c.e", &[]),
        ("o.c", &["uuid"]),
        ("y.k", &["timestamp"]),
        ("z.k", &["uuid"]),
        ("w", &["timestamp", "uuid"]),
        ("v", &["uuid"]),
        ("u", &[]),
    ] {
        assert_eq!(configuration.functions("t.a", path), expected, "{path}");
    }
}

#[test]
fn values_are_followed_through_modules_and_resources() {
    let main = r#"
module "m" {
  source   = "./m"
  for_each = toset([uuid()])
  stamp    = local.stamp
  key      = each.key
}
locals { stamp = { at = terraform_data.clock.output } }
resource "terraform_data" "clock" { input = timestamp() }
resource "terraform_data" "far" { input = terraform_data.clock.output }
resource "terraform_data" "farther" { input = terraform_data.far.output }
resource "terraform_data" "farthest" { input = terraform_data.farther.output }
resource "terraform_data" "self" { input = [terraform_data.self.output, local.loop] }
locals { loop = local.loop }
resource "null_resource" "n" { triggers = { at = timestamp() } }
resource "t" "id" { x = null_resource.n.id }
data "external" "e" { query = { at = plantimestamp() } }
resource "t" "e" { x = data.external.e.result.y }
output "o" { value = module.m["k"].out }
resource "t" "v" { x = var.stamp }
resource "t" "each" {
  for_each = toset(["k"])
  x        = [each.key, t.other["k"].x]
}
resource "t" "other" {
  for_each = toset([bcrypt("k")])
  x        = each.key
}
"#;
    let inner = r#"
variable "stamp" {}
resource "t" "a" {
  x = var.stamp.at
  y = var.key
  z = { w = "${upper(var.stamp["at"])}" }
}
output "out" { value = { a = t.a.z } }
"#;
    let modules =
        [module("", false, &[("main.tf", main)]), module("m", false, &[("main.tf", inner)])];
    let configuration = Configuration::of(&modules);
    for (address, path, expected) in [
        ("module.m[\"k\"].t.a", "x", &["timestamp"][..]),
        ("module.m[\"k\"].t.a", "y", &["uuid"]),
        ("module.m[\"k\"].t.a", "z.w", &["timestamp"]),
        ("output.o", "", &["timestamp"]),
        ("output.o", "a", &["timestamp"]),
        ("module.m.out", "", &["timestamp"]),
        ("terraform_data.far", "output", &[]),
        ("terraform_data.far", "input", &["timestamp"]),
        ("terraform_data.farther", "input", &["timestamp"]),
        ("terraform_data.farthest", "input", &[]),
        ("terraform_data.self", "input", &[]),
        ("t.id", "x", &["timestamp"]),
        ("t.e", "x", &["plantimestamp"]),
        ("t.v", "x", &[]),
        ("t.each[\"k\"]", "x", &["bcrypt"]),
    ] {
        assert_eq!(configuration.functions(address, path), expected, "{address} {path}");
    }
}

#[test]
fn what_stands_in_a_downloaded_module_is_placed_at_its_call() {
    let main = "module \"vpc\" {\n  source = \"x\"\n}\nmodule \"own\" {\n  source = \"./own\"\n}\n";
    let own = "\nmodule \"deep\" {\n}\nresource \"t\" \"a\" {\n}\n";
    let foreign = "resource \"t\" \"a\" {}\nmodule \"inner\" {}\n";
    let configuration = Configuration::of(&[
        module("", false, &[("main.tf", main)]),
        module("own", false, &[("main.tf", own)]),
        module("vpc", true, &[("main.tf", foreign)]),
        module("vpc.inner", true, &[("main.tf", foreign)]),
        module("own.deep", true, &[("main.tf", foreign)]),
    ]);
    for (address, expected) in [
        ("module.vpc[0].t.a", "main.tf:1-3"),
        ("module.vpc.module.inner[\"k\"].t.a[0]", "main.tf:1-3"),
        ("module.own.t.a", "own/main.tf:4-5"),
        ("module.own.module.deep.t.a", "own/main.tf:2-3"),
        ("module.own.t.b", ""),
        // Not installed, so not read.
        ("module.own.module.deep.module.gone.t.a", "own/main.tf:2-3"),
        ("module.own", "main.tf:4-6"),
        ("module.other.t.a", ""),
    ] {
        assert_eq!(site(&configuration, address), expected, "{address}");
    }
}

#[test]
fn a_statement_stands_in_for_a_block_that_is_not_there() {
    let text = "removed {\n  from = t.gone\n}\nmoved {\n  from = t.old\n  to = t.new\n}\n\
                resource \"t\" \"new\" {}\nimport {\n  to = module.m[\"k\"].t.a[0]\n  id = \"x\"\n}\n\
                removed {\n  from = module.left\n}\n";
    let configuration = root(text);
    for (address, expected) in [
        ("t.gone[0]", "main.tf:1-3"),
        ("t.old", "main.tf:4-7"),
        ("t.new", "main.tf:8-8"),
        ("module.m[\"k\"].t.a[0]", "main.tf:9-12"),
        ("module.left.module.x.t.y", "main.tf:13-15"),
        ("module.leftover.t.y", ""),
        ("t.go", ""),
    ] {
        assert_eq!(site(&configuration, address), expected, "{address}");
    }
}

#[test]
fn an_override_changes_values_and_not_the_place() {
    let configuration = Configuration::of(&[module(
        "",
        false,
        &[
            ("a_override.tf", "resource \"t\" \"a\" {\n  x = uuid()\n}\n"),
            ("override.tf", "resource \"t\" \"b\" {\n  x = 1\n}\n"),
            (
                "z.tf",
                "\nresource \"t\" \"a\" {\n x = timestamp()\n y = bcrypt(1)\n}\nresource \"t\" \"b\" {\n x = uuid()\n}\n",
            ),
        ],
    )]);
    assert_eq!(site(&configuration, "t.a"), "z.tf:2-5");
    assert_eq!(configuration.functions("t.a", "x"), ["uuid"]);
    assert_eq!(configuration.functions("t.a", "y"), ["bcrypt"]);
    assert_eq!(configuration.functions("t.b", "x"), [""; 0]);
}

#[test]
fn json_says_what_hcl_says() {
    let text = r#"{
  "//": "${uuid()}",
  "resource": {
    "t": {
      "a": {
        "//": "${uuid()}",
        "count": 1,
        "x": "${local.now}",
        "plain": "timestamp()",
        "tags": { "at": "${timestamp()}", "k": 1 },
        "rule": [{ "port": "${uuid()}" }, { "name": "n" }],
        "dynamic": { "set": { "for_each": "${[1]}", "content": { "v": "${bcrypt(1)}" } } }
      },
      "b": [{ "x": "${timestamp()}" }]
    }
  },
  "locals": [{ "now": "${plantimestamp()}" }],
  "output": { "o": { "value": "${t.a[0].x}" } },
  "moved": [{ "from": "t.old", "to": "t.a" }],
  "module": { "m": {
  } }
}"#;
    let configuration = Configuration::of(&[module("", false, &[("main.tf.json", text)])]);
    for (address, expected) in [
        ("t.a[0]", "main.tf.json:5-13"),
        ("t.b", "main.tf.json:14-14"),
        ("output.o", "main.tf.json:18-18"),
        ("t.old", "main.tf.json:19-19"),
        ("module.m.t.x", "main.tf.json:20-21"),
    ] {
        assert_eq!(site(&configuration, address), expected, "{address}");
    }
    for (address, path, expected) in [
        ("t.a", "x", &["plantimestamp"][..]),
        ("t.a", "plain", &[]),
        ("t.a", "tags.at", &["timestamp"]),
        ("t.a", "tags[\"k\"]", &[]),
        ("t.a", "rule[0].port", &["uuid"]),
        ("t.a", "set[0].v", &["bcrypt"]),
        ("t.a", "", &["bcrypt", "plantimestamp", "timestamp", "uuid"]),
        ("t.b", "x", &["timestamp"]),
        ("output.o", "", &["plantimestamp"]),
    ] {
        assert_eq!(configuration.functions(address, path), expected, "{address} {path}");
    }
    let broken = text.replace("\"moved\"", "moved");
    let configuration = Configuration::of(&[module("", false, &[("main.tf.json", &broken)])]);
    assert_eq!(site(&configuration, "t.b"), "main.tf.json:14-14");
}

#[test]
fn an_error_costs_its_own_block_and_no_other() {
    let behind = "\nresource \"t\" \"good\" {\n  x = timestamp()\n}\n";
    for broken in [
        "resource \"t\" \"bad\" {\n  x = (1 + [2\n}",
        "resource \"t\" \"bad\" {\n  x = = 1 ? @\n}",
        "resource \"t\" \"bad\" {\n  x = \"never closed\n}",
        "resource \"t\" \"bad\" {\n  x = \"${never(\n",
        "resource \"t\" \"bad\" {\n  x = {\n",
        "resource \"t\" \"bad\" {",
        "resource \"t\"",
        "}}}])",
        "x = ((((",
        "a b c = 1\n{ }\n= 5",
        "\u{feff}\u{a0} é = \"\\é\"",
    ] {
        let configuration = root(&format!("{broken}{behind}"));
        let line = broken.matches('\n').count() + 2;
        let expected = format!("main.tf:{line}-{}", line + 2);
        assert_eq!(site(&configuration, "t.good"), expected, "{broken}");
        assert_eq!(configuration.functions("t.good", "x"), ["timestamp"], "{broken}");
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_read() {
    let text = format!("\u{feff}{REALISTIC}").replace('\n', "\r\n");
    assert_eq!(site(&root(&text), "t.a"), "main.tf:19-40");
    assert_eq!(root(&text).functions("t.a", "user"), ["plantimestamp"]);
    assert_eq!(site(&root("\u{feff}output \"o\" {}"), "output.o"), "main.tf:1-1");
}

#[test]
fn deep_nesting_neither_overflows_nor_takes_long() {
    let began = Instant::now();
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{ a = ", "}"), ("a {\n", "}\n"), ("\"${", "}\"")]
    {
        for depth in [100, 10_000, 100_000] {
            let text = format!(
                "resource \"t\" \"a\" {{\n x = {}timestamp(){}\n}}\n",
                open.repeat(depth),
                close.repeat(depth)
            );
            let configuration = root(&text);
            assert!(site(&configuration, "t.a").starts_with("main.tf:1-"), "{open} {depth}");
            let _ = configuration.functions("t.a", "x");
        }
    }
    let json = format!("{}{}", "{\"a\":[".repeat(20_000), "]}".repeat(20_000));
    drop(Configuration::of(&[module("", false, &[("a.tf.json", &json)])]));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn five_megabytes_are_read_at_once() {
    let one = REALISTIC.replace("resource \"t\" \"a\"", "resource \"t\" \"N\"");
    let count = 5_000_000 / one.len();
    let text: String = (0..count).map(|n| one.replace("\"N\"", &format!("\"n{n}\""))).collect();
    let began = Instant::now();
    let configuration = root(&text);
    assert!(!site(&configuration, "t.n7").is_empty());
    let limit = if cfg!(debug_assertions) { 10_000 } else { 500 };
    assert!(began.elapsed() < Duration::from_millis(limit), "{:?}", began.elapsed());
}

#[test]
fn every_prefix_of_a_file_is_read() {
    for end in (0..REALISTIC.len()).filter(|end| REALISTIC.is_char_boundary(*end)) {
        let configuration = root(REALISTIC.get(..end).unwrap());
        let _ = configuration.functions("t.a", "");
        let found = site(&configuration, "t.a");
        assert!(found.is_empty() || found.starts_with("main.tf:19-"), "{end} {found}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(bytes in prop::collection::vec(any::<u8>(), 0..200), address: String, path: String) {
        let text = String::from_utf8_lossy(&bytes);
        let files = [("a.tf", &*text), ("b.tf.json", &*text)];
        let configuration = Configuration::of(&[module("", false, &files)]);
        let _ = (configuration.site(&address, &[]), configuration.functions(&address, &path));
    }

    #[test]
    fn any_mixture_of_tokens_is_read(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "(", ")", "[", "]", "\"", "${", "%{", "$${", "\\", "\n", "=", ":", ",", ".", "a", " ",
            "<<E\n", "E\n", "\nE", "#", "/*", "*/", "timestamp(", "resource \"t\" \"a\" {\n", "local.x", "é", "-", "0",
        ]), 0..60),
    ) {
        let text = tokens.concat();
        let configuration = root(&text);
        let _ = configuration.functions("t.a", "a");
        if let Some(site) = configuration.site("t.a", &[]) {
            prop_assert!(site.line >= 1 && site.line <= site.end_line);
            prop_assert!(site.end_line <= text.matches('\n').count() + 1);
        }
    }
}
