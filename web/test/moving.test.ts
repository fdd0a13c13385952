// The pages of moves: what is offered, and what is kept of a choice.
import { expect, test } from 'vitest';
import type { MailMove, MoveFolder } from '../src/jmap/move';
import { chosen, followed, isOpen, isTaken, minutesLeft, offersSignIn, wantsSignIn } from '../src/settings/moving';

const move = (state: MailMove['state'], signIn: MailMove['signIn']) => ({ state, signIn, startedAt: null }) as MailMove;
const folder = (name: string, more: Partial<MoveFolder> = {}): MoveFolder => ({ name, path: [name], messages: 1, role: null, skip: false, isHere: false, ...more });

test('folders are chosen once somebody has signed in, and signing in is offered while it helps', () => {
  const asked = { page: 'https://old.test/device', code: 'ABCD', expiresAt: '2026-11-23T10:00:00Z' };
  const needed = move('paused', { state: 'needed', asked: null });
  expect([isOpen(needed), wantsSignIn(needed), offersSignIn(needed)]).toEqual([false, true, true]);
  const waits = move('paused', { state: 'asked', asked });
  expect([isOpen(waits), wantsSignIn(waits), offersSignIn(waits)]).toEqual([false, true, false]);
  const given = move('paused', { state: 'given', asked: null });
  expect([isOpen(given), wantsSignIn(given), offersSignIn(given)]).toEqual([true, false, false]);
  expect(offersSignIn(move('refused', { state: 'given', asked: null }))).toBe(true);
  expect(offersSignIn(move('refused', { state: 'possible', asked: null }))).toBe(true);
  expect(offersSignIn(move('refused', null))).toBe(false);
  expect(isOpen(move('paused', null))).toBe(true);
});

test('a code is good for whole minutes, and for none when its time is over', () => {
  const now = Date.parse('2026-11-23T10:00:00Z');
  expect(['2026-11-23T10:14:01Z', '2026-11-23T10:00:01Z', '2026-11-23T09:00:00Z'].map((until) => minutesLeft(until, now))).toEqual([15, 1, 0]);
});

test('what was chosen of folders that are not listed now is kept, but for a role that another has', () => {
  const before = { Gone: { skip: true }, Old: { role: 'sent' as const }, Plain: { role: null }, News: { skip: true } };
  const now = [folder('News'), folder('Mine', { role: 'sent' }), folder('Here', { role: 'trash', isHere: true })];
  expect(chosen(before, now)).toEqual({ Gone: { skip: true }, Old: {}, Plain: { role: null }, News: { skip: false, role: null }, Mine: { skip: false, role: 'sent' }, Here: { skip: false } });
  expect([isTaken(now, 'trash'), isTaken(now, 'sent')]).toEqual([true, false]);
});

test('a list that moved on while it was read names nothing twice', () => {
  expect(followed([{ id: 'a' }, { id: 'b' }], [{ id: 'b' }, { id: 'c' }]).map((one) => one.id)).toEqual(['a', 'b', 'c']);
});
