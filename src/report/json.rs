//! The report as JSON: stable under `schemaVersion`.

use serde_json::{Map, Value, json};

use crate::reason::Reason;

use super::{
    EnvelopeReport, ImageReport, Link, Location, Problem, Report, RequirementReport,
    SignatureReport,
};

impl Report {
    /// The JSON document, one line per member, with a final newline.
    pub fn json(&self) -> String {
        let mut text = format!("{:#}", self.value());
        text.push('\n');
        text
    }

    /// The signatures of all images, each with its image, in one line of ASCII that no pipeline host takes
    /// for a command, wherever it is printed (P02).
    pub fn signatures_json(&self) -> String {
        let of_image = |image: &ImageReport| {
            let (name, digest) = (
                image.image.clone(),
                image.digest.as_ref().map(ToString::to_string),
            );
            let with_image = move |signature: &SignatureReport| {
                let mut value = signature.value();
                if let Some(map) = value.as_object_mut() {
                    map.insert("image".into(), json!(name));
                    insert(map, "digest", digest.clone());
                }
                value
            };
            image.signatures.iter().map(with_image).collect::<Vec<_>>()
        };
        let all: Vec<Value> = self.images.iter().flat_map(of_image).collect();
        let mut text = String::new();
        // Outside of its strings JSON has none of these characters, and inside an escape says the same.
        for c in Value::Array(all).to_string().chars() {
            let mut units = [0; 2];
            match c {
                '#' | '%' | '\u{7f}'.. => {
                    text.extend(
                        c.encode_utf16(&mut units)
                            .iter()
                            .map(|unit| format!("\\u{unit:04x}")),
                    );
                }
                c => text.push(c),
            }
        }
        text
    }

    fn value(&self) -> Value {
        let mut document = Map::new();
        document.insert("schemaVersion".into(), json!(1));
        document.insert("command".into(), json!(self.command));
        document.insert("decision".into(), json!(self.decided().word()));
        document.insert(
            "images".into(),
            self.images.iter().map(ImageReport::value).collect(),
        );
        insert(
            &mut document,
            "error",
            self.error.as_ref().map(Problem::value),
        );
        document.insert("warnings".into(), json!(self.warnings));
        document.insert("notes".into(), json!(self.notes));
        document.insert("weakened".into(), json!(self.weakened));
        if !self.pinned_files.is_empty() {
            document.insert("pinnedFiles".into(), json!(self.pinned_files));
        }
        insert(&mut document, "policy", self.policy.as_deref());
        if !self.root_key_ids.is_empty() {
            document.insert("root".into(), json!({"keyIds": self.root_key_ids}));
        }
        insert(&mut document, "source", self.source);
        if !self.run.is_empty() {
            let run: Map<_, _> = self
                .run
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect();
            document.insert("run".into(), Value::Object(run));
        }
        insert(&mut document, "config", self.config.as_deref());
        if let Some(state) = &self.state {
            document.insert(
                "state".into(),
                json!({"file": state.file, "repositories": state.repositories}),
            );
        }
        document.insert("auth".into(), self.auth_value());
        document.insert(
            "requests".into(),
            json!({
                "registry": self.requests.registry, "trustServer": self.requests.trust_server,
                "vault": self.requests.vault, "entra": self.requests.entra, "other": self.requests.other,
            }),
        );
        document.insert("elapsedMs".into(), json!(self.elapsed_ms));
        Value::Object(document)
    }

    fn auth_value(&self) -> Value {
        let azure = self
            .auth
            .azure
            .as_ref()
            .map(|azure| json!({"method": azure.method, "clientId": azure.client_id, "tenantId": azure.tenant_id}));
        let registries: Map<_, _> = self
            .auth
            .registries
            .iter()
            .map(|(host, method)| (host.clone(), json!(method)))
            .collect();
        json!({"azure": azure, "registries": registries})
    }
}

