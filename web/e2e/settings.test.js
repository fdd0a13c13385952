// What somebody sets for themselves: rules, who gets in, where mail goes besides, how one logs in.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { oldServer } from './old.js';
import { provider } from './provider.js';
import { PASSWORD, close, folder, message, row, totp, world } from './world.js';

let here;
let tokens;
before(async () => {
  tokens = await provider();
  here = await world(['--tokens', tokens.url]);
});
after(async () => {
  tokens.end();
  await here.end();
});

const button = (page, text) => page.locator('.settings main .button', { hasText: text });
async function settings(page, at) {
  await page.locator('.rail .place').nth(3).click();
  await page.locator('.settings nav button').nth(at).click();
  await page.locator('.settings main .set:not([aria-busy=true])').waitFor();
}
const [LOOKS, IDENTITIES, RULES, SENDERS, FORWARDING, AWAY, MOVING, SECURITY, PROGRAMS, SESSIONS, HAPPENED, STORAGE] = Array(12).keys();
const toMail = (page) => page.locator('.rail .place').first().click();
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector('.settings main').scrollWidth <= document.querySelector('.settings main').clientWidth);

for (const [language, width, words] of [
  ['en', 1280, { fresh: 'New rule', save: 'Save', subject: 'Invoice 7', word: 'invoice', box: 'Bills' }],
  ['zh', 390, { fresh: '新建规则', save: '保存', subject: '发票 七', word: '发票', box: '账单' }],
]) {
  test(`a rule is made in a form and files what comes, ${language}`, async () => {
    const page = await here.page('ann', { language, width });
    await settings(page, RULES);
    await button(page, words.fresh).click();
    await page.locator('[name=rule]').fill(words.box);
    await page.locator('.line select').first().selectOption('subject');
    await page.locator('.line .grow').first().fill(words.word);
    await page.locator('.line .grow').nth(1).fill(words.box);
    assert.ok(await fits(page));
    await button(page, words.save).click();
    await page.locator('.rules li strong', { hasText: words.box }).waitFor();
    await here.deliver('bob', 'ann@anser.test', { subject: words.subject });
    await toMail(page);
    if (width < 500) await page.locator('.menu-button').click();
    await folder(page, words.box).click();
    await row(page, words.subject).waitFor();
    await close(page);
  });
}

test('a rule is tried on what is there, and applied to it', async () => {
  await here.put('chen', ['Weekly news', 'News of today', 'A question'].map((subject) => [message({ to: 'chen@anser.test', subject })]));
  const page = await here.page('chen');
  await settings(page, RULES);
  await button(page, 'New rule').click();
  await page.locator('.line select').first().selectOption('subject');
  await page.locator('.line .grow').first().fill('news');
  await page.locator('.line .grow').nth(1).fill('Archive');
  await button(page, 'Try on the last 100').click();
  await page.locator('.preview', { hasText: 'Would apply to 2 of the last 3' }).waitFor();
  await page.locator('.preview button', { hasText: 'Apply' }).click();
  await toMail(page);
  await folder(page, 'Archive').click();
  await row(page, 'Weekly news').waitFor();
  await row(page, 'News of today').waitFor();
  await close(page);
});

test('rules change places, are switched off and deleted; the script beside them tells its mistakes in Chinese', async () => {
  const page = await here.page('bob', { language: 'zh' });
  const rule = (name) => ({ rule: { name, enabled: true, quantifier: 'all', stop: false, conditions: [{ larger: 9_000_000 }], deeds: ['star'] } });
  await here.call('bob', ['Rules/set', { update: { singleton: { items: [rule('甲'), rule('乙')] } } }]);
  await settings(page, RULES);
  await page.locator('.rules li', { hasText: '乙' }).locator('.tool').first().click();
  await page.waitForFunction(() => document.querySelector('.rules li strong')?.textContent === '乙');
  await page.locator('.rules li', { hasText: '甲' }).locator('input').uncheck();
  await page.locator('.rules li.off', { hasText: '甲' }).waitFor();
  await page.locator('.rules li', { hasText: '乙' }).locator('.tool').last().click();
  await page.locator('dialog .danger').click();
  await page.waitForFunction(() => document.querySelectorAll('.rules li strong').length === 1);
  await button(page, '查看脚本').click();
  await page.locator('textarea.script').fill('fileinto nothing');
  await button(page, '保存').click();
  await page.locator('.toast.trouble', { hasText: '操作未完成' }).waitFor();
  await page.locator('textarea.script').fill('if header :contains "subject" "中奖" {\n    discard;\n}\n');
  await button(page, '保存').click();
  await page.locator('.hint', { hasText: '另有手工编写的脚本' }).waitFor();
  await here.call('bob', ['Rules/set', { update: { singleton: { items: [] } } }]);
  await close(page);
});

