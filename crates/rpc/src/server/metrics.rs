//! `/metrics`: text for Prometheus, on an address of its own.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use super::listener;

/// Scrapers at a time.
const CONNECTIONS_MAX: usize = 16;

/// How long a scrape that is running may go on after the door is shut.
const STOP_TIME_MAX: Duration = Duration::from_secs(1);

/// The type of the text ([OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/)).
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An open door for scrapers. Dropping it shuts the door.
pub struct MetricsServer {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl MetricsServer {
    /// Serves what `text` gives, asked anew for each scrape.
    ///
    /// # Errors
    /// The address is taken or not ours, or the system gives no thread.
    pub fn start(address: SocketAddr, text: impl Fn() -> String + Send + Sync + 'static) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .thread_name("metrics")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let text = Arc::new(text);
        let router = Router::new().route("/metrics", get(move || scrape(text.clone())));
        runtime.spawn(listener::listen(listener, router, CONNECTIONS_MAX));
        Ok(Self { address, runtime: Some(runtime) })
    }

    /// Where it is: a port that was chosen by the system is filled in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(STOP_TIME_MAX);
        }
    }
}

async fn scrape(text: Arc<impl Fn() -> String + Send + Sync + 'static>) -> Response {
    match tokio::task::spawn_blocking(move || text()).await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_text_is_served_at_its_path_only() {
        let server = MetricsServer::start(([127, 0, 0, 1], 0).into(), || "up 1\n# EOF\n".to_owned()).unwrap();
        let answer = get(server.address(), "/metrics");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("up 1\n# EOF\n"), "{answer}");
        assert!(answer.contains("application/openmetrics-text"), "{answer}");
        assert!(get(server.address(), "/").starts_with("HTTP/1.1 404"));
    }
}
