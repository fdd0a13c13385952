// Letters that attack: each is opened, and nothing of it runs or asks for anything, with the page's sanitiser and without it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { close, message, world } from './world.js';

const vectors = JSON.parse(readFileSync(new URL('hostile.json', import.meta.url), 'utf8'));
let here;
before(async () => (here = await world()));
after(async () => here.end());

/** What a page asks for that is not our server's, and what runs in it. */
function watched(page) {
  const asked = [];
  // A request that the policy stops never leaves: the browser tells of it as begun and failed, without an answer. What leaves arrives here.
  void page.route(/^https?:\/\/attacker\.example|^https?:\/\/(?!127\.0\.0\.1)/, (route) => (asked.push(route.request().url()), route.abort()));
  page.on('dialog', (dialog) => (asked.push('a dialog'), dialog.dismiss()));
  page.on('framenavigated', (frame) => frame !== page.mainFrame() && !/\/mail\/letter$|^chrome-error:|^about:/.test(frame.url()) && asked.push(`navigated to ${frame.url()}`));
  return asked;
}

test('a letter of each attack is opened and nothing happens', async () => {
  await here.put('ann', vectors.map(({ name, html }, at) => [message({ subject: `${at} ${name}`, html: `<html><body>${html}<p>end of ${at}</p></body></html>` }), { $seen: true }, new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString().replace('.000', '')]));
  const page = await here.page('ann', { prefs: { conversations: false, density: 'dense' } });
  const asked = watched(page);
  await page.locator('.row').first().click();
  for (const [at] of vectors.entries()) {
    const number = vectors.length - 1 - at;
    // The frame has the letter's title once it is filled; of some letters nothing is left.
    await page.waitForFunction((wanted) => document.querySelector('article iframe')?.contentDocument?.title.startsWith(`${wanted} `), number);
    await page.evaluate(() => document.querySelector('article iframe').contentDocument.querySelector('#click, [id$=click], a')?.dispatchEvent(new MouseEvent('mouseover', { bubbles: true })));
    assert.equal(await page.evaluate(() => window.fired), undefined, vectors[number].name);
    assert.deepEqual(asked, [], vectors[number].name);
    await page.keyboard.press('j');
  }
  await close(page);
});

test('the frame holds without the sanitiser', async () => {
  const page = await here.page('ann');
  await page.locator('.row').first().click();
  await page.locator('article.open iframe').waitFor();
  await page.waitForFunction(() => document.querySelector('article iframe')?.contentDocument?.body?.childNodes.length > 0);
  const asked = watched(page);
  for (const { name, html } of vectors) {
    await page.evaluate((raw) => (document.querySelector('article iframe').contentDocument.documentElement.innerHTML = raw), `<head></head><body>${html}</body>`);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.equal(await page.evaluate(() => window.fired), undefined, name);
    assert.deepEqual(asked, [], name);
  }
  await close(page);
});

test('the page itself makes no HTML of a string but through its two policies', async () => {
  const page = await here.page('ann');
  await page.locator('.rows').waitFor();
  const refused = await page.evaluate(() => {
    try {
      document.createElement('div').innerHTML = '<img src=x onerror=1>';
      return 'taken';
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(refused, 'TypeError');
  assert.equal(await page.evaluate(() => { try { trustedTypes.createPolicy('other', {}); return 'made'; } catch (error) { return error.name; } }), 'TypeError');
  await close(page);
});

test('names, subjects and the names of files are text wherever they stand', async () => {
  const evil = '"><img src=https://attacker.example/n onerror=fired=1>';
  await here.put('bob', [[
    `From: =?UTF-8?B?${Buffer.from(evil).toString('base64')}?= <x@evil.example>\r\nTo: bob@anser.test\r\nSubject: =?UTF-8?B?${Buffer.from(evil).toString('base64')}?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=utf-8''${encodeURIComponent(evil)}\r\n\r\nx\r\n--b--\r\n`,
  ]]);
  const page = await here.page('bob');
  const asked = watched(page);
  await page.locator('.row').first().click();
  await page.locator('.attachment').waitFor();
  await page.keyboard.press('f');
  await page.locator('.composer .paper').waitFor();
  assert.equal(await page.evaluate(() => window.fired), undefined);
  assert.deepEqual(asked, []);
  await close(page);
});
