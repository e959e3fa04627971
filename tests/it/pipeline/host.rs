//! A step on each host: the variables and files that the host sets up, and what is left afterwards.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use acr_sandbox::{CONNECTION, Identity};
use acr_sign::{Exit, pipeline::Host};
use serde_json::Value;

use super::parse::{self, Command};
use crate::world::{Outcome, World};

/// A step that is set up to run.
pub struct Step<'a> {
    pub world: &'a World,
    pub host: Host,
    pub folder: tempfile::TempDir,
    pub variables: BTreeMap<String, String>,
}

/// What it left behind.
#[derive(Debug)]
pub struct Ran {
    pub host: Host,
    pub exit: Exit,
    pub log: String,
    pub outputs: BTreeMap<String, String>,
    pub commands: Vec<Command>,
    pub result: Value,
    pub report: Value,
    pub summary: String,
}

impl<'a> Step<'a> {
    /// With what the host sets by itself, an identity of the sandbox, and the way to the sandbox as inputs.
    pub fn new(world: &'a World, host: Host) -> Self {
        let mut step = Self::bare(world, host);
        step.input("connect-to", &world.sandbox.connect_to().join("\n"));
        step.input("ca-file", &world.sandbox.ca_file().display().to_string());
        match host {
            Host::GitHub => step
                .variables
                .extend(world.sandbox.environment(Identity::GitHubOidc)),
            Host::Azure => {
                let offered: BTreeMap<_, _> = world
                    .sandbox
                    .environment(Identity::AzurePipelines)
                    .into_iter()
                    .collect();
                step.input("azure-subscription", CONNECTION);
                let token = offered["SYSTEM_ACCESSTOKEN"].clone();
                for (name, value) in [
                    (
                        format!("ENDPOINT_URL_{CONNECTION}"),
                        "https://management.azure.com/".to_owned(),
                    ),
                    (
                        format!("ENDPOINT_AUTH_SCHEME_{CONNECTION}"),
                        "WorkloadIdentityFederation".to_owned(),
                    ),
                    (
                        format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_TENANTID"),
                        offered["AZURESUBSCRIPTION_TENANT_ID"].clone(),
                    ),
                    (
                        format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_SERVICEPRINCIPALID"),
                        offered["AZURESUBSCRIPTION_CLIENT_ID"].clone(),
                    ),
                    (
                        "ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN".to_owned(),
                        token,
                    ),
                    (
                        "SYSTEM_OIDCREQUESTURI".to_owned(),
                        offered["SYSTEM_OIDCREQUESTURI"].clone(),
                    ),
                ] {
                    step.variables.insert(name, value);
                }
            }
        }
        step
    }

