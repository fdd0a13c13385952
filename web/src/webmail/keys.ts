// The keys: one table, from which the sheet of `?` is made too.
import type { Words } from '../words/en';
import type { Webmail } from './webmail.svelte';

export interface Key {
  /** As pressed, one after another: `g i`. */
  keys: string[];
  group: 'move' | 'act' | 'write' | 'go';
  name: (words: Words) => string;
  run: (app: Webmail) => void;
}

const role = (app: Webmail, name: 'inbox' | 'drafts' | 'sent' | 'archive' | 'trash') => {
  const found = app.mail.of(name);
  if (found) app.go(found.id);
};

export const KEYS: Key[] = [
  { keys: ['j', 'ArrowDown'], group: 'move', name: (w) => w.keyNext, run: (app) => app.step(1) },
  { keys: ['k', 'ArrowUp'], group: 'move', name: (w) => w.keyPrevious, run: (app) => app.step(-1) },
  { keys: ['PageDown'], group: 'move', name: (w) => w.keyPageDown, run: (app) => app.step(10) },
  { keys: ['PageUp'], group: 'move', name: (w) => w.keyPageUp, run: (app) => app.step(-10) },
  { keys: ['Home'], group: 'move', name: (w) => w.keyFirst, run: (app) => app.step(-Infinity) },
  { keys: ['End'], group: 'move', name: (w) => w.keyLast, run: (app) => app.step(Infinity) },
  { keys: ['Enter', 'o'], group: 'move', name: (w) => w.keyOpen, run: (app) => app.openRow(app.current) },
  { keys: ['t'], group: 'move', name: (w) => w.openInTab, run: (app) => app.targetHead && app.openTab(app.targetHead.id) },
  { keys: ['Escape', 'u'], group: 'move', name: (w) => w.keyBack, run: (app) => (app.selected.size > 0 ? app.unselect() : app.close()) },
  { keys: ['x', ' '], group: 'act', name: (w) => w.keySelect, run: (app) => app.toggle(app.current) },
  { keys: ['Control+a'], group: 'act', name: (w) => w.keySelectAll, run: (app) => app.selectAll() },
  { keys: ['e'], group: 'act', name: (w) => w.archive, run: (app) => app.archive() },
  { keys: ['Delete', '#'], group: 'act', name: (w) => w.remove, run: (app) => app.remove() },
  { keys: ['v'], group: 'act', name: (w) => w.moveTo, run: (app) => (app.picking = 'move') },
  { keys: ['l'], group: 'act', name: (w) => w.labels, run: (app) => (app.labelling = true) },
  { keys: ['s'], group: 'act', name: (w) => w.flag, run: (app) => app.flag() },
  { keys: ['p'], group: 'act', name: (w) => w.pin, run: (app) => app.pin() },
  { keys: ['!'], group: 'act', name: (w) => w.junk, run: (app) => app.junk() },
  { keys: ['I'], group: 'act', name: (w) => w.markRead, run: (app) => app.seen(true) },
  { keys: ['U'], group: 'act', name: (w) => w.markUnread, run: (app) => app.seen(false) },
  { keys: ['c'], group: 'write', name: (w) => w.write, run: (app) => app.write() },
  { keys: ['r'], group: 'write', name: (w) => w.reply, run: (app) => app.reply('reply') },
  { keys: ['a'], group: 'write', name: (w) => w.replyAll, run: (app) => app.reply('replyAll') },
  { keys: ['f'], group: 'write', name: (w) => w.forward, run: (app) => app.reply('forward') },
  { keys: ['/'], group: 'go', name: (w) => w.search, run: () => document.querySelector<HTMLElement>('#search')?.focus() },
  { keys: ['g f'], group: 'go', name: (w) => w.goTo, run: (app) => (app.picking = 'go') },
  { keys: ['g i'], group: 'go', name: (w) => w.roles.inbox, run: (app) => role(app, 'inbox') },
  { keys: ['g d'], group: 'go', name: (w) => w.roles.drafts, run: (app) => role(app, 'drafts') },
  { keys: ['g s'], group: 'go', name: (w) => w.roles.sent, run: (app) => role(app, 'sent') },
  { keys: ['g a'], group: 'go', name: (w) => w.roles.archive, run: (app) => role(app, 'archive') },
  { keys: ['g t'], group: 'go', name: (w) => w.roles.trash, run: (app) => role(app, 'trash') },
  { keys: ['?'], group: 'go', name: (w) => w.keys, run: (app) => (app.help = true) },
];

/** Within this time, in milliseconds, a second key belongs to a first. */
const TOGETHER = 1_000;

/** Finds what a key means; `true` when it meant something. */
export function keyboard(app: Webmail): (event: KeyboardEvent) => void {
  let before = '';
  let at = 0;
  return (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || event.metaKey) return;
    const target = event.target as HTMLElement | null;
    const isTyping = target?.closest?.('input, textarea, select, [contenteditable="true"], [role="dialog"], [role="menu"]');
    if (isTyping || app.view !== 'mail' || app.tab !== 'mail') return;
    // Enter and the space bar belong to what has the focus.
    if ((event.key === 'Enter' || event.key === ' ') && target?.closest('button, a')) return;
    const name = event.ctrlKey ? `Control+${event.key.toLowerCase()}` : event.key;
    const both = before && event.timeStamp - at < TOGETHER ? `${before} ${name}` : '';
    const found = KEYS.find(({ keys }) => (both && keys.includes(both)) || keys.includes(name));
    before = name === 'g' ? 'g' : '';
    at = event.timeStamp;
    if (!found) return;
    event.preventDefault();
    found.run(app);
  };
}
