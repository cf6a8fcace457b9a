//! Takes TCP connections and serves HTTP on them.

use std::sync::Arc;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::{
    read_meter::{MeteredStream, ReadMeter},
    timed_stream::TimedStream,
};
use crate::limits::{HEAD_TIME_MAX, STALLED_TIME_MAX};

/// Takes connections; when `connections_max` are open, further ones are closed at once.
pub(crate) async fn listen(listener: TcpListener, router: Router, connections_max: usize) {
    let room = Arc::new(Semaphore::new(connections_max));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors: those that are open will end some time.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let router = router.clone();
        tokio::spawn(async move {
            serve(stream, router).await;
            drop(place);
        });
    }
}

/// How long to wait after a connection could not be taken.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

async fn serve(stream: TcpStream, router: Router) {
    // Answers are written whole: waiting for more to send with them would only delay them.
    let _ = stream.set_nodelay(true);
    let meter = Arc::new(ReadMeter::default());
    let stream = MeteredStream::new(TimedStream::new(stream, STALLED_TIME_MAX), meter.clone());
    // A request that becomes a WebSocket has its bytes counted from then on.
    let router = router.layer(Extension(meter));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "rpc: connection ended");
    }
}
