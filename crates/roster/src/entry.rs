//! What entries of LDIF mean: people of inetOrgPerson and posixAccount with the attributes of mail systems, lists of groupOfNames and
//! of Zimbra, Zimbra's domains.

use std::collections::HashMap;

use anser_base::{Address, Text};

use crate::field::Field;
use crate::ldif::{self, Entry};
use crate::person::{Draft, address_in, addresses};
use crate::row;
use crate::{ADDRESSES, Options, Roster};

/// What attributes mean, in lower case; of those with one value the first in this order counts.
const ATTRIBUTES: &[(&str, Field)] = &[
    ("zimbramaildeliveryaddress", Field::Address),
    ("mail", Field::Address),
    ("maillocaladdress", Field::Aliases),
    ("mailalternateaddress", Field::Aliases),
    ("mailequivalentaddress", Field::Aliases),
    ("mailalias", Field::Aliases),
    ("zimbramailalias", Field::Aliases),
    ("proxyaddresses", Field::Aliases),
    ("displayname", Field::Name),
    ("cn", Field::Name),
    ("sn", Field::FamilyName),
    ("givenname", Field::GivenName),
    ("ou", Field::Department),
    ("department", Field::Department),
    ("departmentnumber", Field::Department),
    ("userpassword", Field::Password),
    ("clearpassword", Field::Password),
    ("mailquota", Field::QuotaBytes),
    ("mailquotasize", Field::QuotaBytes),
    ("zimbramailquota", Field::QuotaBytes),
    ("mailforwardingaddress", Field::Forwards),
    ("mailroutingaddress", Field::Forwards),
    ("zimbraprefmailforwardingaddress", Field::Forwards),
    ("zimbraprefmaillocaldeliverydisabled", Field::Keep),
    ("preferredlanguage", Field::Language),
    ("zimbrapreflocale", Field::Language),
    ("zimbraprefmailsignature", Field::Signature),
    ("zimbraprefoutofofficereply", Field::Away),
    ("zimbraprefoutofofficereplyenabled", Field::AwayOn),
    ("zimbramailsievescript", Field::Sieve),
    ("zimbraaccountstatus", Field::Active),
    ("accountstatus", Field::Active),
];

/// Attributes with members of a list as addresses.
const MEMBER_ADDRESSES: [&str; 4] =
    ["zimbramailforwardingaddress", "mgrprfc822mailmember", "rfc822mailmember", "rfc822member"];
/// Attributes with members of a list as names of entries, or as login names.
const MEMBER_NAMES: [&str; 3] = ["member", "uniquemember", "memberuid"];
/// Classes of lists.
const LISTS: [&str; 6] =
    ["zimbradistributionlist", "groupofnames", "groupofuniquenames", "posixgroup", "mailgroup", "nismailalias"];

/// A list whose members are not all known yet.
struct Unsettled {
    line: u64,
    address: Address,
    name: String,
    members: Vec<Address>,
    named: Vec<String>,
}

/// Reads entries into the roster.
pub fn read(text: &str, options: &Options, roster: &mut Roster) {
    let (mut lists, mut known, mut bad) = (Vec::new(), HashMap::new(), Vec::new());
    let domain = options.domain.as_deref();
    ldif::read(
        text,
        |entry| {
            for (name, _) in &entry.attributes {
                roster.met(name, ATTRIBUTES.iter().find(|(known, _)| known == name).map(|(_, field)| *field));
            }
            if entry.left_out {
                roster.complain(entry.line, Text::new("the entry has too many values", "条目的值过多"));
            }
            one(&entry, domain, roster, &mut lists, &mut known)
        },
        |line| bad.push(line),
    );
    for line in bad {
        roster.complain(line, Text::new("that is no line of LDIF", "这不是 LDIF 行"));
    }
    for list in lists {
        settle(list, domain, roster, &known);
    }
}

