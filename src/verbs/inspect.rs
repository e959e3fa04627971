//! `inspect`.

use super::Outcome;
use crate::{
    cli::Inspect,
    flow::{InspectOptions, Services, inspect},
    report::{Failure, Report},
    settings,
};

pub(super) async fn run_inspect(
    arguments: &Inspect,
    services: &Services,
) -> Result<Outcome, Failure> {
    let image = settings::familiar_images(std::slice::from_ref(&arguments.image))?.remove(0);
    let options = InspectOptions {
        image,
        trust: settings::pin(&arguments.pin)?,
    };
    let mut report = Report::new("inspect");
    inspect(services, &options, &mut report).await?;
    let text = report.signature_lines();
    Ok(Outcome {
        report,
        text,
        json: None,
    })
}
