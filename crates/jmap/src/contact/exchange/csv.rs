//! Tables of contacts: those of Outlook, Foxmail, QQ and Coremail differ in what they call their columns.

use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use serde_json::{Map, Value, json};

use super::{CARDS, Card};
use crate::error::MethodError;

/// What may stand between fields.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// Columns of a table.
const COLUMNS: usize = 200;
/// Signs in a table that may stand between fields: what is read of a line holds a number for each.
const MARKS: usize = COLUMNS * CARDS;
/// Addresses of one card.
const EMAILS: usize = 100;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Full,
    Given,
    Middle,
    Surname,
    Nick,
    Email,
    Mobile,
    Work,
    Home,
    Fax,
    Company,
    Department,
    Title,
    Address,
    City,
    Region,
    Postcode,
    Country,
    Birthday,
    Web,
    Note,
    Chat,
}

/// What columns are called, in lower case. The first name is the one that is written.
const NAMES: &[(Field, &[&str])] = &[
    (Field::Full, &["name", "full name", "display name", "姓名", "名称", "显示名", "显示名称", "联系人", "联系人姓名"]),
    (Field::Surname, &["last name", "surname", "family name", "姓", "姓氏"]),
    (Field::Given, &["first name", "given name", "名", "名字"]),
    (Field::Middle, &["middle name", "中间名"]),
    (Field::Nick, &["nickname", "昵称", "别名"]),
    (
        Field::Email,
        &[
            "e-mail address",
            "e-mail 2 address",
            "e-mail 3 address",
            "email",
            "e-mail",
            "email address",
            "primary email",
            "secondary email",
            "电子邮件地址",
            "电子邮件 2 地址",
            "电子邮件 3 地址",
            "电子邮件2地址",
            "电子邮件3地址",
            "电子邮件",
            "电子邮箱",
            "电子邮箱地址",
            "邮箱",
            "邮箱地址",
            "邮件地址",
            "email地址",
            "常用邮箱",
            "备用邮箱",
            "邮箱1",
            "邮箱2",
        ],
    ),
    (
        Field::Mobile,
        &["mobile phone", "mobile", "cell phone", "移动电话", "手机", "手机号", "手机号码", "移动电话号码", "电话"],
    ),
    (
        Field::Work,
        &[
            "business phone",
            "work phone",
            "company main phone",
            "商务电话",
            "单位电话",
            "公司电话",
            "办公电话",
            "工作电话",
        ],
    ),
    (Field::Home, &["home phone", "住宅电话", "家庭电话", "家庭电话号码"]),
    (Field::Fax, &["business fax", "fax", "商务传真", "公司传真", "传真", "传真号码"]),
    (Field::Company, &["company", "organization", "公司", "公司名称", "单位", "单位名称", "工作单位"]),
    (Field::Department, &["department", "部门", "所属部门"]),
    (Field::Title, &["job title", "title", "职务", "职位", "头衔"]),
    (
        Field::Address,
        &[
            "business street",
            "home street",
            "address",
            "商务地址 街道",
            "商务地址街道",
            "住宅地址 街道",
            "公司地址",
            "地址",
            "联系地址",
            "家庭地址",
            "街道",
        ],
    ),
    (Field::City, &["business city", "home city", "city", "商务地址 市/县", "城市", "市"]),
    (Field::Region, &["business state", "home state", "state", "商务地址 省/市/自治区", "省份", "省"]),
    (
        Field::Postcode,
        &["business postal code", "home postal code", "postal code", "商务地址 邮政编码", "邮政编码", "邮编"],
    ),
    (
        Field::Country,
        &["business country/region", "home country/region", "country", "商务地址 国家/地区", "国家", "国家/地区"],
    ),
    (Field::Birthday, &["birthday", "生日", "出生日期"]),
    (Field::Web, &["web page", "website", "网页", "主页", "个人主页", "公司主页"]),
    (Field::Note, &["notes", "note", "附注", "备注", "备注信息", "说明"]),
    (Field::Chat, &["qq", "im address", "qq号", "qq号码", "即时通讯"]),
];

fn field_of(name: &str) -> Option<Field> {
    let name = name.trim().trim_start_matches('\u{feff}').trim_matches('"').trim().to_lowercase();
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(field, _)| *field)
}

