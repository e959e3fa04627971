//! Whether one certificate was revoked, as steps: its responders first, then every list that it
//! names.
//!
//! An answer of a delegate is used once the delegate is known not to be revoked itself. A list is
//! used for a certificate of its own distribution point, its scope and its issuer only; a fault of
//! a list never makes the certificate good.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use super::revocation_request::{Query, RevocationAnswer, RevocationRequest};
use crate::{
    crypto::{
        Certificate, Crl, ListAddress, ListFault, RevokedEntry,
        ocsp::{self, OcspAnswer, OcspStatus},
    },
    timestamp::Timestamp,
};

/// How far ahead of this machine's clock a list may be made: synchronised clocks differ by less,
/// and a list from further ahead is from a clock that cannot be relied on.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// Addresses of deltas that are tried: each may take a request's time, and the list's author
/// chooses how many there are.
const DELTAS: usize = 10;
const HOLD: u8 = 6;
const REMOVE: u8 = 8;

/// What is known of a certificate in the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum CertificateStatus {
    Good,
    Revoked(Timestamp),
    Unknown(String),
}

/// The check of one certificate.
#[derive(Debug)]
pub(super) struct CertificateRevocation {
    certificate: Certificate,
    issuer: Certificate,
    /// The time of signing that a signing authority vouches for: what became invalid later was good
    /// then.
    signed_at: Option<Timestamp>,
    now: Timestamp,
    responders: Responders,
    ocsp: Vec<String>,
    crls: Result<Vec<ListAddress>, ListFault>,
    phase: Phase,
}

/// Whose answers are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Responders {
    /// The issuer's and its delegates'.
    All,
    /// The issuer's own: a delegate does not vouch for a delegate.
    Issuer,
}

#[derive(Debug)]
enum Phase {
    /// Asks the OCSP responder of this index.
    Ocsp(usize),
    /// Finds out whether the delegate that answered was revoked.
    Delegate {
        ocsp: usize,
        status: OcspStatus,
        check: Box<CertificateRevocation>,
    },
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

impl CertificateRevocation {
    pub(super) fn new(
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
            responders: Responders::All,
            ocsp: Vec::new(),
            crls: certificate.crl_addresses(),
            phase: Phase::Done(CertificateStatus::Good),
        };
        match certificate.ocsp_addresses() {
            Ok(ocsp) => {
                check.ocsp = ocsp;
                check.ask(0, None);
            }
            Err(fault) => check.done(CertificateStatus::Unknown(fault.to_string())),
        }
        check
    }

    /// The check of a delegate that answered at `self.now`.
    fn of_delegate(&self, delegate: &Certificate) -> Self {
        Self {
            responders: Responders::Issuer,
            ..Self::new(delegate, &self.issuer, None, self.now)
        }
    }

    pub(super) fn subject(&self) -> String {
        self.certificate.subject()
    }

    /// What is known; unknown before the end.
    pub(super) fn status(&self) -> CertificateStatus {
        match &self.phase {
            Phase::Done(status) => status.clone(),
            Phase::Ocsp(_) | Phase::Delegate { .. } | Phase::Crl(_) | Phase::Delta { .. } => {
                CertificateStatus::Unknown("not asked yet".to_owned())
            }
        }
    }

    /// Ends the check without asking: what would have to be asked is unknown.
    pub(super) fn end_unasked(&mut self) {
        if self.request().is_some() {
            let why = "not asked, since the signer is not trusted".to_owned();
            self.done(CertificateStatus::Unknown(why));
        }
    }

    /// What is wanted next.
    pub(super) fn request(&self) -> Option<RevocationRequest> {
        match &self.phase {
            Phase::Ocsp(index) => {
                let question = ocsp::request(&self.certificate, &self.issuer).unwrap_or_default();
                Some(RevocationRequest {
                    url: self.ocsp.get(*index)?.clone(),
                    query: Query::Ocsp(question.into()),
                })
            }
            Phase::Delegate { check, .. } => check.request(),
            Phase::Crl(index) => Some(RevocationRequest {
                url: self.lists().get(*index)?.url.clone(),
                query: Query::Crl,
            }),
            Phase::Delta { base, delta, .. } => Some(RevocationRequest {
                url: base.deltas.get(*delta)?.url.clone(),
                query: Query::Crl,
            }),
            Phase::Done(_) => None,
        }
    }

    fn done(&mut self, status: CertificateStatus) {
        self.phase = Phase::Done(status);
    }

    /// Takes the answer to the last request.
    pub(super) fn answer(&mut self, answer: RevocationAnswer) {
        match std::mem::replace(
            &mut self.phase,
            Phase::Done(CertificateStatus::Unknown(String::new())),
        ) {
            Phase::Ocsp(index) => self.ocsp_answer(index, answer),
            Phase::Delegate {
                ocsp,
                status,
                mut check,
            } => {
                check.answer(answer);
                self.delegate_checked(ocsp, status, check);
            }
            Phase::Crl(index) => self.crl_answer(index, answer),
            Phase::Delta { crl, base, delta } => self.delta_answer(crl, base, delta, answer),
            done @ Phase::Done(_) => self.phase = done,
        }
    }

