//! People come in from what an old system exports: a dry run with an answer for every line, then the same for good, in transactions of
//! [`BATCH`]. Bringing the same in again changes what is other, and doubles nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use anser_base::{Address, Class, Error, Language, Result, Text};
use anser_directory::password::stored::{self, Strength};
use anser_directory::{AliasTarget, Incoming, Locale, NewDomain, Outcome, Stored, Verdict};
use anser_migrate::imported::Imported;
use anser_roster::{Entry, Format, Options, Pass, Person, Row};
use anser_sieve::form::{self, Form};
use tokio::sync::mpsc;

use crate::answer::{ColumnView, Item, LineView, Mail, Out, Report, SchemeView, SlipView};
use crate::request::{FirstPassword, PeopleImport};
use crate::{Actor, Admin};

/// People of one transaction.
const BATCH: usize = 500;
/// Files of one import: passwd and shadow are two.
const FILES: usize = 8;
/// Digits of an identity card that a first password is made of.
const ID_TAIL: usize = 6;
/// Days in which one sender gets an away answer once.
const AWAY_DAYS: u32 = 7;

/// What a file says, put in the order in which it is done.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) domains: Vec<(u64, String, Option<String>)>,
    /// Domains that are made by this import, or would be.
    coming: HashSet<String>,
    pub(super) people: Vec<(u64, Person)>,
    /// Where somebody is among the people, by the key of the main address.
    at: HashMap<String, usize>,
    pub(super) aliases: Vec<(u64, Address, Vec<Address>)>,
    catch_alls: Vec<(u64, String, Address)>,
    pub(super) lists: Vec<(u64, Address, String, Vec<Address>)>,
}

/// How many became what.
#[derive(Default)]
struct Totals {
    new: u64,
    changed: u64,
    same: u64,
    refused: u64,
    schemes: BTreeMap<&'static str, (u64, bool)>,
}

impl Admin {
    /// Brings in what files say that follow as `mails`, one each, its name in the folder. Every line gets an [`Item::Line`]; what the
    /// columns were taken for comes before, slips with first passwords after.
    pub async fn import_people(
        &self,
        actor: &Actor,
        import: PeopleImport,
        mails: mpsc::Receiver<Mail>,
        out: &Out,
    ) -> Result<Report> {
        let (mut totals, mut wanted) = (Totals::default(), Wanted::default());
        if let Some(name) = &import.of_move {
            // Whoever names no move is told before anything is done: behind it nobody would see the first passwords.
            self.deps.moves.form(name).await?;
        }
        for row in self.read_files(&import, mails, &mut totals, out).await? {
            wanted.take(row, &mut totals, out).await?;
        }
        wanted.settle();
        let apply = !import.dry_run;
        self.bring_domains(&mut wanted, &import, &mut totals, out).await?;
        let (slips, mut imported) = self.bring_all(&wanted, &import, &mut totals, out).await?;
        self.bring_aliases(&wanted, apply, &mut totals, out).await?;
        self.bring_lists(&wanted, apply, &mut totals, out).await?;
        for total in self.totals(&wanted, &import).await? {
            out.item(Item::Total(total)).await?;
        }
        if apply {
            let Totals { new, changed, same, refused, .. } = &totals;
            let after = Some(format!("{new} new, {changed} changed, {same} same, {refused} refused"));
            self.note(actor, "people.import", import.domain.as_deref().unwrap_or_default(), None, after).await?;
        }
        for slip in slips {
            out.item(Item::Slip(slip)).await?;
        }
        if let Some(name) = import.of_move.as_deref().filter(|_| apply) {
            imported.extend(wanted.lists.iter().map(|(_, address, _, members)| Imported::list(address, members)));
            self.deps.moves.remember_imported(name, imported).await?;
        }
        let scheme = |(name, (count, weak)): (&str, (u64, bool))| SchemeView { name: name.to_owned(), count, weak };
        let schemes = totals.schemes.into_iter().map(scheme).collect();
        let Totals { new, changed, same, refused, .. } = totals;
        Ok(Report::People { dry_run: import.dry_run, new, changed, same, refused, schemes })
    }

