//! This program's own log, and nothing of the libraries it stands on.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Sends this program's own log to `writer`, and nothing of the libraries it stands on.
pub(crate) fn write_log(
    level: LevelFilter,
    colour: bool,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) {
    let all = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(writer)
        .with_ansi(colour)
        .without_time();
    // A second run in one process keeps the first one's subscriber.
    let _ = all
        .finish()
        .with(Targets::new().with_target("acr_sign", level))
        .try_init();
}
