//! Whether the certificates of a chain were revoked (RFC 6960, RFC 5280 §6.3), as steps: each
//! certificate says what it wants fetched next, all of them at once. Unknown is never good. Only
//! plain `http` addresses are named, as the standards have it; where they lead is the network's to
//! judge.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use crate::{
    crypto::{Certificate, Crl, RevokedEntry, ocsp},
    timestamp::Timestamp,
};

/// How far ahead of this machine's clock a list may be made: synchronised clocks differ by less,
/// and a list from further ahead is from a clock that cannot be relied on.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// Addresses of deltas that are tried: each may take a request's time, and the list's author
/// chooses how many there are.
const DELTAS: usize = 10;
/// Requests for OCSP that are sent in the address are shorter than this (RFC 6960, appendix A).
const GET_LIMIT: usize = 255;
const HOLD: u8 = 6;
const REMOVE: u8 = 8;

/// Something to fetch: always an `http` address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevocationRequest {
    /// The address, as the certificate or list names it.
    pub url: String,
    /// What to ask for.
    pub query: Query,
}

/// What to ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Query {
    /// An OCSP answer to this question, in DER.
    Ocsp(Bytes),
    /// A certificate revocation list.
    Crl,
}

/// What came back.
#[derive(Clone, Debug)]
pub enum RevocationAnswer {
    /// The body of an OCSP answer.
    Ocsp(Bytes),
    /// A list. Keep it for the rest of the run once [`Crl::is_checked`], and not before: one with a
    /// wrong signature must not stay.
    Crl(Arc<Crl>),
    /// Nothing, and why.
    Failed(String),
}

impl RevocationRequest {
    /// The address of a GET that asks the question, where it is short enough; else it is sent by
    /// POST as `application/ocsp-request`. `None` for lists too.
    pub fn ocsp_get(&self) -> Option<String> {
        let Query::Ocsp(question) = &self.query else {
            return None;
        };
        let text = STANDARD.encode(question);
        if text.len() >= GET_LIMIT {
            return None;
        }
        let escaped = text
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        Some(format!("{}/{escaped}", self.url.trim_end_matches('/')))
    }
}

/// What is known of a chain in the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ChainStatus {
    Good,
    Revoked { subject: String, at: Timestamp },
    Unknown { subject: String, why: String },
}

/// What is known of a certificate in the end.
#[derive(Clone, Debug, Eq, PartialEq)]
enum CertificateStatus {
    Good,
    Revoked(Timestamp),
    Unknown(String),
}

/// The check of one chain.
#[derive(Debug)]
pub(super) struct ChainRevocation {
    certificates: Vec<CertificateRevocation>,
}

#[derive(Debug)]
struct CertificateRevocation {
    certificate: Certificate,
    issuer: Certificate,
    /// The time of signing that a signing authority vouches for: what became invalid later was good
    /// then.
    signed_at: Option<Timestamp>,
    now: Timestamp,
    ocsp: Vec<String>,
    crls: Vec<String>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Asks the OCSP responder of this index.
    Ocsp(usize),
    /// Fetches the list of this index.
    Crl(usize),
    /// Fetches the delta of an index to the list.
    Delta {
        crl: usize,
        base: Arc<Crl>,
        delta: usize,
    },
    Done(CertificateStatus),
}

impl ChainRevocation {
    /// The check of every certificate but the root.
    pub(super) fn new(chain: &[Certificate], signed_at: Option<Timestamp>, now: Timestamp) -> Self {
        let pairs = chain.iter().zip(chain.iter().skip(1));
        let one = |(certificate, issuer): (&Certificate, &Certificate)| {
            CertificateRevocation::new(certificate, issuer, signed_at, now)
        };
        Self {
            certificates: pairs.map(one).collect(),
        }
    }

