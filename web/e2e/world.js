// A whole mail system of its own for each file of tests, and browsers that look at it.
import { spawn } from 'node:child_process';
import { X509Certificate, createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const BINARY = process.env.ANSER_BIN ?? fileURLToPath(new URL('../../target/debug/anser', import.meta.url));
/** The server's name. */
const NAME = 'mail.anser.test';
const CHROMIUM = process.env.ANSER_CHROMIUM ?? '/usr/bin/chromium';
export const PASSWORD = 'wild-goose';
/** How long anything may take before it is held to have failed, in milliseconds: machines that test are slow. */
const PATIENCE = Number(process.env.ANSER_PATIENCE ?? 60_000);

/** Starts a server on ports that are free, with its accounts. */
async function serve(dir, more) {
  for (let tried = 0; tried < 10; tried++) {
    const offset = 10_000 + Math.floor(Math.random() * 40_000);
    const child = spawn(BINARY, ['dev', '--dir', dir, '--port-offset', String(offset), ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => (said = (said + text).slice(-4_000)));
    const ready = await new Promise((done) => {
      child.stdout.on('data', (text) => /^ready$/m.test(text) && done(true));
      child.on('exit', () => done(false));
    });
    if (ready) return { child, offset, url: `https://127.0.0.1:${443 + offset}` };
    if (tried === 9) throw new Error(`the server did not start: ${said}`);
  }
}

const built = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
/** What stands in the path of a file that was built. */
const hashed = (name) => createHash('sha384').update(readFileSync(built(name))).digest('hex').slice(0, 12);

/** Serves what lies in `web/dist` in place of what the binary took in, so that a change is tried without building the server. */
async function fresh(context) {
  await context.route(/\/(mail\/(pdf)?)?(\?.*)?$/, async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue();
    const answer = await route.fetch({ url: route.request().url().replace(NAME, '127.0.0.1') });
    const text = (await answer.text()).replace(/(integrity)="[^"]*"/g, '$1=""');
    // The second script of the webmail knows the first by its path.
    await route.fulfill({ response: answer, body: text.replace(/\/assets\/(\w+)\.\w+\.(js|css|bin)/g, (_, name, end) => `/assets/${name}.${hashed(`${name}.${end}`)}.${end}`) });
  });
  await context.route(/\/assets\/\w+\.\w+\.(js|css|bin)(\?.*)?$/, async (route) => {
    const [, name, end] = /\/assets\/(\w+)\.\w+\.(js|css|bin)/.exec(route.request().url());
    await route.fulfill({ path: built(`${name}.${end}`), contentType: { js: 'text/javascript', css: 'text/css', bin: 'application/octet-stream' }[end], headers: { 'Access-Control-Allow-Origin': '*' } });
  });
}

/** One whose server was started with some more arguments. */
export async function world(more = []) {
  const dir = mkdtempSync(join(tmpdir(), 'anser-web-'));
  const { child, offset, url } = await serve(dir, more);
  // Passkeys are bound to the server's name, and made only where the browser trusts its certificate.
  const key = new X509Certificate(readFileSync(join(dir, 'cert.pem'))).publicKey.export({ type: 'spki', format: 'der' });
  const trust = `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`;
  // Where a page is watched V8 reads its script again as soon as an Error is made, and Svelte makes one at its start; no reader's browser does.
  const alike = '--js-flags=--no-enable-lazy-source-positions';
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--lang=en', alike, `--host-resolver-rules=MAP ${NAME} 127.0.0.1`, trust] });
  const named = url.replace('127.0.0.1', NAME);
  const trouble = [];

  /** A page of somebody's, logged in. What goes wrong in it is noted. */
  async function page(user, { language = 'en', width = 1280, height = 800, dark = false, at = '/mail/', prefs = {}, login = true, password = PASSWORD, isNamed = false } = {}) {
    const base = isNamed ? named : url;
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      locale: language === 'zh' ? 'zh-CN' : 'en-GB',
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      hasTouch: width < 500,
      httpCredentials: login && !AUTH ? { username: `${user}@anser.test`, password: PASSWORD } : undefined,
    });
    context.setDefaultTimeout(PATIENCE);
    await context.addInitScript((chosen) => {
      if (self.origin !== 'null' && location.pathname.startsWith('/mail/') && !localStorage.getItem('anser.prefs')) localStorage.setItem('anser.prefs', JSON.stringify(chosen));
    }, { language, ...prefs });
    if (process.env.ANSER_FRESH) await fresh(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => trouble.push(`${error.stack ?? error}`));
    // What a letter's own handlers and styles wanted, and the policy did not let them, is told there too.
    page.on('console', (message) => message.type() === 'error' && !/401|403|404|502|ERR_ABORTED|Executing inline event handler|Applying inline style/.test(message.text()) && trouble.push(message.text()));
    if (login && AUTH) {
      await page.goto(`${base}/?lang=${language}`);
      await page.locator('[name=username]').fill(`${user}@anser.test`);
      await page.locator('[name=password]').fill(password);
      await page.locator('form button[type=submit]').click();
      await page.waitForURL(/\/mail\//);
    }
    if (!AUTH || at !== '/mail/') await page.goto(base + at);
    if (login && at.startsWith('/mail/')) await whole(page);
    return page;
  }

  /** One request of JMAP, or of its uploads. */
  function ask(user, path, body, type = 'application/json', password = PASSWORD) {
    return new Promise((done, failed) => {
      const headers = { Authorization: `Basic ${Buffer.from(`${user}@anser.test:${password}`).toString('base64')}`, 'Content-Type': type };
      const asked = request(url + path, { method: body === undefined ? 'GET' : 'POST', headers, rejectUnauthorized: false }, (answer) => {
        let text = '';
        answer.on('data', (piece) => (text += piece)).on('end', () => (answer.statusCode < 300 ? done(JSON.parse(text)) : failed(new Error(`${answer.statusCode} ${text}`))));
      });
      asked.on('error', failed).end(body);
    });
  }
  const accounts = new Map();
  async function account(user) {
    if (!accounts.has(user)) accounts.set(user, (await ask(user, '/.well-known/jmap')).primaryAccounts['urn:ietf:params:jmap:mail']);
    return accounts.get(user);
  }
  async function call(user, ...calls) {
    const accountId = await account(user);
    const using = ['core', 'mail', 'submission', 'contacts', 'vacationresponse'].map((name) => `urn:ietf:params:jmap:${name}`).concat('urn:anser:mail');
    const methodCalls = calls.map(([name, args], at) => [name, { accountId, ...args }, String(at)]);
    return (await ask(user, '/jmap/api', JSON.stringify({ using, methodCalls }))).methodResponses.map(([, args]) => args);
  }
  async function mailbox(user, role) {
    const [{ list }] = await call(user, ['Mailbox/get', { ids: null }]);
    return list.find((one) => one.role === role || one.name === role)?.id;
  }
  /** Puts raw messages into a mailbox; `[text, keywords, received]` each. */
  async function put(user, messages, role = 'inbox') {
    const box = await mailbox(user, role);
    for (let at = 0; at < messages.length; at += 50) {
      const emails = {};
      for (const [index, [text, keywords = {}, receivedAt]] of messages.slice(at, at + 50).entries()) {
        const { blobId } = await ask(user, `/jmap/upload/${await account(user)}`, text, 'message/rfc822');
        emails[`m${index}`] = { blobId, mailboxIds: { [box]: true }, keywords, ...(receivedAt ? { receivedAt } : {}) };
      }
      const [answer] = await call(user, ['Email/import', { emails }]);
      if (Object.keys(answer.notCreated ?? {}).length > 0) throw new Error(JSON.stringify(answer.notCreated));
    }
  }
  /** Sends a letter as a program of somebody's does. */
  async function deliver(user, to, { subject, text = 'Good day.' }) {
    const drafts = await mailbox(user, 'drafts');
    const [{ list }] = await call(user, ['Identity/get', { ids: null }]);
    const people = [to].flat().map((email) => ({ email }));
    const letter = { mailboxIds: { [drafts]: true }, keywords: { $seen: true }, from: [{ email: list[0].email }], to: people, subject, bodyValues: { 1: { value: text } }, textBody: [{ partId: '1', type: 'text/plain' }] };
    const [, sent] = await call(user, ['Email/set', { create: { letter } }], ['EmailSubmission/set', { create: { send: { emailId: '#letter', identityId: list[0].id } } }]);
    if (!sent.created?.send) throw new Error(JSON.stringify(sent));
  }
  /** Waits until what is kept for somebody under a key speaks of this. */
  async function keeps(user, key, like) {
    for (let end = Date.now() + PATIENCE; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
      const [{ list }] = await call(user, ['Document/get', { ids: null }]);
      if (JSON.stringify(list.find((one) => one.key === key)?.value ?? null).includes(like)) return;
    }
    throw new Error(`${key} never held ${like}`);
  }
  /** Ends a page and the drafts that were left open, which would be open again in the next one of their writer. */
  async function leave(page) {
    await close(page);
    for (const user of ['ann', 'bob', 'chen']) {
      const [{ ids }] = await call(user, ['Email/query', { filter: { inMailbox: await mailbox(user, 'drafts') } }]);
      if (ids.length > 0) await call(user, ['Email/set', { destroy: ids }]);
    }
  }
  async function end() {
    await browser.close();
    child.kill('SIGTERM');
    await new Promise((done) => (child.exitCode === null ? child.on('exit', done) : done()));
    rmSync(dir, { recursive: true, force: true });
  }
  const AUTH = await new Promise((done) => {
    request(`${url}/auth/key`, { rejectUnauthorized: false }, (answer) => (answer.resume(), done(answer.statusCode === 200))).on('error', () => done(false)).end();
  });
  /** Where a standard port of the server is. */
  const port = (standard) => standard + offset;
  return { url, port, dir, binary: BINARY, browser, page, leave, put, call, ask, deliver, keeps, mailbox, trouble, end, hasAuth: AUTH };
}

