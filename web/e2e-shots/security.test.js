// What others than the user may want of their session: each is refused.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { after, before, test } from 'node:test';
import { PASSWORD, close, message, world } from './world.js';

let here;
before(async () => (here = await world()));
after(async () => here.end());

/** One request as it is, without a browser. */
function ask(path, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const asked = request(here.url + path, { method, headers, rejectUnauthorized: false }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece)).on('end', () => done({ status: answer.statusCode, headers: answer.headers, text }));
    });
    asked.on('error', failed).end(body);
  });
}
/** As a browser says it of our own pages. */
const OWN = { 'Sec-Fetch-Site': 'same-origin' };
const form = (fields) => ({ method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...OWN }, body: new URLSearchParams(fields).toString() });
const logIn = (more = {}, headers = {}) => {
  const asked = form({ username: 'ann@anser.test', password: PASSWORD, ...more });
  return ask('/auth/login', { ...asked, headers: { ...asked.headers, ...headers } });
};
const cookieOf = (answer) => answer.headers['set-cookie'][0].split(';')[0];
/** Another site, which shows what it is told to. */
async function elsewhere(html) {
  const server = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end(html));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://localhost:${server.address().port}/`, end: () => server.close() };
}

test('the cookie is out of reach of scripts and of other sites', async () => {
  const { headers } = await logIn();
  const [cookie] = headers['set-cookie'];
  for (const word of [/HttpOnly/i, /SameSite=Strict/i, /Secure/i, /Path=\//i]) assert.match(cookie, word);
});

test('a request that another site begins does nothing, even with the cookie', async () => {
  const cookie = cookieOf(await logIn());
  const call = JSON.stringify({ using: ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:mail'], methodCalls: [] });
  for (const site of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { Origin: 'https://evil.example' }]) {
    for (const [method, path, body] of [['POST', '/jmap/api', call], ['POST', '/auth/password', '{}'], ['DELETE', '/auth/sessions', undefined], ['POST', '/auth/logout', '']]) {
      const { status } = await ask(path, { method, body, headers: { Cookie: cookie, 'Content-Type': 'application/json', ...site } });
      assert.ok([401, 403].includes(status), `${method} ${path} ${JSON.stringify(site)}: ${status}`);
    }
  }
  const { status } = await ask('/jmap/api', { method: 'POST', body: call, headers: { Cookie: cookie, 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' } });
  assert.equal(status, 200);
});

test('nobody is logged in from another site', async () => {
  const answer = await logIn({}, { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' });
  assert.equal(answer.headers['set-cookie'], undefined);
});

test('a form on another site posts nothing, a frame there shows nothing', async () => {
  const page = await here.page('ann');
  await page.locator('.write').waitFor();
  const evil = await elsewhere(`<form id=f method=post action="${here.url}/auth/logout"></form><iframe id=i src="${here.url}/mail/"></iframe><iframe src="${here.url}/"></iframe><iframe src="${here.url}/mail/letter"></iframe><script>onmessage=()=>f.submit()</script>`);
  const other = await page.context().newPage();
  await other.goto(evil.url, { waitUntil: 'load' });
  for (const frame of other.frames().slice(1)) assert.equal(await frame.locator('#app, form, iframe').count().catch(() => 0), 0, frame.url());
  await Promise.all([other.waitForNavigation(), other.evaluate(() => document.querySelector('#f').submit())]);
  await page.reload();
  await page.locator('.write').waitFor();
  evil.end();
  await close(page);
});

test('pages say that no other page may frame them, and load nothing from elsewhere', async () => {
  for (const path of ['/', '/mail/', '/nothing-here']) {
    const { headers } = await ask(path, { headers: { Accept: 'text/html' } });
    const policy = headers['content-security-policy'];
    assert.match(policy, /frame-ancestors 'none'/, path);
    assert.match(policy, /default-src 'none'/, path);
    assert.doesNotMatch(policy, /https?:|\*|script-src[^;]*unsafe/, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
  }
  const { headers } = await ask('/mail/letter');
  assert.match(headers['content-security-policy'], /frame-ancestors 'self'/);
  assert.doesNotMatch(headers['content-security-policy'], /script-src/);
});

test('a session that was there before the login is not the one after it', async () => {
  const first = cookieOf(await logIn());
  const second = cookieOf(await logIn({}, { Cookie: first }));
  const made = cookieOf(await logIn({}, { Cookie: `${first.split('=')[0]}=chosen-by-somebody-else` }));
  assert.notEqual(first, second);
  assert.ok(!made.includes('chosen-by-somebody-else'));
  const asked = await ask('/jmap/session', { headers: { Cookie: `${first.split('=')[0]}=chosen-by-somebody-else`, ...OWN } });
  assert.equal(asked.status, 401);
});

test('a session that was ended is worth nothing', async () => {
  const cookie = cookieOf(await logIn());
  assert.equal((await ask('/jmap/session', { headers: { Cookie: cookie, ...OWN } })).status, 200);
  await ask('/auth/logout', { ...form({}), headers: { ...form({}).headers, Cookie: cookie } });
  assert.equal((await ask('/jmap/session', { headers: { Cookie: cookie, ...OWN } })).status, 401);
});

test('a login leads to no other site, and on to a page of ours', async () => {
  for (const next of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)', '/\t/evil.example']) {
    assert.equal((await logIn({ next })).headers.location, '/mail/', next);
    const { text } = await ask(`/?next=${encodeURIComponent(next)}`, { headers: { Accept: 'text/html' } });
    assert.match(text, /name="next" value="\/mail\/"/, next);
  }
  const page = await here.page('ann', { login: false, at: `/?next=${encodeURIComponent('/auth/device?user_code=ABCD')}` });
  await page.locator('[name=username]').fill('ann@anser.test');
  await page.locator('[name=password]').fill(PASSWORD);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/auth\/device\?user_code=ABCD/);
  await close(page);
});

test('what is somebody else’s and what is not there are answered alike', async () => {
  const cookie = cookieOf(await logIn());
  const headers = { Cookie: cookie, Accept: 'text/html', 'Sec-Fetch-Site': 'same-origin' };
  await here.put('bob', [[message({ to: 'bob@anser.test', subject: 'For bob alone' })]]);
  const [{ ids }] = await here.call('bob', ['Email/query', { filter: { subject: 'For bob alone' } }]);
  const [{ list, accountId }] = await here.call('bob', ['Email/get', { ids, properties: ['blobId'] }]);
  const [theirs, nobodys] = await Promise.all([accountId, 'A999999'].map((account) => ask(`/jmap/download/${account}/${list[0].blobId}/x.txt`, { headers })));
  assert.deepEqual([theirs.status, theirs.text], [nobodys.status, nobodys.text]);
  assert.equal(theirs.status, 404);
});

test('what is downloaded is a file and never a page', async () => {
  await here.put('ann', [[`From: x@far.example\r\nTo: ann@anser.test\r\nSubject: page\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=p.html\r\n\r\n<script>fired=1</script>\r\n--b--\r\n`]]);
  const [{ ids }] = await here.call('ann', ['Email/query', { filter: { subject: 'page' } }]);
  const [{ list, accountId }] = await here.call('ann', ['Email/get', { ids, properties: ['attachments'] }]);
  const { headers } = await ask(`/jmap/download/${accountId}/${list[0].attachments[0].blobId}/p.html?accept=text/html&type=text/html`, { headers: { Cookie: cookieOf(await logIn()), ...OWN } });
  assert.match(headers['content-disposition'], /^attachment/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('who guesses is not told whether it was the address or the password', async () => {
  const wrong = await ask('/auth/login', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' }, body: JSON.stringify({ username: 'chen@anser.test', password: 'no' }) });
  const nobody = await ask('/auth/login', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' }, body: JSON.stringify({ username: 'nobody@anser.test', password: 'no' }) });
  assert.deepEqual([wrong.status, JSON.parse(wrong.text).detail], [nobody.status, JSON.parse(nobody.text).detail]);
});

test('nothing went wrong in any page', () => assert.deepEqual(here.trouble, []));
