//! OCI registries and trust servers.