    /// The addresses of lists; none where a fault was found, which [`Self::fetch`] reports.
    fn lists(&self) -> &[ListAddress] {
        self.crls.as_deref().unwrap_or_default()
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
        match (why, &self.crls) {
            (Some(why), Ok(lists)) if lists.is_empty() => {
                self.done(CertificateStatus::Unknown(why));
            }
            // Neither a responder nor a list: it cannot be revoked.
            (None, Ok(lists)) if lists.is_empty() => self.done(CertificateStatus::Good),
            (_, Ok(_)) => self.fetch(0),
            // There is a list, and nobody can tell which.
            (_, Err(fault)) => {
                let why = fault.to_string();
                self.done(CertificateStatus::Unknown(why));
            }
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
            Ok(OcspAnswer {
                status,
                delegate: None,
            }) => self.ocsp_status(&status),
            Ok(OcspAnswer {
                delegate: Some(_), ..
            }) if self.responders == Responders::Issuer => {
                self.refuse_responder(index, "it is not signed by the issuer");
            }
            Ok(OcspAnswer {
                status,
                delegate: Some(delegate),
            }) if delegate.is_never_revoked() => self.ocsp_status(&status),
            Ok(OcspAnswer {
                status,
                delegate: Some(delegate),
            }) => {
                let check = Box::new(self.of_delegate(&delegate));
                self.delegate_checked(index, status, check);
            }
            Err(why) => self.refuse_responder(index, &why),
        }
    }

    fn ocsp_status(&mut self, status: &OcspStatus) {
        match status {
            OcspStatus::Good => self.done(CertificateStatus::Good),
            OcspStatus::Revoked { invalid_since, .. } if self.was_good(*invalid_since) => {
                self.done(CertificateStatus::Good);
            }
            OcspStatus::Revoked { at, .. } => self.done(CertificateStatus::Revoked(*at)),
            OcspStatus::Unknown => {
                let why = "the responder does not know the certificate".to_owned();
                self.ask(self.ocsp.len(), Some(why));
            }
        }
    }

    /// Uses what a delegate said once it is known not to be revoked itself (RFC 6960 §4.2.2.2.1).
    fn delegate_checked(&mut self, ocsp: usize, status: OcspStatus, check: Box<Self>) {
        if check.request().is_some() {
            self.phase = Phase::Delegate {
                ocsp,
                status,
                check,
            };
            return;
        }
        match check.status() {
            CertificateStatus::Good => self.ocsp_status(&status),
            CertificateStatus::Revoked(at) => {
                let why = format!("the responder's certificate was revoked at {at}");
                self.refuse_responder(ocsp, &why);
            }
            CertificateStatus::Unknown(why) => {
                let why =
                    format!("whether the responder's certificate was revoked is unknown: {why}");
                self.refuse_responder(ocsp, &why);
            }
        }
    }

    /// An answer that cannot be used: the next responder is asked.
    fn refuse_responder(&mut self, index: usize, why: &str) {
        let why = self.ocsp.get(index).map(|url| format!("{url}: {why}"));
        self.ask(index + 1, why);
    }

    /// Whether it became invalid only after a signing authority vouched for the time of signing.
    fn was_good(&self, invalid_since: Option<Timestamp>) -> bool {
        invalid_since
            .zip(self.signed_at)
            .is_some_and(|(invalid_since, signed_at)| invalid_since > signed_at)
    }

    /// Fetches the list of an index; after the last one nothing is left to ask.
    fn fetch(&mut self, index: usize) {
        match self.lists().get(index) {
            Some(list) if is_http(&list.url) => self.phase = Phase::Crl(index),
            Some(list) => {
                let why = not_http(&list.url);
                self.done(CertificateStatus::Unknown(why));
            }
            None => self.done(CertificateStatus::Good),
        }
    }

    fn crl_answer(&mut self, index: usize, answer: RevocationAnswer) {
        let Some(address) = self.lists().get(index).cloned() else {
            return;
        };
        let base = match self.usable(answer, &address, None) {
            Ok(base) if base.base_number.is_some() => {
                Err("a delta instead of a complete list".to_owned())
            }
            other => other,
        };
        match base {
            Err(why) => {
                self.done(CertificateStatus::Unknown(format!(
                    "{}: {why}",
                    address.url
                )));
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
        match urls.find(|(_, address)| is_http(&address.url)) {
            Some((delta, _)) => self.phase = Phase::Delta { crl, base, delta },
            None => self.done(CertificateStatus::Unknown(why)),
        }
    }

    fn delta_answer(&mut self, crl: usize, base: Arc<Crl>, index: usize, answer: RevocationAnswer) {
        let Some(address) = base.deltas.get(index).cloned() else {
            return;
        };
        let delta = self
            .usable(answer, &address, Some(&base))
            .and_then(|delta| {
                // notation ends with a crash where a number is absent.
                let (Some(of), Some(number), Some(base)) =
                    (&delta.base_number, &delta.number, &base.number)
                else {
                    return Err("the delta or its base list lacks a CRL number".to_owned());
                };
                if compare(of, base) == Ordering::Greater
                    || compare(number, base) != Ordering::Greater
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

    /// A list that may be asked about this certificate, from one of its addresses; for a delta from
    /// an address that `base` names.
    fn usable(
        &self,
        answer: RevocationAnswer,
        address: &ListAddress,
        base: Option<&Crl>,
    ) -> Result<Arc<Crl>, String> {
        let crl = match answer {
            RevocationAnswer::Crl(crl) => crl,
            RevocationAnswer::Ocsp(_) => {
                return Err("an OCSP response instead of a revocation list".to_owned());
            }
            RevocationAnswer::Failed(why) => return Err(why),
        };
        let scope = &crl.scope;
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
        let is_of_point =
            crl.is_of_point(address) || base.is_some_and(|base| crl.is_of_same_point(base));
        if !is_of_point {
            return Err("the list is of another distribution point".to_owned());
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
