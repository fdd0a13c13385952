// Writing: what is written often, on which paper, to whom, and what became of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, folder, letter, message, row, world } from './world.js';

let here;
before(async () => (here = await world()));
after(async () => here.end());
async function write(page, to, subject, text) {
  await page.locator('.top').waitFor();
  if (await page.locator('.menu-button').isVisible()) await page.locator('.menu-button').click();
  await page.locator('.write').click();
  await page.locator('.composer .paper').waitFor();
  for (const one of [to].flat()) await page.keyboard.type(`${one},`);
  await page.locator('input.subject').fill(subject);
  await page.locator('.paper').click();
  await page.keyboard.type(text);
}
const more = async (page, name) => {
  await page.locator('.composer .foot .menu-of button').first().click();
  await page.locator('.composer .foot [role^=menuitem]', { hasText: name }).click();
};
const sent = async (page) => {
  await page.locator('.send').click();
  await page.locator('.composer').waitFor({ state: 'detached' });
};
const paste = (page, data) =>
  page.locator('.paper').evaluate((paper, all) => {
    const transfer = new DataTransfer();
    for (const [type, text] of Object.entries(all)) {
      if (type.startsWith('image/')) transfer.items.add(new File([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], 'pasted.png', { type }));
      else transfer.setData(type, text);
    }
    paper.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  }, data);
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

