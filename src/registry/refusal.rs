//! Statuses that refuse, as errors.

use http::StatusCode;

use super::{
    Error, Registry, ServerMessage,
    error::Missing,
    session::{Host, Session},
};
use crate::{net::Response, oci::Reference};

impl Session {
    /// The error for an answer that is not the one that was asked for; `writes` says whether the request would have
    /// changed something.
    pub(super) async fn refusal(
        &self,
        host: &Host,
        what: String,
        response: &Response,
        writes: bool,
    ) -> Error {
        let message = ServerMessage::of(response);
        let peer = self.peer(host).await;
        let host = host.name.clone();
        match response.status {
            StatusCode::UNAUTHORIZED => Error::Unauthorized {
                what,
                peer: Box::new(peer),
                writes,
                message,
            },
            _ if message.says_locked() => Error::Locked {
                what,
                repository: repository(response.url.path()),
                peer: Box::new(peer),
                writes,
                message,
            },
            StatusCode::FORBIDDEN => Error::Forbidden {
                what,
                peer: Box::new(peer),
                writes,
                message,
            },
            StatusCode::NOT_FOUND => Error::NotFound {
                what,
                peer: Box::new(peer),
                missing: match message.code() {
                    "NAME_UNKNOWN" => Missing::Repository(repository(response.url.path())),
                    _ => Missing::Other,
                },
                message,
            },
            StatusCode::TOO_MANY_REQUESTS => Error::Throttled {
                what,
                peer: Box::new(peer),
                message: Some(message),
            },
            status => Error::Refused {
                what,
                host,
                status,
                message,
            },
        }
    }
}

impl Registry {
    /// Tells a repository that is not there from a tag that is not in it, and names tags that are near. One more
    /// request, where the run has failed already.
    pub(super) async fn missing(&self, image: &Reference, error: Error) -> Error {
        let (
            None,
            Error::NotFound {
                what,
                peer,
                message,
                missing: Missing::Other,
            },
        ) = (&image.digest, &error)
        else {
            return error;
        };
        let missing = match self.tags(&image.repository).await {
            Ok(tags) => Missing::Tag {
                repository: image.repository.path().to_owned(),
                near: near(image.tag_or_latest().as_str(), &tags),
            },
            Err(Error::NotFound { .. }) => {
                Missing::Repository(Some(image.repository.path().to_owned()))
            }
            // Whoever may pull need not be allowed to list.
            Err(_) => return error,
        };
        Error::NotFound {
            what: what.clone(),
            peer: peer.clone(),
            missing,
            message: message.clone(),
        }
    }
}

/// The repository in a path of the API: `/v2/NAME/manifests/…`, or with a host and `_trust` at a trust server.
fn repository(path: &str) -> Option<String> {
    let path = path.strip_prefix("/v2/")?;
    if let Some((gun, _)) = path.split_once("/_trust/") {
        return Some(gun.split_once('/')?.1.to_owned());
    }
    let end = ["/manifests/", "/blobs/", "/tags/", "/referrers/"]
        .iter()
        .filter_map(|word| path.rfind(word))
        .max()?;
    path.get(..end).map(ToOwned::to_owned)
}

/// At most three tags that look like this one, the nearest first.
fn near(tag: &str, tags: &[String]) -> Vec<String> {
    let most = (tag.len() / 3).max(1);
    let mut close: Vec<(usize, &String)> = tags
        .iter()
        .map(|one| {
            let part = one.strip_prefix('v') == Some(tag) || tag.strip_prefix('v') == Some(one);
            let distance = strsim::damerau_levenshtein(&one.to_lowercase(), &tag.to_lowercase());
            (if part { 0 } else { distance }, one)
        })
        .filter(|(distance, _)| *distance <= most)
        .collect();
    close.sort_unstable();
    close
        .into_iter()
        .take(3)
        .map(|(_, one)| one.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_in_paths() {
        for (path, expected) in [
            ("/v2/shop/web/manifests/1.0", Some("shop/web")),
            ("/v2/shop/manifests/manifests/1.0", Some("shop/manifests")),
            ("/v2/web/blobs/uploads/", Some("web")),
            ("/v2/a/b/c/referrers/sha256:0", Some("a/b/c")),
            (
                "/v2/h.azurecr.io/shop/web/_trust/tuf/root.json",
                Some("shop/web"),
            ),
            ("/v2/", None),
            ("/oauth2/token", None),
        ] {
            assert_eq!(repository(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn tags_that_are_near() {
        let tags = ["1.0", "1.0.1", "v2", "latest", "2026-11-30", "lates"].map(str::to_owned);
        for (asked, expected) in [
            ("1.O", &["1.0"][..]),
            ("latset", &["latest", "lates"]),
            ("2", &["v2"]),
            ("LATEST", &["latest", "lates"]),
            ("nothing-like-these", &[]),
        ] {
            assert_eq!(near(asked, &tags), expected, "{asked}");
        }
    }
}
