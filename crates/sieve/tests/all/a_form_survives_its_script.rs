//! A form that was made a script is read back as it was; what people write by hand between the rules stays as it is.

use anser_sieve::form::{
    Away, Condition, Day, Deed, Field, Form, Forward, How, Item, Quantifier, Rule, SenderList, Verdict,
};
use anser_sieve::{Action, Environment, Fuel, Input, Nothing, Outcome, Program, Script, run};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Texts that would break out of a comment, a string or a line.
fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "工作",
        "a",
        " ",
        "\n",
        "\r\n",
        "*/",
        "/*",
        "\"",
        "\\",
        "#",
        "${a}",
        "${",
        "$",
        "\0",
        "# anser:end\n",
        ".\n",
        ";",
        "}",
        "\u{2028}",
        "*",
        "?",
        "# anser:rule \"x\" {}",
        "text:",
        "${hex:40}",
    ];
    vec(select(pieces.to_vec()), 0..6).prop_map(|pieces| pieces.concat())
}

fn address() -> impl Strategy<Value = String> {
    select(vec!["ann@example.org", "\"a b\"@x.y", "陈@例子.中国", "a+b@x.y"]).prop_map(str::to_owned)
}

fn mailbox() -> impl Strategy<Value = String> {
    select(vec!["工作/报告", "a\"b", "INBOX", "${x}", "a\\b"]).prop_map(str::to_owned)
}

fn day() -> impl Strategy<Value = Option<Day>> {
    option::of((2000u16..2100, 1u8..13, 1u8..29).prop_map(|(year, month, day)| Day { year, month, day }))
}

fn condition() -> impl Strategy<Value = Condition> {
    let fields = vec![
        Field::From,
        Field::To,
        Field::Cc,
        Field::Recipient,
        Field::Subject,
        Field::Body,
        Field::Header("X-Any".to_owned()),
    ];
    let how = vec![How::Is, How::Contains, How::Begins, How::Ends, How::Matches, How::Domain];
    let compared = (select(fields), select(how), vec(text(), 0..3), any::<bool>());
    prop_oneof![
        compared.prop_map(|(field, how, values, not)| Condition::Text { field, how, values, not }),
        any::<bool>().prop_map(|not| Condition::Exists { header: "List-Id".to_owned(), not }),
        (0..u64::from(u32::MAX)).prop_map(Condition::Larger),
        (0..u64::from(u32::MAX)).prop_map(Condition::Smaller),
        any::<bool>().prop_map(|not| Condition::Attachment { not }),
        (day(), day()).prop_map(|(from, until)| Condition::Today { from, until }),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Keep),
        Just(Deed::Read),
        Just(Deed::Star),
        Just(Deed::Discard),
        text().prop_map(Deed::Keyword),
        text().prop_map(Deed::Reject),
        address().prop_map(Deed::Notify),
        (mailbox(), any::<bool>()).prop_map(|(mailbox, copy)| Deed::File { mailbox, copy }),
        (address(), any::<bool>()).prop_map(|(to, copy)| Deed::Forward { to, copy }),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let quantifier = select(vec![Quantifier::All, Quantifier::Any]);
    let parts = (text(), any::<bool>(), quantifier, vec(condition(), 0..4), vec(deed(), 0..4), any::<bool>());
    parts.prop_map(|(name, enabled, quantifier, conditions, deeds, stop)| Rule {
        name,
        enabled,
        quantifier,
        conditions,
        deeds,
        stop,
    })
}

fn senders() -> impl Strategy<Value = SenderList> {
    let senders = vec(select(vec!["a@b.c", "@例子.中国", "\"x\"@y.z", "@"]).prop_map(str::to_owned), 0..4);
    let verdict = prop_oneof![Just(Verdict::Keep), Just(Verdict::Discard), mailbox().prop_map(Verdict::File)];
    (any::<bool>(), senders, verdict).prop_map(|(enabled, senders, verdict)| SenderList { enabled, senders, verdict })
}