fn one(
    entry: &Entry,
    domain: Option<&str>,
    roster: &mut Roster,
    lists: &mut Vec<Unsettled>,
    known: &mut HashMap<String, Address>,
) -> bool {
    let line = entry.line;
    if let Some(name) = entry.all("zimbradomainname").next().filter(|_| entry.is("zimbradomain")) {
        return roster.add(line, Ok(row::Entry::Domain { name: name.trim().to_lowercase(), alias_of: None }));
    }
    let is_list = LISTS.iter().any(|class| entry.is(class));
    let address = match address_of(entry, domain) {
        Some(Ok(address)) => address,
        Some(Err(text)) => return roster.add(line, Err(text)),
        None => {
            let harmless = !is_list && !entry.is("inetorgperson") && !entry.is("posixaccount");
            let text = Text::new(format!("{} has no address", entry.dn), format!("{} 没有邮箱地址", entry.dn));
            roster.note(line, harmless, text);
            return true;
        }
    };
    known.insert(plain_dn(&entry.dn), address.clone());
    if !is_list {
        if let Some(uid) = entry.all("uid").next() {
            known.insert(uid.to_lowercase(), address.clone());
        }
        return roster.add(line, person(entry, &address, domain));
    }
    let name = entry.all("displayname").chain(entry.all("cn")).next().unwrap_or_default().to_owned();
    let mut list = Unsettled { line, address, name, members: Vec::new(), named: Vec::new() };
    for attribute in MEMBER_ADDRESSES {
        for value in entry.all(attribute) {
            match addresses(value, domain) {
                Ok(some) => list.members.extend(some),
                Err(text) => roster.complain(line, text),
            }
        }
    }
    list.named = MEMBER_NAMES.iter().flat_map(|attribute| entry.all(attribute)).map(str::to_owned).collect();
    lists.push(list);
    true
}

/// The main address; `None` when nothing names one.
fn address_of(entry: &Entry, domain: Option<&str>) -> Option<Result<Address, Text>> {
    let named = entry.all("zimbramaildeliveryaddress").chain(entry.all("mail")).next();
    let by_login = || domain.and(entry.all("uid").chain(entry.all("cn").filter(|_| entry.is("posixgroup"))).next());
    named.or_else(by_login).map(|text| address_in(text, domain))
}

fn person(entry: &Entry, address: &Address, domain: Option<&str>) -> Result<row::Entry, Text> {
    let (main, mut draft) = (address.to_string(), Draft::new());
    draft.values.push((Field::Address, &main));
    let mut hashed = None;
    for (attribute, field) in ATTRIBUTES {
        for value in entry.all(attribute) {
            let field = match field {
                // Further addresses are aliases.
                Field::Address => Field::Aliases,
                other => *other,
            };
            if field == Field::Keep {
                draft.values.push((field, if value.eq_ignore_ascii_case("true") { "no" } else { "yes" }));
            } else if *attribute == "userpassword" && hashed.is_none() {
                hashed = Some(value);
                // Without a scheme it is the password itself (RFC 4519 §2.41).
                draft.values.push((Field::Password, value));
            } else if *attribute != "userpassword" {
                draft.values.push((field, value));
            }
        }
    }
    draft.entry(domain.or(Some(address.domain())))
}

fn settle(list: Unsettled, domain: Option<&str>, roster: &mut Roster, known: &HashMap<String, Address>) {
    let Unsettled { line, address, name, mut members, named } = list;
    for one in named.into_iter().take(ADDRESSES) {
        let found = known.get(&plain_dn(&one)).cloned();
        let found = found.or_else(|| domain.filter(|_| !one.contains('=')).and_then(|_| address_in(&one, domain).ok()));
        match found {
            Some(member) => members.push(member),
            None => {
                let text = Text::new(format!("the member {one} is not in the file"), format!("文件中没有成员 {one}"));
                roster.complain(line, text);
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    members.retain(|member| seen.insert(member.key()));
    roster.add(line, Ok(row::Entry::List { address, name, members }));
}

/// The name of an entry without what spelling changes.
fn plain_dn(dn: &str) -> String {
    dn.split(',').map(str::trim).collect::<Vec<_>>().join(",").to_lowercase()
}
