//! `Link: <…>; rel="next"`: where a listing goes on. The header is attacker input (G06).

use url::Url;

use crate::net::SafeUrl;

/// The address after `rel="next"`, resolved against the page it stood on. `Ok(None)`: the listing ends here;
/// the error is an address that leaves the scheme, host and port of the page, or is none.
pub(super) fn next(header: Option<&str>, page: &Url) -> Result<Option<Url>, String> {
    let Some(target) = header.and_then(target) else {
        return Ok(None);
    };
    same_origin(target, page).map(Some)
}

/// An address that a registry sent, which must stay with its scheme, host and port.
pub(super) fn same_origin(target: &str, base: &Url) -> Result<Url, String> {
    // Shown without user and query, which may hold a credential.
    let refused = || {
        let shown = base.join(target).map(|url| SafeUrl::new(url).to_string());
        shown.unwrap_or_else(|_| "an address that cannot be parsed".to_owned())
    };
    let url = base.join(target).map_err(|_| refused())?;
    let origin = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
        )
    };
    let no_user = url.username().is_empty() && url.password().is_none();
    if origin(&url) == origin(base) && no_user {
        Ok(url)
    } else {
        Err(refused())
    }
}

/// The target of the first link whose relation is `next`.
fn target(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, parameters) = after.split_once('>')?;
        let (own, further) = parameters
            .split_once('<')
            .map_or((parameters, None), |(own, _)| {
                (own, parameters.get(own.len()..))
            });
        let is_next = own.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split(' ')
                    .any(|rel| rel == "next")
        });
        if is_next {
            return Some(target);
        }
        rest = further?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Url {
        "https://registry.example:8443/v2/a/referrers/sha256:0?n=1"
            .parse()
            .unwrap()
    }

    #[test]
    fn the_next_page() {
        for (header, expected) in [
            (
                "</v2/x?last=1>; rel=\"next\"",
                "https://registry.example:8443/v2/x?last=1",
            ),
            (
                "<https://registry.example:8443/v2/x>; rel=next",
                "https://registry.example:8443/v2/x",
            ),
            (
                "</v2/a>; rel=\"prev\", </v2/b>; rel=\"next\"",
                "https://registry.example:8443/v2/b",
            ),
            (
                "<?last=7>;rel=\"next\"",
                "https://registry.example:8443/v2/a/referrers/sha256:0?last=7",
            ),
        ] {
            assert_eq!(
                next(Some(header), &page()).unwrap().unwrap().as_str(),
                expected,
                "{header}"
            );
        }
        for none in ["", "</v2/x>", "</v2/x>; rel=\"prev\"", "<", "rel=next"] {
            assert_eq!(next(Some(none), &page()), Ok(None), "{none}");
        }
        assert_eq!(next(None, &page()), Ok(None));
    }

    #[test]
    fn g06_a_link_stays_with_its_host() {
        for away in [
            "https://evil.example/v2/x",
            "https://registry.example/v2/x",
            "http://registry.example:8443/v2/x",
            "//evil.example/x",
            "https://user@registry.example:8443/v2/x",
            "https://registry.example.evil:8443/",
            "http://169.254.169.254/",
        ] {
            assert!(
                next(Some(&format!("<{away}>; rel=\"next\"")), &page()).is_err(),
                "{away}"
            );
        }
    }
}