    /// Reads the files off the reactor; what cannot be read is told. Lines of shadow are joined to those of passwd.
    async fn read_files(
        &self,
        import: &PeopleImport,
        mut mails: mpsc::Receiver<Mail>,
        totals: &mut Totals,
        out: &Out,
    ) -> Result<Vec<Row>> {
        let format = match import.format.as_deref() {
            None => None,
            Some(name) => Some(Format::named(name).ok_or_else(|| unknown_format(name))?),
        };
        let options = Options { format, domain: import.domain.clone() };
        let (mut rows, mut secrets, mut files) = (Vec::new(), Vec::new(), 0);
        while let Some(mail) = mails.recv().await {
            files += 1;
            if files > FILES {
                return Err(Error::new(Class::Limit, format!("at most {FILES} files"), format!("最多 {FILES} 个文件")));
            }
            let options = options.clone();
            let read = tokio::task::spawn_blocking(move || anser_roster::read(&mail.body, &options));
            let roster = read.await.map_err(Error::unavailable)?;
            let separator = roster.separator.map(String::from).unwrap_or_default();
            let kind = ColumnView::new(roster.format.name(), roster.charset, &separator);
            out.item(Item::Column(kind)).await?;
            for column in &roster.columns {
                let words = column.field.map(anser_roster::Field::words);
                out.item(Item::Column(ColumnView::of(&column.name, words))).await?;
            }
            for problem in &roster.problems {
                let state = if problem.harmless { "left-out" } else { "refused" };
                out.item(Item::Line(LineView::new(problem.line, "", state, Vec::new(), Some(&problem.text)))).await?;
            }
            let harmless = roster.problems.iter().filter(|problem| problem.harmless).count() as u64;
            totals.refused += roster.problem_count - harmless;
            let into = if roster.format == Format::Shadow { &mut secrets } else { &mut rows };
            into.extend(roster.rows);
        }
        Ok(join_shadow(rows, secrets))
    }

    /// The domains that are new, and that people are in.
    async fn bring_domains(
        &self,
        wanted: &mut Wanted,
        import: &PeopleImport,
        totals: &mut Totals,
        out: &Out,
    ) -> Result<()> {
        let mut all = wanted.domains.clone();
        if import.add_domains {
            let known: HashSet<&str> = all.iter().map(|(_, name, _)| name.as_str()).collect();
            let mut more: Vec<(u64, String, Option<String>)> = Vec::new();
            for (line, person) in &wanted.people {
                let name = person.address.domain();
                if !known.contains(name) && !more.iter().any(|(_, one, _)| one == name) {
                    more.push((*line, name.to_owned(), None));
                }
            }
            all.extend(more);
        }
        for (line, name, alias_of) in all {
            let verdict = match self.deps.directory.domain(&name).await? {
                Some(_) => Verdict::Same,
                None => {
                    let is_own = alias_of.is_none();
                    let new = NewDomain { alias_of, ..NewDomain::new(&name) };
                    let made =
                        if import.dry_run { Ok(()) } else { self.deps.directory.add_domain(new).await.map(drop) };
                    if made.is_ok() && is_own {
                        wanted.coming.insert(name.clone());
                    }
                    verdict_of(made)?
                }
            };
            totals.tell(line, &name, &verdict, None, out).await?;
        }
        Ok(())
    }

    /// Whether mail for a domain is taken here, once everything was brought in.
    async fn is_ours(&self, wanted: &Wanted, domain: &str) -> Result<bool> {
        Ok(wanted.coming.contains(domain) || self.deps.directory.domain(domain).await?.is_some())
    }

    /// People, batch by batch: looked at, given first passwords where they lack one, brought in. Returns their slips, and what was said of
    /// them.
    async fn bring_all(
        &self,
        wanted: &Wanted,
        import: &PeopleImport,
        totals: &mut Totals,
        out: &Out,
    ) -> Result<(Vec<SlipView>, Vec<Imported>)> {
        let (directory, total) = (&self.deps.directory, wanted.people.len() as u64);
        let (mut slips, mut imported, mut done) = (Vec::new(), Vec::new(), 0);
        for batch in wanted.people.chunks(BATCH) {
            let (mut incoming, mut notes) = (Vec::new(), Vec::new());
            for (_, person) in batch {
                let (one, note) = prepared(person, totals);
                incoming.push(one);
                notes.push(note);
            }
            imported.extend(incoming.iter().map(Imported::from));
            let mut outcomes = directory.bring_people(incoming.clone(), wanted.coming.clone(), false).await?;
            if !import.dry_run {
                let made = self.give_passwords(batch, &mut incoming, &outcomes, import);
                outcomes = directory.bring_people(incoming, wanted.coming.clone(), true).await?;
                slips.extend(made);
            }
            for (((line, person), outcome), note) in batch.iter().zip(&outcomes).zip(&notes) {
                totals.tell(*line, &person.address.to_string(), &outcome.verdict, note.as_ref(), out).await?;
            }
            done += batch.len() as u64;
            out.progress(done, total);
        }
        Ok((slips, imported))
    }

