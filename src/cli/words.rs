//! The words that flags take for the values of other rooms: help lists them, and a typo is answered with the nearest.

use clap::{ValueEnum, builder::PossibleValue};

use crate::{
    azure::Auth,
    format::{Format, notation::EnvelopeKind},
    net::Cloud,
    reason::Reason,
    registry::{ReferrersMode, RegistryAuth},
};

macro_rules! words {
    ($($type:ty { $($variant:ident = $word:literal: $help:literal,)* })*) => {$(
        impl ValueEnum for $type {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant,)*]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                Some(match self {
                    $(Self::$variant => PossibleValue::new($word).help($help),)*
                })
            }
        }
    )*};
}

impl ValueEnum for Reason {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.code()))
    }
}

words! {
    Auth {
        Auto = "auto": "One of the others, chosen by what the environment offers",
        Oidc = "oidc": "GitHub Actions OIDC",
        ServiceConnection = "service-connection": "Azure Pipelines service connection",
        WorkloadIdentity = "workload-identity": "Kubernetes workload identity",
        ManagedIdentity = "managed-identity": "Managed identity of the machine",
        Environment = "environment": "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
        AzureCli = "azure-cli": "The account that `az` is logged in to",
        None = "none": "No Azure identity",
    }
    RegistryAuth {
        Auto = "auto": "The first of the others that is available",
        Entra = "entra": "The Azure identity",
        DockerConfig = "docker-config": "What `docker login` stored",
        Anonymous = "anonymous": "No login",
    }
    Cloud {
        Public = "public": "Azure",
        UsGov = "usgov": "Azure US Government",
        China = "china": "Azure operated by 21Vianet",
    }
    Format {
        Dct = "dct": "Docker Content Trust: content trust in ACR, until 2028-03-31",
        Notation = "notation": "Notary Project: its successor; read by notation, Ratify and AKS",
    }
    EnvelopeKind {
        Jws = "jws": "JSON Web Signature (the default)",
        Cose = "cose": "CBOR Object Signing",
    }
    ReferrersMode {
        Auto = "auto": "The API if the registry has it, else the tag (the default)",
        Api = "api": "The Referrers API only",
        Tag = "tag": "The referrers tag only",
    }
}

#[cfg(test)]
mod tests {
    use std::{fmt::Debug, str::FromStr};

    use super::*;

    /// Files and flags spell a value alike.
    fn parses<T: ValueEnum + FromStr + Debug + PartialEq>() {
        for value in T::value_variants() {
            let word = value.to_possible_value().unwrap();
            assert_eq!(word.get_name().parse().ok().as_ref(), Some(value));
        }
    }

    #[test]
    fn words_of_files_are_words_of_flags() {
        parses::<Format>();
        parses::<EnvelopeKind>();
        parses::<ReferrersMode>();
    }
}
