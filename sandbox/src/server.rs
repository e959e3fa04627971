//! The listeners: TLS and plain HTTP on loopback, HTTP/1.1 and HTTP/2. Reads a request, asks the dispatcher,
//! and lets a fault spoil the answer.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    exchange::{Request, Response},
    fault::Action,
    log::Service,
    registry::error,
    world::World,
};

/// How long an answer is held for another request before the sandbox gives up.
const HOLD_LIMIT: Duration = Duration::from_secs(10);

/// Serves one listener until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, world: Arc<World>) {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Small answers must not wait for more: latency is what tests count round trips by.
        let _ = stream.set_nodelay(true);
        let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let (tls, world) = (tls.clone(), world.clone());
        tokio::spawn(async move {
            match tls {
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, true, connection, world).await;
                    }
                }
                None => converse(stream, false, connection, world).await,
            }
        });
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    secure: bool,
    connection: u64,
    world: Arc<World>,
) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let world = world.clone();
        async move { answer(request, secure, connection, &world).await }
    });
    // Errors here are cut connections, many of them asked for by a fault.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    secure: bool,
    connection: u64,
    world: &World,
) -> Result<hyper::Response<Spoiled>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let authority = head.uri.authority().map(ToString::to_string);
    let authority = authority
        .or_else(|| Some(head.headers.get("host")?.to_str().ok()?.to_owned()))
        .unwrap_or_default();
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let host = host
        .map_or(authority.as_str(), |(host, _)| host)
        .to_ascii_lowercase();
    let query = head.uri.query().unwrap_or_default();
    let request = Request {
        method: head.method,
        secure,
        http2: head.version == hyper::Version::HTTP_2,
        host,
        authority: authority.to_ascii_lowercase(),
        // Microsoft's clients write the slashes of a repository's name encoded.
        path: head.uri.path().replace("%2F", "/").replace("%2f", "/"),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        headers: head.headers,
        body,
    };
    let service = world.service(&request);
    let number = world.log.received(service, connection, &request);
    if let Some(delay) = world.latency() {
        tokio::time::sleep(delay).await;
    }
    let work = (service == Service::Registry).then(|| world.load.begin());
    if let Some(Some(work)) = &work {
        work.done().await;
    }
    let outcome = if matches!(work, Some(None)) {
        let answer = error(429, "TOOMANYREQUESTS", "too many requests");
        Ok(build(answer, Ending::Whole, &request, world.clock.now()))
    } else {
        let action = world.script.action(service, &request);
        spoil(action, &request, world).await
    };
    world.log.answered(
        number,
        outcome
            .as_ref()
            .map_or(0, |answer| answer.status().as_u16()),
    );
    outcome
}

async fn spoil(
    action: Option<Action>,
    request: &Request,
    world: &World,
) -> Result<hyper::Response<Spoiled>, Closed> {
    let good = || world.handle(request);
    let now = world.clock.now();
    let whole = |response: Response| Ok(build(response, Ending::Whole, request, now));
    match action {
        None => whole(good()),
        Some(Action::Status(status)) => whole(Response::new(status)),
        Some(Action::Answer {
            status,
            headers,
            body,
        }) => whole(Response {
            status,
            headers,
            body,
        }),
        Some(Action::Echo { status, encode }) => {
            let credential = request.header("authorization").unwrap_or_default();
            let sent = format!("{credential} {}", String::from_utf8_lossy(&request.body));
            whole(Response::new(status).body(encode(&sent)))
        }
        Some(Action::RetryAfter { status, value }) => {
            whole(Response::new(status).header("retry-after", value))
        }
        Some(Action::Redirect { status, location }) => {
            whole(Response::new(status).header("location", location))
        }
        Some(Action::Delay(time)) => {
            tokio::time::sleep(time).await;
            whole(good())
        }
        Some(Action::HoldUntil(part)) => {
            match tokio::time::timeout(HOLD_LIMIT, world.log.until_asked(&part)).await {
                Ok(()) => whole(good()),
                Err(_) => whole(Response::new(504)),
            }
        }
        Some(Action::RefuseToken) => {
            world.issuer.refuse_issued();
            whole(good())
        }
        Some(Action::WrongKid) => whole(world.with_wrong_kid(good())),
        Some(Action::Body(body)) => whole(good().body(body)),
        Some(Action::Replace { from, to }) => {
            let response = good();
            let body = String::from_utf8_lossy(&response.body).replace(&from, &to);
            whole(response.body(body))
        }
        Some(Action::Truncate(length)) => {
            let response = good();
            let body = response.body.slice(..length.min(response.body.len()));
            whole(response.body(body))
        }
        Some(Action::FlipBit) => {
            let response = good();
            let mut body = response.body.to_vec();
            if let Some(last) = body.last_mut() {
                *last ^= 1;
            }
            whole(response.body(body))
        }
        Some(Action::Cut(length)) => Ok(build(good(), Ending::CutAfter(length), request, now)),
        Some(Action::Endless) => Ok(build(good(), Ending::Never, request, now)),
        Some(Action::Close) => Err(Closed),
    }
}

fn build(
    response: Response,
    ending: Ending,
    request: &Request,
    now: OffsetDateTime,
) -> hyper::Response<Spoiled> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder = builder.header("date", http_date(now));
    let length = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
    let body = if request.method == http::Method::HEAD {
        Bytes::new()
    } else {
        response.body
    };
    if request.method == http::Method::HEAD {
        builder = builder.header("content-length", length);
    }
    let body = Spoiled {
        body: Some(body),
        ending,
        length,
    };
    builder.body(body).unwrap_or_else(|_| {
        let mut wrong = hyper::Response::new(Spoiled {
            body: None,
            ending: Ending::Whole,
            length: 0,
        });
        *wrong.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        wrong
    })
}

/// `Date` as HTTP writes it, by the clock of the services.
fn http_date(now: OffsetDateTime) -> String {
    now.format(&Rfc2822)
        .unwrap_or_default()
        .replace("+0000", "GMT")
}

/// How a body ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Whole,
    CutAfter(usize),
    Never,
}

/// A body that may end otherwise than its length says.
#[derive(Debug)]
struct Spoiled {
    body: Option<Bytes>,
    ending: Ending,
    length: u64,
}

impl Body for Spoiled {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        match self.ending {
            Ending::Whole => Poll::Ready(
                self.body
                    .take()
                    .filter(|body| !body.is_empty())
                    .map(|body| Ok(Frame::data(body))),
            ),
            Ending::CutAfter(length) => match self.body.take() {
                Some(body) if length > 0 => {
                    Poll::Ready(Some(Ok(Frame::data(body.slice(..length.min(body.len()))))))
                }
                // What was sent is flushed before the connection is dropped.
                _ => Poll::Ready(Some(Err(Closed))),
            },
            Ending::Never => {
                context.waker().wake_by_ref();
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 16384])))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.ending, Ending::Whole) && self.body.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match self.ending {
            Ending::Whole => SizeHint::with_exact(
                self.body
                    .as_ref()
                    .map_or(0, |body| u64::try_from(body.len()).unwrap_or(0)),
            ),
            Ending::CutAfter(_) => SizeHint::with_exact(self.length),
            Ending::Never => SizeHint::default(),
        }
    }
}

/// The connection ends without a (whole) answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed by a fault")
    }
}

impl std::error::Error for Closed {}

impl From<Infallible> for Closed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
