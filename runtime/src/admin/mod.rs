//! What a running connector tells over HTTP: metrics for Prometheus, health for Kubernetes, and its status in the form of
//! Kafka Connect's REST API; and how it is told to begin a cycle. It reads and steers through one handle, and nothing depends
//! on it.

mod access;
mod routes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use access::Access;

use crate::config::Listener;
use crate::flow::Handle;

/// The server; it stops when it is dropped.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    /// Dropping it tells the server to stop.
    _stop: oneshot::Sender<()>,
}

impl Admin {
    /// Serves what `handle` shows.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn start(listener: &Listener, handle: Arc<Handle>) -> io::Result<Self> {
        let socket = TcpListener::bind((listener.host.as_str(), listener.port)).await?;
        let address = socket.local_addr()?;
        let access = Access::new(listener.credentials.as_ref(), address.ip());
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = routes::routes(handle, address, access).into_make_service_with_connect_info::<SocketAddr>();
        let server = axum::serve(socket, routes).with_graceful_shutdown(async {
            // An error says that the sender was dropped, which is how it tells.
            let _ = stopped.await;
        });
        tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "metrics and health are no longer served");
            }
        });
        Ok(Self { address, _stop: stop })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
