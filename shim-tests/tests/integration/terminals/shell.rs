//! A person at a shell with job control.

use shim_tests::processes::{children_of, is_stopped, state_of};
use shim_tests::scene::{Stage, Take};
use shim_tests::{Running, wait_until};

/// What the shell shows when it waits for a line.
const PROMPT: &str = "ready> ";

/// A shell that job control is tried in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bash,
    Dash,
    Zsh,
}

impl Kind {
    /// Those that are here; of the others that they are not.
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Bash, Self::Dash];
        if shim_tests::shells::find("zsh").is_some() {
            all.push(Self::Zsh);
        }
        all
    }

    /// How it is called, so that it reads no start file and shows nothing of its own. Without an editor of
    /// its own zsh echoes as the terminal does; in bash the editor stays, it changes the terminal.
    fn line(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Bash => ("bash", &["--norc", "--noprofile", "-i"]),
            Self::Dash => ("dash", &["-i"]),
            Self::Zsh => ("zsh", &["-f", "-i", "+o", "zle", "+o", "promptsp", "+o", "notify"]),
        }
    }
}

/// A shell that runs.
pub(super) struct Shell<'s> {
    /// The shell.
    pub(super) running: Running<'s>,
    /// Where.
    stage: &'s Stage,
    /// How often it has waited for a line.
    prompts: usize,
}

impl<'s> Shell<'s> {
    /// Starts one on a terminal.
    pub(super) fn start(stage: &'s Stage, kind: Kind) -> Self {
        let (name, args) = kind.line();
        let call = stage.program(name, args.iter().copied());
        let call = call.env("PS1", PROMPT).env("INPUTRC", "/dev/null").env("TERM", "xterm");
        let mut shell = Self { running: call.on_terminal().start(), stage, prompts: 0 };
        shell.ready();
        shell
    }

    /// Waits until it is ready for a line.
    pub(super) fn ready(&mut self) {
        self.prompts += 1;
        self.running.wait_for_texts(self.prompts, PROMPT);
    }

    /// Types a line.
    pub(super) fn enter(&mut self, line: &str) {
        self.running.type_text(line);
        self.running.type_text("\n");
    }

    /// Types a line that has an end, and waits for it.
    pub(super) fn run(&mut self, line: &str) {
        self.enter(line);
        self.ready();
    }

    /// Types a key.
    pub(super) fn press(&mut self, key: &str) {
        self.running.type_text(key);
    }

    /// Waits until its one job is stopped.
    pub(super) fn wait_for_stop(&self) {
        wait_until("the job to stop", || self.jobs().iter().any(|pid| is_stopped(*pid)));
    }

    /// Brings its one job, which is stopped, to the foreground, and waits until it runs there: what is typed
    /// before that is the shell's.
    pub(super) fn foreground(&mut self) {
        self.enter("fg");
        wait_until("the job to go on", || {
            self.jobs().iter().all(|pid| state_of(*pid).is_some_and(|state| state != 'T'))
        });
    }

    /// The first processes of its jobs.
    fn jobs(&self) -> Vec<u32> {
        children_of(self.running.pid())
    }

    /// Leaves it once more, it has warned, and waits until these processes are gone too.
    pub(super) fn leave_behind(mut self, processes: &[u32]) -> Take {
        self.enter("exit 7");
        self.stage.take_after(self.running, processes)
    }

    /// Waits until it has ended without a word to it, and until these processes are gone too.
    pub(super) fn lost(self, processes: &[u32]) -> Take {
        self.stage.take_after(self.running, processes)
    }

    /// Leaves it.
    pub(super) fn leave(mut self) -> Take {
        self.enter("exit 7");
        self.stage.take(self.running)
    }
}
