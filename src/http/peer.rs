//! Who asks, and under which address the server is known to him. `X-Forwarded-…` headers count only
//! from configured proxies: anybody can send them.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::app::App;
use super::outer::Peer;

/// The address of the client, seen through proxies that we trust.
pub fn client_address(app: &App, parts: &Parts) -> IpAddr {
    let peer = peer_address(parts);
    if !app.config.trusted_proxies.contains(&peer) {
        return peer;
    }
    let hops = text(&parts.headers, "x-forwarded-for").unwrap_or_default();
    hops.rsplit(',')
        .filter_map(|hop| hop.trim().parse().ok())
        .find(|hop| !app.config.trusted_proxies.contains(hop))
        .unwrap_or(peer)
}

/// What absolute links begin with, without a slash at the end.
pub fn base_url(app: &App, parts: &Parts) -> String {
    if let Some(url) = &app.config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let trusted = app.config.trusted_proxies.contains(&peer_address(parts));
    let forwarded = |name: &str| text(&parts.headers, name).filter(|_| trusted);
    let scheme = forwarded("x-forwarded-proto").filter(|scheme| *scheme == "https");
    let host =
        forwarded("x-forwarded-host").or_else(|| text(&parts.headers, header::HOST.as_str()));
    let host = host
        .filter(|host| is_host(host))
        .map_or_else(|| app.config.listen.to_string(), str::to_owned);
    format!("{}://{host}", scheme.unwrap_or("http"))
}

fn peer_address(parts: &Parts) -> IpAddr {
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    parts.extensions.get::<Peer>().map_or(unknown, |peer| peer.0.ip())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_host(host: &str) -> bool {
    let fine =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !host.is_empty() && host.chars().all(fine)
}
