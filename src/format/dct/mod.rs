//! Docker Content Trust: Notary v1, TUF metadata on a trust server.
