// Recall (docs/api/mail.md): what was sent is taken back from those who have not read it.
import { ANSER } from './anser';
import { JmapError } from './client';
import type { Client } from './client';
import { refusal } from './standard';
import type { Get, SetAnswer } from './standard';
import type { Id } from './session';

export type Outcome = 'waiting' | 'recalled' | 'read' | 'foreign' | 'notFound' | 'refused';

export interface Recall {
  id: Id;
  emailSubmissionId: Id;
  createdAt: string;
  results: { email: string; outcome: Outcome; text: { en: string; zh: string } }[];
}

/** Days after which nothing is recalled any more. */
export const RECALL_DAYS = 30;

/** All recalls; `null` where the server knows none. */
export async function getRecalls(client: Client): Promise<Recall[] | null> {
  if (!client.has(ANSER)) return null;
  return client.call<Get<Recall>>('Recall/get', { ids: null }).then(({ list }) => list, () => null);
}

export async function recall(client: Client, emailSubmissionId: Id): Promise<void> {
  const refused = refusal(await client.call<SetAnswer<Recall>>('Recall/set', { create: { one: { emailSubmissionId } } }));
  if (refused) throw new JmapError(refused.type, refused.description);
}