/// The cards of a table, at most so many; `None` for lines that say nothing of anybody.
pub(super) fn read(text: &str, most: usize) -> Result<Vec<Option<Card>>, MethodError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.bytes().filter(|byte| SEPARATORS.contains(byte)).count() > MARKS {
        return Err(MethodError::new("requestTooLarge", "the table has too many fields"));
    }
    let first = text.lines().next().unwrap_or_default();
    let known = |separator: &u8| {
        first.split(char::from(*separator)).take(COLUMNS).filter(|name| field_of(name).is_some()).count()
    };
    let separator = SEPARATORS.into_iter().rev().max_by_key(known).filter(|separator| known(separator) > 0);
    let separator =
        separator.ok_or_else(|| MethodError::invalid("it is no vCard, and no column of a table is known"))?;
    let mut reader = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let columns: Vec<Option<Field>> =
        reader.headers().map(|names| names.iter().take(COLUMNS).map(field_of).collect()).unwrap_or_default();
    let lines = reader.records().take(most).map_while(Result::ok);
    Ok(lines
        .filter(|line| line.iter().any(|field| !field.trim().is_empty()))
        .map(|line| card(&columns, &line))
        .collect())
}

fn card(columns: &[Option<Field>], line: &StringRecord) -> Option<Card> {
    let all = || {
        columns
            .iter()
            .zip(line)
            .filter_map(|(field, text)| Some(((*field)?, text.trim())))
            .filter(|(_, text)| !text.is_empty())
    };
    let of = |wanted: Field| all().filter(move |(field, _)| *field == wanted).map(|(_, text)| text);
    let first = |wanted: Field| of(wanted).next();
    let mut card = Map::new();
    if let Some(name) = name(&first) {
        card.insert("name".into(), name);
    }
    let mut put = |property: &str, all: Vec<Value>| {
        let all: Card = all.into_iter().enumerate().map(|(at, one)| (format!("{}", at + 1), one)).collect();
        if !all.is_empty() {
            card.insert(property.to_owned(), Value::Object(all));
        }
    };
    put("nicknames", of(Field::Nick).map(|name| json!({ "name": name })).collect());
    // Foxmail has several in one field.
    let addresses = of(Field::Email).flat_map(|text| text.split([';', ',', ' '])).filter(|text| text.contains('@'));
    put("emails", addresses.take(EMAILS).map(|address| json!({ "address": address })).collect());
    let phone = |field, features: &[&str], context: Option<&str>| {
        let features: Card = features.iter().map(|name| ((*name).to_owned(), true.into())).collect();
        of(field)
            .map(|number| match context {
                Some(context) => json!({ "number": number, "features": features, "contexts": { context: true } }),
                None => json!({ "number": number, "features": features }),
            })
            .collect::<Vec<_>>()
    };
    let phones = [
        phone(Field::Mobile, &["mobile"], None),
        phone(Field::Work, &["voice"], Some("work")),
        phone(Field::Home, &["voice"], Some("private")),
        phone(Field::Fax, &["fax"], None),
    ];
    put("phones", phones.concat());
    let units: Vec<Value> = of(Field::Department).map(|name| json!({ "name": name })).collect();
    let organization = match first(Field::Company) {
        None if units.is_empty() => Vec::new(),
        company => vec![json!({ "name": company.unwrap_or_default(), "units": units })],
    };
    put("organizations", organization);
    put("titles", of(Field::Title).map(|name| json!({ "name": name })).collect());
    let kinds = [
        (Field::Address, "name"),
        (Field::City, "locality"),
        (Field::Region, "region"),
        (Field::Postcode, "postcode"),
        (Field::Country, "country"),
    ];
    let components: Vec<Value> =
        kinds.iter().filter_map(|(field, kind)| Some(json!({ "kind": kind, "value": first(*field)? }))).collect();
    put("addresses", if components.is_empty() { Vec::new() } else { vec![json!({ "components": components })] });
    put("links", of(Field::Web).map(|uri| json!({ "uri": uri })).collect());
    put("notes", of(Field::Note).map(|note| json!({ "note": note })).collect());
    put("onlineServices", of(Field::Chat).map(|user| json!({ "service": "QQ", "user": user })).collect());
    let birthday = first(Field::Birthday).and_then(day).map(|date| json!({ "kind": "birth", "date": date }));
    put("anniversaries", birthday.into_iter().collect());
    let says = ["name", "emails", "phones", "organizations", "nicknames"];
    says.iter().any(|name| card.contains_key(*name)).then_some(card)
}

