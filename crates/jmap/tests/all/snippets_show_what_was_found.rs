use serde_json::{Value, json};

use super::node::Node;

/// RFC 8621 §5.
#[test]
fn snippets_show_where_it_stands() {
    let node = Node::start();
    let plain = node.deliver("ann", "Subject: Annual <report>\n\nSee the Report & weep.\n", 0).message;
    let html = node.deliver("ann", "Subject: x\nContent-Type: text/html\n\n<p>a <b>report</b></p>\n", 0).message;
    let other = node.deliver("ann", "Subject: x\n\nnothing\n", 0).message;
    let ids = json!([format!("M{plain}"), format!("M{html}"), format!("M{other}"), "M99"]);
    let snippets = |filter: Value| node.call("ann", "SearchSnippet/get", json!({"filter": filter, "emailIds": ids}));
    let told = snippets(json!({"text": "report"}));
    assert_eq!(told["list"][0]["subject"], "Annual &lt;<mark>report</mark>&gt;");
    assert_eq!(told["list"][0]["preview"].as_str().unwrap().trim(), "See the <mark>Report</mark> &amp; weep.");
    assert!(told["list"][1]["preview"].as_str().unwrap().contains("<mark>report</mark>"));
    assert_eq!(told["list"][2], json!({"emailId": format!("M{other}"), "subject": null, "preview": null}));
    assert_eq!(told["notFound"], json!(["M99"]));
    let subject = snippets(json!({"operator": "OR", "conditions": [{"subject": "annual"}, {"from": "report"}]}));
    assert_eq!(subject["list"][0]["subject"], "<mark>Annual</mark> &lt;report&gt;");
    assert_eq!(subject["list"][0]["preview"], Value::Null);
    assert_eq!(snippets(json!(null))["list"][0]["subject"], Value::Null);
    assert_eq!(snippets(json!({"colour": "red"})), "unsupportedFilter");
    assert_eq!(node.call("ann", "SearchSnippet/get", json!({"filter": null})), "invalidArguments");
}
