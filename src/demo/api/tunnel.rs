//! One forwarded connection, whatever protocol carries it.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::context::Context;
use crate::demo::pods::{Sink, Source};

/// Copies from the client's `queue` into the pod and back; what comes goes out as `channel`, an error as `channel + 1`.
pub(super) async fn connection(
    context: Arc<Context>,
    uid: String,
    port: u16,
    channel: u8,
    mut queue: mpsc::Receiver<Vec<u8>>,
    into: mpsc::Sender<(u8, Vec<u8>)>,
) {
    let tunnel = match context.kubelet.machine().connect(&uid, port).await {
        Ok(tunnel) => tunnel,
        Err(why) => {
            let message = format!(
                "error forwarding port {port} to pod {uid}, uid : failed to execute portforward in network namespace \"/var/run/netns/cni-{uid}\": \
                 failed to connect to localhost:{port} inside namespace \"{uid}\", IPv4: dial tcp4 127.0.0.1:{port}: connect: {why} \
                 IPv6 dial tcp6: address localhost: no suitable address found "
            );
            let _ = into.send((channel + 1, message.into_bytes())).await;
            return;
        }
    };
    let (mut reader, mut writer): (Source, Sink) = (tunnel.reader, tunnel.writer);
    let upward = async {
        while let Some(bytes) = queue.recv().await {
            if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
        let _ = writer.shutdown().await;
    };
    let downward = async {
        let mut buffer = vec![0; 128 * 1024];
        while let Ok(n) = reader.read(&mut buffer).await {
            if n == 0 || into.send((channel, buffer[..n].to_vec())).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = downward => {}
        () = async { upward.await; std::future::pending::<()>().await } => {}
        () = into.closed() => {}
    }
}