fn name<'a>(first: &impl Fn(Field) -> Option<&'a str>) -> Option<Value> {
    let parts = [(Field::Surname, "surname"), (Field::Given, "given"), (Field::Middle, "given2")];
    let components: Vec<Value> =
        parts.iter().filter_map(|(field, kind)| Some(json!({ "kind": kind, "value": first(*field)? }))).collect();
    let full = first(Field::Full).map(str::to_owned).or_else(|| {
        let (surname, given) = (first(Field::Surname).unwrap_or_default(), first(Field::Given).unwrap_or_default());
        let is_latin = surname.is_ascii() && given.is_ascii();
        let joined = if is_latin { format!("{given} {surname}") } else { format!("{surname}{given}") };
        Some(joined.trim().to_owned()).filter(|joined| !joined.is_empty())
    })?;
    let mut name = json!({ "full": full });
    if !components.is_empty() {
        name["components"] = components.into();
    }
    Some(name)
}

/// A day as programs write it: year, month and day in this order, or the American one.
fn day(text: &str) -> Option<Value> {
    let numbers: Vec<u32> = text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    let (year, month, day) = match numbers[..] {
        [year, month, day, ..] if year > 1000 => (year, month, day),
        [month, day, year, ..] if year > 1000 => (year, month, day),
        _ => return None,
    };
    ((1..=12).contains(&month) && (1..=31).contains(&day) && year < 3000)
        .then(|| json!({ "@type": "PartialDate", "year": year, "month": month, "day": day }))
}

/// The columns that are written: those that Outlook reads.
const WRITTEN: [Field; 14] = [
    Field::Full,
    Field::Surname,
    Field::Given,
    Field::Nick,
    Field::Email,
    Field::Email,
    Field::Mobile,
    Field::Work,
    Field::Home,
    Field::Company,
    Field::Department,
    Field::Title,
    Field::Address,
    Field::Note,
];

/// A table in UTF-8 with a mark at its start, by which Excel knows it.
pub(super) fn write(cards: Vec<Card>) -> String {
    let mut writer = WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut emails = 0;
    let names: Vec<&str> = WRITTEN
        .iter()
        .filter_map(|field| {
            let (_, names) = NAMES.iter().find(|(known, _)| known == field)?;
            emails += usize::from(*field == Field::Email);
            Some(names[if *field == Field::Email { emails - 1 } else { 0 }])
        })
        .collect();
    // Writing to memory does not fail.
    let _ = writer.write_record(names.iter().map(|name| titled(name)));
    for card in &cards {
        let mut emails = texts(card, "emails", "address").into_iter();
        let line = WRITTEN.map(|field| match field {
            Field::Email => harmless(emails.next().unwrap_or_default()),
            field => harmless(value(card, field)),
        });
        let _ = writer.write_record(line);
    }
    let table = writer.into_inner().unwrap_or_default();
    format!("\u{feff}{}", String::from_utf8_lossy(&table))
}

fn titled(name: &str) -> String {
    let mut word_begins = true;
    let one = |c: char| {
        let shown = if word_begins { c.to_ascii_uppercase() } else { c };
        word_begins = c == ' ';
        shown
    };
    name.chars().map(one).collect()
}

/// A text that no program of tables takes for a formula.
fn harmless(text: String) -> String {
    let is_number =
        text.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b" -()".contains(&b)));
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        true => format!("'{text}"),
        false => text,
    }
}

fn value(card: &Card, field: Field) -> String {
    let component = |kind: &str| {
        let all = card.get("name").and_then(|name| name.get("components")).and_then(Value::as_array);
        let found = all.into_iter().flatten().find(|one| one["kind"] == kind);
        found.and_then(|one| one["value"].as_str()).unwrap_or_default().to_owned()
    };
    let first = |property: &str, name: &str| texts(card, property, name).into_iter().next().unwrap_or_default();
    match field {
        Field::Full => match card.get("name").and_then(|name| name["full"].as_str()) {
            Some(full) => full.to_owned(),
            None => [component("surname"), component("given")].concat(),
        },
        Field::Surname => component("surname"),
        Field::Given => component("given"),
        Field::Nick => first("nicknames", "name"),
        Field::Mobile => phone(card, |one| one["features"]["mobile"] == true),
        Field::Work => phone(card, |one| one["contexts"]["work"] == true && one["features"]["mobile"] != true),
        Field::Home => phone(card, |one| one["contexts"]["private"] == true && one["features"]["mobile"] != true),
        Field::Company => first("organizations", "name"),
        Field::Department => {
            let units = card.get("organizations").and_then(Value::as_object).and_then(|all| all.values().next());
            units.and_then(|one| one["units"][0]["name"].as_str()).unwrap_or_default().to_owned()
        }
        Field::Title => first("titles", "name"),
        Field::Address => address(card),
        Field::Note => first("notes", "note"),
        _ => String::new(),
    }
}

