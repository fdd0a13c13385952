// What the webmail keeps of its user from one time to the next: by the server where it keeps documents, else by the browser. Where the
// server does, nothing of it stays in the browser, which somebody else may use next.
import { words } from '../app/prefs.svelte';
import { reason } from '../app/reason';
import { trouble } from '../app/toasts.svelte';
import { ANSER, getDocuments, setDocuments } from '../jmap/anser';
import type { Document } from '../jmap/anser';
import { JmapError } from '../jmap/client';
import type { Client } from '../jmap/client';
import type { SetError } from '../jmap/standard';
import type { Id } from '../jmap/session';

/** Changes of this time, in milliseconds, travel together. */
const REST = 1_000;
/** After a failure, in milliseconds. */
const AGAIN = 15_000;
/** Bytes of one document that the server takes. */
export const MOST_BYTES = 256 * 1024;

export class Kept {
  private values = new Map<string, unknown>();
  /** What the server knows each key by. */
  private ids = new Map<string, Id>();
  /** Keys whose values the server is still to be given. */
  private waiting = new Set<string>();
  /** Keys of which it was told that they are not kept. */
  private told = new Set<string>();
  private timer = 0;
  private sending: Promise<void> | null = null;

  constructor(private client: Client) {}

  /** Reads what there is. Fails where it cannot be read: to go on would be to write nothing over it. */
  async open(): Promise<void> {
    for (const { id, key, value } of await getDocuments(this.client)) {
      this.ids.set(key, id);
      if (!this.waiting.has(key)) this.values.set(key, value);
    }
  }

  of(key: string): unknown {
    if (this.client.has(ANSER)) return this.values.get(key) ?? null;
    try {
      return JSON.parse(localStorage.getItem(this.place(key)) ?? 'null') as unknown;
    } catch {
      return null;
    }
  }

  /** Keeps a value from now on; false where it is too large, which is told, and what was kept before stays. */
  set(key: string, value: unknown): boolean {
    const text = JSON.stringify(value);
    if (new TextEncoder().encode(text).length > MOST_BYTES) {
      trouble(words().notKept(words().troubles.tooLarge));
      return false;
    }
    if (!this.client.has(ANSER)) {
      localStorage.setItem(this.place(key), text);
      return true;
    }
    this.values.set(key, JSON.parse(text) as unknown);
    this.waiting.add(key);
    this.later(REST);
    return true;
  }

  /** Whether the server is still to be given something. */
  get isWaiting(): boolean {
    return this.waiting.size > 0 || this.sending !== null;
  }

  /** Gives the server now what it was to be given soon: before a logout, and as the page goes. */
  async flush(): Promise<void> {
    // Of several who wait one sends, and the others wait for that; a page that goes has no time to.
    while (this.sending && !this.client.leaving) await this.sending;
    if (this.waiting.size > 0) await this.send();
  }

  private place(key: string): string {
    return `anser.${this.client.account}.${key}`;
  }

  private later(rest: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.flush(), rest);
  }

  private send(): Promise<void> {
    clearTimeout(this.timer);
    this.sending = this.give().finally(() => (this.sending = null));
    return this.sending;
  }

  private async give(): Promise<void> {
    if (!this.client.leaving) return this.giveThese([...this.waiting]);
    // A page that goes says each of them alone: what is too long to be said to its end takes no other with it.
    const said: Promise<void>[] = [];
    for (const key of [...this.waiting]) {
      if (!this.waiting.has(key)) continue;
      said.push(this.giveThese([key]));
      // What is called in the same moment travels together.
      await null;
    }
    await Promise.all(said);
  }

  private async giveThese(changed: string[]): Promise<void> {
    for (const key of changed) this.waiting.delete(key);
    const create: Record<string, Omit<Document, 'id'>> = {};
    const update: Record<string, Partial<Document>> = {};
    for (const key of changed) {
      const [id, value] = [this.ids.get(key), this.values.get(key)];
      if (id) update[id] = { value };
      else create[key] = { key, value };
    }
    try {
      const answer = await setDocuments(this.client, { create, update });
      for (const [key, { id }] of Object.entries(answer.created ?? {})) {
        this.ids.set(key, id);
        this.told.delete(key);
      }
      const keyOf = new Map([...this.ids].map(([key, id]) => [id, key]));
      for (const id of Object.keys(answer.updated ?? {})) this.told.delete(keyOf.get(id) ?? '');
      for (const [key, error] of Object.entries(answer.notCreated ?? {})) await this.refused(key, error);
      for (const [id, error] of Object.entries(answer.notUpdated ?? {})) await this.refused(keyOf.get(id) ?? '', error);
    } catch (error) {
      // What a request is refused for it is refused for again; a lost line or a busy server is asked once more.
      for (const key of changed) this.waiting.add(key);
      this.later(AGAIN);
      if (!(error instanceof JmapError)) throw error;
    }
  }

  private async refused(key: string, error: SetError): Promise<void> {
    if (error.type === 'alreadyExists' || error.type === 'notFound') {
      // Another window made it or took it away meanwhile: what it is known by now is learnt, and it is given again.
      this.ids.delete(key);
      this.waiting.add(key);
      await this.open();
      return this.later(REST);
    }
    if (this.told.has(key)) return;
    this.told.add(key);
    trouble(words().notKept(reason(new JmapError(error.type, error.description))));
  }
}
