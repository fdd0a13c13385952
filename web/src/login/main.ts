// The login page's script: the password is sealed once more inside TLS, and what else is needed is asked for in place. Without it the
// form is sent as it is.
import './login.css';

const words = {
  en: { wrong: 'The address or the password is wrong.', wait: 'Too many attempts. Please wait a moment.', code: 'Please enter the code that your device shows.', passkey: 'Please use your passkey, or enter a code in its place.', enrol: 'Type this key into an authenticator, then its code here:', keep: 'Keep these codes in a safe place. Each of them opens the account once, should your device be lost. They are not shown again.', on: 'Continue', fresh: 'Please choose a new password.', line: 'The server cannot be reached. Please try again.' },
  zh: { wrong: '邮箱地址或密码不正确。', wait: '尝试次数过多，请稍后再试。', code: '请输入您设备上显示的验证码。', passkey: '请使用通行密钥，或输入代替它的验证码。', enrol: '请将此密钥输入验证器，然后在此输入验证码：', keep: '请妥善保存以下恢复代码。设备丢失时，每个代码可用于登录一次。它们不会再次显示。', on: '继续', fresh: '请设置新密码。', line: '无法连接服务器，请重试。' },
}[document.documentElement.lang.startsWith('zh') ? 'zh' : 'en'];

/** What the server seals to: P-256, one nonce for one password. */
interface Key {
  key: string;
  nonce: string;
}

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const bytes = (text: string) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));

/** ECDH P-256, HKDF-SHA-256, AES-256-GCM, as `/auth/key` says; `null` where the page or the server has none of it. */
async function seal(password: string): Promise<string | null> {
  if (!crypto.subtle) return null;
  const response = await fetch('/auth/key');
  if (!response.ok) return null;
  const told = (await response.json()) as Key;
  const [key, nonce] = [bytes(told.key), bytes(told.nonce)];
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  const theirs = await crypto.subtle.importKey('raw', key, curve, false, []);
  const ours = await crypto.subtle.generateKey(curve, false, ['deriveBits']);
  const own = new Uint8Array(await crypto.subtle.exportKey('raw', ours.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256);
  const secret = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const info = new Uint8Array([...new TextEncoder().encode('anser sign-in 1'), ...key, ...own]);
  const aes = await crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: nonce, info }, secret, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, aes, new TextEncoder().encode(password)));
  return [nonce, own, iv, text].map(base64).join('.');
}

const form = document.querySelector<HTMLFormElement>('#login')!;
const why = document.querySelector<HTMLElement>('#why')!;
const button = form.querySelector('button')!;
const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;

interface Answer {
  next?: string;
  need?: 'code' | 'passkey' | 'enrol' | 'new-password';
  ticket?: string;
  secret?: string;
  recovery?: string[];
  detail?: string;
  type?: string;
}

/** What the server wants besides; empty at first. */
let ticket = '';
let need: Answer['need'];

/** What `/auth/passkey` says: options of `navigator.credentials`, its bytes in base64url. */
interface Options {
  challenge: string;
  rpId: string;
  userVerification: UserVerificationRequirement;
  allowCredentials: { type: 'public-key'; id: string }[];
  timeout: number;
}

/** Asks the browser for a passkey: of whom the ticket is, or of anybody. `null` where there is none, or its owner does not want to. */
async function passkey(): Promise<object | null> {
  const response = await fetch('/auth/passkey', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(ticket ? { ticket } : {}) });
  if (!response.ok) return null;
  const { challenge, allowCredentials, ...rest } = ((await response.json()) as { get: Options }).get;
  const publicKey = { ...rest, challenge: bytes(challenge), allowCredentials: allowCredentials.map((one) => ({ ...one, id: bytes(one.id) })) };
  const found = (await navigator.credentials.get({ publicKey }).catch(() => null)) as PublicKeyCredential | null;
  if (!found) return null;
  const said = found.response as AuthenticatorAssertionResponse;
  const text = (part: ArrayBuffer | null) => (part ? base64(new Uint8Array(part)) : undefined);
  return {
    id: found.id,
    rawId: text(found.rawId),
    type: found.type,
    response: { clientDataJSON: text(said.clientDataJSON), authenticatorData: text(said.authenticatorData), signature: text(said.signature), userHandle: text(said.userHandle) },
  };
}

/** A password as it travels: sealed where that can be. */
async function password(name: string, text: string): Promise<Record<string, string>> {
  const sealed = await seal(text).catch(() => null);
  return sealed === null ? { [name]: text } : { [name === 'password' ? 'sealed' : `${name}_sealed`]: sealed };
}

async function body(): Promise<Record<string, string>> {
  if (need && need !== 'new-password') return { ticket, code: field('code').value.trim() };
  if (need === 'new-password') return { ticket, ...(await password('new', field('new').value)) };
  return { username: field('username').value.trim(), ...(await password('password', field('password').value)) };
}

async function send(credential: object | null, again = true): Promise<[Response, Answer]> {
  const said = credential ? { ...(ticket && { ticket }), credential } : await body();
  const response = await fetch('/auth/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(said) });
  const answer = (await response.json().catch(() => ({}))) as Answer;
  // The key changes from time to time: what was sealed to the old one is sealed anew, once.
  return response.status === 409 && again ? send(credential, false) : [response, answer];
}

/** Shows the one field that is wanted next. */
function ask(name: 'code' | 'new', words: string): void {
  for (const label of form.querySelectorAll<HTMLElement>('label')) label.hidden = !label.contains(field(name));
  for (const input of form.querySelectorAll('input')) input.required = input === field(name);
  why.textContent = words;
  field(name).focus();
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
    if (need === 'new-password') return ask('new', words.fresh);
    ask('code', need === 'enrol' ? `${words.enrol} ${answer.secret}` : words[need]);
    if (need !== 'passkey') return;
    const shown = await passkey();
    return shown ? enter(shown) : undefined;
  }
  why.textContent = answer.detail ?? (response.status === 429 ? words.wait : words.wrong);
  field(need === 'new-password' ? 'new' : need ? 'code' : 'password').select();
}

/** One step; the form waits for it. */
function step(taken: Promise<void>): void {
  button.disabled = true;
  why.textContent = '';
  taken.catch(() => (why.textContent = words.line)).finally(() => (button.disabled = false));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  step(enter());
});
const alone = document.querySelector<HTMLButtonElement>('#passkey')!;
alone.hidden = !('PublicKeyCredential' in window);
alone.addEventListener('click', () => step(passkey().then((shown) => (shown ? enter(shown) : undefined))));
(field('username').value ? field('password') : field('username')).focus();
