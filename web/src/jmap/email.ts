// Email and Thread (RFC 8621 §3, §4).
import type { Client } from './client';
import { refusal } from './standard';
import type { Changes, Get, Query, QueryChanges, SetAnswer, SetError } from './standard';
import type { Id } from './session';

export interface EmailAddress {
  name: string | null;
  email: string;
}

export interface Part {
  partId: string | null;
  blobId: Id | null;
  size: number;
  name: string | null;
  type: string;
  charset?: string | null;
  disposition: string | null;
  cid: string | null;
  subParts?: Part[] | null;
}

/** What a row of a list shows. */
export interface Head {
  id: Id;
  blobId: Id;
  threadId: Id;
  mailboxIds: Record<Id, boolean>;
  keywords: Record<string, boolean>;
  size: number;
  receivedAt: string;
  sentAt: string | null;
  from: EmailAddress[] | null;
  to: EmailAddress[] | null;
  subject: string | null;
  preview: string;
  hasAttachment: boolean;
}

/** What reading and answering need besides. */
export interface Body {
  id: Id;
  cc: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  replyTo: EmailAddress[] | null;
  sender: EmailAddress[] | null;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
  bodyValues: Record<string, { value: string; isEncodingProblem: boolean; isTruncated: boolean }>;
  textBody: Part[];
  htmlBody: Part[];
  attachments: Part[];
  'header:Authentication-Results:asText:all': string[];
  'header:List-Unsubscribe:asURLs': string[] | null;
  'header:Disposition-Notification-To:asAddresses': EmailAddress[] | null;
}

export interface Thread {
  id: Id;
  emailIds: Id[];
}

export interface Condition {
  inMailbox?: Id;
  inMailboxOtherThan?: Id[];
  before?: string;
  after?: string;
  minSize?: number;
  maxSize?: number;
  hasKeyword?: string;
  notKeyword?: string;
  hasAttachment?: boolean;
  text?: string;
  from?: string;
  to?: string;
  cc?: string;
  bcc?: string;
  subject?: string;
  body?: string;
}
export type Filter = Condition | { operator: 'AND' | 'OR' | 'NOT'; conditions: Filter[] };

export interface Sort {
  property: 'receivedAt' | 'from' | 'subject' | 'size' | 'hasKeyword';
  keyword?: string;
  isAscending: boolean;
}

export interface Wish {
  filter: Filter | null;
  sort: Sort[];
  collapseThreads: boolean;
}

export const HEAD = [
  'id',
  'blobId',
  'threadId',
  'mailboxIds',
  'keywords',
  'size',
  'receivedAt',
  'sentAt',
  'from',
  'to',
  'subject',
  'preview',
  'hasAttachment',
];

const PART = ['partId', 'blobId', 'size', 'name', 'type', 'charset', 'disposition', 'cid'];

const BODY = [
  'id',
  'cc',
  'bcc',
  'replyTo',
  'sender',
  'messageId',
  'inReplyTo',
  'references',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
  'header:Authentication-Results:asText:all',
  'header:List-Unsubscribe:asURLs',
  'header:Disposition-Notification-To:asAddresses',
];

/** Bytes of one text that are shown; the rest is a download. */
export const BODY_BYTES = 2_000_000;

/** A piece of a list with all that its rows show: one request. */
export function page(client: Client, wish: Wish, position: number, limit: number) {
  const query = client.queued<Query>('Email/query', { ...wish, position, limit, calculateTotal: true });
  const heads = client.queued<Get<Head>>('Email/get', { '#ids': { resultOf: query.id, name: 'Email/query', path: '/ids' }, properties: HEAD });
  if (!wish.collapseThreads) return Promise.all([query.result, heads.result]);
  const threads = client.queued<Get<Thread>>('Thread/get', {
    '#ids': { resultOf: heads.id, name: 'Email/get', path: '/list/*/threadId' },
  });
  const rest = client.queued<Get<Head>>('Email/get', {
    '#ids': { resultOf: threads.id, name: 'Thread/get', path: '/list/*/emailIds' },
    properties: HEAD,
  });
  return Promise.all([query.result, heads.result, threads.result, rest.result]);
}

