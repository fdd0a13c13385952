//! From a form to its script.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::model::{
    Away, Condition, Day, Deed, Field, Form, Forward, How, Item, Quantifier, Rule, SenderList, Verdict,
};
use crate::table::Extension;

/// How every comment of a form starts.
pub(super) const MARK: &str = "# anser:";

/// What ends a block.
const END: &str = "# anser:end\n";

/// The variable that stands for `$` where `${` would be read as a variable.
const DOLLAR: &str = "set \"anser_dollar\" \"$\";\n";

/// The script of a form.
pub(super) fn script(form: &Form) -> String {
    let mut out = form.head.clone();
    out.push_str(&requirements(&form.items));
    for item in &form.items {
        if !(out.is_empty() || out.ends_with('\n')) {
            out.push('\n');
        }
        out.push_str(&block(item));
    }
    out
}

/// The block that requires what the items use; nothing when there are none.
pub(super) fn requirements(items: &[Item]) -> String {
    let mut needed = BTreeSet::new();
    let mut has_dollar = false;
    for item in items.iter().filter(|item| !matches!(item, Item::Script(_))) {
        let code = Code::of(item);
        needed.extend(code.needed);
        has_dollar |= code.has_dollar;
    }
    if items.iter().all(|item| matches!(item, Item::Script(_))) {
        return String::new();
    }
    let names: Vec<String> = needed.into_iter().map(quoted).collect();
    let require = if names.is_empty() { String::new() } else { format!("require [{}];\n", names.join(", ")) };
    format!("{MARK}require\n{require}{}{END}", if has_dollar { DOLLAR } else { "" })
}

/// The block of an item; a piece of script is itself.
pub(super) fn block(item: &Item) -> String {
    if let Item::Script(text) = item {
        return text.clone();
    }
    format!("{}\n{}{END}", first_line(item), Code::of(item).text)
}

/// The comment that holds the item. JSON escapes what would end a line, so that it is one comment whatever it holds.
fn first_line(item: &Item) -> String {
    let json = match item {
        Item::Rule(rule) => serde_json::to_string(rule),
        Item::Away(away) => serde_json::to_string(away),
        Item::Forward(forward) => serde_json::to_string(forward),
        Item::Blocked(list) | Item::Allowed(list) => serde_json::to_string(list),
        Item::Script(text) => serde_json::to_string(text),
    };
    // Structs of strings and numbers always have a JSON form.
    let json = json.unwrap_or_default();
    let name = match item {
        Item::Rule(rule) => format!("{} ", serde_json::to_string(&rule.name).unwrap_or_default()),
        _ => String::new(),
    };
    format!("{MARK}{} {name}{json}", item.kind())
}

/// Commands in the making.
#[derive(Default)]
struct Code {
    text: String,
    depth: usize,
    needed: BTreeSet<&'static str>,
    has_dollar: bool,
}

impl Code {
    fn of(item: &Item) -> Code {
        let mut code = Code::default();
        match item {
            Item::Rule(rule) if rule.enabled => code.rule(rule),
            Item::Away(away) if away.enabled => code.away(away),
            Item::Forward(forward) if forward.enabled => code.forward(forward),
            Item::Blocked(list) | Item::Allowed(list) if list.enabled => code.senders(list),
            _ => {}
        }
        code
    }

