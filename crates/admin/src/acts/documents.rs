//! The documents of a move: what it knows, beside what this server and the DNS say.

use anser_base::{Address, Result};
use anser_migrate::documents::{DOCUMENTS, Facts, Language, Table, calendar, page};

use crate::acts::moves::PIECE;
use crate::answer::{DocumentView, Event, Item, Out, Report};
use crate::{Actor, Admin};

/// Members of a list that are named.
const MEMBERS: usize = 200;
/// Lists that are named.
const LISTS: usize = 2_000;
/// Services and the facts that their ports are.
const PORTS: [(&str, &str); 6] = [
    ("imap", "imap-port"),
    ("imaps", "imaps-port"),
    ("pop3", "pop3-port"),
    ("pop3s", "pop3s-port"),
    ("submission", "submission-port"),
    ("submissions", "submissions-port"),
];

impl Admin {
    /// Every document in both languages, as HTML and as PDF, signed, and a calendar of what is to be done when.
    pub(super) async fn move_documents(&self, actor: &Actor, name: &str, out: &Out) -> Result<Report> {
        let moves = &self.deps.moves;
        let seen = self.look_at_domains(name).await?;
        let lists = self.lists_of(name).await?;
        for (word, language) in [("en", Language::En), ("zh", Language::Zh)] {
            let mut facts = moves.facts(name, &seen, language).await?;
            self.add_own(&mut facts);
            facts.tables.insert("dns", self.wanted_records(name, language).await?);
            facts.tables.insert("lists", lists.clone());
            for document in &DOCUMENTS {
                let [html, pdf] = moves.sign_document(&page(document, language, &facts))?;
                hand_out(out, format!("{}.html", document.name), word, &html).await?;
                hand_out(out, format!("{}.pdf", document.name), word, &pdf).await?;
            }
            let appointments = moves.appointments(name, language).await?;
            let made = calendar(name, &self.deps.hostname, self.deps.clock.now(), &appointments);
            hand_out(out, "visits.ics".to_owned(), word, &made).await?;
        }
        self.note(actor, "move.documents", name, None, None).await?;
        Ok(Report::Done)
    }

    /// What this server says of itself.
    pub(super) fn add_own(&self, facts: &mut Facts) {
        let hostname = &self.deps.hostname;
        facts.texts.insert("hostname", hostname.clone());
        let services = self.deps.running.iter().flat_map(|running| &running.services);
        for (service, addresses, _) in services {
            let Some(port) = addresses.first().map(std::net::SocketAddr::port) else { continue };
            if let Some((_, fact)) = PORTS.iter().find(|(known, _)| known == service) {
                facts.texts.insert(fact, port.to_string());
            }
            if *service == "https" {
                let behind = if port == 443 { String::new() } else { format!(":{port}") };
                facts.texts.insert("webmail", format!("https://{hostname}{behind}/"));
            }
        }
    }

    /// The records that the domains of a move need.
    async fn wanted_records(&self, name: &str, language: Language) -> Result<Table> {
        let mut table = Table::new(&[("Name", "名称"), ("Type", "类型"), ("Value", "值"), ("What for", "用途")]);
        for domain in self.deps.moves.domains(name).await? {
            if self.deps.directory.domain(&domain).await?.is_none() {
                continue;
            }
            let (own, mut events) = Out::new();
            let domain = &domain;
            let told = async move {
                let told = self.domain_dns(domain, false, &own).await;
                drop(own);
                told
            };
            let heard = async {
                while let Some(event) = events.recv().await {
                    if let Event::Item(item) = event
                        && let Item::Record(one) = *item
                    {
                        let why = if language == Language::Zh { one.zh } else { one.en };
                        table.rows.push(vec![one.name, one.kind, one.value, why]);
                    }
                }
            };
            tokio::join!(told, heard).0?;
        }
        Ok(table)
    }

    /// The groups of the domains of a move, with their members.
    async fn lists_of(&self, name: &str) -> Result<Table> {
        let domains = self.deps.moves.domains(name).await?;
        let mut table = Table::new(&[("List", "列表"), ("Name", "名称"), ("Members", "成员")]);
        let mut after: Option<Address> = None;
        loop {
            let page = self.deps.directory.groups(after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(table) };
            after = Some(last.address.clone());
            for group in page {
                let address = group.address.to_string();
                let is_ours =
                    address.rsplit_once('@').is_some_and(|(_, domain)| domains.iter().any(|ours| ours == domain));
                if !is_ours || table.rows.len() >= LISTS {
                    continue;
                }
                let members = self.deps.directory.members(group.id).await?;
                let mut names: Vec<String> = members.iter().take(MEMBERS).map(Address::to_string).collect();
                if members.len() > MEMBERS {
                    names.push(format!("… ({})", members.len()));
                }
                table.rows.push(vec![address, group.name, names.join(", ")]);
            }
        }
    }
}

async fn hand_out(out: &Out, name: String, language: &str, text: &str) -> Result<()> {
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE));
        let (name, language, text) = (name.clone(), language.to_owned(), piece.to_owned());
        out.item(Item::MoveDocument(DocumentView { name, language, text })).await?;
        rest = behind;
    }
    Ok(())
}
