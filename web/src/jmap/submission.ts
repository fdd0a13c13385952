// Identity and EmailSubmission (RFC 8621 §6, §7).
import type { Client } from './client';
import type { EmailAddress } from './email';
import type { Get, SetAnswer } from './standard';
import type { Id } from './session';

/** Submissions that one request changes. */
const SET = 100;

export interface Identity {
  id: Id;
  name: string;
  email: string;
  replyTo: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  textSignature: string;
  htmlSignature: string;
  mayDelete: boolean;
}

export interface Submission {
  id: Id;
  emailId: Id;
  identityId: Id;
  undoStatus: 'pending' | 'final' | 'canceled';
  sendAt: string;
  deliveryStatus: Record<string, { smtpReply: string; delivered: string; displayed: string }> | null;
}

export const getIdentities = (client: Client) => client.call<Get<Identity>>('Identity/get', { ids: null });

export const setIdentities = (
  client: Client,
  what: { create?: Record<string, Partial<Identity>>; update?: Record<Id, Partial<Identity>>; destroy?: Id[] },
) => client.call<SetAnswer<Identity>>('Identity/set', what);

/** When a message leaves: at once, after so many seconds, or at a moment (RFC 4865). */
export type Leaves = { after: number } | { at: Date } | null;

export interface Sending {
  identityId: Id;
  mailFrom: string;
  rcptTo: string[];
  leaves: Leaves;
  drafts: Id;
  sent: Id;
}

/** Sends an email that the same request creates as `#creation`, and moves it to what was sent. */
export function submit(client: Client, emailId: Id, { identityId, mailFrom, rcptTo, leaves, drafts, sent }: Sending) {
  const parameters =
    leaves === null ? null : 'after' in leaves ? { HOLDFOR: String(leaves.after) } : { HOLDUNTIL: leaves.at.toISOString().replace(/\.\d+Z$/, 'Z') };
  return client.call<SetAnswer<Submission>>('EmailSubmission/set', {
    create: { send: { identityId, emailId, envelope: { mailFrom: { email: mailFrom, parameters }, rcptTo: rcptTo.map((email) => ({ email, parameters: null })) } } },
    onSuccessUpdateEmail: {
      '#send': { [`mailboxIds/${drafts}`]: null, [`mailboxIds/${sent}`]: true, 'keywords/$draft': null, 'keywords/$seen': true },
    },
  });
}

/** Takes messages back that have not left, and puts them among the drafts again. */
export const takeBack = (client: Client, ids: Id[], drafts: Id, sent: Id) =>
  client.call<SetAnswer<Submission>>('EmailSubmission/set', {
    update: Object.fromEntries(ids.map((id) => [id, { undoStatus: 'canceled' }])),
    onSuccessUpdateEmail: Object.fromEntries(ids.map((id) => [id, { [`mailboxIds/${sent}`]: null, [`mailboxIds/${drafts}`]: true, 'keywords/$draft': true }])),
  });

/** As `takeBack`, in pieces; the submissions of those that it could. */
export async function takeCopiesBack(client: Client, ids: Id[], drafts: Id, sent: Id): Promise<Set<Id>> {
  const canceled = new Set<Id>();
  for (let at = 0; at < ids.length; at += SET) {
    const answer = await takeBack(client, ids.slice(at, at + SET), drafts, sent);
    for (const id of Object.keys(answer.updated ?? {})) canceled.add(id);
  }
  return canceled;
}

export const getSubmissions = (client: Client, ids: Id[]) => client.call<Get<Submission>>('EmailSubmission/get', { ids });

/** The submissions of these emails. */
export async function submissionsOf(client: Client, emailIds: Id[]): Promise<Submission[]> {
  const query = client.queued<{ ids: Id[] }>('EmailSubmission/query', { filter: { emailIds }, limit: 20 });
  const got = client.queued<Get<Submission>>('EmailSubmission/get', {
    '#ids': { resultOf: query.id, name: 'EmailSubmission/query', path: '/ids' },
  });
  return (await got.result).list;
}
