// What the journal says that a rule did, in the reader's language. A program's words (`redirect to a@b.c`) become a person's; others stand as they are.
import type { Words } from '../words/en';

type Said = (w: Words['acted'], all: string[]) => string;

/** From the special to the general: the first that fits speaks. */
const ACTS: [RegExp, Said][] = [
  [/^fileinto "(.*)" not done, kept/, (w, [name = '']) => w.fileNot(name)],
  [/^fileinto "(.*?)"(?: with (.*))?$/, (w, [name = '', flags = '']) => w.file(name) + flagged(w, flags)],
  [/^keep(?: with (.*))?$/, (w, [flags = '']) => w.keep + flagged(w, flags)],
  [/^discard$/, (w) => w.discard],
  [/^redirect to (?:list )?(\S+) not done, kept: (.*)$/, (w, [to = '', why = '']) => w.redirectNot(to, why)],
  [/^redirect to (?:list )?(\S+) withheld/, (w, [to = '']) => w.redirectWithheld(to)],
  [/^redirect to (?:list )?(\S+)$/, (w, [to = '']) => w.redirect(to)],
  [/^reject not done, kept: (.*)$/, (w, [why = '']) => w.rejectNot(why)],
  [/^reject: (.*)$/s, (w, [why = '']) => w.reject(why)],
  [/^vacation.* withheld/, (w) => w.vacationNot],
  [/^vacation(?: to (.*))?$/, (w, [to = '']) => w.vacation(to)],
  [/^notify (.*) withheld/, (w, [to = '']) => w.notifyNot(to)],
  [/^notify (.*)$/, (w, [to = '']) => w.notify(to)],
  [/^failed(?:, kept)?: (.*)$/s, (w, [why = '']) => w.failed(why)],
  [/^hold: (.*)$/s, (w, [why = '']) => w.hold(why)],
];
const flagged = (w: Words['acted'], flags: string) => (flags ? w.flags(flags) : '');

/** An act in words. */
export function acted(act: string, w: Words['acted']): string {
  const [, deed = act, stored] = /^(.*?)(, to the stored message with UID \d+)?$/s.exec(act) ?? [];
  for (const [form, say] of ACTS) {
    const found = form.exec(deed);
    if (found) return say(w, found.slice(1).map((one: string | undefined) => one ?? '')) + (stored ? w.stored : '');
  }
  return act;
}
