//! Who may ask.

use std::sync::Arc;

use axum::extract::{Request, State as From};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::timeout;

use super::failure::ApiFailure;
use super::options::names_loopback;
use super::state::State;

/// Lets a request through that shows the token; without a token one that asks for this machine by its own name. It has so
/// long as requests may take, until it is read and answered.
pub(super) async fn guard(
    From(state): From<Arc<State>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiFailure> {
    check(&state, request.headers())?;
    check_length(request.headers(), state.options.body_bytes)?;
    // A client that stalls in its request is given up too.
    timeout(state.options.timeout, next.run(request)).await.map_err(|_| ApiFailure::Slow)
}

fn check(state: &State, headers: &HeaderMap) -> Result<(), ApiFailure> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = header(HOST).unwrap_or_default();
    // A form on another site's page.
    if header(ORIGIN).is_some_and(|origin| origin.split_once("://").map_or(origin, |(_, name)| name) != host)
    {
        return Err(ApiFailure::Origin);
    }
    let Some(token) = state.options.address.token() else {
        // Else a page of any site could ask, by a name of its own that leads here.
        return if names_loopback(host) { Ok(()) } else { Err(ApiFailure::Host) };
    };
    let shown = shown(header(AUTHORIZATION).unwrap_or_default());
    if shown.is_some_and(|shown| same(&shown, token)) { Ok(()) } else { Err(ApiFailure::Token) }
}

/// Refuses a body that says itself that it is too long, before it is waited for.
fn check_length(headers: &HeaderMap, most: usize) -> Result<(), ApiFailure> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length.filter(|&length| length > most as u64) {
        Some(length) => {
            let said = format!("a body of {length} bytes; at most {most} are taken");
            Err(ApiFailure::Body(StatusCode::PAYLOAD_TOO_LARGE, said))
        }
        None => Ok(()),
    }
}

/// Headers of every answer: nothing is loaded from elsewhere, shown in another page or taken for another kind of file.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    for (name, value) in [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        // With "no-referrer" a browser sends the page's own forms with `Origin: null`, which no check can tell from others.
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        // A page with a script has a policy of its own.
        response
            .headers_mut()
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The token in an `Authorization` header: after `Bearer`, or the password after `Basic`.
fn shown(header: &str) -> Option<String> {
    let (scheme, value) = header.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(value.trim().to_owned()),
        "basic" => {
            let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
            Some(pair.split_once(':')?.1.to_owned())
        }
        _ => None,
    }
}

/// Compares in a time that says nothing of where the first difference is.
fn same(shown: &str, token: &str) -> bool {
    let differences = shown.bytes().zip(token.bytes()).fold(0, |all, (one, other)| all | (one ^ other));
    shown.len() == token.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_refused_before_the_body_comes() {
        let checked = |length: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static(length))]);
            check_length(&headers, 100).map_err(|failure| failure.parts().0.as_u16())
        };
        assert_eq!(checked("100"), Ok(()));
        assert_eq!(checked("101"), Err(413));
        // What is no length is for whoever reads the body.
        assert_eq!(checked("many"), Ok(()));
        assert!(check_length(&HeaderMap::new(), 100).is_ok());
    }

    #[test]
    fn tokens_are_read_from_both_kinds_of_header() {
        assert_eq!(shown("Bearer  abc").as_deref(), Some("abc"));
        assert_eq!(shown("basic YW55OmE6Yg==").as_deref(), Some("a:b"));
        for other in ["", "abc", "Digest abc", "Basic !", "Basic YWJj"] {
            assert_eq!(shown(other), None, "{other}");
        }
        assert!(same("abc", "abc") && !same("abd", "abc") && !same("ab", "abc") && !same("abcd", "abc"));
    }
}
