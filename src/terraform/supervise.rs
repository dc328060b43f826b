//! The guarded run: start Terraform with the user's terminal, wait, and see that each signal reaches it
//! exactly once.
//!
//! The one thing that must not go wrong is a second interrupt: Terraform counts SIGINT and SIGTERM
//! together, and exits at once at the second, losing what it has not written (terraform-facts.md 6). What
//! the terminal sends, the child has already. What a process sends may have gone to us alone or to the
//! group: the witness (`sys::witness`) tells. No stream is touched, and Terraform is never killed by us.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::env;
use crate::proxy::depth::{Handing, WITNESS};
use crate::sys::process::Own;
use crate::sys::signal::{self, Origin, Received, Watch};
use crate::sys::spawn::{Ending, Start, Streams, ending_of};
use crate::sys::witness::Witness;

use super::{Terraform, TerraformError};

/// How long the witness has to show that a signal went to the whole group, and how long repeats of the
/// same signal count as one: `timeout` sends it to its child and then to the group.
const WINDOW: Duration = Duration::from_millis(100);

/// How often somebody who wants to know is told that Terraform still runs.
const TICK: Duration = Duration::from_secs(1);

/// What the guarded run needs before Terraform starts: the witness, under Terraform's own name.
pub(crate) struct Preparation {
    argv: Vec<OsString>,
    witness: Option<Witness>,
}

/// How Terraform runs.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'a> {
    /// Its standard streams.
    pub(crate) streams: Streams,
    /// Variables of ours that it does not get: every one whose name begins so.
    pub(crate) without: &'a [&'a str],
    /// Variables that it gets.
    pub(crate) with: &'a [(&'a str, &'a OsStr)],
    /// When its time is up: it gets one interrupt then, unless it had one.
    pub(crate) until: Option<Instant>,
    /// Called about once a second while it runs, and hears whether a signal came that would have ended us.
    pub(crate) tick: Option<&'a dyn Fn(bool)>,
}

impl Manner<'_> {
    /// As if we were not there.
    pub(crate) const INVISIBLE: Self =
        Self { streams: Streams::Inherited, without: &[], with: &[], until: None, tick: None };
}

impl Preparation {
    /// Starts the witness, so that it stands when Terraform does. `argv` is Terraform's.
    pub(crate) fn begin(argv: Vec<OsString>) -> Self {
        let witness = start_witness(&argv);
        Self { argv, witness }
    }

    /// Closes the door to signals: from here on they are read, not suffered.
    ///
    /// # Errors
    /// No descriptor is free.
    pub(crate) fn watch(self) -> io::Result<Supervisor> {
        Ok(Supervisor { argv: self.argv, witness: self.witness, ..Supervisor::idle()? })
    }
}

fn start_witness(argv: &[OsString]) -> Option<Witness> {
    Witness::start(argv, (env::DEPTH, OsStr::new(WITNESS))).ok()
}

/// Watches signals, runs Terraform, watches on.
pub(crate) struct Supervisor {
    watch: Watch,
    ignored: u64,
    argv: Vec<OsString>,
    witness: Option<Witness>,
    tracks: Vec<Track>,
    signals_after: Cell<u32>,
    /// The first signal that would have ended us, since the watch began.
    interrupted: Cell<Option<Signal>>,
    /// How many came, those of one event counted once, and when the last one did.
    interruptions: Cell<(u32, Option<Instant>)>,
    /// Terraform got its one interrupt from us, because the time was up.
    has_our_interrupt: bool,
    /// Terraform has stopped, or was told to, and we are to follow.
    stop: Option<Stop>,
    ended: Option<Instant>,
}

/// How Terraform came to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The signal reached it as it reached us.
    Itself,
    /// We passed it on, so we continue it too.
    ByUs,
}

/// What is known of one kind of signal.
struct Track {
    signal: Signal,
    /// We have it, and do not know yet whether Terraform has.
    waiting_since: Option<Instant>,
    /// The witness had it.
    witnessed: Option<Instant>,
    /// It was passed on, or was seen to have arrived.
    settled: Option<Instant>,
}

impl Supervisor {
    /// Closes the door to signals where nothing is to be run yet.
    ///
    /// # Errors
    /// No descriptor is free.
    pub(crate) fn idle() -> io::Result<Self> {
        let watch = Watch::begin()?;
        watch.release_child_signal();
        Ok(Self {
            watch,
            ignored: signal::ignored(),
            argv: Vec::new(),
            witness: None,
            tracks: Vec::new(),
            signals_after: Cell::new(0),
            interrupted: Cell::new(None),
            interruptions: Cell::new((0, None)),
            has_our_interrupt: false,
            stop: None,
            ended: None,
        })
    }

