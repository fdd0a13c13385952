//! Moves as they are shown, a function for each kind of item.

use anser_admin::answer::{NoticeView, ProbeView, ReturnedView, UndoneView};
use anser_base::Timestamp;
use anser_migrate::{
    FailedView, FieldView, GateView, MailboxView, MoveView, Proof, RunView, SourceSurvey, Ticket, Undone, profile,
};

use crate::show::size;
use crate::text::{self, Language};

/// An old server as it answers.
pub fn survey_in_words(language: Language, one: &SourceSurvey) -> String {
    let mut text = format!("{}  {}\n", one.source, one.place);
    if let Some(trouble) = &one.trouble {
        return text + &format!("    {trouble}\n");
    }
    let numbers = [one.mailboxes, one.without_password, one.folders, one.messages, one.largest, one.forecast / 60];
    let numbers = numbers.map(|number| number.to_string());
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    text.push_str(&format!("    {}\n", language.say(text::SURVEY, &numbers)));
    if !one.banner.is_empty() {
        text.push_str(&format!("    {}\n", one.banner));
    }
    let about = if one.is_estimate { "~" } else { "" };
    let sizes = [format!("{about}{}", size(one.bytes)), size(one.biggest), one.sampled.to_string()];
    let odd = one.odd.map(|count| count.to_string());
    let words: Vec<&str> = sizes.iter().chain(&odd).map(String::as_str).collect();
    let speed = size(one.speed);
    let words: Vec<&str> = words.into_iter().chain([speed.as_str()]).collect();
    text.push_str(&format!("    {}\n", language.say(text::SURVEY_SIZES, &words)));
    let lacks = if language == Language::Zh { &one.zh } else { &one.en };
    text.extend(lacks.iter().map(|lack| format!("    - {lack}\n")));
    text.extend(one.refused.iter().map(|(login, why)| format!("    {login}: {why}\n")));
    text
}

/// A gate, and what keeps it open.
pub fn gate_in_words(language: Language, gate: &GateView) -> String {
    let words = if language == Language::Zh { &gate.zh } else { &gate.en };
    let mark = if gate.state == "open" { "!" } else { "+" };
    format!("{mark} {}  {}  {words}", gate.gate, gate.state).trim_end().to_owned() + "\n"
}

/// What became of a letter that a domain was tried with.
pub fn probe_in_words(language: Language, one: &ProbeView) -> String {
    let words = if language == Language::Zh { &one.zh } else { &one.en };
    let mark = if one.state == "right" { "+" } else { "!" };
    format!("{mark} {}  {}  {}  {words}\n", one.domain, one.way, one.state)
}

/// A ticket; `!` marks one that is open.
pub fn ticket_in_words(one: &Ticket) -> String {
    let (opened, closed) = one.days();
    let mark = if closed.is_none() { "!" } else { "+" };
    let end = closed.map(|closed| format!("  > {closed}  {}", one.answer.as_deref().unwrap_or_default()));
    format!("{mark} {}  {opened}  {}  {}{}", one.id, one.by, one.text, end.unwrap_or_default()).trim_end().to_owned()
        + "\n"
}

/// A letter to a user.
pub fn notice_in_words(one: &NoticeView) -> String {
    let mark = if matches!(&*one.state, "failed" | "unsure" | "no-way") { "!" } else { "+" };
    let why = one.why.as_deref().unwrap_or_default();
    format!("{mark} {}  {}  {}  {why}", one.address, one.side, one.state).trim_end().to_owned() + "\n"
}

/// What the way back of a mailbox would bring.
pub fn returned_in_words(language: Language, view: &ReturnedView) -> String {
    let one = &view.returned;
    let numbers = [one.messages, one.flags, one.moved, one.folders, one.removed, one.renamed, one.removed_folders];
    let numbers = numbers.map(|number| number.to_string());
    let words: Vec<&str> = std::iter::once(&*view.address).chain(numbers.iter().map(String::as_str)).collect();
    language.say(text::RETURNED, &words) + "\n"
}

/// A mailbox whose both sides were held against each other, and every difference.
pub fn proof_in_words(proof: &Proof, language: Language) -> String {
    let mut text = format!("{} > {}  {}\n", proof.login, proof.address, proof.score().word());
    for one in &proof.folders {
        let classes = one.classes.iter().map(|(class, count)| format!("  {class} {count}"));
        text.push_str(&format!("    {}  {}{}\n", one.folder, size(one.bytes), classes.collect::<String>()));
    }
    for one in &proof.differences {
        let uid = if one.uid == 0 { String::new() } else { format!(" UID {}", one.uid) };
        let why = if language == Language::Zh && !one.zh.is_empty() { &one.zh } else { &one.why };
        text.push_str(&format!("    {}{uid}: {}: {why}\n", one.folder, one.class));
    }
    text
}

