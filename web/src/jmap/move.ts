// MailMove (docs/api/mail.md): mail of another account comes here, once or again and again.
import type { Client } from './client';
import { JmapError } from './client';
import type { Get, SetAnswer, SetError } from './standard';
import type { Id } from './session';

/** A text in both languages. */
export interface Said {
  en: string;
  zh: string;
}
export type Protocol = 'imap' | 'pop3' | 'jmap';
export type Tls = 'implicit' | 'starttls' | 'none';

/** Where mail is fetched from. */
export interface Source {
  protocol: Protocol;
  host: string;
  port: number;
  tls: Tls;
}

export interface MailMove extends Source {
  id: Id;
  email: string;
  username: string;
  /** Minutes between two runs; `null` for one that runs once. */
  every: number | null;
  intoMailboxId: Id | null;
  state: 'checking' | 'waiting' | 'running' | 'paused' | 'refused' | 'done';
  problem: Said | null;
  progress: { folders: number; foldersTotal: number; messages: number; messagesTotal: number; bytes: number; bytesTotal: number | null };
  result: { total: number; copied: number; failed: number; skipped: number; reasons: { text: Said; count: number }[] } | null;
  startedAt: string | null;
  endedAt: string | null;
}

export interface Found extends Omit<Source, 'host'> {
  provider: string;
  name: Said;
  /** `null` where each organisation has its own. */
  host: string | null;
  /** What has to be done there first. */
  steps: Said[];
}

export const getMoves = async (client: Client) => (await client.call<Get<MailMove>>('MailMove/get', { ids: null })).list;

/** What is known of the provider of an address; `null` where nothing is. */
export async function discover(client: Client, email: string): Promise<Found | null> {
  const found = await client.call<Found | { provider: null }>('MailMove/discover', { email });
  return found.provider === null ? null : found;
}

export interface Wish extends Source {
  email: string;
  username: string;
  password: string;
  every: number | null;
  intoMailboxId: Id | null;
}

/** Changes moves; what is refused is thrown in the reader's language. */
export async function setMoves(client: Client, what: { create?: Record<string, Wish>; update?: Record<Id, Partial<Pick<Wish, 'password' | 'every'> & { state: 'paused' | 'running' }>>; destroy?: Id[] }, language: 'en' | 'zh'): Promise<void> {
  const answer = await client.call<SetAnswer<MailMove>>('MailMove/set', what);
  const error = [answer.notCreated, answer.notUpdated, answer.notDestroyed].flatMap((some) => Object.values(some ?? {}))[0] as (SetError & { texts?: Said }) | undefined;
  if (error) throw new JmapError(error.texts ? 'mistake' : error.type, error.texts?.[language] ?? error.description);
}

/** What an undo takes away, or took. */
export interface Undone {
  removed: number;
  bytes: number;
  /** What stays, since its owner has touched it. */
  touched: number;
}

/** Takes away what a move brought and nobody has touched since; with `dryRun` it is only counted. */
export const undoMove = (client: Client, id: Id, dryRun: boolean) => client.call<Undone>('MailMove/undo', { id, dryRun });