for (const [language, width, words] of [
  ['en', 1280, { keep: 'Keep as a template', use: 'Template: Thanks', name: 'Thanks', text: 'Many thanks for the pears.' }],
  ['zh', 390, { keep: '存为模板', use: '模板：致谢', name: '致谢', text: '谢谢您送来的梨。' }],
]) {
  test(`a template is kept and used again, ${language}`, async () => {
    const page = await here.page('ann', { language, width });
    await write(page, [], words.name, words.text);
    await more(page, words.keep);
    await page.locator('dialog input').fill(words.name);
    await page.keyboard.press('Enter');
    await page.locator('.toast').first().waitFor();
    await here.keeps('ann', 'webmail/templates', words.text);
    await here.leave(page);
    const other = await here.page('ann', { language, width });
    await write(other, 'bob@anser.test', '', '');
    await more(other, words.use);
    await other.locator('.paper', { hasText: words.text }).waitFor();
    assert.equal(await other.locator('input.subject').inputValue(), words.name);
    assert.ok(await other.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await here.leave(other);
  });

  test(`a draft that was open when the browser died is open again elsewhere, ${language}`, async () => {
    // Somebody else in each language: what the one left open must not stand for what the other did.
    const writer = language === 'zh' ? 'bob' : 'chen';
    const page = await here.page(writer, { language, width });
    await write(page, 'bob@anser.test', `unfinished ${language}`, words.text);
    await here.keeps(writer, 'webmail/drafts', '"');
    await page.goto('about:blank');
    const other = await here.page(writer, { language, width });
    await other.locator('.tab', { hasText: `unfinished ${language}` }).locator('.name').click();
    await other.locator('.paper', { hasText: words.text }).waitFor();
    await other.locator('.composer .foot .tool').last().click();
    await other.locator('dialog .danger').click();
    await other.locator('.composer').waitFor({ state: 'detached' });
    await Promise.all([here.leave(page), here.leave(other)]);
  });
}

test('sent to each separately, nobody hears of the others', async () => {
  const page = await here.page('ann', { prefs: { undoSeconds: 0 } });
  await write(page, ['bob@anser.test', 'chen@anser.test'], 'For you alone', 'Hello.');
  await more(page, 'Send to each separately');
  await sent(page);
  for (const user of ['bob', 'chen']) {
    const other = await here.page(user);
    await row(other, 'For you alone').click();
    await letter(other).waitFor();
    const [{ ids }] = await here.call(user, ['Email/query', { filter: { subject: 'For you alone' } }]);
    const [{ list }] = await here.call(user, ['Email/get', { ids, properties: ['to', 'cc', 'bcc'] }]);
    assert.deepEqual(list.map(({ to, cc }) => [to.map(({ email }) => email), cc]), [[[`${user}@anser.test`], null]]);
    await here.leave(other);
  }
  await folder(page, 'Sent').click();
  await page.waitForFunction(() => [...document.querySelectorAll('.row')].filter((row) => /For you alone/.test(row.textContent)).length === 2);
  await here.leave(page);
});

test('what went to each separately comes back with one click, and reached nobody', async () => {
  const page = await here.page('ann', { prefs: { undoSeconds: 30, undoInside: true } });
  await write(page, ['bob@anser.test', 'chen@anser.test'], 'Not yet for anybody', 'Wait.');
  await more(page, 'Send to each separately');
  await page.locator('.send').click();
  await page.locator('.toast .act').click();
  await page.locator('.composer .state', { hasText: 'Draft saved' }).waitFor();
  const [{ ids }] = await here.call('ann', ['Email/query', { filter: { subject: 'Not yet for anybody' } }]);
  const [{ list }] = await here.call('ann', ['Email/get', { ids, properties: ['to', 'keywords', 'mailboxIds'] }]);
  assert.deepEqual(list.map(({ to, keywords }) => [to.map(({ email }) => email), keywords.$draft]), [[['bob@anser.test', 'chen@anser.test'], true]]);
  for (const user of ['bob', 'chen']) assert.deepEqual((await here.call(user, ['Email/query', { filter: { subject: 'Not yet for anybody' } }]))[0].ids, []);
  await here.leave(page);
});

const list = () => ({ name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('one pear') });
for (const separately of [false, true]) {
  test(`what is taken back${separately ? ' from each separately' : ''} has its files still, is kept and sent again with them`, async () => {
    const subject = `List, ${separately ? 'each' : 'all'}`;
    const page = await here.page('ann', { prefs: { undoSeconds: 30, undoInside: true } });
    await write(page, ['bob@anser.test', 'chen@anser.test'], subject, 'Here it is.');
    await page.locator('.composer input[type=file]').first().setInputFiles(list());
    if (separately) await more(page, 'Send to each separately');
    // It was kept with its file before it goes: what goes has the file of what was kept.
    await page.locator('.state', { hasText: 'Draft saved' }).waitFor();
    await page.locator('.send').click();
    await page.locator('.toast .act').click();
    await page.locator('.composer').waitFor();
    await page.locator('input.subject').fill(`${subject}, again`);
    await page.locator('.state', { hasText: 'Draft saved' }).waitFor();
    const [{ ids }] = await here.call('ann', ['Email/query', { filter: { subject } }]);
    const [{ list: kept }] = await here.call('ann', ['Email/get', { ids, properties: ['subject', 'attachments', 'keywords'] }]);
    assert.deepEqual(kept.map((one) => [one.subject, one.attachments.map(({ name }) => name), one.keywords.$draft]), [[`${subject}, again`, ['list.txt'], true]]);
    await page.locator('.send').click();
    await page.locator('.toast .x').first().click();
    const bob = await here.page('bob');
    await row(bob, `${subject}, again`).click();
    await bob.locator('.attachment', { hasText: 'list.txt' }).waitFor();
    await Promise.all([here.leave(page), here.leave(bob)]);
  });
}

test('a draft above two megabytes is gone on with whole', async () => {
  const lines = Array.from({ length: 60_000 }, (_, at) => `line ${at} of a very long list of many things`).join('\r\n');
  await here.put('chen', [[`From: chen@anser.test\r\nTo: bob@anser.test\r\nSubject: Very long\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${lines}\r\nthe end 完\r\n`, { $draft: true, $seen: true }]], 'drafts');
  const page = await here.page('chen', { prefs: { plain: true } });
  await folder(page, 'Drafts').click();
  await row(page, 'Very long').click();
  await page.locator('input.subject').fill('Very long indeed');
  await page.locator('.state', { hasText: 'Draft saved' }).waitFor();
  const [{ ids }] = await here.call('chen', ['Email/query', { filter: { subject: 'Very long indeed' } }]);
  const [{ list: [{ blobId, textBody }] }] = await here.call('chen', ['Email/get', { ids, properties: ['blobId', 'textBody'] }]);
  assert.ok(blobId);
  assert.ok(textBody[0].size > 2_400_000, String(textBody[0].size));
  await here.leave(page);
});

test('a letter too long to be quoted whole is answered below its beginning, and forwarded as a file', async () => {
  await here.put('ann', [[message({ subject: 'Endless', text: `It begins here. ${'and goes on '.repeat(900_000)}` })]]);
  const page = await here.page('ann');
  await row(page, 'Endless').click();
  await letter(page).waitFor();
  await page.keyboard.press('r');
  await page.locator('.composer .paper blockquote', { hasText: 'It begins here.' }).waitFor();
  assert.match((await page.locator('.composer .paper blockquote').innerText()).slice(-20), /\[…\]\s*$/);
  await page.locator('.tabs .tab').first().click();
  await page.keyboard.press('f');
  await page.locator('.attachments li', { hasText: 'Endless.eml' }).waitFor();
  await here.leave(page);
});

test('a letter goes out on its paper, asks for a receipt, and comes back among the drafts as it was', async () => {
  const page = await here.page('ann', { prefs: { undoSeconds: 30, undoInside: true } });
  await write(page, 'bob@anser.test', 'On rice paper', 'With care.');
  await more(page, 'Rice paper');
  await more(page, 'Ask for a read receipt');
  await page.locator('.send').click();
  await page.locator('.toast .act').click();
  await page.locator('.paper.on-rice', { hasText: 'With care.' }).waitFor();
  await page.locator('.state', { hasText: 'Draft saved' }).waitFor();
  const [{ ids }] = await here.call('ann', ['Email/query', { filter: { subject: 'On rice paper' } }]);
  const [{ list }] = await here.call('ann', ['Email/get', { ids, properties: ['bodyValues', 'htmlBody', 'header:Disposition-Notification-To:asAddresses'], fetchHTMLBodyValues: true }]);
  assert.match(Object.values(list[0].bodyValues)[0].value, /<div class="paper-rice" style="background-color/);
  assert.equal(list[0]['header:Disposition-Notification-To:asAddresses'][0].email, 'ann@anser.test');
  await page.reload();
  await folder(page, 'Drafts').click();
  await row(page, 'On rice paper').click();
  await page.locator('.paper.on-rice', { hasText: 'With care.' }).waitFor();
  await here.leave(page);
});

test('a receipt goes by itself to people of the house where its reader wants that, and to nobody where not', async () => {
  const [bob, reader] = [await here.page('bob', { prefs: { undoSeconds: 0 } }), await here.page('postmaster')];
  const outside = (subject) => here.put('postmaster', [[message({ from: 'Far <far@elsewhere.example>', subject, headers: 'Disposition-Notification-To: far@elsewhere.example\r\n' })]]);
  const wish = async (choice) => {
    await reader.locator('.rail .place').nth(3).click();
    await reader.locator('.settings main label', { hasText: choice }).click();
    await reader.locator('.rail .place').first().click();
  };
  const reads = async (subject) => {
    await row(reader, subject).click();
    await reader.locator('h2', { hasText: subject }).waitFor();
    await letter(reader).getByText('Good day.').waitFor();
  };
  const asks = async (subject) => {
    await write(bob, 'postmaster@anser.test', subject, 'Good day.');
    await more(bob, 'Ask for a read receipt');
    await sent(bob);
    await reads(subject);
  };
  const asked = reader.locator('.notice', { hasText: 'would like to know' });
  await wish('Never tell');
  await asks('Never from Bob');
  assert.equal(await asked.count(), 0);
  await outside('Never from afar');
  await reads('Never from afar');
  assert.equal(await asked.count(), 0);
  await wish('Tell my organisation');
  await outside('Asked from afar');
  await reads('Asked from afar');
  await asked.waitFor();
  // The receipt that comes is for the second: whatever went to Bob for the first would have come before it.
  await asks('Told to Bob');
  await row(bob, 'Told to Bob').waitFor();
  const [{ ids }] = await here.call('postmaster', ['Email/query', { filter: { hasKeyword: '$mdnsent' } }]);
  const [{ list: told }] = await here.call('postmaster', ['Email/get', { ids, properties: ['subject'] }]);
  assert.deepEqual(told.map(({ subject }) => subject), ['Told to Bob']);
  assert.equal(await row(bob, 'Never from Bob').count(), 0);
  await Promise.all([here.leave(bob), here.leave(reader)]);
});

test('a letter waits until its time, and is told so', async () => {
  const page = await here.page('bob');
  await write(page, 'ann@anser.test', 'Tomorrow', 'Good morning.');
  await page.locator('.composer .button', { hasText: 'Send later' }).click();
  await page.locator('dialog button', { hasText: 'Tomorrow at 8:00' }).click();
  await page.locator('.toast', { hasText: 'Will be sent on' }).waitFor();
  const [{ ids }] = await here.call('bob', ['EmailSubmission/query', { filter: { undoStatus: 'pending' } }]);
  const [{ list }] = await here.call('bob', ['EmailSubmission/get', { ids }]);
  assert.ok(list.some(({ sendAt }) => new Date(sendAt).getTime() > Date.now()));
  await page.locator('.toast .act').click();
  await page.locator('.composer').waitFor();
  await here.leave(page);
});

test('a letter is forwarded with its files, and as a file', async () => {
  const raw = `From: Bob <bob@anser.test>\r\nTo: ann@anser.test\r\nSubject: Lists\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nthe list\r\n--b\r\nContent-Type: text/plain; name="list.txt"\r\nContent-Disposition: attachment; filename="list.txt"\r\n\r\npears\r\n--b--\r\n`;
  await here.put('ann', [[raw]]);
  const page = await here.page('ann', { prefs: { undoSeconds: 0 } });
  await row(page, 'Lists').click();
  await letter(page).waitFor();
  await page.keyboard.press('f');
  await page.locator('.composer .attachments li', { hasText: 'list.txt' }).waitFor();
  assert.equal(await page.locator('input.subject').inputValue(), 'Fwd: Lists');
  await page.locator('.composer .field-row input').first().fill('chen@anser.test,');
  await sent(page);
  await page.locator('article.open header .menu-of button').click();
  await page.locator('[role=menuitem]', { hasText: 'Forward as attachment' }).click();
  await page.locator('.composer .attachments li', { hasText: 'Lists.eml' }).waitFor();
  await page.locator('.composer .field-row input').first().fill('chen@anser.test,');
  await page.locator('input.subject').fill('as a file');
  await sent(page);
  const chen = await here.page('chen');
  await row(chen, 'Fwd: Lists').click();
  await chen.locator('.attachment', { hasText: 'list.txt' }).waitFor();
  await row(chen, 'as a file').click();
  await chen.locator('.attachment', { hasText: 'Lists.eml' }).click();
  await chen.frameLocator('dialog iframe').locator('body', { hasText: 'the list' }).waitFor();
  await Promise.all([here.leave(page), close(chen)]);
});

test('what is pasted from a word processor keeps its looks and loses its ballast', async () => {
  const page = await here.page('ann');
  await write(page, 'bob@anser.test', 'Pasted', '');
  await paste(page, { 'text/html': `<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{mso-style-parent:"";color:red}</style><!--[if gte mso 9]><xml><o:x/></xml><![endif]--></head><body><p class=MsoNormal style='mso-margin-top-alt:auto;text-align:center'><b>标题</b><o:p></o:p></p><table border=1><tr><td style="background:#eee">一</td><td>二</td></tr></table><script>fired=1</script></body></html>`, 'text/plain': '标题' });
  await page.locator('.paper td', { hasText: '二' }).waitFor();
  await page.locator('.paper b', { hasText: '标题' }).waitFor();
  const html = await page.locator('.paper').innerHTML();
  assert.doesNotMatch(html, /<o:|<script|<xml|<style/i);
  assert.equal(await page.evaluate(() => window.fired), undefined);
  await page.locator('.composer .foot .tool').last().click();
  await page.locator('dialog .danger').click();
  await here.leave(page);
});

test('a picture that is pasted lies in the text and arrives there; so does a table', async () => {
  const page = await here.page('ann', { prefs: { undoSeconds: 0 } });
  await write(page, 'bob@anser.test', 'Look', 'Here it is: ');
  await paste(page, { 'image/png': PIXEL });
  await page.locator('.paper img').waitFor();
  await page.locator('.editor .tools .menu-of button').last().click();
  await page.locator('.editor [role=menuitem]', { hasText: 'Table' }).click();
  await page.locator('.paper td').first().waitFor();
  await page.locator('.state', { hasText: 'Draft saved' }).waitFor();
  await sent(page);
  const bob = await here.page('bob');
  await row(bob, 'Look').click();
  await bob.frameLocator('article.open iframe').locator('img').waitFor();
  assert.equal(await bob.frameLocator('article.open iframe').locator('td').count(), 9);
  await bob.waitForFunction(() => document.querySelector('article iframe').contentDocument.images[0].naturalWidth === 1);
  await Promise.all([here.leave(page), close(bob)]);
});

test('what became of a letter is told for each who was to get it', async () => {
  const page = await here.page('chen', { language: 'zh', prefs: { undoSeconds: 0 } });
  await write(page, 'bob@anser.test', '收到了吗', '请回复。');
  await sent(page);
  const bob = await here.page('bob');
  await row(bob, '收到了吗').waitFor();
  await folder(page, '已发送').click();
  await row(page, '收到了吗').click();
  await page.locator('.delivery li', { hasText: 'bob@anser.test' }).waitFor();
  await Promise.all([here.leave(page), close(bob)]);
});

for (const [language, width, words] of [
  ['en', 1280, { sent: 'Sent', recall: 'Recall', gone: 'bob@anser.test', read: 'chen@anser.test' }],
  ['zh', 390, { sent: '已发送', recall: '撤回', gone: 'bob@anser.test', read: 'chen@anser.test' }],
]) {
  test(`a letter is recalled from whoever has not read it, and each result is told, ${language}`, async () => {
    const subject = `Wrong figures ${language}`;
    await here.deliver('ann', ['bob@anser.test', 'chen@anser.test'], { subject });
    const chen = await here.page('chen');
    await row(chen, subject).click();
    await letter(chen).waitFor();
    await chen.waitForFunction((text) => [...document.querySelectorAll('.row')].some((row) => row.textContent.includes(text) && !row.matches('.unread')), subject);
    const [{ ids: [drafts] }] = await here.call('ann', ['Email/query', { filter: { subject } }]);
    await here.call('ann', ['Email/set', { update: { [drafts]: { mailboxIds: { [await here.mailbox('ann', 'sent')]: true } } } }]);
    const page = await here.page('ann', { language, width });
    if (width < 500) await page.locator('.menu-button').click();
    await folder(page, words.sent).click();
    await row(page, subject).click();
    await page.locator('.delivery button', { hasText: words.recall }).click();
    await page.locator('dialog .danger').click();
    await page.locator('.results li.recalled', { hasText: words.gone }).waitFor();
    await page.locator('.results li.read', { hasText: words.read }).waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.deepEqual((await here.call('bob', ['Email/query', { filter: { subject } }]))[0].ids, []);
    assert.equal((await here.call('chen', ['Email/query', { filter: { subject } }]))[0].ids.length, 1);
    await Promise.all([here.leave(page), here.leave(chen)]);
  });
}

test('an address that is typed wrong and one that is outside look so', async () => {
  const page = await here.page('ann');
  await write(page, ['someone@gmial.com', 'partner@elsewhere.example', 'bob@anser.test'], 'x', 'y');
  await page.locator('.person.odd', { hasText: 'gmial' }).waitFor();
  await page.locator('.person.outside', { hasText: 'elsewhere' }).waitFor();
  assert.equal(await page.locator('.person:not(.outside):not(.odd)', { hasText: 'bob' }).count(), 1);
  await here.leave(page);
});

test('several addresses are pasted at once, and a subject is asked for', async () => {
  const page = await here.page('bob', { language: 'zh' });
  await write(page, [], '', '正文');
  await page.locator('.field-row input').first().evaluate((input) => {
    const transfer = new DataTransfer();
    transfer.setData('text/plain', '陈雁 <chen@anser.test>；ann@anser.test');
    input.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  });
  await page.locator('.person', { hasText: '陈雁' }).waitFor();
  assert.equal(await page.locator('.person').count(), 2);
  await page.locator('.send').click();
  await page.locator('dialog', { hasText: '不填主题' }).waitFor();
  await here.leave(page);
});

test('nothing went wrong in any page', () => assert.deepEqual(here.trouble, []));
