//! Connections: taken, served, and let go when the server stops.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::app::App;
use super::config::ServerConfig;
use super::{outer, routes};
use crate::store::StoreError;

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// No threads or no signals to be had.
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
    /// The random password of a new user or the like could not be made.
    #[error("cannot start: {0}")]
    Secret(String),
}

/// Serves until `stop` is done, then lets running requests finish for a while.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection(app.clone(), stream, peer, stopped.clone()));
            }
            // Out of file handles, most likely: others will be closed soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    let _ = stopping.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(app.config.shutdown, all).await;
}

async fn connection(
    app: App,
    stream: TcpStream,
    peer: SocketAddr,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let routes = routes::routes(app.clone());
    let idle = app.config.idle;
    let service = service_fn(move |request| {
        let (app, routes) = (app.clone(), routes.clone());
        async move { Ok::<_, Infallible>(outer::answer(app, routes, peer, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(idle);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopped.changed() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

/// Opens the data folder, listens, calls `on_ready` with the address and the password of the user
/// `admin` if a random one was made, and serves until Ctrl-C or SIGTERM. Blocks; for callers without
/// a runtime of their own.
pub fn run(
    config: ServerConfig,
    on_ready: impl FnOnce(SocketAddr, Option<String>),
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listen = config.listen;
        let (app, password) = App::open(config).await?;
        let failed = |error| ServeError::Listen(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let stop = stop_signal()?;
        on_ready(listener.local_addr().map_err(failed)?, password);
        serve(app, listener, stop).await;
        Ok(())
    });
    // A parse that is still running is not waited for: nothing of it is kept anyway.
    runtime.shutdown_background();
    served
}

#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