    /// The signal that came before Terraform was started and that would have ended us; none otherwise.
    pub(crate) fn ended_before_start(&self) -> Option<i32> {
        while let Some(received) = self.watch.next() {
            stop_with(received.signal);
            if self.would_end_us(received.signal) {
                self.note_interruption(received.signal);
                return Some(received.signal as i32);
            }
        }
        None
    }

    /// The first signal that would have ended us, since the watch began; none where there was none.
    pub(crate) fn interrupted(&self) -> Option<i32> {
        while let Some(received) = self.watch.next() {
            self.note_interruption(received.signal);
            stop_with(received.signal);
        }
        self.interrupted.get().map(|signal| signal as i32)
    }

    /// How a command ends, between two of its steps, where a signal came that would have ended us: Terraform ends
    /// with 1 at an interrupt, and by every other signal (terraform-facts.md 6).
    pub(crate) fn stopped(&self) -> Option<Ending> {
        let signal = self.interrupted()?;
        let is_interrupt = self.interrupted.get().is_some_and(is_counted);
        Some(if is_interrupt { Ending::Exited(1) } else { Ending::Signalled(signal) })
    }

    /// Whether more than one signal came that would have ended us.
    pub(crate) fn was_interrupted_again(&self) -> bool {
        self.interruptions.get().0 > 1
    }

