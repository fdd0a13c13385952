// AddressBook and ContactCard (RFC 9610): cards as JSContact has them (RFC 9553), those of their properties that the webmail shows.
import type { Client } from './client';
import { JmapError } from './client';
import type { Changes, Get, Query, SetAnswer } from './standard';
import type { Id } from './session';

export const CONTACTS = 'urn:ietf:params:jmap:contacts';

export interface Card {
  id: Id;
  uid: string;
  addressBookIds: Record<Id, true>;
  kind?: 'individual' | 'group' | 'org' | string;
  name?: { full?: string; components?: { kind: string; value: string }[] };
  nicknames?: Record<string, { name: string }>;
  organizations?: Record<string, { name?: string; units?: { name: string }[] }>;
  titles?: Record<string, { name: string }>;
  emails?: Record<string, { address: string; contexts?: Record<string, true>; label?: string }>;
  phones?: Record<string, { number: string; contexts?: Record<string, true>; features?: Record<string, true>; label?: string }>;
  addresses?: Record<string, { full?: string; components?: { kind: string; value: string }[] }>;
  anniversaries?: Record<string, { kind: string; date: Record<string, unknown> }>;
  notes?: Record<string, { note: string }>;
  media?: Record<string, { kind: string; uri?: string; mediaType?: string }>;
  /** Of a group: the uids of those in it. */
  members?: Record<string, true>;
}

export interface AddressBook {
  id: Id;
  name: string;
  isDefault: boolean;
}

/** Cards that one call tells, and how many are read at all. */
const GET = 500;
/** Cards whose pictures one call tells. */
const PICTURES = 50;
const MOST = 10_000;

export const getBooks = async (client: Client) => (await client.call<Get<AddressBook>>('AddressBook/get', { ids: null })).list;

/** What the webmail shows of a card without its pictures, which are most of its bytes. */
const TEXTS = ['id', 'uid', 'addressBookIds', 'kind', 'name', 'nicknames', 'organizations', 'titles', 'emails', 'phones', 'addresses', 'anniversaries', 'notes', 'members'];

/** All cards without their pictures, as far as the webmail shows them; `told` what is known as each piece comes. */
export async function getCards(client: Client, told: (cards: Card[]) => void): Promise<string> {
  const all: Card[] = [];
  let state = '';
  for (let position = 0; position < MOST; position += GET) {
    const query = client.queued<Query>('ContactCard/query', { position, limit: GET });
    const got = client.queued<Get<Card>>('ContactCard/get', { '#ids': { resultOf: query.id, name: 'ContactCard/query', path: '/ids' }, properties: TEXTS });
    const answer = await got.result;
    state ||= answer.state;
    all.push(...answer.list);
    told([...all]);
    if (answer.list.length < GET) break;
  }
  return state;
}

/** What became of the cards since a state: those that changed, those that went, and the state now; `null` where that is not known. */
export async function changedCards(client: Client, sinceState: string): Promise<{ list: Card[]; destroyed: Id[]; state: string } | null> {
  const changes = await client.call<Changes>('ContactCard/changes', { sinceState }).catch((error: unknown) => {
    if (error instanceof JmapError && error.type === 'cannotCalculateChanges') return null;
    throw error;
  });
  if (!changes || changes.hasMoreChanges || changes.created.length + changes.updated.length > GET) return null;
  const ids = [...new Set([...changes.created, ...changes.updated])];
  const list = ids.length > 0 ? (await client.call<Get<Card>>('ContactCard/get', { ids, properties: TEXTS })).list : [];
  return { list, destroyed: changes.destroyed, state: changes.newState };
}

/** The pictures of these cards. */
export async function getMedia(client: Client, ids: Id[]): Promise<Pick<Card, 'id' | 'media'>[]> {
  const all: Pick<Card, 'id' | 'media'>[] = [];
  for (let at = 0; at < ids.length; at += PICTURES) all.push(...(await client.call<Get<Pick<Card, 'id' | 'media'>>>('ContactCard/get', { ids: ids.slice(at, at + PICTURES), properties: ['id', 'media'] })).list);
  return all;
}

export const setCards = (client: Client, what: { create?: Record<string, Omit<Card, 'id' | 'uid'> & { uid?: string }>; update?: Record<Id, Record<string, unknown>>; destroy?: Id[] }) =>
  client.call<SetAnswer<Card>>('ContactCard/set', what);
