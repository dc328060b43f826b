//! A place where one twin after the other is carried out, at the very same paths.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use tempfile::TempDir;

use crate::backend::http::HttpBackend;
use crate::programs;
use crate::scenario::{SCENARIO_VARIABLE, Scenario, read_log};

use super::case::{Behind, Case};
use super::files::Tree;
use super::run::Run;
use super::seen::{Remote, Seen, Sight};
use super::worlds::{World, Worlds};

/// Who carries a case out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The real binary, called as `terraform`.
    Plain,
    /// The shim, called as `tf`.
    Tf,
    /// The shim, through a symlink called `terraform`.
    Terraform,
}

/// The place: project, home, temporary directory, and a backend of its own.
///
/// What is called is `names/terraform` in the plain twin and in the one through a symlink: the same path
/// leads to the real binary or to the shim. Behind the shim is `bin/terraform`, the only thing on `PATH`.
#[derive(Debug)]
pub struct Stage<'w> {
    root: PathBuf,
    _directory: TempDir,
    worlds: &'w Worlds,
    backend: HttpBackend,
    tf: PathBuf,
    real: PathBuf,
}

/// What tells of descriptors and signals: which of 0 to 2 are open, and what is ignored. The shell opens
/// its script at 10 or above.
const TELLER: &str = "#!/bin/sh\nfor n in 0 1 2; do\n  if [ -e /proc/$$/fd/$n ]; then\n    \
    if [ /proc/$$/fd/$n -ef /dev/null ]; then echo \"descriptor $n: /dev/null\" >>told; \
    else echo \"descriptor $n: open\" >>told; fi\n  else\n    echo \"descriptor $n: closed\" >>told\n  \
    fi\ndone\nwhile read -r name mask; do\n  case $name in SigIgn:) echo \"ignored: $mask\" >>told;; \
    esac\ndone </proc/$$/status\n";

impl<'w> Stage<'w> {
    /// Sets up an empty stage.
    ///
    /// # Panics
    /// If there is no real Terraform.
    #[must_use]
    pub fn new(worlds: &'w Worlds) -> Self {
        let directory = tempfile::Builder::new().prefix("tf-twins-").tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["bin", "names", "scratch"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        let tf = programs::find("tf-under-test");
        symlink(&tf, root.join("names/tf")).unwrap();
        let real = programs::real_terraform().expect("the worlds were made by one");
        Self { root, _directory: directory, worlds, backend: HttpBackend::start(), tf, real }
    }

    /// Carries a case out and looks at everything that came of it.
    ///
    /// # Panics
    /// If it does not end by the deadline.
    #[must_use]
    pub fn see(&self, case: &Case, who: Who) -> Seen {
        self.reset(case, who);
        let _held = self.hold_lock(case.world);
        let program = self.root.join("names").join(match who {
            Who::Plain | Who::Terraform => "terraform",
            Who::Tf => "tf",
        });
        let env = self.environment(case);
        let requests = self.backend.requests().len();
        let run = Run {
            program: &program,
            args: &case.args,
            env: &env,
            directory: self.root.join("project").join(&case.directory),
            input: &case.input,
            output: case.output,
            ignored: &case.ignored,
            scratch: &self.root.join("scratch"),
        };
        let ended = run.to_end().unwrap_or_else(|text| panic!("{case} by {who:?}: {text}"));
        let before = self.worlds.setup(case.world);
        let project = Tree::read(&self.root.join("project"));
        let remote = self.backend.state();
        let has_changed = changes_state(&before.project, &project) || before.remote != remote;
        let steady = crate::varying::steady;
        let text = |request: String| String::from_utf8(steady(request.as_bytes())).unwrap();
        let requests = self.backend.requests().split_off(requests).into_iter().map(text).collect();
        let (home, is_recorded, store) = self.home();
        let trees =
            [("project", project), ("home", home), ("tmp", Tree::read(&self.root.join("tmp")))];
        Seen {
            end: ended.end,
            stdout: steady(&ended.stdout),
            stderr: steady(&ended.stderr),
            files: trees.iter().flat_map(|(name, tree)| tree.steady(name)).collect(),
            store: store.steady("home"),
            remote: Remote {
                state: remote.map(|state| steady(&state)),
                requests,
                is_locked: self.backend.is_locked(),
            },
            sights: self.sights(case, ended.pid),
            is_recorded,
            has_changed,
        }
    }

    /// Returns what the children saw. Behind the shim the fake is also asked by the shim itself; only
    /// the call that has our arguments is the one that was meant.
    fn sights(&self, case: &Case, pid: i32) -> Vec<Sight> {
        let calls =
            read_log(&self.root.join("calls.jsonl")).into_iter().filter_map(|event| match event {
                crate::Event::Call(call) => Some(call),
                crate::Event::Caught { .. }
                | crate::Event::Stdin { .. }
                | crate::Event::Done { .. } => None,
            });
        let is_meant = |call: &crate::Call| match case.behind {
            Behind::Fake(_) => call.args() == case.args,
            Behind::Terraform | Behind::Teller => true,
        };
        calls.filter(|call| is_meant(call)).map(|call| Sight::of(&call, pid)).collect()
    }

    /// Returns the home directory without the store, whether the store has a record, and the store.
    fn home(&self) -> (Tree, bool, Tree) {
        let mut home = Tree::read(&self.root.join("home"));
        let all = home.clone();
        let place = Path::new(".local/state/tf-shim");
        let is_recorded = home.has(&place.join("states"));
        home.remove(place);
        // The directories above are the store's as long as nothing else is in them.
        for above in place.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
            if !home.0.keys().any(|path| path.starts_with(above) && path != above) {
                home.0.remove(above);
            }
        }
        let mut store = all;
        store.0.retain(|path, _| !home.0.contains_key(path));
        (home, is_recorded, store)
    }

