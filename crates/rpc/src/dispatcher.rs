//! From a message to its answer, whatever it came over.

mod room;

pub(crate) use room::{Room, SMALL_BYTES, Taken};

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Context, Limits, Methods, Params, RpcError,
    eth::filters::topic,
    methods::{Answer, Method, Run, to_json},
    request::{Call, Entry, Malformed, Message},
    session::{Exchange, Session},
    workers::Workers,
};

/// Answers messages: one for each door of a node, so that a crowd at one does not close the others.
pub struct Dispatcher {
    context: Arc<Context>,
    methods: Methods,
    pub(crate) limits: Limits,
    workers: Workers,
    /// Room for messages that come, and for answers that go.
    pub(crate) reading: Room,
    pub(crate) writing: Room,
    /// Places for calls that wait for a receipt.
    receipt_waits: Arc<Semaphore>,
}

/// The call whose answer names what is notified of.
const SUBSCRIBE: &str = "eth_subscribe";

impl Dispatcher {
    /// Answers with these methods, within these limits.
    pub fn new(context: Arc<Context>, methods: Methods, limits: Limits) -> Self {
        let (reading, writing) = (Room::new(limits.reading_bytes_max), Room::new(limits.writing_bytes_max));
        let receipt_waits = Arc::new(Semaphore::new(limits.receipt_waits_max));
        Self { context, methods, limits, workers: Workers::new(&limits), reading, writing, receipt_waits }
    }

    /// The answer to a message, `None` if it wants none. `exchange` is there if the client can be notified.
    pub(crate) async fn answer(self: &Arc<Self>, message: &[u8], exchange: Option<&Exchange>) -> Option<Bytes> {
        let text = match Message::read(message, self.limits.batch_calls_max) {
            Ok(Message::Single(entry)) => self.single(entry, exchange).await?,
            Ok(Message::Batch(entries)) => self.batch(entries, exchange).await?,
            Err(error) => failed(&error),
        };
        Some(match self.writing.take(text.len()) {
            Some(taken) => taken.around(text),
            None => failed(&no_room()).into(),
        })
    }

    /// Room for a message of this length, to be held as long as it is in memory.
    ///
    /// # Errors
    /// -32005 if all of it is taken.
    pub(crate) fn reading(&self, bytes: usize) -> Result<Taken, RpcError> {
        self.reading.take(bytes).ok_or_else(no_room)
    }

    /// A place among the calls that wait for a receipt.
    ///
    /// # Errors
    /// -32005 if all are taken.
    pub(crate) fn receipt_wait(&self) -> Result<OwnedSemaphorePermit, RpcError> {
        let full = |_| RpcError::new(RpcError::LIMIT_EXCEEDED, "too many calls are waiting for receipts");
        self.receipt_waits.clone().try_acquire_owned().map_err(full)
    }

    /// What every method can reach.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Runs a part of a method that waits, when it is its turn.
    ///
    /// # Errors
    /// The part's own, and those of the workers.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        part: impl FnOnce(&Context) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let context = self.context.clone();
        self.workers.run(move || part(&context)).await
    }

    async fn single(self: &Arc<Self>, entry: Entry<'_>, exchange: Option<&Exchange>) -> Option<String> {
        let mut out = String::new();
        self.entry(entry, exchange, self.limits.response_bytes_max, &mut out).await.then_some(out)
    }

    /// Calls run one after another, as their order may matter to the caller.
    async fn batch(self: &Arc<Self>, entries: Vec<Entry<'_>>, exchange: Option<&Exchange>) -> Option<String> {
        let mut out = String::from("[");
        for entry in entries {
            let left = self.limits.batch_response_bytes_max.saturating_sub(out.len());
            let before = out.len();
            if before > 1 {
                out.push(',');
            }
            if !self.entry(entry, exchange, left.min(self.limits.response_bytes_max), &mut out).await {
                out.truncate(before);
            }
        }
        out.push(']');
        (out.len() > 2).then_some(out)
    }

    /// Appends the answer; `false` if there is none.
    async fn entry(
        self: &Arc<Self>,
        entry: Entry<'_>,
        exchange: Option<&Exchange>,
        bytes_max: usize,
        out: &mut String,
    ) -> bool {
        match entry {
            Err(Malformed { id, error }) => push_answer(out, id, &Err(error)),
            Ok(call) => {
                let answer = self.call(&call, exchange, bytes_max).await;
                let Some(id) = call.id else { return false };
                push_answer(out, Some(id), &answer);
            }
        }
        true
    }

    async fn call(self: &Arc<Self>, call: &Call<'_>, exchange: Option<&Exchange>, bytes_max: usize) -> Answer {
        let Some(method) = self.methods.get(&call.method) else {
            return Err(RpcError::method_not_found(&call.method));
        };
        let params = Params::read(call.params, method.params_max)?;
        if let Run::Waiting(wait) = method.run {
            return wait(self.clone(), params, bytes_max).await;
        }
        if let (SUBSCRIBE, Some(exchange)) = (&*call.method, exchange) {
            exchange.answer_first();
        }
        let session = exchange.map(|exchange| exchange.session().clone());
        let (dispatcher, name) = (self.clone(), call.method.clone().into_owned());
        let run = move || match (name.as_str(), session, dispatcher.methods.get(&name)) {
            (SUBSCRIBE, Some(session), _) => dispatcher.subscribe(params, &session),
            ("eth_unsubscribe", Some(session), _) => dispatcher.unsubscribe(params, &session),
            (_, _, Some(Method { run: Run::Plain(run), .. })) => run(&dispatcher.context, params, bytes_max),
            _ => Err(RpcError::method_not_found(&name)),
        };
        self.workers.run(run).await
    }
}

/// Calls about the connection itself.
impl Dispatcher {
    fn subscribe(&self, params: Params, session: &Arc<Session>) -> Answer {
        let id = self.context.watchers.subscribe(topic(params)?, session)?;
        to_json(&id, self.limits.response_bytes_max)
    }

    fn unsubscribe(&self, mut params: Params, session: &Arc<Session>) -> Answer {
        let ended = self.context.watchers.unsubscribe(params.required("id")?, session);
        to_json(&ended, self.limits.response_bytes_max)
    }
}

fn no_room() -> RpcError {
    RpcError::new(RpcError::LIMIT_EXCEEDED, "too many large requests at once")
}

/// The answer to a message that is no request at all.
pub(crate) fn failed(error: &RpcError) -> String {
    let mut out = String::new();
    push_answer(&mut out, None, &Err(error.clone()));
    out
}

fn push_answer(out: &mut String, id: Option<&RawValue>, answer: &Answer) {
    out.push_str(r#"{"jsonrpc":"2.0","id":"#);
    out.push_str(id.map_or("null", RawValue::get));
    match answer {
        Ok(result) => {
            out.push_str(r#","result":"#);
            out.push_str(result.get());
        }
        Err(error) => {
            out.push_str(r#","error":"#);
            // An error object has no part that cannot be written.
            out.push_str(&serde_json::to_string(error).unwrap_or_default());
        }
    }
    out.push('}');
}