/// A move with its old servers, what has to be done there first, and how many mailboxes are in which state.
pub fn move_in_words(view: &MoveView, language: Language) -> String {
    let states = view.mailboxes.iter().map(|(state, count)| format!("  {state} {count}"));
    let mut text = format!("{}  {}{}\n", view.name, view.state, states.collect::<String>());
    if view.passing != "off" {
        let relay = view.relay.as_ref().map(|relay| format!("  > {relay}")).unwrap_or_default();
        text.push_str(&format!("    {}{relay}\n", view.passing));
    }
    if let Some(until) = &view.secrets_until {
        text.push_str(&format!("    {}\n", language.say(text::SECRETS, &[&until[..10]])));
    }
    for (domain, until) in &view.relayed {
        let relay = view.relay.as_deref().unwrap_or_default();
        text.push_str(&format!("    {}\n", language.say(text::RELAYED, &[domain, relay, until])));
    }
    for wave in &view.waves {
        let states = wave.mailboxes.iter().map(|(state, count)| format!("  {state} {count}")).collect::<String>();
        let hours = wave.hours.as_ref().map(|hours| format!("  {hours} UTC")).unwrap_or_default();
        let far = format!("{}/{}  {}", wave.done, wave.total, size(wave.bytes));
        text.push_str(&format!("    wave {}{states}  {far}{hours}\n", wave.name));
    }
    for (source, pace) in view.sources.iter().zip(&view.paces) {
        let (kind, tls) = (source.kind.word(), source.tls.word());
        let place = match source.kind.is_files() {
            true => source.host.clone(),
            false => format!("{}:{}  {tls}", source.host, source.port),
        };
        let known = profile::of(&source.profile);
        let is_plain = known.name == profile::GENERIC;
        let provider = if is_plain { String::new() } else { format!("  {}", known.name) };
        let hours = pace.hours.as_ref().map(|hours| format!("  {hours} UTC")).unwrap_or_default();
        let spared = if pace.spared { language.say(text::SPARED, &[]) } else { String::new() };
        let day = match pace.bytes_a_day {
            0 => String::new(),
            most => format!("  {}/{}", size(pace.bytes_today), language.say(text::A_DAY, &[&size(most)])),
        };
        text.push_str(&format!("    {}  {kind} {place}{provider}{hours}{day}{spared}\n", source.name));
        let skips = source.rules.skip_deleted.then(|| language.say(text::SKIPS_DELETED, &[]));
        let shared = source.rules.shared.as_ref().map(|taker| language.say(text::SHARED, &[taker]));
        skips.into_iter().chain(shared).for_each(|rule| text.push_str(&format!("        {rule}\n")));
        let prepare = if language == Language::Zh { &known.prepare.zh } else { &known.prepare.en };
        prepare.iter().for_each(|one| text.push_str(&format!("        {one}\n")));
    }
    text
}

/// A mailbox and how far it is.
pub fn mailbox_in_words(view: &MailboxView, language: Language) -> String {
    let ledger = view.ledger.iter().map(|(state, count)| format!("  {state} {count}"));
    let counts = format!("{}/{}  {}", view.done, view.total, size(view.bytes));
    let until = view.until.map(|until| language.say(text::UNTIL, &[&minute(until)]));
    let note = if language == Language::Zh { &view.zh } else { &view.note };
    let about = [note.clone(), until].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let about = if about.is_empty() { about } else { format!("    {about}\n") };
    let arrow = if view.login == view.address { String::new() } else { format!("{} > ", view.login) };
    let home = if view.home == "here" { String::new() } else { format!("  {}", view.home) };
    let wave = view.wave.as_ref().map(|wave| format!("  ({wave})")).unwrap_or_default();
    let first = if view.priority == "usual" { String::new() } else { format!("  {}", view.priority) };
    format!(
        "{arrow}{}{wave}  {}{home}{first}  {counts}{}\n{about}",
        view.address,
        view.state,
        ledger.collect::<String>()
    )
}

/// A pass that ended.
pub fn run_in_words(run: &RunView, language: Language) -> String {
    let seconds = (run.ended - run.began).max(0) / 1000;
    let note = if language == Language::Zh { &run.zh } else { &run.note };
    let note = note.as_ref().map(|note| format!("    {note}\n")).unwrap_or_default();
    let (began, came) = (minute(run.began), size(run.bytes));
    format!("{}  {began}  {}  {seconds} s  {}  {came}  {}\n{note}", run.address, run.task, run.messages, run.state)
}

/// A message that did not come.
pub fn failed_in_words(language: Language, one: &FailedView) -> String {
    let why = if language == Language::Zh { &one.zh } else { &one.why };
    let (again, why) = (if one.again { "" } else { "!" }, why.as_deref().unwrap_or("-"));
    let tries = language.say(text::TRIES, &[&one.tries.to_string()]);
    let (received, size) = (if one.received.is_empty() { "-" } else { one.received.trim() }, size(one.size));
    format!("{}  {}  {}  {received}  {size}  {again}{tries}  {why}\n", one.address, one.folder, one.key)
}

/// What the undoing of a mailbox takes away, or took.
pub fn undone_in_words(language: Language, view: &UndoneView) -> String {
    let Undone { removed, bytes, touched } = view.undone;
    let line = if view.dry_run { text::TO_UNDO } else { text::UNDONE };
    let stay = match touched {
        0 => String::new(),
        count => language.say(text::TOUCHED, &[&count.to_string()]),
    };
    language.say(line, &[&view.address, &removed.to_string(), &size(bytes), &stay]) + "\n"
}

/// A moment, to the minute, in UTC.
fn minute(ms: i64) -> String {
    let text = Timestamp(ms).to_string();
    format!("{} {} UTC", &text[..10], &text[11..16])
}

/// A question of the survey form and its answer.
pub fn field_in_words(language: Language, field: &FieldView) -> String {
    let question = if language == Language::Zh { &field.zh } else { &field.en };
    let mark = if field.required && field.value.is_empty() { "!" } else { "+" };
    format!("{mark} {question}: {}", field.value.replace('\n', ", ")).trim_end().to_owned() + "\n"
}
