// What people do with mail, in a browser, against the real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, folder, letter, message, row, rowsAre, whole, world } from './world.js';

let here;
before(async () => (here = await world()));
after(async () => here.end());

for (const [language, words] of [
  ['en', { inbox: 'Inbox', send: 'Send', again: 'Undo', trash: 'Trash', subject: 'Harvest', to: 'To' }],
  ['zh', { inbox: '收件箱', send: '发送', again: '撤销', trash: '已删除', subject: '收成', to: '收件人' }],
]) {
  test(`a letter with an attachment reaches chen in another window, ${language}`, async () => {
    const [ann, chen] = await Promise.all([here.page('ann', { language }), here.page('chen', { language })]);
    await chen.locator('h1', { hasText: words.inbox }).waitFor();
    await ann.locator('.write').click();
    await ann.keyboard.type('chen@anser.test,');
    await ann.locator('input.subject').fill(words.subject);
    await ann.locator('.paper').click();
    await ann.keyboard.type('附件请查收。 See the list.');
    await ann.locator('.composer .foot input[type=file]').setInputFiles({ name: '清单.txt', mimeType: 'text/plain', buffer: Buffer.from('pears\nquinces\n') });
    await ann.locator('.attachments li', { hasText: '清单.txt' }).waitFor();
    await ann.waitForFunction(() => !document.querySelector('.attachments progress'));
    await ann.locator('.send', { hasText: words.send }).click();
    await ann.locator('.toast').waitFor();
    await row(chen, words.subject).click();
    assert.match(await letter(chen).innerText(), /附件请查收。 See the list\./);
    assert.match(await chen.locator('.attachment').innerText(), /清单\.txt/);
    await Promise.all([here.leave(ann), here.leave(chen)]);
  });

  test(`a delete is undone, ${language}`, async () => {
    await here.put('bob', [[message({ subject: `keep ${language}`, to: 'bob@anser.test' })]]);
    const page = await here.page('bob', { language });
    await row(page, `keep ${language}`).click();
    await letter(page).waitFor();
    await page.keyboard.press('Delete');
    await row(page, `keep ${language}`).waitFor({ state: 'detached' });
    await page.locator('.toast .act', { hasText: words.again }).click();
    await row(page, `keep ${language}`).waitFor();
    await folder(page, words.trash).click();
    await page.locator('.empty').waitFor();
    await here.leave(page);
  });
}

test('rows are there before the second script is, and what was opened meanwhile is shown as it comes', async () => {
  await here.put('bob', [[message({ subject: 'Early', to: 'bob@anser.test', text: 'first of all' })]]);
  const page = await here.page('bob');
  let [asked, release] = [0];
  const held = new Promise((done) => (release = done));
  await page.route(/\/assets\/more\./, async (route) => {
    // At first there is no line; then it is slow.
    if (asked++ === 0) return route.abort('aborted');
    await held;
    await route.fallback();
  });
  await page.reload();
  await row(page, 'Early').click();
  await page.locator('.reading h2', { hasText: 'Early' }).waitFor();
  await page.keyboard.press('c');
  assert.equal(await page.locator('article, .composer').count(), 0);
  release();
  await page.locator('.composer').waitFor();
  await page.locator('.tabs .tab').first().click();
  assert.match(await letter(page).innerText(), /first of all/);
  await whole(page);
  assert.ok(asked >= 2);
  await here.leave(page);
});

test('a Chinese word is found, and operators narrow the search', async () => {
  await here.put('postmaster', [
    [message({ to: 'postmaster@anser.test', from: '陈雁 <chen@anser.test>', subject: '会议', text: '中国科学院的会议改到周四。' })],
    [message({ to: 'postmaster@anser.test', subject: 'Meeting', text: 'Nothing about it.' })],
  ]);
  const page = await here.page('postmaster', { language: 'zh' });
  await rowsAre(page, 2);
  await page.keyboard.press('/');
  await page.keyboard.type('科学院');
  await rowsAre(page, 1);
  await row(page, '会议').waitFor();
  await page.locator('#search').fill('发件人:bob');
  await page.keyboard.press('Enter');
  await row(page, 'Meeting').waitFor();
  await rowsAre(page, 1);
  assert.match(await page.locator('.chip').innerText(), /发件人:bob/);
  await page.locator('.search .x').click();
  await rowsAre(page, 2);
  await here.leave(page);
});

test('messages are moved: dragged to a folder, by keys with two letters', async () => {
  await here.put('ann', [[message({ subject: 'by hand' })], [message({ subject: 'by keys' })]], 'archive');
  await here.call('ann', ['Mailbox/set', { create: { a: { name: '项目' } } }]);
  const page = await here.page('ann');
  await folder(page, 'Archive').click();
  await row(page, 'by hand').dragTo(folder(page, '项目'));
  await row(page, 'by hand').waitFor({ state: 'detached' });
  await row(page, 'by keys').click();
  await letter(page).waitFor();
  await page.keyboard.press('v');
  await page.locator('#picks').waitFor();
  await page.keyboard.type('xm');
  await page.keyboard.press('Enter');
  await row(page, 'by keys').waitFor({ state: 'detached' });
  await folder(page, '项目').click();
  await row(page, 'by hand').waitFor();
  await row(page, 'by keys').waitFor();
  await here.leave(page);
});

