// The session resource (RFC 8620 §2).
export type Id = string;

export interface Session {
  capabilities: Record<string, Record<string, unknown>>;
  accounts: Record<Id, Account>;
  primaryAccounts: Record<string, Id>;
  username: string;
  apiUrl: string;
  downloadUrl: string;
  uploadUrl: string;
  eventSourceUrl: string;
  state: string;
}

export interface Account {
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
  accountCapabilities: Record<string, Record<string, unknown>>;
}

/** A place of the session on the server that the page came from, whatever name the session gives the server. */
export function samePlace(url: string): string {
  return url.replace(/^[a-z]+:\/\/[^/]+/i, '');
}

/** A URI template of the session, filled (RFC 6570 level 1). */
export function filled(template: string, values: Record<string, string>): string {
  return samePlace(template).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}
