//! The Referrers API: on or off, in pages, filtered or not, with or without `OCI-Subject`.

use serde_json::json;

use crate::{
    exchange::{Request, Response},
    listing::{page_of, with_link},
    registry::{INDEX, MANIFEST, Pushed, Registry},
};

impl Registry {
    /// Pushes a manifest that refers to another one and has no content; its digest follows from `seed`.
    pub fn push_referrer(
        &self,
        repository: &str,
        subject: &Pushed,
        artifact_type: &str,
        seed: &str,
    ) -> Pushed {
        let config = "application/vnd.oci.empty.v1+json";
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
            "config": {"mediaType": config, "digest": empty, "size": 2, "data": "e30="}, "layers": [],
            "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.bytes.len()},
            "annotations": {"seed": seed},
        });
        self.put(repository, MANIFEST, manifest.to_string().into_bytes())
    }

    pub(crate) fn list_referrers(&self, name: &str, digest: &str, request: &Request) -> Response {
        let repositories = self.lock();
        let filters = self.referrers.filters();
        let wanted = request.query("artifactType").filter(|_| filters);
        let mut manifests = Vec::new();
        for (own, manifest) in repositories
            .get(name)
            .into_iter()
            .flat_map(|repository| &repository.manifests)
        {
            let document = &manifest.document;
            let artifact_type = document["artifactType"]
                .as_str()
                .or(document["config"]["mediaType"].as_str());
            if manifest.refers_to(digest) && (wanted.is_none() || wanted == artifact_type) {
                let mut entry = json!({"mediaType": manifest.media_type, "digest": own, "size": manifest.bytes.len(), "artifactType": artifact_type});
                if document["annotations"].is_object() {
                    entry["annotations"] = document["annotations"].clone();
                }
                manifests.push(self.referrers.rewritten(entry));
            }
        }
        let entries = self.referrers.page();
        let (listed, link) = page_of(
            entries,
            &manifests,
            request,
            &format!("/v2/{name}/referrers/{digest}"),
            |entry| entry["digest"].as_str().unwrap_or_default(),
        );
        let body = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed});
        let response = Response::new(200)
            .header("content-type", INDEX)
            .body(body.to_string());
        let response = if wanted.is_some() {
            response.header("oci-filters-applied", "artifactType")
        } else {
            response
        };
        with_link(response, link)
    }
}