export const queryChanges = (client: Client, wish: Wish, sinceQueryState: string) =>
  client.call<QueryChanges>('Email/queryChanges', { ...wish, sinceQueryState, calculateTotal: true });

export const queryIds = (client: Client, wish: Wish, position: number, limit: number) =>
  client.call<Query>('Email/query', { ...wish, position, limit });

/** How many messages a filter finds. */
export const countOf = async (client: Client, filter: Filter) => (await client.call<Query>('Email/query', { filter, limit: 0, calculateTotal: true })).total ?? 0;

export const emailChanges = (client: Client, sinceState: string) => client.call<Changes>('Email/changes', { sinceState });

export const getHeads = (client: Client, ids: Id[]) => client.call<Get<Head>>('Email/get', { ids, properties: HEAD });

/** Ids and heads that one request asks for. */
const PIECE = 500;

/** The heads of everything that a filter finds, oldest first; `null` as soon as their messages come to more bytes than these. */
export async function headsOf(client: Client, filter: Filter, most: number, signal: AbortSignal): Promise<Head[] | null> {
  const all = new Map<Id, Head>();
  let bytes = 0;
  for (let position = 0; ; position += PIECE) {
    signal.throwIfAborted();
    const query = client.queued<Query>('Email/query', { filter, sort: [{ property: 'receivedAt', isAscending: true }], collapseThreads: false, position, limit: PIECE });
    const got = client.queued<Get<Head>>('Email/get', { '#ids': { resultOf: query.id, name: 'Email/query', path: '/ids' }, properties: HEAD });
    const [{ ids }, { list }] = await Promise.all([query.result, got.result]);
    for (const head of list) {
      if (!all.has(head.id)) bytes += head.size;
      all.set(head.id, head);
    }
    if (bytes > most) return null;
    if (ids.length < PIECE) return [...all.values()];
  }
}

export const getThreads = (client: Client, ids: Id[]) => client.call<Get<Thread>>('Thread/get', { ids });

export async function getBodies(client: Client, ids: Id[]): Promise<Get<Body>> {
  return client.call<Get<Body>>('Email/get', {
    ids,
    properties: BODY,
    bodyProperties: PART,
    fetchTextBodyValues: true,
    fetchHTMLBodyValues: true,
    maxBodyValueBytes: BODY_BYTES,
  });
}

/** The files and pictures of a message, in their order. */
export const filesOf = async (client: Client, id: Id) =>
  (await client.call<Get<{ attachments: Pick<Part, 'blobId' | 'cid'>[] }>>('Email/get', { ids: [id], properties: ['attachments'], bodyProperties: ['blobId', 'cid'] })).list[0]?.attachments ?? [];

export type Parsed = Body & Pick<Head, 'from' | 'to' | 'subject' | 'sentAt'>;

/** A message that is a blob (RFC 8621 §4.9); `null` where it is none. */
export async function parseEmail(client: Client, blobId: Id): Promise<Parsed | null> {
  const properties = [...BODY.filter((name) => name !== 'id'), 'from', 'to', 'subject', 'sentAt'];
  const answer = await client.call<{ parsed: Record<Id, Parsed> | null }>('Email/parse', { blobIds: [blobId], properties, bodyProperties: PART, fetchTextBodyValues: true, fetchHTMLBodyValues: true, maxBodyValueBytes: BODY_BYTES });
  return answer.parsed?.[blobId] ?? null;
}

/** Emails that one request takes away. */
const DESTROYED = 500;

/** Takes emails away for good, in pieces; the first refusal, if there is one. */
export async function destroyEmails(client: Client, ids: Id[]): Promise<SetError | undefined> {
  for (let at = 0; at < ids.length; at += DESTROYED) {
    const refused = refusal(await setEmails(client, { destroy: ids.slice(at, at + DESTROYED) }));
    if (refused) return refused;
  }
}

export const setEmails = (
  client: Client,
  what: { create?: Record<string, unknown>; update?: Record<Id, Record<string, unknown>>; destroy?: Id[] },
) => client.call<SetAnswer<Head>>('Email/set', what);
