//! What acts answer, for people and as JSON.

use std::fmt;
use std::io::{ErrorKind, Write};

use anser_admin::answer::{
    AccountView, EntryView, EventView, Item, ReceivedView, RecordView, Report, SeenView, StatusView,
};
use anser_admin::request::ProviderSpec;
use anser_base::{Error, Result};
use serde_json::Value;

use crate::moves;
use crate::text::{self, Language};

/// Whoever read standard output has closed it: `anser queue list | head`. The command ends quietly.
#[derive(Debug)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the output any more")
    }
}

impl std::error::Error for Closed {}

/// Writes to standard output. [`Closed`] is the source of the error when nobody reads it.
pub fn out(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Error::unavailable(Closed),
        _ => Error::io(error),
    })
}

/// How an answer is printed: JSON gives one document, an array for a list.
pub struct Printer {
    language: Language,
    json: bool,
    /// Whether the act gives a list, so that nothing found is `[]`.
    list: bool,
    items: u64,
}

impl Printer {
    /// For one answer.
    pub fn new(language: Language, json: bool, list: bool) -> Self {
        Self { language, json, list, items: 0 }
    }

    /// One thing.
    pub fn item(&mut self, item: &Item) -> Result<()> {
        let text = if self.json {
            let before = if self.list { if self.items == 0 { "[\n" } else { ",\n" } } else { "" };
            format!("{before}{}", inner(item))
        } else {
            self.in_words(item)
        };
        self.items += 1;
        out(&text)
    }

    /// The end.
    pub fn report(&self, report: &Report) -> Result<()> {
        let text = match (self.json, self.list, self.items) {
            (true, true, 0) => Some("[]".to_owned()),
            (true, true, _) => Some("\n]".to_owned()),
            (true, false, 0) => Some(serde_json::to_string(report).unwrap_or_default()),
            (true, false, _) => Some(String::new()),
            (false, ..) => self.report_in_words(report),
        };
        text.map_or(Ok(()), |text| out(&(text + "\n")))
    }

