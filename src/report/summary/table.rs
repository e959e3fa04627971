//! The one table: an image's tags share a row where they are one digest, signed alike.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::Write as _,
};

use super::{ImageReport, Profile, Report, SENTENCE, TABLE_LIMIT, clipped, markdown};
use crate::{
    format::Format,
    oci::Reference,
    report::{SignatureReport, Status},
    timestamp::Timestamp,
};

/// Rows in good order that GitHub's page shows before the rest is folded.
const OPEN: usize = 30;

const TITLES: [&str; 7] = [
    "Result",
    "Image",
    "Tags",
    "Digest",
    "Format",
    "Signed by",
    "Expires",
];
type Cells = [String; 7];

impl Report {
    pub(super) fn write_table(&self, page: &mut String, profile: Profile) {
        let mut rows = self.rows();
        let registry = common_registry(&mut rows);
        if let Some(registry) = &registry {
            let _ = writeln!(page, "Images in {}:\n", markdown(registry));
        }
        let (good, wrong): (Vec<Row<'_>>, Vec<Row<'_>>) =
            rows.into_iter().partition(|row| row.status.is_good());
        let folded = profile == Profile::Github && good.len() > OPEN;
        let (open, rest) = good.split_at(if folded { OPEN } else { good.len() });
        let first: Vec<&Row<'_>> = wrong.iter().chain(open).collect();
        write_rows(page, &first);
        if !rest.is_empty() {
            let _ = writeln!(
                page,
                "<details><summary>{} more rows, none of them a failure</summary>\n",
                rest.len()
            );
            write_rows(page, &rest.iter().collect::<Vec<_>>());
            page.push_str("</details>\n\n");
        }
    }

    /// Images in the order given, those of one digest that ended and are signed alike together.
    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        let mut place: HashMap<_, usize> = HashMap::new();
        for image in &self.images {
            let row = Row::of(image);
            match place.entry(row.key()) {
                Entry::Occupied(at) => {
                    if let Some(known) = rows.get_mut(*at.get()) {
                        known.tags.extend(row.tags);
                    }
                }
                Entry::Vacant(free) => {
                    free.insert(rows.len());
                    rows.push(row);
                }
            }
        }
        rows
    }
}

/// The registry that all rows lie in, taken out of them: it is said once, so that the table fits the page.
fn common_registry(rows: &mut [Row<'_>]) -> Option<String> {
    let (registry, _) = rows.first()?.repository.split_once('/')?;
    let registry = registry.to_owned();
    let paths: Option<Vec<String>> = rows
        .iter()
        .map(|row| {
            Some(
                row.repository
                    .strip_prefix(&registry)?
                    .strip_prefix('/')?
                    .to_owned(),
            )
        })
        .collect();
    for (row, path) in rows.iter_mut().zip(paths?) {
        row.repository = path;
    }
    Some(registry)
}

/// One row: an image, and one line per signature.
struct Row<'a> {
    status: Status,
    reason: &'static str,
    repository: String,
    tags: Vec<String>,
    digest: Option<String>,
    signatures: &'a [SignatureReport],
}

impl<'a> Row<'a> {
    fn of(image: &'a ImageReport) -> Self {
        let (repository, tag) = image.name();
        Self {
            status: image.status,
            reason: image
                .problem
                .as_ref()
                .map(|problem| problem.reason.code())
                .unwrap_or_default(),
            repository,
            tags: tag.into_iter().collect(),
            digest: image.digest.as_ref().map(|digest| digest.hex().to_owned()),
            signatures: &image.signatures,
        }
    }

    /// What must be the same for two images to share a row.
    fn key(&self) -> (Status, &'static str, String, Option<String>, Vec<Shown<'a>>) {
        let signatures = self.signatures.iter().map(|signature| Shown {
            format: signature.format,
            signer: signature.signer.as_deref(),
            key_id: signature.key_id.as_deref(),
            role: signature
                .role
                .as_deref()
                .or(signature.certificate.as_deref()),
            expires: signature.expires_at.map(Timestamp::unix),
            status: signature.status,
        });
        (
            self.status,
            self.reason,
            self.repository.clone(),
            self.digest.clone(),
            signatures.collect(),
        )
    }

