//! Where the images to sign are named: on the command line, in build metadata, or by what was pushed since a time.

use crate::{
    cli::Sign,
    flow::{FreshTag, Services, fresh_tags},
    oci::Reference,
    pipeline::{metadata, run_started},
    policy::Glob,
    report::{Failure, ImageReport, Report},
    settings::{self, SettingError},
    timestamp::Timestamp,
};

/// Images to sign, and when each was pushed, where that is known.
pub(super) struct Named {
    pub(super) images: Vec<Reference>,
    pushed: Vec<Timestamp>,
    source: &'static str,
}

impl Named {
    /// As the flags say.
    pub(super) async fn by(arguments: &Sign, services: &Services) -> Result<Self, Failure> {
        if let Some(given) = &arguments.metadata {
            let images = settings::named_images(&metadata::images(given)?)?;
            return Ok(Self {
                images,
                pushed: Vec::new(),
                source: "metadata",
            });
        }
        if let Some(since) = &arguments.fresh_since {
            let patterns: Vec<Glob> = settings::parse_each("--repository", &arguments.repository)?;
            let fresh = fresh_tags(services, &patterns, time(since, services).await?).await?;
            let (images, pushed) = fresh
                .into_iter()
                .map(|FreshTag { image, pushed }| (image, pushed))
                .unzip();
            return Ok(Self {
                images,
                pushed,
                source: "fresh-since",
            });
        }
        let images = settings::named_images(&arguments.images)?;
        Ok(Self {
            images,
            pushed: Vec::new(),
            source: arguments.source.unwrap_or("images"),
        })
    }

    /// Says where they came from, and which are what their tags happen to hold.
    pub(super) fn tell(&self, arguments: &Sign, report: &mut Report) {
        report.source = Some(self.source);
        let bare = self
            .images
            .iter()
            .filter(|image| image.digest.is_none())
            .count();
        if bare > 0 && arguments.digest.is_none() {
            report.warnings.push(match self.images.len() {
                1 => "no digest was given: the image that the tag points to now is signed".to_owned(),
                all => format!("no digest was given for {bare} of {all} images: what their tags point to now is signed"),
            });
        }
    }

    /// Says when each was pushed.
    pub(super) fn tell_times(&self, images: &mut [ImageReport]) {
        for (image, pushed) in images.iter_mut().zip(&self.pushed) {
            image.pushed = Some(*pushed);
        }
    }
}

/// `--fresh-since`: an RFC 3339 time, a duration before now, or the start of this pipeline run.
async fn time(text: &str, services: &Services) -> Result<Timestamp, Failure> {
    if text == "run" {
        return Ok(run_started(&services.client, &services.environment).await?);
    }
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let wrong = |_| {
        SettingError::usage(format!(
            "`--fresh-since {text}` is neither a time nor a duration"
        ))
        .hint("2026-11-23T09:30:00Z, 30m, or `run` for the start of this pipeline run")
    };
    let duration = settings::duration("--fresh-since", text).map_err(wrong)?;
    Ok(services
        .now
        .minus(duration)
        .ok_or_else(|| SettingError::usage("`--fresh-since` goes back too far"))?)
}
