//! A path before the API's own, where a gateway maps the API or an ingress passes it on: routes have
//! it, and so have the addresses that responses name.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderName, HeaderValue,
        header::{CONTENT_LOCATION, LOCATION},
    },
    middleware::{Next, from_fn},
    response::Response,
};

const ADDRESSES: [HeaderName; 3] =
    [LOCATION, CONTENT_LOCATION, HeaderName::from_static("operation-location")];

/// Reads the setting: empty, or a path that begins with a slash and does not end in one.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/')
        && text.split('/').skip(1).all(|segment| {
            !segment.is_empty()
                && segment.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._~".contains(&it))
        })
        && !text.split('/').any(|segment| segment == "." || segment == "..");
    if text.is_empty() || is_path {
        Ok(text.to_owned())
    } else {
        Err("expected a path such as /tasks-api, without a slash at its end".to_owned())
    }
}

/// Moves the routes below `base`; an empty one changes nothing.
pub(super) fn below(base: &str, router: Router) -> Router {
    if base.is_empty() {
        return router;
    }
    let prefix: Arc<str> = base.into();
    let prepend = move |request: Request, next: Next| {
        let prefix = Arc::clone(&prefix);
        async move { with_base(&prefix, next.run(request).await) }
    };
    Router::new().nest(base, router.layer(from_fn(prepend)))
}

/// What a response says of addresses on this server.
fn with_base(base: &str, mut response: Response) -> Response {
    for name in ADDRESSES {
        let Some(address) = response.headers().get(&name).and_then(|it| it.to_str().ok()) else {
            continue;
        };
        if !address.starts_with('/') || address.starts_with("//") {
            continue;
        }
        if let Ok(address) = HeaderValue::try_from(format!("{base}{address}")) {
            response.headers_mut().insert(name, address);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::StatusCode,
        routing::{get, post},
    };

    use super::*;
    use crate::http::{Answer as _, Config, harden};

    #[test]
    fn what_is_no_base_path_is_refused() {
        for good in ["", "/api", "/tasks-api/v2", "/a.b~c_d"] {
            assert_eq!(parse(good).as_deref(), Ok(good));
        }
        for bad in ["api", "/", "/api/", "//api", "/a/../b", "/{id}", "/a?b", "/a b", "/ü"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn routes_and_addresses_have_the_base() {
        let created = || async { (StatusCode::CREATED, [(LOCATION, "/v1/things/7")]) };
        let elsewhere = || async { [(LOCATION, "https://other.example/v1")] };
        let things =
            Router::new().route("/v1/things", post(created)).route("/elsewhere", get(elsewhere));
        let config = Config { http_base_path: "/api/tasks".to_owned(), ..Config::for_test() };
        let router = harden(things, &config);
        let send = async |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = router.answer(request).await;
            let location = response.headers().get(LOCATION);
            (response.status().as_u16(), location.map(|it| it.to_str().unwrap().to_owned()))
        };
        let there = Some("/api/tasks/v1/things/7".to_owned());
        assert_eq!(send("POST", "/api/tasks/v1/things").await, (201, there));
        let other = Some("https://other.example/v1".to_owned());
        assert_eq!(send("GET", "/api/tasks/elsewhere").await, (200, other));
        assert_eq!(send("GET", "/api/tasks/v1/things").await, (405, None));
        for path in ["/v1/things", "/api/tasksv1/things", "/api/tasks/nowhere", "/api"] {
            assert_eq!(send("POST", path).await, (404, None), "{path}");
        }
        assert_eq!(send("GET", "/healthz").await, (200, None));
    }
}
