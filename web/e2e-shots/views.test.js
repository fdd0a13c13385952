// Every view by axe, in both languages, light, dark and high contrast, wide and on a phone: no finding of level A or AA.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { PASSWORD, close, message, pdf, world } from './world.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let here;
before(async () => {
  here = await world();
  await here.put('ann', [
    [message({ subject: 'Plain', text: 'See https://example.org\n> quoted\n' })],
    [message({ from: '陈雁 <chen@anser.test>', subject: '关于预算的说明', text: '请看附件。' }), { $seen: true, $flagged: true, $label1: true }],
    [message({ from: 'bank@bank.example <x@evil.example>', subject: 'Hurry', html: '<p>Click <a href="https://evil.example">https://bank.example</a><img src="https://evil.example/x.png" alt=""></p>' })],
  ]);
  await here.put('ann', [[`From: Bob <bob@anser.test>\r\nTo: ann@anser.test\r\nDate: Mon, 05 Jan 2026 07:08:09 +0000\r\nSubject: With a file\r\nDisposition-Notification-To: bob@anser.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=notes.txt\r\n\r\none\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${pdf(['one', 'two']).toString('base64')}\r\n--b--\r\n`, { $seen: true }, '2026-01-05T07:08:09Z']]);
  await here.deliver('ann', ['bob@anser.test', 'chen@anser.test'], { subject: 'On its way' });
  const [{ ids }] = await here.call('ann', ['Email/query', { filter: { subject: 'On its way' } }]);
  await here.call('ann', ['Email/set', { update: { [ids[0]]: { mailboxIds: { [await here.mailbox('ann', 'sent')]: true } } } }]);
  await here.call('ann', ['Note/set', { create: { a: { emailId: ids[0], text: 'due 到期', due: '2020-01-01T00:00:00Z' } } }]);
  const [{ list }] = await here.call('ann', ['AddressBook/get', { ids: null }]);
  const card = (full, email, more = {}) => ({ addressBookIds: { [list[0].id]: true }, name: { full }, emails: { 1: { address: email } }, ...more });
  await here.call('ann', ['ContactCard/set', { create: { a: card('陈雁', 'chen@anser.test', { phones: { 1: { number: '139' } } }), g: { ...card('项目组', ''), emails: undefined, kind: 'group', members: {} } } }]);
  const rule = { name: '发票', enabled: false, quantifier: 'all', stop: true, conditions: [{ text: { field: 'subject', how: 'contains', values: ['发票'], not: false } }, { larger: 1_000_000 }], deeds: [{ file: { mailbox: '账单', copy: false } }, { forward: { to: 'chen@anser.test', copy: true } }] };
  await here.call('ann', ['Rules/set', { update: { singleton: { items: [{ forward: { enabled: true, to: ['chen@anser.test'], keep: true } }, { rule }] } } }]);
});
after(async () => here.end());

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** The findings of a page as lines, by all rules or by one; the letter itself is its sender's. */
async function findings(page, runOnly = RULES) {
  if (!(await page.evaluate(() => 'axe' in window))) {
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', { expression: axe });
    await session.detach();
  }
  const result = await page.evaluate((runOnly) => axe.run({ exclude: [['iframe']] }, { iframes: false, runOnly, resultTypes: ['violations'] }), runOnly);
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`).slice(0, 3).join(' | ')}`);
}

