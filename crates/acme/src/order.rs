//! One certificate, from the account to the chain (RFC 8555 §7).

use std::time::Duration;

use anser_base::{Error, Result};
use anser_directory::Certificate;
use anser_net::certificate::{der_of_pem, validity};
use instant_acme::{
    Account, AccountCredentials, AuthorizationHandle, AuthorizationStatus, ChallengeType, Identifier, NewAccount,
    NewOrder, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use crate::client::Client;
use crate::proof::Given;
use crate::{Acme, Proof};

/// How long the authority may take to look at a proof, and to issue.
const PATIENCE: Duration = Duration::from_secs(180);

/// A certificate for the name, with this key (PEM) if there is one. [`anser_base::Class::Unavailable`] with what the authority said.
pub(crate) async fn order(acme: &Acme, name: &str, key: Option<&str>) -> Result<Certificate> {
    let account = account(acme).await?;
    let names = [Identifier::Dns(name.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(Error::unavailable)?;
    let patience = RetryPolicy::new().timeout(PATIENCE);
    let mut given = Vec::new();
    let proved = async {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            given.extend(prove(acme, name, authorization.map_err(Error::unavailable)?).await?);
        }
        match order.poll_ready(&patience).await.map_err(Error::unavailable)? {
            OrderStatus::Ready | OrderStatus::Valid => Ok(()),
            _ => Err(Error::unavailable(format!(
                "the authority did not see that {name} is ours: {}",
                said(&mut order).await
            ))),
        }
    };
    let proved = proved.await;
    for answer in given {
        answer.take_back().await;
    }
    proved?;

    let key = match key.map(KeyPair::from_pem) {
        Some(Ok(key)) => key,
        _ => KeyPair::generate().map_err(Error::unavailable)?,
    };
    let mut params = CertificateParams::new([name.to_owned()]).map_err(Error::unavailable)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(Error::unavailable)?;
    order.finalize_csr(request.der()).await.map_err(Error::unavailable)?;
    let chain = order.poll_certificate(&patience).await.map_err(Error::unavailable)?;
    let life = der_of_pem(chain.as_bytes()).and_then(|der| validity(&der));
    let (begins, ends) = life.ok_or_else(|| Error::unavailable("the authority's certificate cannot be read"))?;
    Ok(Certificate { name: name.to_owned(), chain, key: key.serialize_pem(), begins, ends })
}

/// Our account with this authority, made on first use. Making it agrees to the authority's terms, as the operator has in the boot file.
async fn account(acme: &Acme) -> Result<Account> {
    let (directory, authority) = (&acme.deps.directory, &acme.settings.authority);
    let client = Client { resolver: acme.deps.resolver.clone(), options: acme.settings.web.clone() };
    let builder = Account::builder_with_http(Box::new(client));
    if let Some(kept) = directory.acme_account(authority).await? {
        let kept: AccountCredentials =
            serde_json::from_str(&kept).map_err(|error| Error::damaged(error.to_string()))?;
        return builder.from_credentials(kept).await.map_err(Error::unavailable);
    }
    let contact: Vec<&str> = acme.settings.contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&new, authority.clone(), None).await.map_err(Error::unavailable)?;
    let text = serde_json::to_string(&credentials).map_err(Error::unavailable)?;
    directory.keep_acme_account(authority, &text).await?;
    Ok(account)
}

/// Gives the answer and tells the authority to look; nothing where it knows already that the name is ours.
async fn prove(acme: &Acme, name: &str, mut authorization: AuthorizationHandle<'_>) -> Result<Option<Given>> {
    match authorization.status {
        AuthorizationStatus::Valid => return Ok(None),
        AuthorizationStatus::Pending => {}
        other => return Err(Error::unavailable(format!("the authority's authorization is {other:?}"))),
    }
    let (kind, word) = match acme.settings.proof {
        Proof::Http => (ChallengeType::Http01, "http-01"),
        Proof::TlsAlpn => (ChallengeType::TlsAlpn01, "tls-alpn-01"),
        Proof::Dns(_) => (ChallengeType::Dns01, "dns-01"),
    };
    let none = || Error::unavailable(format!("the authority offers no {word} for {name}"));
    let mut challenge = authorization.challenge(kind).ok_or_else(none)?;
    let authorization = challenge.key_authorization();
    let given = match &acme.settings.proof {
        Proof::Http => Given::file(&acme.answers, &challenge.token, authorization.as_str()),
        Proof::TlsAlpn => Given::certificate(&acme.deps.tls, name, authorization.digest().as_ref())?,
        Proof::Dns(hook) => Given::record(hook, name, &authorization.dns_value()).await?,
    };
    match challenge.set_ready().await {
        Ok(()) => Ok(Some(given)),
        Err(error) => {
            given.take_back().await;
            Err(Error::unavailable(error))
        }
    }
}

/// What the authority says was wrong with the proof.
async fn said(order: &mut instant_acme::Order) -> String {
    let mut all = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(authorization)) = authorizations.next().await {
        let problems = authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        all.extend(problems.filter_map(|problem| problem.detail.clone()));
    }
    if all.is_empty() { "it does not say why".to_owned() } else { all.join("; ").chars().take(500).collect() }
}