impl ImageReport {
    fn value(&self) -> Value {
        let mut image = Map::new();
        image.insert("image".into(), json!(self.image));
        insert(
            &mut image,
            "digest",
            self.digest.as_ref().map(ToString::to_string),
        );
        insert(&mut image, "mediaType", self.media_type.as_deref());
        insert(&mut image, "pushedAt", self.pushed.map(|at| at.to_string()));
        image.insert("status".into(), json!(self.status.word()));
        if let Some(problem) = &self.problem {
            image.insert("reason".into(), json!(problem.reason.code()));
            image.insert("message".into(), json!(problem.sentence()));
            insert(&mut image, "hint", problem.hint.as_deref());
        }
        image.insert(
            "signatures".into(),
            self.signatures.iter().map(SignatureReport::value).collect(),
        );
        if !self.locations.is_empty() {
            image.insert(
                "locations".into(),
                self.locations.iter().map(Location::value).collect(),
            );
        }
        if let Some(rule) = &self.rule {
            image.insert(
                "rule".into(),
                json!({"number": rule.number, "images": rule.images, "location": rule.location.value()}),
            );
        }
        if !self.requirements.is_empty() {
            image.insert(
                "requirements".into(),
                self.requirements
                    .iter()
                    .map(RequirementReport::value)
                    .collect(),
            );
        }
        Value::Object(image)
    }
}

impl RequirementReport {
    fn value(&self) -> Value {
        let mut requirement = Map::new();
        requirement.insert("requirement".into(), json!(self.requirement));
        requirement.insert("status".into(), json!(self.status.word()));
        if let Some(problem) = &self.problem {
            requirement.insert("reason".into(), json!(problem.reason.code()));
            requirement.insert("message".into(), json!(problem.sentence()));
        }
        Value::Object(requirement)
    }
}

impl SignatureReport {
    fn value(&self) -> Value {
        let mut signature = Map::new();
        signature.insert("format".into(), json!(self.format.to_string()));
        insert(&mut signature, "signer", self.signer.as_deref());
        insert(&mut signature, "keyId", self.key_id.as_deref());
        insert(&mut signature, "role", self.role.as_deref());
        insert(&mut signature, "certificate", self.certificate.as_deref());
        insert(
            &mut signature,
            "signedAt",
            self.signed_at.map(|at| at.to_string()),
        );
        insert(
            &mut signature,
            "expiresAt",
            self.expires_at.map(|at| at.to_string()),
        );
        insert(&mut signature, "reference", self.reference.as_deref());
        signature.insert("status".into(), json!(self.status.word()));
        insert(&mut signature, "reason", self.reason.map(Reason::code));
        if !self.chain.is_empty() {
            signature.insert("chain".into(), self.chain.iter().map(Link::value).collect());
        }
        insert(
            &mut signature,
            "envelope",
            self.envelope.as_deref().map(EnvelopeReport::value),
        );
        Value::Object(signature)
    }
}

impl EnvelopeReport {
    fn value(&self) -> Value {
        let mut envelope = Map::new();
        envelope.insert("mediaType".into(), json!(self.media_type));
        envelope.insert("algorithm".into(), json!(self.algorithm));
        envelope.insert("signingTime".into(), json!(self.signing_time.to_string()));
        if let Some(timestamp) = &self.timestamp {
            let mut value = Map::new();
            value.insert("time".into(), json!(timestamp.time.to_string()));
            insert(&mut value, "authority", timestamp.authority.as_deref());
            envelope.insert("timestamp".into(), Value::Object(value));
        }
        envelope.insert("metadata".into(), json!(self.metadata));
        insert(&mut envelope, "agent", self.agent.as_deref());
        Value::Object(envelope)
    }
}

impl Link {
    fn value(&self) -> Value {
        let mut link = Map::new();
        link.insert("name".into(), json!(self.name));
        insert(&mut link, "keyId", self.key_id.as_deref());
        insert(&mut link, "version", self.version);
        insert(
            &mut link,
            "expiresAt",
            self.expires_at.map(|at| at.to_string()),
        );
        Value::Object(link)
    }
}

impl Location {
    fn value(&self) -> Value {
        json!({"file": self.file, "line": self.line, "column": self.column})
    }
}

impl Problem {
    /// What failed and why, in one line.
    pub fn sentence(&self) -> String {
        let mut sentence = self.message.clone();
        for cause in &self.causes {
            sentence.push_str(": ");
            sentence.push_str(cause);
        }
        sentence
    }

    fn value(&self) -> Value {
        let mut problem = Map::new();
        problem.insert("reason".into(), json!(self.reason.code()));
        problem.insert("message".into(), json!(self.sentence()));
        insert(&mut problem, "hint", self.hint.as_deref());
        Value::Object(problem)
    }
}

fn insert<T: Into<Value>>(map: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        map.insert(name.into(), value.into());
    }
}
