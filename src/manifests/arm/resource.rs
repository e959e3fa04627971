//! Resources of a template, and the members of each.

use super::{
    member::member,
    scope::{Scope, Value},
    tables::{
        FETCHED, FX_VERSIONS, IMAGE_LISTS, IMAGE_SETTING, LINKS, MACHINES, SETTINGS, TEMPLATES,
        WITHOUT_CONTAINERS, is_image, is_leaf,
    },
};
use crate::manifests::{
    Finder, Place, Problem,
    error::Fix,
    image::{is_blank, reference},
    tree::{Mapping, Node, Scalar},
};

/// The template and the resource that a member is part of.
#[derive(Clone, Copy)]
struct Context<'a> {
    scope: &'a Scope<'a>,
    /// The full type in lower case.
    kind: &'a str,
}

impl Context<'_> {
    fn is_of(&self, providers: &[&str]) -> bool {
        let provider = self.kind.split('/').next().unwrap_or_default();
        providers.contains(&provider)
    }
}

impl Finder<'_> {
    /// `resources` of a template or a resource: a list, or a mapping of symbolic names.
    pub(super) fn resources<'a>(
        &mut self,
        node: &'a Node,
        scope: &'a Scope<'a>,
        parent: &str,
    ) -> Result<(), Problem> {
        let work = self.work;
        work.deeper(node.at(), || match node {
            Node::Sequence(all) => all
                .items
                .iter()
                .try_for_each(|resource| self.resource(resource, scope, parent)),
            Node::Mapping(all) => all
                .entries
                .iter()
                .try_for_each(|(_, resource)| self.resource(resource, scope, parent)),
            Node::Scalar(scalar) if scalar.is_null() => Ok(()),
            Node::Scalar(scalar) => match scope.scalar(scalar, 0) {
                Some(Value::Node(node, scope)) => self.resources(node, scope, parent),
                _ => Err(hidden("resources", node)),
            },
        })
    }

    fn resource<'a>(
        &mut self,
        node: &'a Node,
        scope: &'a Scope<'a>,
        parent: &str,
    ) -> Result<(), Problem> {
        let resource = match node {
            Node::Mapping(resource) => resource,
            Node::Scalar(scalar) => match scope.scalar(scalar, 0) {
                Some(Value::Node(node @ Node::Mapping(_), scope)) => {
                    let work = self.work;
                    return work.deeper(scalar.at, || self.resource(node, scope, parent));
                }
                _ => return Err(hidden("resources", node)),
            },
            Node::Sequence(_) => return Err(hidden("resources", node)),
        };
        let kind = match member(resource, "type")? {
            Some(Node::Scalar(kind)) if !kind.is_null() => scope.text(kind),
            _ => None,
        };
        let Some(kind) = kind.filter(|kind| !kind.is_empty()) else {
            let message = "a resource whose type is not known";
            return Err(Problem::new(resource.at, message));
        };
        let mut kind = kind.to_lowercase();
        if !parent.is_empty() && !kind.contains('.') {
            kind = format!("{parent}/{kind}");
        }
        self.resource_of(resource, scope, &kind)
    }

    fn resource_of<'a>(
        &mut self,
        resource: &'a Mapping,
        scope: &'a Scope<'a>,
        kind: &str,
    ) -> Result<(), Problem> {
        if TEMPLATES.contains(&kind) {
            let message = format!("`{kind}` brings a template that is not followed");
            return Err(Problem::new(resource.at, message));
        }
        if FETCHED.contains(&kind) {
            let message =
                format!("the images of `{kind}` are not checked: what it brings is not seen here");
            self.warn(resource.at, message);
        }
        let is_deployment = kind == "microsoft.resources/deployments";
        let context = Context { scope, kind };
        for (name, node) in &resource.entries {
            match (name.to_lowercase().as_str(), node) {
                (name, node) if name.starts_with('[') => return Err(hidden(name, node)),
                ("resources", node) => self.resources(node, scope, kind)?,
                ("properties", Node::Mapping(properties)) if is_deployment => {
                    self.deployment(properties, scope)?;
                }
                ("properties", other) if is_deployment => return Err(hidden("properties", other)),
                (name, node) => self.arm_member(name, node, context)?,
            }
        }
        Ok(())
    }

    /// A template in a template, with parameters of its own or those around it.
    fn deployment<'a>(
        &mut self,
        properties: &'a Mapping,
        scope: &'a Scope<'a>,
    ) -> Result<(), Problem> {
        no_links(properties)?;
        let template = match member(properties, "template")? {
            None => return Ok(()),
            Some(Node::Mapping(template)) => template,
            Some(other) => return Err(hidden("template", other)),
        };
        let inner = match member(properties, "expressionEvaluationOptions")? {
            None => None,
            Some(Node::Mapping(options)) => member(options, "scope")?,
            Some(other) => return Err(hidden("expressionEvaluationOptions", other)),
        };
        let is_inner = match inner {
            None => false,
            Some(scope) => match scope.text("scope")? {
                text if text.eq_ignore_ascii_case("inner") => true,
                text if text.eq_ignore_ascii_case("outer") => false,
                _ => return Err(hidden("scope", scope)),
            },
        };
        let Some(resources) = member(template, "resources")? else {
            return Ok(());
        };
        if !is_inner {
            return self.resources(resources, scope, "");
        }
        let given = match member(properties, "parameters")? {
            None => None,
            Some(Node::Mapping(parameters)) => Some(&**parameters),
            Some(other) => return Err(hidden("parameters", other)),
        };
        let nested = Scope::nested(template, given, scope)?;
        self.resources(resources, &nested, "")
    }

    fn arm_node(&mut self, name: &str, node: &Node, context: Context<'_>) -> Result<(), Problem> {
        let work = self.work;
        work.deeper(node.at(), || match node {
            Node::Scalar(scalar) => self.arm_scalar(name, scalar, node, context),
            Node::Sequence(sequence) => sequence
                .items
                .iter()
                .try_for_each(|item| self.arm_node(name, item, context)),
            Node::Mapping(mapping) => self.arm_mapping(name, mapping, context),
        })
    }

    /// A scalar, or an expression that may come to something else.
    fn arm_scalar(
        &mut self,
        name: &str,
        scalar: &Scalar,
        node: &Node,
        context: Context<'_>,
    ) -> Result<(), Problem> {
        if !scalar.value.starts_with('[') {
            return Ok(());
        }
        match context.scope.scalar(scalar, 0) {
            Some(Value::Node(node, scope)) => {
                self.arm_node(name, node, Context { scope, ..context })
            }
            Some(Value::Literal(_) | Value::List(_)) | None => {
                let is_harmless = is_leaf(name)
                    || context.is_of(WITHOUT_CONTAINERS)
                    || SETTINGS.contains(&context.kind)
                    || context.scope.is_scalar(&scalar.value);
                if is_harmless {
                    Ok(())
                } else {
                    Err(hidden(name, node))
                }
            }
            Some(_) => Ok(()),
        }
    }

    fn arm_mapping(
        &mut self,
        holder: &str,
        mapping: &Mapping,
        context: Context<'_>,
    ) -> Result<(), Problem> {
        // A template somewhere else, such as in a definition of a policy.
        if let Some(kind) = member(mapping, "type")?
            && let Some(kind) = kind.as_scalar().and_then(|kind| context.scope.text(kind))
            && kind.to_lowercase().starts_with("microsoft.resources/")
        {
            return self.resource_of(mapping, context.scope, &kind.to_lowercase());
        }
        no_links(mapping)?;
        self.setting(mapping, context)?;
        for (name, node) in &mapping.entries {
            // The name of a member may be an expression as well.
            let name = match context.scope.name_of(name) {
                Some(name) => name.to_lowercase(),
                None if is_leaf(holder) || context.is_of(WITHOUT_CONTAINERS) => continue,
                None => return Err(hidden(name, node)),
            };
            self.arm_member(&name, node, context)?;
        }
        Ok(())
    }

    fn arm_member(&mut self, name: &str, node: &Node, context: Context<'_>) -> Result<(), Problem> {
        match (name, node) {
            (name, _) if is_image(name) && !context.is_of(MACHINES) => {
                self.arm_image_member(name, node, context)
            }
            (name, node) if IMAGE_LISTS.contains(&name) => self.arm_images(name, node, context),
            (name, Node::Scalar(scalar)) if FX_VERSIONS.contains(&name) => {
                self.web_app(scalar, context)
            }
            ("copy", Node::Sequence(copies)) => {
                for copy in &copies.items {
                    self.copy(copy, context)?;
                }
                Ok(())
            }
            (name, node) => self.arm_node(name, node, context),
        }
    }

    /// A loop makes a list of what `input` says, under a name.
    fn copy(&mut self, copy: &Node, context: Context<'_>) -> Result<(), Problem> {
        let mapping = copy.mapping("copy")?;
        let name = match member(mapping, "name")? {
            Some(Node::Scalar(name)) => context.scope.text(name),
            _ => None,
        };
        let Some(name) = name else {
            return Err(hidden("copy", copy));
        };
        match member(mapping, "input")? {
            Some(input) => self.arm_member(&name.to_lowercase(), input, context),
            None => Ok(()),
        }
    }

    fn arm_image_member(
        &mut self,
        name: &str,
        node: &Node,
        context: Context<'_>,
    ) -> Result<(), Problem> {
        match node {
            Node::Scalar(scalar) if scalar.is_null() || (is_blank(scalar) && name != "image") => {
                Ok(())
            }
            Node::Scalar(scalar) => self.arm_image(scalar, "", context),
            // Only `image` itself is known to be one in all its forms.
            node if name != "image" => self.arm_node(name, node, context),
            Node::Mapping(parameter) => match parameter.entries.as_slice() {
                [(only, Node::Scalar(scalar))] if only.eq_ignore_ascii_case("value") => {
                    self.arm_image(scalar, "", context)
                }
                _ => Err(Problem::not_text(name, node.at())),
            },
            Node::Sequence(_) => Err(Problem::not_text(name, node.at())),
        }
    }

    fn arm_images(&mut self, name: &str, node: &Node, context: Context<'_>) -> Result<(), Problem> {
        match node {
            Node::Scalar(scalar) => match context.scope.scalar(scalar, 0) {
                Some(Value::Node(node @ Node::Sequence(_), scope)) => {
                    self.arm_images(name, node, Context { scope, ..context })
                }
                // An item of a loop.
                Some(Value::Text(_)) => self.arm_image(scalar, "", context),
                _ => Err(hidden(name, node)),
            },
            Node::Sequence(names) => names.items.iter().try_for_each(|item| match item {
                Node::Scalar(scalar) => self.arm_image(scalar, "", context),
                other => Err(Problem::not_text(name, other.at())),
            }),
            Node::Mapping(other) => Err(Problem::not_text(name, other.at)),
        }
    }

    /// A setting of a web app that is an image: `{"name": …, "value": …}`.
    fn setting(&mut self, mapping: &Mapping, context: Context<'_>) -> Result<(), Problem> {
        let text = |name: &str| match member(mapping, name)? {
            Some(Node::Scalar(scalar)) => Ok::<_, Problem>(Some(&**scalar)),
            _ => Ok(None),
        };
        let name = text("name")?.and_then(|name| context.scope.text(name));
        match (name, text("value")?) {
            (Some(name), Some(value)) if name.eq_ignore_ascii_case(IMAGE_SETTING) => {
                self.arm_image(value, "", context)
            }
            _ => {
                // An image whose registry is in a member beside it.
                let (Some(image), Some(server)) = (text("containerImage")?, text("server")?) else {
                    return Ok(());
                };
                let message = format!("an image whose registry is `{}` beside it", server.value);
                Err(Problem::new(image.at, message))
            }
        }
    }

    fn web_app(&mut self, scalar: &Scalar, context: Context<'_>) -> Result<(), Problem> {
        if is_blank(scalar) {
            return Ok(());
        }
        let value = context
            .scope
            .text(scalar)
            .ok_or_else(|| unresolved(scalar))?;
        match value.split_once('|') {
            Some((kind, _)) if kind.eq_ignore_ascii_case("docker") => {
                self.arm_image(scalar, "|", context)
            }
            Some((kind, _))
                if kind.eq_ignore_ascii_case("compose") || kind.eq_ignore_ascii_case("kube") =>
            {
                let message =
                    "a compose file or an object of Kubernetes in a web app, which is not read";
                Err(Problem::new(scalar.at, message))
            }
            _ => Ok(()),
        }
    }

    fn arm_image(
        &mut self,
        scalar: &Scalar,
        after: &str,
        context: Context<'_>,
    ) -> Result<(), Problem> {
        let written = scalar.text("image")?;
        let value = context
            .scope
            .text(scalar)
            .ok_or_else(|| unresolved(scalar))?;
        let text = if after.is_empty() {
            value.as_str()
        } else {
            value.split_once(after).map_or("", |(_, rest)| rest)
        };
        let image = reference(text, scalar).map_err(|problem| problem.fix(Fix::Arm))?;
        let place = if written == value {
            Place::Text {
                range: scalar.range.clone(),
                text: text.to_owned(),
            }
        } else {
            Place::Parts
        };
        self.push(image, scalar.at, place)
    }
}

fn unresolved(scalar: &Scalar) -> Problem {
    Problem::unresolved(&scalar.value, scalar.at).fix(Fix::Arm)
}

/// What is not seen, and may hold an image.
fn hidden(name: &str, node: &Node) -> Problem {
    let message = format!("what `{name}` holds is not known, and may be an image");
    Problem::new(node.at(), message)
}

fn no_links(mapping: &Mapping) -> Result<(), Problem> {
    for (name, node) in &mapping.entries {
        let lower = name.to_lowercase();
        if LINKS.contains(&lower.as_str()) && !node.is_empty() {
            let message = format!("what `{name}` names is not followed");
            return Err(Problem::new(node.at(), message));
        }
    }
    Ok(())
}
