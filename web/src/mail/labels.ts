// What messages are labelled with: seven colours, keywords as other programs use them, and tags that one makes oneself.
import { words } from '../app/prefs.svelte';

export interface Label {
  keyword: string;
  colour: string;
  name: string;
}

const COLOURS = [
  { keyword: '$label1', colour: '#b3402a', name: 'red' },
  { keyword: '$label2', colour: '#b96b12', name: 'orange' },
  { keyword: '$label3', colour: '#3f7a4d', name: 'green' },
  { keyword: '$label4', colour: '#2f67a3', name: 'blue' },
  { keyword: '$label5', colour: '#7c4a94', name: 'violet' },
  { keyword: '$label6', colour: '#8c7a1d', name: 'yellow' },
  { keyword: '$label7', colour: '#5c666e', name: 'grey' },
] as const;

/** Tags of one user, and characters of a name. */
export const MOST_TAGS = 100;
export const TAG_NAME = 40;

export const colours = (): Label[] => COLOURS.map((one) => ({ ...one, name: words().colours[one.name] }));

/** A new tag. Keywords are of ASCII (RFC 8621 §4.1.1): a name in other letters has one of its own beside it. */
export function tagOf(name: string, others: Label[]): Label {
  const plain = /^[a-z0-9_.-]{1,40}$/i.test(name) && !others.some(({ keyword }) => keyword === name.toLowerCase());
  const keyword = plain ? name.toLowerCase() : `tag-${Date.now().toString(36)}`;
  return { keyword, name, colour: COLOURS[others.length % COLOURS.length]!.colour };
}

/** What was kept, as far as it is tags. */
export const readTags = (kept: unknown): Label[] =>
  (Array.isArray(kept) ? (kept as Partial<Label>[]) : []).flatMap(({ keyword, name, colour }) => (typeof keyword === 'string' && typeof name === 'string' && /^#[0-9a-f]{6}$/.test(colour ?? '') ? [{ keyword, name: name.slice(0, TAG_NAME), colour: colour! }] : [])).slice(0, MOST_TAGS);