    /// Waits until then, or until a signal would end us. `tick` is called about once a second.
    pub(crate) fn rest(&self, until: Instant, tick: &dyn Fn()) {
        while Instant::now() < until && self.interrupted().is_none() {
            let left = until.saturating_duration_since(Instant::now()).min(TICK);
            let millis = u16::try_from(left.as_millis()).unwrap_or(u16::MAX).saturating_add(1);
            let mut waiting = [PollFd::new(self.watch.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut waiting, PollTimeout::from(millis));
            tick();
        }
    }

    /// Makes ready for another run: its command line, and a witness of its own.
    pub(crate) fn adopt(&mut self, preparation: Preparation) {
        let Preparation { argv, witness } = preparation;
        self.argv = argv;
        self.witness = witness;
        self.tracks.clear();
        self.signals_after.set(0);
        self.has_our_interrupt = false;
        self.stop = None;
        self.ended = None;
    }

    /// Runs Terraform to its end. `started` hears its process id as soon as there is one; `guards` is
    /// the fingerprint of what is being guarded, for shims further down.
    ///
    /// # Errors
    /// It could not be started.
    pub(crate) fn run(
        &mut self,
        terraform: &Terraform,
        guards: Option<u64>,
        manner: Manner<'_>,
        started: impl FnOnce(Pid),
    ) -> Result<Ending, TerraformError> {
        let handing = Handing::Child { of: Own::read().pid };
        let real = terraform.real();
        let depth = terraform.depth().deeper(handing, real.id(), guards).to_value();
        let own = (env::DEPTH, depth.as_os_str());
        let set: Vec<(&str, &OsStr)> = manner.with.iter().copied().chain([own]).collect();
        let start = Start {
            program: real.path(),
            argv: &self.argv,
            set: &set,
            without: manner.without,
            mask: self.watch.mask_before(),
            streams: manner.streams,
        };
        // Read from the descriptor, not delivered: else it could come between the look at the child and the wait,
        // and the wait would have no end.
        self.watch.hold_child_signal();
        let child = start.spawn().map_err(|source| TerraformError::Start {
            what: real.path().display().to_string(),
            source,
        })?;
        started(child);
        let ending = loop {
            if let Some(ending) = ending_of(child) {
                break ending;
            }
            self.wait(manner);
            self.take_in();
            self.settle(child, Instant::now());
            if manner.until.is_some_and(|until| Instant::now() >= until) {
                self.interrupt_once(child);
            }
            if let Some(tick) = manner.tick {
                tick(self.interrupted.get().is_some());
            }
        };
        self.ended = Some(Instant::now());
        self.witness = None;
        // A signal that came with the child's end belongs to the run.
        while let Some(received) = self.watch.next() {
            self.note_interruption(received.signal);
        }
        self.watch.release_child_signal();
        Ok(ending)
    }

    /// How long ago Terraform ended, as far as we noticed.
    pub(crate) fn since_end(&self) -> Duration {
        self.ended.map_or(Duration::MAX, |ended| ended.elapsed())
    }

    /// Whether a second signal came since Terraform ended, so that the after-image is given up.
    pub(crate) fn gives_up(&self) -> bool {
        while let Some(received) = self.watch.next() {
            stop_with(received.signal);
            if self.would_end_us(received.signal) {
                self.note_interruption(received.signal);
                self.signals_after.set(self.signals_after.get().saturating_add(1));
            }
        }
        self.signals_after.get() >= 2
    }

    /// Opens the door to signals again.
    pub(crate) fn release(self) {
        signal::restore(self.watch.mask_before());
    }

    fn note_interruption(&self, signal: Signal) {
        if !self.would_end_us(signal) {
            return;
        }
        let (count, last) = self.interruptions.get();
        let now = Instant::now();
        if last.is_none_or(|last| now.duration_since(last) >= WINDOW) {
            self.interruptions.set((count.saturating_add(1), Some(now)));
        }
        self.interrupted.set(self.interrupted.get().or(Some(signal)));
    }

    /// Sends the one interrupt that is ours to send, unless Terraform had one, or may be about to get one.
    fn interrupt_once(&mut self, child: Pid) {
        let has_had = |track: &Track| {
            is_counted(track.signal) && (track.settled.is_some() || track.waiting_since.is_some())
        };
        if !self.has_our_interrupt && !self.tracks.iter().any(has_had) {
            let _ = signal::send(child, Signal::SIGINT);
            self.has_our_interrupt = true;
        }
    }

    fn would_end_us(&self, signal: Signal) -> bool {
        let ends = !matches!(
            signal,
            Signal::SIGCHLD | Signal::SIGTSTP | Signal::SIGCONT | Signal::SIGXFSZ
        );
        ends && !signal::is_in(self.ignored, signal)
    }

    /// Sleeps until a signal, a report of the witness, the end of a window, a tick, or until the time is up.
    fn wait(&self, manner: Manner<'_>) {
        let now = Instant::now();
        let windows =
            self.tracks.iter().filter_map(|track| Some(track.waiting_since? + WINDOW)).min();
        // Once the time is up, what is due has been done.
        let until = manner.until.filter(|until| *until > now);
        let tick = manner.tick.map(|_| now + TICK);
        let nearest = [windows, until, tick].into_iter().flatten().min();
        let timeout = nearest.map(|at| at.saturating_duration_since(now));
        // A millisecond more, so that the window is over when we wake.
        let millis = timeout
            .map(|left| u16::try_from(left.as_millis()).unwrap_or(u16::MAX).saturating_add(1));
        let timeout = millis.map_or(PollTimeout::NONE, PollTimeout::from);
        let mut waiting = vec![PollFd::new(self.watch.as_fd(), PollFlags::POLLIN)];
        if let Some(witness) = &self.witness {
            waiting.push(PollFd::new(witness.as_fd(), PollFlags::POLLIN));
        }
        let _ = poll(&mut waiting, timeout);
    }

    /// Takes in what we and the witness received.
    fn take_in(&mut self) {
        let now = Instant::now();
        match self.witness.as_ref().map(Witness::reports) {
            Some(Some(reports)) => {
                for signal in reports {
                    self.track(signal).witnessed = Some(now);
                }
            }
            // It was killed; a signal that nobody can witness is not passed on.
            Some(None) => self.witness = start_witness(&self.argv),
            None => {}
        }
        while let Some(received) = self.watch.next() {
            self.note(received, now);
        }
    }

    fn note(&mut self, received: Received, now: Instant) {
        let Received { signal, origin } = received;
        self.note_interruption(signal);
        if signal == Signal::SIGCONT {
            // As in the kernel, a continue takes back a stop that has not been obeyed yet.
            self.track(Signal::SIGTSTP).waiting_since = None;
            self.stop = None;
        }
        match (origin, signal) {
            (Origin::Kernel, Signal::SIGTSTP) => {
                self.track(signal).settled = Some(now);
                self.stop = Some(Stop::Itself);
            }
            // A key at the terminal: the whole foreground group has it.
            (Origin::Kernel, Signal::SIGINT | Signal::SIGQUIT) => {
                self.track(signal).settled = Some(now);
            }
            // A closed terminal is told to the session's leader only, and that may be us; a continue comes
            // with it.
            (Origin::Kernel, Signal::SIGHUP | Signal::SIGCONT) | (Origin::Process, _) => {
                self.track(signal).arrive(now);
            }
            // The child's end, which is asked for anyway; a timer or limit of our own process.
            (Origin::Kernel, _) => {}
        }
    }

    /// Decides what is due: the witness had it, or the window is over.
    fn settle(&mut self, child: Pid, now: Instant) {
        let can_tell = self.witness.is_some();
        for track in &mut self.tracks {
            let verdict = track.verdict(now);
            if verdict == Verdict::Wait {
                continue;
            }
            let is_second = self.has_our_interrupt && is_counted(track.signal);
            let is_ours = verdict == Verdict::PassOn && can_tell && !is_second;
            if is_ours {
                let _ = signal::send(child, track.signal);
            }
            track.waiting_since = None;
            track.witnessed = None;
            track.settled = Some(now);
            if track.signal == Signal::SIGTSTP {
                self.stop = Some(if is_ours { Stop::ByUs } else { Stop::Itself });
            }
        }
        self.follow(child);
    }

    /// Stops as Terraform has stopped, and returns when we are continued.
    fn follow(&mut self, child: Pid) {
        if self.stop.is_none() {
            return;
        }
        // A continue that has come meanwhile would be lost: a stop that is raised throws it away.
        while let Some(received) = self.watch.next() {
            self.note(received, Instant::now());
        }
        let Some(stop) = self.stop.take() else { return };
        signal::stop_ourselves();
        if stop == Stop::ByUs {
            // Also where we cannot be stopped: as the first process of a namespace.
            let _ = signal::send(child, Signal::SIGCONT);
            self.track(Signal::SIGCONT).settled = Some(Instant::now());
        }
    }

    fn track(&mut self, signal: Signal) -> &mut Track {
        let known = self.tracks.iter().position(|track| track.signal == signal);
        let at = known.unwrap_or_else(|| {
            let fresh = Track { signal, waiting_since: None, witnessed: None, settled: None };
            self.tracks.push(fresh);
            self.tracks.len() - 1
        });
        &mut self.tracks[at]
    }
}

/// Stops where that was the stop key, and no Terraform of ours would have to be told.
fn stop_with(signal: Signal) {
    if signal == Signal::SIGTSTP {
        signal::stop_ourselves();
    }
}

/// Whether Terraform counts it as an interrupt: these two together, and the second means data loss.
fn is_counted(signal: Signal) -> bool {
    matches!(signal, Signal::SIGINT | Signal::SIGTERM)
}

/// What to do about a signal that we received.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing is due.
    Wait,
    /// Terraform has it.
    Arrived,
    /// Only we have it.
    PassOn,
}

