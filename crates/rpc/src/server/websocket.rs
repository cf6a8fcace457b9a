//! Messages over WebSocket.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{
        FromRequestParts, Request, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Dispatcher,
    session::{Outgoing, Session},
};

/// Whether a request wants to become a WebSocket.
pub(crate) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Makes a WebSocket of a request.
pub(crate) async fn upgrade(dispatcher: Arc<Dispatcher>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let bytes_max = dispatcher.limits.request_bytes_max;
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .max_message_size(bytes_max)
            .max_frame_size(bytes_max)
            .on_upgrade(move |socket| serve(dispatcher, socket)),
        Err(rejection) => rejection.into_response(),
    }
}

/// Serves a connection until either side ends it, or the client takes nothing any more.
async fn serve(dispatcher: Arc<Dispatcher>, mut socket: WebSocket) {
    let (session, mut outgoing) = Session::new(&dispatcher.limits);
    let session = Arc::new(session);
    let turns = Arc::new(Semaphore::new(dispatcher.limits.messages_in_flight_max));
    loop {
        tokio::select! {
            message = next(&mut socket, &turns) => {
                let Some((message, turn)) = message else { break };
                tokio::spawn(answer(dispatcher.clone(), session.clone(), message, turn));
            }
            text = outgoing.recv() => {
                let Some(text) = text.and_then(text_of) else { break };
                if socket.send(Message::Text(text)).await.is_err() {
                    break;
                }
            }
            () = session.closed() => break,
        }
    }
    session.close();
}

/// The next message, when there is a turn for it; `None` at the end of the connection.
async fn next(socket: &mut WebSocket, turns: &Arc<Semaphore>) -> Option<(Bytes, OwnedSemaphorePermit)> {
    let turn = turns.clone().acquire_owned().await.ok()?;
    loop {
        match socket.recv().await?.ok()? {
            Message::Text(text) => return Some((text.into(), turn)),
            Message::Binary(bytes) => return Some((bytes, turn)),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return None,
        }
    }
}

async fn answer(dispatcher: Arc<Dispatcher>, session: Arc<Session>, message: Bytes, turn: OwnedSemaphorePermit) {
    if let Some(answer) = dispatcher.answer(&message, Some(&session)).await {
        session.send(Outgoing { text: answer, _turn: Some(turn) }).await;
    }
}

fn text_of(outgoing: Outgoing) -> Option<Utf8Bytes> {
    Utf8Bytes::try_from(outgoing.text).ok()
}
