//! The network edge on its own: proxies, certificates, bounds, redirects, and what is not tried again.

mod in_flight;
mod limits;
mod proxy;
mod redirects;
mod refusals;
mod scopes;
mod secrets;
mod strangers;
mod tls;

pub use limits::bomb;
pub use redirects::challenge;
pub use scopes::access;
pub use tls::no_tls;
