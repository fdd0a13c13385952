// Quota (RFC 9425), where the server has it.
import type { Client } from './client';
import type { Get } from './standard';

export interface Quota {
  id: string;
  resourceType: 'count' | 'octets';
  used: number;
  hardLimit: number;
  name: string;
}

export async function getQuotas(client: Client): Promise<Quota[]> {
  if (!client.has('urn:ietf:params:jmap:quota')) return [];
  return (await client.call<Get<Quota>>('Quota/get', { ids: null })).list;
}
