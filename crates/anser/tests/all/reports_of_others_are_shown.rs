//! What other servers report of our domains, by the command line.

use crate::world::{Place, python};

const SEND: &str = r#"
import gzip, smtplib, sys
from email.message import EmailMessage
xml = b'''<feedback><report_metadata><org_name>Far</org_name><report_id>7</report_id>
<date_range><begin>1700000000</begin><end>4000000000</end></date_range></report_metadata>
<policy_published><domain>anser.test</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.66</source_ip><count>12</count><policy_evaluated><disposition>none</disposition>
<dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>anser.test</header_from></identifiers>
<auth_results><spf><domain>bad.test</domain><result>pass</result></spf></auth_results></record></feedback>'''
mail = EmailMessage()
mail['From'], mail['To'], mail['Subject'] = 'ann@anser.test', 'postmaster@anser.test', 'Report domain: anser.test'
mail.set_content('a report')
mail.add_attachment(gzip.compress(xml), maintype='application', subtype='gzip', filename='r.xml.gz')
with smtplib.SMTP('127.0.0.1', 587 + int(sys.argv[1])) as smtp:
    smtp.login('ann@anser.test', 'wild-goose')
    smtp.send_message(mail)
"#;

#[test]
fn a_report_is_shown_in_sum_by_itself_and_as_json() {
    let place = Place::new();
    let dev = place.start_with(&[]);
    assert_eq!(dev.ask(&["reports"]), "nothing\n");
    python(&dev, SEND, &[]);
    while dev.ask(&["reports", "anser.test"]) == "nothing\n" {
        std::thread::yield_now();
    }
    let sum = "dmarc  anser.test  FAIL  12  192.0.2.66  anser.test  none spf=pass bad.test  ?\n";
    assert_eq!(dev.ask(&["reports", "anser.test", "--kind", "dmarc"]), sum);
    assert_eq!(dev.ask(&["reports", "--kind", "tls"]), "nothing\n");
    let each = dev.ask(&["reports", "--each", "--days", "90"]);
    assert!(each.contains("  Far (anser.test)  7  ?\n"), "{each}");
    let json = dev.ask(&["reports", "--json"]);
    assert!(json.contains(r#""source":"192.0.2.66""#) && json.contains(r#""verified":false"#), "{json}");
}
