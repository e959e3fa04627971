//! What is known of the members and resource types of ARM.

/// Members whose value names an image: those that end so.
const IMAGE_ENDS: &[&str] = &["image", "imagename"];
/// Members that are a list of images.
pub(super) const IMAGE_LISTS: &[&str] = &["containerimagenames"];
/// A setting of web apps that is an image.
pub(super) const IMAGE_SETTING: &str = "docker_custom_image_name";
/// Members whose text is `DOCKER|image` where a web app runs one.
pub(super) const FX_VERSIONS: &[&str] = &["linuxfxversion", "windowsfxversion"];
/// Members that bring a template, or values for one, from elsewhere.
pub(super) const LINKS: &[&str] = &["templatelink", "parameterslink", "templatespecid"];

/// Resource types that hold or bring a template of their own, which is not followed.
pub(super) const TEMPLATES: &[&str] = &[
    "microsoft.resources/deploymentstacks",
    "microsoft.resources/templatespecs/versions",
    "microsoft.solutions/applications",
    "microsoft.solutions/applicationdefinitions",
    "microsoft.blueprint/blueprints",
    "microsoft.blueprint/blueprintassignments",
];
/// Resource types that bring objects into a cluster from elsewhere.
pub(super) const FETCHED: &[&str] = &[
    "microsoft.kubernetesconfiguration/extensions",
    "microsoft.kubernetesconfiguration/fluxconfigurations",
];

/// Providers that run no container: an expression there may come to anything.
pub(super) const WITHOUT_CONTAINERS: &[&str] = &[
    "microsoft.aad",
    "microsoft.alertsmanagement",
    "microsoft.apimanagement",
    "microsoft.appconfiguration",
    "microsoft.cache",
    "microsoft.cdn",
    "microsoft.cognitiveservices",
    "microsoft.compute",
    "microsoft.containerregistry",
    "microsoft.dashboard",
    "microsoft.dbformysql",
    "microsoft.dbforpostgresql",
    "microsoft.documentdb",
    "microsoft.eventgrid",
    "microsoft.eventhub",
    "microsoft.insights",
    "microsoft.keyvault",
    "microsoft.managedidentity",
    "microsoft.monitor",
    "microsoft.network",
    "microsoft.operationalinsights",
    "microsoft.operationsmanagement",
    "microsoft.recoveryservices",
    "microsoft.search",
    "microsoft.security",
    "microsoft.servicebus",
    "microsoft.signalrservice",
    "microsoft.sql",
    "microsoft.storage",
    "microsoft.synapse",
];
/// Resource types whose members are settings of an app.
pub(super) const SETTINGS: &[&str] = &[
    "microsoft.web/sites/config",
    "microsoft.web/sites/slots/config",
];
/// Providers whose images are those of machines.
pub(super) const MACHINES: &[&str] = &[
    "microsoft.azurestackhci",
    "microsoft.compute",
    "microsoft.desktopvirtualization",
    "microsoft.devtestlab",
    "microsoft.labservices",
    "microsoft.virtualmachineimages",
];

/// Members in which no container can be, so that an expression may come to anything there.
const LEAVES: &[&str] = &[
    "appsettings",
    "args",
    "capacity",
    "command",
    "condition",
    "connectionstrings",
    "count",
    "cors",
    "cpu",
    "customdomains",
    "dependson",
    "env",
    "environment",
    "environmentvariables",
    "identity",
    "imageregistrycredentials",
    "ipaddress",
    "iprules",
    "ipsecurityrestrictions",
    "keydata",
    "kind",
    "location",
    "maxreplicas",
    "memory",
    "memoryingb",
    "minreplicas",
    "mode",
    "plan",
    "port",
    "ports",
    "principaltype",
    "registries",
    "scope",
    "secrets",
    "server",
    "serverfarmid",
    "sharedkey",
    "sku",
    "subnetids",
    "tags",
    "targetport",
    "traffic",
    "userassignedidentities",
    "value",
    "version",
    "volumemounts",
    "volumes",
    "zones",
];
/// Ends of names of such members.
const LEAF_ENDS: &[&str] = &[
    "connectionstring",
    "endpoint",
    "fqdn",
    "id",
    "ids",
    "key",
    "name",
    "password",
    "secret",
    "uri",
    "url",
    "username",
];

/// Whether a member of this name, in lower case, names an image.
pub(super) fn is_image(name: &str) -> bool {
    name == IMAGE_SETTING || IMAGE_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a member of this name holds no container.
pub(super) fn is_leaf(name: &str) -> bool {
    LEAVES.contains(&name) || LEAF_ENDS.iter().any(|end| name.ends_with(end))
}
