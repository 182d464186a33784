//! Whether a request that changes something comes from a page of this server.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::serve::failure::ApiFailure;

/// What pages with a script may do: nothing is loaded, sent or shown that isn't this server's.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// Refuses what a page of another site sends; a browser says so (`Sec-Fetch-Site`, and `Origin`, which is looked at for every
/// path). A program that is no browser sends neither.
pub(super) async fn check(request: Request, next: Next) -> Result<Response, ApiFailure> {
    let site = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Err(ApiFailure::Origin);
    }
    // An exported page has its style in it and no script: the policy of all others is the one for it.
    let exported = request.uri().path().contains("/export/");
    let mut response = next.run(request).await;
    if !exported {
        let name = HeaderName::from_static("content-security-policy");
        response.headers_mut().insert(name, HeaderValue::from_static(POLICY));
    }
    Ok(response)
}
