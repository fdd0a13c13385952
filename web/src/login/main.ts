// The login page's script: the password is sealed once more inside TLS, and what else is needed is asked for in place. Without it the
// form is sent as it is.
import './login.css';
import { keyboard } from './keyboard';
import { qr, qrPath } from '../app/qr';
import { shown } from './passkey';
import type { Get } from './passkey';
import { sealed } from './seal';

const words = {
  en: { wrong: 'The address or the password is wrong.', wait: 'Too many attempts. Please wait a moment.', code: 'Please enter the code that your device shows.', passkey: 'Please use your passkey, or enter a code in its place.', enrol: 'Let an authenticator read the picture, or type this key into it; then its code here:', qr: 'The key as a QR code', keep: 'Keep these codes in a safe place. Each of them opens the account once, should your device be lost. They are not shown again.', on: 'Continue', fresh: 'Please choose a new password.', noKey: 'No passkey was used. Try again, or log in in another way.', line: 'The server cannot be reached. Please try again.', keys: { '⇧': 'Capitals', '⌫': 'Delete the last' } },
  zh: { wrong: '邮箱地址或密码不正确。', wait: '尝试次数过多，请稍后再试。', code: '请输入您设备上显示的验证码。', passkey: '请使用通行密钥，或输入代替它的验证码。', enrol: '请用验证器扫描二维码，或输入此密钥，然后在此填写验证码：', qr: '密钥的二维码', keep: '请妥善保存以下恢复代码。设备丢失时，每个代码可用于登录一次。它们不会再次显示。', on: '继续', fresh: '请设置新密码。', noKey: '未使用通行密钥。请重试，或改用其他方式登录。', line: '无法连接服务器，请重试。', keys: { '⇧': '大写', '⌫': '删除最后一个' } },
}[document.documentElement.lang.startsWith('zh') ? 'zh' : 'en'];

const form = document.querySelector<HTMLFormElement>('#login')!;
const why = document.querySelector<HTMLElement>('#why')!;
const button = form.querySelector<HTMLButtonElement>('button[type=submit]')!;
const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
/** Asks our server, for an answer in the language of the page. */
const post = (path: string, said: object) =>
  fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Accept-Language': document.documentElement.lang }, body: JSON.stringify(said) });

interface Answer {
  next?: string;
  need?: 'code' | 'passkey' | 'enrol' | 'new-password';
  ticket?: string;
  secret?: string;
  uri?: string;
  recovery?: string[];
  detail?: string;
  type?: string;
}

/** What the server wants besides; empty at first. */
let ticket = '';
let need: Answer['need'];
/** The field that is asked for. */
const asked = () => field(need === 'new-password' ? 'new' : need ? 'code' : 'password');

/** Asks the browser for a passkey: of whom the ticket is, or of anybody. `null` where there is none, or its owner does not want to. */
async function passkey(): Promise<object | null> {
  const response = await post('/auth/passkey', ticket ? { ticket } : {});
  if (!response.ok) {
    const { detail } = (await response.json().catch(() => ({}))) as Answer;
    why.textContent = detail ?? (response.status === 429 ? words.wait : words.noKey);
    return null;
  }
  const found = await shown(((await response.json()) as { get: Get }).get);
  if (!found) why.textContent = words.noKey;
  return found;
}

async function body(): Promise<Record<string, string>> {
  if (need && need !== 'new-password') return { ticket, code: field('code').value.trim() };
  if (need === 'new-password') return { ticket, ...(await sealed('new', field('new').value)) };
  return { username: field('username').value.trim(), ...(await sealed('password', field('password').value)) };
}

async function send(credential: object | null, again = true): Promise<[Response, Answer]> {
  const said = credential ? { ...(ticket && { ticket }), credential } : await body();
  const response = await post('/auth/login', said);
  const answer = (await response.json().catch(() => ({}))) as Answer;
  // The key changes from time to time: what was sealed to the old one is sealed anew, once.
  return response.status === 409 && again ? send(credential, false) : [response, answer];
}

/** What an authenticator is set up with: it stays while codes are tried. */
const key = document.createElement('div');
key.className = 'enrol';
why.before(key);

/** Shows the one field that is wanted next. */
function ask(name: 'code' | 'new', words: string): void {
  for (const label of form.querySelectorAll<HTMLElement>('label')) label.hidden = !label.contains(field(name));
  for (const input of form.querySelectorAll('input')) input.required = input === field(name);
  why.textContent = words;
  field(name).focus();
}

/** A key as a picture that an authenticator reads. */
function draw(uri: string): void {
  const rows = qr(uri);
  if (!rows) return;
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  picture.setAttribute('viewBox', `-4 -4 ${rows.length + 8} ${rows.length + 8}`);
  picture.setAttribute('class', 'qr');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', words.qr);
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', qrPath(rows));
  picture.append(path);
  key.append(picture);
}

/** Shows recovery codes, which come this once, and goes on when they were read. */
function keep(codes: string[]): Promise<void> {
  const page = document.createElement('div');
  const [lead, list, on] = [document.createElement('p'), document.createElement('pre'), document.createElement('button')];
  lead.textContent = words.keep;
  list.textContent = codes.join('\n');
  on.textContent = words.on;
  on.type = 'button';
  page.append(lead, list, on);
  form.after(page);
  form.hidden = true;
  on.focus();
  return new Promise((done) => on.addEventListener('click', () => (page.remove(), (form.hidden = false), done())));
}

async function enter(credential: object | null = null): Promise<void> {
  const [response, answer] = await send(credential);
  if (response.ok && answer.recovery) await keep(answer.recovery);
  if (response.ok && answer.next) return location.assign(field('next').value || answer.next);
  if (response.ok && answer.need) {
    [ticket, need] = [answer.ticket ?? '', answer.need];
    key.textContent = need === 'enrol' ? `${words.enrol} ${answer.secret}` : '';
    if (need === 'new-password') return ask('new', words.fresh);
    ask('code', need === 'enrol' ? '' : words[need]);
    if (need === 'enrol') draw(answer.uri ?? '');
    if (need !== 'passkey') return;
    const used = await passkey();
    return used ? enter(used) : undefined;
  }
  why.textContent = answer.detail ?? (response.status === 429 ? words.wait : words.wrong);
  asked().select();
}

/** One step; the form waits for it. */
function step(taken: Promise<void>): void {
  button.disabled = true;
  why.textContent = '';
  taken.catch(() => (why.textContent = words.line)).finally(() => (button.disabled = false));
}

keyboard(asked, words.keys);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  step(enter());
});
const alone = document.querySelector<HTMLButtonElement>('#passkey')!;
alone.hidden = !('PublicKeyCredential' in window);
alone.addEventListener('click', () => step(passkey().then((key) => (key ? enter(key) : undefined))));
// Somebody comes from a provider or a portal, and a passkey is asked for beside it.
const [, handed] = /^#passkey=([\w-]+)$/.exec(location.hash) ?? [];
if (handed) {
  [ticket, need] = [handed, 'passkey'];
  history.replaceState(null, '', location.pathname + location.search);
  step(passkey().then((key) => (key ? enter(key) : undefined)));
  // A step begins with an empty line.
  ask('code', words.passkey);
} else (field('username').value ? field('password') : field('username')).focus();
