//! What certificates say about their revocation: OCSP, CRLs, and timestamps asked for. Addresses stand in
//! certificates, so nothing private is asked and no credential is sent (G18). What was checked is kept for the
//! rest of the run, within bounds.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::join_all;
use http::{Method, StatusCode, header};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    crypto::{CRL_LIMIT, Crl, TIMESTAMP_LIMIT, ocsp::OCSP_LIMIT},
    flow::FlowError,
    format::notation::{Query, RevocationAnswer, RevocationRequest},
    net::{Client, Purpose, Redirects, Request},
    oci::MediaType,
    report::Failure,
};

/// Answers that are kept: one for each certificate of a run with hundreds of signers, at a few kilobytes each.
const KEPT: usize = 1_000;
/// Bytes of lists that are kept: two of the largest that are read, or hundreds of common ones.
const KEPT_BYTES: usize = 64 << 20;
/// How long a responder may take. It answers from a table; one that is slower is down, and a list may still serve.
const OCSP_TIME: Duration = Duration::from_secs(5);
/// How long a list may take: 32 MiB over a slow line.
const CRL_TIME: Duration = Duration::from_secs(30);
/// How long a timestamp may take: the authority signs with a hardware key, under load for some seconds.
const TIMESTAMP_TIME: Duration = Duration::from_secs(15);

/// The revocation services of one run.
#[derive(Clone, Debug)]
pub struct Revocations {
    client: Client,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    ocsp: HashMap<(String, Bytes), Bytes>,
    crls: HashMap<String, Arc<Crl>>,
    bytes: usize,
}

/// The questions of one verification; its answers are kept once they have proven good.
#[derive(Debug)]
pub struct Asked {
    services: Revocations,
    ocsp: Vec<((String, Bytes), Bytes)>,
    crls: Vec<(String, Arc<Crl>, usize)>,
}

impl Revocations {
    /// Asks nothing yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            kept: Arc::default(),
        }
    }

    /// The questions of one verification.
    pub fn begin(&self) -> Asked {
        Asked {
            services: self.clone(),
            ocsp: Vec::new(),
            crls: Vec::new(),
        }
    }

    /// A timestamp: sends a query to the authority, and gives the body of its reply.
    pub async fn timestamp(&self, authority: &Url, query: &Bytes) -> Result<Bytes, Failure> {
        let what = format!(
            "a timestamp of `{}`",
            authority.host_str().unwrap_or_default()
        );
        let limit = u64::try_from(TIMESTAMP_LIMIT).unwrap_or(u64::MAX);
        let request = post(
            what.clone(),
            authority.clone(),
            limit,
            "application/timestamp-query",
            query,
        );
        let sent = tokio::time::timeout(TIMESTAMP_TIME, self.client.send(&request)).await;
        let refused = |why: String| FlowError::NoTimestamp {
            authority: authority.to_string(),
            why,
        };
        let response =
            sent.map_err(|_| refused(format!("no answer within {} s", TIMESTAMP_TIME.as_secs())))??;
        let content_type = MediaType::new(response.header("content-type").unwrap_or_default());
        if response.status != StatusCode::OK {
            return Err(refused(format!("it answered {}", response.status)).into());
        }
        if content_type.as_str() != "application/timestamp-reply" {
            return Err(refused(format!("it answered with `{content_type}`")).into());
        }
        Ok(response.body)
    }

    async fn ask(&self, request: &Request, time: Duration) -> Result<Bytes, String> {
        let sent = tokio::time::timeout(time, self.client.send(request)).await;
        let response = sent.map_err(|_| format!("no answer within {} s", time.as_secs()))?;
        let response = response.map_err(|error| error.to_string())?;
        if response.status == StatusCode::OK {
            Ok(response.body)
        } else {
            Err(format!("answered {}", response.status))
        }
    }

    async fn ocsp(&self, request: &RevocationRequest, question: &Bytes) -> Result<Bytes, String> {
        let wrong = |_| format!("`{}` is not a valid URL", request.url);
        let what = format!("the revocation at `{}`", request.url);
        let limit = u64::try_from(OCSP_LIMIT).unwrap_or(u64::MAX);
        let asked = match request.ocsp_get() {
            Some(address) => {
                Request::get(Purpose::Other, what, address.parse().map_err(wrong)?, limit).outside()
            }
            None => post(
                what,
                request.url.parse().map_err(wrong)?,
                limit,
                "application/ocsp-request",
                question,
            ),
        };
        self.ask(&asked, OCSP_TIME).await
    }

    async fn crl(&self, url: &str) -> Result<(Arc<Crl>, usize), String> {
        let address: Url = url
            .parse()
            .map_err(|_| format!("`{url}` is not a valid URL"))?;
        let limit = u64::try_from(CRL_LIMIT).unwrap_or(u64::MAX);
        let mut request = Request::get(
            Purpose::Other,
            format!("the list at `{url}`"),
            address,
            limit,
        )
        .outside();
        request.redirects = Redirects::Http;
        let bytes = self.ask(&request, CRL_TIME).await?;
        let crl = Crl::parse(&bytes).map_err(|error| error.to_string())?;
        Ok((Arc::new(crl), bytes.len()))
    }
}

