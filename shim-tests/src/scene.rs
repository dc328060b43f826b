//! A scene, played with the real Terraform and played with `tf` in its place, and compared.
//!
//! Both stages look alike to whoever plays: the same word is first on `PATH`, the same files lie there,
//! paths are of the same length. What a play leaves is a [`Take`]: what was shown, how it ended, how the
//! terminal was left, what lies in the directory; times and ids have names in it. Terraform itself does
//! not play a scene twice alike when two of its threads speak at once. So the play through `tf` has to be
//! one of those that Terraform gives without it: it is played again and again until two are equal. What
//! must hold of every play is asserted besides, see [`Played`].
//!
//! Easy to get wrong: a scene that acts before the last line it waits for is shown differs by itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::invocation::{Invocation, Running};
use crate::processes::{is_alive, parent_of};
use crate::provider::{HEADER, Provider};
use crate::sandbox::Sandbox;
use crate::scenario::Scenario;
use crate::take::{self, Difference};
use crate::transcript::Transcript;
use crate::wait::wait_until;
use crate::{stage, states};

pub use crate::take::{Played, Take};

/// How often a scene is played without `tf` in search of an equal take.
const ENCORES: usize = 20;

/// How often a scene is played through `tf` in the same search: it may have met what is rare without it.
const ROUNDS: usize = 3;

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// Who stands behind the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Terraform, or the fake.
    Terraform,
    /// `tf`, and Terraform behind it.
    Shim,
}

/// What is on the stage before a play begins.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The word that is called: `terraform` or `tf`.
    word: &'static str,
    /// The part of the fake; none plays with the real one.
    fake: Option<Scenario>,
    /// Whether a provider of ours is attached.
    has_provider: bool,
    /// Whether `tf` may talk.
    may_talk: bool,
    /// The files of the project.
    files: Vec<(String, String)>,
}

impl Scene {
    /// Sets a stage with the real Terraform, a state with one resource, and these resources besides.
    #[must_use]
    pub fn real(config: &str) -> Self {
        Self::bare(None)
            .with_file(STATE, states::state(41, &["a"]))
            .with_file("main.tf", stage::resource("a", "a") + config)
    }

    /// Sets a stage with the real Terraform, attached to a provider of ours, and no state.
    #[must_use]
    pub fn provided(config: &str) -> Self {
        Self {
            has_provider: true,
            ..Self::bare(None).with_file("main.tf", HEADER.to_owned() + config)
        }
    }

    /// Sets a stage with the fake, and a state with one resource.
    #[must_use]
    pub fn fake(part: Scenario) -> Self {
        Self::bare(Some(part)).with_file(STATE, states::state(41, &["a"]))
    }

    /// Sets a stage with nothing on it.
    fn bare(fake: Option<Scenario>) -> Self {
        Self { word: "terraform", fake, has_provider: false, may_talk: false, files: Vec::new() }
    }

    /// Puts a file there.
    #[must_use]
    pub fn with_file(mut self, name: &str, content: impl Into<String>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// Lets the word be `tf`.
    #[must_use]
    pub fn called_tf(mut self) -> Self {
        self.word = "tf";
        self
    }

    /// Lets `tf` talk.
    #[must_use]
    pub fn aloud(mut self) -> Self {
        self.may_talk = true;
        self
    }

    /// Plays with `tf` and without, and fails where the takes differ. Returns the one through `tf`. Where
    /// there is no Terraform, nothing is played, and that is said.
    ///
    /// # Panics
    /// If the take through `tf` is none of those without.
    #[track_caller]
    pub fn compare(&self, act: impl Fn(&Stage) -> Take) -> Played {
        let mut without: Vec<Take> = Vec::new();
        let mut nearest: Option<Difference> = None;
        for _ in 0..ROUNDS {
            let Some(mut through) = self.play(Cast::Shim, &act) else { return Played::nowhere() };
            if self.may_talk {
                through.take_out_talk();
            }
            for at in 0..without.len() + ENCORES {
                if at >= without.len() {
                    without.extend(self.play(Cast::Terraform, &act));
                }
                let Some(found) = Difference::between(&without[at], &through) else {
                    return Played::of(through);
                };
                if nearest.as_ref().is_none_or(|known| known.at < found.at) {
                    nearest = Some(found);
                }
            }
        }
        let nearest = nearest.expect("it was played");
        panic!("played through tf, the scene differs:\n{}", nearest.text)
    }

    /// Plays with one cast; none where there is no Terraform.
    #[must_use]
    pub fn play(&self, cast: Cast, act: impl Fn(&Stage) -> Take) -> Option<Take> {
        Some(act(&Stage::set(self, cast)?))
    }
}

/// A stage while it is played on.
#[derive(Debug)]
pub struct Stage {
    /// Where it is.
    sandbox: Sandbox,
    /// Who plays.
    cast: Cast,
    /// The program behind the word.
    program: PathBuf,
    /// What Terraform is attached to.
    provider: Option<Provider>,
}

impl Stage {
    /// Sets it.
    fn set(scene: &Scene, cast: Cast) -> Option<Self> {
        let provider = scene.has_provider.then(Provider::start);
        let sandbox = match (&scene.fake, &provider) {
            (Some(part), _) => Sandbox::new().with_fake(part.clone()),
            (None, None) => Sandbox::new().with_real_terraform()?,
            (None, Some(provider)) => Sandbox::new().with_real_terraform()?.with_provider(provider),
        };
        let names = sandbox.path("names");
        let behind = match cast {
            Cast::Shim => sandbox.tf_program(),
            Cast::Terraform => std::fs::canonicalize(sandbox.bin().join("terraform")).unwrap(),
        };
        std::fs::remove_file(names.join("tf")).unwrap();
        let program = names.join(scene.word);
        symlink(behind, &program).unwrap();
        let path = [names, sandbox.bin(), "/usr/bin".into(), "/bin".into()];
        let path = std::env::join_paths(path).unwrap();
        let quiet = if scene.may_talk { "" } else { "1" };
        let sandbox = sandbox.with_variable("PATH", path).with_variable("TF_SHIM_QUIET", quiet);
        for (name, content) in &scene.files {
            sandbox.write(name, content.replace("[PROJECT]", &sandbox.project().to_string_lossy()));
        }
        Some(Self { sandbox, cast, program, provider })
    }

