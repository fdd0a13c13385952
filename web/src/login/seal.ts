// A password is sealed once more inside TLS: ECDH P-256, HKDF-SHA-256, AES-256-GCM, as `/auth/key` says.

/** What the server seals to: P-256, one nonce for one password. */
interface Key {
  key: string;
  nonce: string;
}

/** Bytes as base64url without padding, and back. */
export const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
export const bytes = (text: string) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));

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

/** A password as it travels under this name: sealed where that can be. */
export async function sealed(name: string, text: string): Promise<Record<string, string>> {
  const made = await seal(text).catch(() => null);
  return made === null ? { [name]: text } : { [name === 'password' ? 'sealed' : `${name}_sealed`]: made };
}
