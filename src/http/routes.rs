//! Which path is whose: one table, out of which both the router and `/openapi.json` are made.
//!
//! A handler's path and methods are in its own `utoipa::path`, as the vendor's documents spell
//! them. Trailing slashes are gone before the router is asked, so here they are taken off too.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::path::{HttpMethod, Operation};

use super::app::App;
use super::error::ApiError;
use super::{data, datasets, files, login, openapi, tables, upload};

/// Who answers, where, and what is said about it.
pub struct Route {
    /// The path of the description, and others under which the same is served.
    pub paths: Vec<String>,
    /// The methods it answers; a `GET` answers `HEAD` as well.
    pub methods: Vec<HttpMethod>,
    /// The description.
    pub operation: Operation,
    handler: MethodRouter<App>,
}

/// Every route there is.
pub fn table() -> Vec<Route> {
    vec![
        Route::new(openapi::openapi, openapi::__path_openapi),
        Route::new(login::login, login::__path_login).also("/api/v2/auth/token/generate"),
        Route::new(login::refresh, login::__path_refresh).also("/api-token-refresh/"),
        Route::new(login::verify, login::__path_verify).also("/api/v2/auth/token/verify"),
        Route::new(login::personal_key, login::__path_personal_key),
        Route::new(login::switch, login::__path_switch),
        Route::new(files::list, files::__path_list),
        Route::new(files::create, files::__path_create),
        Route::new(files::get, files::__path_get),
        Route::new(files::patch, files::__path_patch),
        Route::new(files::delete, files::__path_delete),
        Route::new(data::download, data::__path_download),
        Route::new(tables::download, tables::__path_download),
        Route::new(upload::upload, upload::__path_upload),
        Route::new(datasets::create, datasets::__path_create),
    ]
}

impl Route {
    /// The route of a handler, described by what `utoipa::path` made of it.
    fn new<H, T, D>(handler: H, _description: D) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
        D: utoipa::Path,
    {
        let methods = D::methods();
        let answering = methods
            .iter()
            .fold(MethodRouter::new(), |router, method| router.on(filter(method), handler.clone()));
        Route { paths: vec![D::path()], methods, operation: D::operation(), handler: answering }
    }

    /// The same under another path.
    fn also(mut self, path: &str) -> Self {
        self.paths.push(path.to_owned());
        self
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// The routes over a server's state.
pub fn routes(app: App) -> Router {
    let mut router = Router::new();
    for route in table() {
        for path in &route.paths {
            router = router.route(path.trim_end_matches('/'), route.handler.clone());
        }
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        // Every handler bounds its body by its own limit.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn not_found() -> ApiError {
    ApiError::not_found()
}

async fn not_allowed(method: Method) -> ApiError {
    let detail = format!("Method \"{method}\" not allowed.");
    ApiError::detail(StatusCode::METHOD_NOT_ALLOWED, detail)
}
