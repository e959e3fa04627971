//! What is to be run, without the groups that a command line has: what only prints or reads files, and what asks
//! servers.

use std::path::PathBuf;

use clap_complete::Shell;

use super::{
    Command, Inspect, Key, KeyShow, Policy, PolicyCheck, PolicyInit, Shared, Sign, Signer,
    SignerAdd, Trust, TrustInit, TrustRevoke, TrustStatus, Verify,
};
use crate::reason::Reason;

/// One command with its arguments.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// `ci`: the inputs of a step become another invocation.
    Ci,
    /// A command that asks no server.
    Local(Local),
    /// A command that asks servers.
    Online(Box<Online>),
}

/// A command that needs no network.
#[derive(Debug)]
pub(crate) enum Local {
    /// `completions`
    Completions(Shell),
    /// `man`
    Man(PathBuf),
    /// `explain`
    Explain(Reason),
    /// `policy check`
    PolicyCheck(PolicyCheck),
}

/// A command that needs identity and network.
#[derive(Debug)]
pub(crate) enum Online {
    /// `sign`
    Sign(Box<Sign>),
    /// `verify`
    Verify(Box<Verify>),
    /// `inspect`
    Inspect(Inspect),
    /// `policy init`
    PolicyInit(Box<PolicyInit>),
    /// `trust init`
    TrustInit(TrustInit),
    /// `trust status`
    TrustStatus(TrustStatus),
    /// `trust signer add`
    SignerAdd(SignerAdd),
    /// `trust revoke`
    TrustRevoke(TrustRevoke),
    /// `key show`
    KeyShow(KeyShow),
}

impl From<Command> for Invocation {
    fn from(command: Command) -> Self {
        Self::Online(Box::new(match command {
            Command::Ci => return Self::Ci,
            Command::Man { folder } => return Self::Local(Local::Man(folder)),
            Command::Explain { code } => return Self::Local(Local::Explain(code)),
            Command::Completions { shell } => return Self::Local(Local::Completions(shell)),
            Command::Policy(Policy::Check(check)) => {
                return Self::Local(Local::PolicyCheck(check));
            }
            Command::Sign(sign) => Online::Sign(sign),
            Command::Verify(verify) => Online::Verify(verify),
            Command::Inspect(inspect) => Online::Inspect(inspect),
            Command::Policy(Policy::Init(init)) => Online::PolicyInit(init),
            Command::Trust(Trust::Init(init)) => Online::TrustInit(init),
            Command::Trust(Trust::Status(status)) => Online::TrustStatus(status),
            Command::Trust(Trust::Signer(Signer::Add(add))) => Online::SignerAdd(add),
            Command::Trust(Trust::Revoke(revoke)) => Online::TrustRevoke(revoke),
            Command::Key(Key::Show(show)) => Online::KeyShow(show),
        }))
    }
}

impl Online {
    /// The command as typed.
    pub(crate) fn name(&self) -> &'static str {
        self.common().0
    }

    /// The flags that all of these commands have.
    pub(crate) fn shared(&self) -> &Shared {
        self.common().1
    }

    fn common(&self) -> (&'static str, &Shared) {
        match self {
            Self::Sign(sign) => ("sign", &sign.shared),
            Self::Verify(verify) => ("verify", &verify.shared),
            Self::Inspect(inspect) => ("inspect", &inspect.shared),
            Self::PolicyInit(init) => ("policy init", &init.shared),
            Self::TrustInit(init) => ("trust init", &init.shared),
            Self::TrustStatus(status) => ("trust status", &status.shared),
            Self::SignerAdd(add) => ("trust signer add", &add.shared),
            Self::TrustRevoke(revoke) => ("trust revoke", &revoke.shared),
            Self::KeyShow(show) => ("key show", &show.shared),
        }
    }
}
