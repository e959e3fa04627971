//! What a run found, as one value; JSON, text and the step summary are functions of it.
//!
//! Pure. Nothing foreign is printed unescaped: text that came from outside passes through [`plain`] or [`markdown`].

mod escape;
mod failure;
mod image;
mod json;
mod junit;
mod key;
mod policy;
mod problem;
mod sarif;
mod status;
mod summary;
mod text;
mod trust;

pub use escape::{markdown, plain, prose};
pub use failure::Failure;
pub use image::{
    EnvelopeReport, ImageReport, Link, Location, RequirementReport, RuleReport, SignatureReport,
    TimestampReport,
};
pub use key::{KeyCommands, KeyView};
pub use policy::PolicyView;
pub use problem::Problem;
pub use status::Status;
pub use summary::Profile;
pub use trust::TrustView;
pub(crate) use trust::{all_entries, signer_name};

use crate::reason::{Exit, Reason};

/// The report of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The command as typed: `sign`, `verify`, `trust init`, …
    pub command: &'static str,
    /// For gates: allow or deny, by the images alone.
    pub decision: Option<Decision>,
    /// One entry per image named, in the order given.
    pub images: Vec<ImageReport>,
    /// What went wrong where no image is to blame.
    pub error: Option<Problem>,
    /// What a person must know beside the result.
    pub warnings: Vec<String>,
    /// What is as it is and must not be taken for more, such as what nobody remembers.
    pub notes: Vec<String>,
    /// Switches that weaken what is checked, as given (P09).
    pub weakened: Vec<String>,
    /// Manifests that digests were written into.
    pub pinned_files: Vec<String>,
    /// The policy that was made, where a command makes one.
    pub policy: Option<String>,
    /// The root key IDs to pin, where a command made them.
    pub root_key_ids: Vec<String>,
    /// Where the images came from.
    pub source: Option<&'static str>,
    /// The pipeline run: revision, address, workflow and host, by the names that signed metadata has.
    pub run: Vec<(&'static str, String)>,
    /// The policy or configuration file that was read.
    pub config: Option<String>,
    /// The memory between runs.
    pub state: Option<StateReport>,
    /// The identities that were used.
    pub auth: AuthReport,
    /// Requests made, per kind of service.
    pub requests: Requests,
    /// How long the run took, in milliseconds.
    pub elapsed_ms: u64,
}

/// The memory between runs that was used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StateReport {
    /// The file.
    pub file: String,
    /// How many repositories it remembered before.
    pub repositories: usize,
}

/// What a gate says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Every image is allowed.
    Allow,
    /// At least one is not.
    Deny,
}

/// The identities used.
#[derive(Clone, Debug, Default)]
pub struct AuthReport {
    /// The Azure identity: method, client ID, tenant ID.
    pub azure: Option<AzureAuth>,
    /// Login method per registry host.
    pub registries: Vec<(String, String)>,
}

/// An Azure identity as the report names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AzureAuth {
    /// The method that was picked.
    pub method: String,
    /// The client ID, when known.
    pub client_id: Option<String>,
    /// The tenant, when known.
    pub tenant_id: Option<String>,
}

/// Requests per kind of service.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Requests {
    /// To registries.
    pub registry: u64,
    /// To trust servers.
    pub trust_server: u64,
    /// To vaults.
    pub vault: u64,
    /// To Entra and identity endpoints.
    pub entra: u64,
    /// To others.
    pub other: u64,
}

impl Report {
    /// A report of `command` with nothing in it yet.
    pub fn new(command: &'static str) -> Self {
        Self {
            command,
            ..Self::default()
        }
    }

    /// Adds what went wrong where no image is to blame: the exit code follows from it, and a gate denies. A second problem
    /// is a warning, since the first one is what to mend.
    pub fn fail(&mut self, problem: Problem) {
        self.decision = self.decision.map(|_| Decision::Deny);
        match &self.error {
            None => self.error = Some(problem),
            Some(_) => self.warn(problem.sentence()),
        }
    }

    /// Allow only where nothing failed and, for a gate, every image is allowed.
    pub fn decided(&self) -> Decision {
        match (self.exit(), self.decision) {
            (Exit::Done, None | Some(Decision::Allow)) => Decision::Allow,
            (Exit::Done, Some(Decision::Deny))
            | (Exit::Rejected | Exit::Usage | Exit::Undecided | Exit::Interrupted, _) => {
                Decision::Deny
            }
        }
    }

    /// Says where the pin was given, for images whose root it does not fit.
    pub fn name_pin(&mut self, origin: &str) {
        let problems = self
            .images
            .iter_mut()
            .filter_map(|image| image.problem.as_mut());
        for problem in problems.filter(|problem| problem.reason == Reason::UntrustedRoot) {
            let hint = problem.hint.take().unwrap_or_default();
            problem.hint = Some(format!("the pin is from {origin}: {hint}"));
        }
    }

    /// Adds a warning, once.
    pub fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Adds a switch that weakens a check, once, and what it means.
    pub fn weaken(&mut self, by: String, meaning: String) {
        self.warn(meaning);
        if !self.weakened.contains(&by) {
            self.weakened.push(by);
        }
    }

    /// How the run ends: the worst of all images and of the error that no image is to blame for.
    pub fn exit(&self) -> Exit {
        let of_images = self.images.iter().map(ImageReport::exit);
        let of_run = self.error.iter().map(|problem| problem.reason.exit());
        of_images.chain(of_run).fold(Exit::Done, Exit::worst)
    }

    /// The problem to name first: the run's own, else the first image's whose exit code decides.
    pub fn most_specific(&self) -> Option<&Problem> {
        let exit = self.exit();
        let of_images = self
            .images
            .iter()
            .filter_map(|image| image.problem.as_ref());
        self.error
            .iter()
            .chain(of_images)
            .find(|problem| problem.reason.exit() == exit)
    }
}

impl Decision {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}
