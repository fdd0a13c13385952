// A list of any length of which the rows that are looked at are known: ids by position, filled page by page.
import { JmapError } from '../jmap/client';
import { page, queryChanges } from '../jmap/email';
import type { Wish } from '../jmap/email';
import type { Id } from '../jmap/session';
import type { Mail } from './mail.svelte';

/** Rows that are asked for at once. */
const PAGE = 60;
/** Changes by which a list is moved forward rather than read again. */
const CHANGES = 500;

export class List {
  total = $state(0);
  loaded = $state(false);
  failed = $state<string | null>(null);
  private version = $state(0);
  private ids: (Id | undefined)[] = [];
  private state = '';
  private underway = new Map<number, Promise<void>>();
  /** What was taken out before the server said so. */
  private gone = new Set<Id>();
  private generation = 0;
  /** Whether the rows are of an earlier state. */
  private stale = false;

  constructor(
    private mail: Mail,
    readonly wish: Wish,
  ) {}

  at(index: number): Id | undefined {
    void this.version;
    return this.ids[index];
  }

  indexOf(id: Id): number {
    void this.version;
    return this.ids.indexOf(id);
  }

  /** The ids from one place to another, as far as they are known. */
  between(from: number, to: number): Id[] {
    return this.ids.slice(Math.max(0, from), to + 1).filter((id) => id !== undefined);
  }

  /** Asks for the rows from one place to another that are not known. */
  async ensure(from: number, to: number): Promise<void> {
    const first = Math.max(0, Math.floor(from / PAGE));
    const last = Math.max(first, Math.floor(to / PAGE));
    const wanted: Promise<void>[] = [];
    for (let at = first; at <= last; at++) {
      const start = at * PAGE;
      const end = Math.min(start + PAGE, this.loaded ? this.total : Infinity);
      const known = this.loaded && !this.stale && this.holds(start, end);
      if (known || (this.loaded && start >= this.total)) continue;
      // Who waits for a page that is under way waits for that.
      const underway = this.underway.get(at) ?? this.load(at);
      this.underway.set(at, underway);
      wanted.push(underway);
    }
    await Promise.all(wanted);
  }

  private holds(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.ids[at] === undefined) return false;
    return true;
  }

  private async load(at: number): Promise<void> {
    const generation = this.generation;
    try {
      const [query, heads, threads, rest] = await page(this.mail.client, this.wish, at * PAGE, PAGE);
      if (generation !== this.generation) return;
      this.mail.keepHeads(heads.list, heads.state);
      if (rest) this.mail.keepHeads(rest.list, rest.state);
      for (const thread of threads?.list ?? []) this.mail.threads.set(thread.id, thread.emailIds);
      // Where the list moved on while this page travelled, what was known of other places may be off.
      if (this.stale || query.queryState !== this.state) this.ids = [];
      this.stale = false;
      this.state = query.queryState;
      this.place(query.position, query.ids);
      this.total = Math.max(query.total ?? 0, 0) - this.stillGone(query.ids);
      this.loaded = true;
      this.failed = null;
    } catch (error) {
      if (generation === this.generation) this.failed = this.mail.reason(error);
    } finally {
      if (generation === this.generation) this.underway.delete(at);
      this.version++;
    }
  }

  private stillGone(ids: Id[]): number {
    return ids.filter((id) => this.gone.has(id)).length;
  }

  private place(position: number, ids: Id[]): void {
    ids.filter((id) => !this.gone.has(id)).forEach((id, at) => (this.ids[position + at] = id));
  }

  /** Moves forward to how the list is now. `shown` is what is looked at, and is read again where the way there is not known. */
  async refresh(shown: [number, number]): Promise<void> {
    if (!this.loaded || !this.state) return;
    const generation = this.generation;
    try {
      const changes = await queryChanges(this.mail.client, this.wish, this.state);
      if (generation !== this.generation || changes.oldQueryState !== this.state) return;
      const unknown = changes.added.map(({ id }) => id).filter((id) => !this.mail.heads.has(id));
      if (unknown.length > CHANGES || !this.apply(changes.removed, changes.added)) return await this.reload(shown);
      this.state = changes.newQueryState;
      this.total = changes.total ?? this.total;
      await this.mail.fetchRows(unknown, this.wish.collapseThreads);
      this.version++;
      await this.ensure(...shown);
    } catch (error) {
      if (error instanceof JmapError && error.type !== 'offline') await this.reload(shown);
    }
  }

  /** Takes the changes over (RFC 8620 §5.6); false where a place that changed is not known. */
  private apply(removed: Id[], added: { id: Id; index: number }[]): boolean {
    for (const id of removed) {
      const at = this.ids.indexOf(id);
      if (at >= 0) this.ids.splice(at, 1);
      else if (!this.gone.delete(id) && this.hasGaps() && !added.some((one) => one.id === id)) return false;
      this.gone.delete(id);
    }
    for (const { id, index } of added) {
      if (index > this.ids.length) this.ids.length = index;
      this.ids.splice(index, 0, id);
    }
    return true;
  }

  private hasGaps(): boolean {
    return this.ids.length < this.total || this.ids.includes(undefined);
  }

  /** Reads what is shown again; the rows that stand there stay until it comes. */
  async reload(shown: [number, number]): Promise<void> {
    this.generation++;
    this.underway.clear();
    this.gone.clear();
    this.stale = true;
    await this.ensure(...shown);
  }

  /** Takes rows out before the server does. Returns what puts them back. */
  drop(ids: Id[]): () => void {
    const places = ids.map((id) => [this.ids.indexOf(id), id] as const).filter(([at]) => at >= 0);
    places.sort(([a], [b]) => b - a);
    for (const [at, id] of places) {
      this.ids.splice(at, 1);
      this.gone.add(id);
    }
    this.total -= places.length;
    this.version++;
    return () => {
      for (const [at, id] of places.reverse()) {
        this.gone.delete(id);
        if (!this.ids.includes(id)) {
          this.ids.splice(at, 0, id);
          this.total++;
        }
      }
      this.version++;
    };
  }
}
