//! Terraform's commands as a table: how often each is drawn, its flags, its positional arguments.
//!
//! Terraform 1.11.4, from its own help texts. Left out: `login` and `logout`, which want a network, and
//! the two autocomplete flags, which edit the files of whoever runs the tests.

/// What a flag wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or `=true` and the like.
    Switch,
    /// `=` and one of these; without `=` the next word is not its value.
    Truth(&'static [&'static str]),
    /// One of these, as `-x=v` or `-x v`.
    Of(&'static [&'static str]),
}

/// A flag without its dashes, and what it wants.
pub type Flag = (&'static str, Value);

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Its words.
    pub words: &'static [&'static str],
    /// How often it is drawn.
    pub weight: usize,
    /// Its flags.
    pub flags: &'static [Flag],
    /// What may stand behind them; each is one way, chosen with equal chance.
    pub positionals: &'static [&'static [&'static str]],
    /// What one may be asked, so that an answer on stdin makes sense.
    pub asks: bool,
}

use Value::{Of, Switch, Truth};

const ADDRESS: Value = Of(&[
    "terraform_data.a",
    "terraform_data.b",
    "module.m.terraform_data.c",
    "module.m",
    "terraform_data.nothing",
    "terraform_data.a[0]",
    "terraform_data.a[\"k\"]",
    "",
    "not an address",
]);
const BOOL_ISH: Value = Truth(&["true", "false", "1", "0", "t", "F", "yes", ""]);
const DURATION: Value = Of(&["0", "0s", "1ms", "5", "x", ""]);
const STATE_FILE: Value =
    Of(&["other.tfstate", "pushed.tfstate", "new.tfstate", "made/x.tfstate", "main.tf", ""]);
const BACKUP: Value = Of(&["-", "kept.backup", "", "no/such/dir/x"]);
const VARIABLE: Value =
    Of(&["tag=cli", "tag=", "tag=one", "secret=s", "nothing=1", "tag", "=", ""]);
const VAR_FILE: Value = Of(&["vars.tfvars", "missing.tfvars", "main.tf"]);
const PARALLELISM: Value = Of(&["1", "2", "10", "0", "-1", "x"]);
const OUT: Value = Of(&["new.bin", "change.bin", "made/new.bin", "main.tf"]);

const PLAN_FLAGS: &[Flag] = &[
    ("no-color", Switch),
    ("json", Switch),
    ("compact-warnings", Switch),
    ("destroy", Switch),
    ("refresh-only", Switch),
    ("detailed-exitcode", Switch),
    ("input", BOOL_ISH),
    ("lock", BOOL_ISH),
    ("refresh", BOOL_ISH),
    ("lock-timeout", DURATION),
    ("parallelism", PARALLELISM),
    ("state", STATE_FILE),
    ("target", ADDRESS),
    ("replace", ADDRESS),
    ("var", VARIABLE),
    ("var-file", VAR_FILE),
    ("out", OUT),
    ("generate-config-out", Of(&["generated.tf", "main.tf"])),
];
const APPLY_FLAGS: &[Flag] = &[
    ("auto-approve", Switch),
    ("no-color", Switch),
    ("json", Switch),
    ("compact-warnings", Switch),
    ("destroy", Switch),
    ("refresh-only", Switch),
    ("input", BOOL_ISH),
    ("lock", BOOL_ISH),
    ("refresh", BOOL_ISH),
    ("lock-timeout", DURATION),
    ("parallelism", PARALLELISM),
    ("state", STATE_FILE),
    ("state-out", STATE_FILE),
    ("backup", BACKUP),
    ("target", ADDRESS),
    ("replace", ADDRESS),
    ("var", VARIABLE),
    ("var-file", VAR_FILE),
];
const TAINT_FLAGS: &[Flag] = &[
    ("allow-missing", Switch),
    ("no-color", Switch),
    ("backup", BACKUP),
    ("lock", BOOL_ISH),
    ("lock-timeout", DURATION),
    ("state", STATE_FILE),
    ("state-out", STATE_FILE),
    ("ignore-remote-version", Switch),
];
const STATE_FLAGS: &[Flag] = &[
    ("dry-run", Switch),
    ("no-color", Switch),
    ("backup", BACKUP),
    ("lock", BOOL_ISH),
    ("lock-timeout", DURATION),
    ("state", STATE_FILE),
    ("state-out", STATE_FILE),
];
const ADDRESSES: &[&[&str]] = &[
    &["terraform_data.a"],
    &["terraform_data.b"],
    &["module.m.terraform_data.c"],
    &["terraform_data.a"],
    &["terraform_data.nothing"],
    &[],
    &["terraform_data.a", "terraform_data.b"],
    &["bad address"],
];
const MOVES: &[&[&str]] = &[
    &["terraform_data.a", "terraform_data.moved"],
    &["terraform_data.b", "module.m.terraform_data.b"],
    &["module.m", "module.n"],
    &["terraform_data.a", "terraform_data.b"],
    &["terraform_data.nothing", "terraform_data.x"],
    &["terraform_data.a"],
];
const NONE: &[&[&str]] = &[&[]];
const NAMES: &[&[&str]] =
    &[&["dev"], &["new"], &["default"], &["missing"], &[], &["a/b"], &["new", "more"]];
