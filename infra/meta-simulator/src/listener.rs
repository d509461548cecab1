//! The listener: connections are served by hand, so that a broken one is really broken.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, Socket};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::faults::HangUp;
use crate::world::World;
use crate::{control, graph, page};

pub(crate) fn router(world: &Arc<World>) -> Router {
    Router::new()
        .merge(page::routes())
        .nest("/control", control::routes())
        .route("/whatsapp_business/attachments/{id}", get(graph::media::download))
        .fallback(graph::serve)
        .layer(DefaultBodyLimit::max(graph::MAX_BODY))
        .with_state(Arc::clone(world))
}

pub(crate) async fn accept(listener: TcpListener, world: Arc<World>, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if world.lock().faults.take_close_before_reading() => {
                drop(stream);
                world.lock().notice("a connection: fault close_before_reading");
            }
            Ok((stream, _)) => {
                let connection = connection(stream, Arc::clone(&world), router.clone());
                world.tasks.spawn(connection);
            }
            // Out of file descriptors, most likely: the open connections need a moment to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(stream: TcpStream, world: Arc<World>, router: Router) {
    // Small answers must not wait for an acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    // A second handle on the socket: it outlives the HTTP side, so that closing it is the last word.
    let Ok(socket) = SockRef::from(&stream).try_clone() else { return };
    let service = service_fn(|request| answer(&router, &socket, request));
    let mut http = hyper::server::conn::http1::Builder::new();
    let http = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let mut http = std::pin::pin!(http);
    let mut hang_up = world.hang_up.subscribe();
    loop {
        tokio::select! {
            // A broken connection is the caller's to see; here it just ends.
            _ = http.as_mut() => break,
            Ok(()) = hang_up.changed() => http.as_mut().graceful_shutdown(),
        }
    }
}

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulated connection breaks")]
struct Broken;

async fn answer(router: &Router, socket: &Socket, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
    let Ok(response) = router.clone().oneshot(request).await;
    match response.extensions().get() {
        None => Ok(response),
        Some(HangUp::Fin) => Err(Broken),
        Some(HangUp::Reset) => {
            // A close that may not linger is an RST. Without it the connection still ends, with a FIN.
            let _ = socket.set_linger(Some(Duration::ZERO));
            Err(Broken)
        }
    }
}
