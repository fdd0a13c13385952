// What the standard methods answer (RFC 8620 §5).
import type { Id } from './session';

export interface Get<T> {
  state: string;
  list: T[];
  notFound: Id[];
}

export interface Changes {
  oldState: string;
  newState: string;
  hasMoreChanges: boolean;
  created: Id[];
  updated: Id[];
  destroyed: Id[];
}

export interface SetError {
  type: string;
  description?: string;
  properties?: string[];
}

export interface SetAnswer<T> {
  oldState: string | null;
  newState: string;
  created: Record<Id, Partial<T> & { id: Id }> | null;
  updated: Record<Id, Partial<T> | null> | null;
  destroyed: Id[] | null;
  notCreated: Record<Id, SetError> | null;
  notUpdated: Record<Id, SetError> | null;
  notDestroyed: Record<Id, SetError> | null;
}

export interface Query {
  queryState: string;
  canCalculateChanges: boolean;
  position: number;
  ids: Id[];
  total?: number;
  /** Where the server tells fewer ids at once than were asked for. */
  limit?: number;
}

export interface QueryChanges {
  oldQueryState: string;
  newQueryState: string;
  total?: number;
  removed: Id[];
  added: { id: Id; index: number }[];
}

/** The first refusal of a /set that is of another type than `passed`, if there is one. */
export function refusal(answer: SetAnswer<unknown>, passed?: string): SetError | undefined {
  const all = [answer.notCreated, answer.notUpdated, answer.notDestroyed];
  return all.flatMap((some) => Object.values(some ?? {})).find(({ type }) => type !== passed);
}
