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

export type Role = 'inbox' | 'drafts' | 'sent' | 'archive' | 'junk' | 'trash';
export type Choice = Record<string, { skip?: boolean; role?: Role | null }>;

/** A code that is typed at a page of the provider's. */
export interface Code {
  page: string;
  code: string;
  expiresAt: string;
}

export interface MailMove extends Source {
  id: Id;
  email: string;
  username: string;
  /** Minutes between two runs; `null` for one that runs once. */
  every: number | null;
  intoMailboxId: Id | null;
  /** What was chosen of the folders there, by their names. */
  folders: Choice;
  /** Signing in at the provider's page; `null` where it knows passwords alone. */
  signIn: { state: 'possible' | 'needed' | 'asked' | 'given'; asked: Code | null } | null;
  state: 'checking' | 'waiting' | 'running' | 'paused' | 'refused' | 'done';
  problem: Said | null;
  progress: { folders: number; foldersTotal: number; messages: number; messagesTotal: number; bytes: number; bytesTotal: number | null };
  result: { total: number; copied: number; failed: number; skipped: number; leftOut: number; reasons: { text: Said; count: number }[] } | null;
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

/** What is known of the provider of an address, `null` where nothing is; and the servers where one signs in in a password's place. */
export async function discover(client: Client, email: string): Promise<[Found | null, string[]]> {
  const found = await client.call<(Found | { provider: null }) & { signInHosts: string[] }>('MailMove/discover', { email });
  return [found.provider === null ? null : found, found.signInHosts];
}

/** Asks the provider for a code; what it refuses is thrown in the reader's language. */
export async function askCode(client: Client, id: Id, language: 'en' | 'zh'): Promise<void> {
  const { problem } = await client.call<{ problem: Said | null }>('MailMove/signIn', { id });
  if (problem) throw new JmapError('mistake', problem[language]);
}

export interface Wish extends Source {
  email: string;
  username: string;
  /** `null` where one signs in at the provider's page. */
  password: string | null;
  every: number | null;
  intoMailboxId: Id | null;
  state: 'paused' | 'running';
}

/** What is changed of one. */
export type Patch = Partial<Pick<Wish, 'password' | 'every' | 'state'> & { folders: Choice }>;

/** Changes moves, and tells what was made; what is refused is thrown in the reader's language. */
export async function setMoves(client: Client, what: { create?: Record<string, Wish>; update?: Record<Id, Patch>; destroy?: Id[] }, language: 'en' | 'zh'): Promise<{ id: Id }[]> {
  const answer = await client.call<SetAnswer<MailMove>>('MailMove/set', what);
  const error = [answer.notCreated, answer.notUpdated, answer.notDestroyed].flatMap((some) => Object.values(some ?? {}))[0] as (SetError & { texts?: Said }) | undefined;
  if (error) throw new JmapError(error.texts ? 'mistake' : error.type, error.texts?.[language] ?? error.description);
  return Object.values(answer.created ?? {});
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

/** A folder there. */
export interface MoveFolder {
  name: string;
  /** Where it goes here. */
  path: string[];
  messages: number | null;
  role: Role | null;
  skip: boolean;
  /** Whether a mailbox here takes it already. */
  isHere: boolean;
}

/** The folders there; the list is empty where `problem` says why the other server could not be asked. */
export const moveFolders = (client: Client, id: Id) => client.call<{ list: MoveFolder[]; problem: Said | null }>('MailMove/folders', { id });

/** A message that did not come. */
export interface MoveFailed {
  id: string;
  subject: string | null;
  from: string | null;
  receivedAt: string | null;
  folder: string;
  size: number;
  reason: Said;
  /** Where it is handed out, as the other server has it now. */
  url: string;
}

export const moveFailed = (client: Client, id: Id, position: number) => client.call<{ total: number; list: MoveFailed[]; problem: Said | null }>('MailMove/failed', { id, position });
