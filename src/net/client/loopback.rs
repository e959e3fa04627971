//! What the tests of the client talk to: a loopback server with set answers, and a name server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::OnceCell,
};

use super::{Client, Options};
use crate::{
    crypto::Mask,
    net::{Concurrency, Hosts, Purpose, Request, resolve::System},
};

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// Gives the answers in order, the last again and again, and keeps what was asked.
pub(super) async fn server(answers: &'static [&'static str]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    // A TLS hello is no HTTP: hung up on at once.
                    Ok(22) if head.is_empty() => break,
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            seen.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&head).into_owned());
            if head.is_empty() {
                continue;
            }
            let answer = answers[number.min(answers.len() - 1)];
            number += 1;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, asked)
}

pub(super) fn client(plain_http: &str, connect_to: &[String]) -> Client {
    Client::new(Options {
        hosts: Hosts {
            plain_http: vec![plain_http.parse().unwrap()],
            ..Hosts::default()
        },
        ca_pem: Vec::new(),
        connect_to: connect_to
            .iter()
            .map(|entry| entry.parse().unwrap())
            .collect(),
        retries: 2,
        concurrency: Concurrency::default(),
        deadline: std::time::Instant::now() + Duration::from_secs(60),
        mask: Mask::default(),
    })
    .unwrap()
}

pub(super) fn request(url: &str) -> Request {
    Request::get(Purpose::Registry, "the page", url.parse().unwrap(), 1000)
}

/// A name server that knows one address for every name, and a resolver that asks it.
pub(super) async fn names(address: [u8; 4]) -> System {
    use hickory_resolver::{
        TokioResolver,
        config::{ConnectionConfig, NameServerConfig, ResolverConfig},
        net::runtime::TokioRuntimeProvider,
    };
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut connection = ConnectionConfig::udp();
    connection.port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut query).await {
            // The header, then labels up to an empty one, type and class.
            let name = query[12..length]
                .iter()
                .position(|byte| *byte == 0)
                .unwrap();
            let question = &query[12..12 + name + 5];
            let asks_a = question[name + 2] == 1;
            let mut answer = query[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(asks_a), 0, 0, 0, 0]);
            answer.extend(question);
            if asks_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(address);
            }
            let _ = socket.send_to(&answer, peer).await;
        }
    });
    let server = NameServerConfig::new("127.0.0.1".parse().unwrap(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    System {
        known: OnceCell::new_with(Some(builder.build().unwrap())),
        ..System::default()
    }
}