    fn report_in_words(&self, report: &Report) -> Option<String> {
        let say = |line, words: &[&str]| Some(self.language.say(line, words));
        match report {
            Report::Done if self.list && self.items == 0 => say(text::NOTHING, &[]),
            Report::Done => None,
            Report::Counted { count } => say(text::COUNTED, &[&count.to_string()]),
            Report::AppPassword { token, id, password } => {
                let line = if *token { text::TOKEN } else { text::APP_PASSWORD };
                let line = say(line, &[&id.to_string(), password])?;
                Some(format!("{line}\n{}", self.language.say(text::SHOWN_ONCE, &[])))
            }
            Report::Registered { id, secret: None } => say(text::REGISTERED, &[id]),
            Report::Registered { id, secret: Some(secret) } => {
                let line = say(text::REGISTERED_SECRET, &[id, secret])?;
                Some(format!("{line}\n{}", self.language.say(text::SHOWN_ONCE, &[])))
            }
            Report::Mails { messages, bytes, skipped, failed } => {
                let line = say(text::MAILS, &[&messages.to_string(), &size(*bytes)])?;
                let left_out = (*skipped > 0).then(|| self.language.say(text::LEFT_OUT, &[&skipped.to_string()]));
                let mut lines = [Some(line), left_out].into_iter().flatten().collect::<Vec<_>>().join(", ");
                for one in failed {
                    lines += &format!("\n{}", self.language.say(text::NOT_WHOLE, &[&one.address, &one.why]));
                }
                Some(lines)
            }
            Report::People { dry_run, new, changed, same, refused, .. } => {
                let numbers = [new, changed, same, refused].map(ToString::to_string);
                let line = if *dry_run { text::PEOPLE_TRIAL } else { text::PEOPLE };
                say(line, &numbers.each_ref().map(String::as_str))
            }
            Report::Checked { accounts, bodies, events, findings, mended, torn } => {
                let numbers = [accounts, bodies, events, findings, mended].map(ToString::to_string);
                let line = say(text::CHECKED, &numbers.each_ref().map(String::as_str));
                let torn = (*torn > 0).then(|| self.language.say(text::TORN, &[&torn.to_string()]));
                Some([line, torn].into_iter().flatten().collect::<Vec<_>>().join("\n"))
            }
            Report::BackedUp { parts, bodies, bytes, skipped } => {
                let line = say(text::BACKED_UP, &[&parts.to_string(), &bodies.to_string(), &size(*bytes)])?;
                let failed = (*skipped > 0).then(|| self.language.say(text::NOT_BACKED_UP, &[&skipped.to_string()]));
                Some([Some(line), failed].into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            Report::Swept { files, deleted, freed, waiting } => {
                let (files, deleted, waiting) = (files.to_string(), deleted.to_string(), waiting.to_string());
                say(text::SWEPT, &[&files, &deleted, &size(*freed), &waiting])
            }
            Report::Script { text } => Some(text.trim_end().to_owned()),
            Report::Form { form } => serde_json::to_string_pretty(form).ok(),
            Report::Tried { looked, touched, partial } => {
                let line = say(text::TRIED, &[&looked.to_string(), &touched.to_string()])?;
                let partly = partial.then(|| self.language.say(text::TRIED_PARTLY, &[]));
                Some([Some(line), partly].into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            Report::Status(view) => Some(self.status(view)),
        }
    }

    fn status(&self, view: &StatusView) -> String {
        let say = |line, words: &[&str]| self.language.say(line, words);
        let mut lines = vec![format!("anser {} {} ({})", view.version, view.hostname, view.engine)];
        lines.push(match (&view.started, view.process) {
            (Some(started), Some(process)) => say(text::RUNS, &[started, &process.to_string()]),
            _ => say(text::STOPPED, &[]),
        });
        lines.push(say(text::STATUS_ACCOUNTS, &[&view.accounts.to_string()]));
        let queue = [view.queue_fresh, view.queue_waiting, view.queue_held].map(|count| count.to_string());
        lines.push(say(text::STATUS_QUEUE, &queue.each_ref().map(String::as_str)));
        for service in &view.services {
            let numbers = [service.live, service.accepted, service.refused].map(|count| count.to_string());
            let counts = say(text::STATUS_SERVICE, &numbers.each_ref().map(String::as_str));
            lines.push(format!("  {:<12} {:<22} {counts}", service.name, service.addresses.join(" ")));
        }
        for certificate in &view.certificates {
            let more = match &*certificate.state {
                "ending" => Some(text::CERTIFICATE_ENDING),
                "bad" => Some(text::CERTIFICATE_BAD),
                "self-signed" => Some(text::CERTIFICATE_SELF_SIGNED),
                _ => None,
            };
            let days = certificate.days.to_string();
            let life = [&certificate.issuer, &certificate.ends, &days].map(String::as_str);
            lines.push(format!("  {}  {}", certificate.names.join(" "), say(text::STATUS_CERTIFICATE, &life)));
            lines.extend(more.map(|more| format!("    ! {}", say(more, &[]))));
        }
        for trouble in &view.certificates_failing {
            let failures = trouble.failures.to_string();
            let words = [&trouble.name, &trouble.why, &failures, &trouble.again].map(String::as_str);
            lines.push(format!("  ! {}", say(text::CERTIFICATE_FAILING, &words)));
        }
        lines.join("\n")
    }

    fn in_words(&self, item: &Item) -> String {
        match item {
            Item::Domain(domain) => {
                let more = [("=", &domain.alias_of), ("*", &domain.catch_all), ("postmaster", &domain.postmaster)];
                let more = more.iter().filter_map(|(name, value)| Some(format!("  {name} {}", value.as_ref()?)));
                let states = [(domain.disabled, text::SWITCHED_OFF), (domain.default, text::DEFAULT_DOMAIN)];
                let states = states.iter().filter(|(is_so, _)| *is_so);
                let states = states.map(|(_, word)| format!("  {}", self.language.say(*word, &[])));
                format!("{}{}{}\n", domain.name, more.collect::<String>(), states.collect::<String>())
            }
            Item::Account(account) => account_in_words(self.language, account),
            Item::Alias(alias) => format!("{}  {}\n", alias.address, alias.target),
            Item::Group(group) => {
                let members = group.members.iter().flatten().map(|member| format!("  {member}\n"));
                format!("{}  {}", group.address, group.name).trim_end().to_owned() + "\n" + &members.collect::<String>()
            }
            Item::AppPassword(one) => {
                let [used, expires] = [&one.last_used, &one.expires].map(|at| at.as_deref().unwrap_or("-"));
                format!("{}  {}  {}  {}  {used}  {expires}\n", one.id, one.name, one.services.join(","), one.created)
            }
            Item::AdminToken(one) => {
                let over = if one.over { "  (over)" } else { "" };
                let (name, scopes, used) = (&one.name, one.scopes.join(","), one.last_used.as_deref().unwrap_or("-"));
                let only = one.of_move.as_ref().map(|of| format!("  {of}")).unwrap_or_default();
                format!("{name}  {scopes}{only}  {}  {used}  {}{over}\n", one.created, one.expires)
            }
            Item::Script(script) => {
                format!("{}  {}  {}  {}\n", script.place, script.name, size(script.size), script.changed)
            }
            Item::Job(job) => {
                let folder = job.folder.as_deref().unwrap_or("-");
                let numbers = [job.looked, job.total, job.touched, job.skipped].map(|count| count.to_string());
                let [looked, total, touched, skipped] = numbers.each_ref().map(String::as_str);
                let line = [job.address.as_str(), folder, &job.state, looked, total, touched, skipped];
                self.language.say(text::JOB, &line) + "\n"
            }
            Item::Touched(one) => {
                let acts = one.acts.iter().map(|act| {
                    let rule = act.rule.as_ref().map(|rule| format!("  \"{rule}\"")).unwrap_or_default();
                    format!("    {}  {}:{}{rule}\n", act.what, act.script, act.line)
                });
                format!("{}  {}  {}\n{}", one.uid, one.received, one.subject, acts.collect::<String>())
            }
            Item::Move(one) => moves::move_in_words(one, self.language),
            Item::MoveMailbox(one) => moves::mailbox_in_words(one, self.language),
            Item::MoveRun(one) => moves::run_in_words(one, self.language),
            Item::MoveFailed(one) => moves::failed_in_words(self.language, one),
            Item::MoveUndone(one) => moves::undone_in_words(self.language, one),
            Item::MoveProgress(one) => {
                let states: Vec<String> = one.states.iter().map(|(state, count)| format!("{state} {count}")).collect();
                format!("{}  {}/{}  {}\n", states.join("  "), one.done, one.total, size(one.bytes))
            }
            Item::MoveProof(one) => moves::proof_in_words(one, self.language),
            Item::MoveUncompared(one) => {
                let why = if self.language == Language::Zh { &one.zh } else { &one.en };
                format!("! {} > {}  {why}\n", one.login, one.address)
            }
            Item::MoveSurvey(one) => moves::survey_in_words(self.language, one),
            Item::MoveGate(one) => moves::gate_in_words(self.language, one),
            Item::MoveProbe(one) => moves::probe_in_words(self.language, one),
            Item::MoveTicket(one) => moves::ticket_in_words(one),
            Item::Total(one) => {
                let number = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
                let [file, form, here] = [Some(one.file), one.form, Some(one.here)].map(number);
                let word = if self.language == Language::Zh { &one.zh } else { &one.en };
                let mark = if one.is_equal() { "+" } else { "!" };
                self.language.say(text::TOTAL, &[mark, word, &file, &form, &here]) + "\n"
            }
            Item::MoveNotice(one) => moves::notice_in_words(one),
            Item::MoveVisit(one) => {
                let day = anser_base::Timestamp(one.at_ms).to_string();
                self.language.say(text::VISIT, &[&day[..10]]) + "\n"
            }
            Item::MoveReturned(one) => moves::returned_in_words(self.language, one),
            Item::MoveReport(text) => text.clone(),
            Item::MoveField(one) => moves::field_in_words(self.language, one),
            // They are files: see `moves::documents`.
            Item::MoveDocument(one) => one.text.clone(),
            Item::Entry(entry) => self.entry(entry),
            Item::Event(event) => event_in_words(event),
            Item::Dkim(key) => {
                format!("{}  {}  {}  {}\n    {}\n", key.name, key.algorithm, key.state, key.created, key.record)
            }
            Item::Route(route) => {
                let down = route.open_when_down.then_some("when-down");
                let over = route.over.then_some("(over)");
                let words = [&route.tls, &route.user, &route.accept].map(|word| word.as_deref());
                let more = [down, route.hours.as_deref(), route.until.as_deref(), over];
                let words: Vec<&str> = words.into_iter().chain(more).flatten().collect();
                format!("{}  {}  {}", route.pattern, route.way, words.join("  ")).trim_end().to_owned() + "\n"
            }
            Item::Session(one) => {
                format!("{}  {}  {}  {}  {}\n", one.id, one.device, one.source, one.created, one.seen)
            }
            Item::SecondFactor(one) => {
                let words = [one.totp, one.required].map(|so| if so { "yes" } else { "no" });
                let (passkeys, recovery) = (one.passkeys.to_string(), one.recovery.to_string());
                self.language.say(text::SECOND_FACTOR, &[words[0], &passkeys, words[1], &recovery]) + "\n"
            }
            Item::SignInRules(one) => {
                let number = |name: &str, number: Option<u64>| number.map(|number| format!("{name}={number}"));
                let (length, kinds) =
                    (one.password_length.map(|one| one as u64), one.password_kinds.map(|one| one as u64));
                let all = [
                    number("idle", one.idle_minutes),
                    number("longest", one.longest_hours),
                    number("password-length", length),
                    number("password-kinds", kinds),
                    (!one.services.is_empty()).then(|| format!("doors={}", one.services.join(","))),
                ];
                let words: Vec<String> = all.into_iter().flatten().collect();
                format!("{}  {}\n", one.scope, words.join("  "))
            }
            Item::Look(one) => {
                let said = |text: &Option<[String; 2]>| text.as_ref().map(|text| text.join(" / "));
                let all = [one.layout.clone(), one.colour.clone(), one.logo.clone(), said(&one.name), said(&one.line)];
                let words: Vec<String> = all.into_iter().flatten().collect();
                format!("{}  {}\n", one.scope, words.join("  "))
            }
            Item::Provider(one) => {
                let password = if one.password { "password" } else { "no-password" };
                let second = if one.second_factor { "second-factor" } else { "no-second-factor" };
                let ProviderSpec { id, scope, kind, url, names, claim, .. } = one;
                format!("{id}  {scope}  {kind}  {url}  {names}  {claim}  {password}  {second}\n")
            }
            Item::Portal(portal) => format!("{}  {}\n", portal.id, portal.scope),
            Item::Client(client) => {
                let kind = if client.confidential { "confidential" } else { "public" };
                let (services, redirects) = (client.services.join(","), client.redirects.join(" "));
                format!("{}  {}  {kind}  {services}  {redirects}\n", client.id, client.name)
            }
            Item::Limits(limits) => {
                format!("{}  {}  {}  {}\n", limits.scope, limits.per_hour, limits.per_day, limits.new_per_day)
            }
            Item::Hold(hold) => format!("{}  {}  {}\n", hold.address, hold.since, hold.why),
            Item::Seen(seen) => seen_in_words(seen),
            Item::Received(report) => received_in_words(report),
            Item::Address(address) => format!("{address}\n"),
            Item::Column(column) => {
                let what = if self.language == Language::Zh { &column.zh } else { &column.en };
                if column.charset.is_some() { format!("{what}\n") } else { format!("  {} = {what}\n", column.name) }
            }
            Item::Line(line) => {
                let why = if self.language == Language::Zh { &line.zh } else { &line.en };
                let words =
                    [line.state.as_str(), &line.address, &line.fields.join(","), why.as_deref().unwrap_or_default()];
                let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
                format!("{}  {}\n", line.line, words.join("  "))
            }
            Item::FrontDoor(door) => {
                let form = if door.whole_address { "user@domain" } else { "user" };
                let create = door.create.as_ref().map(|pattern| format!("  + {pattern} {}/{}", door.made, door.most));
                let over = if door.over { "  (over)" } else { "" };
                let (domain, protocol, host, port, tls, until) =
                    (&door.domain, &door.protocol, &door.host, door.port, &door.tls, &door.until);
                let (create, target) = (create.unwrap_or_default(), door.target.as_deref().unwrap_or_default());
                let space = if target.is_empty() { "" } else { "  " };
                format!("{domain}  {protocol}  {host}:{port}{space}{target}  {tls}  {form}  {until}{create}{over}\n")
            }
            Item::Slip(slip) => format!("{}  {}  {}  {}\n", slip.address, slip.password, slip.name, slip.department),
            Item::Record(record) => record_in_words(self.language, record),
            Item::Finding(finding) => {
                let what = if self.language == Language::Zh { &finding.zh } else { &finding.en };
                let mended = if finding.mended { self.language.say(text::MENDED, &[]) } else { String::new() };
                format!("{}: {what} {mended}", finding.place).trim_end().to_owned() + "\n"
            }
        }
    }

    fn entry(&self, entry: &EntryView) -> String {
        let state = match (&entry.due, entry.held, entry.leased) {
            (_, _, true) => self.language.say(text::NOW, &[]),
            (_, true, _) => self.language.say(text::HELD, &[]),
            (Some(due), ..) => self.language.say(text::DUE, &[due]),
            (None, ..) => String::new(),
        };
        let via = entry.via.as_ref().map(|via| format!("  → {via}")).unwrap_or_default();
        let mut out =
            format!("{}  <{}>  {}  {}  {state}{via}\n", entry.id, entry.sender, size(entry.size), entry.accepted);
        for recipient in &entry.recipients {
            let why = recipient.why.as_deref().unwrap_or_default();
            let line = format!("    {}  {}  {}  {why}", recipient.address, recipient.state, recipient.attempts);
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A line of a zone file, what it is for as a comment, and below it what is wrong with what the world answers.
pub fn record_in_words(language: Language, record: &RecordView) -> String {
    let zh = language == Language::Zh;
    let (why, problem) = if zh { (&record.zh, &record.problem_zh) } else { (&record.en, &record.problem_en) };
    let ttl = record.ttl.map(|ttl| format!(", TTL {ttl}")).unwrap_or_default();
    let state = if record.state.is_empty() { String::new() } else { format!("[{}{ttl}] ", record.state) };
    // What only the operator knows, or was there before, cannot be in a zone file as it stands.
    let hidden = if record.value.contains('<') || record.kind == "NS" { "; " } else { "" };
    let mut text = format!("; {state}{why}\n{hidden}{}.  IN  {}  {}\n", record.name, record.kind, record.value);
    if !record.now.is_empty() {
        text.push_str(&format!(";   = {}\n", record.now));
    }
    if let Some(problem) = problem {
        text.push_str(&format!(";   {problem}\n"));
    }
    text
}

/// `?` marks what nobody showed to be true.
fn seen_in_words(seen: &SeenView) -> String {
    let mark = if seen.verified { "" } else { "  ?" };
    let result = if seen.passed { "pass" } else { "FAIL" };
    let place = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let (source, about) = (place(&seen.source), place(&seen.about));
    let SeenView { kind, domain, count, detail, .. } = seen;
    format!("{kind}  {domain}  {result}  {count}  {source}  {about}  {detail}{mark}\n")
}

fn received_in_words(report: &ReceivedView) -> String {
    let mark = if report.verified { "" } else { "  ?" };
    let ReceivedView { kind, domain, organization, id, sender, begin, end, .. } = report;
    format!("{kind}  {domain}  {begin}  {end}  {organization} ({sender})  {id}{mark}\n")
}

fn account_in_words(language: Language, account: &AccountView) -> String {
    let quota = if account.quota == 0 { "-".to_owned() } else { size(account.quota) };
    let mut line = format!("{}  {}  {quota}", account.address, account.state);
    for more in [&account.role, &account.name] {
        if !more.is_empty() {
            line.push_str("  ");
            line.push_str(more);
        }
    }
    line.push('\n');
    if let (Some(used), Some(messages)) = (account.used, account.messages) {
        line.push_str(&format!("  {messages} / {}\n  {}\n", size(used), account.services.join(",")));
        if account.must_change {
            line.push_str(&format!("  {}\n", language.say(text::MUST_CHANGE, &[])));
        }
        if let Some(days) = account.pop3_days {
            line.push_str(&format!("  {}\n", language.say(text::POP3_DAYS, &[&days.to_string()])));
        }
    }
    account.aliases.iter().flatten().for_each(|alias| line.push_str(&format!("  {alias}\n")));
    line
}

/// Time, kind, and every field that it has.
fn event_in_words(event: &EventView) -> String {
    let mut fields = match serde_json::to_value(&event.what) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let kind = fields.remove("what").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let mut line = format!("{}  {kind}", event.at);
    let origin = [("protocol", event.protocol.clone()), ("client", event.client.map(|client| client.to_string()))];
    let origin = origin.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
    for (name, value) in origin.chain(fields) {
        let value = match value {
            Value::String(text) => text,
            Value::Array(all) => all.iter().map(|one| one.as_str().unwrap_or_default()).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        line.push_str(&format!("  {name}={value}"));
    }
    line.push('\n');
    line
}

/// The view within an item.
fn inner(item: &Item) -> String {
    let value = serde_json::to_value(item).ok().and_then(|value| match value {
        Value::Object(fields) => fields.into_iter().next().map(|(_, inner)| inner),
        _ => None,
    });
    value.unwrap_or_default().to_string()
}

/// Bytes for people: `20.0 KiB`.
pub fn size(bytes: u64) -> String {
    let mut amount = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if amount < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TiB")
}
