//! Examples as processes.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use fake_lambda::LambdaApi;
use tokio::{net::TcpStream, time::sleep};

/// Starts of a pod, at most.
const ATTEMPTS: usize = 3;

/// A running example; dropped, it is killed.
pub(crate) struct Example(Child);

impl Example {
    fn start(name: &str, environment: &[(&str, String)]) -> Self {
        let test = std::env::current_exe().expect("a path");
        let folder: PathBuf = test.ancestors().nth(2).expect("a target folder").join("examples");
        let child = Command::new(folder.join(name))
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .env("HEALTH_ADDR", "127.0.0.1:0")
            .stdin(Stdio::null())
            .spawn();
        Self(child.expect("an example, which `cargo test` builds"))
    }

    /// As a Lambda.
    pub(crate) fn lambda(name: &str, api: &LambdaApi, settings: &[(&str, String)]) -> Self {
        Self::start(name, &[&api.environment(), settings].concat())
    }

    /// As a pod that serves HTTP at the address.
    pub(crate) async fn pod(name: &str, settings: &[(&str, String)]) -> (Self, SocketAddr) {
        // A client of another test may get the port before the pod does: then it ends.
        let mut attempts = 0..ATTEMPTS;
        loop {
            attempts.next().expect("a pod that listens");
            let free = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = free.local_addr().expect("an address");
            drop(free);
            let place = [("HTTP_ADDR", address.to_string())];
            let mut pod = Self::start(name, &[&place, settings].concat());
            while pod.0.try_wait().expect("a status").is_none() {
                if TcpStream::connect(address).await.is_ok() {
                    return (pod, address);
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// As a pod that ends by itself.
    pub(crate) fn pod_job(name: &str, settings: &[(&str, String)]) -> Self {
        Self::start(name, settings)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) async fn ended(mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.0.try_wait().expect("a status") {
                return status;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
