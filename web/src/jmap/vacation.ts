// VacationResponse (RFC 8621 §8).
import type { Client } from './client';
import type { Get, SetAnswer } from './standard';

export interface Vacation {
  id: 'singleton';
  isEnabled: boolean;
  fromDate: string | null;
  toDate: string | null;
  subject: string | null;
  textBody: string | null;
  htmlBody: string | null;
}

export const getVacation = async (client: Client) => (await client.call<Get<Vacation>>('VacationResponse/get', { ids: ['singleton'] })).list[0];

export const setVacation = (client: Client, patch: Partial<Vacation>) =>
  client.call<SetAnswer<Vacation>>('VacationResponse/set', { update: { singleton: patch } });