    fn need(&mut self, extension: Extension) {
        self.needed.insert(extension.name());
    }

    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:1$}{line}", "", self.depth * 4);
    }

    fn open(&mut self, line: &str) {
        self.line(&format!("{line} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// A string in which nothing is read as a variable, whatever else the script requires.
    fn string(&mut self, text: &str) -> String {
        if !text.contains("${") {
            return quoted(text);
        }
        self.has_dollar = true;
        self.need(Extension::Variables);
        quoted(&text.replace("${", "${anser_dollar}{"))
    }

    fn list(&mut self, texts: &[String]) -> String {
        let strings: Vec<String> = texts.iter().map(|text| self.string(text)).collect();
        if strings.len() == 1 { strings.concat() } else { format!("[{}]", strings.join(", ")) }
    }

    fn rule(&mut self, rule: &Rule) {
        let tests: Vec<String> = rule.conditions.iter().map(|condition| self.condition(condition)).collect();
        let test = match (tests.as_slice(), rule.quantifier) {
            ([], _) => "true".to_owned(),
            ([one], _) => one.clone(),
            (many, Quantifier::All) => format!("allof ({})", many.join(", ")),
            (many, Quantifier::Any) => format!("anyof ({})", many.join(", ")),
        };
        self.open(&format!("if {test}"));
        let is_flag = |deed: &&Deed| matches!(deed, Deed::Read | Deed::Star | Deed::Keyword(_));
        for deed in rule.deeds.iter().filter(is_flag).chain(rule.deeds.iter().filter(|deed| !is_flag(deed))) {
            self.deed(deed);
        }
        if rule.stop {
            self.line("stop;");
        }
        self.close();
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Text { values, .. } if values.is_empty() => "false".to_owned(),
            Condition::Text { field, how, values, not } => negated(*not, self.comparison(field, *how, values)),
            Condition::Exists { header, not } => {
                let header = self.string(header);
                negated(*not, format!("exists {header}"))
            }
            Condition::Larger(bytes) => format!("size :over {bytes}"),
            Condition::Smaller(bytes) => format!("size :under {bytes}"),
            Condition::Attachment { not } => {
                self.need(Extension::Mime);
                let test = "header :mime :anychild :contains \"Content-Disposition\" \"attachment\"";
                negated(*not, test.to_owned())
            }
            Condition::Today { from, until } => self.days(*from, *until).unwrap_or_else(|| "true".to_owned()),
        }
    }

    fn comparison(&mut self, field: &Field, how: How, values: &[String]) -> String {
        let header = match field {
            Field::From => "\"from\"".to_owned(),
            Field::To => "\"to\"".to_owned(),
            Field::Cc => "\"cc\"".to_owned(),
            Field::Recipient => "[\"to\", \"cc\"]".to_owned(),
            Field::Subject => "\"subject\"".to_owned(),
            Field::Body => String::new(),
            Field::Header(name) => self.string(name),
        };
        let has_addresses = matches!(field, Field::From | Field::To | Field::Cc | Field::Recipient);
        let test = match (field, how) {
            (Field::Body, _) => {
                self.need(Extension::Body);
                "body :text"
            }
            (_, How::Is) if has_addresses => "address :all",
            (_, How::Domain) if has_addresses => "address :domain",
            _ => "header",
        };
        let wildcard = |before: &str, after: &str| -> Vec<String> {
            values.iter().map(|value| format!("{before}{}{after}", quote_wildcards(value))).collect()
        };
        let (kind, values) = match how {
            How::Is | How::Domain => (":is", values.to_vec()),
            How::Contains => (":contains", values.to_vec()),
            How::Begins => (":matches", wildcard("", "*")),
            How::Ends => (":matches", wildcard("*", "")),
            How::Matches => (":matches", values.to_vec()),
            How::Regex => {
                self.need(Extension::Regex);
                (":regex", values.to_vec())
            }
        };
        let values = self.list(&values);
        [test, kind, &header, &values].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The test that today is within these days; `None` when both ends are open.
    fn days(&mut self, from: Option<Day>, until: Option<Day>) -> Option<String> {
        let test = |relation: &str, day: Day| {
            format!("currentdate :value \"{relation}\" \"date\" \"{:04}-{:02}-{:02}\"", day.year, day.month, day.day)
        };
        let tests: Vec<String> =
            from.map(|day| test("ge", day)).into_iter().chain(until.map(|day| test("le", day))).collect();
        if !tests.is_empty() {
            self.need(Extension::Date);
            self.need(Extension::Relational);
        }
        match tests.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(format!("allof ({})", many.join(", "))),
        }
    }

    fn deed(&mut self, deed: &Deed) {
        let line = match deed {
            Deed::Keep => "keep;".to_owned(),
            Deed::Discard => "discard;".to_owned(),
            Deed::Read => self.flag("\\Seen"),
            Deed::Star => self.flag("\\Flagged"),
            Deed::Keyword(keyword) => self.flag(keyword),
            Deed::File { mailbox, copy } => self.file(mailbox, *copy),
            Deed::Forward { to, copy } => self.redirect(to, *copy),
            Deed::Reject(reason) => {
                self.need(Extension::Reject);
                format!("reject {};", self.string(reason))
            }
            Deed::Notify(to) => {
                self.need(Extension::Enotify);
                format!("notify {};", self.string(&format!("mailto:{}", uri_text(to))))
            }
        };
        self.line(&line);
    }

    fn flag(&mut self, flag: &str) -> String {
        self.need(Extension::Imap4Flags);
        format!("addflag {};", self.string(flag))
    }

    fn file(&mut self, mailbox: &str, copy: bool) -> String {
        self.need(Extension::FileInto);
        self.need(Extension::Mailbox);
        let copy = self.copy(copy);
        format!("fileinto {copy}:create {};", self.string(mailbox))
    }

    fn redirect(&mut self, to: &str, copy: bool) -> String {
        let copy = self.copy(copy);
        format!("redirect {copy}{};", self.string(to))
    }

    fn copy(&mut self, copy: bool) -> &'static str {
        if copy {
            self.need(Extension::Copy);
        }
        if copy { ":copy " } else { "" }
    }

    fn away(&mut self, away: &Away) {
        let days = self.days(away.from, away.until);
        self.open(&format!("if {}", days.as_deref().unwrap_or("true")));
        if away.domains.is_empty() {
            self.answer(away, &away.inside);
        } else {
            self.need(Extension::Envelope);
            let domains = self.list(&away.domains);
            self.open(&format!("if envelope :domain :is \"from\" {domains}"));
            self.answer(away, &away.inside);
            self.close();
            self.open("else");
            self.answer(away, &away.outside);
            self.close();
        }
        self.close();
    }

    fn answer(&mut self, away: &Away, text: &str) {
        if text.is_empty() {
            return;
        }
        self.need(Extension::Vacation);
        let mut line = format!("vacation :days {}", away.days);
        if let Some(subject) = &away.subject {
            line.push_str(&format!(" :subject {}", self.string(subject)));
        }
        if !away.addresses.is_empty() {
            line.push_str(&format!(" :addresses {}", self.list(&away.addresses)));
        }
        line.push_str(&format!(" {};", self.string(text)));
        self.line(&line);
    }

    fn forward(&mut self, forward: &Forward) {
        for to in &forward.to {
            let line = self.redirect(to, forward.keep);
            self.line(&line);
        }
    }

    fn senders(&mut self, list: &SenderList) {
        let (domains, addresses): (Vec<_>, Vec<_>) = list.senders.iter().cloned().partition(|s| s.starts_with('@'));
        let domains: Vec<String> = domains.iter().map(|domain| domain[1..].to_owned()).collect();
        let mut tests = Vec::new();
        for (part, values) in [(":all", addresses), (":domain", domains)] {
            if !values.is_empty() {
                tests.push(format!("address {part} :is \"from\" {}", self.list(&values)));
            }
        }
        if tests.is_empty() {
            return;
        }
        self.open(&format!("if anyof ({})", tests.join(", ")));
        let line = match &list.verdict {
            Verdict::Keep => "keep;".to_owned(),
            Verdict::File(mailbox) => self.file(mailbox, false),
            Verdict::Discard => "discard;".to_owned(),
        };
        self.line(&line);
        self.line("stop;");
        self.close();
    }
}

fn negated(not: bool, test: String) -> String {
    if not { format!("not {test}") } else { test }
}

/// A quoted string (RFC 5228 §2.4.2); NUL, which no string may hold, is left out.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars().filter(|c| *c != '\0') {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn quote_wildcards(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if matches!(c, '*' | '?' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// An address as a URI has it (RFC 6068 §2): what has a meaning there is encoded.
fn uri_text(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
