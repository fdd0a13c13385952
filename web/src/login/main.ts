// The login page's script: the password is sealed once more inside TLS, and what else is needed is asked for in place. Without it the
// form is sent as it is.
import './login.css';

const words = {
  en: { wrong: 'The address or the password is wrong.', wait: 'Too many attempts. Please wait a moment.', code: 'Please enter the code that your device shows.', line: 'The server cannot be reached. Please try again.', work: 'One moment…' },
  zh: { wrong: '邮箱地址或密码不正确。', wait: '尝试次数过多，请稍后再试。', code: '请输入您设备上显示的验证码。', line: '无法连接服务器，请重试。', work: '请稍候…' },
}[document.documentElement.lang.startsWith('zh') ? 'zh' : 'en'];

interface Key {
  /** The server's public key for now: P-256, uncompressed, base64. */
  key: string;
  nonce: string;
}

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const bytes = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

/** ECDH P-256, HKDF-SHA256, AES-256-GCM; `null` where the page or the server has none of it. */
async function seal(password: string): Promise<{ key: string; iv: string; text: string; nonce: string } | null> {
  if (!crypto.subtle) return null;
  const response = await fetch('/auth/key');
  if (!response.ok) return null;
  const { key, nonce } = (await response.json()) as Key;
  const theirs = await crypto.subtle.importKey('raw', bytes(key), { name: 'ECDH', namedCurve: 'P-256' }, false, []);
  const ours = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256);
  const secret = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: bytes(nonce), info: new TextEncoder().encode('anser login') };
  const aes = await crypto.subtle.deriveKey(hkdf, secret, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, aes, new TextEncoder().encode(password));
  const own = new Uint8Array(await crypto.subtle.exportKey('raw', ours.publicKey));
  return { key: base64(own), iv: base64(iv), text: base64(new Uint8Array(text)), nonce };
}

const form = document.querySelector<HTMLFormElement>('#login')!;
const why = document.querySelector<HTMLElement>('#why')!;
const code = document.querySelector<HTMLElement>('#code')!;
const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
const button = form.querySelector('button')!;

async function enter(): Promise<void> {
  const sealed = await seal(field('password').value).catch(() => null);
  const body: Record<string, unknown> = { username: field('username').value.trim() };
  if (sealed) body.sealed = sealed;
  else body.password = field('password').value;
  if (field('code').value) body.code = field('code').value.trim();
  if (field('ticket').value) body.ticket = field('ticket').value;
  const response = await fetch('/auth/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const answer = (await response.json().catch(() => ({}))) as { next?: string; need?: string; ticket?: string; detail?: string };
  if (response.ok && answer.next) return location.assign(field('next').value || answer.next);
  if (response.ok && answer.need === 'code') {
    field('ticket').value = answer.ticket ?? '';
    code.hidden = false;
    why.textContent = words.code;
    return field('code').focus();
  }
  why.textContent = answer.detail ?? (response.status === 429 ? words.wait : words.wrong);
  field('password').select();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  button.disabled = true;
  why.textContent = '';
  enter()
    .catch(() => (why.textContent = words.line))
    .finally(() => (button.disabled = false));
});
(field('username').value ? field('password') : field('username')).focus();
