//! Which web pages may call this node ([Fetch, CORS protocol](https://fetch.spec.whatwg.org/#http-cors-protocol)).

use axum::http::{
    HeaderMap, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};

/// Origins whose pages may call.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Vec<String>);

impl Origins {
    pub(crate) fn new(origins: &[String]) -> Self {
        Self(origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect())
    }

    /// Whether a page of the origin that the request names may call. What is no page names none, and may.
    pub(crate) fn allow(&self, request: &HeaderMap) -> bool {
        request.get(ORIGIN).is_none_or(|origin| self.allowed(origin).is_some())
    }

    /// What the answer to a page says; nothing to a page that may not read it.
    pub(crate) fn answer(&self, request: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(allowed) = request.get(ORIGIN).and_then(|origin| self.allowed(origin)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(VARY, HeaderValue::from_static("origin"));
        }
        headers
    }

    /// What a browser is told that asks before it calls.
    pub(crate) fn preflight(&self, request: &HeaderMap) -> HeaderMap {
        let mut headers = self.answer(request);
        if !headers.is_empty() {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
        headers
    }

    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        let named = origin.to_str().ok()?.to_ascii_lowercase();
        if self.0.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        self.0.contains(&named).then(|| origin.clone())
    }
}

/// Whether a browser only asks whether it may call.
pub(crate) fn is_preflight(method: &Method, request: &HeaderMap) -> bool {
    method == Method::OPTIONS && request.contains_key(ORIGIN) && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
    }

    #[test]
    fn only_listed_pages_may_read() {
        let origins = Origins::new(&["http://wallet.example/".into()]);
        assert_eq!(
            origins.answer(&from("http://wallet.example"))[ACCESS_CONTROL_ALLOW_ORIGIN],
            "http://wallet.example"
        );
        assert!(origins.answer(&from("http://evil.example")).is_empty());
        assert!(!origins.allow(&from("null")) && origins.allow(&HeaderMap::new()));
        assert_eq!(Origins::new(&["*".into()]).answer(&from("null"))[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(Origins::new(&[]).preflight(&from("http://wallet.example")).is_empty());
    }
}
