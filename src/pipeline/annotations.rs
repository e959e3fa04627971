//! Annotations of a run: what went wrong and what a person must know, few enough that hosts keep them.

use super::Console;
use crate::report::{ImageReport, Location, Problem, Report};

/// How many of one type are shown; hosts keep ten, and the last one says that there are more.
const SHOWN: usize = 9;

/// Prints them; problems of a run that is let pass are warnings.
pub fn annotate(console: &Console, report: &Report, let_pass: bool) {
    let of_run = report
        .error
        .iter()
        .map(|problem| (problem, sentence(problem), None));
    let of_images = report.images.iter().filter_map(|image| {
        let problem = image.problem.as_ref()?;
        Some((problem, of_image(image, problem), image.locations.first()))
    });
    let problems: Vec<(&Problem, String, Option<&Location>)> = of_run.chain(of_images).collect();
    let mut warnings = Vec::new();
    if !report.weakened.is_empty() {
        warnings.push(format!("weakened by {}", report.weakened.join(", ")));
    }
    warnings.extend(report.warnings.iter().cloned());
    if let_pass {
        warnings.extend(
            problems
                .iter()
                .map(|(problem, text, _)| format!("{}: {text}", problem.reason)),
        );
    } else {
        for (problem, text, place) in problems.iter().take(SHOWN) {
            console.error(problem.reason.code(), text, *place);
        }
        if let Some((problem, _, _)) = problems.get(SHOWN) {
            console.error(problem.reason.code(), &more(problems.len()), None);
        }
    }
    for text in warnings.iter().take(SHOWN) {
        console.warning(text);
    }
    if warnings.len() > SHOWN {
        console.warning(&more(warnings.len()));
    }
}

fn more(all: usize) -> String {
    format!("{} more in the summary and the report", all - SHOWN)
}

fn of_image(image: &ImageReport, problem: &Problem) -> String {
    format!("{}: {}", image.image, sentence(problem))
}

/// What failed, why, and what to do.
fn sentence(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{}. Fix: {hint}", problem.sentence().trim_end_matches('.')),
        None => problem.sentence(),
    }
}
