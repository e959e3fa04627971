//! The step summary: Markdown for a pipeline's page, failures first with the fix, then one table.

use std::fmt::Write as _;

use super::{Decision, ImageReport, Report, markdown};
use crate::reason::Exit;

/// Bytes that a summary may take; hosts cut or drop it at 1 MiB.
const LIMIT: usize = 900_000;

impl Report {
    /// The summary; below 900 kB, with the count of rows that were left out.
    pub fn summary(&self) -> String {
        let mut page = format!("## acr-sign {}: {}\n\n", self.command, self.headline());
        let wrong = self.images.iter().filter(|image| !image.status.is_good());
        for image in wrong.take(20) {
            image.write_failure(&mut page);
        }
        if let Some(problem) = &self.error {
            let _ = writeln!(page, "> **{}**: {}", problem.reason, markdown(&problem.sentence()));
            if let Some(hint) = &problem.hint {
                let _ = writeln!(page, ">\n> Fix: {}", markdown(hint));
            }
            page.push('\n');
        }
        self.write_table(&mut page);
        for warning in &self.warnings {
            let _ = writeln!(page, "- ⚠️ {}", markdown(warning));
        }
        let _ = writeln!(page, "\n<sub>{}</sub>", self.footer());
        page
    }

    fn headline(&self) -> String {
        let good = self.images.iter().filter(|image| image.status.is_good()).count();
        let all = self.images.len();
        match (self.decision, self.exit()) {
            (Some(Decision::Allow), _) => format!("✅ allowed, {good} of {all}"),
            (Some(Decision::Deny), _) => format!("⛔ blocked, {good} of {all} hold"),
            (None, Exit::Done) => format!("✅ {good} of {all}"),
            (None, _) => format!("❌ {good} of {all}"),
        }
    }

    fn write_table(&self, page: &mut String) {
        if self.images.is_empty() {
            return;
        }
        page.push_str("| | image | digest | signed by | expires | result |\n|---|---|---|---|---|---|\n");
        let sorted = self.images.iter().filter(|image| !image.status.is_good());
        let sorted = sorted.chain(self.images.iter().filter(|image| image.status.is_good()));
        for (done, image) in sorted.enumerate() {
            let row = image.row();
            if page.len() + row.len() > LIMIT {
                let _ = writeln!(page, "\n… {} more rows left out", self.images.len() - done);
                break;
            }
            page.push_str(&row);
        }
        page.push('\n');
    }

    fn footer(&self) -> String {
        let identity = match &self.auth.azure {
            Some(azure) => format!("identity: {}", markdown(&azure.method)),
            None => "no Azure identity used".to_owned(),
        };
        let requests = &self.requests;
        format!(
            "{identity} · requests: registry {}, trust server {}, vault {}, Entra {} · {} ms",
            requests.registry, requests.trust_server, requests.vault, requests.entra, self.elapsed_ms
        )
    }
}

impl ImageReport {
    fn write_failure(&self, page: &mut String) {
        let Some(problem) = &self.problem else { return };
        let _ = writeln!(page, "> {} **{}**: {}", markdown(&self.image), problem.reason, markdown(&problem.sentence()));
        if let Some(hint) = &problem.hint {
            let _ = writeln!(page, ">\n> Fix: {}", markdown(hint));
        }
        page.push('\n');
    }

    fn row(&self) -> String {
        let sign = if self.status.is_good() { "✅" } else { "❌" };
        let digest = self.digest.as_ref().map(|digest| digest.hex().chars().take(12).collect::<String>());
        let digest = digest.map(|short| markdown(&format!("sha256:{short}…"))).unwrap_or_default();
        let roles: Vec<_> = self
            .signatures
            .iter()
            .map(|signature| {
                let role = signature.role.as_deref().unwrap_or_default();
                let key = signature.key_id.as_deref().unwrap_or_default();
                format!("{} {}", markdown(role), markdown(key.get(..12).unwrap_or(key)))
            })
            .collect();
        let expires = self.signatures.iter().filter_map(|signature| signature.expires_at).min();
        let expires = expires.map(|at| at.to_string().chars().take(10).collect::<String>()).unwrap_or_default();
        let result = match &self.problem {
            Some(problem) => format!("{}: {}", self.status.word(), problem.reason),
            None => self.status.word().to_owned(),
        };
        format!("| {sign} | {} | {digest} | {} | {expires} | {result} |\n", markdown(&self.image), roles.join("<br>"))
    }
}
