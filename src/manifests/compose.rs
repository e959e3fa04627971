//! Compose files: the image of every service, and images that are mounted. What is built, extended or included from
//! elsewhere is an error: it would run unchecked.

use super::{Finder, Mapping, Node, Problem};

impl Finder {
    pub(super) fn compose(&mut self, root: &Mapping) -> Result<(), Problem> {
        if let Some(include) = root.get("include") {
            return Err(Problem::elsewhere(
                "what `include` names",
                include.line(),
                include.column(),
            ));
        }
        let Some(Node::Mapping(services)) = root.get("services") else {
            return Ok(());
        };
        for (name, node) in &services.entries {
            self.step()?;
            let Node::Mapping(service) = node else {
                return Err(Problem::new(
                    node.line(),
                    node.column(),
                    format!("the service `{name}` is no mapping"),
                ));
            };
            self.service(name, service)?;
        }
        Ok(())
    }

    fn service(&mut self, name: &str, service: &Mapping) -> Result<(), Problem> {
        let (line, column) = (service.line, service.column);
        // It would be built and run under the name of the image.
        if let (Some(_), Some(build)) = (service.get("image"), service.get("build")) {
            let message = format!("the service `{name}` is built here beside its image");
            return Err(Problem::new(build.line(), build.column(), message)
                .hint("build and push it, and leave `build` out"));
        }
        let extends = service.get("extends");
        match extends {
            // A service of this file, which is looked at there.
            None | Some(Node::Scalar(_)) => {}
            Some(Node::Mapping(extends)) if extends.get("file").is_none() => {}
            // One of another file may be built, under the name of the image that stands here.
            Some(other) => {
                return Err(Problem::elsewhere(
                    "what the service extends",
                    other.line(),
                    other.column(),
                ));
            }
        }
        match service.get("image") {
            Some(Node::Scalar(scalar)) => self.add(scalar)?,
            Some(other) => return Err(Problem::not_text("image", other.line(), other.column())),
            None => match (extends, service.get("build"), service.get("provider")) {
                (_, Some(build), _) => {
                    let message = format!("the service `{name}` is built here and names no image");
                    return Err(Problem::new(build.line(), build.column(), message)
                        .hint("build and push it, sign it, and name it as `image:`"));
                }
                (Some(_), None, _) | (None, None, Some(_)) => {}
                (None, None, None) => {
                    return Err(Problem::new(
                        line,
                        column,
                        format!("the service `{name}` names no image"),
                    ));
                }
            },
        }
        let Some(Node::Sequence(volumes)) = service.get("volumes") else {
            return Ok(());
        };
        for volume in &volumes.items {
            let Node::Mapping(volume) = volume else {
                continue;
            };
            if volume.text("type") == Some("image") {
                match volume.get("source") {
                    Some(Node::Scalar(scalar)) => self.add(scalar)?,
                    _ => return Err(Problem::not_text("source", volume.line, volume.column)),
                }
            }
        }
        Ok(())
    }
}
