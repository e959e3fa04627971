//! The network edge on its own: proxies, certificates, bounds, redirects, and what is not tried again.

mod limits;
mod proxy;
mod redirects;
mod scopes;
mod secrets;
mod tls;