test('a blocked sender lands among the spam, an allowed one does not', async () => {
  const page = await here.page('postmaster');
  await settings(page, SENDERS);
  await page.locator('[name=blocked]').fill('anser.test');
  await page.locator('[name=allowed]').fill('chen@anser.test');
  await button(page, 'Save').click();
  await page.locator('.toast', { hasText: 'Saved' }).waitFor();
  await here.deliver('chen', 'postmaster@anser.test', { subject: 'let me in' });
  await here.deliver('bob', 'postmaster@anser.test', { subject: 'keep me out' });
  await toMail(page);
  await row(page, 'let me in').waitFor();
  await folder(page, 'Spam').click();
  await row(page, 'keep me out').waitFor();
  await close(page);
});

for (const [language, words] of [
  ['en', { save: 'Save', outside: 'outside of your organisation', standing: 'is being forwarded to' }],
  ['zh', { save: '保存', outside: '组织之外', standing: '正在自动转发到' }],
]) {
  test(`forwarding is asked about, stands above all pages, and is switched off there, ${language}`, async () => {
    const page = await here.page('chen', { language });
    await settings(page, FORWARDING);
    await page.locator('[name=on]').check();
    await page.locator('[name=to]').fill('chen@elsewhere.example');
    await button(page, words.save).click();
    await page.locator('dialog', { hasText: words.outside }).waitFor();
    await page.locator('dialog .danger').click();
    await page.locator('.banner', { hasText: words.standing }).waitFor();
    await page.reload();
    await page.locator('.banner button').click();
    await page.locator('[name=on]').uncheck();
    await button(page, words.save).click();
    await page.locator('.banner').waitFor({ state: 'detached' });
    await close(page);
  });
}