/** A message as it is sent; `html` beside or in place of the text. */
export function message({ from = 'Bob <bob@anser.test>', to = 'ann@anser.test', subject = 'A letter', text = 'Good day.', html, headers = '', date = new Date() }) {
  const word = (value) => (/^[\x20-\x7e]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`);
  const name = from.replace(/^(.*?)\s*<(.*)>$/, (_, who, address) => `${word(who)} <${address}>`);
  const top = `From: ${name}\r\nTo: ${to}\r\nSubject: ${word(subject)}\r\nDate: ${date.toUTCString().replace('GMT', '+0000')}\r\nMessage-ID: <${Math.random().toString(36).slice(2)}@anser.test>\r\n${headers}MIME-Version: 1.0\r\n`;
  const type = html === undefined ? 'plain' : 'html';
  return `${top}Content-Type: text/${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(html ?? text).toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`;
}

/** A PDF with a page for each of these texts, in a font of China that the reader has to have; what else its catalogue and pages say. */
export function pdf(texts, { catalog = '', page = '', objects = [] } = {}) {
  const first = 4 + objects.length;
  const all = [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    `<< /Type /Pages /Count ${texts.length} /Kids [${texts.map((_, at) => `${first + 2 * at} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >> >>] >>',
    ...objects,
  ];
  for (const text of texts) {
    const hex = [...text].map((char) => char.charCodeAt(0).toString(16).padStart(4, '0')).join('');
    const drawn = `BT /F1 36 Tf 60 700 Td <${hex}> Tj ET`;
    all.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${all.length + 2} 0 R ${page} >>`, `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`);
  }
  let made = '%PDF-1.7\n';
  const places = all.map((object, at) => {
    const place = made.length;
    made += `${at + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  return Buffer.from(`${made}xref\n0 ${all.length + 1}\n0000000000 65535 f \n${places.join('')}trailer\n<< /Size ${all.length + 1} /Root 1 0 R >>\nstartxref\n${made.length}\n%%EOF\n`, 'latin1');
}

/** RFC 6238: the code of this moment. */
export function totp(secret) {
  const bits = [...secret.replace(/[\s=]/g, '')].map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

// Where things are on a page of the webmail.
export const row = (page, text) => page.locator('.row', { hasText: text });
export const rowsAre = (page, count) => page.waitForFunction((wanted) => document.querySelectorAll('.row .who').length === wanted, count);
export const folder = (page, name) => page.locator('.folder', { hasText: name });
/** The text of the letter that is open. */
export const letter = (page) => page.frameLocator('article.open iframe').locator('body');
/** Until the second script has come, which brings what is pressed next. */
export const whole = (page) => page.locator('.stage[data-whole=true]').waitFor();
/** Ends a page of somebody's, and the browser's memory of it. */
export const close = (page) => page.context().close();
