//! The chain of trust as a diagram, on GitHub: from the root or key that is trusted to each image.

use std::fmt::Write as _;

use super::{Report, clipped, table::clipped_hex};
use crate::{
    oci::Repository,
    report::{ImageReport, Link, Status, plain},
};

/// Images that a diagram shows; more cannot be read.
const IMAGES: usize = 12;
/// Characters of a name in a box.
const NAME: usize = 48;

impl Report {
    pub(super) fn write_diagram(&self, page: &mut String) {
        let mut diagram = Diagram::default();
        let chained: Vec<&ImageReport> = self
            .images
            .iter()
            .filter(|image| image.signatures.iter().any(|one| !one.chain.is_empty()))
            .collect();
        if chained.is_empty() {
            return;
        }
        for image in chained.iter().take(IMAGES) {
            diagram.add(image);
        }
        let judged = chained.iter().all(|image| image.status != Status::Shown);
        let title = if judged {
            "Chain of trust"
        } else {
            "Signatures (shown, not judged)"
        };
        let _ = writeln!(page, "#### {title}\n\n```mermaid\nflowchart LR");
        for (index, label) in diagram.nodes.iter().enumerate() {
            let _ = writeln!(page, "  n{index}[\"{label}\"]");
        }
        for (from, arrow, to) in &diagram.edges {
            let _ = writeln!(page, "  n{from} {arrow} n{to}");
        }
        page.push_str("```\n\n");
        if chained.len() > IMAGES {
            let _ = writeln!(
                page,
                "The first {IMAGES} of {} signed images are drawn.\n",
                chained.len()
            );
        }
    }
}

/// Boxes and arrows; the same box is drawn once.
#[derive(Default)]
struct Diagram {
    keys: Vec<String>,
    nodes: Vec<String>,
    edges: Vec<(usize, &'static str, usize)>,
}

impl Diagram {
    fn add(&mut self, image: &ImageReport) {
        let (repository, tag) = image.name();
        let digest = image
            .digest
            .as_ref()
            .map(|digest| clipped_hex(digest.hex()))
            .unwrap_or_default();
        let path = Repository::familiar(&repository)
            .map_or_else(|_| repository.clone(), |name| name.path().to_owned());
        let title = tag.map_or_else(|| path.clone(), |tag| format!("{path}:{tag}"));
        let mut label = vec![text(&title)];
        if !digest.is_empty() {
            label.push(text(&digest));
        }
        label.push(format!(
            "{}#160;{}",
            image.status.icon(),
            image.status.word()
        ));
        let key = format!(
            "{repository} {title} {:?} {}",
            image.digest,
            image.status.word()
        );
        let image_node = self.node(&key, label.join("<br>"));
        for signature in &image.signatures {
            let arrow = if signature.status.is_good() {
                "-->"
            } else {
                "-.->"
            };
            let mut key = format!("{repository} {}", signature.format);
            let mut before = None;
            for link in &signature.chain {
                key.push_str(&format!(
                    " > {} {:?} {:?}",
                    link.name, link.key_id, link.version
                ));
                let node = self.node(&key, link.label());
                if let Some(before) = before {
                    self.edge(before, "-->", node);
                }
                before = Some(node);
            }
            if let Some(before) = before {
                self.edge(before, arrow, image_node);
            }
        }
    }

    fn node(&mut self, key: &str, label: String) -> usize {
        if let Some(index) = self.keys.iter().position(|known| known == key) {
            return index;
        }
        self.keys.push(key.to_owned());
        self.nodes.push(label);
        self.nodes.len() - 1
    }

    fn edge(&mut self, from: usize, arrow: &'static str, to: usize) {
        if !self.edges.contains(&(from, arrow, to)) {
            self.edges.push((from, arrow, to));
        }
    }
}

impl Link {
    fn label(&self) -> String {
        let version = self
            .version
            .map(|version| format!(" v{version}"))
            .unwrap_or_default();
        let name = text(&format!("{}{version}", clipped(&self.name, NAME)));
        let key = self
            .key_id
            .as_deref()
            .map(|id| format!("<br>key#160;{}", text(&clipped_hex(id))));
        name + &key.unwrap_or_default()
    }
}

/// Text in a box: whatever could end it, or be read as Markdown or HTML, stands as a number.
fn text(text: &str) -> String {
    let mut out = String::new();
    for c in plain(&clipped(text, NAME + 20)).chars() {
        if c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '/' | '-' | ':' | ',') {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", u32::from(c)));
        }
    }
    out
}
