import { expect, test, vi } from 'vitest';
import { asked } from '../src/app/dialogs.svelte';
import { toasts } from '../src/app/toasts.svelte';
import type { Client } from '../src/jmap/client';
import { Acts } from '../src/mail/acts';
import type { Mail } from '../src/mail/mail.svelte';

type Args = { position: number; limit: number; update: Record<string, unknown>; destroy: string[] };
/** Acts on an account whose server answers by these, and what it was asked. */
function acts(answers: Record<string, (args: Args) => unknown>, isOurs = false) {
  const names: string[] = [];
  const call = (name: string, args: Args) => {
    names.push(name);
    return Promise.resolve(answers[name]!(args));
  };
  const client = { has: () => isOurs, call } as unknown as Client;
  const mail = { client, list: null, heads: new Map(), reason: String } as unknown as Mail;
  return { acts: new Acts(mail), names };
}

test('who changes more than can be undone is asked first', async () => {
  const page = (position: number, limit: number) => Array.from({ length: limit }, (_, at) => `M${position + at}`);
  const { acts: all, names } = acts({ 'Email/query': ({ position, limit }) => ({ ids: page(position, limit) }) }, true);
  const done = all.all({ inMailbox: 'F1' }, { 'keywords/$seen': true }, 'working');
  await vi.waitUntil(() => asked.question !== null);
  asked.question!.answer(null);
  await done;
  expect(new Set(names)).toEqual(new Set(['Email/query']));
  expect(toasts.all).toEqual([]);
});

test('in a list of what is unread all become read, a piece at a time', async () => {
  const unread = new Set(Array.from({ length: 1_234 }, (_, at) => `M${at}`));
  const { acts: all } = acts({
    // What is read is found no more.
    'Email/query': ({ position, limit }) => ({ ids: [...unread].slice(position, position + limit) }),
    'Email/set': ({ update }) => (Object.keys(update).forEach((id) => unread.delete(id)), { updated: update }),
  });
  await all.all({ inMailbox: 'F1', notKeyword: '$seen' }, { 'keywords/$seen': true }, 'working');
  expect(unread.size).toBe(0);
});

test('a server that says it did what it did not is not asked for ever', async () => {
  toasts.all = [];
  const { acts: all, names } = acts({ 'Email/query': () => ({ ids: ['M1'] }), 'Email/set': () => ({ updated: { M1: null } }) });
  await all.all({ inMailbox: 'F1' }, { 'keywords/$flagged': true }, 'working');
  expect(names.filter((name) => name === 'Email/set')).toHaveLength(1);
  expect(toasts.all.map(({ kind }) => kind)).toEqual(['trouble']);
});

test('many are deleted for good in pieces that the server takes', async () => {
  const sizes: number[] = [];
  const { acts: all } = acts({ 'Email/set': ({ destroy }) => (sizes.push(destroy.length), { destroyed: destroy }) });
  await all.destroy(Array.from({ length: 1_200 }, (_, at) => `M${at}`));
  expect(sizes).toEqual([500, 500, 200]);
});
