//! A TCP relay: the network between client and server, which a test can cut.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Whether connections pass, and how often they were cut: a cut that is mended at once is a cut.
#[derive(Clone, Copy)]
struct Line {
    open: bool,
    cuts: u32,
}

/// Forwards connections to one address.
pub struct Relay {
    pub port: u16,
    line: Arc<watch::Sender<Line>>,
}

impl Relay {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let line = Arc::new(watch::channel(Line { open: true, cuts: 0 }).0);
        let state = line.clone();
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let mut state = state.subscribe();
                tokio::spawn(async move {
                    // As a server that is down: the connection ends before a word.
                    let Line { open, cuts } = *state.borrow_and_update();
                    if !open {
                        return;
                    }
                    let Ok(mut there) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut here, &mut there) => {}
                        _ = state.wait_for(|line| line.cuts != cuts) => {
                            // Reset instead of an orderly end, as a dead server's kernel sends it.
                            let _ = here.set_zero_linger();
                        }
                    }
                });
            }
        });
        Self { port, line }
    }

    /// Cuts all connections and lets none through.
    pub fn cut(&self) {
        self.line.send_modify(|line| *line = Line { open: false, cuts: line.cuts + 1 });
    }

    /// Lets new connections through.
    pub fn mend(&self) {
        self.line.send_modify(|line| line.open = true);
    }
}
