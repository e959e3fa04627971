//! The Azure clouds: the names of their services, and the scopes and audiences of tokens for them.

/// An Azure cloud.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Cloud {
    /// Azure.
    #[default]
    Public,
    /// Azure US Government.
    UsGov,
    /// Azure operated by 21Vianet.
    China,
}

impl Cloud {
    /// Where Entra is asked.
    pub fn authorities(self) -> &'static [&'static str] {
        match self {
            Self::Public => &["login.microsoftonline.com"],
            Self::UsGov => &["login.microsoftonline.us"],
            Self::China => &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
        }
    }

    /// The suffix of registries.
    pub fn registry_suffix(self) -> &'static str {
        match self {
            Self::Public => ".azurecr.io",
            Self::UsGov => ".azurecr.us",
            Self::China => ".azurecr.cn",
        }
    }

    /// The suffix of vaults.
    pub fn vault_suffix(self) -> &'static str {
        match self {
            Self::Public => ".vault.azure.net",
            Self::UsGov => ".vault.usgovcloudapi.net",
            Self::China => ".vault.azure.cn",
        }
    }

    pub(super) fn hsm_suffix(self) -> &'static str {
        match self {
            Self::Public => ".managedhsm.azure.net",
            Self::UsGov => ".managedhsm.usgovcloudapi.net",
            Self::China => ".managedhsm.azure.cn",
        }
    }

    /// The scope of a token for Azure Resource Manager.
    pub fn arm_scope(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com/.default",
            Self::UsGov => "https://management.usgovcloudapi.net/.default",
            Self::China => "https://management.chinacloudapi.cn/.default",
        }
    }

    /// The cloud's name in service connections.
    pub fn connection_name(self) -> &'static str {
        match self {
            Self::Public => "AzureCloud",
            Self::UsGov => "AzureUSGovernment",
            Self::China => "AzureChinaCloud",
        }
    }

    /// The audience of an assertion that Entra exchanges.
    pub fn federation_audience(self) -> &'static str {
        match self {
            Self::Public => "api://AzureADTokenExchange",
            Self::UsGov => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }
}
