// Mailbox (RFC 8621 §2).
import type { Client } from './client';
import type { Changes, Get, SetAnswer } from './standard';
import type { Id } from './session';

export type Role = 'inbox' | 'archive' | 'drafts' | 'flagged' | 'important' | 'junk' | 'sent' | 'trash' | 'all' | null;

export interface Mailbox {
  id: Id;
  name: string;
  parentId: Id | null;
  role: Role;
  sortOrder: number;
  totalEmails: number;
  unreadEmails: number;
  totalThreads: number;
  unreadThreads: number;
  isSubscribed: boolean;
  myRights: Record<
    'mayReadItems' | 'mayAddItems' | 'mayRemoveItems' | 'maySetSeen' | 'maySetKeywords' | 'mayCreateChild' | 'mayRename' | 'mayDelete' | 'maySubmit',
    boolean
  >;
}

export const getMailboxes = (client: Client, ids: Id[] | null = null) => client.call<Get<Mailbox>>('Mailbox/get', { ids });

export const mailboxChanges = (client: Client, sinceState: string) =>
  client.call<Changes & { updatedProperties: string[] | null }>('Mailbox/changes', { sinceState });

export const setMailboxes = (
  client: Client,
  what: { create?: Record<string, Partial<Mailbox>>; update?: Record<Id, Partial<Mailbox>>; destroy?: Id[]; onDestroyRemoveEmails?: boolean },
) => client.call<SetAnswer<Mailbox>>('Mailbox/set', what);
