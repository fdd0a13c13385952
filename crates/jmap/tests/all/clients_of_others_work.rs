//! Libraries that others wrote, each doing what a program would: jmapc for Python, jmap-jam for JavaScript.

use std::path::Path;
use std::process::Command;

use anser_directory::{AppPasswordKind, Services};

use super::node::Node;

/// Where they are: `./x test` sets both.
const PYTHON: &str = "ANSER_TEST_JMAPC";
const MODULES: &str = "ANSER_TEST_JMAPJAM";

/// The address that the session names; the test's server is somewhere else.
const NAMED: &str = "https://mail.anser.test";

fn token(node: &Node) -> String {
    let (ann, kind) = (node.account("ann"), AppPasswordKind::Bearer);
    let made = node.door.directory.add_app_password(ann, kind, "library", Services::ALL, None);
    node.door.runtime.block_on(made).unwrap().password
}

fn runs(command: &mut Command, node: &Node) {
    let place = format!("http://{}", node.door.plain);
    let output = command.args([&place, NAMED, &token(node)]).env("no_proxy", "*").output().unwrap();
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}", shown.concat());
}

#[test]
fn jmapc() {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("{PYTHON} is not set: the library was not tried");
        return;
    };
    let node = Node::start();
    node.deliver("ann", "From: Bob <bob@anser.test>\nSubject: 报告\n\nhello\n", 0);
    let script = r#"
import sys, requests, datetime
place, named, token = sys.argv[1:4]
plain = requests.Session.request
requests.Session.request = lambda self, method, url, **more: plain(self, method, url.replace(named, place), **more)
from jmapc import (Address, Client, ClientError, Comparator, Email, EmailAddress, EmailBodyPart, EmailBodyValue, EmailHeader,
    EmailQueryFilterCondition, EmailSubmission, Envelope, MailboxQueryFilterCondition, Ref)
from jmapc.methods import (CoreEcho, EmailChanges, EmailGet, EmailQuery, EmailSet, EmailSubmissionSet, IdentityGet, MailboxGet,
    MailboxQuery, SearchSnippetGet, ThreadGet)
def told(kind, value, trace):
    print(getattr(value, 'result', ''), file=sys.stderr)
    sys.__excepthook__(kind, value, trace)
sys.excepthook = told
client = Client.create_with_api_token(host='mail.anser.test', api_token=token)
assert client.account_id.startswith('A')
echo = client.request(CoreEcho(data=dict(hello='world')))
assert echo.data == dict(hello='world'), echo
inbox, drafts = [client.request([
    MailboxQuery(filter=MailboxQueryFilterCondition(role=role)), MailboxGet(ids=Ref('/ids')),
])[1].response.data[0].id for role in ('inbox', 'drafts')]
found = client.request([
    EmailQuery(filter=EmailQueryFilterCondition(in_mailbox=inbox), sort=[Comparator(property='receivedAt', is_ascending=False)], limit=5),
    EmailGet(ids=Ref('/ids'), fetch_text_body_values=True), SearchSnippetGet(ids=Ref('/ids', 0), filter=EmailQueryFilterCondition(text='hello')),
], raise_errors=True)
email = found[1].response.data[0]
assert email.subject == '报告' and email.mail_from[0].email == 'bob@anser.test', email
assert list(email.body_values.values())[0].value.strip() == 'hello', email
thread = client.request(ThreadGet(ids=[email.thread_id]), raise_errors=True)
assert thread.data[0].email_ids == [email.id], thread
identity = client.request(IdentityGet(), raise_errors=True).data[0]
made = client.request([
    EmailSet(create=dict(draft=Email(mail_from=[EmailAddress(name='Ann', email='ann@anser.test')], to=[EmailAddress(email='bob@anser.test')],
        subject='good day', keywords={'$draft': True}, mailbox_ids={drafts: True},
        body_values=dict(body=EmailBodyValue(value='hello')), text_body=[EmailBodyPart(part_id='body', type='text/plain')],
        headers=[EmailHeader(name='X-Own', value='yes')]))),
    EmailSubmissionSet(on_success_destroy_email=['#send'], create=dict(send=EmailSubmission(email_id='#draft', identity_id=identity.id,
        envelope=Envelope(mail_from=Address(email='ann@anser.test'), rcpt_to=[Address(email='bob@anser.test')])))),
], raise_errors=True)
assert made[1].response.created['send'].undo_status.value == 'final', made
state = client.request(EmailGet(ids=[]), raise_errors=True).state
client.request(EmailSet(update={email.id: {'keywords/$seen': True}}), raise_errors=True)
changes = client.request(EmailChanges(since_state=state), raise_errors=True)
assert changes.updated == [email.id], changes
try:
    client.request(EmailChanges(since_state='nonsense'), raise_errors=True)
    assert False
except ClientError as error:
    assert error.result[0].response.type == 'cannotCalculateChanges', error.result
"#;
    runs(Command::new(python).args(["-c", script]), &node);
}

#[test]
fn jmap_jam() {
    let Some(modules) = std::env::var_os(MODULES) else {
        eprintln!("{MODULES} is not set: the library was not tried");
        return;
    };
    let node = Node::start();
    node.deliver("ann", "From: Bob <bob@anser.test>\nSubject: 报告\n\nhello\n", 0);
    let script = r#"
const [library, place, named, token] = process.argv.slice(1);
const plain = globalThis.fetch;
globalThis.fetch = (url, options) => plain(String(url).replace(named, place), options);
const is = (value, text) => { if (!value) throw new Error(text) };
const { default: JamClient } = await import(library);
const jam = new JamClient({ sessionUrl: named + '/.well-known/jmap', bearerToken: token });
const accountId = await jam.getPrimaryAccount();
const [mailboxes] = await jam.api.Mailbox.get({ accountId });
const inbox = mailboxes.list.find(({ role }) => role === 'inbox');
is(inbox.totalEmails === 1, JSON.stringify(mailboxes));
const [{ emails }] = await jam.requestMany((b) => {
  const found = b.Email.query({ accountId, filter: { inMailbox: inbox.id } });
  return { found, emails: b.Email.get({ accountId, ids: found.$ref('/ids'), properties: ['id', 'subject', 'from'] }) };
});
is(emails.list[0].subject === '报告' && emails.list[0].from[0].email === 'bob@anser.test', JSON.stringify(emails));
const [changed] = await jam.api.Email.set({ accountId, update: { [emails.list[0].id]: { 'keywords/$flagged': true } } });
is(emails.list[0].id in changed.updated, JSON.stringify(changed));
const blob = await jam.uploadBlob(accountId, 'some bytes');
const answer = await jam.downloadBlob({ accountId, blobId: blob.blobId, mimeType: 'text/plain', fileName: 'a.txt' });
is((await answer.text()) === 'some bytes', JSON.stringify(blob));
let refused;
await jam.api.Email.changes({ accountId, sinceState: 'nonsense' }).catch((error) => { refused = error });
is(refused, 'an error is told');
"#;
    let library = Path::new(&modules).join("jmap-jam/dist/index.js");
    runs(Command::new("node").args(["--input-type=module", "-e", script]).arg(library), &node);
}
