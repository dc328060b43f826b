//! A machine of a service that runs jobs: thrown away after each, with a checkout and what an image has.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;
use crate::transcript::Transcript;

/// A machine for one job.
#[derive(Debug)]
pub struct Machine {
    /// Its disk; the project is the checkout.
    pub sandbox: Sandbox,
    /// Entries of `PATH` in front of the system's.
    pub path: Vec<PathBuf>,
}

impl Machine {
    /// Starts a machine with Terraform on it, and a `cargo` that can do nothing but install `tf`; none
    /// without a real Terraform.
    #[must_use]
    pub fn start() -> Option<Self> {
        let sandbox = Sandbox::new().with_real_terraform()?;
        let cargo = sandbox.home().join(".cargo/bin");
        std::fs::create_dir_all(&cargo).unwrap();
        let install = format!(
            "[ \"$1 $2 $3\" = 'install --locked --git' ] || exit 9\ncase \"$4\" in https://*) ;; *) exit 9;; \
             esac\n[ \"$5\" = tf-shim ] || exit 9\nln -s '{}' '{}/tf'",
            sandbox.tf_program().display(),
            cargo.display()
        );
        sandbox.write_script(&cargo.join("cargo"), &install);
        let path = vec![cargo, sandbox.bin()];
        Some(Self { sandbox, path })
    }

    /// Installs `tf` as an image that has it does.
    pub fn install_tf(&self) {
        self.sandbox.put_on_path("tf", &self.sandbox.tf_program());
    }

    /// Runs a shell script from its beginning to its end.
    #[must_use]
    pub fn run(
        &self,
        shell: &[&str],
        script: &str,
        environment: &BTreeMap<String, String>,
    ) -> Transcript {
        let file = self.sandbox.path("tmp/script");
        self.sandbox.write_at(&file, script);
        let (program, flags) = shell.split_first().expect("a shell");
        let args = flags.iter().map(OsString::from).chain([file.into_os_string()]);
        let mut call =
            self.sandbox.program(Path::new(program), args).env("PATH", self.search_path());
        for (name, value) in environment {
            call = call.env(name.as_str(), value.as_str());
        }
        call.run()
    }

    /// Copies a tree as archives of caches do: everybody may do everything with what comes out.
    pub fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        std::fs::set_permissions(to, Permissions::from_mode(0o777)).unwrap();
        for entry in std::fs::read_dir(from).into_iter().flatten() {
            let entry = entry.unwrap().path();
            let target = to.join(entry.file_name().expect("an entry has a name"));
            if entry.is_dir() {
                Self::copy(&entry, &target);
            } else {
                std::fs::copy(&entry, &target).unwrap();
                std::fs::set_permissions(&target, Permissions::from_mode(0o666)).unwrap();
            }
        }
    }

    /// Returns `PATH`.
    fn search_path(&self) -> OsString {
        let system = ["/usr/bin", "/bin"].map(PathBuf::from);
        std::env::join_paths(self.path.iter().cloned().chain(system))
            .expect("no colon in our paths")
    }
}
