import { beforeEach, expect, test, vi } from 'vitest';
import { toasts } from '../src/app/toasts.svelte';
import { JmapError } from '../src/jmap/client';
import type { Client } from '../src/jmap/client';
import { Kept, MOST_BYTES } from '../src/webmail/kept';

type Answer = Record<string, unknown> | Error;
/** A server that answers what it is told to, in turn, and notes what it was asked. */
function server(...answers: Answer[]) {
  const asked: [string, Record<string, unknown>][] = [];
  const client = {
    leaving: false,
    has: () => true,
    call: (name: string, args: Record<string, unknown>): Promise<unknown> => {
      asked.push([name, args]);
      const answer = answers.shift() ?? {};
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  return { kept: new Kept(client as unknown as Client), asked, client };
}
const troubles = () => toasts.all.filter(({ kind }) => kind === 'trouble').length;
beforeEach(() => void (toasts.all = []));

test('what cannot be read is not taken for nothing', async () => {
  await expect(server(new JmapError('serverFail')).kept.open()).rejects.toThrow();
});

test('what is too large to be kept is told, and what was there stays', async () => {
  const { kept, asked } = server({ list: [{ id: 'D1', key: 'a', value: 1 }] });
  await kept.open();
  expect(kept.set('a', 'x'.repeat(MOST_BYTES))).toBe(false);
  expect(kept.of('a')).toBe(1);
  expect(troubles()).toBe(1);
  await kept.flush();
  expect(asked).toHaveLength(1);
});

test('what the server refuses to keep is told once', async () => {
  const { kept } = server({ list: [] }, { notCreated: { a: { type: 'overQuota' } } }, { notCreated: { a: { type: 'overQuota' } } });
  await kept.open();
  for (const value of [1, 2]) {
    kept.set('a', value);
    await kept.flush();
  }
  expect(troubles()).toBe(1);
});

test('a page that goes says each thing in a request of its own, and does not wait for what is under way', async () => {
  const { kept, client } = server({ list: [] });
  await kept.open();
  // As the client does: what is called in the same moment is one request. None of them is answered.
  const requests: string[][] = [];
  let open: string[] | null = null;
  client.call = (_, args) => {
    if (!open) {
      requests.push((open = []));
      queueMicrotask(() => (open = null));
    }
    open.push(...Object.keys(args.create as object));
    return new Promise(() => {});
  };
  kept.set('a', 1);
  void kept.flush();
  await null;
  client.leaving = true;
  for (const key of ['b', 'c']) kept.set(key, 2);
  void kept.flush();
  await null;
  expect(requests).toEqual([['a'], ['b'], ['c']]);
});

test('what the server could not be told of is known to wait', async () => {
  vi.useFakeTimers();
  const { kept } = server({ list: [] }, new JmapError('offline'), {});
  await kept.open();
  kept.set('a', 1);
  await kept.flush();
  expect(kept.isWaiting).toBe(true);
  await kept.flush();
  expect(kept.isWaiting).toBe(false);
  vi.useRealTimers();
});

test('what another window made meanwhile is given again as a change of it', async () => {
  vi.useFakeTimers();
  const { kept, asked } = server({ list: [] }, { notCreated: { a: { type: 'alreadyExists' } } }, { list: [{ id: 'D7', key: 'a', value: 'theirs' }] }, { updated: { D7: null } });
  await kept.open();
  kept.set('a', 'ours');
  await kept.flush();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked.at(-1)).toEqual(['Document/set', { create: {}, update: { D7: { value: 'ours' } } }]);
  expect(kept.of('a')).toBe('ours');
  vi.useRealTimers();
});
