// The webmail over a mailbox of 50,000 messages, in Chromium on this machine: milliseconds, beside what they should be.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { message, world } from './e2e/world.js';

const COUNT = Number(process.argv[2] ?? 50_000);
const OPENED = Math.min(500, COUNT / 10);
const here = await world();
const folder = mkdtempSync(join(tmpdir(), 'anser-bench-'));

/** The value that 95 of 100 do not exceed. */
const p95 = (all) => all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * 0.95))];
const told = [];
const tell = (name, value, most, unit = 'ms') => {
  told.push(value <= most);
  console.log(`${name.padEnd(44)} ${value.toFixed(value < 10 ? 1 : 0).padStart(7)} ${unit}   (${value <= most ? 'within' : 'OVER'} ${most})`);
};

function fill() {
  const words = 'archive meeting budget harvest printer reading room orchard letter plan station travel contract 预算 会议 合同 计划 收成 图书馆'.split(' ');
  const text = (at) => Array.from({ length: 40 }, (_, word) => words[(at * 7 + word * (1 + (at % 5))) % words.length]).join(' ');
  let mbox = '';
  for (let at = 0; at < COUNT; at++) {
    const date = new Date(Date.UTC(2020, 0, 1) + at * 1_800_000);
    mbox += `From x@anser.test ${date.toUTCString()}\n${message({ from: `Sender ${at % 300} <s${at % 300}@anser.test>`, subject: `${words[at % words.length]} ${at}`, text: text(at), date }).replaceAll('\r\n', '\n')}\n`;
  }
  const path = join(folder, 'mail.mbox');
  writeFileSync(path, mbox);
  const done = spawnSync(here.binary, ['import', 'mbox', path, '--account', 'ann@anser.test', '--dir', here.dir], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
}

/** From an act to what it shows, as the page's own clock tells it. */
async function until(page, act, shown, arg) {
  const from = await page.evaluate(() => performance.now());
  await act();
  await page.waitForFunction(shown, arg, { polling: 'raf' });
  return (await page.evaluate(() => performance.now())) - from;
}

fill();
const page = await here.page('ann', { prefs: { conversations: false } });
const first = () => document.querySelector('.row .who') !== null;
await page.waitForFunction(first);
const load = async () => {
  await page.reload({ waitUntil: 'commit' });
  await page.waitForFunction(first, null, { polling: 'raf' });
  return page.evaluate(() => performance.now());
};
tell('load to the first row', p95([await load(), await load(), await load()]), 500);

const opened = [];
for (let at = 0; at < OPENED; at++) {
  opened.push(
    await until(page, () => (at === 0 ? page.locator('.row').first().click() : page.keyboard.press('j')), (subject) => {
      const title = document.querySelector('.row.open .text')?.textContent;
      return title !== undefined && title !== subject && document.querySelector('article iframe')?.contentDocument?.title === title;
    }, at === 0 ? '' : await page.locator('.row.open .text').textContent()),
  );
}
tell('open a message (p95)', p95(opened), 100);
const heap = await page.evaluate(() => performance.memory.usedJSHeapSize / 1_048_576);
tell(`heap after ${OPENED} messages opened`, heap, 60, 'MB');

const jumps = [];
for (const part of [0.5, 0.25, 0.75, 0.4, 0.6]) {
  jumps.push(
    await until(page, () => page.evaluate((to) => { const list = document.querySelector('#list'); list.scrollTop = list.scrollHeight * to; }, part), (to) => {
      const list = document.querySelector('#list');
      const middle = document.elementFromPoint(list.getBoundingClientRect().left + 150, list.getBoundingClientRect().top + 300)?.closest('.row');
      return middle !== null && middle !== undefined && middle.querySelector('.who') !== null && Math.abs(Number(middle.dataset.index) / Number(middle.getAttribute('aria-setsize')) - to) < 0.02;
    }, part),
  );
}
tell('jump into the middle (p95)', p95(jumps), 150);

const searches = [];
for (const word of ['图书馆', 'harvest 会议', 'from:s77', '合同']) {
  await page.locator('#search').fill(word);
  searches.push(await until(page, () => page.keyboard.press('Enter'), () => /\d/.test(document.querySelector('.bar h1')?.textContent ?? '') && document.querySelector('.row .who') !== null));
  await page.keyboard.press('Escape');
}
tell('search (p95)', p95(searches), 300);

await page.locator('.search .x').click();
await page.waitForFunction(first);
const arrivals = [];
for (let at = 0; at < 5; at++) {
  arrivals.push(await until(page, () => here.put('ann', [[message({ subject: `fresh ${at}` })]]), (subject) => document.querySelector('.row .text')?.textContent === subject, `fresh ${at}`));
}
tell('new mail on the screen (p95)', p95(arrivals), 2_000);

const acts = [];
for (let at = 0; at < 10; at++) {
  const before = await page.locator('.row .text').first().textContent();
  acts.push(await until(page, () => page.keyboard.press('Delete'), (subject) => document.querySelector('.row .text')?.textContent !== subject, before));
}
tell('a delete shows (p95)', p95(acts), 50);
await here.end();
rmSync(folder, { recursive: true, force: true });
process.exitCode = told.every(Boolean) ? 0 : 1;
