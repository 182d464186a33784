//! The connections of a server: taken, answered, and at the end waited for.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::patient::Patient;

/// How long requests at hand may still take once the end has begun: a client that stalls keeps nobody.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait where the system has no more connections to give.
const SPENT: Duration = Duration::from_secs(1);

/// Answers connections until `shutdown` is done, then finishes the requests at hand. A client has `patience` to send the
/// head of its request, the first one or another on the same connection, and to take something of its answer.
pub(super) async fn answer(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    shutdown: impl Future<Output = ()>,
) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(patience);
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let Ok((stream, _)) = accepted else {
            sleep(SPENT).await;
            continue;
        };
        // An answer is written whole, and nothing is gained by waiting for more of it.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection =
            graceful.watch(server.serve_connection(TokioIo::new(Patient::new(stream, patience)), service));
        // What fails here is a client that is gone or stalls.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    let _ = timeout(GRACE, graceful.shutdown()).await;
}
