import { expect, test, vi } from 'vitest';
import { JmapError } from '../src/jmap/client';
import type { Client } from '../src/jmap/client';
import { Book } from '../src/contacts/book.svelte';

/** A server of so many cards, which tells `broken` at a place as long as it is there. */
function server(count: number) {
  const at = { broken: -1 };
  const answers: Record<string, (args: { position?: number }) => unknown> = {
    'AddressBook/get': () => ({ list: [{ id: 'B', name: 'B', isDefault: true }] }),
    'ContactCard/query': () => ({ ids: [] }),
  };
  let position = 0;
  const client = {
    has: () => true,
    call: (name: string, args: object) => Promise.resolve(answers[name]?.(args)),
    queued: (name: string, args: { position?: number }) => {
      if (name === 'ContactCard/query') position = args.position ?? 0;
      const list = Array.from({ length: Math.min(500, count - position) }, (_, index) => ({ id: `C${position + index}`, uid: `u${position + index}`, addressBookIds: { B: true } }));
      const fails = name === 'ContactCard/get' && position === at.broken;
      return { id: name, result: fails ? Promise.reject(new JmapError('serverFail')) : Promise.resolve({ state: 's', list }) };
    },
  };
  return { book: new Book(client as unknown as Client), at };
}

test('an address book that broke off is no whole one, and is read again', async () => {
  vi.useFakeTimers();
  const { book, at } = server(700);
  at.broken = 500;
  await book.open();
  expect([book.cards.length, book.loaded, book.failed]).toEqual([500, false, true]);
  at.broken = -1;
  await vi.advanceTimersByTimeAsync(15_000);
  expect([book.cards.length, book.loaded, book.failed]).toEqual([700, true, false]);
  vi.useRealTimers();
});