test('a rule that sends mail out of the house is asked about, also where it is switched on', async () => {
  const page = await here.page('bob');
  await settings(page, RULES);
  await button(page, 'New rule').click();
  await page.locator('[name=rule]').fill('Out');
  await page.locator('.line select').first().selectOption('subject');
  await page.locator('.line .grow').first().fill('invoice');
  await page.locator('fieldset').nth(1).locator('select').first().selectOption('forward');
  await page.locator('fieldset').nth(1).locator('.grow').fill('x@elsewhere.example');
  await button(page, 'Save').click();
  await page.locator('dialog', { hasText: 'x@elsewhere.example is outside of your organisation' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.banner').count(), 0);
  await button(page, 'Save').click();
  await page.locator('dialog .danger').click();
  await page.locator('.banner', { hasText: 'x@elsewhere.example' }).waitFor();
  const on = page.locator('.rules li', { hasText: 'Out' }).locator('input');
  await on.uncheck();
  await page.locator('.banner').waitFor({ state: 'detached' });
  await on.click();
  await page.locator('dialog', { hasText: 'outside of your organisation' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.rules li.off', { hasText: 'Out' }).waitFor();
  assert.equal(await on.isChecked(), false);
  await here.call('bob', ['Rules/set', { update: { singleton: { items: [] } } }]);
  await close(page);
});

test('what is typed into a form stays where the rules were changed elsewhere meanwhile', async () => {
  const page = await here.page('bob');
  await settings(page, SENDERS);
  await page.locator('[name=blocked]').fill('spam@far.example');
  await here.call('bob', ['Rules/set', { update: { singleton: { items: [{ rule: { name: 'Else', enabled: true, quantifier: 'all', stop: false, conditions: [], deeds: ['star'] } }] } } }]);
  await button(page, 'Save').click();
  await page.locator('.toast.trouble', { hasText: 'changed elsewhere' }).waitFor();
  assert.equal(await page.locator('[name=blocked]').inputValue(), 'spam@far.example');
  await button(page, 'Save').click();
  await page.locator('.toast', { hasText: 'Saved' }).waitFor();
  const [{ list }] = await here.call('bob', ['Rules/get', { ids: ['singleton'] }]);
  assert.match(JSON.stringify(list), /spam@far\.example.*Else/);
  await here.call('bob', ['Rules/set', { update: { singleton: { items: [] } } }]);
  await close(page);
});

test('what is chosen a moment before a logout is kept', async () => {
  const page = await here.page('bob');
  await settings(page, LOOKS);
  await page.locator('label', { hasText: 'Plum' }).click();
  await page.locator('.top .tool').last().click();
  await page.waitForURL(/why=out/);
  await here.keeps('bob', 'webmail/choices', '"skin":"plum"');
  await close(page);
});

test('who is away says so, to people of the house in other words than to others', async () => {
  const page = await here.page('chen');
  await settings(page, AWAY);
  await page.locator('[name=on]').check();
  await page.locator('[name=inside]').fill('Ask Bob.');
  await page.locator('.check', { hasText: 'Another text' }).locator('input').check();
  await page.locator('[name=outside]').fill('I am away.');
  await button(page, 'Save').click();
  await page.locator('.banner', { hasText: 'away message is on' }).waitFor();
  await here.deliver('bob', 'chen@anser.test', { subject: 'Are you there?' });
  const bob = await here.page('bob');
  await row(bob, 'Are you there?').click();
  await bob.frameLocator('article.open iframe').locator('body', { hasText: 'Ask Bob.' }).waitFor();
  await page.locator('[name=on]').uncheck();
  await button(page, 'Save').click();
  await page.locator('.banner').waitFor({ state: 'detached' });
  await Promise.all([close(page), close(bob)]);
});

/** Runs the only move once more. */
async function again(page, move, text) {
  // A pass may be over before it is asked for: what is told after the page was allowed to run again is told of the new one.
  let isAsked = false;
  const isOver = async (answer) => {
    const asked = answer.request().postData() ?? '';
    isAsked ||= /MailMove\/set/.test(asked);
    if (!isAsked || !/MailMove\/get/.test(asked)) return false;
    const [[, { list: [{ state }] }]] = (await answer.json()).methodResponses;
    return state === 'done';
  };
  await Promise.all([page.waitForResponse(isOver), move.locator('.choices .button', { hasText: text }).click()]);
}

/** Names the other server of a new move. */
async function server(page, email, host, port) {
  await page.locator('.settings main .choices .main').last().click();
  await page.locator('[name=email]').fill(email);
  await page.keyboard.press('Enter');
  await page.locator('[name=protocol]').waitFor();
  await page.locator('[name=tls]').selectOption('none');
  await page.locator('[name=host]').fill(host);
  await page.locator('[name=port]').fill(String(port));
}

/** Fills in a move of what somebody else of this server has, and begins it with all, or with the folders that are chosen then. */
async function begin(page, email, { into, how = '.all', port = here.port(143) } = {}) {
  await server(page, email, '127.0.0.1', port);
  await page.locator('[name=secret]').fill(PASSWORD);
  if (into) await page.locator('[name=into]').selectOption({ label: into });
  await page.locator(`.new ${how}`).click();
}

for (const [language, width, words] of [
  ['en', 1280, { done: 'Done', again: 'Run again', gone: 'Move or fetch mail' }],
  ['zh', 390, { done: '已完成', again: '再次运行', gone: '邮箱搬家与代收' }],
]) {
  test(`mail of another account comes here, and a password that is wrong is asked for again, ${language}`, async () => {
    await here.put('chen', Array.from({ length: 5 }, (_, at) => [message({ to: 'chen@anser.test', subject: `old letter ${language} ${at}` })]), 'archive');
    const page = await here.page('ann', { language, width });
    await settings(page, MOVING);
    await page.locator('.settings main .choices .main').last().click();
    await page.locator('[name=email]').fill('chen@anser.test');
    await page.keyboard.press('Enter');
    await page.locator('[name=protocol]').waitFor();
    await page.locator('[name=tls]').selectOption('none');
    await page.locator('[name=host]').fill('127.0.0.1');
    await page.locator('[name=port]').fill(String(here.port(143)));
    await page.locator('[name=secret]').fill('not this');
    await page.locator('[name=into]').selectOption({ label: language === 'zh' ? '归档' : 'Archive' });
    assert.ok(await fits(page));
    await page.locator('.new .all').click();
    const move = page.locator('.move', { hasText: 'chen@anser.test' });
    await move.locator('.state.refused').waitFor();
    await move.locator('.problem').waitFor();
    await move.locator('.choices .button').nth(1).click();
    await page.locator('dialog input[type=password]').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await move.locator('.state.done', { hasText: words.done }).waitFor();
    assert.ok(Number(await move.locator('dd').nth(1).innerText()) >= 5);
    assert.ok(await fits(page));
    // It is there for whoever comes back, and does nothing twice.
    await page.reload();
    await settings(page, MOVING);
    const copies = async () => (await here.call('ann', ['Email/query', { filter: { subject: `old letter ${language}` }, calculateTotal: true }]))[0].total;
    assert.equal(await copies(), 5);
    await again(page, move, words.again);
    await move.locator('.state.done', { hasText: words.done }).waitFor();
    assert.equal(await copies(), 5);
    await move.locator('.tool').last().click();
    await page.locator('dialog .danger').click();
    await move.waitFor({ state: 'detached' });
    assert.equal(await copies(), 5);
    await close(page);
  });
}

for (const [language, width, words] of [
  ['en', 1280, { box: 'Archive', stays: 'You have touched 1: kept', nothing: 'Nothing that you have not touched' }],
  ['zh', 390, { box: '归档', stays: '动过的 1 封保留', nothing: '没有未动过的邮件' }],
]) {
  test(`what a move brought goes again when it is undone, but for what was touched, ${language}`, async () => {
    const [there, subject] = [language === 'en' ? 'bob' : 'chen', `to be undone ${language}`];
    await here.put(there, [1, 2, 3].map((at) => [message({ to: `${there}@anser.test`, subject: `${subject} ${at}` })]), 'archive');
    const held = async () => (await here.call('postmaster', ['Mailbox/get', { ids: null }]))[0].list.find(({ role }) => role === 'archive').totalEmails;
    const before = await held();
    const page = await here.page('postmaster', { language, width });
    await settings(page, MOVING);
    await begin(page, `${there}@anser.test`, { into: words.box });
    const move = page.locator('.move', { hasText: `${there}@anser.test` });
    await move.locator('.state.done').waitFor();
    const came = Number(await move.locator('dd').nth(1).innerText());
    assert.equal(await held(), before + came);
    const [{ ids }] = await here.call('postmaster', ['Email/query', { filter: { subject } }]);
    assert.equal(ids.length, 3);
    await here.call('postmaster', ['Email/set', { update: { [ids[0]]: { 'keywords/$flagged': true } } }]);
    // What goes and what stays is told first, and nothing is done without a yes.
    await move.locator('.undo').click();
    const told = page.locator('dialog', { hasText: words.stays });
    await told.waitFor();
    assert.match(await told.innerText(), new RegExp(`\\b${came - 1} `));
    await page.keyboard.press('Escape');
    await told.waitFor({ state: 'detached' });
    assert.equal(await held(), before + came);
    await move.locator('.undo').click();
    await told.locator('.danger').click();
    await page.locator('.toast').waitFor();
    await move.locator('.state.paused').waitFor();
    assert.equal(await held(), before + 1);
    assert.ok(await fits(page));
    await move.locator('.undo').click();
    await page.locator('.toast', { hasText: words.nothing }).waitFor();
    await toMail(page);
    if (width < 500) await page.locator('.menu-button').click();
    await folder(page, words.box).click();
    await row(page, subject).waitFor();
    assert.equal(await row(page, subject).count(), 1);
    await close(page);
  });
}

for (const [language, width, words] of [
  ['en', 1280, { left: 'left out by your choice', again: 'Run again' }],
  ['zh', 390, { left: '按您的选择未搬', again: '再次运行' }],
]) {
  test(`folders are seen and chosen before a move begins, and one that is let in later comes later, ${language}`, async () => {
    const [mine, there] = language === 'en' ? ['bob', 'chen'] : ['chen', 'bob'];
    const [club, old] = [`Club ${language}`, `Ledger ${language}`];
    await here.call(there, ['Mailbox/set', { create: { club: { name: club }, old: { name: old } } }]);
    const letters = (name, count) => here.put(there, Array.from({ length: count }, (_, at) => [message({ to: `${there}@anser.test`, subject: `${name} letter ${at}` })]), name);
    await Promise.all([letters(club, 2), letters(old, 1)]);
    const found = async (name, filter) => (await here.call(mine, ['Email/query', { filter: { subject: `${name} letter`, ...filter }, calculateTotal: true }]))[0].total;
    const page = await here.page(mine, { language, width });
    await settings(page, MOVING);
    await begin(page, `${there}@anser.test`, { how: '.main' });
    const move = page.locator('.move', { hasText: `${there}@anser.test` });
    const line = (name) => move.locator('.folders li', { hasText: name });
    await line(club).waitFor();
    assert.deepEqual([await line(club).locator('.count').innerText(), await line(old).locator('.count').innerText()], ['2', '1']);
    assert.equal(await found(old), 0, 'nothing comes before it is started');
    assert.ok(await fits(page));
    // It is there for whoever comes back.
    await page.reload();
    await settings(page, MOVING);
    await line(club).locator('input').uncheck();
    await line(old).locator('select').selectOption('archive');
    assert.ok(await fits(page));
    await move.locator('.folders .main').click();
    await move.locator('.state.done').waitFor();
    await move.locator('li', { hasText: words.left }).waitFor();
    assert.deepEqual([await found(club), await found(old, { inMailbox: await here.mailbox(mine, 'archive') })], [0, 1]);
    await move.locator('.choices .folders').click();
    assert.equal(await line(club).locator('input').isChecked(), false);
    await line(club).locator('input').check();
    await move.locator('.folders .main').click();
    await move.locator('form.folders').waitFor({ state: 'detached' });
    await again(page, move, words.again);
    await move.locator('li', { hasText: words.left }).waitFor({ state: 'detached' });
    await move.locator('.state.done').waitFor();
    assert.equal(await found(club), 2);
    assert.ok(await fits(page));
    await close(page);
  });
}

for (const [language, width] of [
  ['en', 1280],
  ['zh', 390],
]) {
  test(`a letter that the other server does not hand out is told by its subject, and is had once it does, ${language}`, async () => {
    const subject = `a damp letter ${language}`;
    const letters = ['a dry letter', subject].map((one) => message({ to: 'ann@old.test', subject: one }));
    const old = await oldServer(letters);
    const page = await here.page('postmaster', { language, width });
    await settings(page, MOVING);
    await begin(page, `${language}@old.test`, { port: old.port });
    const move = page.locator('.move', { hasText: `${language}@old.test` });
    await move.locator('.state.done').waitFor();
    await move.locator('summary').click();
    const failed = move.locator('.failed li', { hasText: subject });
    await failed.waitFor();
    assert.match(await failed.innerText(), /bob@anser\.test.*2020.*it is damaged/s);
    assert.ok(await fits(page));
    await failed.locator('.tool').click();
    await page.locator('.toast.trouble', { hasText: 'it is damaged' }).waitFor();
    old.mended = true;
    const [saved] = await Promise.all([page.waitForEvent('download'), failed.locator('.tool').click()]);
    assert.equal(saved.suggestedFilename(), `${subject}.eml`);
    assert.equal(readFileSync(await saved.path(), 'utf8'), letters[1]);
    await move.locator('.retry').click();
    await move.locator('.failed').waitFor({ state: 'detached' });
    assert.equal((await here.call('postmaster', ['Email/query', { filter: { subject }, calculateTotal: true }]))[0].total, 1);
    await close(page);
    old.end();
  });
}

for (const [language, width] of [
  ['en', 1280],
  ['zh', 390],
]) {
  test(`who signs in at the provider gives no password, ${language}`, async () => {
    const [subject, email] = [`a letter of the provider ${language}`, `signs.${language}@old.test`];
    const old = await oldServer([message({ to: email, subject })]);
    old.mended = true;
    tokens.isAllowed = false;
    const page = await here.page('postmaster', { language, width });
    await settings(page, MOVING);
    await server(page, email, 'localhost', old.port);
    assert.equal(await page.locator('[name=sign]').isChecked(), true);
    assert.equal(await page.locator('[name=secret]').count(), 0);
    assert.ok(await fits(page));
    await page.locator('.new .all').click();
    const move = page.locator('.move', { hasText: email });
    await move.locator('output', { hasText: 'WXYZ-1234' }).waitFor();
    assert.match(await move.innerText(), /15/, 'how many minutes the code is good');
    assert.ok(await fits(page));
    if (process.env.ANSER_SHOTS) await page.screenshot({ path: join(process.env.ANSER_SHOTS, `sign-in-${language}-${width}.png`) });
    const [opened] = await Promise.all([page.context().waitForEvent('page'), move.locator('a').click()]);
    await opened.getByText('Thank you').waitFor();
    await opened.close();
    await move.locator('.state.done').waitFor();
    assert.match(old.login, /auth=Bearer feather/);
    assert.equal((await here.call('postmaster', ['Email/query', { filter: { subject }, calculateTotal: true }]))[0].total, 1);
    await close(page);
    old.end();
  });
}

test('mail by JMAP is asked for over HTTPS alone, and what goes into one folder is said', async () => {
  const page = await here.page('bob');
  await settings(page, MOVING);
  await page.locator('.settings main .choices .main').last().click();
  await page.locator('[name=email]').fill('bob@far.example');
  await page.keyboard.press('Enter');
  await page.locator('[name=protocol]').waitFor();
  await page.locator('[name=tls]').selectOption('none');
  await page.locator('[name=protocol]').selectOption('jmap');
  assert.deepEqual(await page.locator('[name=tls] option').allInnerTexts(), ['TLS']);
  assert.deepEqual([await page.locator('[name=tls]').inputValue(), await page.locator('[name=port]').inputValue()], ['implicit', '443']);
  assert.equal(await page.locator('[name=secret]').getAttribute('maxlength'), '320');
  await page.locator('[name=into]').selectOption({ label: 'Archive' });
  await page.locator('.hint', { hasText: 'those of Spam and Trash' }).waitFor();
  await close(page);
});

test('who came in and who tried to is told, and what became of mail', async () => {
  await assert.rejects(here.ask('chen', '/.well-known/jmap', undefined, 'application/json', 'not this'), /401/);
  await here.deliver('bob', 'chen@anser.test', { subject: '一封来信' });
  await here.deliver('chen', 'bob@anser.test', { subject: 'One that went' });
  for (const [language, width, words] of [['en', 1280, { mail: 'Mail', failed: 'wrong name or password', inn: 'Came in', out: 'Sent' }], ['zh', 390, { mail: '邮件投递', failed: '用户名或密码错误', inn: '收到', out: '发出' }]]) {
    const page = await here.page('chen', { language, width });
    await row(page, '一封来信').waitFor();
    await settings(page, HAPPENED);
    await page.locator('.settings li.bad', { hasText: words.failed }).first().waitFor();
    await page.locator('.settings li:not(.bad)', { hasText: 'chen@anser.test' }).first().waitFor();
    assert.ok(await fits(page));
    await page.locator('.settings label', { hasText: words.mail }).click();
    await page.locator('.settings li', { hasText: words.out }).locator('.fate', { hasText: 'bob@anser.test' }).first().waitFor();
    assert.ok(await fits(page));
    await page.locator('.settings li', { hasText: words.inn }).locator('.subject', { hasText: '一封来信' }).first().click();
    await page.locator('article.open').waitFor();
    await close(page);
  }
});

test('a mail program gets a password of its own, which can be taken away', async () => {
  const page = await here.page('ann');
  await settings(page, PROGRAMS);
  await page.locator('[name=program]').fill('Telephone');
  await button(page, 'New app password').click();
  await page.locator('dialog input[type=password]').fill('not it');
  await page.keyboard.press('Enter');
  await page.locator('.toast.trouble').waitFor();
  await button(page, 'New app password').click();
  await page.locator('dialog input[type=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  const secret = await page.locator('dialog .secret').innerText();
  await page.keyboard.press('Escape');
  const asked = () => here.ask('ann', '/.well-known/jmap', undefined, 'application/json', secret);
  assert.ok((await asked()).primaryAccounts);
  await page.locator('li', { hasText: 'Telephone' }).locator('.button').click();
  await page.locator('dialog .danger').click();
  await page.locator('li', { hasText: 'Telephone' }).waitFor({ state: 'detached' });
  await assert.rejects(asked, /401/);
  await close(page);
});

test('a session elsewhere is ended from here, and its page goes to the login', async () => {
  const [page, other] = await Promise.all([here.page('bob'), here.page('bob')]);
  await settings(page, SESSIONS);
  await button(page, 'everywhere else').click();
  await page.waitForFunction(() => document.querySelectorAll('.settings li').length === 1);
  await other.locator('.rows').waitFor();
  await other.evaluate(() => document.querySelector('.folder').click());
  await other.waitForURL(/why=expired/);
  assert.match(await other.locator('#why').innerText(), /session has ended/);
  await Promise.all([close(page), close(other)]);
});

test('looks that are chosen are there in another browser, in another language at once', async () => {
  const page = await here.page('bob');
  await settings(page, LOOKS);
  await page.locator('label', { hasText: 'Moss' }).click();
  await page.locator('label', { hasText: '中文' }).click();
  await page.locator('.settings h1', { hasText: '外观' }).waitFor();
  await here.keeps('bob', 'webmail/choices', '"language":"zh"');
  const other = await here.page('bob');
  await other.waitForFunction(() => document.documentElement.dataset.skin === 'moss' && document.documentElement.lang === 'zh-CN');
  await Promise.all([close(page), close(other)]);
});

test('a signature is written once and stands below what is written', async () => {
  const page = await here.page('ann');
  await settings(page, IDENTITIES);
  await page.locator('.settings .paper').click();
  await page.keyboard.type('Ann, reading room');
  await button(page, 'Save').click();
  await page.locator('.toast', { hasText: 'Saved' }).waitFor();
  await toMail(page);
  await page.locator('.write').click();
  await page.locator('.paper .signature', { hasText: 'Ann, reading room' }).waitFor();
  await close(page);
});

for (const language of ['en', 'zh']) {
  test(`every page of the settings fits a telephone, ${language}`, async () => {
    const page = await here.page('bob', { language, width: 360 });
    await page.locator('.rail .place').nth(3).click();
    for (const at of Array(await page.locator('.settings nav button').count()).keys()) {
      await page.locator('.settings nav button').nth(at).click();
      await page.locator('.settings main .set:not([aria-busy=true])').first().waitFor();
      assert.ok(await fits(page), `page ${at}`);
      // What has the keyboard is shown where its page scrolls, and the frame stays where it is.
      await page.locator('.settings main').evaluate((main) => main.querySelectorAll('input, button, select').forEach((one) => one.focus()));
      assert.equal(await page.evaluate(() => document.scrollingElement.scrollTop + document.querySelector('.frame').scrollTop), 0, `page ${at}`);
    }
    await close(page);
  });
}

test('space is told folder by folder', async () => {
  const page = await here.page('chen', { language: 'zh', width: 390 });
  await settings(page, STORAGE);
  await page.locator('td', { hasText: '1' }).first().waitFor();
  assert.ok(await fits(page));
  await page.locator('th button', { hasText: '归档' }).click();
  await page.locator('h1', { hasText: '归档' }).waitFor();
  await close(page);
});

test('an authenticator is set up and asked for at the next login; a recovery code lets in too', async () => {
  const page = await here.page('postmaster');
  await settings(page, SECURITY);
  await button(page, 'Set up an authenticator').click();
  await page.locator('dialog input[type=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  const secret = await page.locator('dialog .secret').innerText();
  await page.locator('[name=code]').fill(totp(secret));
  await page.keyboard.press('Enter');
  await page.locator('dialog .codes li').first().waitFor();
  const code = await page.locator('dialog .codes li').first().innerText();
  await page.locator('dialog .main').click();
  await button(page, 'Remove the authenticator').waitFor();
  const other = await here.page('postmaster', { login: false, at: '/?lang=en' });
  await other.locator('[name=username]').fill('postmaster@anser.test');
  await other.locator('[name=password]').fill(PASSWORD);
  await other.locator('form button[type=submit]').click();
  await other.locator('[name=code]').fill(code);
  await other.locator('form button[type=submit]').click();
  await other.waitForURL(/\/mail\//);
  await Promise.all([close(page), close(other)]);
});

for (const [language, width, words] of [
  ['en', 1280, { add: 'Add a passkey', name: 'Grey telephone', set: 'or a passkey', none: 'No passkeys yet', refused: 'No passkey was used' }],
  ['zh', 390, { add: '添加通行密钥', name: '灰色手机', set: '使用通行密钥', none: '还没有通行密钥', refused: '未使用通行密钥' }],
]) {
  test(`a passkey is added, lets in alone and beside the password, and is deleted, ${language}`, async () => {
    const user = language === 'zh' ? 'bob' : 'chen';
    const page = await here.page(user, { language, width, isNamed: true });
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
    const present = (is) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: is });
    await settings(page, SECURITY);
    await button(page, words.add).click();
    await page.locator('dialog input[type=password]').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('dialog input[type=text]').fill(words.name);
    await page.keyboard.press('Enter');
    await page.locator('dialog .codes li').first().waitFor();
    await page.locator('dialog .main').click();
    await page.locator('li', { hasText: words.name }).waitFor();
    assert.match(await page.locator('.settings main section p').first().innerText(), language === 'zh' ? /使用通行密钥。还剩 10 / : /asks for a passkey as well\. 10 /);
    assert.ok(await fits(page));

    const out = async () => {
      await page.locator('.top .tool').last().click();
      await page.waitForURL(/why=out/);
    };
    await out();
    // Whoever does not know its owner is not let in, and is told.
    await present(false);
    await page.locator('#passkey').click();
    await page.locator('#why', { hasText: words.refused }).waitFor();
    await present(true);
    await page.locator('#passkey').click();
    await page.waitForURL(/\/mail\//);
    await page.locator('.top .tool').last().waitFor();
    await out();
    await page.locator('[name=username]').fill(`${user}@anser.test`);
    await page.locator('[name=password]').fill(PASSWORD);
    await page.locator('form button[type=submit]').click();
    await page.waitForURL(/\/mail\//);

    await settings(page, SECURITY);
    await page.locator('li', { hasText: words.name }).locator('.tool').first().click();
    await page.locator('dialog input').fill(`${words.name} 2`);
    await page.keyboard.press('Enter');
    await page.locator('li', { hasText: `${words.name} 2` }).locator('.tool').last().click();
    await page.locator('dialog input[type=password]').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('li', { hasText: words.none }).waitFor();
    await close(page);
  });
}

test('the own password is changed, and the new one lets in', async () => {
  const page = await here.page('ann', { language: 'zh' });
  await settings(page, SECURITY);
  const fresh = '雁过留声-Wild-42';
  await page.locator('[name=old]').fill(PASSWORD);
  await page.locator('[name=new]').fill(fresh);
  await page.locator('[name=again]').fill('other');
  await button(page, '修改密码').click();
  await page.locator('.toast.trouble', { hasText: '不一致' }).waitFor();
  await page.locator('[name=again]').fill(fresh);
  await button(page, '修改密码').click();
  await page.locator('.toast', { hasText: '密码已修改' }).waitFor();
  const other = await here.page('ann', { password: fresh });
  await other.locator('.write').waitFor();
  await Promise.all([close(page), close(other)]);
});

test('nothing went wrong in any page', () => assert.deepEqual(here.trouble, []));
