//! Messages over a Unix socket: one JSON value after another, as geth has it.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::{
    json_stream::{Front, JsonStream},
    read_meter::ReadMeter,
};
use crate::{
    Dispatcher, RpcError,
    dispatcher::failed,
    limits::{BODY_TIME_MAX, STALLED_TIME_MAX},
    session::{Exchange, Outgoing, Session},
};

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Opens the socket for this user alone. What a node that is gone left there is removed.
pub(crate) fn bind(path: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => fs::remove_file(path)?,
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Takes connections, as many at once as may be.
pub(crate) async fn listen(listener: UnixListener, dispatcher: Arc<Dispatcher>) {
    let room = Arc::new(Semaphore::new(dispatcher.limits.connections_max));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let dispatcher = dispatcher.clone();
        tokio::spawn(async move {
            serve(dispatcher, stream).await;
            drop(place);
        });
    }
}

async fn serve(dispatcher: Arc<Dispatcher>, stream: UnixStream) {
    let (session, outgoing) = Session::new(&dispatcher);
    let session = Arc::new(session);
    let (input, output) = stream.into_split();
    let mut writer = pin!(write(outgoing, output));
    tokio::select! {
        () = read(dispatcher, session.clone(), input) => {}
        () = &mut writer => return,
        () = session.closed() => return,
    }
    // What is being answered still holds the session; the writer ends after the last of it.
    drop(session);
    writer.await;
}

async fn read(dispatcher: Arc<Dispatcher>, session: Arc<Session>, mut input: OwnedReadHalf) {
    let turns = Arc::new(Semaphore::new(dispatcher.limits.messages_in_flight_max));
    let mut stream = JsonStream::new(dispatcher.limits.request_bytes_max);
    let mut chunk = vec![0; CHUNK_BYTES];
    let meter = ReadMeter::default();
    meter.start(&dispatcher);
    while let Ok(Ok(count)) = timeout(patience(&meter), input.read(&mut chunk)).await {
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        stream.push(bytes);
        if !meter.hold(stream.len()) || meter.is_overdue() {
            session.send(refusal(RpcError::LIMIT_EXCEEDED, "too many large requests at once")).await;
            return;
        }
        loop {
            let Ok(turn) = turns.clone().acquire_owned().await else { return };
            match stream.front() {
                Front::Incomplete => break,
                Front::Garbage => session.send(refusal(RpcError::PARSE_ERROR, "parse error")).await,
                Front::TooLong => {
                    session.send(refusal(RpcError::INVALID_REQUEST, "request too large")).await;
                    return;
                }
                Front::Message(message) => {
                    // What is left of the bytes is counted anew.
                    drop(meter.take());
                    let taken = match dispatcher.reading(message.len()) {
                        Ok(taken) => taken,
                        Err(error) => {
                            session.send(refusal(error.code, &error.message)).await;
                            continue;
                        }
                    };
                    let (dispatcher, exchange) = (dispatcher.clone(), Exchange::new(session.clone()));
                    tokio::spawn(async move {
                        let answer = dispatcher.answer(&message, Some(&exchange)).await;
                        drop((message, taken));
                        exchange.answer(answer.map(|text| Outgoing { text, _turn: Some(turn) })).await;
                    });
                }
            }
        }
    }
}

/// How long to wait for more: a large message has its time, a connection without one may stand still.
fn patience(meter: &ReadMeter) -> Duration {
    if meter.is_large() { BODY_TIME_MAX } else { Duration::MAX }
}

async fn write(mut outgoing: mpsc::Receiver<Outgoing>, mut output: OwnedWriteHalf) {
    while let Some(message) = outgoing.recv().await {
        let line = async {
            output.write_all(&message.text).await?;
            output.write_all(b"\n").await
        };
        if !matches!(timeout(STALLED_TIME_MAX, line).await, Ok(Ok(()))) {
            return;
        }
    }
}

fn refusal(code: i32, message: &str) -> Outgoing {
    Outgoing { text: failed(&RpcError::new(code, message)).into(), _turn: None }
}
