//! How much a caller may ask for.

use std::time::Duration;

/// Limits of a dispatcher: of one message, and of all calls that run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message.
    pub request_bytes_max: usize,
    /// Bytes of the answer to one call.
    pub response_bytes_max: usize,
    /// Calls of one batch.
    pub batch_calls_max: usize,
    /// Bytes of the answers to one batch; calls after that are refused.
    pub batch_response_bytes_max: usize,
    /// Calls that run at once.
    pub running_calls_max: usize,
    /// Calls that wait for their turn; more are refused.
    pub waiting_calls_max: usize,
    /// How long a call may wait and run.
    pub call_time_max: Duration,
    /// Connections of one listener; more are closed at once.
    pub connections_max: usize,
    /// Subscriptions of one connection.
    pub subscriptions_max: usize,
    /// Messages of one connection that are worked on at once.
    pub messages_in_flight_max: usize,
    /// Calls that wait for a transaction's receipt; more are refused.
    pub receipt_waits_max: usize,
    /// Bytes of all large messages that are being read or answered, over HTTP, WebSocket and IPC.
    pub reading_bytes_max: usize,
    /// Bytes of all large answers, and of all notifications, that wait to be written.
    pub writing_bytes_max: usize,
}

impl Limits {
    /// For callers from anywhere.
    pub fn public() -> Self {
        Self {
            request_bytes_max: 15 << 20,
            response_bytes_max: 160 << 20,
            batch_calls_max: 1000,
            batch_response_bytes_max: 25 << 20,
            running_calls_max: 16,
            waiting_calls_max: 4096,
            call_time_max: Duration::from_secs(30),
            connections_max: 500,
            subscriptions_max: 1024,
            messages_in_flight_max: 16,
            receipt_waits_max: 256,
            reading_bytes_max: 512 << 20,
            writing_bytes_max: 1 << 30,
        }
    }

    /// For the consensus client, whose payloads are large
    /// ([common.md](https://github.com/ethereum/execution-apis/blob/main/src/engine/common.md)).
    pub fn engine() -> Self {
        Self {
            request_bytes_max: 128 << 20,
            batch_calls_max: 2000,
            batch_response_bytes_max: 250 << 20,
            call_time_max: Duration::from_secs(60),
            connections_max: 100,
            ..Self::public()
        }
    }
}

/// How long a client may take to send the head of a request, or to ask again on the same connection.
pub(crate) const HEAD_TIME_MAX: Duration = Duration::from_secs(60);

/// How long a client may take to send the body of a request.
pub(crate) const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a client may take none of the bytes that are sent to it.
pub(crate) const STALLED_TIME_MAX: Duration = Duration::from_secs(30);