const views = {
  list: async () => {},
  letter: async (page) => {
    await page.locator('.row').nth(0).click();
    await page.locator('article.open iframe').waitFor();
    await page.locator('.notice').first().waitFor();
  },
  writing: async (page) => {
    await page.evaluate(() => document.querySelector('.write').click());
    await page.locator('.composer .paper').waitFor();
  },
  picking: async (page) => {
    await page.locator('.rows').focus();
    await page.keyboard.press('v');
    await page.locator('#picks').waitFor();
  },
  help: async (page) => {
    await page.locator('.rail .place').nth(2).click();
    await page.locator('dialog kbd').first().waitFor();
  },
  settings: async (page) => {
    await page.locator('.rail .place').nth(3).click();
    await page.locator('.settings .choices').first().waitFor();
  },
  people: async (page) => {
    await page.locator('.rail .place').nth(1).click();
    await page.locator('.people main .row').first().click();
    await page.locator('.sheet dl').waitFor();
  },
  'somebody filled in': async (page) => {
    await page.locator('.rail .place').nth(1).click();
    await page.locator('.people nav .main').click();
    await page.locator('.sheet form').waitFor();
  },
  'a rule': async (page) => {
    await page.locator('.rail .place').nth(3).click();
    await page.locator('.settings nav button').nth(2).click();
    await page.locator('.rules .about').click();
    await page.locator('.preview').waitFor();
  },
  'all other settings': async (page, look) => {
    await page.locator('.rail .place').nth(3).click();
    await page.locator('.settings nav button').first().waitFor();
    for (const at of Array(await page.locator('.settings nav button').count()).keys()) {
      await page.locator('.settings nav button').nth(at).click();
      await page.locator('.settings main .set:not([aria-busy=true])').first().waitFor();
      await look(`all other settings, ${at}`);
    }
  },
  'mail of another account': async (page) => {
    await page.locator('.rail .place').nth(3).click();
    await page.locator('.settings nav button').nth(6).click();
    await page.locator('.settings main .choices .main').click();
    await page.locator('[name=email]').fill('somebody@elsewhere.example');
    await page.keyboard.press('Enter');
    await page.locator('[name=protocol]').waitFor();
  },
  'an authenticator': async (page) => {
    await page.locator('.rail .place').nth(3).click();
    await page.locator('.settings nav button').nth(7).click();
    await page.locator('.settings main section .button').first().click();
    await page.locator('dialog input[type=password]').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('.qr').waitFor();
  },
  'what became of a letter': async (page) => {
    await page.evaluate(() => [...document.querySelectorAll('.folder')].find((one) => /Sent|已发送/.test(one.textContent)).click());
    await page.locator('.row', { hasText: 'On its way' }).click();
    await page.locator('.delivery button').waitFor();
  },
  notes: async (page) => {
    await page.evaluate(() => [...document.querySelectorAll('.folders button')].find((one) => /^(Notes|备注)/.test(one.textContent.trim())).click());
    await page.locator('dialog li').first().waitFor();
  },
  reminders: async (page) => {
    await page.locator('.top .menu-of button').click();
    await page.locator('.top [role=menuitem]').first().waitFor();
  },
  'a search': async (page) => {
    await page.locator('#search').fill('zzz');
    await page.keyboard.press('Enter');
    await page.locator('.empty').waitFor();
  },
  'a document': async (page) => {
    await page.locator('.row', { hasText: 'With a file' }).click();
    await page.locator('.attachment').first().click();
    await page.locator('dialog pre').waitFor();
  },
  'a PDF': async (page) => {
    await page.locator('.row', { hasText: 'With a file' }).click();
    await page.locator('.attachment', { hasText: 'plan.pdf' }).click();
    await page.locator('dialog iframe[aria-busy=false]').waitFor();
  },
  'a tab': async (page) => {
    await page.locator('.row').first().click();
    await page.locator('article.open iframe').waitFor();
    await page.keyboard.press('t');
    await page.locator('.alone article').waitFor();
    await page.locator('.tab .x').click();
  },
};

const SKINS = ['indigo', 'cinnabar', 'moss', 'plum', 'ochre', 'lake', 'rose', 'ink'];
/** All that a page can look like. */
const LOOKS = [...['light', 'dark'].flatMap((theme) => SKINS.map((skin) => [theme, skin])), ['contrast', 'indigo']];
/** Puts a look on a page where it stands. */
const wear = (page, look) =>
  page.evaluate(([theme, skin]) => {
    Object.assign(document.documentElement.dataset, { theme, skin });
    for (const animation of document.getAnimations()) if (animation.effect?.getComputedTiming().iterations !== Infinity) animation.finish();
  }, look);

for (const [name, options, looks] of [
  ['English', { language: 'en' }, LOOKS],
  ['Chinese', { language: 'zh' }, LOOKS],
  ['on a phone, Chinese', { language: 'zh', width: 390, height: 800 }, []],
]) {
  test(`every view can be used by everybody in every look, ${name}`, async () => {
    const found = [];
    const page = await here.page('ann', { ...options, prefs: { theme: 'light' } });
    /** By all rules once; what changes with a look are colours alone. */
    const look = async (view) => {
      found.push(...(await findings(page)).map((line) => `${view}: ${line}`));
      for (const one of looks) {
        await wear(page, one);
        found.push(...(await findings(page, ['color-contrast'])).map((line) => `${view}, ${one.join(' ')}: ${line}`));
      }
      await wear(page, LOOKS[0]);
    };
    for (const [view, go] of Object.entries(views)) {
      // Anew, at the list.
      await page.evaluate(() => history.replaceState(null, '', '/mail/'));
      await page.reload();
      await page.locator('.row .who').first().waitFor();
      await go(page, look);
      await look(view);
    }
    await close(page);
    assert.deepEqual(found, []);
  });
}

test('the login page can be used by everybody', async () => {
  for (const language of ['en', 'zh']) {
    const page = await here.page('ann', { language, login: false, at: '/' });
    await page.locator('form').waitFor();
    assert.deepEqual(await findings(page), []);
    await page.locator('#keys').click();
    await page.locator('#keyboard button').first().click();
    assert.equal((await page.locator('[name=password]').inputValue()).length, 1);
    assert.deepEqual(await findings(page), []);
    await close(page);
  }
});

test('nothing went wrong in any page', () => assert.deepEqual(here.trouble, []));
