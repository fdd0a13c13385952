//! Which provider an address belongs to, by its domain and by where the domain's mail goes.

use anser_base::Text;

use super::words;
use crate::model::{Kind, Tls};
use crate::profile::{self, Profile};

/// What is known of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The provider's name among the profiles.
    pub provider: String,
    /// Its name for people.
    pub name: Text,
    /// What is best spoken to it.
    pub kind: Kind,
    /// Its server; `None` where each organisation has one of its own.
    pub host: Option<String>,
    /// The port there.
    pub port: u16,
    /// How the way there is protected.
    pub tls: Tls,
    /// What has to be done there first, in this order.
    pub steps: Vec<Text>,
    /// Whether it has tokens for those who sign in at its page.
    pub has_tokens: bool,
}

impl Found {
    /// What has to be done there first, where persons sign in at these servers alone.
    pub fn steps_with(&self, hosts: &[String]) -> Vec<Text> {
        let is_known = hosts.iter().any(|host| Some(host) == self.host.as_ref());
        let more = (self.has_tokens && !is_known).then(words::no_sign_in);
        self.steps.iter().cloned().chain(more).collect()
    }
}

/// The provider of an address. `mx` are the hosts where mail for its domain goes, where they are known.
pub fn discover(email: &str, mx: &[String]) -> Option<Found> {
    let known = by_domain(email).or_else(|| mx.iter().find_map(|host| profile::by_mx(host)))?;
    let title = |words: &Option<String>| words.clone().unwrap_or_else(|| known.name.clone());
    let steps = known.prepare.en.iter().zip(&known.prepare.zh).map(|(en, zh)| Text::new(en.clone(), zh.clone()));
    Some(Found {
        provider: known.name.clone(),
        name: Text::new(title(&known.title.en), title(&known.title.zh)),
        kind: Kind::Imap,
        host: known.imap.clone(),
        port: 993,
        tls: Tls::Implicit,
        steps: steps.collect(),
        has_tokens: known.oauth.token.is_some(),
    })
}

pub(super) fn by_domain(email: &str) -> Option<&'static Profile> {
    profile::by_domain(email.rsplit_once('@')?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_known_by_domain_and_by_where_mail_goes() {
        let qq = discover("Li@Foxmail.com", &[]).unwrap();
        assert_eq!((&*qq.provider, qq.host.as_deref(), qq.port), ("qq", Some("imap.qq.com"), 993));
        assert!(!qq.steps.is_empty() && qq.name.zh.contains("QQ"));
        let office = discover("li@firm.example", &["mxbiz1.qq.com.".into()]).unwrap();
        assert_eq!((&*office.provider, office.host.as_deref()), ("exmail", Some("imap.exmail.qq.com")));
        assert_eq!(discover("li@firm.example", &["mx.firm.example".into(), "evil-mxbiz1.qq.com.example".into()]), None);
        assert_eq!(discover("no address", &[]), None);
        // Where signing in is not set up an app password is spoken of, and nowhere else.
        let outlook = discover("li@outlook.com", &[]).unwrap();
        let speaks = |steps: Vec<Text>| steps.iter().any(|step| step.en.contains("app password"));
        assert!(speaks(outlook.steps_with(&[])) && !speaks(outlook.steps_with(&["outlook.office365.com".into()])));
        assert_eq!(qq.steps_with(&[]), qq.steps);
    }
}
