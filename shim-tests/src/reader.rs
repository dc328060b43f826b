//! What a program prints, collected while it runs.
//!
//! A thread for each stream, so that a program never waits for the test. Letting go of a stream before
//! its end is possible too: it is how `head` and a lost connection look to a program.

use std::io::Read;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::wait::wait_until;

/// Collects a stream in a thread.
#[derive(Debug)]
pub(crate) struct Reader {
    /// What came so far.
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Set to let go of the stream.
    stop: Arc<AtomicBool>,
    /// The thread.
    thread: JoinHandle<()>,
}

impl Reader {
    /// Starts to read.
    pub(crate) fn start(stream: impl Read + AsFd + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (sink, stopped) = (Arc::clone(&bytes), Arc::clone(&stop));
        let mut stream = stream;
        let thread = std::thread::spawn(move || {
            let mut chunk = [0; 8192];
            while !stopped.load(Ordering::Relaxed) {
                let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
                if poll(&mut fds, PollTimeout::from(20_u8)) == Ok(0) {
                    continue;
                }
                // A terminal ends with EIO when its last holder is gone.
                let Ok(count @ 1..) = stream.read(&mut chunk) else { return };
                sink.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Self { bytes, stop, thread }
    }

    /// Returns what came so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// Closes the stream, whatever comes.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }

    /// Waits for the end of the stream and returns all of it.
    pub(crate) fn finish(self) -> Vec<u8> {
        wait_until("end of output; is something left that holds it?", || self.thread.is_finished());
        self.bytes()
    }
}