    /// Returns where it is.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Returns who plays.
    #[must_use]
    pub fn cast(&self) -> Cast {
        self.cast
    }

    /// Returns the provider.
    ///
    /// # Panics
    /// If the scene has none.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        self.provider.as_ref().expect("the scene has a provider")
    }

    /// Prepares a call of the word.
    #[must_use]
    pub fn call<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, args: I) -> Invocation<'_> {
        self.sandbox.program(&self.program, args)
    }

    /// Prepares a call of another program, found on the `PATH` of the stage.
    #[must_use]
    pub fn program<'a>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Invocation<'_> {
        let path = &self.sandbox.environment()[std::ffi::OsStr::new("PATH")];
        let found = std::env::split_paths(path).map(|entry| entry.join(name)).find(|p| p.exists());
        self.sandbox.program(&found.unwrap_or_else(|| panic!("there is no `{name}`")), args)
    }

    /// Waits until Terraform provisions the resource of [`stage::slow_resource`], and returns its process.
    #[must_use]
    pub fn provisioning(&self) -> u32 {
        let read = || std::fs::read_to_string(self.sandbox.project().join("begun"));
        let told = || read().ok().filter(|text| text.ends_with('\n'));
        wait_until("Terraform to provision", || told().is_some());
        told().unwrap().trim().parse().unwrap()
    }

    /// Waits until the fake has made the file `ready`, and returns its process.
    #[must_use]
    pub fn faking(&self) -> u32 {
        wait_until("the fake", || self.sandbox.has("ready"));
        u32::try_from(self.sandbox.calls().last().unwrap().pid).unwrap()
    }

    /// Returns the process that was started under the word, of a Terraform that runs guarded: that of
    /// `tf`, or Terraform's own.
    #[must_use]
    pub fn called(&self, terraform: u32) -> u32 {
        match self.cast {
            Cast::Terraform => terraform,
            Cast::Shim => parent_of(terraform).unwrap(),
        }
    }

    /// Lets the slow resource, or the fake, come to its end.
    pub fn go_on(&self) {
        self.sandbox.write("go", "");
    }

    /// Waits for the end of a program, and keeps what it left.
    #[must_use]
    pub fn take(&self, mut running: Running<'_>) -> Take {
        running.wait_for_end();
        let settings = running.changed_settings();
        let transcript = running.finish();
        let mut take = self.leave();
        take.note("settings", settings.unwrap_or_else(|| "as before\n".to_owned()));
        self.show(&mut take, &transcript);
        take
    }

    /// Waits until a Terraform without a parent who waits for it is gone, then as [`Stage::take`].
    #[must_use]
    pub fn take_after(&self, running: Running<'_>, processes: &[u32]) -> Take {
        wait_until("the end of Terraform", || processes.iter().all(|pid| !is_alive(*pid)));
        self.take(running)
    }

    /// Keeps what was shown.
    fn show(&self, take: &mut Take, transcript: &Transcript) {
        let mut end = transcript.end.to_string();
        end.push('\n');
        take.note("end", end);
        let screen = transcript.screen.as_deref().unwrap_or_default();
        for (name, bytes) in
            [("stdout", &*transcript.stdout), ("stderr", &transcript.stderr), ("screen", screen)]
        {
            let text = self.clean(bytes);
            // The kernel echoes a key when it has sent the signal, so Terraform may speak before.
            take.note(&format!("keys on {name}"), text.matches("^C").count().to_string());
            take.note(name, text.replace("^C", ""));
        }
    }

    /// Keeps what the fake caught, and what lies in the directory.
    fn leave(&self) -> Take {
        let mut take = Take::default();
        let caught = self.caught().into_iter().filter(|signal| *signal != Signal::SIGUSR2);
        let caught: Vec<&str> = caught.map(Signal::as_str).collect();
        take.note("caught", caught.join("\n"));
        let mut files = BTreeMap::new();
        collect(&self.sandbox.project(), &mut files);
        for (path, (mode, content)) in files {
            let name = path.strip_prefix(self.sandbox.project()).unwrap().display().to_string();
            // Whether Terraform came to run it, and who it was.
            if name != "begun" {
                let heading = self.clean(format!("file {name}, mode {mode:o}").as_bytes());
                take.note(&heading, self.clean(&content));
            }
        }
        take
    }

    /// Returns the signals that the fake has caught so far.
    #[must_use]
    pub fn caught(&self) -> Vec<Signal> {
        self.sandbox.events().iter().filter_map(crate::scenario::Event::caught).collect()
    }

    /// Gives names to what differs although nobody stands between.
    fn clean(&self, bytes: &[u8]) -> String {
        take::clean(&self.sandbox.names().apply_paths(&String::from_utf8_lossy(bytes)))
    }
}

/// Reads a tree of files; of what is no file only that it is there.
fn collect(directory: &Path, files: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), files);
            continue;
        }
        let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
        files.insert(entry.path(), (mode, std::fs::read(entry.path()).unwrap_or_default()));
    }
}