    /// With what the host sets by itself, and nothing else.
    pub fn bare(world: &'a World, host: Host) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut step = Self {
            world,
            host,
            folder,
            variables: BTreeMap::new(),
        };
        let (temporary, result) = (step.path("temp"), step.path("result.json"));
        std::fs::create_dir(&temporary).unwrap();
        step.set("ACR_SIGN_RESULT", &result.display().to_string());
        match host {
            Host::GitHub => {
                step.set("GITHUB_ACTIONS", "true");
                step.set("RUNNER_TEMP", &temporary.display().to_string());
                for (name, file) in [
                    ("GITHUB_OUTPUT", "output"),
                    ("GITHUB_STEP_SUMMARY", "summary"),
                ] {
                    let path = step.path(file);
                    std::fs::write(&path, "").unwrap();
                    step.set(name, &path.display().to_string());
                }
            }
            Host::Azure => {
                step.set("TF_BUILD", "True");
                step.set("AGENT_TEMPDIRECTORY", &temporary.display().to_string());
            }
        }
        step
    }

    /// A step that signs three tags of what was built, as the documentation shows it.
    pub fn signing(world: &'a World, host: Host, root: &str) -> Self {
        let mut step = Self::new(world, host);
        let digest = world.digest("1.0");
        step.input("command", "sign");
        step.input("format", "dct");
        step.input("key", "akv:contoso/keys/release");
        step.input("root", root);
        step.input(
            "tags",
            &["1.0", "1", "latest"]
                .map(|tag| format!("{}:{tag}", crate::world::REPOSITORY))
                .join("\n"),
        );
        step.input("digest", &digest);
        step
    }

    /// The same that names no images yet.
    pub fn naming_none(world: &'a World, host: Host, root: &str) -> Self {
        let mut step = Self::signing(world, host, root);
        step.input("tags", "");
        step.input("digest", "");
        step
    }

    /// A step that is the gate for images.
    pub fn gate(world: &'a World, host: Host, root: &str, images: &str) -> Self {
        let mut step = Self::new(world, host);
        step.input("command", "verify");
        step.input("format", "dct");
        step.input("root", root);
        step.input("images", images);
        step
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Sets an input in the host's spelling.
    pub fn input(&mut self, name: &str, value: &str) {
        let variable = match self.host {
            Host::GitHub => format!("INPUT_{}", name.to_uppercase()),
            Host::Azure => format!("INPUT_{}", name.replace('-', "").to_uppercase()),
        };
        self.variables.insert(variable, value.to_owned());
    }

    pub fn run(&self) -> Ran {
        let Outcome {
            exit,
            stdout,
            stderr,
        } = self.world.run_in("ci", &self.variables);
        assert_eq!(stderr, "", "everything is said in one stream");
        assert!(
            stdout.lines().all(|line| line.len() < 16 << 10),
            "a line is too long"
        );
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let (outputs, commands, summary) = match self.host {
            Host::GitHub => {
                let outputs = parse::github_outputs(&read(&self.path("output")));
                (outputs, parse::github(&stdout), read(&self.path("summary")))
            }
            Host::Azure => {
                let commands = parse::azure(&stdout);
                let uploaded = commands
                    .iter()
                    .find(|command| command.name == "task.uploadsummary");
                let summary = uploaded
                    .map(|command| read(Path::new(&command.message)))
                    .unwrap_or_default();
                let camel = parse::azure_outputs(&stdout);
                let kebab = |name: &str| {
                    name.chars()
                        .flat_map(|c| {
                            if c.is_uppercase() {
                                vec!['-', c.to_ascii_lowercase()]
                            } else {
                                vec![c]
                            }
                        })
                        .collect()
                };
                (
                    camel
                        .into_iter()
                        .map(|(name, value)| (kebab(&name), value))
                        .collect(),
                    commands,
                    summary,
                )
            }
        };
        let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        let result = json(&read(&self.path("result.json")));
        assert_eq!(
            result["code"],
            exit.code(),
            "the result file agrees with the exit code"
        );
        let report = json(
            &outputs
                .get("report-path")
                .map(|path| read(Path::new(path)))
                .unwrap_or_default(),
        );
        Ran {
            host: self.host,
            exit,
            log: stdout,
            outputs,
            commands,
            result,
            report,
            summary,
        }
    }
}

impl Ran {
    /// Messages of annotations of a type, with their reasons.
    pub fn annotations(&self, kind: &str) -> Vec<(String, String)> {
        let of = |command: &Command| match self.host {
            Host::GitHub if command.name == kind => Some(
                command
                    .property("title")
                    .trim_start_matches("acr-sign: ")
                    .to_owned(),
            ),
            Host::Azure if command.name == "task.logissue" && command.property("type") == kind => {
                Some(command.property("code").to_owned())
            }
            _ => None,
        };
        self.commands
            .iter()
            .filter_map(|command| Some((of(command)?, command.message.clone())))
            .collect()
    }

    /// The reasons of its errors.
    pub fn reasons(&self) -> Vec<String> {
        self.annotations("error")
            .into_iter()
            .map(|(reason, _)| reason)
            .collect()
    }

    /// A command to the host that no step gives, if there is one.
    pub fn foreign_command(&self) -> Option<&Command> {
        let ours = match self.host {
            Host::GitHub => ["error", "warning", "add-mask", "group", "endgroup"].as_slice(),
            Host::Azure => &[
                "task.logissue",
                "task.setsecret",
                "task.setvariable",
                "task.setprogress",
                "task.uploadsummary",
            ],
        };
        self.commands
            .iter()
            .find(|command| !ours.contains(&command.name.as_str()))
    }

    /// What the host was told to mask.
    pub fn masks(&self) -> Vec<&str> {
        let name = match self.host {
            Host::GitHub => "add-mask",
            Host::Azure => "task.setsecret",
        };
        self.commands
            .iter()
            .filter(|command| command.name == name)
            .map(|command| command.message.as_str())
            .collect()
    }
}

/// Both hosts.
pub const HOSTS: [Host; 2] = [Host::GitHub, Host::Azure];