fn away() -> impl Strategy<Value = Away> {
    let texts = (option::of(text()), text(), text());
    let domains = vec(Just("example.org".to_owned()), 0..2);
    (any::<bool>(), day(), day(), texts, domains, 0u32..100, vec(address(), 0..3)).prop_map(
        |(enabled, from, until, (subject, inside, outside), domains, days, addresses)| Away {
            enabled,
            from,
            until,
            subject,
            domains,
            inside,
            outside,
            days,
            addresses,
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    let forward = (any::<bool>(), vec(address(), 0..3), any::<bool>());
    let by_hand = select(vec![
        "keep;\n",
        "# a comment\r\n\r\n",
        "if true {\r\n  stop; }\n",
        "# anser:rule \"lost\" {\"name\":1}\nkeep;\n# anser:end\n",
        "/* # anser:end\n# anser:require\n*/\n",
    ]);
    prop_oneof![
        4 => rule().prop_map(Item::Rule),
        1 => away().prop_map(Item::Away),
        1 => forward.prop_map(|(enabled, to, keep)| Item::Forward(Forward { enabled, to, keep })),
        1 => senders().prop_map(Item::Blocked),
        1 => senders().prop_map(Item::Allowed),
        1 => by_hand.prop_map(|text| Item::Script(text.to_owned())),
    ]
}

fn form() -> impl Strategy<Value = Form> {
    let head = select(vec!["", "require \"fileinto\";\n", "# mine\nrequire [\"copy\", \"variables\"];\n"]);
    (head, vec(item(), 0..8)).prop_map(|(head, mut items)| {
        items.dedup_by(|one, two| matches!((one, two), (Item::Script(_), Item::Script(_))));
        Form { head: head.to_owned(), items }
    })
}

proptest! {
    #[test]
    fn forms_come_back(form in form()) {
        let script = form.to_script();
        let compiled = Program::compile(script.as_bytes());
        prop_assert!(compiled.is_ok(), "{}\n{script}", compiled.unwrap_err());
        prop_assert_eq!(&Form::read(&script), &form);
        // A client may store it with the line breaks of the net; what no form made keeps what it is given.
        if !script.contains('\r') && form.items.iter().all(|item| !matches!(item, Item::Script(_))) && form.head.is_empty() {
            prop_assert_eq!(Form::read(&script.replace('\n', "\r\n")), form);
        }
    }

    #[test]
    fn any_text_is_a_form_and_comes_back(pieces in vec(prop_oneof![text(), item().prop_map(|item| {
        Form { head: String::new(), items: vec![item] }.to_script()
    })], 0..6)) {
        let script = pieces.concat();
        let form = Form::read(&script);
        let again = form.to_script();
        prop_assert_eq!(Form::read(&again), Form::read(&Form::read(&again).to_script()));
        if form.items.iter().all(|item| matches!(item, Item::Script(_))) {
            prop_assert_eq!(again, script);
        }
    }
}

fn named(name: &str, deeds: Vec<Deed>) -> Rule {
    let values = vec!["${sale}*".to_owned()];
    let condition = Condition::Text { field: Field::Subject, how: How::Begins, values, not: false };
    let conditions = vec![condition];
    Rule { name: name.to_owned(), enabled: true, quantifier: Quantifier::All, conditions, deeds, stop: true }
}

fn outcome(script: &str, message: &str, sender: &str) -> Outcome {
    let program = Program::compile(script.as_bytes()).unwrap();
    let input = Input {
        message: message.as_bytes(),
        structure: None,
        sender,
        recipient: "me@example.com",
        owner: &[],
        now: anser_base::Timestamp::from_secs(1_577_808_000),
        zone: &|_| 480,
        environment: &Environment::new(),
        world: &Nothing,
        boundary: "b",
        fuel: Fuel::default(),
    };
    run(&[Script { name: "main", program: &program }], &input)
}

#[test]
fn a_rule_does_what_it_says_and_the_trace_names_it() {
    let deeds = vec![Deed::File { mailbox: "促销".to_owned(), copy: false }, Deed::Read];
    let rules = ["other", "促销 \"*/\"\nend"].map(|name| Item::Rule(named(name, deeds.clone())));
    let mut form = Form { head: String::new(), items: rules.to_vec() };
    if let Item::Rule(rule) = &mut form.items[0] {
        rule.enabled = false;
    }
    form.check().unwrap();
    let outcome = outcome(&form.to_script(), "Subject: ${sale}* now\r\n\r\n", "a@b.c");
    let [taken] = outcome.actions.as_slice() else { panic!("{outcome:?}") };
    assert!(matches!(&taken.action, Action::FileInto(file) if file.mailbox == "促销" && file.flags == ["\\Seen"]));
    assert_eq!(taken.origin.rule.as_deref(), Some("促销 \"*/\"\nend"));
    assert_eq!(outcome.matched[0].rule, taken.origin.rule);
}

#[test]
fn an_away_message_knows_days_and_who_is_of_the_house() {
    let day = |month, day| Some(Day { year: 2020, month, day });
    let mut away = Away {
        enabled: true,
        from: day(1, 1),
        until: day(1, 7),
        subject: None,
        domains: vec!["example.com".to_owned()],
        inside: "inside".to_owned(),
        outside: "outside".to_owned(),
        days: 7,
        addresses: Vec::new(),
    };
    let answer = |away: &Away, sender: &str| {
        let form = Form { head: String::new(), items: vec![Item::Away(away.clone())] };
        let outcome = outcome(&form.to_script(), "To: me@example.com\r\n\r\n", sender);
        outcome.actions.iter().find_map(|taken| match &taken.action {
            Action::Vacation(answer) if answer.withheld.is_none() => Some(answer.reason.clone()),
            _ => None,
        })
    };
    assert_eq!(answer(&away, "boss@example.com").as_deref(), Some("inside"));
    assert_eq!(answer(&away, "boss@example.org").as_deref(), Some("outside"));
    away.outside.clear();
    assert_eq!(answer(&away, "boss@example.org"), None);
    away.from = day(1, 2);
    assert_eq!(answer(&away, "boss@example.com"), None);
}

#[test]
fn listed_senders_go_where_the_list_says() {
    let senders = vec!["Bad@example.org".to_owned(), "@evil.example".to_owned()];
    let list = SenderList { enabled: true, senders, verdict: Verdict::Discard };
    let form = Form { head: String::new(), items: vec![Item::Blocked(list)] };
    let is_discarded = |from: &str| {
        let outcome = outcome(&form.to_script(), &format!("From: X <{from}>\r\n\r\n"), from);
        outcome.actions[0].action == Action::Discard
    };
    assert!(is_discarded("bad@example.org") && is_discarded("any@EVIL.example"));
    assert!(!is_discarded("good@example.org"));
}

#[test]
fn a_block_that_a_person_changed_becomes_script_and_loses_nothing() {
    let rules = ["one", "two"].map(|name| Item::Rule(named(name, vec![Deed::Star])));
    let script = Form { head: String::new(), items: rules.to_vec() }.to_script();
    let changed = script.replacen("addflag \"\\\\Flagged\"", "addflag \"\\\\Answered\"", 1);
    let form = Form::read(&changed);
    assert_eq!(form.items.len(), 2);
    assert!(matches!(&form.items[0], Item::Script(text) if text.contains("\\\\Answered")));
    assert_eq!(form.items[1], rules[1]);
    assert_eq!(form.to_script(), changed);
}

#[test]
fn what_a_person_filled_in_wrongly_is_told_with_its_rule() {
    let wrong = |deed: Deed| {
        let form = Form { head: String::new(), items: vec![Item::Rule(named("规则", vec![deed]))] };
        form.check().unwrap_err().text
    };
    let text = wrong(Deed::Forward { to: "nobody".to_owned(), copy: false });
    assert!(text.en.contains("rule \"规则\": \"nobody\"") && text.zh.contains("不是邮件地址"), "{text:?}");
    let text = wrong(Deed::File { mailbox: String::new(), copy: false });
    assert!(text.en.contains("name of a mailbox") && text.zh.contains("规则“规则”"), "{text:?}");
}
