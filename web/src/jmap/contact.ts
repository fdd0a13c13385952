// AddressBook and ContactCard (RFC 9610): cards as JSContact has them (RFC 9553), those of their properties that the webmail shows.
import type { Client } from './client';
import type { Get, Query, SetAnswer } from './standard';
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
const MOST = 10_000;

export const getBooks = async (client: Client) => (await client.call<Get<AddressBook>>('AddressBook/get', { ids: null })).list;

/** All cards, as far as the webmail shows them. */
export async function getCards(client: Client): Promise<Card[]> {
  const all: Card[] = [];
  for (let position = 0; position < MOST; position += GET) {
    const query = client.queued<Query>('ContactCard/query', { position, limit: GET });
    const got = client.queued<Get<Card>>('ContactCard/get', { '#ids': { resultOf: query.id, name: 'ContactCard/query', path: '/ids' } });
    const { list } = await got.result;
    all.push(...list);
    if (list.length < GET) break;
  }
  return all;
}

export const setCards = (client: Client, what: { create?: Record<string, Omit<Card, 'id' | 'uid'> & { uid?: string }>; update?: Record<Id, Record<string, unknown>>; destroy?: Id[] }) =>
  client.call<SetAnswer<Card>>('ContactCard/set', what);
