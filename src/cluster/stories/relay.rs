//! A TCP relay: the network between client and server, which a test can cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
    /// Bytes that the server may still send, over all connections.
    left: Arc<AtomicUsize>,
}

impl Relay {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let line = Arc::new(watch::channel(Line { open: true, cuts: 0 }).0);
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let (state, budget) = (line.clone(), left.clone());
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                tokio::spawn(relay(here, target, state.subscribe(), budget.clone()));
            }
        });
        Self { port, line, left }
    }

    /// Cuts all connections and lets none through.
    pub fn cut(&self) {
        self.line.send_modify(|line| *line = Line { open: false, cuts: line.cuts + 1 });
    }

    /// Cuts a connection when the server has sent this many more bytes.
    pub fn cut_after(&self, bytes: usize) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    /// Lets new connections through, without a limit.
    pub fn mend(&self) {
        self.left.store(usize::MAX, Ordering::SeqCst);
        self.line.send_modify(|line| line.open = true);
    }
}

async fn relay(here: TcpStream, target: SocketAddr, mut line: watch::Receiver<Line>, left: Arc<AtomicUsize>) {
    let Line { open, cuts } = *line.borrow_and_update();
    // As a server that is down: the connection ends before a word.
    if !open {
        return;
    }
    let Ok(there) = TcpStream::connect(target).await else { return };
    // Reset instead of an orderly end, as a dead server's kernel sends it.
    let _ = here.set_zero_linger();
    let (mut from_here, mut to_here) = here.into_split();
    let (mut from_there, mut to_there) = there.into_split();
    let up = async {
        let _ = tokio::io::copy(&mut from_here, &mut to_there).await;
        let _ = to_there.shutdown().await;
        std::future::pending::<()>().await;
    };
    let down = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(n @ 1..) = from_there.read(&mut buffer).await {
            let take = |left: usize| if left == usize::MAX { None } else { Some(left.saturating_sub(n)) };
            let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).unwrap_or(usize::MAX);
            if to_here.write_all(&buffer[..n.min(before)]).await.is_err() || n >= before {
                break;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = line.wait_for(|line| line.cuts != cuts) => {}
    }
}
