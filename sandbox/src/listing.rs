//! Listings: in pages of `n` entries after `last` with a link to the next, and how lists of referrers are kept.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::Value;

use crate::exchange::{Request, Response};

/// Entries of a page that does not say how many it wants.
const PAGE: usize = 100;

/// How lists of referrers are kept.
#[derive(Debug)]
pub struct Referrers {
    api: AtomicBool,
    filters: AtomicBool,
    subject: AtomicBool,
    page: AtomicUsize,
    rewrite: Mutex<Option<fn(&mut Value)>>,
}

impl Referrers {
    pub(crate) fn new(api: bool) -> Self {
        let on = || AtomicBool::new(true);
        Self {
            api: AtomicBool::new(api),
            filters: on(),
            subject: on(),
            page: AtomicUsize::new(PAGE),
            rewrite: Mutex::new(None),
        }
    }

    /// Turns the API on or off.
    pub fn set_api(&self, on: bool) {
        self.api.store(on, Ordering::SeqCst);
    }

    /// Whether `artifactType` filters the list; without, the registry says nothing of filters.
    pub fn set_filters(&self, on: bool) {
        self.filters.store(on, Ordering::SeqCst);
    }

    /// Whether a push is answered with `OCI-Subject`.
    pub fn set_subject_header(&self, on: bool) {
        self.subject.store(on, Ordering::SeqCst);
    }

    /// How many entries a page has.
    pub fn set_page(&self, entries: usize) {
        self.page.store(entries, Ordering::SeqCst);
    }

    /// Changes every entry of every list, such as to leave out what other registries leave out.
    pub fn rewrite_entries(&self, rewrite: fn(&mut Value)) {
        *self.rewrite.lock().unwrap_or_else(PoisonError::into_inner) = Some(rewrite);
    }

    pub(crate) fn rewritten(&self, mut entry: Value) -> Value {
        let rewrite = self.rewrite.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rewrite) = *rewrite {
            rewrite(&mut entry);
        }
        entry
    }

    pub(crate) fn api(&self) -> bool {
        self.api.load(Ordering::SeqCst)
    }

    pub(crate) fn says_subject(&self) -> bool {
        self.api() && self.subject.load(Ordering::SeqCst)
    }

    pub(crate) fn filters(&self) -> bool {
        self.filters.load(Ordering::SeqCst)
    }

    pub(crate) fn page(&self) -> usize {
        self.page.load(Ordering::SeqCst)
    }
}

/// One page of a listing by `n` and `last`, and the link to the next.
pub(crate) fn page<T: Clone>(
    all: &[T],
    request: &Request,
    path: &str,
    name: impl Fn(&T) -> &str,
) -> (Vec<T>, Option<String>) {
    page_of(100, all, request, path, name)
}

/// The same with so many entries where the request says no `n`.
pub(crate) fn page_of<T: Clone>(
    entries: usize,
    all: &[T],
    request: &Request,
    path: &str,
    name: impl Fn(&T) -> &str,
) -> (Vec<T>, Option<String>) {
    let size: usize = request
        .query("n")
        .and_then(|text| text.parse().ok())
        .filter(|n| *n > 0)
        .unwrap_or(entries);
    let start = request.query("last").map_or(0, |last| {
        match all.iter().position(|one| name(one) == last) {
            Some(at) => at + 1,
            // What was last is gone: the listing goes on where it stood in the order of names.
            None => all
                .iter()
                .position(|one| name(one) > last)
                .unwrap_or(all.len()),
        }
    });
    let page: Vec<T> = all.iter().skip(start).take(size).cloned().collect();
    let more = start + page.len() < all.len();
    let link = page.last().filter(|_| more).map(|last| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("last", name(last))
            .append_pair("n", &size.to_string());
        for (key, value) in request
            .query
            .iter()
            .filter(|(key, _)| key != "last" && key != "n")
        {
            query.append_pair(key, value);
        }
        format!("<{path}?{}>; rel=\"next\"", query.finish())
    });
    (page, link)
}

pub(crate) fn with_link(response: Response, link: Option<String>) -> Response {
    match link {
        Some(link) => response.header("link", link),
        None => response,
    }
}
