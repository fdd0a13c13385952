// What the pages of moves have in common: how one stands, and what is kept of a choice.
import type { Choice, MailMove, MoveFolder } from '../jmap/move';

/** Whether the owner has to sign in at the provider's page before anything can be done. */
export const wantsSignIn = ({ signIn }: MailMove) => signIn?.state === 'needed' || signIn?.state === 'asked';

/** Whether its owner has still to say what comes. */
export const isOpen = (one: MailMove) => one.state === 'paused' && one.startedAt === null && !wantsSignIn(one);

/** Whether signing in is offered: nobody has, or what was given is no longer taken. */
export const offersSignIn = ({ signIn, state }: MailMove) => signIn !== null && signIn.state !== 'asked' && (signIn.state === 'needed' || state === 'refused');

/** Whole minutes until a time, at least 0. */
export const minutesLeft = (until: string, now: number) => Math.max(0, Math.ceil((Date.parse(until) - now) / 60_000));

/** Whether a mailbox that is here has a role, so that no other folder can be given it. */
export const isTaken = (folders: MoveFolder[], role: MoveFolder['role']) => folders.some((one) => one.isHere && one.role === role);

/** What is shown is what comes: of a folder that is here already it is decided what it is for. What is not shown now stays as it was chosen, but for a role that another folder has by now. */
export function chosen(before: Choice, folders: MoveFolder[]): Choice {
  const shown = folders.map(({ name, skip, role, isHere }): [string, Choice[string]] => [name, isHere || role === 'inbox' ? { skip } : { skip, role }]);
  const roles = new Set(shown.map(([, { skip, role }]) => (skip ? null : role)));
  const kept = Object.entries(before).map(([name, { role, ...rest }]): [string, Choice[string]] => [name, role === undefined || (role !== null && roles.has(role)) ? rest : { ...rest, role }]);
  return { ...Object.fromEntries(kept), ...Object.fromEntries(shown) };
}

/** A list, and what follows of it: it may have moved on meanwhile, so that some come twice. */
export const followed = <T extends { id: string }>(all: T[], more: T[]) => [...new Map([...all, ...more].map((one) => [one.id, one])).values()];
