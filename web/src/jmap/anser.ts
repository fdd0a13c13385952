// What Anser adds to JMAP (docs/api/mail.md): letters made safe, documents of a user, notes, acts on all that is found; and Principal/query
// (RFC 9670) for who there is. Each is asked for only where the server has it.
import type { Client } from './client';
import type { EmailAddress, Filter } from './email';
import type { Get, Query, SetAnswer } from './standard';
import type { Id } from './session';

export const ANSER = 'urn:anser:mail';
export const PRINCIPALS = 'urn:ietf:params:jmap:principals';

export interface EmailView {
  id: Id;
  html: string;
  remoteImages: number;
  isTruncated: boolean;
  authentication: Record<string, { result: string; of: string }[]> | null;
}

export async function viewEmail(client: Client, id: Id, how: { images?: 'fetched'; charset?: string } = {}): Promise<EmailView | null> {
  if (!client.has(ANSER)) return null;
  return (await client.call<Get<EmailView>>('EmailView/get', { ids: [id], ...how })).list[0] ?? null;
}

export interface Document {
  id: Id;
  key: string;
  value: unknown;
}

export const getDocuments = async (client: Client): Promise<Document[]> => (client.has(ANSER) ? (await client.call<Get<Document>>('Document/get', { ids: null })).list : []);

export const setDocuments = (client: Client, what: { create?: Record<string, Omit<Document, 'id'>>; update?: Record<Id, Partial<Document>> }) =>
  client.call<SetAnswer<Document>>('Document/set', what);

export interface Note {
  id: Id;
  emailId: Id;
  text: string;
  due: string | null;
}

export async function noteOf(client: Client, emailId: Id): Promise<Note | null> {
  if (!client.has(ANSER)) return null;
  const query = client.queued<{ ids: Id[] }>('Note/query', { filter: { emailIds: [emailId] } });
  const got = client.queued<Get<Note>>('Note/get', { '#ids': { resultOf: query.id, name: 'Note/query', path: '/ids' } });
  return (await got.result).list[0] ?? null;
}

/** Notes with this text, those that are due first. */
export async function findNotes(client: Client, text: string, limit: number): Promise<Note[]> {
  const query = client.queued<{ ids: Id[] }>('Note/query', { ...(text ? { filter: { text } } : {}), limit });
  const got = client.queued<Get<Note>>('Note/get', { '#ids': { resultOf: query.id, name: 'Note/query', path: '/ids' } });
  const [{ ids }, { list }] = await Promise.all([query.result, got.result]);
  return ids.flatMap((id) => list.find((note) => note.id === id) ?? []);
}

/** Notes that are due before a moment, those due first come first, and how many there are. */
export async function dueNotes(client: Client, dueBefore: string, limit: number): Promise<{ notes: Note[]; total: number }> {
  const query = client.queued<Query>('Note/query', { filter: { dueBefore }, limit, calculateTotal: true });
  const got = client.queued<Get<Note>>('Note/get', { '#ids': { resultOf: query.id, name: 'Note/query', path: '/ids' } });
  const [{ ids, total }, { list }] = await Promise.all([query.result, got.result]);
  const notes = ids.flatMap((id) => list.find((note) => note.id === id) ?? []);
  return { notes, total: total ?? notes.length };
}

export const setNotes = (client: Client, what: { create?: Record<string, Omit<Note, 'id'>>; update?: Record<Id, Partial<Note>>; destroy?: Id[] }) =>
  client.call<SetAnswer<Note>>('Note/set', what);

export interface Bulk {
  id: Id;
  state: 'running' | 'done' | 'canceled' | 'failed';
  total: number;
  done: number;
  failed: number;
}

export const beginBulk = (client: Client, act: { filter: Filter; update?: Record<string, unknown>; destroy?: true }) =>
  client.call<SetAnswer<Bulk>>('Bulk/set', { create: { act } });

export const getBulk = async (client: Client, id: Id) => (await client.call<Get<Bulk>>('Bulk/get', { ids: [id] })).list[0];

export const endBulk = (client: Client, id: Id) => client.call<SetAnswer<Bulk>>('Bulk/set', { destroy: [id] });

export interface Person {
  id: Id;
  name: string;
  email: string;
  department: string;
}

/** People of the organisation by name, pinyin, initials, address; all of them for no text. */
export async function listPeople(client: Client, text: string, limit: number): Promise<Person[]> {
  const query = client.queued<{ ids: Id[] }>('Principal/query', text ? { filter: { text }, limit } : { sort: [{ property: 'name' }], limit });
  const got = client.queued<Get<{ id: Id; name: string; email: string | null; description: string | null }>>('Principal/get', { '#ids': { resultOf: query.id, name: 'Principal/query', path: '/ids' } });
  return (await got.result).list.flatMap(({ id, name, email, description }) => (email ? [{ id, name: name || email, email, department: description ?? '' }] : []));
}

/** People of the organisation that a text may mean: by name, pinyin, initials, address. */
export async function findPeople(client: Client, text: string, limit: number): Promise<EmailAddress[]> {
  if (!client.has(PRINCIPALS)) return [];
  return (await listPeople(client, text, limit)).map(({ name, email }) => ({ name: name !== email ? name : null, email }));
}
