//! Starts every process of the demo from one thread that lives as long as the demo.
//!
//! `setpriv --pdeathsig KILL` follows the *thread* that forked (`prctl(2)`, PR_SET_PDEATHSIG): with one thread for all,
//! every pod dies when the demo is dropped, and the kernel does the same after kill -9 of the whole program.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

type Order = (Command, oneshot::Sender<io::Result<Child>>);

/// Hands commands to the spawning thread.
#[derive(Debug)]
pub(crate) struct Spawner(Mutex<Option<(mpsc::Sender<Order>, JoinHandle<()>)>>);

impl Spawner {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        let (orders, mut inbox) = mpsc::channel::<Order>(16);
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("demo-spawner".into()).spawn(move || {
            let _inside = runtime.enter();
            while let Some((mut command, answer)) = inbox.blocking_recv() {
                // A caller that went away drops the child's pipes; the process then ends by itself or with its pod.
                let _ = answer.send(command.spawn());
            }
        })?;
        Ok(Self(Mutex::new(Some((orders, thread)))))
    }

    /// Ends the thread, and with it every process it started.
    pub fn stop(&self) {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((orders, thread)) = taken {
            drop(orders);
            let _ = thread.join();
        }
    }

    /// Starts `command`.
    pub async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (answer, child) = oneshot::channel();
        let stopping = || io::Error::other("the demo is stopping");
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|o| o.0.clone()).ok_or_else(stopping)?;
        orders.send((command, answer)).await.map_err(|_| stopping())?;
        drop(orders);
        child.await.map_err(|_| stopping())?
    }
}