impl Asked {
    /// One answer for each request, in their order, all asked together.
    pub async fn answer(&mut self, requests: &[RevocationRequest]) -> Vec<RevocationAnswer> {
        let answers = join_all(requests.iter().map(|request| self.answer_one(request))).await;
        let mut given = Vec::with_capacity(answers.len());
        for (request, (answer, bytes)) in requests.iter().zip(answers) {
            match (&request.query, &answer) {
                (Query::Ocsp(question), RevocationAnswer::Ocsp(body)) => {
                    self.ocsp
                        .push(((request.url.clone(), question.clone()), body.clone()));
                }
                (Query::Crl, RevocationAnswer::Crl(crl)) => {
                    self.crls.push((request.url.clone(), crl.clone(), bytes));
                }
                _ => {}
            }
            given.push(answer);
        }
        given
    }

    async fn answer_one(&self, request: &RevocationRequest) -> (RevocationAnswer, usize) {
        let kept = self.services.kept.lock().await;
        let known = match &request.query {
            Query::Ocsp(question) => kept
                .ocsp
                .get(&(request.url.clone(), question.clone()))
                .cloned()
                .map(RevocationAnswer::Ocsp),
            Query::Crl => kept
                .crls
                .get(&request.url)
                .cloned()
                .map(RevocationAnswer::Crl),
        };
        drop(kept);
        if let Some(known) = known {
            return (known, 0);
        }
        match &request.query {
            Query::Ocsp(question) => match self.services.ocsp(request, question).await {
                Ok(body) => (RevocationAnswer::Ocsp(body), 0),
                Err(why) => (RevocationAnswer::Failed(why), 0),
            },
            Query::Crl => match self.services.crl(&request.url).await {
                Ok((crl, bytes)) => (RevocationAnswer::Crl(crl), bytes),
                Err(why) => (RevocationAnswer::Failed(why), 0),
            },
        }
    }

    /// Keeps the answers for the rest of the run: they led to a yes or no. A list stays only if its signature was
    /// checked on the way.
    pub async fn keep(self) {
        let mut kept = self.services.kept.lock().await;
        for (question, body) in self.ocsp {
            if kept.ocsp.len() < KEPT {
                kept.ocsp.insert(question, body);
            }
        }
        for (url, crl, bytes) in self.crls {
            if crl.is_checked()
                && kept.bytes.saturating_add(bytes) <= KEPT_BYTES
                && !kept.crls.contains_key(&url)
            {
                kept.bytes += bytes;
                kept.crls.insert(url, crl);
            }
        }
    }
}

/// A POST of DER to an address from outside; asking again changes nothing.
fn post(what: String, url: Url, limit: u64, content_type: &str, body: &Bytes) -> Request {
    let mut request = Request::get(Purpose::Other, what, url, limit).outside();
    request.method = Method::POST;
    request.body = body.clone();
    request.with_header(header::CONTENT_TYPE, content_type)
}
