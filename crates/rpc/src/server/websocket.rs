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
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::interval,
};

use super::read_meter::ReadMeter;
use crate::{
    Dispatcher,
    dispatcher::Taken,
    limits::BODY_TIME_MAX,
    session::{Exchange, Outgoing, Session},
};

/// Whether a request wants to become a WebSocket.
pub(crate) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Makes a WebSocket of a request.
pub(crate) async fn upgrade(dispatcher: Arc<Dispatcher>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let meter = parts.extensions.get::<Arc<ReadMeter>>().cloned().unwrap_or_default();
    let bytes_max = dispatcher.limits.request_bytes_max;
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .max_message_size(bytes_max)
            .max_frame_size(bytes_max)
            .on_upgrade(move |socket| serve(dispatcher, socket, meter)),
        Err(rejection) => rejection.into_response(),
    }
}

/// Serves a connection until either side ends it, or the client takes nothing any more.
async fn serve(dispatcher: Arc<Dispatcher>, mut socket: WebSocket, meter: Arc<ReadMeter>) {
    meter.start(&dispatcher);
    let mut looks = interval(BODY_TIME_MAX);
    let (session, mut outgoing) = Session::new(&dispatcher);
    let session = Arc::new(session);
    let turns = Arc::new(Semaphore::new(dispatcher.limits.messages_in_flight_max));
    loop {
        tokio::select! {
            message = next(&mut socket, &turns, &meter) => {
                let Some(message) = message else { break };
                tokio::spawn(answer(dispatcher.clone(), Exchange::new(session.clone()), message));
            }
            text = outgoing.recv() => {
                let Some(text) = text.and_then(text_of) else { break };
                if socket.send(Message::Text(text)).await.is_err() {
                    break;
                }
            }
            () = session.closed() => break,
            _ = looks.tick() => {
                if meter.is_overdue() {
                    break;
                }
            }
        }
    }
    session.close();
}

/// A message, the turn that it has, and the room that it takes.
struct Incoming {
    message: Bytes,
    turn: OwnedSemaphorePermit,
    taken: Taken,
}

/// Bytes of a frame from a client before what it carries, if that is short: header and mask (RFC 6455, section 5.2).
const SHORT_FRAME_HEAD: usize = 6;

/// The next message, when there is a turn for it; `None` at the end of the connection.
async fn next(socket: &mut WebSocket, turns: &Arc<Semaphore>, meter: &ReadMeter) -> Option<Incoming> {
    let turn = turns.clone().acquire_owned().await.ok()?;
    loop {
        let message = match socket.recv().await?.ok()? {
            Message::Text(text) => text.into(),
            Message::Binary(bytes) => bytes,
            // They may come in the middle of a message, and are no part of it.
            Message::Ping(payload) | Message::Pong(payload) => {
                meter.less(SHORT_FRAME_HEAD + payload.len());
                continue;
            }
            Message::Close(_) => return None,
        };
        return Some(Incoming { message, turn, taken: meter.take() });
    }
}

async fn answer(dispatcher: Arc<Dispatcher>, exchange: Exchange, incoming: Incoming) {
    let Incoming { message, turn, taken } = incoming;
    let answer = dispatcher.answer(&message, Some(&exchange)).await;
    drop((message, taken));
    exchange.answer(answer.map(|text| Outgoing { text, _turn: Some(turn) })).await;
}

fn text_of(outgoing: Outgoing) -> Option<Utf8Bytes> {
    Utf8Bytes::try_from(outgoing.text).ok()
}
