// Reading, and keeping what was read in order.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { close, folder, letter, message, row, rowsAre, world } from './world.js';

let here;
before(async () => (here = await world()));
after(async () => here.end());

/** A letter with another one in it. */
const around = (inner, subject) =>
  `From: Bob <bob@anser.test>\r\nTo: ann@anser.test\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename="inner.eml"\r\n\r\n${inner}\r\n--b--\r\n`;

for (const [language, width, words] of [
  ['en', 1280, { from: 'From', text: 'the innermost' }],
  ['zh', 390, { from: '发件人', text: '最里面的一封' }],
]) {
  test(`a letter within a letter is read as any other, ${language}`, async () => {
    const inner = message({ from: '陈雁 <chen@anser.test>', subject: '里面', html: `<p>${words.text}<img src="https://attacker.example/x.png" onerror="fired=1"></p>` });
    await here.put('ann', [[around(inner, `outer ${language}`)]]);
    const page = await here.page('ann', { language, width });
    await row(page, `outer ${language}`).click();
    await page.locator('.attachment', { hasText: 'inner.eml' }).click();
    await page.locator('dialog dt', { hasText: words.from }).waitFor();
    assert.match(await page.frameLocator('dialog iframe').locator('body').innerText(), new RegExp(words.text));
    assert.equal(await page.evaluate(() => window.fired), undefined);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await close(page);
  });

  test(`a tag in one's own letters stays with a message, ${language}`, async () => {
    await here.put('bob', [[message({ to: 'bob@anser.test', subject: `tagged ${language}` })]]);
    const page = await here.page('bob', { language, width });
    await row(page, `tagged ${language}`).click();
    await letter(page).waitFor();
    await page.keyboard.press('l');
    await page.locator('dialog [name=tag]').fill(`项目 ${language}`);
    await page.keyboard.press('Enter');
    await page.locator('dialog [aria-checked=true]', { hasText: `项目 ${language}` }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('h2 .label', { hasText: `项目 ${language}` }).waitFor();
    await here.keeps('bob', 'webmail/tags', `项目 ${language}`);
    const other = await here.page('bob', { language });
    await row(other, `tagged ${language}`).locator('.dot').waitFor();
    assert.equal(await row(other, `tagged ${language}`).locator('.dot').getAttribute('title'), `项目 ${language}`);
    await Promise.all([close(page), close(other)]);
  });
}

test('what is selected is saved as files: a zip, an mbox', async () => {
  await here.put('chen', ['One', '二'].map((subject) => [message({ to: 'chen@anser.test', subject, text: 'From here on\n' })]));
  const page = await here.page('chen');
  await rowsAre(page, 2);
  await page.locator('.bar .box').click();
  const files = [];
  for (const name of ['Save as .zip', 'Save as .mbox']) {
    await page.locator('.list .bar .menu-of button').click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[role=menuitem]', { hasText: name }).click()]);
    files.push(readFileSync(await download.path()));
  }
  assert.equal(files[0].readUInt32LE(0), 0x04034b50);
  assert.ok(files[0].includes('二.eml') && files[0].includes('One.eml'));
  assert.equal(files[1].toString().match(/^From \S+@\S+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/gm).length, 2);
  await close(page);
});

test('a note is written on a message, found again, and leads to it', async () => {
  await here.put('ann', [[message({ subject: 'The contract' })]]);
  const page = await here.page('ann');
  await row(page, 'The contract').click();
  await letter(page).waitFor();
  await page.locator('article.open header .menu-of button').click();
  await page.locator('[role=menuitem]', { hasText: 'Add a note' }).click();
  await page.locator('.slip textarea').fill('问一下财务');
  await page.locator('.slip input').fill('2030-01-31');
  await page.locator('.slip .main').click();
  await page.locator('button.slip', { hasText: '问一下财务' }).waitFor();
  await folder(page, 'Archive').click();
  await page.locator('.new', { hasText: 'Notes' }).click();
  await page.locator('dialog input').fill('财务');
  await page.locator('dialog li', { hasText: 'The contract' }).click();
  await letter(page).waitFor();
  await page.locator('button.slip', { hasText: '问一下财务' }).waitFor();
  await close(page);
});

test('a letter in a tab is there again after a crash, and in another browser', async () => {
  await here.put('ann', [[message({ subject: 'Keep this open', text: 'for days' })]]);
  const page = await here.page('ann');
  await row(page, 'Keep this open').click();
  await letter(page).waitFor();
  await page.keyboard.press('t');
  await page.locator('.tab', { hasText: 'Keep this open' }).waitFor();
  await here.keeps('ann', 'webmail/letters', '"');
  await page.goto('about:blank');
  const other = await here.page('ann', { language: 'zh' });
  await other.locator('.tab', { hasText: 'Keep this open' }).locator('.name').click();
  assert.match(await letter(other).innerText(), /for days/);
  await other.locator('.tab .x').click();
  await other.locator('.tab').waitFor({ state: 'detached' });
  await Promise.all([close(page), close(other)]);
});

test('senders and links that look like ours are warned of', async () => {
  await here.put('ann', [[message({ from: 'Postmaster <postmaster@answer.test>', subject: 'Your quota', html: '<a href="https://xn--nser-5na.test/">our own page</a><a id=b href="http://10.1.2.3/x">the form</a>' })], [message({ from: 'IT <it@arnser.test>', subject: 'Plain', text: 'x' })]]);
  const page = await here.page('ann', { prefs: { conversations: false } });
  await row(page, 'Your quota').click();
  await page.locator('.notice.bad', { hasText: 'looks like anser.test' }).waitFor();
  for (const [link, title] of [['our own page', 'may not be what they look like'], ['the form', 'leads to a number']]) {
    await page.frameLocator('article.open iframe').locator('a', { hasText: link }).click();
    await page.locator('dialog h2', { hasText: title }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
  assert.equal(page.context().pages().length, 1);
  await close(page);
});

for (const [language, words] of [
  ['en', { asked: 'would like to know', tell: 'Tell them', not: 'Do not' }],
  ['zh', { asked: '希望知道您是否已阅读', tell: '发送回执', not: '不发送' }],
]) {
  test(`who wants to know that a letter was read is told, or not, as its reader says, ${language}`, async () => {
    const asking = 'Disposition-Notification-To: ann@anser.test\r\n';
    const letters = ['tell', 'refuse'].map((what) => `${what} ${language}`);
    await here.put('bob', letters.map((subject) => [message({ from: 'Ann <ann@anser.test>', to: 'bob@anser.test', subject, headers: asking })]));
    const page = await here.page('bob', { language });
    for (const [at, button] of [words.tell, words.not].entries()) {
      await row(page, letters[at]).click();
      const notice = page.locator('.notice', { hasText: words.asked });
      await notice.locator('button', { hasText: button }).click();
      await notice.waitFor({ state: 'detached' });
    }
    const ann = await here.page('ann', { language });
    await row(ann, `tell ${language}`).waitFor();
    assert.equal(await row(ann, `refuse ${language}`).count(), 0);
    // Neither is asked about again.
    await page.reload();
    for (const subject of letters) {
      await row(page, subject).click();
      await letter(page).waitFor();
      assert.equal(await page.locator('.notice', { hasText: words.asked }).count(), 0);
    }
    await Promise.all([close(page), close(ann)]);
  });
}

for (const [language, width, words] of [
  ['en', 1280, { show: 'Show images', always: 'Always for this sender', not: 'No longer' }],
  ['zh', 390, { show: '显示图片', always: '总是显示该发件人的图片', not: '不再显示' }],
]) {
  test(`pictures of other servers are shown once, or always for a sender, and come by this server alone, ${language}`, async () => {
    const user = language === 'zh' ? 'chen' : 'bob';
    const html = '<p>Look<img src="https://pictures.example/a.png" width="20" height="20" alt=""></p>';
    const letters = [['Shop <news@shop.example>', 'first'], ['Shop <news@shop.example>', 'second'], ['Other <news@other.example>', 'third']];
    await here.put(user, letters.map(([from, subject]) => [message({ from, to: `${user}@anser.test`, subject: `${subject} offer`, html })]));
    const page = await here.page(user, { language, width });
    const asked = [];
    page.on('request', (request) => /\/jmap\/image\/|pictures\.example\//.test(request.url().split('?')[0]) && asked.push(request.url()));
    await page.route('**/jmap/image/**', (route) => route.fulfill({ contentType: 'image/png', body: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64') }));
    const open = async (subject) => {
      if (width < 500 && (await page.locator('.mail.reading').count()) > 0) await page.goBack();
      await row(page, `${subject} offer`).click();
      await page.frameLocator('article.open iframe').locator('body', { hasText: 'Look' }).waitFor();
    };
    const picture = () => page.frameLocator('article.open iframe').locator('img[src*="/jmap/image/"]').waitFor({ state: 'attached' });
    await open('first');
    await page.locator('.notice button', { hasText: words.show }).waitFor();
    assert.deepEqual(asked, []);
    await page.locator('.notice button', { hasText: words.show }).click();
    await picture();
    await open('second');
    await page.locator('.notice button', { hasText: words.always }).click();
    await picture();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await here.keeps(user, 'webmail/images', 'news@shop.example');
    await open('third');
    await page.locator('.notice button', { hasText: words.show }).waitFor();
    await page.reload();
    await page.locator('article.open iframe').waitFor();
    await open('first');
    await picture();
    await page.locator('.notice button', { hasText: words.not }).click();
    await open('second');
    await page.locator('.notice button', { hasText: words.show }).waitFor();
    assert.ok(asked.length > 0 && asked.every((url) => url.startsWith(`${here.url}/jmap/image/`)), asked.join());
    await close(page);
  });
}

test('a document that came along is looked at in place, and what cannot be shown is said to be', async () => {
  const part = (type, name, text) => `--b\r\nContent-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(text).toString('base64')}\r\n`;
  const files = part('text/plain', 'notes.txt', '第一行 <b>plain</b>') + part('application/octet-stream', 'plan.dwg', 'AC1032');
  await here.put('ann', [[`From: Bob <bob@anser.test>\r\nTo: ann@anser.test\r\nSubject: Two files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n${files}--b--\r\n`]]);
  const page = await here.page('ann');
  await row(page, 'Two files').click();
  await page.locator('.attachment', { hasText: 'notes.txt' }).click();
  await page.locator('dialog pre', { hasText: '第一行 <b>plain</b>' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.attachment', { hasText: 'plan.dwg' }).click()]);
  await page.locator('.toast', { hasText: 'plan.dwg cannot be shown here' }).waitFor();
  assert.match(readFileSync(await download.path(), 'utf8'), /^AC1032/);
  await close(page);
});

test('all that match are marked by the server, beyond what is loaded', async () => {
  await here.put('postmaster', Array.from({ length: 130 }, (_, at) => [message({ to: 'postmaster@anser.test', subject: `bulk ${at}` })]));
  const page = await here.page('postmaster', { prefs: { conversations: false } });
  await row(page, 'bulk').first().waitFor();
  await page.locator('.bar .box').click();
  await page.locator('.all button', { hasText: 'Select all 130' }).click();
  await page.locator('.list .bar .menu-of button').click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[role=menuitem]', { hasText: 'Save as .mbox' }).click()]);
  assert.equal(readFileSync(await download.path(), 'utf8').match(/^From /gm).length, 130);
  await page.keyboard.press('I');
  await page.locator('.toast', { hasText: 'Done with 130 messages' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.row.unread').length === 0);
  const [{ ids }] = await here.call('postmaster', ['Email/query', { filter: { notKeyword: '$seen' } }]);
  assert.deepEqual(ids, []);
  await close(page);
});

test('what was done with all that match is undone, and leaves as it was what was so before', async () => {
  const subjects = Array.from({ length: 120 }, (_, at) => `undone ${at}`);
  // Every third one has a star and lies in the archive as well.
  await here.put('chen', subjects.map((subject, at) => [message({ to: 'chen@anser.test', subject }), at % 3 === 0 ? { $flagged: true } : {}]));
  const [inbox, archive] = [await here.mailbox('chen', 'inbox'), await here.mailbox('chen', 'archive')];
  const [{ ids: third }] = await here.call('chen', ['Email/query', { filter: { hasKeyword: '$flagged' } }]);
  await here.call('chen', ['Email/set', { update: Object.fromEntries(third.map((id) => [id, { [`mailboxIds/${archive}`]: true }])) }]);
  const state = async () => {
    const [{ ids }] = await here.call('chen', ['Email/query', { filter: { subject: 'undone' } }]);
    const [{ list }] = await here.call('chen', ['Email/get', { ids, properties: ['keywords', 'mailboxIds'] }]);
    return list.map(({ id, keywords, mailboxIds }) => [id, Boolean(keywords.$flagged), inbox in mailboxIds, archive in mailboxIds].join()).sort();
  };
  const before = await state();
  const page = await here.page('chen', { prefs: { conversations: false } });
  await row(page, 'undone').first().waitFor();
  for (const act of [() => page.keyboard.press('s'), () => page.keyboard.press('e')]) {
    await page.locator('.bar .box').click();
    await page.locator('.all button', { hasText: 'Select all' }).click();
    await act();
    await page.locator('.toast', { hasText: 'Done with' }).waitFor();
    assert.notDeepEqual(await state(), before);
    await page.locator('.toast', { hasText: 'Done with' }).locator('.act').click();
    await page.locator('.toast', { hasText: 'Undone' }).waitFor();
    assert.deepEqual(await state(), before);
    await page.locator('.toast .x').first().click();
    await page.reload();
    await row(page, 'undone').first().waitFor();
  }
  await close(page);
});

test('a search is kept beside the folders, for other browsers too', async () => {
  const page = await here.page('ann', { language: 'zh' });
  await page.locator('#search').fill('主题:contract');
  await page.keyboard.press('Enter');
  await row(page, 'The contract').waitFor();
  await page.locator('.bar .tool', { hasText: '保存搜索' }).click();
  await folder(page, '主题:contract').waitFor();
  await here.keeps('ann', 'webmail/searches', 'contract');
  const other = await here.page('ann', { language: 'zh' });
  await folder(other, '主题:contract').click();
  await rowsAre(other, 1);
  await Promise.all([close(page), close(other)]);
});

test('a conversation is one row, its letters unfold, and a pinned message stays on top', async () => {
  const id = (at) => `<t${at}@anser.test>`;
  const of = (at, more) => message({ to: 'bob@anser.test', from: 'Chen <chen@anser.test>', subject: at === 1 ? 'Plan' : 'Re: Plan', text: `part ${at}`, headers: `X-At: ${at}\r\n${more}` }).replace(/Message-ID: .*\r\n/, `Message-ID: ${id(at)}\r\n`);
  await here.put('bob', [[of(1, ''), { $seen: true }, '2026-01-01T08:00:00Z'], [of(2, `In-Reply-To: ${id(1)}\r\nReferences: ${id(1)}\r\n`), { $seen: true }, '2026-01-02T08:00:00Z']]);
  const page = await here.page('bob');
  await row(page, 'Plan').locator('.number', { hasText: '2' }).waitFor();
  await row(page, 'Plan').click();
  await letter(page).waitFor();
  assert.match(await letter(page).last().innerText(), /part 2/);
  await page.locator('article').first().locator('.name').click();
  await page.waitForFunction(() => document.querySelectorAll('article.open iframe').length === 2);
  await page.keyboard.press('p');
  await page.locator('.toast', { hasText: 'Pinned' }).waitFor();
  await page.reload();
  await page.waitForFunction(() => /Plan/.test(document.querySelector('#row-0')?.textContent ?? ''));
  await close(page);
});

test('source and header are shown, the letter is printed and saved', async () => {
  const page = await here.page('ann');
  await row(page, 'The contract').click();
  await letter(page).waitFor();
  const menu = async (name) => {
    await page.locator('article.open header .menu-of button').click();
    return page.locator('[role=menuitem]', { hasText: name });
  };
  await (await menu('Source')).click();
  await page.locator('dialog pre', { hasText: 'MIME-Version: 1.0' }).waitFor();
  await page.keyboard.press('Escape');
  await (await menu('Headers')).click();
  await page.locator('dialog pre', { hasText: 'Subject: The contract' }).waitFor();
  await page.keyboard.press('Escape');
  await page.evaluate(() => (window.print = () => (window.printed = true)));
  await (await menu('Print')).click();
  assert.equal(await page.evaluate(() => window.printed), true);
  const [download] = await Promise.all([page.waitForEvent('download'), (await menu('Save as .eml')).click()]);
  assert.match(readFileSync(await download.path(), 'utf8'), /^From: Bob/m);
  await close(page);
});

test('a text in a wrong encoding is read once the reader says which it is', async () => {
  const raw = Buffer.concat([Buffer.from('From: x@far.example\r\nTo: ann@anser.test\r\nSubject: legacy\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'), Buffer.from('a4a4a4e5', 'hex'), Buffer.from('\r\n')]);
  await here.put('ann', [[raw]]);
  const page = await here.page('ann');
  await row(page, 'legacy').click();
  await letter(page).waitFor();
  await page.locator('article.open header .menu-of button').click();
  await page.locator('[role=menuitemradio]', { hasText: 'big5' }).click();
  await page.frameLocator('article.open iframe').locator('body', { hasText: '中文' }).waitFor();
  await close(page);
});

test('nothing went wrong in any page', () => assert.deepEqual(here.trouble, []));