impl Track {
    /// We received the signal from a process. A repeat within the window is the same event.
    fn arrive(&mut self, now: Instant) {
        let is_repeat = self.settled.is_some_and(|settled| now.duration_since(settled) < WINDOW);
        if !is_repeat && self.waiting_since.is_none() {
            self.waiting_since = Some(now);
        }
    }

    fn verdict(&self, now: Instant) -> Verdict {
        let Some(since) = self.waiting_since else { return Verdict::Wait };
        let is_witnessed = self.witnessed.is_some_and(|at| at + WINDOW >= since);
        match now.duration_since(since) {
            _ if is_witnessed => Verdict::Arrived,
            waited if waited >= WINDOW => Verdict::PassOn,
            _ => Verdict::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track() -> Track {
        Track { signal: Signal::SIGINT, waiting_since: None, witnessed: None, settled: None }
    }

    #[test]
    fn a_signal_that_only_we_have_is_passed_on_after_the_window() {
        let start = Instant::now();
        let mut track = track();
        track.arrive(start);
        assert_eq!(track.verdict(start), Verdict::Wait);
        assert_eq!(track.verdict(start + WINDOW), Verdict::PassOn);
    }

    #[test]
    fn a_signal_that_the_witness_has_too_has_arrived_whoever_came_first() {
        let start = Instant::now();
        for witnessed in [start, start + WINDOW / 2] {
            let mut track = track();
            track.arrive(start);
            track.witnessed = Some(witnessed);
            assert_eq!(track.verdict(start + WINDOW), Verdict::Arrived);
        }
    }

    #[test]
    fn an_old_report_of_the_witness_says_nothing_about_a_new_signal() {
        let start = Instant::now();
        let mut track = track();
        track.witnessed = Some(start);
        track.arrive(start + WINDOW * 3);
        assert_eq!(track.verdict(start + WINDOW * 4), Verdict::PassOn);
    }

    #[test]
    fn a_repeat_within_the_window_is_the_same_signal() {
        let start = Instant::now();
        let mut track = track();
        track.settled = Some(start);
        track.arrive(start + WINDOW / 2);
        assert_eq!(track.verdict(start + WINDOW * 2), Verdict::Wait);
        track.arrive(start + WINDOW * 2);
        assert_eq!(track.verdict(start + WINDOW * 3), Verdict::PassOn);
    }
}