test('a letter is taken back while there is time, and is written on', async () => {
  const page = await here.page('bob', { prefs: { undoSeconds: 30, undoInside: true } });
  await page.locator('.write').click();
  await page.keyboard.type('ann@anser.test,');
  await page.locator('input.subject').fill('too soon');
  await page.locator('.paper').click();
  await page.keyboard.type('unfinished');
  await page.locator('.send').click();
  await page.locator('.toast .act').click();
  assert.equal(await page.locator('input.subject').inputValue(), 'too soon');
  await page.locator('.paper', { hasText: 'unfinished' }).waitFor();
  const [found] = await here.call('ann', ['Email/query', { filter: { subject: 'too soon' } }]);
  assert.deepEqual(found.ids, []);
  await here.leave(page);
});

test('a draft is kept as it is written, and is there in another browser', async () => {
  const page = await here.page('chen');
  await page.locator('.write').click();
  await page.locator('input.subject').fill('half a thought');
  await page.locator('.state', { hasText: 'Draft saved' }).waitFor();
  await close(page);
  const other = await here.page('chen');
  await folder(other, 'Drafts').click();
  await row(other, 'half a thought').click();
  await other.locator('.composer').waitFor();
  assert.equal(await other.locator('input.subject').inputValue(), 'half a thought');
  await here.leave(other);
});

/** Waits until ann has one message of this subject. */
async function kept(subject) {
  for (let count = 0; count !== 1; await new Promise((done) => setTimeout(done, 100))) {
    const [{ ids }] = await here.call('ann', ['Email/query', { filter: { subject: `"${subject}"` } }]);
    count = ids.length;
  }
}

test('a draft with a file is gone on with, kept twice and sent with it', async () => {
  await here.put('ann', [['From: ann@anser.test\r\nTo: bob@anser.test\r\nSubject: With its list\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=list.txt\r\n\r\none\r\n--b--\r\n', { $draft: true, $seen: true }]], 'drafts');
  const page = await here.page('ann');
  await folder(page, 'Drafts').click();
  await row(page, 'With its list').click();
  for (const more of ['first', 'second']) {
    await page.locator('input.subject').fill(`With its list, ${more}`);
    await kept(`With its list, ${more}`);
  }
  await page.locator('.send').click();
  await page.locator('.composer').waitFor({ state: 'detached' });
  const bob = await here.page('bob');
  await row(bob, 'With its list, second').click();
  await bob.locator('.attachment', { hasText: 'list.txt' }).waitFor();
  await Promise.all([here.leave(page), here.leave(bob)]);
});

