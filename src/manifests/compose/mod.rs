//! Compose files: the image of every service, images that are mounted, and models. What is built, extended or included
//! from elsewhere is an error: it would run unchecked.

mod tables;

use super::{
    Finder, Problem,
    error::Fix,
    tree::{Mapping, Node},
};
use tables::{EXTENDS, MODEL, SERVICE, TOP, VOLUME, VOLUME_TYPES};

/// Members that make a document a compose file, whatever its name.
pub(super) const MARKS: &[&str] = &["services", "include"];

/// Whether a document is a compose file: by the file's name, or by what it has.
pub(super) fn is_compose(file: &str, root: &Mapping) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_named = ["compose", "docker-compose"]
        .iter()
        .any(|start| name.starts_with(start));
    let is_yaml = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
    (is_named && is_yaml) || MARKS.iter().any(|mark| root.get(mark).is_some())
}

impl Finder<'_> {
    pub(super) fn compose(&mut self, root: &Mapping) -> Result<(), Problem> {
        self.compose_members(root)
            .map_err(|problem| problem.or_fix(Fix::Compose))
    }

    fn compose_members(&mut self, root: &Mapping) -> Result<(), Problem> {
        if let Some(include) = root.filled("include") {
            let message =
                "read as compose: what `include` names is in another file, which is not followed";
            return Err(Problem::new(include.at(), message));
        }
        TOP.check(root)
            .map_err(|problem| problem.of("read as compose"))?;
        if let Some(models) = root.filled("models") {
            for (_, model) in &models.mapping("models")?.entries {
                self.model(model)?;
            }
        }
        let Some(services) = root.filled("services") else {
            return Ok(());
        };
        let services = services.mapping("services")?;
        let is_built = |(_, node): &(String, Node)| matches!(node, Node::Mapping(service) if service.filled("build").is_some());
        let any_built = services.entries.iter().find(|entry| is_built(entry));
        // A service may have any name; `x-` begins an extension elsewhere only.
        for (name, node) in &services.entries {
            self.work.step(node.at())?;
            let Node::Mapping(service) = node else {
                let message = format!("read as compose: the service `{name}` is not a mapping");
                return Err(Problem::new(node.at(), message));
            };
            SERVICE
                .check(service)
                .map_err(|problem| problem.of("read as compose"))?;
            self.service(name, service, any_built.is_some())?;
        }
        Ok(())
    }

    fn service(&mut self, name: &str, service: &Mapping, any_built: bool) -> Result<(), Problem> {
        if let Some(provider) = service.filled("provider") {
            let message = format!(
                "the service `{name}` is run by a provider, and what that starts is not known"
            );
            return Err(Problem::new(provider.at(), message).fix(Fix::Words(
                "leave the service out, and check what the provider starts by name",
            )));
        }
        let extends = service.filled("extends");
        if let Some(extends) = extends {
            self.extends(extends, any_built)?;
        }
        match (service.filled("image"), service.filled("build")) {
            (Some(image), build) => {
                let Node::Scalar(scalar) = image else {
                    return Err(Problem::not_text("image", image.at()));
                };
                self.image_text(scalar)?;
                if let Some(build) = build {
                    self.built(name, build, &scalar.value)?;
                }
            }
            (None, Some(build)) => {
                let message = format!("the service `{name}` is built here and names no image");
                return Err(Problem::new(build.at(), message).fix(Fix::Words(
                    "build and push it, sign it, and name it as `image:`",
                )));
            }
            (None, None) if extends.is_some() => {}
            (None, None) => {
                let at = service.get("image").map_or(service.at, Node::at);
                return Err(Problem::new(
                    at,
                    format!("the service `{name}` names no image"),
                ));
            }
        }
        match service.get("volumes") {
            Some(volumes) => self.volumes(volumes),
            None => Ok(()),
        }
    }

    /// Another service of this file, which is checked there. It may be built under the name of this service's image.
    fn extends(&self, extends: &Node, any_built: bool) -> Result<(), Problem> {
        if let Node::Mapping(mapping) = extends {
            EXTENDS.check(mapping)?;
            if let Some(file) = mapping.filled("file") {
                let message = "what the service extends is in another file, which is not followed";
                return Err(Problem::new(file.at(), message));
            }
        } else {
            extends.text("extends")?;
        }
        if any_built {
            let message = "a service extends another, and one of the file is built here";
            return Err(Problem::new(extends.at(), message));
        }
        Ok(())
    }

    /// compose builds what it cannot pull, so only a digest says what runs.
    fn built(&self, name: &str, build: &Node, image: &str) -> Result<(), Problem> {
        if image.contains('@') || self.options.pins {
            return Ok(());
        }
        let message =
            format!("the service `{name}` is built here if its image `{image}` cannot be pulled");
        Err(Problem::new(build.at(), message).fix(Fix::Words(
            "name the image with its digest (`--pin` writes it), or leave `build` out",
        )))
    }

    fn volumes(&mut self, volumes: &Node) -> Result<(), Problem> {
        for volume in volumes.items("volumes")? {
            self.work.step(volume.at())?;
            let mapping = match volume {
                // `source:target`, which names no image.
                Node::Scalar(scalar) if !scalar.tagged => continue,
                volume => volume.mapping("volumes")?,
            };
            VOLUME.check(mapping)?;
            let kind = match mapping.get("type") {
                Some(kind) => kind.text("type")?,
                None => return Err(Problem::new(mapping.at, "a volume without a `type`")),
            };
            if !VOLUME_TYPES.contains(&kind) {
                let message = format!(
                    "a volume of the type `{}`, which is not known",
                    kind.escape_debug()
                );
                return Err(Problem::new(mapping.at, message));
            }
            if kind == "image" {
                match mapping.get("source") {
                    Some(Node::Scalar(scalar)) => self.image_text(scalar)?,
                    _ => return Err(Problem::not_text("source", mapping.at)),
                }
            }
        }
        Ok(())
    }

    /// A model is an artifact of a registry that is pulled and run.
    fn model(&mut self, model: &Node) -> Result<(), Problem> {
        let model = model.mapping("a model")?;
        MODEL.check(model)?;
        match model.get("model") {
            Some(Node::Scalar(scalar)) => self.image_text(scalar),
            _ => Err(Problem::not_text("model", model.at)),
        }
    }
}
