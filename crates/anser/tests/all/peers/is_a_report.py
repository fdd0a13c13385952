# Whether a file is a report that a message was not delivered: is_a_report.py FILE RECIPIENT MESSAGE-ID
import email
import email.policy
import sys

path, recipient, original = sys.argv[1:]
with open(path, 'rb') as file:
    raw = file.read()
report = email.message_from_bytes(raw, policy=email.policy.SMTP)
defects = [(part.get_content_type(), part.defects) for part in report.walk() if part.defects]
assert not defects, defects
assert report.get_content_type() == 'multipart/report', report.get_content_type()
assert report.get_param('report-type') == 'delivery-status', report['Content-Type']
assert report['Return-Path'].strip() == '<>', report['Return-Path']
assert report['Auto-Submitted'].startswith('auto-'), report['Auto-Submitted']
assert 'ann@anser.test' in report['To'], report['To']
assert report['From'] and report['Date'] and report['Message-ID'] and report['Subject'], report.items()

text, status, returned = report.get_payload()
assert text.get_content_maintype() == 'text' or text.get_content_type() == 'multipart/alternative', text.get_content_type()
assert status.get_content_type() == 'message/delivery-status', status.get_content_type()
whole, *each = status.get_payload()
assert whole['Reporting-MTA'].startswith('dns;'), whole.items()
assert len(each) == 1, [fields.items() for fields in each]
fields = each[0]
assert fields['Final-Recipient'].replace(' ', '').lower() == 'rfc822;' + recipient, fields.items()
assert fields['Action'] == 'failed', fields.items()
assert fields['Status'].startswith('5.'), fields.items()
assert ';' in fields['Diagnostic-Code'], fields.items()
assert returned.get_content_type() in ('message/rfc822', 'text/rfc822-headers'), returned.get_content_type()
assert original in returned.as_string(), returned.as_string()
