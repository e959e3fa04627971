//! The examples at the end of each command's help.

pub(super) const SIGN: &str = "\
Examples:
  acr-sign sign contoso.azurecr.io/shop/web:1.4 --format notation --key akv:contoso/certificates/image-signing
  acr-sign sign contoso.azurecr.io/shop/web:1.4 --digest sha256:… --format dct --key akv:contoso/keys/ci --root KEYID
  acr-sign sign --metadata bake.json --format notation --key akv:contoso/certificates/image-signing";

pub(super) const VERIFY: &str = "\
Examples:
  acr-sign verify contoso.azurecr.io/shop/web:1.4 --format notation --certificate akv:contoso/certificates/image-signing
  acr-sign verify contoso.azurecr.io/shop/web:1.4 --format dct --root KEYID --signer ci
  acr-sign verify --manifests deploy/ --policy acr-sign.yaml --pin
  docker pull \"$(acr-sign verify --quiet contoso.azurecr.io/shop/web:1.4 --policy acr-sign.yaml)\"";

pub(super) const INSPECT: &str = "\
Examples:
  acr-sign inspect contoso.azurecr.io/shop/web:1.4
  acr-sign inspect contoso.azurecr.io/shop/web --root KEYID --output json";

pub(super) const POLICY_CHECK: &str = "\
Examples:
  acr-sign policy check
  acr-sign policy check contoso.azurecr.io/shop/web:1.4 --policy acr-sign.yaml
  acr-sign policy check --manifests deploy/";

pub(super) const POLICY_INIT: &str = "\
Examples:
  acr-sign policy init contoso.azurecr.io/shop/web:1.4 --to acr-sign.yaml";

pub(super) const TRUST_INIT: &str = "\
Examples:
  acr-sign trust init contoso.azurecr.io/shop/web --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets --signer ci=akv:contoso/keys/ci";

pub(super) const TRUST_STATUS: &str = "\
Examples:
  acr-sign trust status contoso.azurecr.io/shop/web
  acr-sign trust status contoso.azurecr.io/shop/web --root KEYID --output json";

pub(super) const SIGNER_ADD: &str = "\
Examples:
  acr-sign trust signer add ci contoso.azurecr.io/shop/web --signer-key file:ci.pub --targets-key akv:contoso/keys/targets --root KEYID";

pub(super) const TRUST_REVOKE: &str = "\
Examples:
  acr-sign trust revoke contoso.azurecr.io/shop/web:1.4 --key akv:contoso/keys/ci --root KEYID";

pub(super) const KEY_SHOW: &str = "\
Examples:
  acr-sign key show akv:contoso/keys/ci
  acr-sign key show akv:contoso/certificates/image-signing --output json";

pub(super) const EXPLAIN: &str = "\
Examples:
  acr-sign explain unsigned
  acr-sign explain key-not-delegated";

pub(super) const COMPLETIONS: &str = "\
Examples:
  acr-sign completions bash > ~/.local/share/bash-completion/completions/acr-sign
  acr-sign completions zsh > ~/.zfunc/_acr-sign";

pub(super) const CI: &str = "\
Examples:
  uses: org/acr-sign@v1      # GitHub Actions: the action runs `acr-sign ci`
  - task: AcrSign@1           # Azure Pipelines: so does the task";