fn texts(card: &Card, property: &str, name: &str) -> Vec<String> {
    let all = card.get(property).and_then(Value::as_object);
    all.into_iter().flat_map(Map::values).filter_map(|one| Some(one[name].as_str()?.to_owned())).collect()
}

fn phone(card: &Card, is: impl Fn(&Value) -> bool) -> String {
    let all = card.get("phones").and_then(Value::as_object);
    let found = all.into_iter().flat_map(Map::values).find(|one| is(one));
    found.and_then(|one| one["number"].as_str()).unwrap_or_default().to_owned()
}

fn address(card: &Card) -> String {
    let all = card.get("addresses").and_then(Value::as_object);
    let Some(first) = all.and_then(|all| all.values().next()) else { return String::new() };
    if let Some(full) = first["full"].as_str() {
        return full.to_owned();
    }
    let parts = first["components"].as_array().into_iter().flatten().filter_map(|one| one["value"].as_str());
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_each_program_are_read() {
        for (table, full, email, phone) in [
            ("姓,名,电子邮件地址,移动电话\n陈,燕,c@x.example,13800000000\n", "陈燕", "c@x.example", "13800000000"),
            ("姓名,邮箱,手机\r\n陈燕,c@x.example,138\r\n", "陈燕", "c@x.example", "138"),
            (
                "First Name;Last Name;E-mail Address;Mobile Phone\nAnn;Lee;a@x.example;1\n",
                "Ann Lee",
                "a@x.example",
                "1",
            ),
            (
                "\u{feff}\"Name\"\t\"E-mail Address\"\t\"Mobile Phone\"\nAnn\ta@x.example\t1\n",
                "Ann",
                "a@x.example",
                "1",
            ),
        ] {
            let card = read(table, 10).unwrap().remove(0).unwrap();
            assert_eq!(card["name"]["full"], full);
            assert_eq!(
                (&card["emails"]["1"]["address"], &card["phones"]["1"]["number"]),
                (&json!(email), &json!(phone))
            );
        }
        assert!(read("hello\nworld\n", 10).is_err());
        assert_eq!(
            read("姓名,邮箱\n,\n ,x\n陈,\n", 10).unwrap().iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, true]
        );
    }

    #[test]
    fn what_is_written_is_read_again_and_is_no_formula() {
        let card = read(
            "Name,E-mail Address,Mobile Phone,Company,Department,Notes\n=cmd(),a@x.example,+86 138,Acme,R&D,\"a,\"\"b\"\"\nc\"\n",
            1,
        );
        let card = card.unwrap().remove(0).unwrap();
        let table = write(vec![card.clone()]);
        assert!(table.contains("'=cmd()") && table.contains("+86 138"), "{table}");
        let again = read(&table, 1).unwrap().remove(0).unwrap();
        for same in ["emails", "phones", "organizations", "notes"] {
            assert_eq!(again[same], card[same], "{same}");
        }
    }

    #[test]
    fn what_is_too_wide_is_refused_or_cut() {
        let many = format!("name,email\nAnn,{}\n", "a@x.example;".repeat(EMAILS + 1));
        let card = read(&many, 1).unwrap().remove(0).unwrap();
        assert_eq!(card["emails"].as_object().unwrap().len(), EMAILS);
        assert!(read(&format!("name\n{}\n", ",".repeat(MARKS + 1)), 1).is_err());
    }

    #[test]
    fn days_are_read_in_both_orders() {
        for text in ["1990-02-03", "1990/2/3", "2/3/1990", "1990年2月3日"] {
            assert_eq!(
                day(text).unwrap(),
                json!({ "@type": "PartialDate", "year": 1990, "month": 2, "day": 3 }),
                "{text}"
            );
        }
        for text in ["", "0/0/00", "13/13/1990", "soon"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
