//! What a person looks up rarely: whole key IDs, versions, ends, digests to deploy, requests, identity.

use std::fmt::Write as _;

use super::{Profile, Report, SENTENCE, clipped, markdown, sentence, table::day};
use crate::report::{Link, SignatureReport};

/// Chains and digests that are listed.
const LISTED: usize = 100;

impl Report {
    pub(super) fn write_details(&self, page: &mut String, profile: Profile) {
        match profile {
            Profile::Github => page.push_str("<details><summary>Details</summary>\n\n"),
            Profile::Azure => page.push_str("#### Details\n\n"),
        }
        self.write_chains(page);
        self.write_pinned(page);
        self.write_run(page);
        if profile == Profile::Github {
            page.push_str("</details>\n\n");
        }
    }

    fn write_chains(&self, page: &mut String) {
        let mut links: Vec<(&SignatureReport, &Link)> = Vec::new();
        for signature in self.images.iter().flat_map(|image| &image.signatures) {
            for link in &signature.chain {
                if links.len() < LISTED
                    && !links
                        .iter()
                        .any(|(of, known)| of.format == signature.format && *known == link)
                {
                    links.push((signature, link));
                }
            }
        }
        if links.is_empty() {
            return;
        }
        page.push_str(
            "| Format | Role or certificate | Version | Until | Key ID |\n|---|---|---|---|---|\n",
        );
        for (signature, link) in links {
            let version = link
                .version
                .map(|version| version.to_string())
                .unwrap_or_default();
            let until = link.expires_at.map(day).unwrap_or_default();
            let key = markdown(link.key_id.as_deref().unwrap_or_default());
            let name = markdown(&clipped(&link.name, SENTENCE));
            let _ = writeln!(
                page,
                "| `{}` | {name} | {version} | {until} | {key} |",
                signature.format
            );
        }
        page.push('\n');
    }

    /// The digests to deploy.
    fn write_pinned(&self, page: &mut String) {
        let good = self.images.iter().filter(|image| image.status.is_good());
        let mut pinned: Vec<&str> = good.filter_map(|image| image.pinned.as_deref()).collect();
        pinned.dedup();
        for line in pinned.iter().take(LISTED) {
            let _ = writeln!(page, "- {}", markdown(&clipped(line, SENTENCE)));
        }
        if pinned.len() > LISTED {
            let _ = writeln!(page, "- … and {} more in the report", pinned.len() - LISTED);
        }
        if !pinned.is_empty() {
            page.push('\n');
        }
    }

    fn write_run(&self, page: &mut String) {
        let identity = match &self.auth.azure {
            Some(azure) => markdown(&azure.method),
            None => "none used".to_owned(),
        };
        let _ = write!(page, "Azure identity: {identity}");
        for (host, method) in self.auth.registries.iter().take(LISTED) {
            let _ = write!(page, " · {}: {}", markdown(host), markdown(method));
        }
        if let Some(source) = self.source {
            let _ = write!(page, " · images from `{source}`");
        }
        let requests = &self.requests;
        let _ = writeln!(
            page,
            "\n\nRequests: registry {}, trust server {}, vault {}, Entra {}, other {} · {} ms\n",
            requests.registry,
            requests.trust_server,
            requests.vault,
            requests.entra,
            requests.other,
            self.elapsed_ms
        );
        for note in self.notes.iter().take(LISTED) {
            let _ = writeln!(page, "Note: {}\n", sentence(note));
        }
    }
}