    /// What is wanted next, one request for each certificate that is not decided.
    pub(super) fn requests(&self) -> Vec<RevocationRequest> {
        self.certificates
            .iter()
            .filter_map(CertificateRevocation::request)
            .collect()
    }

    /// Takes an answer for each of the last requests, in their order.
    pub(super) fn answer(&mut self, answers: &mut impl Iterator<Item = RevocationAnswer>) {
        for certificate in self
            .certificates
            .iter_mut()
            .filter(|certificate| certificate.request().is_some())
        {
            let answer = answers
                .next()
                .unwrap_or_else(|| RevocationAnswer::Failed("no answer".to_owned()));
            certificate.answer(answer);
        }
    }

    /// Ends the check without asking anyone: what would have to be asked is unknown.
    pub(super) fn end_unasked(&mut self) {
        for certificate in self
            .certificates
            .iter_mut()
            .filter(|certificate| certificate.request().is_some())
        {
            let why = "not asked, since the signer is not trusted".to_owned();
            certificate.phase = Phase::Done(CertificateStatus::Unknown(why));
        }
    }

    /// Revoked before unknown before good.
    pub(super) fn status(&self) -> ChainStatus {
        let mut unknown = None;
        for one in &self.certificates {
            let subject = one.certificate.subject();
            match &one.phase {
                Phase::Done(CertificateStatus::Good) => {}
                Phase::Done(CertificateStatus::Revoked(at)) => {
                    return ChainStatus::Revoked { subject, at: *at };
                }
                Phase::Done(CertificateStatus::Unknown(why)) => {
                    unknown = unknown.or(Some(ChainStatus::Unknown {
                        subject,
                        why: why.clone(),
                    }));
                }
                Phase::Ocsp(_) | Phase::Crl(_) | Phase::Delta { .. } => {
                    unknown = unknown.or(Some(ChainStatus::Unknown {
                        subject,
                        why: "not asked yet".to_owned(),
                    }));
                }
            }
        }
        unknown.unwrap_or(ChainStatus::Good)
    }
}

impl CertificateRevocation {
    fn new(
        certificate: &Certificate,
        issuer: &Certificate,
        signed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let mut check = Self {
            certificate: certificate.clone(),
            issuer: issuer.clone(),
            signed_at,
            now,
            ocsp: Vec::new(),
            crls: Vec::new(),
            phase: Phase::Done(CertificateStatus::Good),
        };
        match (certificate.ocsp_addresses(), certificate.crl_addresses()) {
            (Ok(ocsp), Ok(crls)) => {
                (check.ocsp, check.crls) = (ocsp, crls);
                check.ask(0, None);
            }
            (Err(fault), _) | (_, Err(fault)) => {
                check.phase = Phase::Done(CertificateStatus::Unknown(fault.to_string()));
            }
        }
        check
    }

    fn request(&self) -> Option<RevocationRequest> {
        match &self.phase {
            Phase::Ocsp(index) => {
                let question = ocsp::request(&self.certificate, &self.issuer).unwrap_or_default();
                Some(RevocationRequest {
                    url: self.ocsp.get(*index)?.clone(),
                    query: Query::Ocsp(question.into()),
                })
            }
            Phase::Crl(index) => Some(RevocationRequest {
                url: self.crls.get(*index)?.clone(),
                query: Query::Crl,
            }),
            Phase::Delta { base, delta, .. } => Some(RevocationRequest {
                url: base.deltas.get(*delta)?.clone(),
                query: Query::Crl,
            }),
            Phase::Done(_) => None,
        }
    }

    fn done(&mut self, status: CertificateStatus) {
        self.phase = Phase::Done(status);
    }

    fn answer(&mut self, answer: RevocationAnswer) {
        match std::mem::replace(
            &mut self.phase,
            Phase::Done(CertificateStatus::Unknown(String::new())),
        ) {
            Phase::Ocsp(index) => self.ocsp_answer(index, answer),
            Phase::Crl(index) => self.crl_answer(index, answer),
            Phase::Delta { crl, base, delta } => self.delta_answer(crl, base, delta, answer),
            done @ Phase::Done(_) => self.phase = done,
        }
    }