test('who mentions an attachment and has none is asked', async () => {
  const page = await here.page('chen', { language: 'zh' });
  await page.locator('.write').click();
  await page.keyboard.type('ann@anser.test,');
  await page.locator('input.subject').fill('说明');
  await page.locator('.paper').click();
  await page.keyboard.type('详见附件');
  await page.locator('.send').click();
  await page.locator('dialog', { hasText: '您提到了附件' }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.composer').count(), 1);
  await here.leave(page);
});

test('an answer quotes, goes to the right people and marks what it answers', async () => {
  await here.put('ann', [[message({ subject: 'Question', to: 'ann@anser.test, chen@anser.test', text: 'When?' })]]);
  const page = await here.page('ann', { prefs: { undoSeconds: 0 } });
  await row(page, 'Question').click();
  await letter(page).waitFor();
  await page.keyboard.press('a');
  await page.locator('.composer').waitFor();
  assert.equal(await page.locator('input.subject').inputValue(), 'Re: Question');
  assert.deepEqual(await page.locator('.person').allInnerTexts(), ['B\nBob', 'C\nchen@anser.test']);
  await page.locator('.paper blockquote', { hasText: 'When?' }).waitFor();
  await page.keyboard.type('On Monday.');
  await page.keyboard.press('Control+Enter');
  await page.locator('.composer').waitFor({ state: 'detached' });
  const bob = await here.page('bob');
  await row(bob, 'Re: Question').click();
  await letter(bob).getByText('On Monday.').waitFor();
  assert.match(await letter(bob).innerText(), /^On Monday\./);
  await Promise.all([here.leave(page), here.leave(bob)]);
});

test('several are selected, starred and read at once, and the keys have a sheet', async () => {
  await here.put('ann', [1, 2, 3].map((at) => [message({ subject: `pile ${at}` })]), 'junk');
  const page = await here.page('ann');
  await folder(page, 'Spam').click();
  await rowsAre(page, 3);
  await page.locator('.rows').focus();
  for (const key of ['x', 'j', 'x']) await page.keyboard.press(key);
  assert.match(await page.locator('.bar strong').innerText(), /2 selected/);
  await page.keyboard.press('s');
  await page.waitForFunction(() => document.querySelectorAll('.star.on').length === 2);
  await page.keyboard.press('I');
  await page.waitForFunction(() => document.querySelectorAll('.row.unread').length === 1);
  await page.keyboard.press('?');
  await page.locator('dialog kbd', { hasText: 'g i' }).waitFor();
  await here.leave(page);
});

test('a folder is made, named anew, emptied and deleted', async () => {
  const page = await here.page('bob');
  await page.locator('.new', { hasText: 'New folder' }).click();
  await page.locator('dialog input').fill('旅行');
  await page.keyboard.press('Enter');
  await folder(page, '旅行').waitFor();
  const menu = page.locator('li', { hasText: '旅行' }).locator('.menu-of button').first();
  await menu.click();
  await page.locator('[role=menuitem]', { hasText: 'Rename' }).click();
  await page.locator('dialog input').fill('远行');
  await page.keyboard.press('Enter');
  await folder(page, '远行').waitFor();
  await page.locator('li', { hasText: '远行' }).locator('.menu-of button').first().click();
  await page.locator('[role=menuitem]', { hasText: 'Delete' }).click();
  await page.locator('dialog .danger').click();
  await folder(page, '远行').waitFor({ state: 'detached' });
  await here.leave(page);
});

test('a phone shows one thing at a time, and nothing is cut off', async () => {
  await here.put('chen', [[message({ to: 'chen@anser.test', subject: '周四下午的会议改到三点半，地点仍在二楼会议室，请各位互相转告' })]]);
  const page = await here.page('chen', { language: 'zh', width: 390, height: 800 });
  await row(page, '周四下午').click();
  await letter(page).waitFor();
  assert.equal(await page.locator('.rows').isVisible(), false);
  const narrow = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth);
  assert.ok(await narrow());
  await page.goBack();
  await page.locator('.rows').waitFor();
  await page.locator('.menu-button').click();
  await page.locator('.write').click();
  await page.locator('.composer').waitFor();
  assert.ok(await narrow());
  const box = await page.locator('.send').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390);
  // From wherever one is the folders are one touch away, and from the list a new letter.
  for (const place of [0, 1, 3]) {
    if (place > 0) await page.locator('.rail .place').nth(place).click();
    await page.locator('.menu-button').click();
    await page.locator('.folders.shown').waitFor();
    await folder(page, '收件箱').click();
  }
  // The last of many is not below it.
  await here.put('chen', Array.from({ length: 12 }, (_, at) => [message({ to: 'chen@anser.test', subject: `row ${at}` })]));
  await row(page, 'row 11').waitFor();
  await page.evaluate(() => document.querySelector('#list').scrollTo(0, 100_000));
  await page.waitForFunction(() => [...document.querySelectorAll('.row')].at(-1).getBoundingClientRect().bottom <= document.querySelector('.pen').getBoundingClientRect().top);
  await page.locator('.pen').click();
  await page.locator('.tabs .tab').nth(2).waitFor();
  await here.leave(page);
});

for (const [language, width, words] of [
  ['en', 1280, { starred: 'unread message' }],
  ['zh', 390, { starred: '未读的星标邮件' }],
]) {
  test(`what is due and what is important and unread stands in the frame, ${language}`, async () => {
    const user = language === 'zh' ? 'chen' : 'postmaster';
    await here.put(user, [[message({ to: `${user}@anser.test`, subject: 'The lease' }), { $seen: true }], [message({ to: `${user}@anser.test`, subject: 'At once' }), { $flagged: true }]]);
    const [{ ids: [lease] }] = await here.call(user, ['Email/query', { filter: { subject: 'The lease' } }]);
    const page = await here.page(user, { language, width });
    await page.locator('.top .menu-of button', { hasText: '1' }).waitFor();
    await here.call(user, ['Note/set', { create: { a: { emailId: lease, text: 'sign it 签字', due: '2020-01-01T00:00:00Z' }, b: { emailId: (await here.call(user, ['Email/query', { filter: { subject: 'At once' } }]))[0].ids[0], text: 'in future', due: '2999-01-01T00:00:00Z' } } }]);
    await page.locator('.top .menu-of button', { hasText: '2' }).click();
    await page.locator('[role=menuitem]', { hasText: 'sign it' }).click();
    await page.locator('.reader h2, .reader h1', { hasText: 'The lease' }).first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    if (width < 500) await page.locator('.reader .tool').first().click();
    await page.locator('.top .menu-of button').first().click();
    await page.locator('[role=menuitem]', { hasText: words.starred }).click();
    await row(page, 'At once').waitFor();
    assert.equal(await page.locator('.row .who').count(), 1);
    await here.leave(page);
  });
}

test('nothing went wrong in any page', () => {
  assert.deepEqual(here.trouble, []);
});
