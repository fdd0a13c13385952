// Mail that leaves the house by itself is asked about, every time it is switched on or goes elsewhere.
import { confirmed } from '../app/dialogs.svelte';
import { words } from '../app/prefs.svelte';
import { domain } from '../mail/people';
import { app } from '../webmail/webmail.svelte';

/** Whether mail may go on to these: those to whom it goes `already` are not asked about. `copy` is whether it stays here as well. */
export async function mayForward(all: { to: string; copy: boolean }[], already: string[], title: (to: string) => string): Promise<boolean> {
  const w = words();
  const known = new Set(already.map((to) => to.toLowerCase()));
  const fresh = all.filter(({ to }) => !known.has(to.toLowerCase()));
  if (fresh.length === 0) return true;
  const ours = app.owns.map(domain);
  const outside = fresh.map(({ to }) => to).filter((to) => !ours.includes(domain(to)));
  const isKept = fresh.every(({ copy }) => copy);
  const text = [outside.length > 0 ? w.forwardOutside(outside.join(w.comma)) : '', isKept ? '' : w.forwardNothingStays].filter(Boolean).join(' ') || w.forwardText;
  return confirmed({ title: title(fresh.map(({ to }) => to).join(w.comma)), text, yes: w.forwardYes, danger: outside.length > 0 || !isKept });
}
