//! ARM templates: images by expression, with parameters from a file.

use acr_sign::manifests::{Options, Parameters};

fn read(
    file: &str,
    text: &str,
    parameters: &Parameters,
) -> Result<Vec<acr_sign::manifests::Found>, acr_sign::manifests::ManifestError> {
    Ok(acr_sign::manifests::read(file, text, &Options::new(parameters))?.found)
}

const SCHEMA: &str =
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

fn template(image: &str) -> String {
    format!(
        "{{\n\"$schema\": \"{SCHEMA}\",\n\"parameters\": {{\"registry\": {{\"type\": \"string\"}}, \"tag\": {{\"type\": \"string\", \"defaultValue\": \"1.0\"}}}},\n\
         \"variables\": {{\"web\": \"[concat(parameters('registry'), '/web')]\", \"loop\": \"[variables('loop')]\"}},\n\
         \"resources\": [{{\"type\": \"Microsoft.ContainerInstance/containerGroups\", \"properties\": {{\"containers\": [\n\
         {{\"name\": \"a\", \"properties\": {{\"image\": \"{image}\"}}}}]}}}}]}}"
    )
}

fn parameters() -> Parameters {
    let text = "{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#\", \"parameters\": {\"registry\": {\"value\": \"a.azurecr.io\"}, \
                \"secret\": {\"reference\": {\"secretName\": \"x\"}}}}";
    Parameters::read("p.json", text).unwrap()
}

#[test]
fn expressions_are_worked_out_or_refused() {
    for (image, expected) in [
        ("a.azurecr.io/web:1", Some("a.azurecr.io/web:1")),
        (
            "[concat(parameters('registry'), '/web:', parameters('tag'))]",
            Some("a.azurecr.io/web:1.0"),
        ),
        (
            "[format('{0}:{1}', variables('web'), parameters('TAG'))]",
            Some("a.azurecr.io/web:1.0"),
        ),
        ("[concat(toLower('A.AZURECR.IO'), '/it''s')]", None),
        ("[parameters('unknown')]", None),
        ("[parameters('secret')]", None),
        ("[reference('x').image]", None),
        ("[variables('loop')]", None),
        ("[concat('a'", None),
        ("[concat('a.azurecr.io/web')] ", None),
        ("[[x]", None),
        ("", None),
    ] {
        let found = read("t.json", &template(image), &parameters());
        match (expected, found) {
            (Some(expected), Ok(found)) => {
                assert_eq!(found.len(), 1, "{image}");
                assert_eq!(
                    (found[0].image.to_string().as_str(), found[0].line),
                    (expected, 6),
                    "{image}"
                );
            }
            (None, Err(error)) => assert_eq!(error.problem.line, 6, "{image}: {error}"),
            (expected, found) => panic!("{image}: {expected:?}, {found:?}"),
        }
    }
    // Without the file the registry is not known.
    assert!(
        read(
            "t.json",
            &template("[variables('web')]"),
            &Parameters::default()
        )
        .is_err()
    );
}

#[test]
fn container_apps_web_apps_and_nested_templates() {
    let resources =
        |body: &str| format!("{{\"$schema\": \"{SCHEMA}\", \"resources\": [\n{body}\n]}}");
    for (body, expected) in [
        (
            "{\"type\": \"Microsoft.App/containerApps\", \"properties\": {\"template\": {\"containers\": [{\"image\": \"a.azurecr.io/app\"}], \"initContainers\": [{\"image\": \"a.azurecr.io/init\"}]}}}",
            vec!["a.azurecr.io/app", "a.azurecr.io/init"],
        ),
        (
            "{\"type\": \"Microsoft.Web/sites\", \"properties\": {\"siteConfig\": {\"linuxFxVersion\": \"DOCKER|a.azurecr.io/site:1\"}}}",
            vec!["a.azurecr.io/site:1"],
        ),
        (
            "{\"type\": \"Microsoft.Web/sites\", \"properties\": {\"siteConfig\": {\"linuxFxVersion\": \"NODE|22\"}}}",
            vec![],
        ),
        (
            "{\"type\": \"Microsoft.Batch/x\", \"properties\": {\"containerImageNames\": [\"a.azurecr.io/batch\"]}}",
            vec!["a.azurecr.io/batch"],
        ),
        (
            "{\"type\": \"Microsoft.Compute/vm\", \"properties\": {\"imageReference\": {\"publisher\": \"x\"}}}",
            vec![],
        ),
        (
            "{\"type\": \"Microsoft.Resources/deployments\", \"properties\": {\"expressionEvaluationOptions\": {\"scope\": \"inner\"}, \"parameters\": {\"i\": {\"value\": \"[concat('a.azurecr.io', '/inner')]\"}}, \"template\": {\"resources\": [{\"type\": \"x/y\", \"image\": \"[parameters('i')]\"}]}}}",
            vec!["a.azurecr.io/inner"],
        ),
    ] {
        let found = read("t.json", &resources(body), &Parameters::default()).unwrap();
        assert_eq!(
            found
                .iter()
                .map(|one| one.image.to_string())
                .collect::<Vec<_>>(),
            expected,
            "{body}"
        );
    }
    for body in [
        "\"[variables('resource')]\"",
        "{\"type\": \"Microsoft.App/containerApps\", \"properties\": \"[variables('all')]\"}",
        "{\"type\": \"Microsoft.App/containerApps\", \"properties\": {\"template\": \"[variables('all')]\"}}",
        "{\"type\": \"Microsoft.App/containerApps\", \"Properties\": {\"Template\": {\"Containers\": [\"[variables('one')]\"]}}}",
        "{\"type\": \"Microsoft.Web/sites\", \"properties\": {\"siteConfig\": \"[variables('all')]\"}}",
        "{\"Type\": \"microsoft.resources/deployments\", \"Properties\": {\"TemplateLink\": {\"uri\": \"https://x\"}}}",
        "{\"type\": \"Microsoft.Resources/deployments\", \"properties\": {\"template\": \"[variables('all')]\"}}",
        "{\"type\": \"Microsoft.Resources/deployments\", \"properties\": {\"ExpressionEvaluationOptions\": {\"Scope\": \"[parameters('x')]\"}, \"Template\": {\"Resources\": []}}}",
        "{\"type\": \"Microsoft.Resources/deployments\", \"properties\": {\"template\": {}, \"Template\": {\"resources\": []}}}",
        "{\"type\": \"Microsoft.Resources/deployments\", \"properties\": {\"templateLink\": {\"uri\": \"https://x\"}}}",
        "{\"type\": \"Microsoft.App/containerApps\", \"properties\": {\"template\": {\"containers\": \"[variables('all')]\"}}}",
        "{\"type\": \"Microsoft.Web/sites\", \"properties\": {\"siteConfig\": {\"linuxFxVersion\": \"COMPOSE|abc\"}}}",
        "{\"type\": \"Microsoft.Web/sites\", \"properties\": {\"siteConfig\": {\"linuxFxVersion\": \"[parameters('x')]\"}}}",
    ] {
        assert!(
            read("t.json", &resources(body), &Parameters::default()).is_err(),
            "{body}"
        );
    }
}
