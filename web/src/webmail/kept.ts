// What the webmail keeps of its user from one time to the next: by the server where it keeps documents, else by the browser. Where the
// server does, nothing of it stays in the browser, which somebody else may use next.
import { ANSER, getDocuments, setDocuments } from '../jmap/anser';
import type { Document } from '../jmap/anser';
import type { Client } from '../jmap/client';
import type { Id } from '../jmap/session';

/** Changes of this time, in milliseconds, travel together. */
const REST = 1_000;
/** After a failure, in milliseconds. */
const AGAIN = 15_000;

export class Kept {
  private values = new Map<string, unknown>();
  /** What the server knows each key by. */
  private ids = new Map<string, Id>();
  /** Keys whose values the server is still to be given. */
  private waiting = new Set<string>();
  private timer = 0;

  constructor(private client: Client) {}

  async open(): Promise<void> {
    for (const { id, key, value } of await getDocuments(this.client).catch(() => [])) {
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

  set(key: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (!this.client.has(ANSER)) return localStorage.setItem(this.place(key), text);
    this.values.set(key, JSON.parse(text) as unknown);
    this.waiting.add(key);
    this.later(REST);
  }

  private place(key: string): string {
    return `anser.${this.client.account}.${key}`;
  }

  private later(rest: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.send(), rest);
  }

  private async send(): Promise<void> {
    const changed = [...this.waiting];
    this.waiting.clear();
    const create: Record<string, Omit<Document, 'id'>> = {};
    const update: Record<string, Partial<Document>> = {};
    for (const key of changed) {
      const [id, value] = [this.ids.get(key), this.values.get(key)];
      if (id) update[id] = { value };
      else create[key] = { key, value };
    }
    try {
      const answer = await setDocuments(this.client, { create, update });
      for (const [key, { id }] of Object.entries(answer.created ?? {})) this.ids.set(key, id);
      // Another window made it meanwhile: what it is known by is learnt, and the next change finds it.
      if (Object.keys(answer.notCreated ?? {}).length > 0) await this.open();
    } catch {
      for (const key of changed) this.waiting.add(key);
      this.later(AGAIN);
    }
  }
}