    /// First passwords for those whom nothing lets in.
    fn give_passwords(
        &self,
        batch: &[(u64, Person)],
        incoming: &mut [Incoming],
        outcomes: &[Outcome],
        import: &PeopleImport,
    ) -> Vec<SlipView> {
        let mut slips = Vec::new();
        for (((_, person), one), outcome) in batch.iter().zip(incoming).zip(outcomes) {
            if !outcome.lacks_password || matches!(outcome.verdict, Verdict::Refused(_)) {
                continue;
            }
            let by_formula =
                || person.id_number.as_ref().and_then(|number| first_by_formula(&number.0, &person.address));
            let (password, weak) = match import.passwords {
                FirstPassword::None => continue,
                FirstPassword::Random => (self.deps.directory.first_password(), false),
                FirstPassword::Formula => match by_formula() {
                    Some(password) => (password, true),
                    None => (self.deps.directory.first_password(), false),
                },
            };
            one.password = Some(Stored(format!("{{PLAIN}}{password}")));
            one.must_change = import.must_change;
            let (address, name) = (person.address.to_string(), person.name.clone().unwrap_or_default());
            let department = person.department.clone().unwrap_or_default();
            slips.push(SlipView { address, name, department, password, weak });
        }
        slips
    }

    async fn bring_aliases(&self, wanted: &Wanted, apply: bool, totals: &mut Totals, out: &Out) -> Result<()> {
        let directory = &self.deps.directory;
        for (line, address, targets) in &wanted.aliases {
            let Some(target) = targets.first() else { continue };
            let same = directory.alias(address).await?.is_some();
            let verdict = if same {
                Verdict::Same
            } else if !apply {
                Verdict::New
            } else if self.is_ours(wanted, target.domain()).await? {
                match directory.account_by_address(target).await? {
                    Some(account) => verdict_of(directory.add_alias(address, AliasTarget::Account(account.id)).await)?,
                    None => Verdict::Refused(Text::new(
                        format!("{target} is nobody's address"),
                        format!("没有地址 {target}"),
                    )),
                }
            } else {
                verdict_of(directory.add_alias(address, AliasTarget::Outside(target.clone())).await)?
            };
            totals.tell(*line, &address.to_string(), &verdict, None, out).await?;
        }
        for (line, domain, target) in &wanted.catch_alls {
            let known = directory.domain(domain).await?.and_then(|domain| domain.catch_all);
            let verdict = match known {
                Some(known) if known.key() == target.key() => Verdict::Same,
                _ if !apply => Verdict::Changed(vec!["catch-all"]),
                _ => match directory.set_catch_all(domain, Some(target)).await {
                    Ok(()) => Verdict::Changed(vec!["catch-all"]),
                    Err(error) => verdict_of(Err(error))?,
                },
            };
            totals.tell(*line, &format!("@{domain}"), &verdict, None, out).await?;
        }
        Ok(())
    }

    /// Lists: all of them first, so that they may hold one another, then their members.
    async fn bring_lists(&self, wanted: &Wanted, apply: bool, totals: &mut Totals, out: &Out) -> Result<()> {
        let directory = &self.deps.directory;
        let mut new = HashSet::new();
        for (_, address, name, _) in &wanted.lists {
            if directory.group(address).await?.is_none() {
                new.insert(address.key());
                if apply {
                    // Why it cannot be is told with its line below.
                    let _ = directory.add_group(address, name).await;
                }
            }
        }
        for (line, address, name, members) in &wanted.lists {
            let group = directory.group(address).await?;
            let (verdict, note) = match group {
                None if !apply && self.is_ours(wanted, address.domain()).await? => (Verdict::New, None),
                // Once more for the reason.
                None => (verdict_of(directory.add_group(address, name).await.map(drop))?, None),
                Some(group) => {
                    let known: HashSet<String> = directory.members(group.id).await?.iter().map(Address::key).collect();
                    let missing: Vec<Address> =
                        members.iter().filter(|member| !known.contains(&member.key())).cloned().collect();
                    let note = if apply { self.join(group.id, &missing).await? } else { None };
                    let verdict = match (new.contains(&address.key()), missing.is_empty()) {
                        (true, _) => Verdict::New,
                        (false, true) => Verdict::Same,
                        (false, false) => Verdict::Changed(vec!["members"]),
                    };
                    (verdict, note)
                }
            };
            totals.tell(*line, &address.to_string(), &verdict, note.as_ref(), out).await?;
        }
        Ok(())
    }

