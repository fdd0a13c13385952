// Rules (docs/api/mail.md): the account's active Sieve script, as a form and as it stands.
import { ANSER } from './anser';
import type { Client } from './client';
import { JmapError } from './client';
import type { Get, SetAnswer, SetError } from './standard';

export type Field = 'from' | 'to' | 'cc' | 'recipient' | 'subject' | 'body' | { header: string };
export type How = 'is' | 'contains' | 'begins' | 'ends' | 'matches' | 'regex' | 'domain';
export interface Day {
  year: number;
  month: number;
  day: number;
}
export type Condition =
  | { text: { field: Field; how: How; values: string[]; not: boolean } }
  | { exists: { header: string; not: boolean } }
  | { larger: number }
  | { smaller: number }
  | { attachment: { not: boolean } }
  | { today: { from: Day | null; until: Day | null } };
export type Deed =
  | 'keep'
  | 'read'
  | 'star'
  | 'discard'
  | { file: { mailbox: string; copy: boolean } }
  | { keyword: string }
  | { forward: { to: string; copy: boolean } }
  | { reject: string }
  | { notify: string };
export interface Rule {
  name: string;
  enabled: boolean;
  quantifier: 'all' | 'any';
  conditions: Condition[];
  deeds: Deed[];
  stop: boolean;
}
export interface Away {
  enabled: boolean;
  from: Day | null;
  until: Day | null;
  subject: string | null;
  domains: string[];
  inside: string;
  outside: string;
  days: number;
  addresses: string[];
}
export interface Forward {
  enabled: boolean;
  to: string[];
  keep: boolean;
}
export interface SenderList {
  enabled: boolean;
  senders: string[];
  verdict: 'keep' | 'discard' | { file: string };
}
export type Item = { rule: Rule } | { away: Away } | { forward: Forward } | { blocked: SenderList } | { allowed: SenderList } | { script: string };

export interface Rules {
  id: 'singleton';
  items: Item[];
  script: string;
}

export async function getRules(client: Client): Promise<{ rules: Rules; state: string } | null> {
  if (!client.has(ANSER)) return null;
  const { list, state } = await client.call<Get<Rules>>('Rules/get', { ids: ['singleton'] });
  return list[0] ? { rules: list[0], state } : null;
}

/** A mistake in what was set is thrown in the reader's language. */
export async function setRules(client: Client, what: { items: Item[] } | { script: string }, ifInState: string, language: 'en' | 'zh'): Promise<string> {
  const answer = await client.call<SetAnswer<Rules>>('Rules/set', { ifInState, update: { singleton: what } });
  const error = answer.notUpdated?.singleton as (SetError & { texts?: { en: string; zh: string } }) | undefined;
  if (error) throw new JmapError(error.texts ? 'mistake' : error.type, error.texts?.[language] ?? error.description);
  return answer.newState;
}
