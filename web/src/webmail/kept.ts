// What the webmail keeps of its user from one time to the next: by the server where it keeps documents, else by the browser.
import { getDocuments, setDocuments } from '../jmap/anser';
import type { Document } from '../jmap/anser';
import type { Client } from '../jmap/client';

/** Changes of this time, in milliseconds, travel together. */
const REST = 1_000;
/** After a failure, in milliseconds. */
const AGAIN = 15_000;
const LOCAL = 'anser.';

export class Kept {
  private documents = new Map<string, Document>();
  private waiting = new Map<string, unknown>();
  private timer = 0;

  constructor(private client: Client) {}

  async open(): Promise<void> {
    const all = await getDocuments(this.client).catch(() => []);
    this.documents = new Map(all.map((document) => [document.key, document]));
  }

  of(key: string): unknown {
    if (this.documents.has(key)) return this.documents.get(key)!.value;
    try {
      return JSON.parse(localStorage.getItem(LOCAL + key) ?? 'null') as unknown;
    } catch {
      return null;
    }
  }

  set(key: string, value: unknown): void {
    localStorage.setItem(LOCAL + key, JSON.stringify(value));
    const copy = JSON.parse(JSON.stringify(value)) as unknown;
    this.waiting.set(key, copy);
    const known = this.documents.get(key);
    if (known) known.value = copy;
    this.later(REST);
  }

  private later(rest: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.send(), rest);
  }

  private async send(): Promise<void> {
    if (!this.client.has('urn:anser:mail')) return;
    const changed = [...this.waiting];
    this.waiting.clear();
    const create: Record<string, Omit<Document, 'id'>> = {};
    const update: Record<string, Partial<Document>> = {};
    for (const [key, value] of changed) {
      const known = this.documents.get(key);
      if (known) update[known.id] = { value };
      else create[key] = { key, value };
    }
    try {
      const answer = await setDocuments(this.client, { create, update });
      for (const [key, made] of Object.entries(answer.created ?? {})) this.documents.set(key, { id: made.id, key, value: create[key]?.value });
      // Another window made it meanwhile: what it is known by is learnt, and the next change finds it.
      if (Object.keys(answer.notCreated ?? {}).length > 0) await this.open();
    } catch {
      for (const [key, value] of changed) if (!this.waiting.has(key)) this.waiting.set(key, value);
      this.later(AGAIN);
    }
  }
}
