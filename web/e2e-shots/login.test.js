// The login page of a house: its name, colour and logo in each layout, light and dark, wide and on a phone; everybody can use it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { close, PASSWORD, totp, world } from './world.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CREST = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 60" width="60" height="60"><path d="M5 5h50v30q0 15-25 20Q5 50 5 35Z" fill="#1a4f8b"/><path d="M15 20q10 0 15 14 5-14 15-14" fill="none" stroke="#fff" stroke-width="4"/></svg>';
let here;
before(async () => (here = await world()));
after(async () => here.end());

const anser = (...args) => execFileSync(here.binary, ['--dir', here.dir, ...args], { encoding: 'utf8' });

test('a house has its name, its colour and its logo on the login page', async () => {
  const logo = join(here.dir, 'crest.svg');
  writeFileSync(logo, CREST);
  const texts = ['--name', '示例大学邮件系统', '--name-en', 'Example University', '--line', '网络中心 8888 1234', '--line-en', 'Help desk 8888 1234'];
  anser('sign-in', 'look', 'set', '*', ...texts, '--colour', '#c8102e', '--logo', logo);
  for (const layout of ['paper', 'card', 'beside']) {
    anser('sign-in', 'look', 'set', '*', '--layout', layout);
    for (const [language, width, dark] of [['zh', 1280, false], ['en', 1280, true], ['zh', 390, true], ['en', 390, false]]) {
      const page = await here.page('ann', { language, width, dark, login: false, at: '/' });
      const name = language === 'zh' ? '示例大学邮件系统' : 'Example University';
      assert.equal(await page.locator('h1').textContent(), name);
      assert.ok(await page.locator('img.logo').evaluate((logo) => logo.complete && logo.naturalWidth > 0), 'the logo is shown');
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing reaches over the edge');
      const session = await page.context().newCDPSession(page);
      await session.send('Runtime.evaluate', { expression: axe });
      const { violations } = await page.evaluate(() => axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].any[0]?.message ?? ''}`), [], `${layout} ${language} ${width} ${dark}`);
      if (process.env.ANSER_SHOTS) await page.screenshot({ path: join(process.env.ANSER_SHOTS, `login-${layout}-${language}-${width}.png`) });
      await close(page);
    }
  }
});

test('in a house of its own somebody logs in as everywhere', async () => {
  const page = await here.page('ann', { login: false, at: '/' });
  await page.locator('[name=username]').fill('ann@anser.test');
  await page.locator('[name=password]').fill(PASSWORD);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/mail\//);
  await close(page);
});

for (const [language, width] of [['en', 1280], ['zh', 390]]) {
  test(`whoever has to set up an authenticator sees its key until the code is right, ${language}`, async () => {
    const user = language === 'zh' ? 'chen' : 'bob';
    anser('sign-in', 'require', `${user}@anser.test`);
    const page = await here.page(user, { language, width, login: false, at: `/?lang=${language}` });
    const submit = () => page.locator('form button[type=submit]').click();
    await page.locator('[name=username]').fill(`${user}@anser.test`);
    await page.locator('[name=password]').fill(PASSWORD);
    await submit();
    await page.locator('.enrol .qr').waitFor();
    const [secret] = /[A-Z2-7]{4}(?: ?[A-Z2-7]{4}){3,}/.exec(await page.locator('.enrol').innerText());
    const right = totp(secret);
    await page.locator('[name=code]').fill(right === '000000' ? '111111' : '000000');
    await submit();
    await page.locator('.why:not(:empty)').waitFor();
    assert.ok(await page.locator('.enrol .qr').isVisible());
    assert.match(await page.locator('.enrol').innerText(), new RegExp(secret));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    if (process.env.ANSER_SHOTS) await page.screenshot({ path: join(process.env.ANSER_SHOTS, `enrol-${language}-${width}.png`) });
    await page.locator('[name=code]').fill(totp(secret));
    await submit();
    await page.locator('pre').waitFor();
    anser('sign-in', 'free', `${user}@anser.test`);
    await close(page);
  });
}

test('nothing went wrong in any page', () => assert.deepEqual(here.trouble, []));