    /// Asks the next responder that can be asked; after the last one the lists, if there are any.
    fn ask(&mut self, from: usize, mut why: Option<String>) {
        for (index, url) in self.ocsp.iter().enumerate().skip(from) {
            if is_http(url) {
                self.phase = Phase::Ocsp(index);
                return;
            }
            why = Some(not_http(url));
        }
        match why {
            Some(why) if self.crls.is_empty() => self.done(CertificateStatus::Unknown(why)),
            // Neither a responder nor a list: it cannot be revoked.
            None if self.crls.is_empty() => self.done(CertificateStatus::Good),
            Some(_) | None => self.fetch(0),
        }
    }

    fn ocsp_answer(&mut self, index: usize, answer: RevocationAnswer) {
        let read = match answer {
            RevocationAnswer::Ocsp(bytes) => {
                ocsp::read(&bytes, &self.certificate, &self.issuer, self.now)
                    .map_err(|fault| fault.to_string())
            }
            RevocationAnswer::Crl(_) => {
                Err("a revocation list instead of an OCSP response".to_owned())
            }
            RevocationAnswer::Failed(why) => Err(why),
        };
        match read {
            Ok(ocsp::OcspStatus::Good) => self.done(CertificateStatus::Good),
            Ok(ocsp::OcspStatus::Revoked { invalid_since, .. }) if self.was_good(invalid_since) => {
                self.done(CertificateStatus::Good);
            }
            Ok(ocsp::OcspStatus::Revoked { at, .. }) => self.done(CertificateStatus::Revoked(at)),
            Ok(ocsp::OcspStatus::Unknown) => {
                let why = "the responder does not know the certificate".to_owned();
                self.ask(self.ocsp.len(), Some(why));
            }
            Err(why) => {
                let why = self.ocsp.get(index).map(|url| format!("{url}: {why}"));
                self.ask(index + 1, why);
            }
        }
    }

    /// Whether it became invalid only after a signing authority vouched for the time of signing.
    fn was_good(&self, invalid_since: Option<Timestamp>) -> bool {
        invalid_since
            .zip(self.signed_at)
            .is_some_and(|(invalid_since, signed_at)| invalid_since > signed_at)
    }

    /// Fetches the list of an index; after the last one nothing is left to ask.
    fn fetch(&mut self, index: usize) {
        match self.crls.get(index) {
            Some(url) if is_http(url) => self.phase = Phase::Crl(index),
            Some(url) => {
                let why = not_http(url);
                self.done(CertificateStatus::Unknown(why));
            }
            None => self.done(CertificateStatus::Good),
        }
    }

    fn crl_answer(&mut self, index: usize, answer: RevocationAnswer) {
        let base = match self.usable(answer) {
            Ok(base) if base.base_number.is_some() => {
                Err("a delta instead of a complete list".to_owned())
            }
            other => other,
        };
        match base {
            Err(why) => {
                let url = self.crls.get(index).cloned().unwrap_or_default();
                self.done(CertificateStatus::Unknown(format!("{url}: {why}")));
            }
            // What was revoked since would stand in a delta whose address the list does not vouch
            // for.
            Ok(base) if base.deltas.is_empty() && self.certificate.names_deltas() => {
                let why = "the certificate names a delta, but the list does not".to_owned();
                self.done(CertificateStatus::Unknown(why));
            }
            Ok(base) if base.deltas.is_empty() => self.decide(index, &base, None),
            Ok(base) => self.fetch_delta(
                index,
                base,
                0,
                "none of the delta's addresses can be fetched".to_owned(),
            ),
        }
    }

