// The address book: filled in, in groups, in and out of files, and where it helps while one writes and reads.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { close, message, world } from './world.js';

let here;
before(async () => (here = await world()));
after(async () => here.end());

const people = async (page) => {
  await page.locator('.place[aria-current], .place').first().waitFor();
  await page.locator('.rail .place').nth(1).click();
  await page.locator('.people').waitFor();
};
const person = (page, name) => page.locator('.people main li', { hasText: name });
/** A red picture of 40 by 30. */
const picture = (page) =>
  page.evaluate(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [40, 30];
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#f00';
    pen.fillRect(0, 0, 40, 30);
    return canvas.toDataURL('image/png').split(',')[1];
  });

for (const [language, width, words] of [
  ['en', 1280, { name: 'Wei Lin', made: 'New contact', save: 'Save', use: 'Use it' }],
  ['zh', 390, { name: '林薇', made: '新建联系人', save: '保存', use: '使用' }],
]) {
  test(`a contact with a photo is filled in and written to, ${language}`, async () => {
    const page = await here.page('ann', { language, width, height: 800 });
    await people(page);
    await page.locator('button', { hasText: words.made }).click();
    await page.locator('form [name=name]').fill(words.name);
    await page.locator('form [name=emails]').fill(`wei-${language}@partner.example`);
    await page.locator('form [name=company]').fill('Harbour');
    await page.locator('.photo input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: Buffer.from(await picture(page), 'base64') });
    await page.locator('dialog button', { hasText: words.use }).click();
    await page.locator('.photo img').waitFor();
    await page.locator('form .main', { hasText: words.save }).click();
    await page.locator('.sheet h1', { hasText: words.name }).waitFor();
    await page.locator('.sheet header img').waitFor();
    const [{ list }] = await here.call('ann', ['ContactCard/get', { ids: null }]);
    const card = list.find(({ name }) => name.full === words.name);
    assert.equal(Object.values(card.emails)[0].address, `wei-${language}@partner.example`);
    assert.match(card.media.photo.uri, /^data:image\/jpeg;base64,/);
    await page.locator('.sheet .acts .main').click();
    await page.locator('.person', { hasText: words.name }).waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await close(page);
  });
}

test('what is typed is completed from the address book by its initials', async () => {
  await here.call('chen', ['AddressBook/get', { ids: null }]);
  const [{ list }] = await here.call('chen', ['AddressBook/get', { ids: null }]);
  await here.call('chen', ['ContactCard/set', { create: { a: { addressBookIds: { [list[0].id]: true }, name: { full: '欧阳雪' }, emails: { 1: { address: 'ouyang@partner.example' } } } } }]);
  const page = await here.page('chen', { language: 'zh' });
  await page.locator('.write').click();
  await page.keyboard.type('oyx');
  await page.locator('[role=option]', { hasText: '欧阳雪' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.person', { hasText: '欧阳雪' }).waitFor();
  await close(page);
});

test('a group is made, filled, and written to with one word', async () => {
  const page = await here.page('ann');
  await people(page);
  await page.locator('nav button', { hasText: 'New group' }).click();
  await page.locator('dialog input').fill('Orchard');
  await page.keyboard.press('Enter');
  await page.locator('nav .place', { hasText: 'Orchard' }).waitFor();
  for (const name of ['Wei Lin', '林薇']) {
    await person(page, name).locator('button').click();
    await page.locator('.sheet .groups label', { hasText: 'Orchard' }).locator('input').check();
  }
  await page.locator('nav .place', { hasText: 'Orchard' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.people main li').length === 2);
  await page.locator('.rail .place').first().click();
  await page.locator('.write').click();
  await page.keyboard.type('orch');
  await page.locator('[role=option]', { hasText: 'Orchard' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.person').length === 2);
  await close(page);
});

test('a contact is changed and deleted, and what the form does not show stays', async () => {
  const [{ list }] = await here.call('bob', ['AddressBook/get', { ids: null }]);
  const card = { addressBookIds: { [list[0].id]: true }, name: { full: 'Sven', components: [{ kind: 'given', value: 'Sven' }] }, emails: { x: { address: 'sven@far.example', pref: 1 } }, onlineServices: { a: { service: 'Chat', user: 'sven' } } };
  const [made] = await here.call('bob', ['ContactCard/set', { create: { a: card } }]);
  const page = await here.page('bob');
  await people(page);
  await person(page, 'Sven').locator('button').click();
  await page.locator('.sheet button', { hasText: 'Edit' }).click();
  await page.locator('form [name=phones]').fill('+46 8 123');
  await page.locator('form .main').click();
  await page.locator('.sheet a', { hasText: '+46 8 123' }).waitFor();
  const [got] = await here.call('bob', ['ContactCard/get', { ids: [made.created.a.id] }]);
  assert.deepEqual(got.list[0].onlineServices, card.onlineServices);
  assert.equal(Object.values(got.list[0].emails)[0].pref, 1);
  assert.deepEqual(got.list[0].name, card.name);
  await page.locator('.sheet .acts .tool').click();
  await page.locator('dialog .danger').click();
  await person(page, 'Sven').waitFor({ state: 'detached' });
  await close(page);
});

test('a table of another program comes in though it is GBK, and goes out as vCard and CSV', async () => {
  const page = await here.page('postmaster', { language: 'zh' });
  await people(page);
  // 姓名,电子邮件地址,单位 / 王芳,wangfang@a.example,图书馆 — in GBK.
  const gbk = Buffer.from('d0d5c3fb2cb5e7d7d3d3cabcfeb5d8d6b72cb5a5cebb0d0acdf5b7bc2c77616e6766616e6740612e6578616d706c652ccdbccae9b9dd0d0ac0eec3f42c6c696d696e40622e6578616d706c652c3d312b310d0a', 'hex');
  await page.locator('main input[type=file]').setInputFiles({ name: '通讯录.csv', mimeType: 'text/csv', buffer: gbk });
  await page.locator('.toast', { hasText: '已导入 2 位联系人' }).waitFor();
  await person(page, '王芳').locator('button').click();
  await page.locator('.sheet dd', { hasText: '图书馆' }).waitFor();
  const files = {};
  for (const [name, end] of [['vCard', 'vcf'], ['CSV', 'csv']]) {
    await page.locator('main .menu-of button').first().click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[role=menuitem]', { hasText: `导出为 ${name}` }).click()]);
    files[end] = readFileSync(await download.path(), 'utf8');
  }
  assert.match(files.vcf, /FN:王芳\r\n/);
  assert.match(files.csv, /"王芳".*"图书馆"/);
  assert.match(files.csv, /"'=1\+1"/);
  // The same file again brings nobody twice.
  await page.locator('main input[type=file]').setInputFiles({ name: 'again.vcf', mimeType: 'text/vcard', buffer: Buffer.from(files.vcf) });
  await page.locator('.toast', { hasText: '2 位已存在' }).waitFor();
  await close(page);
});

test('people of the organisation are found, and a sender is added with a click', async () => {
  await here.put('bob', [[message({ from: 'Orchard News <news@orchard.example>', subject: 'Ripe' })]]);
  const page = await here.page('bob');
  await page.locator('.row', { hasText: 'Ripe' }).click();
  await page.locator('article.open header .menu-of button').click();
  await page.locator('[role=menuitem]', { hasText: 'Add to contacts' }).click();
  assert.equal(await page.locator('form [name=emails]').inputValue(), 'news@orchard.example');
  await page.locator('form .main').click();
  await page.locator('.sheet h1', { hasText: 'Orchard News' }).waitFor();
  await page.locator('nav .place', { hasText: 'Organisation' }).click();
  await page.locator('main input[type=search]').fill('chen');
  await person(page, 'chen@anser.test').waitFor();
  await close(page);
});

test('nothing went wrong in any page', () => assert.deepEqual(here.trouble, []));
