//! Who comes in at a TCP door, and where they are sent.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    cors::{Origins, is_preflight},
    http,
    jwt::{JwtSecret, TokenError},
    virtual_hosts::VirtualHosts,
    websocket,
};
use crate::Dispatcher;

/// A TCP door: what is behind it, and who may pass.
pub(crate) struct Door {
    pub(crate) http: Option<Arc<Dispatcher>>,
    pub(crate) websocket: Option<Arc<Dispatcher>>,
    pub(crate) secret: Option<JwtSecret>,
    pub(crate) hosts: VirtualHosts,
    /// Whose pages may call over HTTP.
    pub(crate) http_origins: Origins,
    /// Whose pages may connect a WebSocket.
    pub(crate) websocket_origins: Origins,
}

pub(crate) fn router(door: Arc<Door>) -> Router {
    Router::new().fallback(enter).with_state(door)
}

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !door.hosts.allow(host) {
        return (StatusCode::FORBIDDEN, "invalid host specified").into_response();
    }
    if is_preflight(request.method(), headers) {
        return (StatusCode::OK, door.http_origins.preflight(headers)).into_response();
    }
    if let Err(error) = door.authenticate(headers) {
        return (StatusCode::UNAUTHORIZED, error.to_string()).into_response();
    }
    match (websocket::is_asked_for(headers), &door.websocket, &door.http) {
        (true, Some(dispatcher), _) if door.websocket_origins.allow(headers) => {
            websocket::upgrade(dispatcher.clone(), request).await
        }
        (true, Some(_), _) => (StatusCode::FORBIDDEN, "origin not allowed").into_response(),
        (false, _, Some(dispatcher)) => {
            let allowed = door.http_origins.answer(headers);
            (allowed, http::answer(dispatcher, request).await).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Door {
    fn authenticate(&self, headers: &HeaderMap) -> Result<(), TokenError> {
        let Some(secret) = &self.secret else { return Ok(()) };
        let value = headers.get(header::AUTHORIZATION).ok_or(TokenError::Missing)?;
        let value = value.to_str().map_err(|_| TokenError::Malformed)?;
        let token = value.strip_prefix("Bearer ").ok_or(TokenError::Missing)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        secret.check(token.trim(), now)
    }
}
