// Addresses: read, shown, compared.
import type { EmailAddress } from '../jmap/email';

export const shown = (address: EmailAddress | undefined) => address?.name?.trim() || address?.email.split('@')[0] || '';
export const whole = ({ name, email }: EmailAddress) => (name ? `${name} <${email}>` : email);
export const domain = (email: string) => email.slice(email.lastIndexOf('@') + 1).toLowerCase();

/** One address as it is typed or pasted; `null` where it is none. */
export function address(text: string): EmailAddress | null {
  const angled = /^\s*(?:"([^"]*)"|([^<]*?))\s*<\s*([^<>\s]+@[^<>\s]+)\s*>\s*$/.exec(text);
  const email = (angled ? angled[3]! : text.trim()).replace(/^mailto:/i, '').replace(/＠/g, '@');
  if (!/^[^\s@<>",;]+@[^\s@<>",;]+$/.test(email)) return null;
  return { name: (angled?.[1] ?? angled?.[2])?.trim() || null, email };
}

/** The pieces of a list of addresses: at commas, semicolons and lines, in both widths, outside of quotes and brackets. */
export function split(text: string): string[] {
  const all = text.match(/(?:"[^"]*"|<[^>]*>|[^,;，；、\n"<])+/g) ?? [];
  return all.map((one) => one.trim()).filter(Boolean);
}

/** The letter or character that stands for somebody. */
export function initial(address: EmailAddress | undefined): string {
  const name = shown(address).replace(/^["'\s]+/, '');
  const first = [...name][0] ?? '?';
  // Of a Chinese name the given name's first character tells more apart than the family name.
  return /\p{Script=Han}/u.test(first) && [...name].length <= 4 ? ([...name].at(-1) ?? first) : first.toUpperCase();
}

/** One of eight colours, the same for an address each time. */
export function hue(email: string): number {
  let sum = 7;
  for (const char of email.toLowerCase()) sum = (sum * 31 + char.codePointAt(0)!) % 9973;
  return sum % 8;
}

/** Those of a list that are not among the others, each once. */
export function without(all: EmailAddress[], others: string[]): EmailAddress[] {
  const seen = new Set(others.map((email) => email.toLowerCase()));
  return all.filter(({ email }) => !seen.has(email.toLowerCase()) && seen.add(email.toLowerCase()));
}
