//! Messages over HTTP: one a request.

use std::sync::Arc;

use axum::{
    body::{Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::{Dispatcher, dispatcher::failed, limits::BODY_TIME_MAX};

/// What a browser sends without asking first is none of these: a page cannot call unnoticed.
const CONTENT_TYPES: [&str; 3] = ["application/json", "application/json-rpc", "application/jsonrequest"];

/// Answers one request.
pub(crate) async fn answer(dispatcher: &Arc<Dispatcher>, request: Request) -> Response {
    match *request.method() {
        // Load balancers look whether somebody is there.
        Method::GET | Method::HEAD => return StatusCode::OK.into_response(),
        Method::POST => {}
        _ => return (StatusCode::METHOD_NOT_ALLOWED, "method not allowed").into_response(),
    }
    if !is_json(request.headers()) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "only application/json is supported").into_response();
    }
    let bytes_max = dispatcher.limits.request_bytes_max;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > bytes_max) {
        return (StatusCode::PAYLOAD_TOO_LARGE, "content length too large").into_response();
    }
    // Held until the message is answered.
    let _reading = match dispatcher.reading(announced.unwrap_or(bytes_max)) {
        Ok(reading) => reading,
        Err(error) => return json(StatusCode::SERVICE_UNAVAILABLE, failed(&error).into()),
    };
    match timeout(BODY_TIME_MAX, to_bytes(request.into_body(), bytes_max)).await {
        Ok(Ok(message)) => json(StatusCode::OK, dispatcher.answer(&message, None).await.unwrap_or_default()),
        Ok(Err(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "body too large, or cut short").into_response(),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "body took too long").into_response(),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    CONTENT_TYPES.iter().any(|known| essence.eq_ignore_ascii_case(known))
}

fn json(status: StatusCode, body: Bytes) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
