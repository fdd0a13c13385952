// MDN (RFC 9007): telling who sent a message that it was read.
import { JmapError } from './client';
import type { Client } from './client';
import type { SetError } from './standard';
import type { Id } from './session';

export const MDN = 'urn:ietf:params:jmap:mdn';

/** Tells it; the server marks the message as told. */
export async function sendReceipt(client: Client, identityId: Id, forEmailId: Id, isAutomatic: boolean): Promise<void> {
  const disposition = { actionMode: isAutomatic ? 'automatic-action' : 'manual-action', sendingMode: isAutomatic ? 'mdn-sent-automatically' : 'mdn-sent-manually', type: 'displayed' };
  const { notSent } = await client.call<{ notSent: Record<string, SetError> | null }>('MDN/send', { identityId, send: { told: { forEmailId, disposition } } });
  const refused = Object.values(notSent ?? {})[0];
  // Another window of the same reader was quicker.
  if (refused && refused.type !== 'mdnAlreadySent') throw new JmapError(refused.type, refused.description);
}
