// Who may be meant by what is typed: people of the letters that are known here, and whom the server's directory finds.
import type { EmailAddress } from '../jmap/email';
import { findPeople } from '../jmap/anser';
import { domain, shown } from '../mail/people';
import { called, emailsOf } from '../contacts/card';
import { initials } from '../mail/pinyin';
import type { Webmail } from '../webmail/webmail.svelte';

const MOST = 8;

export async function suggest(app: Webmail, typed: string, without: string[]): Promise<EmailAddress[]> {
  const wanted = typed.toLowerCase();
  const scores = new Map<string, { one: EmailAddress; score: number }>();
  const meet = (one: EmailAddress, weight: number): void => {
    const email = one.email.toLowerCase();
    if (without.some((other) => other.toLowerCase() === email)) return;
    const fit = fits(one, wanted);
    if (fit === 0) return;
    const known = scores.get(email);
    if (known) {
      known.score += weight;
      if (!known.one.name && one.name) known.one = one;
    } else scores.set(email, { one, score: fit * 1_000 + weight });
  };
  for (const head of app.mail.heads.values()) {
    const isMine = app.owns.includes(head.from?.[0]?.email.toLowerCase() ?? '');
    for (const one of isMine ? (head.to ?? []) : (head.from ?? [])) meet(one, isMine ? 5 : 1);
  }
  for (const card of app.book.people) for (const email of emailsOf(card)) meet({ name: called(card), email }, 20);
  const found = [...scores.values()].sort((a, b) => b.score - a.score).map(({ one }) => one);
  const told = await findPeople(app.client, typed, MOST).catch(() => []);
  for (const one of told) {
    const known = found.findIndex(({ email }) => email.toLowerCase() === one.email.toLowerCase());
    if (known >= 0) found[known] = { name: found[known]!.name ?? one.name, email: one.email };
    else if (!without.some((email) => email.toLowerCase() === one.email.toLowerCase())) found.push(one);
  }
  // A bare name is somebody here.
  const own = app.owns[0];
  if (own && told.length === 0 && /^[\w.+-]+$/.test(typed) && !found.some(({ email }) => email.toLowerCase() === `${wanted}@${domain(own)}`)) found.push({ name: null, email: `${typed}@${domain(own)}` });
  return found.slice(0, MOST);
}

/** How well somebody fits: the beginning of a name or an address, a piece of it, the initials; 0 for not at all. */
export function fits(one: EmailAddress, wanted: string): number {
  const [name, email] = [shown(one).toLowerCase(), one.email.toLowerCase()];
  if (email.startsWith(wanted) || name.startsWith(wanted)) return 4;
  if (name.split(/\s+/).some((word) => word.startsWith(wanted))) return 3;
  if (initials(one.name ?? '').replace(/\s/g, '').startsWith(wanted)) return 2;
  return name.includes(wanted) || email.includes(wanted) ? 1 : 0;
}