    /// Builds the world anew.
    fn reset(&self, case: &Case, who: Who) {
        for name in ["project", "home", "tmp"] {
            let path = self.root.join(name);
            let _absent = std::fs::remove_dir_all(&path);
            std::fs::create_dir(&path).unwrap();
        }
        for name in ["calls.jsonl", "scratch/output", "scratch/input"] {
            let _absent = std::fs::remove_file(self.root.join(name));
        }
        let setup = self.worlds.setup(case.world);
        setup.project.write(&self.root.join("project"));
        if case.world == World::Probing {
            symlink(programs::find("fake-terraform"), self.root.join("project/probe")).unwrap();
        }
        self.backend.set_state(setup.remote.clone());
        self.backend.unlock();
        if setup.is_locked && setup.remote.is_some() {
            self.backend.lock();
        }
        let behind = match &case.behind {
            Behind::Terraform => self.real.clone(),
            Behind::Fake(_) => programs::find("fake-terraform"),
            Behind::Teller => self.teller(),
        };
        self.play(match &case.behind {
            Behind::Fake(scenario) => (**scenario).clone(),
            Behind::Terraform | Behind::Teller => Scenario::new(),
        });
        self.link("bin/terraform", &behind);
        match who {
            Who::Plain => self.link("names/terraform", &behind),
            Who::Tf | Who::Terraform => self.link("names/terraform", &self.tf),
        }
    }

    /// Writes the script that tells, and returns where.
    fn teller(&self) -> PathBuf {
        let path = self.root.join("scratch/teller");
        std::fs::write(&path, TELLER).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// Gives the fake its part.
    fn play(&self, scenario: Scenario) {
        let log = self.root.join("calls.jsonl");
        Scenario { log, ..scenario }.save(&self.root.join("scenario.json"));
    }

    /// Puts a symlink there, in place of what is there.
    fn link(&self, name: &str, target: &Path) {
        let link = self.root.join(name);
        if std::fs::read_link(&link).is_ok_and(|there| there == target) {
            return;
        }
        let _absent = std::fs::remove_file(&link);
        symlink(target, link).unwrap();
    }

    /// The environment of a run.
    fn environment(&self, case: &Case) -> BTreeMap<OsString, OsString> {
        let own = [
            ("HOME", self.root.join("home").into_os_string()),
            ("PATH", self.root.join("bin").into_os_string()),
            ("TMPDIR", self.root.join("tmp").into_os_string()),
            ("TZ", "UTC".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("CHECKPOINT_DISABLE", "1".into()),
            (SCENARIO_VARIABLE, self.root.join("scenario.json").into_os_string()),
        ];
        let own = own.into_iter().chain(http_variables(&self.backend).map(|(n, v)| (n, v.into())));
        let mut all: BTreeMap<_, _> = own.map(|(name, value)| (name.into(), value)).collect();
        all.extend(case.env.iter().cloned());
        all
    }

    /// Holds the lock of the local state as Terraform would (fcntl on the whole file), until dropped.
    fn hold_lock(&self, world: World) -> Option<File> {
        let setup = self.worlds.setup(world);
        if !setup.is_locked || setup.remote.is_some() {
            return None;
        }
        let path = self.root.join("project/terraform.tfstate");
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let whole = nix::libc::flock {
            l_type: i16::try_from(nix::libc::F_WRLCK).unwrap(),
            l_whence: 0,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        fcntl(&file, FcntlArg::F_OFD_SETLK(&whole)).expect("nobody else holds it");
        debug_assert!(file.as_raw_fd() > 2);
        Some(file)
    }
}

/// The variables that tell Terraform where its `http` backend is.
pub(super) fn http_variables(
    backend: &HttpBackend,
) -> impl Iterator<Item = (&'static str, String)> {
    let names = ["TF_HTTP_ADDRESS", "TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS"];
    let address = backend.address();
    names.into_iter().map(move |name| (name, address.clone()))
}

/// Whether any state differs: every file that is named like one.
fn changes_state(before: &Tree, after: &Tree) -> bool {
    let states = |tree: &Tree| -> Vec<_> {
        let is_state = |path: &Path| {
            path.extension().is_some_and(|end| end == "tfstate") && !path.starts_with(".terraform")
        };
        let all = tree.0.iter().filter(|(path, _)| is_state(path));
        all.map(|(path, entry)| (path.clone(), entry.clone())).collect()
    };
    states(before) != states(after)
}