    /// Adds members; when one of them cannot be, all others, and says which could not.
    async fn join(&self, group: anser_directory::GroupId, members: &[Address]) -> Result<Option<Text>> {
        let directory = &self.deps.directory;
        if members.is_empty() || directory.add_members(group, members.to_vec()).await.is_ok() {
            return Ok(None);
        }
        let mut left_out: Option<Text> = None;
        for member in members {
            if let Err(error) = directory.add_members(group, vec![member.clone()]).await
                && left_out.is_none()
            {
                let (en, zh) = (format!("{member}: {}", error.text.en), format!("{member}：{}", error.text.zh));
                left_out = Some(Text::new(en, zh));
            }
        }
        Ok(left_out)
    }
}

impl Wanted {
    /// Takes a row; what the file says twice is refused at the second place.
    async fn take(&mut self, row: Row, totals: &mut Totals, out: &Out) -> Result<()> {
        let Row { line, entry } = row;
        match entry {
            Entry::Domain { name, alias_of } => self.domains.push((line, name, alias_of)),
            Entry::Person(person) => match self.at.get(&person.address.key()) {
                Some(at) => {
                    let first = self.people[*at].0;
                    let text =
                        Text::new(format!("line {first} has the same address"), format!("与第 {first} 行的地址相同"));
                    let address = person.address.to_string();
                    totals.tell(line, &address, &Verdict::Refused(text), None, out).await?;
                }
                None => {
                    self.at.insert(person.address.key(), self.people.len());
                    self.people.push((line, *person));
                }
            },
            Entry::Alias { address, targets } => self.aliases.push((line, address, targets)),
            Entry::CatchAll { domain, target } => self.catch_alls.push((line, domain, target)),
            Entry::List { address, name, members } => self.lists.push((line, address, name, members)),
        }
        Ok(())
    }

    /// Gives aliases to the people that they lead to, forwards to those whose address leads on, and makes lists of what leads to many.
    fn settle(&mut self) {
        for (line, address, targets) in std::mem::take(&mut self.aliases) {
            if let Some(at) = self.at.get(&address.key()) {
                let person = &mut self.people[*at].1;
                person.keep = targets.iter().any(|target| target.key() == address.key());
                person.forwards.extend(targets.into_iter().filter(|target| target.key() != address.key()));
                continue;
            }
            match &targets[..] {
                [target] if self.at.contains_key(&target.key()) => {
                    let at = self.at[&target.key()];
                    self.people[at].1.aliases.push(address);
                }
                [_] => self.aliases.push((line, address, targets)),
                _ => self.lists.push((line, address, String::new(), targets)),
            }
        }
        let lists: HashMap<String, usize> =
            self.lists.iter().enumerate().map(|(at, (_, address, ..))| (address.key(), at)).collect();
        for (line, person) in &self.people {
            for list in &person.lists {
                match lists.get(&list.key()) {
                    Some(at) => self.lists[*at].3.push(person.address.clone()),
                    None => self.lists.push((*line, list.clone(), String::new(), vec![person.address.clone()])),
                }
            }
        }
        merge_lists(&mut self.lists);
    }
}

/// Lists of one address are one; members once each, and none its own.
fn merge_lists(lists: &mut Vec<(u64, Address, String, Vec<Address>)>) {
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<(u64, Address, String, Vec<Address>)> = Vec::new();
    for (line, address, name, members) in std::mem::take(lists) {
        match at.get(&address.key()) {
            Some(known) => all[*known].3.extend(members),
            None => {
                at.insert(address.key(), all.len());
                all.push((line, address, name, members));
            }
        }
    }
    for (_, address, _, members) in &mut all {
        let mut seen = HashSet::from([address.key()]);
        members.retain(|member| seen.insert(member.key()));
    }
    *lists = all;
}

impl Totals {
    async fn tell(
        &mut self,
        line: u64,
        address: &str,
        verdict: &Verdict,
        note: Option<&Text>,
        out: &Out,
    ) -> Result<()> {
        let (count, state, fields, why) = match verdict {
            Verdict::New => (&mut self.new, "new", Vec::new(), note),
            Verdict::Changed(fields) => {
                (&mut self.changed, "changed", fields.iter().map(|field| (*field).to_owned()).collect(), note)
            }
            Verdict::Same => (&mut self.same, "same", Vec::new(), note),
            Verdict::Refused(why) => (&mut self.refused, "refused", Vec::new(), Some(why)),
        };
        *count += 1;
        out.item(Item::Line(LineView::new(line, address, state, fields, why))).await
    }
}

