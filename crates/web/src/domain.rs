//! Which of our domains a request is about.

use anser_base::Result;
use anser_directory::Directory;
use anser_net::http::Request;

/// Names under which a domain's settings are looked for.
const PREFIXES: [&str; 3] = ["autoconfig.", "autodiscover.", "mta-sts."];

/// Our domain of an address, in the form in which it was written. Whether anybody has the address is never looked at.
pub async fn of_address(directory: &Directory, address: &str) -> Result<Option<String>> {
    match address.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() => ours(directory, domain).await,
        _ => Ok(None),
    }
}

/// Our domain that the request's host is, or is a service name of.
pub async fn of_host(directory: &Directory, request: &Request) -> Result<Option<String>> {
    let host = request.host();
    let below = PREFIXES.iter().find_map(|prefix| host.strip_prefix(prefix));
    ours(directory, below.unwrap_or(host)).await
}

/// The name, if the domain is ours and in use.
pub async fn ours(directory: &Directory, name: &str) -> Result<Option<String>> {
    let found = directory.domain(name).await?;
    Ok(found.filter(|domain| !domain.disabled).map(|_| name.to_lowercase()))
}
