//! VacationResponse (RFC 8621 §8): the away message of the rules, as a person sets it in the form. What runs is the account's active
//! script; all else in it stays as it is.

use anser_base::Timestamp;
use anser_base::time::Civil;
use anser_directory::Account;
use anser_sieve::form::{Away, Day, Form, Item};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::email::{moment, written_utc};
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::law::get::Get;
use crate::law::set::{Done, Refused, Set};
use crate::method::{Call, Outcome};
use crate::rules::Rules;

pub(crate) const PROPERTIES: [&str; 7] = ["id", "isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody"];
/// The only id that there is.
const ID: &str = "singleton";
/// How often one sender gets the answer, in days (RFC 5230 §4.1).
const DAYS: u32 = 7;

fn away(form: &Form) -> Option<&Away> {
    form.items.iter().find_map(|item| if let Item::Away(away) = item { Some(away) } else { None })
}

/// The form with this away message in the place of what was there.
fn put(form: &mut Form, away: Away) {
    match form.items.iter_mut().find(|item| matches!(item, Item::Away(_))) {
        Some(item) => *item = Item::Away(away),
        None => form.items.insert(0, Item::Away(away)),
    }
}

fn unset() -> Away {
    let (from, until, subject, domains, inside, outside, addresses) = Default::default();
    Away { enabled: false, from, until, subject, domains, inside, outside, days: DAYS, addresses }
}

/// When a day begins where the owner lives.
fn begins(account: &Account, day: Day, later: u32) -> i64 {
    let civil = Civil {
        year: day.year.into(),
        month: day.month.into(),
        day: u32::from(day.day) + later,
        hour: 0,
        minute: 0,
        second: 0,
        weekday: 0,
    };
    let local = civil.to_secs();
    local - i64::from(account.zone().offset_minutes(local)) * 60
}

/// The day that it is then, where the owner lives.
fn day_of(account: &Account, unix: i64) -> Option<Day> {
    let civil = Civil::from_secs(unix + i64::from(account.zone().offset_minutes(unix)) * 60);
    Some(Day { year: u16::try_from(civil.year).ok()?, month: civil.month as u8, day: civil.day as u8 })
}

fn object(account: &Account, away: &Away) -> Map<String, Value> {
    let time = |unix: i64| written_utc(Timestamp::from_secs(unix));
    let text = if away.inside.is_empty() { &away.outside } else { &away.inside };
    let Value::Object(object) = json!({
        "id": ID,
        "isEnabled": away.enabled,
        "fromDate": away.from.map(|day| time(begins(account, day, 0))),
        "toDate": away.until.map(|day| time(begins(account, day, 1))),
        "subject": away.subject,
        "textBody": Some(text).filter(|text| !text.is_empty()),
        "htmlBody": null,
    }) else {
        return Map::new();
    };
    object
}

/// RFC 8621 §8.1.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let rules = Rules::of(call, &get.access).await?;
    let found = away(&rules.form).cloned().unwrap_or_else(unset);
    let one = (ID.to_owned(), object(&get.access.owner, &found));
    get.answer(get.among(rules.state, std::iter::once(one)))
}

/// RFC 8621 §8.2. Days are whole days of the owner's zone: times within them come back as their beginning and their end.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    own(&set.access)?;
    let mut rules = Rules::of(call, &set.access).await?;
    if set.if_in_state.as_ref().is_some_and(|state| *state != rules.state) {
        return Err(MethodError::new("stateMismatch", ""));
    }
    let mut done = Done::from(rules.state.clone());
    set.create.iter().for_each(|(creation, _)| done.create(creation, Err(SetError::new("singleton", ""))));
    set.destroy.iter().for_each(|id| done.destroy(id, Err(SetError::new("singleton", ""))));
    for (id, patch) in &set.update {
        let result = match id == ID {
            true => update(call, &set.access, &mut rules, patch).await?,
            false => Err(SetError::not_found()),
        };
        done.update(id, result);
    }
    done.new = Rules::of(call, &set.access).await?.state;
    set.answer(call, done)
}

/// What came out other than it was asked for, or null.
async fn update(
    call: &Call,
    access: &Access,
    rules: &mut Rules,
    patch: &Map<String, Value>,
) -> anser_base::Result<Refused<Value>> {
    let mut fresh = away(&rules.form).cloned().unwrap_or_else(unset);
    if let Err(error) = change(&access.owner, &mut fresh, patch) {
        return Ok(Err(error));
    }
    put(&mut rules.form, fresh.clone());
    if let Err(error) = rules.keep(call, access).await {
        return SetError::of(error).map(Err);
    }
    let now = object(&access.owner, &fresh);
    let other = patch.iter().filter_map(|(name, asked)| Some((name, now.get(name)?)).filter(|(_, is)| *is != asked));
    let other: Map<String, Value> = other.map(|(name, is)| (name.clone(), is.clone())).collect();
    Ok(Ok(if other.is_empty() { Value::Null } else { Value::Object(other) }))
}

fn change(account: &Account, away: &mut Away, patch: &Map<String, Value>) -> Refused<()> {
    let mut html = None;
    for (name, value) in patch {
        let wrong = || SetError::property(name, "this value cannot be taken");
        let text = || match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(wrong()),
        };
        let day = |before: i64| match text()? {
            None => Ok(None),
            Some(text) => {
                let day = moment(&text).and_then(|at| day_of(account, at - before));
                day.map(Some).ok_or_else(wrong)
            }
        };
        match name.as_str() {
            "isEnabled" => away.enabled = value.as_bool().ok_or_else(wrong)?,
            "fromDate" => away.from = day(0)?,
            "toDate" => away.until = day(1)?,
            "subject" => away.subject = text()?,
            "textBody" => {
                let text = text()?.unwrap_or_default();
                (away.inside, away.outside) = (text.clone(), text);
            }
            "htmlBody" => html = text()?,
            _ => return Err(wrong()),
        }
    }
    // What people get is text: HTML is told by its own.
    if let Some(html) = html.filter(|_| patch.get("textBody").is_none_or(Value::is_null)) {
        let mut text = String::new();
        anser_text::html::text(&html, &mut text);
        let text = text.trim().to_owned();
        (away.inside, away.outside) = (text.clone(), text);
    }
    if away.enabled && away.inside.is_empty() && away.outside.is_empty() {
        return Err(SetError::property("textBody", "there is nothing to answer"));
    }
    Ok(())
}