/// Somebody as the directory takes them, and what must be said about it.
fn prepared(person: &Person, totals: &mut Totals) -> (Incoming, Option<Text>) {
    let (password, mut note) = match &person.pass {
        None => (None, None),
        Some(Pass::Clear(clear)) => {
            totals.schemes.entry("clear").or_insert((0, true)).0 += 1;
            (Some(Stored(format!("{{PLAIN}}{clear}"))), None)
        }
        Some(Pass::Hashed(hash)) => match stored::describe(hash) {
            Some((name, strength)) => {
                totals.schemes.entry(name).or_insert((0, strength == Strength::Weak)).0 += 1;
                (Some(Stored(hash.clone())), None)
            }
            None => {
                totals.schemes.entry("unknown").or_insert((0, true)).0 += 1;
                let text =
                    Text::new("the password's hash is of no known kind and is not used", "密码哈希格式未知，未采用");
                (None, Some(text))
            }
        },
    };
    let script = match rules(person) {
        Ok(script) => script,
        Err(error) => {
            let (en, zh) = (format!("rules left out: {}", error.text.en), format!("规则未导入：{}", error.text.zh));
            note = Some(Text::new(en, zh));
            None
        }
    };
    let incoming = Incoming {
        address: person.address.clone(),
        name: person.name.clone(),
        department: person.department.clone(),
        signature: person.signature.clone(),
        password,
        must_change: false,
        quota: person.quota,
        locale: person.language.map(|language| if language == Language::English { Locale::En } else { Locale::Zh }),
        active: person.active,
        aliases: person.aliases.clone(),
        script,
    };
    (incoming, note)
}

/// Rules, forwards and the away text as one script that compiles.
fn rules(person: &Person) -> Result<Option<String>> {
    if person.sieve.is_none() && person.forwards.is_empty() && person.away.is_none() {
        return Ok(None);
    }
    let mut form = Form::read(person.sieve.as_deref().unwrap_or_default());
    if let Some(away) = &person.away {
        form.items.push(form::Item::Away(form::Away {
            enabled: away.on,
            from: None,
            until: None,
            subject: None,
            domains: Vec::new(),
            inside: away.text.clone(),
            outside: String::new(),
            days: AWAY_DAYS,
            addresses: person.aliases.iter().map(Address::to_string).collect(),
        }));
    }
    if !person.forwards.is_empty() {
        let to = person.forwards.iter().map(Address::to_string).collect();
        form.items.push(form::Item::Forward(form::Forward { enabled: true, to, keep: person.keep }));
    }
    form.check()?;
    let script = form.to_script();
    anser_sieve::compile(script.as_bytes()).map_err(Error::from)?;
    Ok(Some(script))
}

/// The last digits of an identity card and the name before the `@`; its `X` becomes small. Weak: many know both.
fn first_by_formula(number: &str, address: &Address) -> Option<String> {
    let tail: Vec<char> = number.chars().filter(char::is_ascii_alphanumeric).collect();
    let tail = tail.get(tail.len().checked_sub(ID_TAIL)?..)?;
    Some(format!("{}{}", tail.iter().collect::<String>().to_lowercase(), address.local()))
}

/// People of passwd get the hashes of shadow; those that are in shadow alone are people as well.
fn join_shadow(mut rows: Vec<Row>, secrets: Vec<Row>) -> Vec<Row> {
    let key = |row: &Row| match &row.entry {
        Entry::Person(person) => Some(person.address.key()),
        _ => None,
    };
    let at: HashMap<String, usize> = rows.iter().enumerate().filter_map(|(at, row)| Some((key(row)?, at))).collect();
    let alone = rows.is_empty();
    for secret in secrets {
        let found = key(&secret).and_then(|key| at.get(&key)).copied();
        match (found, &secret.entry) {
            (Some(at), Entry::Person(known)) => {
                if let Entry::Person(person) = &mut rows[at].entry {
                    person.pass.clone_from(&known.pass);
                }
            }
            _ if alone => rows.push(secret),
            // Somebody whom passwd leaves out is the system's own.
            _ => {}
        }
    }
    rows
}

/// What an act that was refused means for its line; what is temporary ends the import.
fn verdict_of(done: Result<()>) -> Result<Verdict> {
    match done {
        Ok(()) => Ok(Verdict::New),
        Err(error) if matches!(error.class, Class::Unavailable | Class::Full | Class::Damaged) => Err(error),
        Err(error) => Ok(Verdict::Refused(error.text)),
    }
}

fn unknown_format(name: &str) -> Error {
    Error::invalid(format!("there is no format {name}"), format!("没有格式 {name}"))
}