    /// The lines of the table: one per signature, the image named in the first.
    fn lines(&self) -> Vec<Cells> {
        let tags: Vec<_> = self.tags.iter().map(|tag| markdown(tag)).collect();
        let digest = self
            .digest
            .as_deref()
            .map(|hex| markdown(&clipped_hex(hex)))
            .unwrap_or_default();
        let result = match self.reason {
            "" => result(self.status),
            reason => format!("{}<br>`{reason}`", result(self.status)),
        };
        let mut lines: Vec<Cells> = self
            .signatures
            .iter()
            .map(|signature| cells(signature, self.status))
            .collect();
        if lines.is_empty() {
            lines.push(Cells::default());
        }
        if let Some([first, image, shown_tags, shown_digest, ..]) = lines.first_mut() {
            *first = result;
            *image = markdown(&clipped(&self.repository, SENTENCE));
            *shown_tags = tags.join(" ");
            *shown_digest = digest;
        }
        lines
    }
}

/// What is shown of a signature, to tell rows apart.
#[derive(Eq, Hash, PartialEq)]
struct Shown<'a> {
    format: Format,
    signer: Option<&'a str>,
    key_id: Option<&'a str>,
    role: Option<&'a str>,
    expires: Option<i64>,
    status: Status,
}

fn cells(signature: &SignatureReport, of_image: Status) -> Cells {
    let role = signature
        .role
        .as_deref()
        .or(signature.certificate.as_deref())
        .unwrap_or_default();
    // A role that is named after its signer names it already.
    let signer = signature
        .signer
        .as_deref()
        .filter(|signer| !role.ends_with(*signer))
        .unwrap_or_default();
    let key = signature
        .key_id
        .as_deref()
        .map(clipped_hex)
        .unwrap_or_default();
    let by: Vec<String> = [clipped(role, SENTENCE), clipped(signer, SENTENCE), key]
        .iter()
        .map(|text| markdown(text))
        .filter(|text| !text.is_empty())
        .collect();
    let result = match signature.reason {
        Some(reason) => format!("{}&nbsp;`{reason}`", signature.status.icon()),
        None if signature.status != of_image => result(signature.status),
        None => String::new(),
    };
    let format = format!("`{}`", signature.format);
    let expires = signature.expires_at.map(day).unwrap_or_default();
    [
        result,
        String::new(),
        String::new(),
        String::new(),
        format,
        by.join("<br>"),
        expires,
    ]
}

fn result(status: Status) -> String {
    format!("{}&nbsp;{}", status.icon(), status.word())
}

/// The day of an end, on one line in a narrow column.
pub(super) fn day(at: Timestamp) -> String {
    at.to_string()
        .chars()
        .take(10)
        .collect::<String>()
        .replace('-', "&#8209;")
}

fn write_rows(page: &mut String, rows: &[&Row<'_>]) {
    let lines: Vec<Cells> = rows.iter().flat_map(|row| row.lines()).collect();
    if lines.is_empty() {
        return;
    }
    // A column in which nothing stands is not shown.
    let mut shown = [false; TITLES.len()];
    for cells in &lines {
        for (shown, cell) in shown.iter_mut().zip(cells) {
            *shown |= !cell.is_empty();
        }
    }
    let titles = joined(TITLES, &shown);
    let _ = writeln!(
        page,
        "| {titles} |\n|{}",
        "---|".repeat(shown.iter().filter(|shown| **shown).count())
    );
    for (done, cells) in lines.iter().enumerate() {
        let line = format!("| {} |\n", joined(cells.iter().map(String::as_str), &shown));
        if page.len() + line.len() > TABLE_LIMIT {
            let _ = writeln!(
                page,
                "\n**… {} more rows left out.** The report (JSON) has them all.",
                lines.len() - done
            );
            break;
        }
        page.push_str(&line);
    }
    page.push('\n');
}

/// The cells of the columns that are shown.
fn joined<'a>(cells: impl IntoIterator<Item = &'a str>, shown: &[bool]) -> String {
    let cells = cells
        .into_iter()
        .zip(shown)
        .filter_map(|(cell, shown)| shown.then_some(cell));
    cells.collect::<Vec<_>>().join(" | ")
}

/// Twelve digits tell keys and digests apart.
pub(super) fn clipped_hex(hex: &str) -> String {
    hex.chars().take(12).collect()
}

impl ImageReport {
    /// Repository and tag, as resolved where that is known.
    pub(in crate::report) fn name(&self) -> (String, Option<String>) {
        let text = self.pinned.as_deref().unwrap_or(&self.image);
        match Reference::familiar(text) {
            Ok(reference) => (
                reference.repository.to_string(),
                reference.tag.map(|tag| tag.to_string()),
            ),
            Err(_) => (text.to_owned(), None),
        }
    }
}
