//! A running provider: the thread it lives on, the socket it listens on, how Terraform finds it.
//!
//! It lives in the process of the test, on a runtime of its own. A crash is the end of that runtime:
//! every connection breaks off, as it does when a provider's process dies, and a new runtime takes over
//! the same socket. So the next command finds the provider again, and the cloud as it was. The command
//! that saw the crash must not: gRPC connects again by itself, which never helps it with a dead process.

use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

use super::cloud::Cloud;
use super::protocol::health::health_server::HealthServer;
use super::protocol::tfplugin6::provider_server::ProviderServer;
use super::service::{Health, Service};

/// The address of the provider.
pub const ADDRESS: &str = "registry.terraform.io/test/fake";

/// The variable in which Terraform finds providers that run already.
pub const REATTACH_VARIABLE: &str = "TF_REATTACH_PROVIDERS";

/// What a configuration must say so that `fake` means this provider.
pub const HEADER: &str = r#"terraform {
  required_providers {
    fake = {
      source = "test/fake"
    }
  }
}
"#;

/// A provider that runs; stops when dropped.
#[derive(Debug)]
pub struct Provider {
    /// What it manages.
    cloud: Cloud,
    /// Holds the socket.
    directory: TempDir,
    /// Rung when it shall stop.
    stop: Arc<Notify>,
    /// Where it lives.
    thread: Option<JoinHandle<()>>,
}

impl Default for Provider {
    fn default() -> Self {
        Self::start()
    }
}

impl Provider {
    /// Starts a provider with an empty cloud.
    #[must_use]
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("tf-provider-").tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let cloud = Cloud::default();
        let stop = Arc::new(Notify::new());
        let (managed, stopped) = (cloud.clone(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || live(&listener, &managed, &stopped));
        Self { cloud, directory, stop, thread: Some(thread) }
    }

    /// Returns what it manages.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Returns the value of [`REATTACH_VARIABLE`] that attaches Terraform to it.
    ///
    /// It is in test mode, so Terraform leaves the process alone when it is done (go-plugin's
    /// `Client.reattach` then keeps no runner that could be killed; seen with Terraform 1.11.4).
    #[must_use]
    pub fn reattach(&self) -> String {
        let socket = self.directory.path().join("socket");
        let config = serde_json::json!({
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": std::process::id(),
            "Test": true,
            "Addr": { "Network": "unix", "String": socket },
        });
        serde_json::json!({ ADDRESS: config }).to_string()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// How a life of the provider ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was told to stop.
    Stopped,
    /// It crashed, on purpose.
    Crashed,
}

/// The processes that were ever connected.
type Clients = BTreeSet<i32>;

/// Lives, again after every crash, until told to stop.
fn live(listener: &UnixListener, cloud: &Cloud, stop: &Notify) {
    let mut bereaved = Clients::new();
    loop {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = listener.try_clone().unwrap();
        let end = runtime.block_on(serve(listener, cloud.clone(), stop, &mut bereaved));
        // Whatever is still under way goes with it, sockets included.
        drop(runtime);
        if end == End::Stopped {
            return;
        }
    }
}

/// Answers until the end, but not the bereaved: to a process that saw the provider die, it stays dead.
/// Whoever is connected at the end is one of them.
async fn serve(listener: UnixListener, cloud: Cloud, stop: &Notify, bereaved: &mut Clients) -> End {
    let crash = Arc::new(Notify::new());
    let seen = Arc::new(Mutex::new(Clients::new()));
    let (dead_to, clients) = (bereaved.clone(), Arc::clone(&seen));
    let listener = tokio::net::UnixListener::from_std(listener).unwrap();
    // What is filtered out is dropped, and so closed.
    let incoming = UnixListenerStream::new(listener).filter(move |accepted| {
        let credentials = accepted.as_ref().ok().and_then(|stream| stream.peer_cred().ok());
        let Some(pid) = credentials.and_then(|credentials| credentials.pid()) else { return false };
        clients.lock().unwrap().insert(pid);
        !dead_to.contains(&pid)
    });
    let server = Server::builder()
        .add_service(HealthServer::new(Health))
        .add_service(ProviderServer::new(Service::new(cloud, Arc::clone(&crash))))
        .serve_with_incoming(incoming);
    let end = tokio::select! {
        result = server => panic!("it serves until dropped: {result:?}"),
        () = crash.notified() => End::Crashed,
        () = stop.notified() => End::Stopped,
    };
    bereaved.append(&mut seen.lock().unwrap());
    end
}