/// Not `default`: what is in it would be listed in no particular order.
const DELETED: &[&[&str]] = &[&["dev"], &["empty"], &["missing"], &[], &["a/b"]];
const JSON_COLOR: &[Flag] = &[("json", Switch), ("no-color", Switch)];

/// Every command that is drawn.
pub const COMMANDS: &[Command] = &[
    Command {
        words: &["plan"],
        weight: 12,
        flags: PLAN_FLAGS,
        positionals: &[&[], &[], &[], &["x"]],
        asks: false,
    },
    Command {
        words: &["apply"],
        weight: 38,
        flags: APPLY_FLAGS,
        positionals: &[
            &[],
            &[],
            &[],
            &[],
            &["change.bin"],
            &["noop.bin"],
            &["destroy.bin"],
            &["stale.bin"],
            &["missing.bin"],
            &["main.tf"],
        ],
        asks: true,
    },
    Command {
        words: &["destroy"],
        weight: 12,
        flags: APPLY_FLAGS,
        positionals: &[&[], &[], &[], &["x"]],
        asks: true,
    },
    Command { words: &["refresh"], weight: 4, flags: PLAN_FLAGS, positionals: NONE, asks: false },
    Command {
        words: &["import"],
        weight: 4,
        flags: &[
            ("allow-missing-config", Switch),
            ("no-color", Switch),
            ("backup", BACKUP),
            ("config", Of(&[".", "sub", "missing"])),
            ("lock", BOOL_ISH),
            ("state", STATE_FILE),
            ("state-out", STATE_FILE),
            ("var", VARIABLE),
        ],
        positionals: &[
            &["terraform_data.d", "id"],
            &["terraform_data.d", "other"],
            &["terraform_data.a", "id"],
            &["terraform_data.nothing", "id"],
            &["terraform_data.a"],
            &["terraform_data.a", ""],
        ],
        asks: false,
    },
    Command {
        words: &["taint"],
        weight: 8,
        flags: TAINT_FLAGS,
        positionals: ADDRESSES,
        asks: false,
    },
    Command {
        words: &["untaint"],
        weight: 4,
        flags: TAINT_FLAGS,
        positionals: ADDRESSES,
        asks: false,
    },
    Command {
        words: &["state", "list"],
        weight: 2,
        flags: &[("id", Of(&["x"])), ("state", STATE_FILE)],
        positionals: ADDRESSES,
        asks: false,
    },
    Command {
        words: &["state", "show"],
        weight: 2,
        flags: &[("state", STATE_FILE), ("no-color", Switch)],
        positionals: ADDRESSES,
        asks: false,
    },
    Command {
        words: &["state", "pull"],
        weight: 2,
        flags: &[("no-color", Switch)],
        positionals: NONE,
        asks: false,
    },
    Command {
        words: &["state", "mv"],
        weight: 10,
        flags: STATE_FLAGS,
        positionals: MOVES,
        asks: false,
    },
    Command {
        words: &["state", "rm"],
        weight: 10,
        flags: STATE_FLAGS,
        positionals: ADDRESSES,
        asks: false,
    },
    Command {
        words: &["state", "push"],
        weight: 7,
        flags: &[("force", Switch), ("lock", BOOL_ISH), ("lock-timeout", DURATION)],
        positionals: &[
            &["pushed.tfstate"],
            &["other.tfstate"],
            &["foreign.tfstate"],
            &["missing"],
            &["-"],
            &["main.tf"],
            &[],
        ],
        asks: false,
    },
    Command {
        words: &["state", "replace-provider"],
        weight: 3,
        flags: &[
            ("auto-approve", Switch),
            ("backup", BACKUP),
            ("lock", BOOL_ISH),
            ("state", STATE_FILE),
        ],
        positionals: &[
            &["terraform.io/builtin/terraform", "example.com/x/terraform"],
            &["a/b", "c/d"],
            &["x"],
        ],
        asks: true,
    },
    Command {
        words: &["state"],
        weight: 1,
        flags: &[],
        positionals: &[&[], &["nothing"]],
        asks: false,
    },
    Command {
        words: &["output"],
        weight: 3,
        flags: &[("json", Switch), ("raw", Switch), ("no-color", Switch), ("state", STATE_FILE)],
        positionals: &[&[], &["tag"], &["secret"], &["missing"]],
        asks: false,
    },
    Command {
        words: &["show"],
        weight: 3,
        flags: JSON_COLOR,
        positionals: &[&[], &[], &["change.bin"], &["other.tfstate"], &["missing"]],
        asks: false,
    },
    Command {
        words: &["workspace", "list"],
        weight: 2,
        flags: &[],
        positionals: NONE,
        asks: false,
    },
    Command {
        words: &["workspace", "show"],
        weight: 2,
        flags: &[],
        positionals: NONE,
        asks: false,
    },
    Command {
        words: &["workspace", "select"],
        weight: 3,
        flags: &[("or-create", Switch)],
        positionals: NAMES,
        asks: false,
    },
    Command {
        words: &["workspace", "new"],
        weight: 4,
        flags: &[("lock", BOOL_ISH), ("lock-timeout", DURATION), ("state", STATE_FILE)],
        positionals: NAMES,
        asks: false,
    },
    Command {
        words: &["workspace", "delete"],
        weight: 4,
        flags: &[("force", Switch), ("lock", BOOL_ISH), ("lock-timeout", DURATION)],
        positionals: DELETED,
        asks: false,
    },
    Command {
        words: &["workspace"],
        weight: 1,
        flags: &[],
        positionals: &[&[], &["nothing"]],
        asks: false,
    },
    Command { words: &["env", "list"], weight: 1, flags: &[], positionals: NONE, asks: false },
    Command { words: &["env", "new"], weight: 1, flags: &[], positionals: NAMES, asks: false },
    Command {
        words: &["init"],
        weight: 6,
        flags: &[
            ("backend", BOOL_ISH),
            ("backend-config", Of(&["path=configured.tfstate", "missing.hcl", "x=y", ""])),
            ("force-copy", Switch),
            ("from-module", Of(&["./sub", "./m", "./missing"])),
            ("get", BOOL_ISH),
            ("input", BOOL_ISH),
            ("json", Switch),
            ("lock", BOOL_ISH),
            ("lockfile", Of(&["readonly", "x"])),
            ("migrate-state", Switch),
            ("no-color", Switch),
            ("reconfigure", Switch),
            ("upgrade", Switch),
            ("test-directory", Of(&["tests", "missing"])),
        ],
        positionals: &[&[], &[], &[], &["x"]],
        asks: true,
    },
    Command { words: &["validate"], weight: 2, flags: JSON_COLOR, positionals: NONE, asks: false },
    Command {
        words: &["fmt"],
        weight: 3,
        flags: &[
            ("check", Switch),
            ("diff", Switch),
            ("list", BOOL_ISH),
            ("recursive", Switch),
            ("write", BOOL_ISH),
            ("no-color", Switch),
        ],
        positionals: &[&[], &["main.tf"], &["ugly.tf"], &["m"], &["-"], &["missing"]],
        asks: false,
    },
    Command {
        words: &["console"],
        weight: 2,
        flags: &[("plan", Switch), ("state", STATE_FILE), ("var", VARIABLE)],
        positionals: NONE,
        asks: true,
    },
    Command {
        words: &["get"],
        weight: 1,
        flags: &[("update", Switch), ("no-color", Switch)],
        positionals: NONE,
        asks: false,
    },
    Command {
        words: &["graph"],
        weight: 2,
        flags: &[
            ("type", Of(&["plan", "apply", "plan-destroy", "x"])),
            ("plan", Of(&["change.bin", "missing"])),
            ("draw-cycles", Switch),
        ],
        positionals: NONE,
        asks: false,
    },
    Command { words: &["modules"], weight: 1, flags: JSON_COLOR, positionals: NONE, asks: false },
    Command { words: &["providers"], weight: 1, flags: &[], positionals: NONE, asks: false },
    Command {
        words: &["providers", "schema"],
        weight: 1,
        flags: JSON_COLOR,
        positionals: NONE,
        asks: false,
    },
    Command {
        words: &["providers", "lock"],
        weight: 1,
        flags: &[("platform", Of(&["linux_amd64", "x"]))],
        positionals: NONE,
        asks: false,
    },
    Command {
        words: &["providers", "mirror"],
        weight: 1,
        flags: &[],
        positionals: &[&["mirrored"], &[]],
        asks: false,
    },
    Command {
        words: &["force-unlock"],
        weight: 2,
        flags: &[("force", Switch)],
        positionals: &[&["some-id"], &[], &["a", "b"]],
        asks: true,
    },
    Command {
        words: &["test"],
        weight: 1,
        flags: &[
            ("json", Switch),
            ("no-color", Switch),
            ("verbose", Switch),
            ("filter", Of(&["t.tftest.hcl", "missing"])),
        ],
        positionals: NONE,
        asks: false,
    },
    Command { words: &["version"], weight: 1, flags: JSON_COLOR, positionals: NONE, asks: false },
    Command {
        words: &["metadata", "functions"],
        weight: 1,
        flags: &[("json", Switch)],
        positionals: NONE,
        asks: false,
    },
    Command { words: &["push"], weight: 1, flags: &[], positionals: NONE, asks: false },
    Command {
        words: &["help"],
        weight: 1,
        flags: &[],
        positionals: &[&[], &["apply"]],
        asks: false,
    },
    Command { words: &["aply"], weight: 1, flags: APPLY_FLAGS, positionals: NONE, asks: false },
    Command { words: &[], weight: 1, flags: APPLY_FLAGS, positionals: NONE, asks: false },
];