    fn fetch_delta(&mut self, crl: usize, base: Arc<Crl>, from: usize, why: String) {
        let mut urls = base.deltas.iter().enumerate().take(DELTAS).skip(from);
        match urls.find(|(_, url)| is_http(url)) {
            Some((delta, _)) => self.phase = Phase::Delta { crl, base, delta },
            None => self.done(CertificateStatus::Unknown(why)),
        }
    }

    fn delta_answer(&mut self, crl: usize, base: Arc<Crl>, index: usize, answer: RevocationAnswer) {
        let delta = self.usable(answer).and_then(|delta| {
            // notation ends with a crash where a number is absent.
            let (Some(of), Some(number), Some(base)) =
                (&delta.base_number, &delta.number, &base.number)
            else {
                return Err("the delta or its base list lacks a CRL number".to_owned());
            };
            if compare(of, base) == Ordering::Greater || compare(number, base) != Ordering::Greater
            {
                return Err("the delta does not extend the list".to_owned());
            }
            Ok(delta)
        });
        match delta {
            Ok(delta) => self.decide(crl, &base, Some(&delta)),
            Err(why) => self.fetch_delta(crl, base, index + 1, why),
        }
    }

    /// A list that may be asked about this certificate.
    fn usable(&self, answer: RevocationAnswer) -> Result<Arc<Crl>, String> {
        let crl = match answer {
            RevocationAnswer::Crl(crl) => crl,
            RevocationAnswer::Ocsp(_) => {
                return Err("an OCSP response instead of a revocation list".to_owned());
            }
            RevocationAnswer::Failed(why) => return Err(why),
        };
        let scope = crl.scope;
        let is_ca = self.certificate.is_ca();
        let of_others = if is_ca {
            scope.user_certificates
        } else {
            scope.ca_certificates
        };
        let covers =
            !(of_others || scope.indirect || scope.some_reasons || scope.attribute_certificates);
        if !covers {
            return Err(
                "the list does not cover this certificate, or not for every reason".to_owned(),
            );
        }
        if crl.this_update > self.now.plus(AHEAD)
            || crl.next_update.is_none_or(|next| next < self.now)
        {
            return Err(
                "the list is not current, or does not say when the next one is due".to_owned(),
            );
        }
        if !crl.is_issued_by(&self.issuer) {
            return Err("the list is not signed by the issuer".to_owned());
        }
        Ok(crl)
    }

    fn decide(&mut self, index: usize, base: &Crl, delta: Option<&Crl>) {
        let serial = self.certificate.serial_number();
        let entries = base.entries(serial).and_then(|mut entries| {
            entries.extend(
                delta
                    .map(|delta| delta.entries(serial))
                    .transpose()?
                    .unwrap_or_default(),
            );
            Ok(entries)
        });
        match entries {
            Err(fault) => self.done(CertificateStatus::Unknown(fault.to_string())),
            Ok(entries) => match self.revoked(&entries) {
                Some(at) => self.done(CertificateStatus::Revoked(at)),
                None => self.fetch(index + 1),
            },
        }
    }

    /// When it was revoked, by entries of a list and then of its delta. A hold counts until a later
    /// removal; any other reason counts for ever.
    fn revoked(&self, entries: &[RevokedEntry]) -> Option<Timestamp> {
        let mut latest: Option<&RevokedEntry> = None;
        for entry in entries
            .iter()
            .filter(|entry| !self.was_good(entry.invalid_since))
        {
            match entry.reason {
                Some(HOLD | REMOVE) => {
                    if latest.is_none_or(|before| entry.at > before.at) {
                        latest = Some(entry);
                    }
                }
                Some(_) | None => return Some(entry.at),
            }
        }
        latest
            .filter(|entry| entry.reason == Some(HOLD))
            .map(|entry| entry.at)
    }
}

fn is_http(url: &str) -> bool {
    url.get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

fn not_http(url: &str) -> String {
    format!("`{url}` is not an http address")
}

/// Compares numbers without leading zeros.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}
