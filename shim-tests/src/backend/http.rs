//! A state server for Terraform's `http` backend: GET, POST, DELETE, LOCK, UNLOCK of one state.
//!
//! The manners are those of terraform-facts 7.4: a missing state is 404, a held lock 423 with the
//! holder's lock info. Faults can be switched on while a command runs.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use tiny_http::{Method, Request, Response, Server};

use crate::wait::DEADLINE;

/// What can be wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// POST is answered with 403: the state cannot be saved.
    RefuseWrites,
    /// GET is answered with 403: the state cannot be read.
    RefuseReads,
    /// Both are: the state can neither be read nor saved.
    RefuseBoth,
    /// GET is answered with 404: the state has vanished.
    HideState,
    /// No answer until the fault is cleared.
    Stall,
}

/// A running server; stops when dropped.
pub struct HttpBackend {
    /// Listens.
    server: Arc<Server>,
    /// What it holds.
    shared: Arc<Shared>,
    /// Answers.
    thread: Option<JoinHandle<()>>,
}

/// What the server and the test share.
#[derive(Debug, Default)]
struct Shared {
    /// The state of affairs.
    held: Mutex<Held>,
    /// Rung when a fault changes.
    changed: Condvar,
}

/// What the server holds.
#[derive(Debug, Default)]
struct Held {
    /// The state, byte for byte.
    state: Option<Vec<u8>>,
    /// The lock info of the holder.
    lock: Option<Vec<u8>>,
    /// What is wrong.
    fault: Option<Fault>,
    /// Requests so far: method and path with query.
    requests: Vec<String>,
    /// Set when the server shall stop.
    is_closing: bool,
}

impl fmt::Debug for HttpBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpBackend").field(&self.address()).finish()
    }
}

impl Default for HttpBackend {
    fn default() -> Self {
        Self::start()
    }
}

impl HttpBackend {
    /// Starts a server without a state on a free port of 127.0.0.1.
    #[must_use]
    pub fn start() -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").expect("loopback has a free port"));
        let shared = Arc::new(Shared::default());
        let (listener, held) = (Arc::clone(&server), Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            for request in listener.incoming_requests() {
                held.answer(request);
            }
        });
        Self { server, shared, thread: Some(thread) }
    }

    /// Returns the address of the state.
    #[must_use]
    pub fn address(&self) -> String {
        let port = self.server.server_addr().to_ip().expect("it listens on an address").port();
        format!("http://127.0.0.1:{port}/state")
    }

    /// Returns a configuration that keeps its state here, with locking.
    #[must_use]
    pub fn configuration(&self) -> String {
        let address = self.address();
        format!(
            "terraform {{\n  backend \"http\" {{\n    address        = \"{address}\"\n    \
             lock_address   = \"{address}\"\n    unlock_address = \"{address}\"\n    \
             retry_max      = 0\n  }}\n}}\n"
        )
    }

    /// Returns the state held, byte for byte.
    #[must_use]
    pub fn state(&self) -> Option<Vec<u8>> {
        self.shared.lock().state.clone()
    }

    /// Puts a state there, or takes it away, behind everybody's back.
    pub fn set_state(&self, state: Option<Vec<u8>>) {
        self.shared.lock().state = state;
    }

    /// Whether somebody holds the lock.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.shared.lock().lock.is_some()
    }

    /// Holds the lock in the name of somebody else.
    pub fn lock(&self) {
        let info = br#"{"ID":"somebody","Operation":"OperationTypeApply","Who":"ana@elsewhere"}"#;
        self.shared.lock().lock = Some(info.to_vec());
    }

    /// Lets a held lock go.
    pub fn unlock(&self) {
        self.shared.lock().lock = None;
    }

    /// Breaks or mends the server.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.shared.lock().fault = fault;
        self.shared.changed.notify_all();
    }

    /// Returns the requests so far: method, path and query.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }
}

impl Drop for HttpBackend {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.changed.notify_all();
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Shared {
    /// Takes what is held.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no holder panics")
    }

    /// Answers one request.
    fn answer(&self, mut request: Request) {
        let mut body = Vec::new();
        request.as_reader().read_to_end(&mut body).expect("loopback does not break");
        let method = request.method().clone();
        let url = request.url().to_owned();
        let mut held = self.lock();
        held.requests.push(format!("{method} {url}"));
        let (mut held, _late) = self
            .changed
            .wait_timeout_while(held, DEADLINE, |held| {
                held.fault == Some(Fault::Stall) && !held.is_closing
            })
            .expect("no holder panics");
        let (status, body) = held.respond(&method, body);
        drop(held);
        let _gone = request.respond(Response::from_data(body).with_status_code(status));
    }
}

impl Held {
    /// Does what a request asks for and returns status and body.
    fn respond(&mut self, method: &Method, body: Vec<u8>) -> (u16, Vec<u8>) {
        match (method, self.fault) {
            (Method::Get, Some(Fault::RefuseReads | Fault::RefuseBoth))
            | (Method::Post, Some(Fault::RefuseWrites | Fault::RefuseBoth)) => (403, Vec::new()),
            (Method::Get, Some(Fault::HideState)) => (404, Vec::new()),
            (Method::Get, _) => self.state.clone().map_or((404, Vec::new()), |state| (200, state)),
            (Method::Post, _) => {
                self.state = Some(body);
                (200, Vec::new())
            }
            (Method::Delete, _) => {
                self.state = None;
                (200, Vec::new())
            }
            (Method::NonStandard(name), _) if name == "LOCK" => {
                if let Some(holder) = &self.lock {
                    return (423, holder.clone());
                }
                self.lock = Some(body);
                (200, Vec::new())
            }
            (Method::NonStandard(name), _) if name == "UNLOCK" => {
                self.lock = None;
                (200, Vec::new())
            }
            _ => (405, Vec::new()),
        }
    }
}
