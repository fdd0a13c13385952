//! How many people, aliases and lists the files of an old system have, beside what its survey form says and what is here.

use std::collections::BTreeSet;

use anser_base::{Address, Result};
use anser_directory::AccountFilter;

use crate::Admin;
use crate::acts::people::Wanted;
use crate::answer::TotalView;
use crate::request::PeopleImport;

impl Admin {
    /// The totals, as they are once the import was done; of a dry run as they are before it.
    pub(super) async fn totals(&self, wanted: &Wanted, import: &PeopleImport) -> Result<Vec<TotalView>> {
        let form = match &import.of_move {
            Some(name) => Some(self.deps.moves.form(name).await?),
            None => None,
        };
        let said = |field: &str| form.as_ref().and_then(|form| form.get(field).trim().parse().ok());
        let addresses = wanted.people.iter().map(|(_, person)| &person.address);
        let others =
            wanted.aliases.iter().map(|(_, alias, _)| alias).chain(wanted.lists.iter().map(|(_, list, ..)| list));
        let mut domains: BTreeSet<String> =
            addresses.chain(others).map(|address| address.domain().to_lowercase()).collect();
        domains.extend(wanted.domains.iter().map(|(_, domain, _)| domain.to_lowercase()));
        let (mut people, mut aliases, mut there) = (0, 0, 0);
        for domain in &domains {
            // A dry run makes no domain, and nobody is in one that is not here.
            if self.deps.directory.domain(domain).await?.is_none() {
                continue;
            }
            there += 1;
            people += self.people_of(domain).await?;
            aliases += self.aliases_of(domain).await?;
        }
        // An alias stands in a line of its own, or in that of whoever it is for.
        let in_files =
            wanted.aliases.len() + wanted.people.iter().map(|(_, person)| person.aliases.len()).sum::<usize>();
        let total = |en: &str, zh: &str, file: usize, form, here| TotalView {
            en: en.to_owned(),
            zh: zh.to_owned(),
            file: file as u64,
            form,
            here,
        };
        Ok(vec![
            total("domains", "域名", domains.len(), said("domain-count"), there),
            total("users", "用户", wanted.people.len(), said("users"), people),
            total("aliases", "别名", in_files, None, aliases),
            total("lists", "邮件列表", wanted.lists.len(), None, self.lists_in(&domains).await?),
        ])
    }

    async fn people_of(&self, domain: &str) -> Result<u64> {
        let (mut count, mut filter) =
            (0, AccountFilter { domain: Some(domain.to_owned()), ..AccountFilter::default() });
        loop {
            let page = self.deps.directory.accounts(filter.clone()).await?;
            count += page.accounts.len() as u64;
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(count),
            }
        }
    }

    async fn aliases_of(&self, domain: &str) -> Result<u64> {
        let (mut count, mut after): (u64, Option<Address>) = (0, None);
        loop {
            let page = self.deps.directory.aliases(Some(domain), after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some(last.address.clone());
            count += page.len() as u64;
        }
    }

    async fn lists_in(&self, domains: &BTreeSet<String>) -> Result<u64> {
        let (mut count, mut after): (u64, Option<Address>) = (0, None);
        loop {
            let page = self.deps.directory.groups(after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some(last.address.clone());
            count += page.iter().filter(|group| domains.contains(group.address.domain())).count() as u64;
        }
    }
}
