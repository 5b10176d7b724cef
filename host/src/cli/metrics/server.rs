//! Serves the counters over HTTP.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use super::{super::output::note, Failure, counts::Counts};
use crate::runtime::Activity;

/// Connections at once. Those beyond wait.
const CONNECTIONS: usize = 16;

/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The counters of a command, served until this is dropped.
pub(in super::super) struct Metrics {
    counts: Arc<Counts>,
    server: AbortHandle,
}

impl Metrics {
    pub(super) async fn serve(address: SocketAddr, command: &'static str) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| {
            Failure::usage(format!("--metrics-addr: cannot listen on {address}: {error}"))
        })?;
        if address.port() == 0
            && let Ok(address) = listener.local_addr()
        {
            note(format_args!("metrics at http://{address}/metrics"));
        }
        let counts = Arc::new(Counts::new(command));
        let server = tokio::spawn(accept(listener, Arc::clone(&counts))).abort_handle();
        Ok(Self { counts, server })
    }

    /// Another run begins.
    pub(in super::super) fn begin(&self, activity: &Activity) {
        self.counts.begin(activity);
    }

    pub(in super::super) fn count(&self, event: &'static str) {
        self.counts.count(event);
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, counts: Arc<Counts>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, most probably: some may be closed by then.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let counts = Arc::clone(&counts);
        connections.spawn(async move {
            let answer = service_fn(|request| {
                let response = answer(&request, &counts);
                async { Ok::<_, Infallible>(response) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
            // Whoever asked may leave.
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn answer(request: &Request<Incoming>, counts: &Counts) -> Response<Full<Bytes>> {
    let (status, text) = match (request.uri().path(), request.method()) {
        ("/metrics", &Method::GET | &Method::HEAD) => (StatusCode::OK, counts.text()),
        ("/metrics", _) => (StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "the counters are at /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
